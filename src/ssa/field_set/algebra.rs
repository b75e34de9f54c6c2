//! Sets put together and taken apart, in one walk over both trees.

use std::cmp::Ordering;

use super::{FieldSet, Node};

/// What becomes of nodes that only one side has, and of members that both have.
#[derive(Clone, Copy)]
struct Rule {
    only_left: bool,
    only_right: bool,
    both: bool,
}

const UNION: Rule = Rule { only_left: true, only_right: true, both: true };
const INTERSECTION: Rule = Rule { only_left: false, only_right: false, both: true };
const DIFFERENCE: Rule = Rule { only_left: true, only_right: false, both: false };

impl FieldSet {
    /// Returns the paths that are in either set.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.combined(other, UNION)
    }

    /// Returns the paths that are in both sets.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.combined(other, INTERSECTION)
    }

    /// Returns the paths that are in this set and not in the other; each path counts by itself, whatever lies below it.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.combined(other, DIFFERENCE)
    }

    /// Returns the paths that are neither in the other set nor below one of its paths.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let nodes = self
            .nodes
            .iter()
            .filter_map(|node| match other.node(&node.element) {
                None => Some(node.clone()),
                Some(taken) if taken.member => None,
                Some(taken) => node.with_children(node.member, node.children.without(&taken.children)),
            })
            .collect();
        Self { nodes }
    }

    /// Takes out the paths that are in the other set; each path counts by itself, whatever lies below it.
    pub(crate) fn subtract(&mut self, other: &Self) {
        if other.is_empty() {
            return;
        }
        self.nodes.retain_mut(|node| match other.node(&node.element) {
            None => true,
            Some(taken) => {
                node.member &= !taken.member;
                node.children.subtract(&taken.children);
                node.member || !node.children.is_empty()
            }
        });
    }

    /// Takes out the paths that are in the other set, with all that is below them.
    pub(crate) fn cut(&mut self, other: &Self) {
        if other.is_empty() {
            return;
        }
        self.nodes.retain_mut(|node| match other.node(&node.element) {
            None => true,
            Some(taken) if taken.member => false,
            Some(taken) => {
                node.children.cut(&taken.children);
                node.member || !node.children.is_empty()
            }
        });
    }

    /// Returns the paths of the set below which it has none.
    #[must_use]
    pub fn leaves(&self) -> Self {
        let nodes = self
            .nodes
            .iter()
            .filter_map(|node| node.with_children(node.member && node.children.is_empty(), node.children.leaves()))
            .collect();
        Self { nodes }
    }

    /// Tells whether every path of this set is in the other.
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        self.nodes.iter().all(|node| {
            other
                .node(&node.element)
                .is_some_and(|found| (!node.member || found.member) && node.children.is_subset(&found.children))
        })
    }

    fn combined(&self, other: &Self, rule: Rule) -> Self {
        let mut nodes = Vec::with_capacity(self.nodes.len());
        let (mut left, mut right) = (self.nodes.iter().peekable(), other.nodes.iter().peekable());
        loop {
            let ordering = match (left.peek(), right.peek()) {
                (None, None) => return Self { nodes },
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(left), Some(right)) => left.element.cmp(&right.element),
            };
            match ordering {
                Ordering::Less => nodes.extend(left.next().filter(|_| rule.only_left).cloned()),
                Ordering::Greater => nodes.extend(right.next().filter(|_| rule.only_right).cloned()),
                Ordering::Equal => {
                    if let (Some(left), Some(right)) = (left.next(), right.next()) {
                        let member = match (left.member, right.member) {
                            (true, true) => rule.both,
                            (true, false) => rule.only_left,
                            (false, true) => rule.only_right,
                            (false, false) => false,
                        };
                        nodes.extend(left.with_children(member, left.children.combined(&right.children, rule)));
                    }
                }
            }
        }
    }
}

impl Node {
    fn with_children(&self, member: bool, children: FieldSet) -> Option<Self> {
        (member || !children.is_empty()).then(|| Self { element: self.element.clone(), member, children })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{any_set, set};
    use super::*;

    proptest! {
        #[test]
        fn laws_of_sets_hold(a in any_set(), b in any_set(), c in any_set()) {
            prop_assert_eq!(a.union(&b), b.union(&a));
            prop_assert_eq!(a.intersection(&b), b.intersection(&a));
            prop_assert_eq!(a.union(&b).union(&c), a.union(&b.union(&c)));
            prop_assert_eq!(a.union(&b).difference(&c), a.difference(&c).union(&b.difference(&c)));
            prop_assert_eq!(a.difference(&b).union(&a.intersection(&b)), a.clone());
            prop_assert!(a.difference(&b).intersection(&b).is_empty());
            prop_assert!(a.without(&b).is_subset(&a.difference(&b)));
            prop_assert!(a.intersection(&b).is_subset(&a) && a.is_subset(&a.union(&b)));
            prop_assert_eq!(a.is_subset(&b), a.difference(&b).is_empty());
            let (mut subtracted, mut cut) = (a.clone(), a.clone());
            subtracted.subtract(&b);
            cut.cut(&b);
            prop_assert_eq!((subtracted, cut), (a.difference(&b), a.without(&b)));
        }

        #[test]
        fn membership_follows_the_operation(a in any_set(), b in any_set()) {
            for path in a.union(&b).iter() {
                let (in_a, in_b) = (a.contains(&path), b.contains(&path));
                prop_assert!(in_a || in_b);
                prop_assert_eq!(a.intersection(&b).contains(&path), in_a && in_b);
                prop_assert_eq!(a.difference(&b).contains(&path), in_a && !in_b);
            }
            prop_assert_eq!(a.paths().len(), a.len());
            prop_assert_eq!(a.iter().collect::<FieldSet>(), a);
        }

        #[test]
        fn the_encoding_gives_back_the_set(a in any_set()) {
            prop_assert_eq!(FieldSet::from_fields_v1(&a.to_fields_v1()).unwrap(), a);
        }
    }

    #[test]
    fn without_takes_whole_subtrees() {
        let all = set(&[".a", ".a.b", ".a.c", ".d.e"]);
        assert_eq!(all.without(&set(&[".a"])), set(&[".d.e"]));
        assert_eq!(all.difference(&set(&[".a"])), set(&[".a.b", ".a.c", ".d.e"]));
        assert_eq!(all.without(&set(&[".d"])), set(&[".a", ".a.b", ".a.c"]));
        assert_eq!(all.leaves(), set(&[".a.b", ".a.c", ".d.e"]));
    }
}
