//! The annotation on a pod template that changes when the content of a consumed ConfigMap does: without it a changed
//! ConfigMap restarts nothing.
//!
//! Secrets are not covered here: what is recorded of them is an HMAC under the stack's key, which a service does not
//! have.

use serde_json::Value;

use crate::resource::Digest;

/// Digest of the ConfigMaps that the pods of a workload consume.
pub const CONFIG_CHECKSUM_ANNOTATION: &str = "mathison.dev/config-checksum";

/// Returns the annotation's value for a ConfigMap: a digest of its `data` alone, since a label changes nothing in a pod.
pub(super) fn config_checksum(config_map: &Value) -> String {
    Digest::of(config_map.get("data").unwrap_or(&Value::Null)).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_content_counts() {
        let one = json!({"metadata": {"labels": {"a": "1"}}, "data": {"k": "v"}});
        let relabelled = json!({"metadata": {"labels": {"a": "2"}}, "data": {"k": "v"}});
        let edited = json!({"metadata": {"labels": {"a": "1"}}, "data": {"k": "w"}});
        assert_eq!(config_checksum(&one), config_checksum(&relabelled));
        assert_ne!(config_checksum(&one), config_checksum(&edited));
    }
}
