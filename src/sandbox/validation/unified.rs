//! How two texts differ, as a unified comparison with three lines around each change.
//!
//! Where there is more than one way to tell it, the server's is told: it looks for the longest run of lines that both have, the
//! first of several, then for the longest before and after it, and so on. In long texts it begins no run at a line that
//! stands there often.

use std::collections::BTreeMap;
use std::ops::Range;

/// Lines around a change.
const AROUND: usize = 3;
/// From how many lines on frequent ones are left aside.
const LONG: usize = 200;

/// Puts each value of compact JSON on a line of its own, indented by one space.
pub(super) fn indented(json: &str) -> String {
    let mut text = String::with_capacity(json.len() * 2);
    let mut depth = 0usize;
    let mut is_text = false;
    let mut characters = json.chars().peekable();
    let line = |text: &mut String, depth: usize| {
        text.push('\n');
        text.extend(std::iter::repeat_n(' ', depth));
    };
    while let Some(character) = characters.next() {
        if is_text {
            text.push(character);
            match character {
                '\\' => text.extend(characters.next()),
                '"' => is_text = false,
                _ => {}
            }
            continue;
        }
        match character {
            '{' | '[' => {
                text.push(character);
                if let Some(end) = characters.next_if(|next| matches!(next, '}' | ']')) {
                    text.push(end);
                } else {
                    depth += 1;
                    line(&mut text, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut text, depth);
                text.push(character);
            }
            ',' => {
                text.push(character);
                line(&mut text, depth);
            }
            ':' => text.push_str(": "),
            _ => {
                is_text = character == '"';
                text.push(character);
            }
        }
    }
    text
}

/// Returns the comparison; empty where nothing differs.
pub(super) fn unified(before: &str, after: &str) -> String {
    let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let mut told = String::new();
    for hunk in hunks(&changes(&before, &after)) {
        let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else { continue };
        let start = first.before.start.saturating_sub(AROUND);
        let end = (last.before.end + AROUND).min(before.len());
        // What surrounds a change is equally long on both sides.
        let lead = first.before.start - start;
        let trail = end - last.before.end;
        let other = first.after.start.saturating_sub(lead)..last.after.end + trail;
        told.push_str(&format!("@@ -{} +{} @@\n", range(&(start..end)), range(&other)));
        let mut at = start;
        let mut lines = |sign: char, lines: Option<&[&str]>| {
            for line in lines.into_iter().flatten() {
                told.push(sign);
                told.push_str(line);
                told.push('\n');
            }
        };
        for change in hunk {
            lines(' ', before.get(at..change.before.start));
            lines('-', before.get(change.before.clone()));
            lines('+', after.get(change.after.clone()));
            at = change.before.end;
        }
        lines(' ', before.get(at..end));
    }
    told
}

/// Lines that were replaced by others; either may be none.
#[derive(Debug, Clone, PartialEq)]
struct Change {
    before: Range<usize>,
    after: Range<usize>,
}

/// Puts changes together that are told as one.
fn hunks(changes: &[Change]) -> Vec<&[Change]> {
    changes.chunk_by(|left, right| right.before.start - left.before.end <= 2 * AROUND).collect()
}

fn range(lines: &Range<usize>) -> String {
    match lines.len() {
        1 => (lines.start + 1).to_string(),
        0 => format!("{},0", lines.start),
        length => format!("{},{length}", lines.start + 1),
    }
}

fn changes(before: &[&str], after: &[&str]) -> Vec<Change> {
    let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, line) in after.iter().enumerate() {
        places.entry(line).or_default().push(index);
    }
    if after.len() >= LONG {
        places.retain(|_, places| places.len() <= after.len() / 100 + 1);
    }
    let mut runs = Texts { before, after, places }.runs();
    runs.push(Run { before: before.len(), after: after.len(), length: 0 });
    let mut changes = Vec::new();
    let (mut left, mut right) = (0, 0);
    for run in runs {
        if left < run.before || right < run.after {
            changes.push(Change { before: left..run.before, after: right..run.after });
        }
        (left, right) = (run.before + run.length, run.after + run.length);
    }
    changes
}

