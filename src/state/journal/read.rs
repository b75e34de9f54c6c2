//! Reads a journal, and tells a torn tail from damage.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::line::{self, Line};
use super::record::Body;
use super::{FORMAT, Intent, JournalError, JournalHeader, JournalResult, VERSION};
use crate::resource::ObjectRef;

/// What is in a journal.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalContent {
    /// Whose it is.
    pub header: JournalHeader,
    /// What was about to be done.
    pub intents: Vec<Intent>,
    /// True if all intents are known to have been on the disk, so that writes may have begun.
    pub committed: bool,
    /// What came of them, in the order of the file.
    pub results: Vec<JournalResult>,
    /// True if the file ends in something that is no whole line; it was dropped.
    pub torn: bool,
}

impl JournalContent {
    /// Tells whether a write to the cluster may have begun. Only a journal that ends cleanly before the line that
    /// closes its intents proves that none did: what was torn off may have been that line.
    #[must_use]
    pub fn may_have_written(&self) -> bool {
        self.committed || self.torn
    }
}

/// Reads the bytes of a journal. `None` where not even its header was written whole, so that nothing was done.
///
/// # Errors
/// See [`JournalError`]. A tail that was being written when the run died is no error.
pub fn parse(bytes: &[u8]) -> Result<Option<JournalContent>, JournalError> {
    let mut content: Option<JournalContent> = None;
    let mut announced = BTreeSet::new();
    let mut offset = 0;
    for (index, piece) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let number = index + 1;
        if line::place(piece).is_none_or(|place| place.at != offset as u64) {
            if was_synced(&bytes[offset + piece.len()..], offset) {
                return Err(JournalError::Damaged { line: number });
            }
            return Ok(content.map(|content| JournalContent { torn: true, ..content }));
        }
        let body = read_body(piece, number)?;
        match (&mut content, body) {
            (None, Body::Header(header)) => {
                if header.format != FORMAT {
                    return Err(JournalError::OutOfOrder { line: number });
                }
                if header.version != VERSION {
                    return Err(JournalError::Version { found: header.version });
                }
                content = Some(JournalContent {
                    header: header.into_header(),
                    intents: Vec::new(),
                    committed: false,
                    results: Vec::new(),
                    torn: false,
                });
            }
            (Some(content), body) => absorb(content, &mut announced, body, number)?,
            (None, _) => return Err(JournalError::OutOfOrder { line: number }),
        }
        offset += piece.len();
    }
    Ok(content)
}

fn absorb(
    content: &mut JournalContent,
    announced: &mut BTreeSet<ObjectRef>,
    body: Body<'static>,
    number: usize,
) -> Result<(), JournalError> {
    match body {
        Body::Intent(intent) if !content.committed => {
            let intent = intent.into_intent();
            announced.insert(intent.object.clone());
            content.intents.push(intent);
        }
        Body::Committed(committed) if !content.committed && committed.intents == content.intents.len() => {
            content.committed = true;
        }
        Body::Result(result) if content.committed => {
            let result = result.into_result();
            if !announced.contains(&result.object) {
                return Err(JournalError::NoIntent(result.object));
            }
            content.results.push(result);
        }
        _ => return Err(JournalError::OutOfOrder { line: number }),
    }
    Ok(())
}

/// Tells whether a whole line further down says that the byte at `offset` was on the disk before.
fn was_synced(rest: &[u8], offset: usize) -> bool {
    rest.split_inclusive(|byte| *byte == b'\n').filter_map(line::place).any(|place| place.synced > offset as u64)
}

/// What a header of any version has.
#[derive(Deserialize)]
struct AnyLine {
    line: AnyBody,
}

#[derive(Deserialize)]
struct AnyBody {
    header: AnyHeader,
}

#[derive(Deserialize)]
struct AnyHeader {
    version: u64,
}

fn read_body(piece: &[u8], number: usize) -> Result<Body<'static>, JournalError> {
    serde_json::from_slice::<Line>(piece).map(|line| line.line).map_err(|source| {
        match serde_json::from_slice::<AnyLine>(piece) {
            Ok(AnyLine { line: AnyBody { header } }) if header.version != VERSION => {
                JournalError::Version { found: header.version }
            }
            _ => JournalError::Malformed { line: number, source },
        }
    })
}
