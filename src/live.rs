//! What was read from a cluster, as plain data: live objects and what an apply would make of them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::resource::{GroupKind, ObjectRef};

/// Which cluster this is: the uid of its namespace `kube-system`, which lives as long as the cluster does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClusterIdentity(pub String);

impl ClusterIdentity {
    /// Returns the first eight characters, as they stand in the names of state files.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

/// One object as the cluster has it, managed fields included.
#[derive(Clone, PartialEq)]
pub struct Live {
    /// The whole object. That of a Secret has its values; they go nowhere but into comparisons.
    pub object: Value,
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = self.object.get("kind").and_then(Value::as_str).unwrap_or_default();
        write!(f, "Live({kind} {} uid {})", self.name(), self.uid())
    }
}

impl Live {
    // Looked up by name: these are asked of every object, and a pointer is split and copied first.
    fn of_metadata(&self, key: &str) -> Option<&Value> {
        self.object.get("metadata")?.get(key)
    }

    fn text_of_metadata(&self, key: &str) -> &str {
        self.of_metadata(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.text_of_metadata("name")
    }

    /// Returns the namespace, where it has one.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.of_metadata("namespace")?.as_str()
    }

    /// Returns the uid.
    #[must_use]
    pub fn uid(&self) -> &str {
        self.text_of_metadata("uid")
    }

    /// Returns the resource version.
    #[must_use]
    pub fn resource_version(&self) -> &str {
        self.text_of_metadata("resourceVersion")
    }

    /// Returns the value of a label.
    #[must_use]
    pub fn label(&self, key: &str) -> Option<&str> {
        self.of_metadata("labels")?.get(key)?.as_str()
    }

    /// Tells whether the object is being deleted.
    #[must_use]
    pub fn is_deleting(&self) -> bool {
        self.of_metadata("deletionTimestamp").is_some_and(|stamp| !stamp.is_null())
    }
}

/// An object as it was read. One of a large page of a list stays the text that it came as until somebody looks at it: taken
/// apart it needs seven times the memory, and most are looked at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed(Form);

#[derive(Clone, PartialEq)]
enum Form {
    Whole(Live),
    Listed { text: Box<str>, kind: Arc<ListedKind> },
}

impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole(live) => live.fmt(f),
            Self::Listed { kind, .. } => write!(f, "Listed({})", kind.kind),
        }
    }
}

/// What all objects of a list have in common, and lists of built-in kinds leave out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedKind {
    /// `apiVersion` of each.
    pub api_version: String,
    /// `kind` of each.
    pub kind: String,
}

impl ListedKind {
    /// Says it in an object.
    #[must_use]
    pub fn given_to(&self, mut object: Value) -> Value {
        if let Some(object) = object.as_object_mut() {
            object.entry("apiVersion").or_insert_with(|| Value::from(self.api_version.as_str()));
            object.entry("kind").or_insert_with(|| Value::from(self.kind.as_str()));
        }
        object
    }
}

/// One object of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Its namespace, where it has one.
    pub namespace: Option<String>,
    /// Its name; empty if it has none.
    pub name: String,
    /// The object.
    pub observed: Observed,
}

/// What is read of an object at once.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Named {
    metadata: Identity,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Identity {
    name: String,
    namespace: Option<String>,
}

/// How deep `serde_json` takes a value apart.
const DEEPEST: usize = 127;

impl From<Live> for Observed {
    fn from(live: Live) -> Self {
        Self(Form::Whole(live))
    }
}

impl Observed {
    /// Takes an object of a list as the text that it came as. There is none if the text is no object with metadata, or nested
    /// too deeply to be taken apart.
    #[must_use]
    pub fn listed(text: Box<RawValue>, kind: &Arc<ListedKind>) -> Option<Item> {
        let Named { metadata: Identity { name, namespace } } = serde_json::from_str(text.get()).ok()?;
        let text: Box<str> = Box::<str>::from(text);
        let too_deep = is_too_deep(&text);
        let observed = Self(Form::Listed { text, kind: Arc::clone(kind) });
        (!too_deep).then_some(Item { namespace, name, observed })
    }

    /// Takes an object of a list that is taken apart.
    #[must_use]
    pub fn whole(object: Value, kind: &ListedKind) -> Item {
        let live = Live { object: kind.given_to(object) };
        Item { namespace: live.namespace().map(str::to_owned), name: live.name().to_owned(), observed: live.into() }
    }

