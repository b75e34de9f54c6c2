//! Counting down: which nodes may start now. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::graph::NodeId;
use crate::plan::{Action, Change, Plan, Reason};

/// What a node of the walk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// A change of the plan, by its place in it.
    Change(usize),
    /// A check.
    Check,
    /// Nothing: whoever waits for it waits for what it would have waited for.
    Nothing,
    /// It may not be done, and so may nothing that waits for it.
    Refused,
}

impl Work {
    fn of(index: usize, change: &Change, with_waiting: bool) -> Self {
        match change.action {
            Action::NoChange if with_waiting && is_waited_for(change) => Self::Change(index),
            Action::NoChange | Action::Keep => Self::Nothing,
            Action::Refuse => Self::Refused,
            _ => Self::Change(index),
        }
    }

    fn is_real(self) -> bool {
        matches!(self, Self::Change(_) | Self::Check)
    }
}

/// The nodes still to be done, and what each waits for.
#[derive(Debug)]
pub(super) struct Order {
    work: BTreeMap<NodeId, Work>,
    waits_for: HashMap<NodeId, usize>,
    dependents: HashMap<NodeId, Vec<NodeId>>,
    ready: BTreeSet<(usize, NodeId)>,
    rank: HashMap<NodeId, usize>,
}

/// Tells whether a change is anything to do on the cluster or in the state.
fn is_work(change: &Change) -> bool {
    !matches!(change.action, Action::NoChange | Action::Keep | Action::Refuse)
}

/// Tells whether a change is nothing to write, but something to wait for.
fn is_waited_for(change: &Change) -> bool {
    change.action == Action::NoChange && matches!(change.reason, Reason::NotReady(_))
}

impl Order {
    /// Lays out a plan's work; checks are part of it where `with_checks`, and what is unchanged but not ready where
    /// `with_waiting`.
    pub(super) fn new(plan: &Plan, with_checks: bool, with_waiting: bool) -> Self {
        let mut work = BTreeMap::new();
        let mut edges = Vec::new();
        let mut rank = HashMap::new();
        let has_work = (with_checks && !plan.checks.is_empty())
            || plan.changes.iter().any(|change| is_work(change) || (with_waiting && is_waited_for(change)));
        for (index, change) in plan.changes.iter().enumerate().filter(|_| has_work) {
            let id = NodeId::Resource(change.address.clone());
            edges.push((id.clone(), &change.depends_on));
            rank.insert(id.clone(), index);
            work.insert(id, Work::of(index, change, with_waiting));
        }
        for (name, depends_on) in plan.checks.iter().filter(|_| with_checks) {
            let id = NodeId::Check(name.clone());
            edges.push((id.clone(), depends_on));
            rank.insert(id.clone(), plan.changes.len());
            work.insert(id, Work::Check);
        }
        let mut order =
            Self { waits_for: HashMap::new(), dependents: HashMap::new(), ready: BTreeSet::new(), rank, work };
        let mut free = Vec::new();
        for (id, depends_on) in edges {
            let real: BTreeSet<&NodeId> =
                depends_on.iter().filter(|on| **on != id && order.work.contains_key(on)).collect();
            order.waits_for.insert(id.clone(), real.len());
            for on in &real {
                order.dependents.entry((*on).clone()).or_default().push(id.clone());
            }
            if real.is_empty() {
                free.push(id);
            }
        }
        order.release(free);
        order
    }

    /// Makes nodes ready whose dependencies are done. One that is nothing to do is done at once.
    fn release(&mut self, mut free: Vec<NodeId>) {
        while let Some(id) = free.pop() {
            match self.work.get(&id) {
                Some(Work::Change(_) | Work::Check) => {
                    self.ready.insert((self.rank[&id], id));
                }
                Some(Work::Nothing) => {
                    self.work.remove(&id);
                    free.extend(self.freed_by(&id));
                }
                Some(Work::Refused) | None => {}
            }
        }
    }

    /// Counts down those that wait for a node, and returns whichever waits for nothing more.
    fn freed_by(&mut self, id: &NodeId) -> Vec<NodeId> {
        let mut freed = self.dependents.remove(id).unwrap_or_default();
        freed.retain(|dependent| {
            let Some(count) = self.waits_for.get_mut(dependent) else { return false };
            *count -= 1;
            *count == 0
        });
        freed
    }

