//! The sandbox as a command tells of it.

use serde::Serialize;

use super::json::{FORMAT_VERSION, document_text};

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

#[derive(Serialize)]
struct Document<'a> {
    format_version: &'static str,
    folder: &'a str,
    exists: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    serving: Option<&'a SandboxServing>,
}

/// A process that serves a sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SandboxServing {
    /// Its process.
    pub pid: u32,
    /// Where it answers.
    pub url: String,
    /// Since when, RFC 3339.
    pub started: String,
}

/// What a sandbox says when it begins to be served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxGreeting {
    /// Its folder.
    pub folder: String,
    /// Where it answers.
    pub url: String,
    /// The kubeconfig that was written.
    pub kubeconfig: String,
    /// Whether it has controllers.
    pub controllers: bool,
}

/// Returns the greeting: what is served, what it does not do, how it is used and how it ends.
#[must_use]
pub fn sandbox_greeting(greeting: &SandboxGreeting) -> String {
    let SandboxGreeting { folder, url, kubeconfig, controllers } = greeting;
    let bare = if *controllers { "" } else { ", and no controllers: nothing becomes ready by itself" };
    format!(
        "serving the sandbox in {folder} at {url}\nIt runs no containers{bare}. Ctrl-C ends it; what was answered is \
         kept.\n\n  kubectl --kubeconfig {kubeconfig} get all -A\n"
    )
}

/// Returns the facts as text.
#[must_use]
pub fn sandbox_text(facts: &SandboxFacts) -> String {
    let folder = &facts.folder;
    match (&facts.serving, facts.exists) {
        (Some(serving), _) => format!(
            "the sandbox in {folder} is served at {} by process {} since {}\n\n  kubectl --kubeconfig {folder}/kubeconfig get all -A\n",
            serving.url, serving.pid, serving.started
        ),
        (None, true) => format!("there is a sandbox in {folder}; nobody serves it\n"),
        (None, false) => format!("there is no sandbox in {folder}\n"),
    }
}

/// Returns the facts as JSON, documented in `docs/json.md`.
#[must_use]
pub fn sandbox_json(facts: &SandboxFacts) -> String {
    document_text(&Document {
        format_version: FORMAT_VERSION,
        folder: &facts.folder,
        exists: facts.exists,
        serving: facts.serving.as_ref(),
    })
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

    #[test]
    fn the_json_form_begins_with_its_version() {
        let serving = SandboxServing {
            pid: 7,
            url: "https://127.0.0.1:1".to_owned(),
            started: "2026-01-02T03:04:05Z".to_owned(),
        };
        let facts = SandboxFacts { folder: "a".to_owned(), exists: true, serving: Some(serving) };
        insta::assert_snapshot!(sandbox_json(&facts), @r#"
        {
          "format_version": "1.0",
          "folder": "a",
          "exists": true,
          "serving": {
            "pid": 7,
            "url": "https://127.0.0.1:1",
            "started": "2026-01-02T03:04:05Z"
          }
        }
        "#);
        let nobody = SandboxFacts { serving: None, ..facts };
        assert!(!sandbox_json(&nobody).contains("serving"));
    }

    #[test]
    fn the_greeting_says_what_it_does_not_do_and_how_it_ends() {
        let mut greeting = SandboxGreeting {
            folder: ".mathison/sandbox".to_owned(),
            url: "https://127.0.0.1:34567".to_owned(),
            kubeconfig: "sandbox.kubeconfig".to_owned(),
            controllers: true,
        };
        insta::assert_snapshot!(sandbox_greeting(&greeting), @r"
        serving the sandbox in .mathison/sandbox at https://127.0.0.1:34567
        It runs no containers. Ctrl-C ends it; what was answered is kept.

          kubectl --kubeconfig sandbox.kubeconfig get all -A
        ");
        greeting.controllers = false;
        insta::assert_snapshot!(sandbox_greeting(&greeting), @r"
        serving the sandbox in .mathison/sandbox at https://127.0.0.1:34567
        It runs no containers, and no controllers: nothing becomes ready by itself. Ctrl-C ends it; what was answered is kept.

          kubectl --kubeconfig sandbox.kubeconfig get all -A
        ");
    }
}
