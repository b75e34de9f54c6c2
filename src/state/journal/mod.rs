//! The write-ahead journal of one run: what it was about to do, and what came of it.
//!
//! Before the first write to the cluster the intents of the whole plan are in the file and on the disk; after each
//! write follows one line with its result. A run that ends well puts the results into a new snapshot and removes the
//! journal. One that dies leaves it, and the next run takes the results from it ([`recover()`]) and learns of every
//! unfinished intent by asking the cluster, which is not done here.
//!
//! ```text
//! {"at":0,"synced":0,"line":{"header":{…}},"sum":"…"}
//! {"at":512,"synced":0,"line":{"intent":{…}},"sum":"…"}        one for each resource
//! {"at":1024,"synced":1024,"line":{"committed":{"intents":1}},"sum":"…"}
//! {"at":1099,"synced":1099,"line":{"result":{…}},"sum":"…"}    one for each result
//! ```
//!
//! Each line says where it stands (`at`), how much of the file was on the disk for certain before it was written
//! (`synced`), and the SHA-256 of its own beginning (`sum`). So a tail that was being written when the machine died is
//! told from damage: what a later line calls synced must be there, whole.

mod line;
mod read;
mod record;
mod recover;
mod value;
mod write;

use std::path::PathBuf;

use thiserror::Error;

pub use read::{JournalContent, parse};
pub use recover::{Recovered, recover};
pub use value::{Intent, IntentAction, JournalHeader, JournalResult, Outcome, Recording};
pub use write::Journal;

use crate::resource::ObjectRef;
use crate::state::store::FileError;

/// What `format` says in every journal.
const FORMAT: &str = "mathison.dev/journal";

/// The version of the format that is written, and the only one read so far.
const VERSION: u64 = 1;

/// Why a journal cannot be written or trusted. Each but the first fits behind the name of the file.
#[derive(Debug, Error)]
pub enum JournalError {
    /// A file call failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// An earlier write to it failed, so what follows would stand behind half a line.
    #[error("cannot append to the journal `{}` after an earlier write to it failed", .0.display())]
    Broken(PathBuf),
    /// A line that was on the disk is no longer what was written.
    #[error("line {line} of the journal was damaged or edited")]
    Damaged {
        /// Its number, from 1.
        line: usize,
    },
    /// A line stands where none of its kind may.
    #[error("line {line} of the journal is out of order")]
    OutOfOrder {
        /// Its number, from 1.
        line: usize,
    },
    /// A line is whole, but not of this format.
    #[error("line {line} of the journal is not laid out as format version `{VERSION}`")]
    Malformed {
        /// Its number, from 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The format is of a version that is not known here.
    #[error("the journal has format version `{found}`; this mathison reads version `{VERSION}`")]
    Version {
        /// The version it says.
        found: u64,
    },
    /// A result for something that was never announced.
    #[error("the journal has a result for `{0}`, but no intent")]
    NoIntent(ObjectRef),
}