    /// Returns the object, taken apart.
    #[must_use]
    pub fn live(&self) -> Cow<'_, Live> {
        match &self.0 {
            Form::Whole(live) => Cow::Borrowed(live),
            Form::Listed { text, kind } => {
                // That it can be taken apart was seen when it was read.
                Cow::Owned(Live { object: kind.given_to(serde_json::from_str(text).unwrap_or_default()) })
            }
        }
    }
}

#[cfg(test)]
impl Observed {
    /// The object, to be changed by a test.
    pub(crate) fn object_mut(&mut self) -> &mut Value {
        if let Form::Listed { .. } = self.0 {
            self.0 = Form::Whole(self.live().into_owned());
        }
        match &mut self.0 {
            Form::Whole(live) => &mut live.object,
            Form::Listed { .. } => unreachable!("it was made whole"),
        }
    }
}

/// Tells whether objects and lists are nested too deeply in a JSON text to be taken apart.
fn is_too_deep(text: &str) -> bool {
    // Hardly any object has so many brackets at all, and counting them is much quicker than following them.
    if text.bytes().filter(|byte| matches!(byte, b'{' | b'[')).count() <= DEEPEST {
        return false;
    }
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    text.bytes().any(|byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => depth += 1,
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > DEEPEST
    })
}

/// What came of asking the server for a dry run. What is computed without it is no prediction of this kind.
#[derive(Clone, PartialEq)]
pub enum Prediction {
    /// The server's answer to a dry run.
    Server(Value),
    /// Known only once it is applied; the reason is a fragment such as `defaults` or `its definition does not exist yet`.
    AfterApply(String),
    /// The server refused the dry run, with its message.
    Rejected(String),
}

impl std::fmt::Debug for Prediction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Server(_) => f.write_str("Server"),
            Self::AfterApply(why) => write!(f, "AfterApply({why})"),
            Self::Rejected(why) => write!(f, "Rejected({why})"),
        }
    }
}

/// What the cluster says about everything that is desired or recorded, read once at the start of a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observation {
    /// The objects that exist: all that carry the stack's label, and those others that were asked for by name.
    pub objects: BTreeMap<ObjectRef, Observed>,
    /// Kinds that the server does not know (a custom resource whose definition is not there yet).
    pub unknown_kinds: BTreeSet<GroupKind>,
    /// Objects that could not be read, with the server's words. They are errors of the plan, never taken for absent.
    pub unreadable: BTreeMap<ObjectRef, String>,
    /// Namespaces that do not exist, so that nothing in them does.
    pub missing_namespaces: BTreeSet<String>,
    /// Which cluster answered.
    pub cluster: Option<ClusterIdentity>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn listed(text: &str) -> Option<Item> {
        let kind = Arc::new(ListedKind { api_version: "v1".to_owned(), kind: "ConfigMap".to_owned() });
        Observed::listed(RawValue::from_string(text.to_owned()).unwrap(), &kind)
    }

    #[test]
    fn an_object_of_a_list_is_known_by_name_and_gets_what_the_list_leaves_out() {
        let text = r#"{"metadata":{"name":"a","namespace":"n","uid":"u"},"data":{"k":"v"}}"#;
        let Item { namespace, name, observed } = listed(text).unwrap();
        assert_eq!((namespace.as_deref(), name.as_str()), (Some("n"), "a"));
        let whole = json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "a", "namespace": "n", "uid": "u"}, "data": {"k": "v"}});
        assert_eq!(observed.live().object, whole);
        let kind = ListedKind { api_version: "v1".to_owned(), kind: "ConfigMap".to_owned() };
        let Item { namespace, name, observed } = Observed::whole(serde_json::from_str(text).unwrap(), &kind);
        assert_eq!((namespace.as_deref(), name.as_str(), &observed.live().object), (Some("n"), "a", &whole));
    }

    #[test]
    fn what_could_not_be_taken_apart_later_is_refused_at_once() {
        let nested = |inner: usize| {
            let text = format!(r#"{{"metadata":{{"name":"a"}},"data":{}{}}}"#, "[".repeat(inner), "]".repeat(inner));
            let listed = listed(&text);
            let apart = serde_json::from_str::<Value>(&text);
            assert_eq!(listed.is_some(), apart.is_ok(), "{inner}");
            listed.is_some()
        };
        assert!(nested(100));
        assert!((100..200).any(|inner| !nested(inner)));
        assert!(
            listed(r#"{"metadata":{"name":"a"},"data":{"k":"[[[\"[{{"}}"#)
                .is_some_and(|item| { item.observed.live().object["data"]["k"] == "[[[\"[{{" })
        );
        assert!(listed(r#"["no object"]"#).is_none() && listed(r#"{"metadata":7}"#).is_none());
    }
}
