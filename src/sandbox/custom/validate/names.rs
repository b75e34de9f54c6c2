//! Names in the forms that definitions and embedded resources are held to, what is wrong with them in one text.

use crate::sandbox::validation::{label_1035, subdomain};

fn joined(messages: &[String]) -> Option<String> {
    (!messages.is_empty()).then(|| messages.join(","))
}

/// Says why a text is no DNS-1035 label.
pub(in crate::sandbox::custom) fn dns_1035_label(text: &str) -> Option<String> {
    joined(&label_1035(text))
}

/// Says why a text is no DNS subdomain.
pub(in crate::sandbox::custom) fn dns_1123_subdomain(text: &str) -> Option<String> {
    joined(&subdomain(text))
}
