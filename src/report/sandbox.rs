//! The sandbox as a command tells of it.

use serde_json::json;

/// What is known of a sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxFacts {
    /// Its folder.
    pub folder: String,
    /// Whether it holds anything.
    pub exists: bool,
    /// The process that serves it, if there is one.
    pub serving: Option<SandboxServing>,
}

/// A process that serves a sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxServing {
    /// Its process.
    pub pid: u32,
    /// Where it answers.
    pub url: String,
    /// Since when, RFC 3339.
    pub started: String,
}

/// Returns the facts as text.
#[must_use]
pub fn sandbox_text(facts: &SandboxFacts) -> String {
    let folder = &facts.folder;
    match (&facts.serving, facts.exists) {
        (Some(serving), _) => format!(
            "the sandbox in {folder} is served at {} by process {} since {}\nkubectl --kubeconfig {folder}/kubeconfig get all -A\n",
            serving.url, serving.pid, serving.started
        ),
        (None, true) => format!("there is a sandbox in {folder}; nobody serves it\n"),
        (None, false) => format!("there is no sandbox in {folder}\n"),
    }
}

/// Returns the facts as JSON, documented in `docs/json.md`.
#[must_use]
pub fn sandbox_json(facts: &SandboxFacts) -> String {
    let serving = facts
        .serving
        .as_ref()
        .map(|serving| json!({"pid": serving.pid, "url": serving.url, "started": serving.started}));
    format!(
        "{:#}\n",
        json!({"format_version": "1.0", "folder": facts.folder, "exists": facts.exists, "serving": serving})
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_whether_there_is_one_and_who_serves_it() {
        let mut facts = SandboxFacts { folder: ".mathison/sandbox".to_owned(), exists: false, serving: None };
        insta::assert_snapshot!(sandbox_text(&facts), @"there is no sandbox in .mathison/sandbox");
        facts.exists = true;
        insta::assert_snapshot!(sandbox_text(&facts), @"there is a sandbox in .mathison/sandbox; nobody serves it");
        facts.serving = Some(SandboxServing {
            pid: 7,
            url: "https://127.0.0.1:34567".to_owned(),
            started: "2026-01-02T03:04:05Z".to_owned(),
        });
        insta::assert_snapshot!(sandbox_text(&facts), @r"
        the sandbox in .mathison/sandbox is served at https://127.0.0.1:34567 by process 7 since 2026-01-02T03:04:05Z
        kubectl --kubeconfig .mathison/sandbox/kubeconfig get all -A
        ");
    }
}
