//! One stored object. What is kept on disk can be text in memory too, until somebody needs it taken apart: that takes seven
//! times as much.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde_json::Value;

/// One stored object. Its `metadata.resourceVersion` is the revision that wrote it.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The revision of its last write.
    pub revision: u64,
    /// As it is kept on disk; empty if it is not.
    text: Bytes,
    object: OnceLock<Arc<Value>>,
}

impl Stored {
    /// Stores an object that a revision wrote.
    #[must_use]
    pub fn new(object: Value, revision: u64) -> Self {
        Self { revision, text: Bytes::new(), object: OnceLock::from(Arc::new(object)) }
    }

    /// Has the text under which the object is kept on disk, so that it need not stay taken apart.
    #[must_use]
    pub fn kept(self, text: Bytes) -> Self {
        Self { text, ..self }
    }

    /// Takes an object as it was kept, if it is one.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let object: Value = serde_json::from_slice(bytes).ok()?;
        let revision = object.pointer("/metadata/resourceVersion")?.as_str()?.parse().ok()?;
        Some(Self::new(object, revision).kept(Bytes::copy_from_slice(bytes)))
    }

    /// The object, in its storage version. It stays taken apart.
    #[must_use]
    pub fn object(&self) -> &Arc<Value> {
        self.object.get_or_init(|| self.apart())
    }

    /// The object, for one look: nothing stays of it that was not there.
    #[must_use]
    pub fn look(&self) -> Arc<Value> {
        self.object.get().map_or_else(|| self.apart(), Arc::clone)
    }

    /// Lets the object be text again, if it was.
    pub fn fold(&mut self) {
        if !self.text.is_empty() {
            self.object = OnceLock::new();
        }
    }

    fn apart(&self) -> Arc<Value> {
        // It was seen to be JSON when it was read.
        Arc::new(serde_json::from_slice(&self.text).unwrap_or_default())
    }
}

#[cfg(test)]
impl Stored {
    pub(super) fn is_apart(&self) -> bool {
        self.object.get().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_can_be_text_again_and_what_was_made_stays() {
        let text = br#"{"metadata":{"name":"a","resourceVersion":"7"}}"#;
        let mut stored = Stored::read(text).unwrap();
        assert_eq!(stored.revision, 7);
        stored.fold();
        assert!(!stored.is_apart());
        assert_eq!(stored.look()["metadata"]["name"], "a");
        assert!(!stored.is_apart(), "a look leaves nothing behind");
        assert_eq!(stored.object()["metadata"]["name"], "a");
        assert!(stored.is_apart());
        let mut made = Stored::new(serde_json::json!({"a": 1}), 1);
        made.fold();
        assert_eq!(made.look()["a"], 1);
    }

    #[test]
    fn what_is_no_object_is_not_believed() {
        for text in [&b"{"[..], b"[]", b"{}", br#"{"metadata":{"resourceVersion":7}}"#, b""] {
            assert!(Stored::read(text).is_none());
        }
    }
}
