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
        match line::place(piece) {
            Some(place) if place.at == offset as u64 => {}
            // A whole line at a place that is not its own: others before it were taken out or put in.
            Some(_) => return Err(JournalError::Damaged { line: number }),
            None if was_synced(&bytes[offset + piece.len()..], offset) => {
                return Err(JournalError::Damaged { line: number });
            }
            None => return Ok(content.map(|content| JournalContent { torn: true, ..content })),
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
            let malformed = |source| JournalError::Malformed { line: number, source };
            let result = result.into_result().map_err(malformed)?;
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::state::example::{any_run, done, entry, header, intent, service, stateful_set};
    use crate::state::journal::record::{CommittedRecord, HeaderRecord, IntentRecord, ResultRecord};
    use crate::state::journal::{IntentAction, Recording};

    /// The bytes of a journal whose results were flushed `batch` at a time, and the offset behind its closing line.
    fn journal(intents: &[Intent], results: &[JournalResult], batch: usize) -> (Vec<u8>, usize) {
        let header = header();
        let mut bytes = Vec::new();
        line::push(&mut bytes, 0, 0, &Body::Header(HeaderRecord::of(&header, "0.1.0")));
        for intent in intents {
            line::push(&mut bytes, 0, 0, &Body::Intent(IntentRecord::of(intent)));
        }
        let synced = bytes.len() as u64;
        line::push(&mut bytes, 0, synced, &Body::Committed(CommittedRecord { intents: intents.len() }));
        let committed = bytes.len();
        for batch in results.chunks(batch) {
            let synced = bytes.len() as u64;
            for result in batch {
                line::push(&mut bytes, 0, synced, &Body::Result(ResultRecord::of(result)));
            }
        }
        (bytes, committed)
    }

    fn example() -> (Vec<u8>, usize) {
        let intents = [intent(&service(), IntentAction::Update), intent(&stateful_set(), IntentAction::Delete)];
        let results = [
            done(&service(), Recording::Put(Box::new(entry(&service(), &[])))),
            done(&stateful_set(), Recording::Remove),
        ];
        journal(&intents, &results, 1)
    }

    #[test]
    fn every_truncation_gives_what_was_whole_before_it() {
        let (bytes, committed) = example();
        let whole = parse(&bytes).unwrap().unwrap();
        let first_line = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        for length in 0..bytes.len() {
            let Some(content) = parse(&bytes[..length]).unwrap() else {
                assert!(length < first_line, "{length}");
                continue;
            };
            assert!(whole.intents.starts_with(&content.intents) && whole.results.starts_with(&content.results));
            assert_eq!(content.committed, length >= committed, "{length}");
            assert_eq!(content.torn, bytes[length - 1] != b'\n', "{length}");
        }
    }

    #[test]
    fn every_flipped_bit_is_noticed_or_drops_the_last_line_only() {
        let (bytes, _) = example();
        let whole = parse(&bytes).unwrap().unwrap();
        let last_line = bytes[..bytes.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap();
        for index in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[index] ^= 1 << bit;
                let Ok(read) = parse(&flipped) else { continue };
                let read = read.unwrap();
                assert!(index >= last_line && read.torn, "byte {index}, bit {bit}");
                assert!(read.committed && read.intents == whole.intents);
                assert!(whole.results.starts_with(&read.results));
            }
        }
    }

    #[test]
    fn a_line_taken_out_doubled_or_moved_is_noticed() {
        let (bytes, _) = example();
        let lines: Vec<_> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        for index in 0..lines.len() - 1 {
            let mut without = lines.clone();
            without.remove(index);
            assert!(parse(&without.concat()).is_err(), "line {index} taken out");
            let mut doubled = lines.clone();
            doubled.insert(index, lines[index]);
            assert!(parse(&doubled.concat()).is_err(), "line {index} doubled");
        }
    }

    #[test]
    fn a_batch_that_was_not_flushed_may_be_damaged_anywhere() {
        let intents = [intent(&service(), IntentAction::Update), intent(&stateful_set(), IntentAction::Delete)];
        let results = [done(&service(), Recording::Unchanged), done(&stateful_set(), Recording::Remove)];
        let (mut together, committed) = journal(&intents, &results, 2);
        together[committed + 30] = 0;
        let content = parse(&together).unwrap().unwrap();
        assert!(content.torn && content.results.is_empty());

        let (mut one_by_one, committed) = journal(&intents, &results, 1);
        one_by_one[committed + 30] = 0;
        assert!(matches!(parse(&one_by_one), Err(JournalError::Damaged { line: 5 })));
    }

    #[test]
    fn only_a_clean_end_before_the_closing_line_proves_that_nothing_was_begun() {
        let (bytes, committed) = example();
        let closing = bytes[..committed - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
        assert!(!parse(&bytes[..closing]).unwrap().unwrap().may_have_written());
        assert!(parse(&bytes[..closing + 1]).unwrap().unwrap().may_have_written());
        assert!(parse(&bytes[..committed]).unwrap().unwrap().may_have_written());
    }

    #[test]
    fn what_is_not_understood_is_refused_with_the_reason() {
        let sealed = |text: &str| {
            let text = format!("{{\"at\":0,\"synced\":0,\"line\":{text}");
            let sum = crate::resource::Digest::of_bytes(text.as_bytes()).hex();
            parse(format!("{text},\"sum\":\"{sum}\"}}\n").as_bytes()).unwrap_err().to_string()
        };
        let reasons = [
            sealed(r#"{"header":{"format":"mathison.dev/journal","version":2,"more":[]}}"#),
            sealed(r#"{"header":{"format":"mathison.dev/journal","version":1,"more":[]}}"#),
            sealed(r#"{"committed":{"intents":0}}"#),
            sealed(r#"{"surprise":{}}"#),
        ];
        insta::assert_snapshot!(reasons.join("\n"), @r"
        the journal has format version `2`; this mathison reads version `1`
        line 1 of the journal is not laid out as format version `1`
        line 1 of the journal is out of order
        line 1 of the journal is not laid out as format version `1`
        ");
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_back((intents, results) in any_run(), batch in 1usize..4) {
            let content = parse(&journal(&intents, &results, batch).0).unwrap().unwrap();
            prop_assert_eq!(content.header, header());
            prop_assert_eq!(content.intents, intents);
            prop_assert_eq!(content.results, results);
            prop_assert!(content.committed && !content.torn);
        }

        #[test]
        fn any_truncation_gives_a_prefix((intents, results) in any_run(), length: prop::sample::Index) {
            let (bytes, _) = journal(&intents, &results, 2);
            if let Some(content) = parse(&bytes[..length.index(bytes.len())]).unwrap() {
                prop_assert!(intents.starts_with(&content.intents));
                prop_assert!(results.starts_with(&content.results));
            }
        }
    }
}
