//! The operations on a path: what they take and what they answer.

use serde_json::{Map, Value, json};

use super::META;
use super::definitions::reference_to;

/// Query parameters that choose objects.
const CHOOSING: [&str; 10] = [
    "allowWatchBookmarks",
    "continue",
    "fieldSelector",
    "labelSelector",
    "limit",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
    "timeoutSeconds",
    "watch",
];
const WRITING: [&str; 3] = ["dryRun", "fieldManager", "fieldValidation"];
const PATCHING: [&str; 4] = ["dryRun", "fieldManager", "fieldValidation", "force"];
const DELETING: [&str; 5] = [
    "dryRun",
    "gracePeriodSeconds",
    "ignoreStoreReadErrorWithClusterBreakingPotential",
    "orphanDependents",
    "propagationPolicy",
];
const DELETING_MANY: [&str; 13] = [
    "continue",
    "dryRun",
    "fieldSelector",
    "gracePeriodSeconds",
    "ignoreStoreReadErrorWithClusterBreakingPotential",
    "labelSelector",
    "limit",
    "orphanDependents",
    "propagationPolicy",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
    "timeoutSeconds",
];

/// What can be done at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Get,
    List,
    Post,
    Put,
    Patch,
    Delete,
    DeleteCollection,
}

impl Action {
    /// The HTTP method in lower case.
    pub(super) fn method(self) -> &'static str {
        match self {
            Self::Get | Self::List => "get",
            Self::Post => "post",
            Self::Put => "put",
            Self::Patch => "patch",
            Self::Delete | Self::DeleteCollection => "delete",
        }
    }

    /// `x-kubernetes-action`
    fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::DeleteCollection => "deletecollection",
            _ => self.method(),
        }
    }

    /// What an operation's name begins with.
    pub(super) fn verb(self) -> &'static str {
        match self {
            Self::Get => "read",
            Self::List => "list",
            Self::Post => "create",
            Self::Put => "replace",
            Self::Patch => "patch",
            Self::Delete | Self::DeleteCollection => "delete",
        }
    }

    fn parameters(self) -> &'static [&'static str] {
        match self {
            Self::Get => &[],
            Self::List => &CHOOSING,
            Self::Post | Self::Put => &WRITING,
            Self::Patch => &PATCHING,
            Self::Delete => &DELETING,
            Self::DeleteCollection => &DELETING_MANY,
        }
    }

    fn answers(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Get | Self::List | Self::DeleteCollection => &[("200", "OK")],
            Self::Post => &[("200", "OK"), ("201", "Created"), ("202", "Accepted")],
            Self::Put | Self::Patch => &[("200", "OK"), ("201", "Created")],
            Self::Delete => &[("200", "OK"), ("202", "Accepted")],
        }
    }
}

/// One operation.
pub(super) struct Operation<'a> {
    pub(super) action: Action,
    pub(super) id: String,
    pub(super) tag: &'a str,
    /// Group, version and kind of what it is about.
    pub(super) about: (&'a str, &'a str, &'a str),
    /// Name of the definition of what it takes.
    pub(super) takes: &'a str,
    /// Name of the definition of what it answers; empty for plain text.
    pub(super) answers: &'a str,
    /// Whether it is about a custom kind: those know no strategic merge patch.
    pub(super) is_custom: bool,
}

impl Operation<'_> {
    pub(super) fn to_value(&self) -> Value {
        let (group, version, kind) = self.about;
        let mut operation = json!({
            "tags": [self.tag],
            "operationId": self.id,
            "responses": self.responses(),
            "x-kubernetes-action": self.action.name(),
            "x-kubernetes-group-version-kind": {"group": group, "version": version, "kind": kind}
        });
        let parameters: &[&str] = match self.action {
            Action::Get if self.is_custom => &["resourceVersion"],
            Action::DeleteCollection if self.is_custom => &CHOOSING,
            action => action.parameters(),
        };
        operation["parameters"] = parameters.iter().map(|name| query(name)).collect();
        if let Some(body) = self.body() {
            operation["requestBody"] = body;
        }
        operation
    }

    fn body(&self) -> Option<Value> {
        let patches = [
            "application/apply-patch+yaml",
            "application/json-patch+json",
            "application/merge-patch+json",
            "application/strategic-merge-patch+json",
        ];
        let plain: &[&str] = if self.is_custom { &["application/json", "application/yaml"] } else { &["*/*"] };
        Some(match self.action {
            Action::Get | Action::List => return None,
            Action::Post | Action::Put => json!({"content": content(plain, self.takes), "required": true}),
            Action::Patch => {
                let known = if self.is_custom { patches.len() - 1 } else { patches.len() };
                let patches: Vec<&str> = patches.into_iter().take(known).collect();
                json!({"content": content(&patches, &format!("{META}Patch")), "required": true})
            }
            Action::DeleteCollection if self.is_custom => return None,
            Action::Delete | Action::DeleteCollection => {
                json!({"content": content(plain, &format!("{META}DeleteOptions"))})
            }
        })
    }

    fn responses(&self) -> Value {
        let streams = self.action == Action::List && !self.is_custom;
        let media_types: &[&str] = match streams {
            true => &["application/json", "application/json;stream=watch", "application/yaml"],
            false => &["application/json", "application/yaml"],
        };
        let mut responses = Map::new();
        let answers = match self.action {
            Action::Patch if self.is_custom => Action::Get.answers(),
            action => action.answers(),
        };
        for (code, description) in answers {
            let content = match self.answers {
                "" => json!({"text/plain": {"schema": {"type": "string"}}}),
                answers => content(media_types, answers),
            };
            let answer = json!({"description": description, "content": content});
            responses.insert((*code).to_owned(), answer);
        }
        responses.insert("401".to_owned(), json!({"description": "Unauthorized"}));
        Value::Object(responses)
    }
}

fn content(media_types: &[&str], definition: &str) -> Value {
    let schema = json!({"schema": reference_to(definition)});
    media_types.iter().map(|media_type| ((*media_type).to_owned(), schema.clone())).collect()
}

/// Describes a parameter of the query.
pub(super) fn query(name: &str) -> Value {
    let kind = match name {
        "limit" | "timeoutSeconds" | "gracePeriodSeconds" => "integer",
        "allowWatchBookmarks"
        | "sendInitialEvents"
        | "watch"
        | "force"
        | "orphanDependents"
        | "ignoreStoreReadErrorWithClusterBreakingPotential" => "boolean",
        _ => "string",
    };
    json!({"name": name, "in": "query", "schema": {"type": kind, "uniqueItems": true}})
}

/// Describes a parameter of the path.
pub(super) fn in_path(name: &str) -> Value {
    json!({"name": name, "in": "path", "required": true, "schema": {"type": "string", "uniqueItems": true}})
}
