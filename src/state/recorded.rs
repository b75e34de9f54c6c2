//! JSON that was recorded, and is taken apart only when somebody looks at it.
//!
//! Most commands compare digests and look at few of the values. Taking all of them apart would be nine tenths of the
//! time, and most of the memory, of reading a state.

use std::fmt;
use std::ops::Deref;
use std::sync::OnceLock;

use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// A recorded value; use it as the [`Value`] that it is.
#[derive(Clone)]
pub struct Recorded {
    /// The canonical JSON, where it came out of a file whose checksum was right.
    text: Option<Box<RawValue>>,
    value: OnceLock<Value>,
}

impl Recorded {
    /// Takes the text of a file. The caller knows by its checksum that it is canonical JSON that was written here.
    pub(super) fn from_trusted(text: Box<RawValue>) -> Self {
        Self { text: Some(text), value: OnceLock::new() }
    }

    /// Takes the text of a file of which that is not known.
    pub(super) fn from_untrusted(text: &RawValue) -> serde_json::Result<Self> {
        serde_json::from_str::<Value>(text.get()).map(Self::from)
    }
}

impl From<Value> for Recorded {
    fn from(value: Value) -> Self {
        Self { text: None, value: OnceLock::from(value) }
    }
}

impl Deref for Recorded {
    type Target = Value;

    fn deref(&self) -> &Value {
        self.value.get_or_init(|| {
            // What was written here and has its checksum can be read.
            self.text.as_ref().and_then(|text| serde_json::from_str(text.get()).ok()).unwrap_or_default()
        })
    }
}

impl PartialEq for Recorded {
    fn eq(&self, other: &Self) -> bool {
        match (&self.text, &other.text) {
            (Some(one), Some(another)) => one.get() == another.get(),
            _ => **self == **other,
        }
    }
}

impl PartialEq<Value> for Recorded {
    fn eq(&self, other: &Value) -> bool {
        **self == *other
    }
}

impl fmt::Debug for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl Serialize for Recorded {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.text {
            Some(text) => text.serialize(serializer),
            None => (**self).serialize(serializer),
        }
    }
}
