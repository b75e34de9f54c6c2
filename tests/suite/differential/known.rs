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

pub const KNOWN: &[Known] = &[
    Known {
        reason: "a patch whose result cannot be read is told whole, in the order of Go's fields where the patch left it alone",
        kinds: &[],
        matches: |request, line| request.method == "PATCH" && tells_whole_object(line),
    },
    Known {
        reason: "fields behind feature gates that are off by default are kept: the source `clusterTrustBundle` of volumes",
        kinds: &["PodTemplate"],
        matches: |_, line| {
            line.contains(".clusterTrustBundle: absent | ")
                || (line.starts_with("warnings: ") && line.contains("(Projected) has no sources provided"))
        },
    },
];

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

/// Tells whether a line is a message of both that repeats an object and ends in the same error.
fn tells_whole_object(line: &str) -> bool {
    let is_message = line.starts_with(".message: ") || line.starts_with(".details.causes[0].message: ");
    let end = |text: &str| text.trim_end_matches('"').rsplit_once("}\\\": ").map(|(_, why)| why.to_owned());
    let Some((real, sandbox)) = line.split_once("\" | \"") else { return false };
    is_message && real.contains("Invalid value: \\\"{") && end(real).is_some() && end(real) == end(sandbox)
}
