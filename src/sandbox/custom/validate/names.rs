//! Names in the forms that definitions and embedded resources are held to.

use super::patterns::matches;

const LABEL: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic \
                     character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for \
                     validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and \
                         must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation \
                         is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

fn because(too_long: Option<usize>, malformed: Option<&str>) -> Option<String> {
    let too_long = too_long.map(|most| format!("must be no more than {most} bytes"));
    let reasons: Vec<String> = too_long.into_iter().chain(malformed.map(str::to_owned)).collect();
    (!reasons.is_empty()).then(|| reasons.join(","))
}

/// Says why a text is no DNS-1035 label.
pub(in crate::sandbox::custom) fn dns_1035_label(text: &str) -> Option<String> {
    let fits = matches("^[a-z]([-a-z0-9]*[a-z0-9])?$", text) == Some(true);
    because((text.len() > 63).then_some(63), (!fits).then_some(LABEL))
}

/// Says why a text is no DNS subdomain.
pub(in crate::sandbox::custom) fn dns_1123_subdomain(text: &str) -> Option<String> {
    let fits = matches(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$", text) == Some(true);
    because((text.len() > 253).then_some(253), (!fits).then_some(SUBDOMAIN))
}

/// Says why a text cannot be a step of a path.
pub(super) fn path_segment(text: &str) -> Vec<String> {
    if text == "." || text == ".." {
        return vec![format!("may not be '{text}'")];
    }
    ["/", "%"].iter().filter(|bad| text.contains(**bad)).map(|bad| format!("may not contain '{bad}'")).collect()
}
