//! Keyed digests: what is recorded of a secret value, and the stack's key that they are made under.
//!
//! A plain digest of a short password is as good as the password to whoever guesses; an HMAC is worth nothing without
//! its key. The key lives in the cluster, in the Secret `mathison-stack-STACK`.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Map, Value, json};
use sha2::Sha256;
use thiserror::Error;
use zeroize::Zeroizing;

use super::SecretValue;
use super::generate::Random;
use crate::resource::{Digest, Manifest, ManifestError, STACK_LABEL, stack_label};

/// The key of the Secret that holds the stack's HMAC key.
pub const KEY_SECRET_KEY: &str = "hmac-key";

/// kubectl writes a whole object into this annotation, values of a Secret included.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// A Secret that holds no usable key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyError {
    /// The key of the Secret is missing.
    #[error("the Secret has no key `hmac-key`")]
    Absent,
    /// It is no base64, or not 32 bytes.
    #[error("`hmac-key` does not hold 32 bytes")]
    Malformed,
}

/// The key under which a stack's secret values are digested. Overwritten when it goes, never shown.
#[derive(Clone)]
pub struct HmacKey(Zeroizing<[u8; 32]>);

impl HmacKey {
    /// Draws a key.
    #[must_use]
    pub fn generate(random: &mut Random<'_>) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        random(&mut bytes[..]);
        Self(bytes)
    }

    /// Takes a key.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Reads the key out of the Secret that [`key_secret_manifest`] made.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn from_secret(secret: &Value) -> Result<Self, KeyError> {
        let text = secret.pointer("/data").and_then(|data| data.get(KEY_SECRET_KEY)).and_then(Value::as_str);
        let value = SecretValue::from_base64(text.ok_or(KeyError::Absent)?).ok_or(KeyError::Malformed)?;
        let bytes: &[u8; 32] = value.expose().try_into().map_err(|_| KeyError::Malformed)?;
        Ok(Self::from_bytes(*bytes))
    }

    /// Returns the HMAC-SHA-256 of `bytes`.
    #[must_use]
    pub fn digest(&self, bytes: &[u8]) -> Digest {
        self.digest_parts(&[bytes])
    }

    fn digest_parts(&self, parts: &[&[u8]]) -> Digest {
        // HMAC fills a shorter key up to its block with zeros; done here, no length can be wrong.
        let mut block = Zeroizing::new([0_u8; 64]);
        block[..32].copy_from_slice(&self.0[..]);
        let mut mac = Hmac::<Sha256>::new((&*block).into());
        parts.iter().for_each(|part| mac.update(part));
        Digest::from_bytes(mac.finalize().into_bytes().into())
    }

    /// Returns a Secret with every value replaced by its keyed digest, as it may be recorded and compared. `stringData` is
    /// folded into `data`, as the server does.
    ///
    /// Namespace, name and key go into the digest too, so that equal values under two keys do not look equal.
    #[must_use]
    pub fn digest_object(&self, secret_object: &Value) -> Value {
        let mut object = secret_object.clone();
        let text_at = |pointer: &str| secret_object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let place = [text_at("/metadata/namespace"), text_at("/metadata/name")];
        let Some(map) = object.as_object_mut() else { return object };
        let string_data = map.remove("stringData");
        let data = map.get("data");
        if string_data.is_some() || data.is_some() {
            let mut digests = Map::new();
            for (key, value) in data.and_then(Value::as_object).into_iter().flatten() {
                let decoded = value.as_str().and_then(SecretValue::from_base64);
                digests.insert(key.clone(), self.keyed(place, key, value, decoded));
            }
            for (key, value) in string_data.as_ref().and_then(Value::as_object).into_iter().flatten() {
                let plain = value.as_str().map(|text| SecretValue::from(text.to_owned()));
                digests.insert(key.clone(), self.keyed(place, key, value, plain));
            }
            map.insert("data".to_owned(), Value::Object(digests));
        }
        if let Some(annotation) =
            object.pointer_mut("/metadata/annotations").and_then(|annotations| annotations.get_mut(LAST_APPLIED))
        {
            let plain = annotation.as_str().map(|text| SecretValue::from(text.to_owned()));
            *annotation = self.keyed(place, LAST_APPLIED, annotation, plain);
        }
        object
    }

    /// Returns the text that stands for one value. What is no string, or no base64, is digested as it is written.
    fn keyed(&self, place: [&str; 2], key: &str, written: &Value, read: Option<SecretValue>) -> Value {
        let value = read.unwrap_or_else(|| SecretValue::from(written.to_string()));
        let [namespace, name] = place;
        // Each part but the last ends with a byte that no name holds, so that no two places run together.
        let parts = [namespace.as_bytes(), b"\0", name.as_bytes(), b"\0", key.as_bytes(), b"\0", value.expose()];
        Value::from(format!("hmac-{}", self.digest_parts(&parts)))
    }
}

impl fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacKey(…)")
    }
}

/// Returns the name of the Secret that holds a stack's key.
#[must_use]
pub fn key_secret_name(stack: &str) -> String {
    format!("mathison-stack-{stack}")
}

