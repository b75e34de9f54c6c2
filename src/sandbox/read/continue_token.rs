//! The token that leads to the next page (`k8s.io/apiserver/pkg/storage/continue.go`).

use base64::alphabet::URL_SAFE;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, URL_SAFE_NO_PAD};
use base64::{DecodeError, Engine as _};
use serde_json::{Value, json};

use crate::sandbox::decode::node::unexpected;
use crate::sandbox::store::Key;

/// As Go reads it: bits that are left over at the end do not matter.
const LENIENT: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, NO_PAD.with_decode_allow_trailing_bits(true));

/// Where a list goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Continue {
    /// The revision that the first page was of; `None` goes on with what is there now.
    pub(super) revision: Option<u64>,
    /// The last key of the page before.
    pub(super) after: Key,
}

impl Continue {
    pub(super) fn written(&self, prefix: &str) -> String {
        let rest = self.after.text().strip_prefix(prefix).unwrap_or_default();
        let revision = self.revision.map_or(-1, |revision| i64::try_from(revision).unwrap_or(i64::MAX));
        let token = json!({"v": "meta.k8s.io/v1", "rv": revision, "start": format!("{rest}\u{0}")});
        URL_SAFE_NO_PAD.encode(token.to_string())
    }

    pub(super) fn read(token: &str, prefix: &str) -> Result<Self, String> {
        let bytes = LENIENT.decode(token).map_err(|error| match error {
            DecodeError::InvalidByte(at, _) => {
                format!("continue key is not valid: illegal base64 data at input byte {at}")
            }
            _ => format!("continue key is not valid: illegal base64 data at input byte {}", token.len()),
        })?;
        let value: Value = serde_json::from_slice(&bytes).map_err(|error| match bytes.first() {
            Some(first) if !b"{[\"-0123456789tfn \t\r\n".contains(first) => {
                format!("continue key is not valid: {}", unexpected(*first, "looking for beginning of value"))
            }
            _ => format!("continue key is not valid: {error}"),
        })?;
        match value.get("v").and_then(Value::as_str) {
            Some("meta.k8s.io/v1") => {}
            version => {
                let version = version.unwrap_or_default();
                let problem = "server does not recognize this encoded version";
                return Err(format!("continue key is not valid: {problem} {version}"));
            }
        }
        let of_version = |problem: &str| format!("continue key is not valid: {problem} (version meta.k8s.io/v1)");
        let revision = match value.get("rv").and_then(Value::as_i64) {
            None | Some(0) => return Err(of_version("incorrect encoded start resourceVersion")),
            Some(revision) => u64::try_from(revision).ok(),
        };
        let start = value.get("start").and_then(Value::as_str).unwrap_or_default();
        if start.is_empty() {
            return Err(of_version("encoded start key empty"));
        }
        let below = start.strip_prefix('/').unwrap_or(start);
        // Nobody gets out of what they may list, nor anywhere by a detour.
        if below.split('/').any(|step| matches!(step, "" | "." | "..")) {
            return Err(format!("continue key is not valid: {start}"));
        }
        let after = Key::from_text(format!("{prefix}{}", below.trim_end_matches('\u{0}')));
        Ok(Self { revision, after })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forged_tokens_are_refused_in_the_servers_words() {
        let read = |token: &str| Continue::read(&URL_SAFE_NO_PAD.encode(token), "/pods/shop/");
        let problem = |token: &str| read(token).unwrap_err();
        let of_version = |problem: &str| format!("continue key is not valid: {problem} (version meta.k8s.io/v1)");
        assert_eq!(
            problem(r#"{"v":"meta.k8s.io/v1","start":"a"}"#),
            of_version("incorrect encoded start resourceVersion")
        );
        assert_eq!(problem(r#"{"v":"meta.k8s.io/v1","rv":5}"#), of_version("encoded start key empty"));
        for start in ["../pods", "a/../../x", "a//b", "./a", "a/"] {
            let token = json!({"v": "meta.k8s.io/v1", "rv": 5, "start": start}).to_string();
            assert_eq!(problem(&token), format!("continue key is not valid: {start}"));
        }
        let there = read("{\"v\":\"meta.k8s.io/v1\",\"rv\":-1,\"start\":\"/web\\u0000\"}").unwrap();
        assert_eq!(there, Continue { revision: None, after: Key::from_text("/pods/shop/web".to_owned()) });
    }
}
