//! The differences that are known, each with its reason. Whatever stands in no line here counts as unexplained.

use super::request::Request;

/// A known difference: it is met where all that differs in an answer matches.
pub struct Known {
    /// Why it is there, and stays for now.
    pub reason: &'static str,
    /// The kinds it is met with; none: any.
    pub kinds: &'static [&'static str],
    /// Whether a line of what differs is of this difference.
    pub matches: fn(&Request, &str) -> bool,
}

pub const KNOWN: &[Known] = &[Known {
    reason: "the `internalTrafficPolicy` of an ExternalName is hidden when it is read and kept all the same, which only a \
             refused patch shows, since it tells the object whole; the sandbox does not keep it",
    kinds: &["Service"],
    matches: |request, line| {
        request.method == "PATCH" && line.contains("ExternalName") && line.contains("internalTrafficPolicy")
    },
}];

/// Finds the known differences that explain all lines, by their places in the table.
pub fn explained(kind: &str, request: &Request, lines: &[String]) -> Option<Vec<usize>> {
    lines
        .iter()
        .map(|line| {
            KNOWN.iter().position(|known| {
                (known.kinds.is_empty() || known.kinds.contains(&kind)) && (known.matches)(request, line)
            })
        })
        .collect()
}
