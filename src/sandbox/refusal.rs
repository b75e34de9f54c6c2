//! How a request is turned down: the `Status` that the API server answers, with its code, reason and wording.
//!
//! Source of the shapes: `k8s.io/apimachinery/pkg/api/errors` and `.../util/validation/field`.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::kind::Kind;

/// What is wrong with one field, as the server says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldProblem {
    /// Which sort of problem.
    pub sort: ProblemSort,
    /// Path of the field, such as `spec.containers[0].name`.
    pub field: String,
    /// What is wrong, after the sort and the value.
    pub detail: String,
    /// The value in Go's notation, where the sort shows one: `"x"`, `3`, `{"a":1}`.
    pub value: Option<String>,
}

/// The sorts of problems that the server tells apart (`field.ErrorType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProblemSort {
    /// `Required value`
    Required,
    /// `Invalid value`
    Invalid,
    /// `Unsupported value`
    NotSupported,
    /// `Duplicate value`
    Duplicate,
    /// `Forbidden`
    Forbidden,
    /// `Not found`
    NotFound,
    /// `Too long`
    TooLong,
    /// `Too many`
    TooMany,
    /// `Internal error`
    Internal,
    /// `Invalid value`, of the wrong type
    TypeInvalid,
}

impl ProblemSort {
    fn reason(self) -> &'static str {
        match self {
            Self::Required => "FieldValueRequired",
            Self::Invalid => "FieldValueInvalid",
            Self::NotSupported => "FieldValueNotSupported",
            Self::Duplicate => "FieldValueDuplicate",
            Self::Forbidden => "FieldValueForbidden",
            Self::NotFound => "FieldValueNotFound",
            Self::TooLong => "FieldValueTooLong",
            Self::TooMany => "FieldValueTooMany",
            Self::Internal => "InternalError",
            Self::TypeInvalid => "FieldValueTypeInvalid",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Required => "Required value",
            Self::Invalid | Self::TypeInvalid => "Invalid value",
            Self::NotSupported => "Unsupported value",
            Self::Duplicate => "Duplicate value",
            Self::Forbidden => "Forbidden",
            Self::NotFound => "Not found",
            Self::TooLong => "Too long",
            Self::TooMany => "Too many",
            Self::Internal => "Internal error",
        }
    }
}

impl FieldProblem {
    fn new(sort: ProblemSort, field: impl Into<String>, value: Option<String>, detail: impl Into<String>) -> Self {
        Self { sort, field: field.into(), detail: detail.into(), value }
    }

    /// A field that must be there.
    pub fn required(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(ProblemSort::Required, field, None, detail)
    }

    /// A value that may not be.
    pub fn invalid(field: impl Into<String>, value: &Value, detail: impl Into<String>) -> Self {
        Self::new(ProblemSort::Invalid, field, Some(go_value(value)), detail)
    }

    /// A value that is none of the few that may be.
    pub fn not_supported(field: impl Into<String>, value: &Value, supported: &[&str]) -> Self {
        let detail = match supported {
            [] => String::new(),
            _ => {
                let quoted: Vec<String> = supported.iter().map(|value| format!("{value:?}")).collect();
                format!("supported values: {}", quoted.join(", "))
            }
        };
        // The server's choices are texts of sorts of their own, which it writes as JSON.
        Self::new(ProblemSort::NotSupported, field, Some(escaped(&value.to_string())), detail)
    }

    /// A value that is there twice.
    pub fn duplicate(field: impl Into<String>, value: &Value) -> Self {
        Self::new(ProblemSort::Duplicate, field, Some(go_value(value)), "")
    }

    /// Something that must not be set or changed.
    pub fn forbidden(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(ProblemSort::Forbidden, field, None, detail)
    }

    /// A value that refers to nothing.
    pub fn not_found(field: impl Into<String>, value: &Value) -> Self {
        Self::new(ProblemSort::NotFound, field, Some(go_value(value)), "")
    }

    /// A value that is too long; the server shows none of it.
    pub fn too_long(field: impl Into<String>, most_bytes: usize) -> Self {
        let detail = format!("may not be more than {most_bytes} bytes");
        Self::new(ProblemSort::TooLong, field, None, detail)
    }

    /// More values than may be.
    pub fn too_many(field: impl Into<String>, actual: usize, most: usize) -> Self {
        let items = if most == 1 { "item" } else { "items" };
        let detail = format!("must have at most {most} {items}");
        Self::new(ProblemSort::TooMany, field, Some(actual.to_string()), detail)
    }

    /// A value of the wrong type.
    pub fn type_invalid(field: impl Into<String>, value: &Value, detail: impl Into<String>) -> Self {
        Self::new(ProblemSort::TypeInvalid, field, Some(go_value(value)), detail)
    }

    /// The problem without its field (`ErrorBody`).
    #[must_use]
    pub fn body(&self) -> String {
        let words = self.sort.words();
        let shown = match &self.value {
            Some(value) => format!("{words}: {value}"),
            None => words.to_owned(),
        };
        if self.detail.is_empty() { shown } else { format!("{shown}: {}", self.detail) }
    }

    /// The problem with its field (`Error`).
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}: {}", self.field, self.body())
    }

    fn cause(&self) -> Value {
        json!({"reason": self.sort.reason(), "message": self.body(), "field": self.field})
    }
}

/// Writes a value as Go's field errors do: texts quoted, structures as JSON, nothing as `null`.
fn go_value(value: &Value) -> String {
    match value {
        Value::Object(_) | Value::Array(_) => escaped(&value.to_string()),
        plain => plain.to_string(),
    }
}

