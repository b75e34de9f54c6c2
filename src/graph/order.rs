//! The order: what must come first comes first, and every free choice falls on the node that sorts first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::edge::RawEdge;
use super::rank::Rank;

/// Orders nodes, given the rank of each, so that every edge goes from a later node to an earlier one. Returns the numbers in
/// order, or those of the nodes that are in a cycle or wait for one.
///
/// Kahn's algorithm with a heap: at each step the free node with the lowest rank, and of these the lowest number, comes next.
pub(super) fn order(ranks: &[Rank], edges: &[RawEdge]) -> Result<Vec<u32>, Vec<u32>> {
    let count = ranks.len();
    let mut waiting_for = vec![0u32; count];
    let mut starts = vec![0u32; count + 1];
    for edge in edges {
        waiting_for[edge.from as usize] += 1;
        starts[edge.to as usize + 1] += 1;
    }
    for at in 1..=count {
        starts[at] += starts[at - 1];
    }
    let mut free_slot = starts.clone();
    let mut dependents = vec![0u32; edges.len()];
    for edge in edges {
        let slot = &mut free_slot[edge.to as usize];
        dependents[*slot as usize] = edge.from;
        *slot += 1;
    }

    let first = (0u32..).zip(&waiting_for).filter(|(_, count)| **count == 0);
    let mut free: BinaryHeap<Reverse<(Rank, u32)>> =
        first.map(|(number, _)| Reverse((ranks[number as usize], number))).collect();
    let mut ordered = Vec::with_capacity(count);
    while let Some(Reverse((_, number))) = free.pop() {
        ordered.push(number);
        let range = starts[number as usize] as usize..starts[number as usize + 1] as usize;
        for dependent in &dependents[range] {
            let left = &mut waiting_for[*dependent as usize];
            *left -= 1;
            if *left == 0 {
                free.push(Reverse((ranks[*dependent as usize], *dependent)));
            }
        }
    }
    if ordered.len() == count {
        return Ok(ordered);
    }
    Err((0u32..).zip(waiting_for).filter(|(_, left)| *left > 0).map(|(number, _)| number).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(pairs: &[(u32, u32)]) -> Vec<RawEdge> {
        pairs.iter().map(|(from, to)| RawEdge { from: *from, to: *to, reason: String::new() }).collect()
    }

    #[test]
    fn the_lowest_free_number_comes_next() {
        assert_eq!(order(&[Rank::Config; 4], &edges(&[(0, 3), (1, 3)])), Ok(vec![2, 3, 0, 1]));
        assert_eq!(order(&[], &[]), Ok(vec![]));
    }

    #[test]
    fn a_lower_rank_comes_before_a_lower_number() {
        assert_eq!(order(&[Rank::Workload, Rank::Config, Rank::Config], &edges(&[(1, 2)])), Ok(vec![2, 1, 0]));
    }

    #[test]
    fn what_is_left_over_is_returned() {
        assert_eq!(order(&[Rank::Config; 4], &edges(&[(0, 1), (1, 0), (2, 1)])), Err(vec![0, 1, 2]));
    }
}
