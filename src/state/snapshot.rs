//! The snapshot file: one state, written whole.
//!
//! The file is canonical JSON (keys sorted, no blanks) with line breaks added, one resource a line, so that two of them
//! compare line by line. `checksum` is the SHA-256 of the canonical JSON of everything else; since the line breaks are
//! all that is added, it is the hash of the other lines joined. A file that a tool laid out anew is still read: it is
//! then brought to the canonical form first.
//!
//! What changes of the format do: a reader refuses every version but those it knows, and every field it does not know,
//! because writing the state back would lose it. So any change of a field is a new version, and a newer writer never
//! has its file overwritten by an older one.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::error::Category;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::record::{EntryRecord, digest_text};
use super::{Lineage, Serial, State};
use crate::resource::{Digest, ObjectRef, canonical_json};

/// What `format` says in every snapshot.
const FORMAT: &str = "mathison.dev/state";

/// The version of the format that is written, and the only one read so far.
const VERSION: u64 = 1;

/// The beginning of a file as it is written, up to the digits of the checksum.
const BEFORE_CHECKSUM: &str = "{\n\"checksum\":\"";

/// Why bytes are no snapshot that may be trusted. Each fits behind the name of the file.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// The file ends before the snapshot does.
    #[error("the snapshot is cut off")]
    Truncated,
    /// It is no JSON.
    #[error("the snapshot is not JSON")]
    NotJson(#[source] serde_json::Error),
    /// It is JSON, but of something else.
    #[error("the file is no state of Mathison: `format` is {found}, not `{FORMAT}`")]
    Foreign {
        /// What `format` says, in backticks, or `missing`.
        found: String,
    },
    /// The format is of a version that is not known here.
    #[error(
        "the snapshot has format version `{found}`, written by mathison `{written_by}`; this one reads version `{VERSION}`"
    )]
    Version {
        /// The version it says.
        found: u64,
        /// The version of the program that wrote it.
        written_by: String,
    },
    /// A field is missing, unknown, or of another type.
    #[error("the snapshot is not laid out as format version `{VERSION}`")]
    Malformed(#[source] serde_json::Error),
    /// The content is not what was written.
    #[error("the snapshot was damaged or edited: its checksum is `{stated}`, its content gives `{computed}`")]
    Checksum {
        /// The checksum in the file.
        stated: Digest,
        /// The checksum of what is in the file.
        computed: Digest,
    },
    /// One identity stands in it twice.
    #[error("the snapshot records `{0}` twice")]
    Duplicate(ObjectRef),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SnapshotRecord<'a> {
    #[serde(with = "digest_text")]
    checksum: Digest,
    cluster_uid: String,
    format: String,
    lineage: String,
    namespace: String,
    resources: Vec<EntryRecord<'a>>,
    serial: u64,
    stack: String,
    version: u64,
    with_extra_manifests: bool,
    written_by: String,
}

/// What can be said of a file that is not laid out as expected.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Probe {
    #[serde(default)]
    format: Value,
    #[serde(default)]
    version: Value,
    #[serde(default)]
    written_by: Value,
}

/// Returns the bytes of a snapshot file. The same state gives the same bytes.
#[must_use]
pub fn encode(state: &State) -> Vec<u8> {
    encode_as(state, env!("CARGO_PKG_VERSION"))
}

fn encode_as(state: &State, written_by: &str) -> Vec<u8> {
    let mut rest = String::with_capacity(256 + state.entries.len() * 2048);
    field(&mut rest, "clusterUid", &state.cluster, ",\n");
    field(&mut rest, "format", FORMAT, ",\n");
    field(&mut rest, "lineage", &state.lineage.0, ",\n");
    field(&mut rest, "namespace", &state.namespace, ",\n");
    rest.push_str("\"resources\":[");
    for (index, (object, entry)) in state.entries.iter().enumerate() {
        rest.push_str(if index == 0 { "\n" } else { ",\n" });
        rest.push_str(&json(&EntryRecord::of(object, entry)));
    }
    rest.push_str("\n],\n");
    field(&mut rest, "serial", &state.serial.0, ",\n");
    field(&mut rest, "stack", &state.stack, ",\n");
    field(&mut rest, "version", &VERSION, ",\n");
    field(&mut rest, "withExtraManifests", &state.with_extra_manifests, ",\n");
    field(&mut rest, "writtenBy", written_by, "\n}\n");
    format!("{BEFORE_CHECKSUM}{}\",\n{rest}", checksum_of_lines(&rest)).into_bytes()
}

