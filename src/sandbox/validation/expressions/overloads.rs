//! The functions that there are, with what they take and give.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::bindings::Bindings;
use super::sorts::{Sort, written};

/// What a function takes and gives; the first argument of a member is what it is called on.
struct Overload {
    is_member: bool,
    takes: Vec<Sort>,
    gives: Sort,
    /// How many different open sorts it has.
    open: usize,
}

/// The table beside this file has a line for each function: its name, then its overloads, what each takes before a colon
/// and what it gives after it. A dot before it: it is a member. The order is the server's.
static FUNCTIONS: LazyLock<BTreeMap<&'static str, Vec<Overload>>> = LazyLock::new(|| {
    let functions = include_str!("functions.txt").lines().filter_map(|line| line.split_once(' '));
    functions.map(|(name, overloads)| (name, overloads.split(' ').filter_map(overload).collect())).collect()
});

fn overload(text: &'static str) -> Option<Overload> {
    let (mut rest, gives) = text.rsplit_once(':')?;
    let is_member = rest.starts_with('.');
    rest = rest.trim_start_matches('.');
    let mut takes = Vec::new();
    while !rest.is_empty() {
        let (sort, after) = written(rest)?;
        takes.push(sort);
        rest = after;
    }
    let (gives, _) = written(gives)?;
    let open = ["A", "B", "C"].iter().filter(|letter| has_open(text, letter)).count();
    Some(Overload { is_member, takes, gives, open })
}

/// Letters within the names of structures stand for nothing.
fn has_open(text: &str, letter: &str) -> bool {
    text.split(['<', '(']).any(|part| part.split_once(['>', ')']).map_or(part, |(_, after)| after).contains(letter))
}

/// Tells whether there is a function of the name.
pub(super) fn is_declared(name: &str) -> bool {
    FUNCTIONS.contains_key(name)
}

/// Looks what a function gives for some arguments; nothing if it does not take them.
pub(super) fn call(name: &str, is_member: bool, arguments: &[Sort], bindings: &mut Bindings) -> Option<Sort> {
    let mut gives: Option<Sort> = None;
    for overload in FUNCTIONS.get(name)?.iter().filter(|overload| overload.is_member == is_member) {
        if overload.takes.len() != arguments.len() {
            continue;
        }
        let fresh: Vec<Sort> = (0..overload.open).map(|_| bindings.open()).collect();
        let takes: Vec<Sort> = overload.takes.iter().map(|taken| Bindings::fresh(taken, &fresh)).collect();
        if !bindings.are_assignable(arguments.iter().zip(&takes)) {
            continue;
        }
        let sort = bindings.filled(&Bindings::fresh(&overload.gives, &fresh));
        gives = Some(match gives {
            Some(before) if before != sort => Sort::Dyn,
            _ => sort,
        });
    }
    gives
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read() {
        for line in include_str!("functions.txt").lines() {
            let (name, overloads) = line.split_once(' ').unwrap();
            assert_eq!(FUNCTIONS[name].len(), overloads.split(' ').count(), "{line}");
        }
    }
}
