//! One stored object. What is kept on disk can be text in memory too, until somebody needs it taken apart: that takes seven
//! times as much. What every control plane begins with is copied only when somebody looks at it.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde_json::Value;

/// Makes copies of objects when they are needed.
pub trait Copies: std::fmt::Debug + Send + Sync {
    /// Returns what is copied.
    fn original(&self, index: usize) -> &Value;

    /// Makes the copy of an object, always the same. It differs in times and uids.
    fn copy(&self, index: usize) -> Value;
}

/// One stored object. Its `metadata.resourceVersion` is the revision that wrote it.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The revision of its last write.
    pub revision: u64,
    source: Source,
    object: OnceLock<Arc<Value>>,
}

/// What the object can be made of.
#[derive(Debug, Clone)]
enum Source {
    /// Nothing: it stays taken apart.
    None,
    /// The text as which it is kept on disk.
    Text(Bytes),
    /// The copy of that number.
    Copy(Arc<dyn Copies>, usize),
}

impl Stored {
    /// Stores an object that a revision wrote.
    #[must_use]
    pub fn new(object: Value, revision: u64) -> Self {
        Self { revision, source: Source::None, object: OnceLock::from(Arc::new(object)) }
    }

    /// Stores a copy that is made when it is needed. It has no owners.
    #[must_use]
    pub fn copied(copies: Arc<dyn Copies>, index: usize, revision: u64) -> Self {
        Self { revision, source: Source::Copy(copies, index), object: OnceLock::new() }
    }

    /// Has the text under which the object is kept on disk, so that it need not stay taken apart.
    #[must_use]
    pub fn kept(self, text: Bytes) -> Self {
        Self { source: Source::Text(text), object: OnceLock::from(Arc::clone(self.object())), ..self }
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

    /// The object, for one look: nothing stays of a text that was taken apart for it.
    #[must_use]
    pub fn look(&self) -> Arc<Value> {
        match (self.object.get(), &self.source) {
            (None, Source::Text(_)) => self.apart(),
            _ => Arc::clone(self.object()),
        }
    }

    /// What the object is to be a copy of, as long as nobody needed the copy: the same but for times, uids, and the certificate
    /// of the authority.
    #[must_use]
    pub fn original(&self) -> Option<&Value> {
        match &self.source {
            Source::Copy(copies, index) if self.object.get().is_none() => Some(copies.original(*index)),
            _ => None,
        }
    }

    /// Lets the object be text again, if it was.
    pub fn fold(&mut self) {
        if matches!(self.source, Source::Text(_)) {
            self.object = OnceLock::new();
        }
    }

    fn apart(&self) -> Arc<Value> {
        Arc::new(match &self.source {
            // It is never without its object.
            Source::None => Value::Null,
            // It was seen to be JSON when it was read.
            Source::Text(text) => serde_json::from_slice(text).unwrap_or_default(),
            Source::Copy(copies, index) => copies.copy(*index),
        })
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

    #[derive(Debug)]
    struct Counted(std::sync::atomic::AtomicUsize);

    impl Copies for Counted {
        fn original(&self, _: usize) -> &Value {
            &Value::Null
        }

        fn copy(&self, index: usize) -> Value {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            serde_json::json!({"index": index})
        }
    }

    #[test]
    fn a_copy_is_made_when_it_is_needed_and_once() {
        let copies = Arc::new(Counted(0.into()));
        let mut stored = Stored::copied(copies.clone(), 3, 7);
        assert_eq!([stored.original(), stored.clone().original()], [Some(&Value::Null); 2]);
        assert_eq!(stored.look()["index"], 3);
        stored.fold();
        assert_eq!(stored.clone().kept("{}".into()).object()["index"], 3);
        assert_eq!(stored.original(), None);
        assert_eq!(copies.0.load(std::sync::atomic::Ordering::Relaxed), 1);
    }

    #[test]
    fn what_is_no_object_is_not_believed() {
        for text in [&b"{"[..], b"[]", b"{}", br#"{"metadata":{"resourceVersion":7}}"#, b""] {
            assert!(Stored::read(text).is_none());
        }
    }
}