/// Returns the Secret that holds a stack's key. It is created once and never changed, and the server is told so.
///
/// # Errors
/// None for a stack and namespace that have names.
pub fn key_secret_manifest(stack: &str, namespace: &str, key: &HmacKey) -> Result<Manifest, ManifestError> {
    let value = SecretValue::new(key.0.to_vec());
    Manifest::new(json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": key_secret_name(stack),
            "namespace": namespace,
            "labels": {
                "app.kubernetes.io/instance": stack,
                "app.kubernetes.io/managed-by": "mathison",
                STACK_LABEL: stack_label(stack, namespace),
            },
        },
        "type": "Opaque",
        "immutable": true,
        "data": {KEY_SECRET_KEY: value.to_base64().as_str()},
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> HmacKey {
        HmacKey::from_bytes([7; 32])
    }

    fn secret(data: &Value) -> Value {
        json!({"kind": "Secret", "metadata": {"name": "s", "namespace": "n"}, "data": data})
    }

    #[test]
    fn the_digest_is_hmac_sha_256() {
        // RFC 4231, test case 1, whose 20-byte key is filled with zeros to 32 bytes: HMAC does the same.
        let mut bytes = [0; 32];
        bytes[..20].fill(0x0b);
        assert_eq!(
            HmacKey::from_bytes(bytes).digest(b"Hi There").hex(),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
    }

    #[test]
    fn the_key_survives_its_secret() {
        let manifest = key_secret_manifest("mathison", "mathison-system", &key()).unwrap();
        assert_eq!(manifest.name(), "mathison-stack-mathison");
        assert_eq!(manifest.label(STACK_LABEL), Some("mathison.mathison-system"));
        let read = HmacKey::from_secret(manifest.object()).unwrap();
        assert_eq!(read.digest(b"x"), key().digest(b"x"));
        assert_eq!(HmacKey::from_secret(&json!({"data": {}})).unwrap_err(), KeyError::Absent);
        assert_eq!(HmacKey::from_secret(&json!({"data": {"hmac-key": "AAAA"}})).unwrap_err(), KeyError::Malformed);
        assert_eq!(format!("{read:?}"), "HmacKey(…)");
    }

    #[test]
    fn string_data_is_folded_into_data() {
        let plain =
            json!({"kind": "Secret", "metadata": {"name": "s", "namespace": "n"}, "stringData": {"a": "hunter2"}});
        assert_eq!(key().digest_object(&plain), key().digest_object(&secret(&json!({"a": "aHVudGVyMg=="}))));
    }

    #[test]
    fn equal_values_under_two_keys_do_not_look_equal() {
        let digested = key().digest_object(&secret(&json!({"a": "aHVudGVyMg==", "b": "aHVudGVyMg=="})));
        assert_ne!(digested["data"]["a"], digested["data"]["b"]);
    }

    #[test]
    fn what_kubectl_noted_down_is_digested_too() {
        let mut object = secret(&json!({}));
        object["metadata"]["annotations"] =
            json!({LAST_APPLIED: "{\"data\":{\"a\":\"aHVudGVyMg==\"}}", "note": "stays"});
        let digested = key().digest_object(&object);
        assert!(!digested.to_string().contains("aHVudGVyMg"), "{digested}");
        assert_eq!(digested["metadata"]["annotations"]["note"], "stays");
    }

    #[test]
    fn everything_but_the_values_stays() {
        let digested = key().digest_object(&secret(&json!({"a": null, "b": 5})));
        assert_eq!(digested["metadata"], json!({"name": "s", "namespace": "n"}));
        let data = digested["data"].as_object().unwrap();
        assert!(data.values().all(|value| value.as_str().unwrap().starts_with("hmac-sha256:")), "{digested}");
    }

    proptest! {
        #[test]
        fn equal_values_have_equal_digests_and_others_do_not(one: Vec<u8>, other: Vec<u8>) {
            let digest = |bytes: &[u8]| {
                let text = SecretValue::new(bytes.to_vec()).to_base64();
                key().digest_object(&secret(&json!({"a": text.as_str()})))
            };
            prop_assert_eq!(digest(&one) == digest(&other), one == other);
        }

        #[test]
        fn a_digest_shows_neither_the_value_nor_its_length(bytes in proptest::collection::vec(any::<u8>(), 6..200)) {
            let value = SecretValue::new(bytes);
            let digested = key().digest_object(&secret(&json!({"a": value.to_base64().as_str()}))).to_string();
            prop_assert!(!digested.contains(value.to_base64().as_str()));
            prop_assert_eq!(digested.len(), key().digest_object(&secret(&json!({"a": ""}))).to_string().len());
        }

        #[test]
        fn another_key_gives_another_digest(bytes: Vec<u8>, one: [u8; 32], other: [u8; 32]) {
            prop_assume!(one != other);
            prop_assert_ne!(HmacKey::from_bytes(one).digest(&bytes), HmacKey::from_bytes(other).digest(&bytes));
        }
    }
}