fn field(text: &mut String, name: &str, value: &(impl Serialize + ?Sized), end: &str) {
    text.push('"');
    text.push_str(name);
    text.push_str("\":");
    text.push_str(&json(value));
    text.push_str(end);
}

/// Serialising these types into memory cannot fail: every key is a string.
fn json(value: &(impl Serialize + ?Sized)) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Returns the checksum of the lines that follow the line of the checksum: of `{` and all of them joined.
fn checksum_of_lines(rest: &str) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update(b"{");
    for line in rest.split('\n') {
        hasher.update(line.as_bytes());
    }
    Digest::from_bytes(hasher.finalize().into())
}

/// Reads a snapshot file.
///
/// # Errors
/// See [`SnapshotError`]: nothing is returned that is not exactly what was written.
pub fn decode(bytes: &[u8]) -> Result<State, SnapshotError> {
    // The line break at the end is the last thing written: without it, even complete JSON was cut off.
    let Some(text) = std::str::from_utf8(bytes).ok().filter(|text| text.ends_with('\n')) else {
        return Err(unreadable(bytes, SnapshotError::Truncated));
    };
    let record: SnapshotRecord<'_> =
        serde_json::from_str(text).map_err(|error| unreadable(bytes, SnapshotError::Malformed(error)))?;
    check_kind(&Value::from(record.format.as_str()), record.version, &record.written_by)?;
    let trusted = as_written(text, record.checksum);
    if !trusted {
        check_content(text, record.checksum)?;
    }
    let mut entries = BTreeMap::new();
    for resource in record.resources {
        let (object, entry) = resource.into_entry(trusted).map_err(SnapshotError::Malformed)?;
        match entries.entry(object) {
            Slot::Vacant(slot) => {
                slot.insert(entry);
            }
            Slot::Occupied(slot) => return Err(SnapshotError::Duplicate(slot.key().clone())),
        }
    }
    Ok(State {
        stack: record.stack,
        namespace: record.namespace,
        cluster: record.cluster_uid,
        lineage: Lineage(record.lineage),
        serial: Serial(record.serial),
        with_extra_manifests: record.with_extra_manifests,
        entries,
    })
}

/// Tells whether the file is, to the byte, what was written.
fn as_written(text: &str, stated: Digest) -> bool {
    let lines = text.strip_prefix(BEFORE_CHECKSUM).and_then(|text| text.split_once('\n'));
    lines.is_some_and(|(_, rest)| checksum_of_lines(rest) == stated)
}

fn check_content(text: &str, stated: Digest) -> Result<(), SnapshotError> {
    let mut whole: Value = serde_json::from_str(text).map_err(SnapshotError::Malformed)?;
    if let Some(fields) = whole.as_object_mut() {
        fields.remove("checksum");
    }
    let computed = Digest::of_bytes(&canonical_json(&whole));
    if computed == stated { Ok(()) } else { Err(SnapshotError::Checksum { stated, computed }) }
}

fn check_kind(format: &Value, version: u64, written_by: &str) -> Result<(), SnapshotError> {
    if format != FORMAT {
        let found = format.as_str().map_or_else(|| "missing".to_owned(), |format| format!("`{format}`"));
        return Err(SnapshotError::Foreign { found });
    }
    if version != VERSION {
        return Err(SnapshotError::Version { found: version, written_by: written_by.to_owned() });
    }
    Ok(())
}

