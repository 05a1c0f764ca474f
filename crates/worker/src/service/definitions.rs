//! Workflows, ready to run, kept by version.
//!
//! A version never changes, so its graph can be kept as long as there is room. What can change beside it
//! (the name of the workflow, whether it is active, the variables of the organization) is looked up anew
//! when it is older than [`DETAILS_LIFE`].

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use engine::Graph;
use engine::node::{Catalogue, NodeError, WorkflowInfo};
use serde_json::Value;
use store::Db;
use tokio::time::Instant;
use uuid::Uuid;

use crate::inline::graph_of;

/// How long a changed name may go unnoticed.
const DETAILS_LIFE: Duration = Duration::from_secs(10);

/// A version of a workflow.
type Key = (Uuid, i64);

/// The definitions that a worker has used lately.
pub(super) struct Definitions {
    cache: Mutex<Cache>,
    capacity: usize,
}

#[derive(Default)]
struct Cache {
    known: HashMap<Key, Known>,
    /// Counts uses, to tell which was used last.
    uses: u64,
}

struct Known {
    pinned: Pinned,
    looked_up: Instant,
    last_use: u64,
}

/// A workflow that an execution is pinned to.
#[derive(Clone)]
pub(super) struct Pinned {
    pub graph: Arc<Graph>,
    pub details: Arc<Details>,
}

/// What can change without a new version.
#[derive(Debug, Default)]
pub(super) struct Details {
    pub workflow: WorkflowInfo,
    pub vars: BTreeMap<String, String>,
}

/// Why a definition cannot be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    /// The database failed: try again.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// It cannot be run, now or later.
    #[error(transparent)]
    Definition(#[from] NodeError),
}

impl Definitions {
    /// Keeps up to `capacity` definitions.
    pub(super) fn new(capacity: usize) -> Self {
        Self { cache: Mutex::default(), capacity: capacity.max(1) }
    }

    /// The version of a workflow that an execution is pinned to.
    pub(super) async fn pinned(
        &self,
        db: &Db,
        catalogue: &Catalogue,
        organization_id: Uuid,
        key: Key,
    ) -> Result<Pinned, Unusable> {
        let known = self.known(key);
        if let Some((pinned, true)) = known {
            return Ok(pinned);
        }
        let details = Arc::new(details(db, organization_id, key.0).await?);
        let graph = match known {
            Some((pinned, _)) => pinned.graph,
            None => Arc::new(load(db, catalogue, organization_id, key).await?),
        };
        let pinned = Pinned { graph, details };
        self.keep(key, pinned.clone());
        Ok(pinned)
    }

    /// A definition that came with the execution and belongs to no table.
    pub(super) async fn unpinned(
        &self,
        db: &Db,
        catalogue: &Catalogue,
        organization_id: Uuid,
        workflow_id: Uuid,
        definition: Value,
    ) -> Result<Pinned, Unusable> {
        let graph = Arc::new(graph_of(definition, catalogue)?);
        Ok(Pinned { graph, details: Arc::new(details(db, organization_id, workflow_id).await?) })
    }

    fn known(&self, key: Key) -> Option<(Pinned, bool)> {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.uses += 1;
        let uses = cache.uses;
        let known = cache.known.get_mut(&key)?;
        known.last_use = uses;
        Some((known.pinned.clone(), known.looked_up.elapsed() < DETAILS_LIFE))
    }

    fn keep(&self, key: Key, pinned: Pinned) {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.known.len() >= self.capacity && !cache.known.contains_key(&key) {
            // A walk over some hundred entries, and only when a definition is loaded.
            if let Some(oldest) =
                cache.known.iter().min_by_key(|(_, known)| known.last_use).map(|(key, _)| *key)
            {
                cache.known.remove(&oldest);
            }
        }
        let last_use = cache.uses;
        cache.known.insert(key, Known { pinned, looked_up: Instant::now(), last_use });
    }
}

async fn load(
    db: &Db,
    catalogue: &Catalogue,
    organization_id: Uuid,
    (workflow_id, version): Key,
) -> Result<Graph, Unusable> {
    let found = store::workflow_versions::find(db.reader(), organization_id, workflow_id, version).await?;
    let Some(found) = found else {
        return Err(NodeError::fatal(
            "version_not_found",
            format!("version {version} of the workflow no longer exists"),
        )
        .into());
    };
    Ok(graph_of(found.definition, catalogue)?)
}

async fn details(db: &Db, organization_id: Uuid, workflow_id: Uuid) -> Result<Details, store::Error> {
    let workflow = store::workflows::find(db.reader(), organization_id, workflow_id).await?;
    let organization = store::organizations::find(db.reader(), organization_id).await?;
    let workflow = workflow.map_or_else(WorkflowInfo::default, |workflow| WorkflowInfo {
        id: workflow.id.to_string(),
        active: workflow.status == "active",
        name: workflow.name,
    });
    let vars = organization.and_then(|organization| vars_of(&organization.settings)).unwrap_or_default();
    Ok(Details { workflow, vars })
}

/// `organizations.settings.vars`: an object of texts; other values are given as their JSON.
fn vars_of(settings: &Value) -> Option<BTreeMap<String, String>> {
    let vars = settings.get("vars")?.as_object()?;
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Some(vars.iter().map(|(name, value)| (name.clone(), text(value))).collect())
}
