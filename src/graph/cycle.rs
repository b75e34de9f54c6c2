//! Cycles, told whole.

use std::collections::VecDeque;
use std::fmt;

use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;

use super::edge::RawEdge;
use super::{NodeId, NodeInput};

/// One edge of a cycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CycleStep {
    /// The node that waits.
    pub from: NodeId,
    /// The node it waits for: the next step's `from`, and the first one's for the last step.
    pub to: NodeId,
    /// Why.
    pub reason: String,
}

/// Nodes that wait for each other in a circle: a shortest one, whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Cycle {
    /// Its edges, in turn; begins with the node that sorts first.
    pub steps: Vec<CycleStep>,
    /// How many groups of nodes with circles among them the graph has besides this one.
    pub others: usize,
}

impl fmt::Display for Cycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "these wait for each other in a circle:")?;
        for step in &self.steps {
            write!(f, "\n  `{}` waits for `{}`: {}", step.from, step.to, step.reason)?;
        }
        match self.others {
            0 => Ok(()),
            1 => write!(f, "\nand there is another circle elsewhere"),
            others => write!(f, "\nand there are {others} more circles elsewhere"),
        }
    }
}

/// The longest knot in which a shortest circle is looked for from every node. In a larger one the circle is a shortest
/// through the node that sorts first, which costs one walk instead of as many as there are nodes.
const EXHAUSTIVE: usize = 512;

/// Finds a shortest cycle among the nodes that an order left over; there always is one. The numbers are those of the
/// edges.
pub(super) fn find(nodes: &[NodeInput<'_>], edges: &[RawEdge], left_over: &[u32]) -> Cycle {
    let mut graph = DiGraph::<u32, usize>::with_capacity(left_over.len(), edges.len());
    let mut index = vec![None; nodes.len()];
    for number in left_over {
        index[*number as usize] = Some(graph.add_node(*number));
    }
    for (at, edge) in edges.iter().enumerate() {
        if let (Some(from), Some(to)) = (index[edge.from as usize], index[edge.to as usize]) {
            graph.add_edge(from, to, at);
        }
    }
    let mut knots: Vec<Vec<u32>> = tarjan_scc(&graph)
        .into_iter()
        .filter(|knot| knot.len() > 1)
        .map(|knot| {
            let mut numbers: Vec<u32> = knot.into_iter().map(|node| graph[node]).collect();
            numbers.sort_unstable();
            numbers
        })
        .collect();
    knots.sort_unstable();
    let others = knots.len().saturating_sub(1);
    let knot = knots.first().map_or(&[][..], Vec::as_slice);

    let mut member = vec![false; nodes.len()];
    knot.iter().for_each(|number| member[*number as usize] = true);
    let mut leaving: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    for (at, edge) in edges.iter().enumerate() {
        if member[edge.from as usize] && member[edge.to as usize] {
            leaving[edge.from as usize].push(at);
        }
    }
    let starts = if knot.len() <= EXHAUSTIVE { knot } else { &knot[..1] };
    let circle = starts.iter().filter_map(|start| circle_through(*start, edges, &leaving)).min_by_key(Vec::len);
    let circle = circle.unwrap_or_default();
    let lowest = (0..circle.len()).min_by_key(|at| edges[circle[*at]].from).unwrap_or(0);
    let steps = circle[lowest..]
        .iter()
        .chain(&circle[..lowest])
        .map(|at| {
            let edge = &edges[*at];
            CycleStep {
                from: nodes[edge.from as usize].id.clone(),
                to: nodes[edge.to as usize].id.clone(),
                reason: edge.reason.clone(),
            }
        })
        .collect();
    Cycle { steps, others }
}

/// Walks breadth first from a node until it meets the node again; returns the edges of the way.
fn circle_through(start: u32, edges: &[RawEdge], leaving: &[Vec<usize>]) -> Option<Vec<usize>> {
    let mut reached_by: Vec<Option<usize>> = vec![None; leaving.len()];
    let mut queue = VecDeque::from([start]);
    while let Some(number) = queue.pop_front() {
        for at in &leaving[number as usize] {
            let to = edges[*at].to;
            if to == start {
                let mut way = vec![*at];
                let mut here = number;
                while here != start {
                    let by = reached_by[here as usize]?;
                    way.push(by);
                    here = edges[by].from;
                }
                way.reverse();
                return Some(way);
            }
            if reached_by[to as usize].is_none() {
                reached_by[to as usize] = Some(*at);
                queue.push_back(to);
            }
        }
    }
    None
}
