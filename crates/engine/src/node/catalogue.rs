//! The node types that an installation knows.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Descriptor, Node, Typed, TypedNode};

/// Node types by the word in `data.nodeType`.
#[derive(Clone, Default)]
pub struct Catalogue {
    nodes: BTreeMap<&'static str, Arc<dyn Node>>,
}

impl Catalogue {
    /// An empty catalogue.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a node type; a type of the same name is replaced.
    pub fn add(&mut self, node: impl Typed) -> &mut Self {
        self.add_node(Arc::new(TypedNode::new(node)))
    }

    /// Adds a node type that is not [`Typed`].
    pub fn add_node(&mut self, node: Arc<dyn Node>) -> &mut Self {
        self.nodes.insert(node.descriptor().node_type, node);
        self
    }

    /// The type with this name.
    #[must_use]
    pub fn get(&self, node_type: &str) -> Option<&Arc<dyn Node>> {
        self.nodes.get(node_type)
    }

    /// What every type says of itself, by name.
    pub fn descriptors(&self) -> impl Iterator<Item = &Descriptor> {
        self.nodes.values().map(|node| node.descriptor())
    }

    /// The known name that is most like an unknown one, for an error message.
    #[must_use]
    pub fn nearest(&self, unknown: &str) -> Option<&'static str> {
        let plain = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
        let wanted = plain(unknown);
        self.nodes.keys().copied().find(|name| {
            let name = plain(name);
            !wanted.is_empty() && (name == wanted || name.contains(&wanted) || wanted.contains(&name))
        })
    }
}
