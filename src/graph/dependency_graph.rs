//! The [`DependencyGraph`] value.

use super::edge::{Edge, External, RawEdge};
use super::name_hash::NameIndex;
use super::objects::Objects;
use super::rank::Rank;
use super::{Cycle, NodeId, NodeInput, cycle, edge, infer, order};

/// The place of a node in the order, from 0: what a walk counts with instead of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIndex(pub u32);

impl NodeIndex {
    fn at(self) -> usize {
        self.0 as usize
    }
}

/// The nodes of a stack in an order in which each comes after all that it waits for.
///
/// The order is the same however the nodes were given. There is at most one edge between two nodes; it says all the
/// reasons. Backwards, it is the order of deletes.
#[derive(Debug, Clone)]
pub struct DependencyGraph {
    nodes: Vec<NodeId>,
    by_id: NameIndex,
    /// By the waiting node, each node's in `dependency_starts[at]..dependency_starts[at + 1]`.
    dependencies: Vec<NodeIndex>,
    reasons: Vec<String>,
    dependency_starts: Vec<u32>,
    /// By the node waited for: the waiting node and the place of the edge in `dependencies`.
    dependents: Vec<(NodeIndex, u32)>,
    dependent_starts: Vec<u32>,
    external: Vec<External>,
}

impl DependencyGraph {
    /// Infers the edges from what the objects refer to, adds the declared ones, and orders the nodes.
    ///
    /// Ids are unique; a node whose id was given already is dropped. A declared edge to a node that was not given is no
    /// edge: who takes the declaration checks that it names something.
    ///
    /// # Errors
    /// Returns a shortest cycle where nodes wait for each other.
    pub fn build(mut nodes: Vec<NodeInput<'_>>) -> Result<Self, Cycle> {
        // Stacks hand their nodes over by address, so that this mostly only looks.
        if !nodes.is_sorted_by(|node, next| node.id < next.id) {
            nodes.sort_by(|node, other| node.id.cmp(&other.id));
            nodes.dedup_by(|later, earlier| later.id == earlier.id);
        }
        let ranks: Vec<Rank> = nodes.iter().map(Rank::of).collect();
        let by_id = NameIndex::new(nodes.iter().map(|node| &node.id));

        let mut declared = Vec::with_capacity(nodes.len() * 3);
        for from in 0..nodes.len() {
            for (id, reason) in std::mem::take(&mut nodes[from].depends_on) {
                if let Some(to) = by_id.find(&id, |at| &nodes[at as usize].id) {
                    declared.push(RawEdge { from: from as u32, to, reason });
                }
            }
        }
        let inferred = infer::edges(&Objects::new(&nodes, &by_id), declared);
        let edges = edge::merge(inferred.edges);
        match order::order(&ranks, &edges) {
            Ok(ordered) => Ok(Self::assemble(nodes, by_id, &ordered, edges, inferred.external)),
            Err(left_over) => Err(cycle::find(&nodes, &edges, &left_over)),
        }
    }

    fn assemble(
        nodes: Vec<NodeInput<'_>>,
        mut by_id: NameIndex,
        ordered: &[u32],
        mut edges: Vec<RawEdge>,
        mut external: Vec<External>,
    ) -> Self {
        let count = nodes.len();
        let mut place = vec![NodeIndex(0); count];
        for (at, number) in (0u32..).zip(ordered) {
            place[*number as usize] = NodeIndex(at);
        }

        // The edges are sorted by `from`: each node's are one stretch, which only moves as a whole.
        let stretches = starts(count, edges.iter().map(|edge| NodeIndex(edge.from)));
        let mut dependencies = Vec::with_capacity(edges.len());
        let mut reasons = Vec::with_capacity(edges.len());
        let mut dependency_starts = Vec::with_capacity(count + 1);
        dependency_starts.push(0);
        let mut total = 0;
        for number in ordered {
            let stretch = &mut edges[range(&stretches, NodeIndex(*number))];
            stretch.sort_unstable_by_key(|edge| place[edge.to as usize]);
            for edge in stretch.iter_mut() {
                dependencies.push(place[edge.to as usize]);
                reasons.push(std::mem::take(&mut edge.reason));
                total += 1;
            }
            dependency_starts.push(total);
        }

        let dependent_starts = starts(count, dependencies.iter().copied());
        let mut free_slot = dependent_starts.clone();
        let mut dependents = vec![(NodeIndex(0), 0); dependencies.len()];
        for from in (0u32..).map(NodeIndex).take(count) {
            for at in range(&dependency_starts, from) {
                let slot = &mut free_slot[dependencies[at].at()];
                // The number of edges was counted in a u32 above.
                dependents[*slot as usize] = (from, at as u32);
                *slot += 1;
            }
        }

        external.sort_unstable();
        external.dedup();
        by_id.renumber(|number| place[number as usize].0);
        let mut names: Vec<Option<NodeId>> = nodes.into_iter().map(|node| Some(node.id)).collect();
        Self {
            nodes: ordered.iter().filter_map(|number| names[*number as usize].take()).collect(),
            by_id,
            dependencies,
            reasons,
            dependency_starts,
            dependents,
            dependent_starts,
            external,
        }
    }

