//! Where a command is about to act: shown before anything dangerous.

use super::line::Line;
use super::style::{Meaning, Options};

/// What a run acts on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The kubeconfig's context, or words such as `in-cluster`.
    pub context: String,
    /// The API server's URL.
    pub server: String,
    /// The stack's namespace.
    pub namespace: String,
    /// The stack's name.
    pub stack: String,
    /// The stack file, as it was named.
    pub file: String,
    /// Where state is kept.
    pub state: String,
}

/// Returns the header: one line a fact, nothing shortened, and an empty line at its end.
#[must_use]
pub fn header_text(header: &Header, options: &Options) -> String {
    let mut out = String::new();
    let beside = |text: &str| if text.is_empty() { String::new() } else { format!(" ({text})") };
    for (name, value, remark) in [
        ("context", &header.context, beside(&header.server)),
        ("namespace", &header.namespace, String::new()),
        ("stack", &header.stack, beside(&header.file)),
        ("state", &header.state, String::new()),
    ] {
        Line::new()
            .paint(Meaning::Quiet, format!("{name:>9}  "))
            .paint(Meaning::Strong, value)
            .text(remark)
            .write(&mut out, options, 0, 11);
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_says_where_it_acts() {
        let header = Header {
            context: "kind-dev".to_owned(),
            server: "https://127.0.0.1:6443".to_owned(),
            namespace: "mathison-system".to_owned(),
            stack: "mathison".to_owned(),
            file: "stacks/mathison.yaml".to_owned(),
            state: "state/mathison@mathison-system.0a1b2c3d.json".to_owned(),
        };
        insta::assert_snapshot!(header_text(&header, &Options::plain(80)), @r#"
          context  kind-dev (https://127.0.0.1:6443)
        namespace  mathison-system
            stack  mathison (stacks/mathison.yaml)
            state  state/mathison@mathison-system.0a1b2c3d.json

        "#);
    }
}
