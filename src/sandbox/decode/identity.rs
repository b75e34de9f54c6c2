//! Which kind a body says it is, and whether that is the one that is written to.

use super::node::Node;

/// What a body says of its kind, what is missing being taken from the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) kind: String,
}

impl Identity {
    /// Reads what a body says; missing parts are empty.
    pub(super) fn of(node: &Node) -> Result<Self, String> {
        const SHAPE: &str =
            r#"struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }"#;
        let unread = |mistake: String| format!("couldn't get version/kind; json parse error: {mistake}");
        let text = |name: &str| match node.get(name) {
            Some(Node::String(text)) => text.clone(),
            _ => String::new(),
        };
        match node {
            Node::Map(entries) => {
                let is_wrong = |node: &Node| !matches!(node, Node::String(_) | Node::Null);
                let wrong =
                    entries.iter().find(|(key, node)| matches!(key.as_str(), "apiVersion" | "kind") && is_wrong(node));
                if let Some((key, node)) = wrong {
                    let what = node.describe();
                    return Err(unread(format!(
                        "json: cannot unmarshal {what} into Go struct field .{key} of type string"
                    )));
                }
            }
            Node::Null => {}
            other => {
                let what = other.describe();
                return Err(unread(format!("json: cannot unmarshal {what} into Go value of type {SHAPE}")));
            }
        }
        let api_version = text("apiVersion");
        let (group, version) = match api_version.split('/').collect::<Vec<_>>().as_slice() {
            ["", ""] => ("", ""),
            [version] => ("", *version),
            [group, version] => (*group, *version),
            _ => return Err(format!("unexpected GroupVersion string: {api_version}")),
        };
        Ok(Self { group: group.to_owned(), version: version.to_owned(), kind: text("kind") })
    }

    /// Fills in what is missing.
    pub(super) fn or(mut self, group: &str, version: &str, kind: &str) -> Self {
        if self.kind.is_empty() {
            kind.clone_into(&mut self.kind);
        }
        if self.version.is_empty() && self.group.is_empty() {
            group.clone_into(&mut self.group);
        }
        if self.version.is_empty() && self.group == group {
            version.clone_into(&mut self.version);
        }
        self
    }

    /// Returns `apiVersion`.
    pub(super) fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }
}