/// Lines that both texts have.
#[derive(Debug, Clone, Copy)]
struct Run {
    before: usize,
    after: usize,
    length: usize,
}

struct Texts<'t> {
    before: &'t [&'t str],
    after: &'t [&'t str],
    /// Where each line of the text after stands.
    places: BTreeMap<&'t str, Vec<usize>>,
}

impl Texts<'_> {
    /// Collects the runs of the texts, in their order.
    fn runs(&self) -> Vec<Run> {
        let mut runs = Vec::new();
        // A list of its own and no recursion: there may be as many parts as there are lines.
        let mut parts = vec![(0..self.before.len(), 0..self.after.len())];
        while let Some((before, after)) = parts.pop() {
            let run = self.longest(&before, &after);
            if run.length == 0 {
                continue;
            }
            let (left, right) = (run.before + run.length, run.after + run.length);
            parts.push((before.start..run.before, after.start..run.after));
            parts.push((left..before.end, right..after.end));
            runs.push(run);
        }
        runs.sort_by_key(|run| run.before);
        runs
    }

    fn longest(&self, before: &Range<usize>, after: &Range<usize>) -> Run {
        let mut best = Run { before: before.start, after: after.start, length: 0 };
        // How long a run ends at a line of the text after, the line before being the last one looked at.
        let mut lengths: BTreeMap<usize, usize> = BTreeMap::new();
        for index in before.clone() {
            let mut longer = BTreeMap::new();
            let places = self.before.get(index).and_then(|line| self.places.get(line));
            for &place in places.into_iter().flatten().filter(|place| after.contains(place)) {
                let length = place.checked_sub(1).and_then(|place| lengths.get(&place)).unwrap_or(&0) + 1;
                longer.insert(place, length);
                if length > best.length {
                    best = Run { before: index + 1 - length, after: place + 1 - length, length };
                }
            }
            lengths = longer;
        }
        // Frequent lines begin no run, but belong to one.
        while best.before > before.start
            && best.after > after.start
            && self.before.get(best.before - 1) == self.after.get(best.after - 1)
        {
            best = Run { before: best.before - 1, after: best.after - 1, length: best.length + 1 };
        }
        while best.before + best.length < before.end
            && best.after + best.length < after.end
            && self.before.get(best.before + best.length) == self.after.get(best.after + best.length)
        {
            best.length += 1;
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_indented_by_one_space() {
        let text = "{\n \"a\": [\n  1,\n  \"x:{\\\"\"\n ],\n \"b\": {},\n \"c\": []\n}";
        assert_eq!(indented(r#"{"a":[1,"x:{\""],"b":{},"c":[]}"#), text);
    }

    #[test]
    fn a_change_is_told_with_what_surrounds_it() {
        let before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14";
        let after = "1\n2\n3\n4\nfive\n6\n7\n8\n9\n10\n11\n12\n14";
        insta::assert_snapshot!(unified(before, after), @r"
        @@ -2,7 +2,7 @@
         2
         3
         4
        -5
        +five
         6
         7
         8
        @@ -10,5 +10,4 @@
         10
         11
         12
        -13
         14
        ");
    }

    #[test]
    fn what_does_not_differ_needs_no_words() {
        assert_eq!(unified("a\nb", "a\nb"), "");
    }

    #[test]
    fn many_changes_need_no_deep_stack() {
        let text = |changed: &str| -> String {
            (0..2000).map(|line| format!("{line}{}\n", if line % 2 == 0 { changed } else { "" })).collect()
        };
        let compared = std::thread::Builder::new().stack_size(128 << 10).spawn(move || unified(&text(""), &text("x")));
        assert_eq!(compared.unwrap().join().unwrap().lines().filter(|line| line.starts_with('+')).count(), 1000);
    }
}
