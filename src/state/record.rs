//! The written forms of identities, digests, times and entries, shared by the snapshot and the journal.
//!
//! They are types of their own so that a change of a value in memory never changes a file by accident. Fields stand in
//! the order of their written names: what is written is canonical JSON without sorting anything.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::{Entry, Recorded};
use crate::resource::{Address, Digest, ObjectRef};

/// An identity.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ObjectRecord<'a> {
    group: Cow<'a, str>,
    kind: Cow<'a, str>,
    name: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    namespace: Option<Cow<'a, str>>,
}

impl<'a> ObjectRecord<'a> {
    pub(super) fn of(object: &'a ObjectRef) -> Self {
        Self {
            group: Cow::Borrowed(&object.group),
            kind: Cow::Borrowed(&object.kind),
            name: Cow::Borrowed(&object.name),
            namespace: object.namespace.as_deref().map(Cow::Borrowed),
        }
    }

    pub(super) fn list(objects: &'a [ObjectRef]) -> Vec<Self> {
        objects.iter().map(Self::of).collect()
    }

    pub(super) fn into_object(self) -> ObjectRef {
        ObjectRef {
            group: self.group.into_owned(),
            kind: self.kind.into_owned(),
            namespace: self.namespace.map(Cow::into_owned),
            name: self.name.into_owned(),
        }
    }
}

/// An entry with its identity.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct EntryRecord<'a> {
    address: Cow<'a, str>,
    api_version: Cow<'a, str>,
    applied: Kept<'a>,
    depends_on: Vec<ObjectRecord<'a>>,
    #[serde(with = "digest_text")]
    desired: Digest,
    fields: Kept<'a>,
    object: ObjectRecord<'a>,
    #[serde(with = "digest_text")]
    owned: Digest,
    protect: bool,
    uid: Cow<'a, str>,
}

impl<'a> EntryRecord<'a> {
    pub(super) fn of(object: &'a ObjectRef, entry: &'a Entry) -> Self {
        Self {
            address: Cow::Borrowed(entry.address.as_str()),
            api_version: Cow::Borrowed(&entry.api_version),
            applied: Kept::Written(&entry.applied),
            depends_on: ObjectRecord::list(&entry.depends_on),
            desired: entry.desired,
            fields: Kept::Written(&entry.fields),
            object: ObjectRecord::of(object),
            owned: entry.owned,
            protect: entry.protect,
            uid: Cow::Borrowed(&entry.uid),
        }
    }

    /// Returns the identity and the entry. `trusted` says that the record is known to be what was written here.
    pub(super) fn into_entry(self, trusted: bool) -> serde_json::Result<(ObjectRef, Entry)> {
        let entry = Entry {
            address: Address::from_text(self.address),
            api_version: self.api_version.into_owned(),
            uid: self.uid.into_owned(),
            desired: self.desired,
            owned: self.owned,
            fields: self.fields.into_recorded(trusted)?,
            applied: self.applied.into_recorded(trusted)?,
            depends_on: self.depends_on.into_iter().map(ObjectRecord::into_object).collect(),
            protect: self.protect,
        };
        Ok((self.object.into_object(), entry))
    }
}

/// A recorded value: one to be written, or the text of one that was read. The text is parsed on its own, with the whole
/// depth that the parser grants: objects of a cluster came through the same one, so each of them can be read back.
#[derive(Serialize)]
#[serde(untagged)]
enum Kept<'a> {
    Written(&'a Recorded),
    Read(Box<RawValue>),
}

impl<'de> Deserialize<'de> for Kept<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(Self::Read)
    }
}

impl Kept<'_> {
    fn into_recorded(self, trusted: bool) -> serde_json::Result<Recorded> {
        match self {
            Self::Written(recorded) => Ok(recorded.clone()),
            Self::Read(text) if trusted => Ok(Recorded::from_trusted(text)),
            Self::Read(text) => Recorded::from_untrusted(&text),
        }
    }
}

/// A digest as `sha256:HEX`.
pub(super) mod digest_text {
    use std::borrow::Cow;

    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::resource::Digest;

    pub(crate) fn serialize<S: Serializer>(digest: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(digest)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        Digest::parse(&text).ok_or_else(|| D::Error::custom("a digest must be `sha256:` and 64 hexadecimal digits"))
    }
}

/// A digest that may be absent.
pub(super) mod optional_digest_text {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::digest_text;
    use crate::resource::Digest;

    #[derive(Serialize, Deserialize)]
    struct Text(#[serde(with = "digest_text")] Digest);

    pub(crate) fn serialize<S: Serializer>(digest: &Option<Digest>, serializer: S) -> Result<S::Ok, S::Error> {
        digest.map(Text).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Digest>, D::Error> {
        Ok(Option::<Text>::deserialize(deserializer)?.map(|text| text.0))
    }
}

/// A moment as RFC 3339 in UTC.
pub(super) mod moment_text {
    use std::borrow::Cow;

    use jiff::Timestamp;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(moment: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(moment)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        Cow::<str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// A moment that may be absent.
pub(super) mod optional_moment_text {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::moment_text;

    #[derive(Serialize, Deserialize)]
    struct Text(#[serde(with = "moment_text")] Timestamp);

    pub(crate) fn serialize<S: Serializer>(moment: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
        moment.map(Text).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
        Ok(Option::<Text>::deserialize(deserializer)?.map(|text| text.0))
    }
}