/// Writes what Go's JSON does not leave as it is.
#[must_use]
pub fn escaped(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// Why a request is turned down.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// HTTP status.
    pub code: u16,
    /// `reason` of the Status; empty where the server gives none.
    pub reason: &'static str,
    /// `message` of the Status.
    pub message: String,
    /// `details` of the Status, where there are any.
    pub details: Option<Map<String, Value>>,
    /// A token that goes on where an expired one cannot.
    pub continue_with: Option<Box<str>>,
    /// What the client is warned of all the same.
    pub warnings: Vec<String>,
}

impl Refusal {
    /// Makes a refusal without details.
    pub fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: None, continue_with: None, warnings: Vec::new() }
    }

    /// The same refusal, with what was to be warned of before it came to that.
    #[must_use]
    pub fn after(mut self, warnings: &[String]) -> Self {
        self.warnings.splice(0..0, warnings.iter().cloned());
        self
    }

    fn with(mut self, details: Value) -> Self {
        self.details = match details {
            Value::Object(details) => Some(details),
            _ => None,
        };
        self
    }

    fn about(self, kind: &Kind, name: &str) -> Self {
        let mut details = Map::new();
        let mut put = |key: &str, value: &str| {
            if !value.is_empty() {
                details.insert(key.to_owned(), Value::from(value));
            }
        };
        put("name", name);
        put("group", &kind.group);
        put("kind", &kind.plural);
        self.with(Value::Object(details))
    }

    /// 400
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// 401
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized")
    }

    /// 404 for an object.
    #[must_use]
    pub fn not_found(kind: &Kind, name: &str) -> Self {
        Self::new(404, "NotFound", format!("{} {name:?} not found", kind.qualified())).about(kind, name)
    }

    /// 404 for a path that leads nowhere.
    #[must_use]
    pub fn no_such_path() -> Self {
        Self::new(404, "NotFound", "the server could not find the requested resource").with(json!({}))
    }

    /// Tells whether nothing is served under the path, or not this way.
    #[must_use]
    pub fn is_of_no_handler(&self) -> bool {
        *self == Self::no_such_path() || *self == Self::method_not_allowed()
    }

    /// 405
    #[must_use]
    pub fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Self::new(405, "MethodNotAllowed", message).with(json!({}))
    }

    /// 409 for an object that is there already.
    #[must_use]
    pub fn already_exists(kind: &Kind, name: &str) -> Self {
        Self::new(409, "AlreadyExists", format!("{} {name:?} already exists", kind.qualified())).about(kind, name)
    }

    /// 409 for an object that moved on.
    #[must_use]
    pub fn conflict(kind: &Kind, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} {name:?}: {why}", kind.qualified());
        Self::new(409, "Conflict", message).about(kind, name)
    }

    /// 409 for a stale resource version.
    #[must_use]
    pub fn modified(kind: &Kind, name: &str) -> Self {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(kind, name, why)
    }

    /// 410
    pub fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    /// 415
    pub fn unsupported_media_type(message: impl Into<String>) -> Self {
        Self::new(415, "UnsupportedMediaType", message)
    }

    /// 422 with the fields that are wrong. An aggregate drops repeated messages, and has brackets from two on.
    #[must_use]
    pub fn invalid(kind: &Kind, name: &str, problems: &[FieldProblem]) -> Self {
        Self::invalid_as(&kind.group, &kind.kind, name, problems)
    }

    /// The same for something that is no served kind, such as `PatchOptions` of `meta.k8s.io`.
    #[must_use]
    pub fn invalid_as(group: &str, kind: &str, name: &str, problems: &[FieldProblem]) -> Self {
        let qualified = if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") };
        let mut seen = BTreeSet::new();
        let mut texts: Vec<String> = problems.iter().map(FieldProblem::text).collect();
        texts.retain(|text| seen.insert(text.clone()));
        let texts = match texts.as_slice() {
            [only] => only.clone(),
            texts => format!("[{}]", texts.join(", ")),
        };
        let mut details = Map::new();
        let mut put = |key: &str, value: &str| {
            if !value.is_empty() {
                details.insert(key.to_owned(), Value::from(value));
            }
        };
        put("name", name);
        put("group", group);
        put("kind", kind);
        details.insert("causes".to_owned(), problems.iter().map(FieldProblem::cause).collect());
        let message = format!("{qualified} {name:?} is invalid: {texts}");
        Self::new(422, "Invalid", message).with(Value::Object(details))
    }

    /// 500 with the server's own wrapping.
    pub fn internal(message: impl AsRef<str>) -> Self {
        let message = message.as_ref();
        Self::new(500, "InternalError", format!("Internal error occurred: {message}"))
            .with(json!({"causes": [{"message": message}]}))
    }

    /// 500 for an error that is none of the API's: no reason, no details.
    pub fn plain(message: impl Into<String>) -> Self {
        Self::new(500, "", message)
    }

    /// 403
    #[must_use]
    pub fn forbidden(kind: &Kind, name: &str, why: &str) -> Self {
        let message = match name {
            "" => format!("{} is forbidden: {why}", kind.qualified()),
            name => format!("{} {name:?} is forbidden: {why}", kind.qualified()),
        };
        Self::new(403, "Forbidden", message).about(kind, name)
    }

    /// The answer's body.
    #[must_use]
    pub fn status(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": self.message,
            "code": self.code
        });
        if let Some(map) = status.as_object_mut() {
            if !self.reason.is_empty() {
                map.insert("reason".to_owned(), Value::from(self.reason));
            }
            if let Some(token) = &self.continue_with {
                map.insert("metadata".to_owned(), json!({"continue": token}));
            }
            if let Some(details) = &self.details {
                map.insert("details".to_owned(), Value::Object(details.clone()));
            }
        }
        status
    }
}
