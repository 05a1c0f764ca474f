//! Versions of workflows that were checked and can run.
//!
//! A version never changes, and neither do the node types of a process, so what was found runnable once stays so.
//! Without this each execution by hand would compile the JavaScript of all nodes again, only to say that it compiles.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use engine::Graph;
use uuid::Uuid;

/// A workflow and one of its versions.
type Key = (Uuid, i64);

/// Graphs of versions, as many as the settings allow; the oldest goes first.
pub struct CheckedVersions {
    kept: Mutex<Kept>,
    most: usize,
}

#[derive(Default)]
struct Kept {
    graphs: HashMap<Key, Arc<Graph>>,
    order: VecDeque<Key>,
}

impl CheckedVersions {
    /// Keeps at most so many.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { kept: Mutex::default(), most: most.max(1) }
    }

    /// The graph of a version that was found runnable.
    #[must_use]
    pub fn get(&self, workflow_id: Uuid, version: i64) -> Option<Arc<Graph>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).graphs.get(&(workflow_id, version)).cloned()
    }

    /// Keeps the graph of a version that was found runnable.
    pub fn keep(&self, workflow_id: Uuid, version: i64, graph: Graph) -> Arc<Graph> {
        let key = (workflow_id, version);
        let graph = Arc::new(graph);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.graphs.insert(key, Arc::clone(&graph)).is_none() {
            kept.order.push_back(key);
        }
        if kept.order.len() > self.most
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.graphs.remove(&oldest);
        }
        graph
    }
}

#[cfg(test)]
mod tests {
    use engine::definition::Definition;
    use serde_json::json;

    use super::*;

    fn graph() -> Graph {
        let mut catalogue = engine::node::Catalogue::new();
        engine::nodes::add_to(&mut catalogue);
        let definition = json!({ "nodes": [{ "id": "a", "data": { "nodeType": "manual" } }] });
        Definition::from_json(definition).unwrap().validate(&catalogue).into_graph().unwrap()
    }

    #[test]
    fn the_oldest_version_makes_room_and_no_more_than_allowed_are_kept() {
        let versions = CheckedVersions::new(2);
        let id = Uuid::from_u128(1);
        for version in [1, 1, 2, 3] {
            versions.keep(id, version, graph());
        }
        assert!(versions.get(id, 1).is_none());
        assert!(versions.get(id, 2).is_some() && versions.get(id, 3).is_some());
        assert!(versions.get(Uuid::from_u128(2), 3).is_none());
    }
}
