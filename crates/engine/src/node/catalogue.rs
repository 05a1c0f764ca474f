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
        let plain =
            |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
        let wanted = plain(unknown);
        if wanted.is_empty() {
            return None;
        }
        let is_part = |name: &&str| {
            let name = plain(name);
            name == wanted || name.contains(&wanted) || wanted.contains(&name)
        };
        self.nodes.keys().copied().find(is_part).or_else(|| {
            // A third of the letters may be wrong.
            let nearest = self.nodes.keys().map(|name| (edits(&plain(name), &wanted), *name)).min()?;
            (nearest.0 * 3 <= wanted.len()).then_some(nearest.1)
        })
    }
}

/// How many letters have to be changed, added or taken away to make one text of the other (Levenshtein). Names longer
/// than any node type are not compared.
fn edits(one: &str, two: &str) -> usize {
    const LONGEST: usize = 64;
    if one.len() > LONGEST || two.len() > LONGEST {
        return usize::MAX / 3;
    }
    let two: Vec<char> = two.chars().collect();
    let mut row: Vec<usize> = (0..=two.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in two.iter().enumerate() {
            let change = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[two.len()]
}