    /// Returns the nodes in order.
    #[must_use]
    pub fn order(&self) -> &[NodeId] {
        &self.nodes
    }

    /// Returns how many nodes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Tells whether there is no node.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Returns the indices in order; backwards for deletes.
    pub fn indices(&self) -> impl DoubleEndedIterator<Item = NodeIndex> + ExactSizeIterator + use<> {
        (0..u32::try_from(self.nodes.len()).unwrap_or(u32::MAX)).map(NodeIndex)
    }

    /// Finds a node.
    #[must_use]
    pub fn index_of(&self, id: &NodeId) -> Option<NodeIndex> {
        self.by_id.find(id, |at| &self.nodes[at as usize]).map(NodeIndex)
    }

    /// Returns the name of a node.
    ///
    /// # Panics
    /// If the index is another graph's and out of range here.
    #[must_use]
    pub fn node(&self, index: NodeIndex) -> &NodeId {
        &self.nodes[index.at()]
    }

    /// Returns what a node waits for, with the reasons, in order. Nothing for a node that is not in the graph.
    pub fn dependencies(&self, id: &NodeId) -> impl Iterator<Item = (&NodeId, &str)> {
        let range = self.index_of(id).map_or(0..0, |index| range(&self.dependency_starts, index));
        range.map(|at| (self.node(self.dependencies[at]), self.reasons[at].as_str()))
    }

    /// Returns what waits for a node, with the reasons, in order. Nothing for a node that is not in the graph.
    pub fn dependents(&self, id: &NodeId) -> impl Iterator<Item = (&NodeId, &str)> {
        let range = self.index_of(id).map_or(0..0, |index| range(&self.dependent_starts, index));
        range.map(|at| {
            let (dependent, edge) = self.dependents[at];
            (self.node(dependent), self.reasons[edge as usize].as_str())
        })
    }

    /// Returns the nodes that a node waits for.
    #[must_use]
    pub fn dependency_indices(&self, index: NodeIndex) -> &[NodeIndex] {
        &self.dependencies[range(&self.dependency_starts, index)]
    }

    /// Returns all edges, by the waiting node and then by the one waited for.
    pub fn edges(&self) -> impl Iterator<Item = Edge<'_>> {
        self.indices().flat_map(move |from| {
            range(&self.dependency_starts, from).map(move |at| Edge {
                from: self.node(from),
                to: self.node(self.dependencies[at]),
                reason: &self.reasons[at],
            })
        })
    }

    /// Returns how many edges there are.
    #[must_use]
    pub fn edge_count(&self) -> usize {
        self.dependencies.len()
    }

    /// Returns the references to objects outside the graph.
    #[must_use]
    pub fn external(&self) -> &[External] {
        &self.external
    }

    /// Returns the nodes in waves: each wave waits for nodes of earlier ones only, and is as early as it can be. For
    /// display: execution has no such barriers.
    #[must_use]
    pub fn waves(&self) -> Vec<Vec<NodeIndex>> {
        let mut wave_of = vec![0usize; self.nodes.len()];
        let mut waves: Vec<Vec<NodeIndex>> = Vec::new();
        for index in self.indices() {
            let wave =
                self.dependency_indices(index).iter().map(|earlier| wave_of[earlier.at()] + 1).max().unwrap_or(0);
            wave_of[index.at()] = wave;
            if waves.len() <= wave {
                waves.push(Vec::new());
            }
            waves[wave].push(index);
        }
        waves
    }
}

fn range(starts: &[u32], index: NodeIndex) -> std::ops::Range<usize> {
    starts[index.at()] as usize..starts[index.at() + 1] as usize
}

/// Returns where each node's stretch begins in a list that is sorted by node, in whatever order it comes here.
fn starts(count: usize, members: impl Iterator<Item = NodeIndex>) -> Vec<u32> {
    let mut starts = vec![0u32; count + 1];
    members.for_each(|index| starts[index.at() + 1] += 1);
    for at in 1..=count {
        starts[at] += starts[at - 1];
    }
    starts
}
