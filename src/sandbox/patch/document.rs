//! A document while it is patched, as the library that the server uses holds it: read no deeper than a patch goes. What it
//! went through is written with its keys sorted, all else as it was.

use crate::sandbox::decode::node::Node;

/// Reads a map: its keys are sorted from now on, and of equal ones the last counts.
pub(super) fn read(node: &mut Node) {
    let Node::Map(entries) = node else { return };
    if entries.is_sorted_by(|(left, _), (right, _)| left < right) {
        return;
    }
    // Sorting keeps equal ones in their order; of neighbours it is the second that goes.
    entries.reverse();
    entries.sort_by(|(left, _), (right, _)| left.cmp(right));
    entries.dedup_by(|(left, _), (right, _)| left == right);
}

/// Reads a value and all that is in it.
pub(super) fn read_whole(node: &mut Node) {
    read(node);
    match node {
        Node::Map(entries) => entries.iter_mut().for_each(|(_, value)| read_whole(value)),
        Node::List(items) => items.iter_mut().for_each(read_whole),
        _ => {}
    }
}

fn find(entries: &[(String, Node)], key: &str) -> Result<usize, usize> {
    entries.binary_search_by(|(name, _)| name.as_str().cmp(key))
}

/// Returns the value under a key of a map that was read.
pub(super) fn entry<'n>(entries: &'n mut [(String, Node)], key: &str) -> Option<&'n mut Node> {
    let at = find(entries, key).ok()?;
    entries.get_mut(at).map(|(_, value)| value)
}

/// Puts a value under a key of a map that was read.
pub(super) fn put(entries: &mut Vec<(String, Node)>, key: String, value: Node) {
    match find(entries, &key) {
        Ok(at) => {
            if let Some((_, old)) = entries.get_mut(at) {
                *old = value;
            }
        }
        Err(at) => entries.insert(at, (key, value)),
    }
}

/// Takes a key out of a map that was read.
pub(super) fn take(entries: &mut Vec<(String, Node)>, key: &str) -> Option<Node> {
    let at = find(entries, key).ok()?;
    Some(entries.remove(at).1)
}

/// Tells whether two values are the same, whatever the order of their keys.
pub(super) fn equal(left: &Node, right: &Node) -> bool {
    let read = |node: &Node| {
        let mut node = node.clone();
        read_whole(&mut node);
        node
    };
    read(left) == read(right)
}
