//! Directed graphs with weights: shortest paths, topological order, strongly connected parts.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

pub type NodeId = usize;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    pub to: NodeId,
    pub weight: u64,
}

/// A graph as lists of outgoing edges.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    edges: Vec<Vec<Edge>>,
}

/// A path and what it costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    pub cost: u64,
    pub nodes: Vec<NodeId>,
}

impl Graph {
    pub fn with_nodes(count: usize) -> Self {
        Self { edges: vec![Vec::new(); count] }
    }

    pub fn len(&self) -> usize {
        self.edges.len()
    }

    pub fn is_empty(&self) -> bool {
        self.edges.is_empty()
    }

    /// # Panics
    ///
    /// When one of the nodes does not exist.
    pub fn connect(&mut self, from: NodeId, to: NodeId, weight: u64) -> &mut Self {
        assert!(to < self.len(), "node {to} does not exist");
        self.edges[from].push(Edge { to, weight });
        self
    }

    pub fn neighbours(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        self.edges[node].iter().map(|edge| edge.to)
    }

    /// Dijkstra's algorithm. `None` when there is no way.
    pub fn shortest_route(&self, start: NodeId, goal: NodeId) -> Option<Route> {
        let mut cost = vec![u64::MAX; self.len()];
        let mut came_from = vec![None; self.len()];
        let mut queue = BinaryHeap::new();
        cost[start] = 0;
        queue.push(Reverse((0, start)));

        while let Some(Reverse((so_far, node))) = queue.pop() {
            if node == goal {
                return Some(Route { cost: so_far, nodes: trace_back(&came_from, goal) });
            }
            if so_far > cost[node] {
                continue; // an outdated entry: a shorter way was found meanwhile
            }
            for edge in &self.edges[node] {
                let through = so_far.saturating_add(edge.weight);
                if through < cost[edge.to] {
                    cost[edge.to] = through;
                    came_from[edge.to] = Some(node);
                    queue.push(Reverse((through, edge.to)));
                }
            }
        }
        None
    }

    /// Kahn's algorithm. `None` when the graph has a cycle.
    pub fn topological_order(&self) -> Option<Vec<NodeId>> {
        let mut incoming = vec![0usize; self.len()];
        for edge in self.edges.iter().flatten() {
            incoming[edge.to] += 1;
        }
        let mut ready: VecDeque<NodeId> =
            (0..self.len()).filter(|&node| incoming[node] == 0).collect();
        let mut order = Vec::with_capacity(self.len());
        while let Some(node) = ready.pop_front() {
            order.push(node);
            for next in self.neighbours(node) {
                incoming[next] -= 1;
                if incoming[next] == 0 {
                    ready.push_back(next);
                }
            }
        }
        (order.len() == self.len()).then_some(order)
    }

    pub fn reversed(&self) -> Self {
        let mut result = Self::with_nodes(self.len());
        for (from, edges) in self.edges.iter().enumerate() {
            for edge in edges {
                result.connect(edge.to, from, edge.weight);
            }
        }
        result
    }

    fn visit(&self, node: NodeId, seen: &mut [bool], finished: &mut Vec<NodeId>) {
        // An explicit stack: deep graphs must not overflow the call stack.
        let mut stack = vec![(node, 0)];
        seen[node] = true;
        while let Some((current, next_edge)) = stack.pop() {
            match self.edges[current].get(next_edge) {
                Some(edge) => {
                    stack.push((current, next_edge + 1));
                    if !seen[edge.to] {
                        seen[edge.to] = true;
                        stack.push((edge.to, 0));
                    }
                }
                None => finished.push(current),
            }
        }
    }

    /// Kosaraju's algorithm: groups of nodes that reach each other.
    pub fn strong_components(&self) -> Vec<Vec<NodeId>> {
        let mut seen = vec![false; self.len()];
        let mut finished = Vec::with_capacity(self.len());
        for node in 0..self.len() {
            if !seen[node] {
                self.visit(node, &mut seen, &mut finished);
            }
        }
        let backwards = self.reversed();
        seen.fill(false);
        let mut components = Vec::new();
        for &node in finished.iter().rev() {
            if !seen[node] {
                let mut component = Vec::new();
                backwards.visit(node, &mut seen, &mut component);
                component.sort_unstable();
                components.push(component);
            }
        }
        components
    }
}

fn trace_back(came_from: &[Option<NodeId>], goal: NodeId) -> Vec<NodeId> {
    let mut nodes: Vec<NodeId> =
        std::iter::successors(Some(goal), |&node| came_from[node]).collect();
    nodes.reverse();
    nodes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diamond() -> Graph {
        let mut graph = Graph::with_nodes(5);
        graph.connect(0, 1, 4).connect(0, 2, 1).connect(2, 1, 2).connect(1, 3, 5);
        graph
    }

    #[test]
    fn takes_the_cheaper_detour() {
        let route = diamond().shortest_route(0, 3).unwrap();
        assert_eq!(route, Route { cost: 8, nodes: vec![0, 2, 1, 3] });
        assert_eq!(diamond().shortest_route(3, 0), None);
    }

    #[test]
    fn a_cycle_has_no_order() {
        let mut graph = diamond();
        assert_eq!(graph.topological_order(), Some(vec![0, 4, 2, 1, 3]));
        graph.connect(3, 2, 1);
        assert_eq!(graph.topological_order(), None);
        assert!(graph.strong_components().contains(&vec![1, 2, 3]));
    }
}
