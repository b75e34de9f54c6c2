//! Sets of fields: who owns what, which fields changed, what a configuration covers.
//!
//! A set is a tree whose nodes are steps of paths. A node is a *member* if the path that ends there belongs to the set;
//! an item of a list is often a member and has members below it too.

mod algebra;
mod encoded;
mod fields_v1;

use std::fmt;

use super::path::{Path, PathElement};
use super::text;

pub use fields_v1::{FieldsError, step_order};

/// A set of field paths. The root itself is never a member.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct FieldSet {
    /// Sorted by element; none is neither a member nor has children.
    nodes: Vec<Node>,
}

/// One step, with what lies below it.
#[derive(Clone, PartialEq, Eq)]
struct Node {
    element: PathElement,
    member: bool,
    children: FieldSet,
}

impl FieldSet {
    /// Makes an empty set.
    #[must_use]
    pub const fn new() -> Self {
        Self { nodes: Vec::new() }
    }

    /// Tells whether no path is in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Returns the number of paths in the set.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.iter().map(|node| usize::from(node.member) + node.children.len()).sum()
    }

    /// Adds a path; the root is left out.
    pub fn insert(&mut self, path: &[PathElement]) {
        let Some((last, parents)) = path.split_last() else { return };
        let mut set = self;
        for element in parents {
            set = &mut set.node_mut(element.clone()).children;
        }
        set.node_mut(last.clone()).member = true;
    }

    /// Adds one step with what lies below it. A step that is no member and has nothing below it is left out.
    pub(crate) fn insert_node(&mut self, element: PathElement, member: bool, children: Self) {
        if !member && children.is_empty() {
            return;
        }
        let node = self.node_mut(element);
        node.member |= member;
        if node.children.is_empty() {
            node.children = children;
        } else {
            node.children = node.children.union(&children);
        }
    }

    /// Adds one step as a member, and drops what lies below it.
    pub(crate) fn insert_bare(&mut self, element: PathElement) {
        let node = self.node_mut(element);
        node.member = true;
        node.children = Self::new();
    }

    fn node_mut(&mut self, element: PathElement) -> &mut Node {
        // Most sets are built in order, so the end is tried first.
        let place = match self.nodes.last() {
            Some(last) if last.element >= element => self.nodes.binary_search_by(|node| node.element.cmp(&element)),
            _ => Err(self.nodes.len()),
        };
        match place {
            Ok(index) => &mut self.nodes[index],
            Err(index) => {
                self.nodes.insert(index, Node { element, member: false, children: Self::new() });
                &mut self.nodes[index]
            }
        }
    }

    fn node(&self, element: &PathElement) -> Option<&Node> {
        self.nodes.binary_search_by(|node| node.element.cmp(element)).ok().map(|index| &self.nodes[index])
    }

    /// Tells whether the path itself is in the set.
    #[must_use]
    pub fn contains(&self, path: &[PathElement]) -> bool {
        let Some((last, parents)) = path.split_last() else { return false };
        self.below(parents).and_then(|set| set.node(last)).is_some_and(|node| node.member)
    }

    /// Tells whether a value at the path belongs to the set, as itself or inside a member that has nothing below it.
    #[must_use]
    pub fn covers(&self, path: &[PathElement]) -> bool {
        let mut set = self;
        for (index, element) in path.iter().enumerate() {
            let Some(node) = set.node(element) else { return false };
            if node.member && (node.children.is_empty() || index + 1 == path.len()) {
                return true;
            }
            set = &node.children;
        }
        false
    }

    /// Returns what lies below a path, where anything does; the whole set for the root.
    #[must_use]
    pub fn below(&self, path: &[PathElement]) -> Option<&Self> {
        path.iter().try_fold(self, |set, element| set.node(element).map(|node| &node.children))
    }

    /// Goes through the first steps in order: each with whether it is a member itself and what lies below it.
    pub fn children(&self) -> impl Iterator<Item = (&PathElement, bool, &Self)> {
        self.nodes.iter().map(|node| (&node.element, node.member, &node.children))
    }

    /// Returns one first step: whether it is a member itself and what lies below it.
    #[must_use]
    pub fn child(&self, element: &PathElement) -> Option<(bool, &Self)> {
        self.node(element).map(|node| (node.member, &node.children))
    }

    /// Returns the step into a field, found without making an element for it.
    pub(crate) fn field(&self, name: &str) -> Option<(bool, &Self)> {
        self.child_by(|element| match element {
            PathElement::Field(field) => text::order(field, name),
            _ => std::cmp::Ordering::Greater,
        })
        .map(|(_, member, below)| (member, below))
    }

    /// Returns the step that `order` finds equal, where `order` tells how an element lies to what is sought.
    pub(crate) fn child_by(
        &self,
        order: impl Fn(&PathElement) -> std::cmp::Ordering,
    ) -> Option<(&PathElement, bool, &Self)> {
        let index = self.nodes.binary_search_by(|node| order(&node.element)).ok()?;
        let node = &self.nodes[index];
        Some((&node.element, node.member, &node.children))
    }

    /// Returns the paths in the server's order: those that end at a level, then those that go on below it.
    #[must_use]
    pub fn paths(&self) -> Vec<Path> {
        let mut paths = Vec::with_capacity(self.len());
        self.collect(&mut Vec::new(), &mut paths);
        paths
    }

    /// Goes through [`paths`](Self::paths).
    pub fn iter(&self) -> impl Iterator<Item = Path> {
        self.paths().into_iter()
    }

    fn collect(&self, prefix: &mut Vec<PathElement>, paths: &mut Vec<Path>) {
        for node in self.nodes.iter().filter(|node| node.member) {
            let mut path = Vec::with_capacity(prefix.len() + 1);
            path.extend_from_slice(prefix);
            path.push(node.element.clone());
            paths.push(Path(path));
        }
        for node in &self.nodes {
            prefix.push(node.element.clone());
            node.children.collect(prefix, paths);
            prefix.pop();
        }
    }
}

