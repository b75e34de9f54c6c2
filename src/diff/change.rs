//! One changed field.

use serde_json::Value;

/// A value as it may be shown.
#[derive(Debug, Clone, PartialEq)]
pub enum Shown {
    /// The value itself.
    Plain(Value),
    /// A secret: only that there is one.
    Sensitive,
    /// Known only after the apply.
    Unknown,
}

/// What happens to one field. `before` and `after` are `None` where the field is absent.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldChange {
    /// The path in the notation of managed fields: `.spec.template.spec.containers[name="web"].image`.
    pub path: String,
    /// The value before.
    pub before: Option<Shown>,
    /// The value after.
    pub after: Option<Shown>,
    /// Whose hand the field was in last, where the plan takes it back or drift tells it.
    pub by: Option<Attribution>,
}

/// Who changed a field, when and how, as managed fields tell it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attribution {
    /// Field manager.
    pub manager: String,
    /// `Apply` or `Update`.
    pub operation: String,
    /// Subresource, where it was written through one.
    pub subresource: Option<String>,
    /// RFC 3339, UTC; `None` where the server recorded none.
    pub time: Option<String>,
}