    /// Counts the changes that are anything to do.
    pub(super) fn changes(&self) -> usize {
        self.work.values().filter(|work| matches!(work, Work::Change(_))).count()
    }

    /// Tells whether a node may start.
    pub(super) fn is_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Takes the next node that may start.
    pub(super) fn start(&mut self) -> Option<(NodeId, Work)> {
        let (_, id) = self.ready.pop_first()?;
        let work = self.work.remove(&id)?;
        Some((id, work))
    }

    /// Notes that a node is done: those that waited for it alone become ready.
    pub(super) fn done(&mut self, id: &NodeId) {
        let freed = self.freed_by(id);
        self.release(freed);
    }

    /// Notes that a node failed or is refused, and returns what can no longer be done because of it.
    pub(super) fn failed(&mut self, id: &NodeId) -> Vec<(NodeId, Work)> {
        let mut lost = Vec::new();
        let mut next = self.dependents.remove(id).unwrap_or_default();
        while let Some(dependent) = next.pop() {
            if let Some(work) = self.work.remove(&dependent) {
                next.extend(self.dependents.remove(&dependent).unwrap_or_default());
                lost.extend(work.is_real().then_some((dependent, work)));
            }
        }
        lost.sort_by(|left, right| (self.rank[&left.0], &left.0).cmp(&(self.rank[&right.0], &right.0)));
        lost
    }

    /// Gives up: returns everything that was not started.
    pub(super) fn abandon(&mut self) -> Vec<(NodeId, Work)> {
        self.ready.clear();
        std::mem::take(&mut self.work).into_iter().filter(|(_, work)| work.is_real()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Base, Certainty, Precondition};
    use crate::resource::{Address, Digest, ObjectRef};

    fn id(name: &str) -> NodeId {
        NodeId::Resource(Address::from_text(name))
    }

    fn plan(edges: &[(&str, &[&str])]) -> Plan {
        let changes = edges.iter().map(|(name, depends_on)| Change {
            address: Address::from_text(*name),
            object: ObjectRef::new("", "ConfigMap", None, name),
            api_version: "v1".to_owned(),
            action: Action::Create,
            reason: Reason::Missing,
            diff: Vec::new(),
            forced: Vec::new(),
            consequences: Vec::new(),
            certainty: Certainty::Proved,
            precondition: Precondition::default(),
            manifest: None,
            depends_on: depends_on.iter().map(|name| id(name)).collect(),
            depends_on_objects: Vec::new(),
            desired: None,
            protect: false,
        });
        Plan {
            base: Base {
                stack: "s".to_owned(),
                namespace: "n".to_owned(),
                stack_digest: Digest::of_bytes(b""),
                cluster: crate::live::ClusterIdentity("c".to_owned()),
                lineage: None,
                serial: crate::state::Serial(0),
            },
            destroy: false,
            changes: changes.collect(),
            checks: BTreeMap::from([("works".to_owned(), vec![id("b")])]),
            with_extra_manifests: false,
            warnings: Vec::new(),
        }
    }

    fn all_ready(order: &mut Order) -> Vec<String> {
        std::iter::from_fn(|| order.start()).map(|(id, _)| id.to_string()).collect()
    }

    #[test]
    fn a_node_starts_the_moment_its_own_dependencies_are_done() {
        let mut order =
            Order::new(&plan(&[("a", &[]), ("b", &["a"]), ("c", &["a", "b"]), ("d", &["elsewhere"])]), true, true);
        assert_eq!(all_ready(&mut order), ["a", "d"]);
        order.done(&id("a"));
        assert_eq!(all_ready(&mut order), ["b"]);
        order.done(&id("b"));
        assert_eq!(all_ready(&mut order), ["c", "check/works"]);
    }

    #[test]
    fn what_depends_on_a_failed_node_is_lost_and_the_rest_goes_on() {
        let mut order = Order::new(&plan(&[("a", &[]), ("b", &["a"]), ("c", &["b"]), ("d", &[])]), true, true);
        assert_eq!(all_ready(&mut order), ["a", "d"]);
        let lost: Vec<String> = order.failed(&id("a")).into_iter().map(|(id, _)| id.to_string()).collect();
        assert_eq!(lost, ["b", "c", "check/works"]);
        assert!(order.abandon().is_empty());
    }
}
