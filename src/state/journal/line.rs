//! One line of a journal with its place and its checksum.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::record::Body;
use crate::resource::Digest;

/// What stands before the 64 digits of the checksum, and behind them.
const BEFORE_SUM: &[u8] = b",\"sum\":\"";
const AFTER_SUM: &[u8] = b"\"}\n";
const SUM_DIGITS: usize = 64;

#[derive(Serialize)]
struct Unsummed<'a> {
    at: u64,
    synced: u64,
    line: &'a Body<'a>,
}

/// A line that was read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    pub(super) line: Body<'static>,
    #[serde(rename = "at")]
    _at: IgnoredAny,
    #[serde(rename = "synced")]
    _synced: IgnoredAny,
    #[serde(rename = "sum")]
    _sum: IgnoredAny,
}

/// Where a whole line says that it stands.
#[derive(Deserialize)]
pub(super) struct Place {
    pub(super) at: u64,
    pub(super) synced: u64,
}

/// Appends a line to `bytes`, which begin at `base` of the file.
pub(super) fn push(bytes: &mut Vec<u8>, base: u64, synced: u64, body: &Body<'_>) {
    let unsummed = Unsummed { at: base + bytes.len() as u64, synced, line: body };
    // Serialising these types into memory cannot fail: every key is a string.
    let mut text = serde_json::to_vec(&unsummed).unwrap_or_default();
    text.pop();
    let sum = Digest::of_bytes(&text).hex();
    bytes.append(&mut text);
    bytes.extend_from_slice(BEFORE_SUM);
    bytes.extend_from_slice(sum.as_bytes());
    bytes.extend_from_slice(AFTER_SUM);
}

/// Returns the place that a line says, if the line is whole: it ends as it must, and its checksum is right.
pub(super) fn place(piece: &[u8]) -> Option<Place> {
    let rest = piece.strip_suffix(AFTER_SUM)?;
    let (rest, sum) = rest.split_at_checked(rest.len().checked_sub(SUM_DIGITS)?)?;
    let summed = rest.strip_suffix(BEFORE_SUM)?;
    if Digest::of_bytes(summed).hex().as_bytes() != sum {
        return None;
    }
    serde_json::from_slice(piece).ok()
}