impl FromIterator<Path> for FieldSet {
    fn from_iter<I: IntoIterator<Item = Path>>(paths: I) -> Self {
        let mut set = Self::new();
        for path in paths {
            set.insert(&path);
        }
        set
    }
}

impl fmt::Debug for FieldSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(|path| path.to_string())).finish()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn set(paths: &[&str]) -> FieldSet {
        paths.iter().map(|path| Path::parse(path).unwrap()).collect()
    }

    pub(super) fn any_set() -> impl Strategy<Value = FieldSet> {
        let element = prop_oneof![
            "[abc]".prop_map(PathElement::Field),
            "[ab]".prop_map(|name| PathElement::Key([("name".to_owned(), name.into())].into())),
            (0..2_i64).prop_map(|number| PathElement::Value(number.into())),
        ];
        proptest::collection::vec(proptest::collection::vec(element, 1..4).prop_map(Path), 0..8)
            .prop_map(|paths| paths.into_iter().collect())
    }

    #[test]
    fn a_level_is_listed_before_what_lies_below_it() {
        let set = set(&[".b", ".a.x", ".a", ".c[name=\"k\"].v", ".c[name=\"k\"]"]);
        let texts: Vec<_> = set.iter().map(|path| path.to_string()).collect();
        assert_eq!(texts, [".a", ".b", ".a.x", ".c[name=\"k\"]", ".c[name=\"k\"].v"]);
        assert_eq!(set.len(), 5);
    }

    #[test]
    fn membership_is_of_the_path_itself_and_covering_of_what_is_inside() {
        let set = set(&[".spec.selector", ".spec.list[name=\"a\"]", ".spec.list[name=\"a\"].x"]);
        let path = |text| Path::parse(text).unwrap();
        assert!(set.contains(&path(".spec.selector")));
        assert!(!set.contains(&path(".spec")));
        assert!(set.covers(&path(".spec.selector.matchLabels.app")));
        assert!(set.covers(&path(".spec.list[name=\"a\"]")));
        assert!(!set.covers(&path(".spec.list[name=\"a\"].y")));
        assert!(!set.contains(&[]));
    }
}
