//! What a controller is asked about and what it answers: things to do, and when to look again.

use jiff::Timestamp;
use serde_json::Value;

use super::fields;

/// Names the object that a controller looks at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// API group, empty for the core group.
    pub group: String,
    /// Kind, such as `Deployment`.
    pub kind: String,
    /// Namespace, empty for cluster-scoped kinds.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl Key {
    /// Makes a key of its parts.
    pub fn new(
        group: impl Into<String>,
        kind: impl Into<String>,
        namespace: impl Into<String>,
        name: impl Into<String>,
    ) -> Self {
        Self { group: group.into(), kind: kind.into(), namespace: namespace.into(), name: name.into() }
    }

    /// Returns the key of an object.
    #[must_use]
    pub fn of(object: &Value) -> Self {
        Self::new(fields::group(object), fields::text(object, "/kind"), fields::namespace(object), fields::name(object))
    }
}

/// What a controller wants done.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outcome {
    /// What to do, in this order. The first that is refused ends the list, unless it is an Event: the key is looked at
    /// again.
    pub deeds: Vec<Deed>,
    /// When to look again although nothing changed.
    pub again_at: Option<Timestamp>,
}

/// One thing to do, through the API as any other client.
#[derive(Debug, Clone, PartialEq)]
pub enum Deed {
    /// Creates an object. A name that is taken already is no failure: the key is looked at again.
    Create {
        /// The object.
        object: Value,
        /// The field manager.
        manager: &'static str,
    },
    /// Replaces an object; it has the resourceVersion that was read.
    Update {
        /// The object.
        object: Value,
        /// The field manager.
        manager: &'static str,
    },
    /// Replaces the status of an object, through the status subresource; it has the resourceVersion that was read. That of
    /// a Deployment brings its revision annotation along.
    Status {
        /// The object.
        object: Value,
        /// The field manager.
        manager: &'static str,
    },
    /// Assigns a pod to a node, through the binding subresource.
    Bind {
        /// The pod.
        pod: Value,
        /// Name of the node.
        node: String,
    },
    /// Takes finalizers from `spec` of a namespace, through the finalize subresource.
    Finalize {
        /// The namespace.
        object: Value,
        /// The field manager.
        manager: &'static str,
    },
    /// Deletes an object of that uid. One that is gone already is no failure.
    Delete {
        /// The object.
        key: Key,
        /// Its uid, a precondition.
        uid: String,
        /// What becomes of its dependents.
        propagation: Propagation,
        /// `gracePeriodSeconds`, where it differs from the object's own.
        grace: Option<i64>,
    },
    /// Records an Event, as [`super::event::record`] makes it. One that is refused (its namespace is going) is no failure.
    Event(Notice),
}

/// An Event before it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// The object that it is about.
    pub about: Value,
    /// Whether all is well.
    pub sort: EventSort,
    /// A word, such as `SuccessfulCreate`.
    pub reason: String,
    /// A sentence.
    pub message: String,
    /// Who says it, such as `job-controller`.
    pub component: &'static str,
}

/// The two types of Events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventSort {
    /// `Normal`
    Normal,
    /// `Warning`
    Warning,
}

impl EventSort {
    /// Returns `type` of the Event.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}

/// What becomes of the dependents of a deleted object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagation {
    /// They are deleted afterwards.
    Background,
    /// They are deleted first.
    Foreground,
}

impl Propagation {
    /// Returns `propagationPolicy` of the request.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Background => "Background",
            Self::Foreground => "Foreground",
        }
    }
}

impl Outcome {
    pub(super) fn create(&mut self, object: Value, manager: &'static str) {
        self.deeds.push(Deed::Create { object, manager });
    }

    pub(super) fn update(&mut self, object: Value, manager: &'static str) {
        self.deeds.push(Deed::Update { object, manager });
    }

    /// Writes the status if it differs from what is there.
    pub(super) fn status(&mut self, object: &Value, status: Value, manager: &'static str) -> bool {
        if object.get("status").is_some_and(|present| fields::same(present, &status)) {
            return false;
        }
        let mut object = fields::without(object, "status");
        fields::set(&mut object, &["status"], status);
        self.deeds.push(Deed::Status { object, manager });
        true
    }

    pub(super) fn delete(&mut self, object: &Value) {
        self.delete_with(object, Propagation::Background, None);
    }

    pub(super) fn delete_with(&mut self, object: &Value, propagation: Propagation, grace: Option<i64>) {
        let uid = fields::uid(object).to_owned();
        self.deeds.push(Deed::Delete { key: Key::of(object), uid, propagation, grace });
    }

    pub(super) fn normal(&mut self, about: &Value, component: &'static str, reason: &str, message: impl Into<String>) {
        self.event(about, EventSort::Normal, component, reason, message.into());
    }

    pub(super) fn warning(&mut self, about: &Value, component: &'static str, reason: &str, message: impl Into<String>) {
        self.event(about, EventSort::Warning, component, reason, message.into());
    }

    pub(super) fn event(
        &mut self,
        about: &Value,
        sort: EventSort,
        component: &'static str,
        reason: &str,
        message: String,
    ) {
        let about = fields::reference(about);
        self.deeds.push(Deed::Event(Notice { about, sort, reason: reason.to_owned(), message, component }));
    }

    /// Looks again at that time, or earlier if something else wants it.
    pub(super) fn again(&mut self, at: Timestamp) {
        self.again_at = Some(self.again_at.map_or(at, |already| already.min(at)));
    }

    pub(super) fn again_in(&mut self, at: Option<Timestamp>) {
        if let Some(at) = at {
            self.again(at);
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.deeds.extend(other.deeds);
        self.again_in(other.again_at);
    }

    pub(super) fn is_idle(&self) -> bool {
        self.deeds.is_empty()
    }
}
