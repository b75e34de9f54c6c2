//! Names compared. Every walk over objects and sets of fields does little else, and names are short: most are found to be the
//! same, or to differ, without a call.

use std::cmp::Ordering;

/// Returns the first eight bytes of a name as a number that sorts as they do; a shorter name ends in zeros.
#[inline]
pub(crate) fn head(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let four = |chunk: Option<&[u8; 4]>| u64::from(u32::from_be_bytes(chunk.copied().unwrap_or_default()));
    match *bytes {
        [] => 0,
        [one] => u64::from_be_bytes([one, 0, 0, 0, 0, 0, 0, 0]),
        [one, two] => u64::from_be_bytes([one, two, 0, 0, 0, 0, 0, 0]),
        [one, two, three] => u64::from_be_bytes([one, two, three, 0, 0, 0, 0, 0]),
        // Two halves that share some bytes.
        [_, _, _, _] | [_, _, _, _, _] | [_, _, _, _, _, _] | [_, _, _, _, _, _, _] => {
            four(bytes.first_chunk()) << 32 | four(bytes.last_chunk()) << (8 * (8 - bytes.len()))
        }
        _ => u64::from_be_bytes(bytes.first_chunk().copied().unwrap_or_default()),
    }
}

/// Compares texts by their bytes.
#[inline]
pub(crate) fn order(left: &str, right: &str) -> Ordering {
    if is_same(left, right) { Ordering::Equal } else { left.cmp(right) }
}

/// Tells whether two texts are the same.
#[inline]
pub(crate) fn is_same(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if left.len() != right.len() {
        return false;
    }
    match left.len() {
        8..=16 => left.first_chunk::<8>() == right.first_chunk() && left.last_chunk::<8>() == right.last_chunk(),
        17..=32 => left.first_chunk::<16>() == right.first_chunk() && left.last_chunk::<16>() == right.last_chunk(),
        4..=7 => left.first_chunk::<4>() == right.first_chunk() && left.last_chunk::<4>() == right.last_chunk(),
        0..=3 => left.iter().eq(right),
        _ => left == right,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn texts_compare_as_ever(left in "[ab\u{0}é]{0,40}", right in "[ab\u{0}é]{0,40}", tail in "[ab\u{0}]{0,3}") {
            for (left, right) in [(&left, &right), (&left, &format!("{left}{tail}")), (&left, &format!("{tail}{left}"))] {
                prop_assert_eq!(order(left, right), left.cmp(right));
                prop_assert_eq!(is_same(left, right), left == right);
            }
        }
    }
}
