//! `CertificateSubjectRestriction`: nobody becomes a master of the cluster by a certificate.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::Request;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::strategy::fields::text;

const SIGNER: &str = "kubernetes.io/kube-apiserver-client";
/// The attribute `organizationName` (2.5.4.10) as it stands in a subject.
const ORGANIZATION: [u8; 5] = [0x06, 0x03, 0x55, 0x04, 0x0a];

pub(super) fn review(request: &Request<'_>, object: &Value) -> Result<(), Refusal> {
    let is_asked = request.is_for("certificates.k8s.io", "CertificateSigningRequest") && request.is_create();
    if !is_asked || text(object, &["spec", "signerName"]) != SIGNER {
        return Ok(());
    }
    if organizations(text(object, &["spec", "request"])).iter().any(|name| name == b"system:masters") {
        let why = format!("use of {SIGNER} signer with system:masters group is not allowed");
        return Err(request.forbid(object, &why));
    }
    Ok(())
}

/// Reads the organizations out of a request in PEM, which is stored as base64; a malformed one is validation's matter.
fn organizations(request: &str) -> Vec<Vec<u8>> {
    let Some(pem) = STANDARD.decode(request).ok().and_then(|pem| String::from_utf8(pem).ok()) else {
        return Vec::new();
    };
    let body = pem.split_once("-----BEGIN CERTIFICATE REQUEST-----").and_then(|(_, rest)| rest.split_once("-----END"));
    let Some((body, _)) = body else { return Vec::new() };
    let base64: String = body.chars().filter(|letter| !letter.is_whitespace()).collect();
    let der = STANDARD.decode(base64).unwrap_or_default();
    let starts = der.windows(ORGANIZATION.len()).enumerate().filter(|(_, bytes)| *bytes == ORGANIZATION);
    // A name of this length has its length in one byte, after the tag of the text.
    starts
        .filter_map(|(start, _)| {
            let value = der.get(start + ORGANIZATION.len()..)?;
            let length = usize::from(*value.get(1)?);
            value.get(2..2 + length).map(<[u8]>::to_vec)
        })
        .collect()
}