/// Says why bytes could not be read, best reason first: of another kind, cut off, no JSON, else `otherwise`.
fn unreadable(bytes: &[u8], otherwise: SnapshotError) -> SnapshotError {
    match serde_json::from_slice::<Value>(bytes) {
        Err(error) if error.classify() == Category::Eof => SnapshotError::Truncated,
        Err(error) => SnapshotError::NotJson(error),
        Ok(value) => {
            let Ok(probe) = serde_json::from_value::<Probe>(value) else {
                return SnapshotError::Foreign { found: "missing".to_owned() };
            };
            let version = probe.version.as_u64().unwrap_or(VERSION);
            let written_by = probe.written_by.as_str().unwrap_or("unknown");
            check_kind(&probe.format, version, written_by).err().unwrap_or(otherwise)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use proptest::prelude::*;

    use super::*;
    use crate::state::example;

    fn text(state: &State) -> String {
        String::from_utf8(encode_as(state, "0.1.0")).unwrap()
    }

    /// The words a person sees, with the cause.
    fn refusal(text: &str) -> String {
        let error = decode(text.as_bytes()).unwrap_err();
        error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
    }

    #[test]
    fn the_written_form_is_fixed() {
        insta::assert_snapshot!(text(&example::state()), @r#"
        {
        "checksum":"sha256:b71031a8138c36ec8ac83b2bb2eb0eca2c34bb43d26f337aef5f78b19ca46ad3",
        "clusterUid":"1a2b3c4d-0000-4000-8000-000000000000",
        "format":"mathison.dev/state",
        "lineage":"l-1",
        "namespace":"mathison-system",
        "resources":[
        {"address":"redis.Service/redis","apiVersion":"v1","applied":{"spec":{"replicas":1}},"dependsOn":[],"desired":"sha256:382dfde2020fd195f5d9f9afa9fe1d8bb6e60f15d7a8ebe7c1d8a3246b8c4976","fields":{"f:spec":{"f:replicas":{}}},"object":{"group":"","kind":"Service","name":"redis","namespace":"mathison-system"},"owned":"sha256:57a19abbf5c5f799e84b7066f04e7ca1665d2593a83813c40a26c56c6e4c62b6","protect":false,"uid":"uid-of-Service"},
        {"address":"redis.StatefulSet/redis","apiVersion":"apps/v1","applied":{"spec":{"replicas":1}},"dependsOn":[{"group":"","kind":"Service","name":"redis","namespace":"mathison-system"}],"desired":"sha256:382dfde2020fd195f5d9f9afa9fe1d8bb6e60f15d7a8ebe7c1d8a3246b8c4976","fields":{"f:spec":{"f:replicas":{}}},"object":{"group":"apps","kind":"StatefulSet","name":"redis","namespace":"mathison-system"},"owned":"sha256:57a19abbf5c5f799e84b7066f04e7ca1665d2593a83813c40a26c56c6e4c62b6","protect":false,"uid":"uid-of-StatefulSet"}
        ],
        "serial":3,
        "stack":"mathison",
        "version":1,
        "withExtraManifests":false,
        "writtenBy":"0.1.0"
        }
        "#);
    }

    #[test]
    fn a_state_that_records_nothing_is_written_too() {
        let state = State::new("a", "b", "c", Lineage("l".to_owned()));
        insta::assert_snapshot!(text(&state), @r#"
        {
        "checksum":"sha256:b16c47fe99fcb966d66103d28eb5ea66f8051778089dcecd36193ffcb2764ce7",
        "clusterUid":"c",
        "format":"mathison.dev/state",
        "lineage":"l",
        "namespace":"b",
        "resources":[
        ],
        "serial":0,
        "stack":"a",
        "version":1,
        "withExtraManifests":false,
        "writtenBy":"0.1.0"
        }
        "#);
        assert_eq!(decode(text(&state).as_bytes()).unwrap(), state);
    }

    #[test]
    fn a_file_that_a_tool_laid_out_anew_is_read() {
        let state = example::state();
        let value: Value = serde_json::from_slice(&encode(&state)).unwrap();
        let pretty = format!("{}\n", serde_json::to_string_pretty(&value).unwrap());
        assert_eq!(decode(pretty.as_bytes()).unwrap(), state);
    }

    #[test]
    fn what_is_no_trusted_snapshot_is_refused_with_the_reason() {
        let good = text(&example::state());
        let reasons = [
            refusal(""),
            refusal(&good[..good.len() / 2]),
            refusal(good.trim_end()),
            refusal("state: yaml\n"),
            refusal("[]\n"),
            refusal("{\"version\":4,\"terraform_version\":\"1.9\"}\n"),
            refusal(&good.replace("mathison.dev/state", "mathison.dev/plan")),
            refusal(&good.replace("\"version\":1", "\"version\":2").replace("\"0.1.0\"", "\"0.9.0\"")),
            refusal("{\"format\":\"mathison.dev/state\",\"version\":7,\"all\":\"else\"}\n"),
            refusal(&good.replace("\"stack\"", "\"stock\"")),
            refusal(&good.replace("\"replicas\":1", "\"replicas\":2")),
        ];
        insta::assert_snapshot!(reasons.join("\n"), @r"
        the snapshot is cut off
        the snapshot is cut off
        the snapshot is cut off
        the snapshot is not JSON: expected value at line 1 column 1
        the file is no state of Mathison: `format` is missing, not `mathison.dev/state`
        the file is no state of Mathison: `format` is missing, not `mathison.dev/state`
        the file is no state of Mathison: `format` is `mathison.dev/plan`, not `mathison.dev/state`
        the snapshot has format version `2`, written by mathison `0.9.0`; this one reads version `1`
        the snapshot has format version `7`, written by mathison `unknown`; this one reads version `1`
        the snapshot is not laid out as format version `1`: unknown field `stock`, expected one of `checksum`, `clusterUid`, `format`, `lineage`, `namespace`, `resources`, `serial`, `stack`, `version`, `withExtraManifests`, `writtenBy` at line 12 column 7
        the snapshot was damaged or edited: its checksum is `sha256:b71031a8138c36ec8ac83b2bb2eb0eca2c34bb43d26f337aef5f78b19ca46ad3`, its content gives `sha256:44da9e1f9833a90268aacaa2678ac8b628fc8319578ec3407f58f5b546867810`
        ");
    }

    #[test]
    fn one_identity_stands_in_it_once() {
        let state = example::state();
        let twice =
            text(&state).replace("\"kind\":\"StatefulSet\"", "\"kind\":\"Service\"").replace("\"apps\"", "\"\"");
        let rest = twice.split_once(",\n").unwrap().1;
        let sealed = format!("{BEFORE_CHECKSUM}{}\",\n{rest}", checksum_of_lines(rest));
        assert!(
            matches!(decode(sealed.as_bytes()), Err(SnapshotError::Duplicate(object)) if object == example::service())
        );
    }

    #[test]
    fn an_object_as_deep_as_a_parser_takes_is_read_back() {
        let mut deep = Value::from(1);
        for _ in 0..126 {
            deep = serde_json::json!({ "a": deep });
        }
        serde_json::from_slice::<Value>(&canonical_json(&deep)).unwrap();
        let mut state = example::state();
        for entry in state.entries.values_mut() {
            (entry.applied, entry.fields) = (deep.clone().into(), deep.clone().into());
        }
        assert_eq!(decode(&encode(&state)).unwrap(), state);
    }

    #[test]
    fn every_truncation_is_refused() {
        let bytes = encode(&example::state());
        for length in 0..bytes.len() {
            let result = decode(&bytes[..length]);
            assert!(matches!(result, Err(SnapshotError::Truncated)), "{length}: {result:?}");
        }
    }

    #[test]
    fn every_flipped_bit_is_noticed_or_harmless() {
        let state = example::state();
        let bytes = encode(&state);
        let mut harmless = 0;
        for index in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[index] ^= 1 << bit;
                if let Ok(read) = decode(&flipped) {
                    assert_eq!(read, state, "byte {index}, bit {bit}");
                    harmless += 1;
                }
            }
        }
        // Digits of the checksum in upper case, and blanks in place of line breaks.
        assert!(harmless < 100, "{harmless} flips were not noticed");
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_back(state in example::any_state()) {
            let bytes = encode(&state);
            prop_assert_eq!(&bytes, &encode(&state.clone()));
            prop_assert_eq!(decode(&bytes).unwrap(), state);
        }

        #[test]
        fn the_checksum_is_that_of_the_canonical_json_of_the_rest(state in example::any_state()) {
            let bytes = encode(&state);
            let mut value: Value = serde_json::from_slice(&bytes).unwrap();
            let checksum = value.as_object_mut().unwrap().remove("checksum").unwrap();
            prop_assert_eq!(checksum, Digest::of(&value).to_string());
            let lines: Vec<_> = bytes.split(|byte| *byte == b'\n').skip(2).collect();
            prop_assert_eq!([b"{".as_slice(), &lines.concat()].concat(), canonical_json(&value));
        }

        #[test]
        fn any_byte_changed_to_any_other_is_noticed_or_harmless(
            state in example::any_state(), index: prop::sample::Index, byte: u8
        ) {
            let mut bytes = encode(&state);
            let index = index.index(bytes.len());
            bytes[index] = byte;
            if let Ok(read) = decode(&bytes) {
                prop_assert_eq!(read, state);
            }
        }
    }
}
