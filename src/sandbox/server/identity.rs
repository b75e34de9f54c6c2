//! The certificates of a sandbox: an authority of its own, and what it signed for the server.

use std::sync::Arc;

use jiff::{Span, Timestamp, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ED25519, date_time_ymd,
};
use tokio_rustls::rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject},
};

use crate::sandbox::{disk::Disk, error::SandboxError, random::Random};

/// What stands before the 32 bytes of a private key (RFC 8410, section 7).
const ED25519_PKCS8: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

const YEARS: i16 = 10;
/// Clients whose clock is a little behind should not find it in the future.
const EARLIER_DAYS: i64 = 1;
const AUTHORITY: &str = "mathison-sandbox";
const NAMES: [&str; 4] = ["127.0.0.1", "localhost", "kubernetes", "kubernetes.default.svc"];

/// What the server shows to its clients, and what they trust it by.
#[derive(Clone)]
pub struct Identity {
    /// The authority's certificate, as PEM.
    pub ca: String,
    /// The authority's key, as PEM.
    pub ca_key: String,
    certificate: String,
    key: String,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Identity").field("ca", &self.ca).finish_non_exhaustive()
    }
}

impl Identity {
    /// Makes an authority and a server's certificate, valid for ten years from now.
    ///
    /// # Errors
    /// If a key cannot be made.
    pub fn make(now: Timestamp) -> Result<Self, SandboxError> {
        Self::with_keys(now, KeyPair::generate)
    }

    /// Makes the same authority and certificate for the same seed: their keys are no secret. Ed25519, since its keys can be
    /// drawn and its signatures are not.
    ///
    /// # Errors
    /// If a key cannot be made.
    pub fn of_seed(now: Timestamp, random: &mut Random) -> Result<Self, SandboxError> {
        Self::with_keys(now, || {
            let key = [&ED25519_PKCS8[..], &random.bytes::<32>()[..]].concat();
            KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(key), &PKCS_ED25519)
        })
    }

    fn with_keys(
        now: Timestamp,
        mut keys: impl FnMut() -> Result<KeyPair, rcgen::Error>,
    ) -> Result<Self, SandboxError> {
        let failed =
            |error: rcgen::Error| SandboxError::Certificate { action: "make a certificate", why: error.to_string() };
        let (from, until) = validity(now)?;
        let named = |name: &str| {
            let mut distinguished = DistinguishedName::new();
            distinguished.push(DnType::CommonName, name);
            distinguished
        };
        let ca_key = keys().map_err(failed)?;
        let mut ca = CertificateParams::default();
        ca.distinguished_name = named(AUTHORITY);
        ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        limit(&mut ca, from, until);
        let ca_certificate = ca.self_signed(&ca_key).map_err(failed)?;

        let key = keys().map_err(failed)?;
        let mut server = CertificateParams::new(NAMES.map(str::to_owned)).map_err(failed)?;
        server.distinguished_name = named("mathison-sandbox-server");
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        limit(&mut server, from, until);
        let certificate = server.signed_by(&key, &Issuer::from_params(&ca, &ca_key)).map_err(failed)?;
        Ok(Self {
            ca: ca_certificate.pem(),
            ca_key: ca_key.serialize_pem(),
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        })
    }

    /// Returns the identity that the store keeps. One that is missing or about to end is made anew.
    ///
    /// # Errors
    /// If the store cannot be used, or what it keeps is damaged.
    pub fn keep(disk: &Disk, now: Timestamp) -> Result<Self, SandboxError> {
        let text = |name: &str| -> Result<Option<String>, SandboxError> {
            Ok(disk.meta(name)?.map(|value| String::from_utf8_lossy(&value).into_owned()))
        };
        let until = text("tls.until")?.and_then(|until| until.parse::<Timestamp>().ok());
        if until.is_some_and(|until| until > now)
            && let (Some(ca), Some(ca_key), Some(certificate), Some(key)) =
                (text("tls.ca")?, text("tls.ca-key")?, text("tls.certificate")?, text("tls.key")?)
        {
            return Ok(Self { ca, ca_key, certificate, key });
        }
        let made = Self::make(now)?;
        // A month before it ends, so that no long run meets the end.
        let until = validity(now)?.1.saturating_sub(jiff::SignedDuration::from_hours(30 * 24));
        disk.put_meta(&[
            ("tls.ca", made.ca.as_bytes()),
            ("tls.ca-key", made.ca_key.as_bytes()),
            ("tls.certificate", made.certificate.as_bytes()),
            ("tls.key", made.key.as_bytes()),
            ("tls.until", until.map_err(|error| clock(&error))?.to_string().as_bytes()),
        ])?;
        Ok(made)
    }

    /// Returns how the server does TLS with this identity.
    ///
    /// # Errors
    /// If the certificate or its key cannot be used.
    pub fn tls(&self) -> Result<Arc<ServerConfig>, SandboxError> {
        let failed = |why: String| SandboxError::Certificate { action: "use the server's certificate", why };
        let certificate =
            CertificateDer::from_pem_slice(self.certificate.as_bytes()).map_err(|error| failed(error.to_string()))?;
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).map_err(|error| failed(error.to_string()))?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(error.to_string()))?
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .map_err(|error| failed(error.to_string()))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

fn validity(now: Timestamp) -> Result<(Timestamp, Timestamp), SandboxError> {
    let today = now.to_zoned(TimeZone::UTC);
    let from = today.checked_sub(Span::new().days(EARLIER_DAYS)).map_err(|error| clock(&error))?;
    let until = today.checked_add(Span::new().years(YEARS)).map_err(|error| clock(&error))?;
    Ok((from.timestamp(), until.timestamp()))
}

fn clock(error: &jiff::Error) -> SandboxError {
    SandboxError::Certificate { action: "reckon how long a certificate is valid", why: error.to_string() }
}

fn limit(certificate: &mut CertificateParams, from: Timestamp, until: Timestamp) {
    let day = |moment: Timestamp| {
        let date = moment.to_zoned(TimeZone::UTC).date();
        date_time_ymd(date.year().into(), date.month().unsigned_abs(), date.day().unsigned_abs())
    };
    certificate.not_before = day(from);
    certificate.not_after = day(until);
}
