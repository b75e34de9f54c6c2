//! The lock record: who holds the lock of a state. How it is held is the store's business.
//!
//! A file or object with no bytes in it is a lock that was given back.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::record::{moment_text, optional_moment_text};

/// What `format` says in every lock record.
const FORMAT: &str = "mathison.dev/lock";

/// The version of the format that is written, and the only one read so far.
const VERSION: u64 = 1;

/// Who holds a lock, and what for. Everything in it is handed in by whoever starts the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockRecord {
    /// The user.
    pub user: String,
    /// The host.
    pub host: String,
    /// The process.
    pub pid: u32,
    /// When that process started: another process of the same number did not.
    pub process_started: Timestamp,
    /// The command as typed, without secrets.
    pub command: String,
    /// Since when it is held.
    pub since: Timestamp,
    /// Names the run in messages.
    pub run_id: String,
    /// When it ends unless it is renewed; `None` where the operating system gives it back when the process dies.
    pub expires: Option<Timestamp>,
}

impl LockRecord {
    /// Returns `USER@HOST`.
    #[must_use]
    pub fn holder(&self) -> String {
        format!("{}@{}", self.user, self.host)
    }

    /// Returns the bytes of the record: one line of JSON.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let record = WrittenRecord {
            format: FORMAT.to_owned(),
            version: VERSION,
            holder: self.holder(),
            user: self.user.clone(),
            host: self.host.clone(),
            pid: self.pid,
            process_started: self.process_started,
            command: self.command.clone(),
            since: self.since,
            run_id: self.run_id.clone(),
            expires: self.expires,
        };
        // Serialising these types into memory cannot fail: every key is a string.
        let mut bytes = serde_json::to_vec(&record).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Reads a record. `None` where there is none, or none that is understood: the lock counts all the same, only its
    /// holder is not known.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let record: WrittenRecord = serde_json::from_slice(bytes).ok()?;
        (record.format == FORMAT && record.version == VERSION).then_some(Self {
            user: record.user,
            host: record.host,
            pid: record.pid,
            process_started: record.process_started,
            command: record.command,
            since: record.since,
            run_id: record.run_id,
            expires: record.expires,
        })
    }
}

/// Unknown fields are let be: the record is only ever shown, and replaced as a whole.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenRecord {
    format: String,
    version: u64,
    holder: String,
    user: String,
    host: String,
    pid: u32,
    #[serde(with = "moment_text")]
    process_started: Timestamp,
    command: String,
    #[serde(with = "moment_text")]
    since: Timestamp,
    run_id: String,
    #[serde(default, with = "optional_moment_text", skip_serializing_if = "Option::is_none")]
    expires: Option<Timestamp>,
}

/// Why a lock was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LockError {
    /// A living process holds it.
    #[error("the state `{}` is locked by {}", .state.display(), describe(.holder.as_deref()))]
    Held {
        /// The state.
        state: PathBuf,
        /// Who holds it, where the record could be read.
        holder: Option<Box<LockRecord>>,
    },
}

impl LockError {
    /// Returns what to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        let Self::Held { holder, .. } = self;
        let who = holder
            .as_deref()
            .map_or_else(|| "that run".to_owned(), |holder| format!("process {} on `{}`", holder.pid, holder.host));
        format!(
            "wait until {who} has ended, or end it: the lock goes with it, and the next run goes on from what it left"
        )
    }
}

fn describe(holder: Option<&LockRecord>) -> String {
    holder.map_or_else(
        || "a living process that left no readable record of itself".to_owned(),
        |holder| {
            // Nobody waits by nanoseconds.
            let since = holder.since.strftime("%Y-%m-%dT%H:%M:%SZ");
            format!("`{}` (process {}, `{}`, since {since})", holder.holder(), holder.pid, holder.command)
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::example::lock_record;

    #[test]
    fn the_written_form_is_fixed_and_read_back() {
        let record = lock_record();
        let text = String::from_utf8(record.encode()).unwrap();
        insta::assert_snapshot!(text, @r#"
        {"format":"mathison.dev/lock","version":1,"holder":"ada@laptop","user":"ada","host":"laptop","pid":4711,"processStarted":"2026-01-02T03:04:04.25Z","command":"mathison apply stacks/mathison.yaml","since":"2026-01-02T03:04:05Z","runId":"r-7f3a"}
        "#);
        assert_eq!(LockRecord::decode(text.as_bytes()), Some(record));
    }

    #[test]
    fn a_record_may_have_an_end() {
        let record = LockRecord { expires: Some("2026-01-02T04:04:05Z".parse().unwrap()), ..lock_record() };
        assert_eq!(LockRecord::decode(&record.encode()), Some(record));
    }

    #[test]
    fn what_is_no_record_names_nobody() {
        for bytes in ["", "{", "{}", r#"{"format":"other"}"#] {
            assert_eq!(LockRecord::decode(bytes.as_bytes()), None, "{bytes}");
        }
        let newer = String::from_utf8(lock_record().encode()).unwrap().replace("\"version\":1", "\"version\":2");
        assert_eq!(LockRecord::decode(newer.as_bytes()), None);
    }

    #[test]
    fn who_is_locked_out_is_told_by_whom_and_what_to_do() {
        let held = LockError::Held { state: "state/x.json".into(), holder: Some(Box::new(lock_record())) };
        insta::assert_snapshot!(format!("{held}\nhint: {}", held.hint()), @r"
        the state `state/x.json` is locked by `ada@laptop` (process 4711, `mathison apply stacks/mathison.yaml`, since 2026-01-02T03:04:05Z)
        hint: wait until process 4711 on `laptop` has ended, or end it: the lock goes with it, and the next run goes on from what it left
        ");
        let unknown = LockError::Held { state: "state/x.json".into(), holder: None };
        insta::assert_snapshot!(format!("{unknown}\nhint: {}", unknown.hint()), @r"
        the state `state/x.json` is locked by a living process that left no readable record of itself
        hint: wait until that run has ended, or end it: the lock goes with it, and the next run goes on from what it left
        ");
    }
}
