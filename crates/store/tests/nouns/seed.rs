//! What the tests start from: tenants, workflows, a catalogue and a vault.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use engine::node::Catalogue;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use store::Db;
use store::organizations::Organization;
use store::queue::{self, NewExecution, TriggerType};
use store::users::{self, EmailAddress, NewUser, User};
use store::vault::{Keyring, Vault};
use store::workflows::{self, NewWorkflow, SaveContext, Status, Workflow};
use uuid::Uuid;

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let mut catalogue = Catalogue::new();
    engine::nodes::add_to(&mut catalogue);
    catalogue
});

static VAULT: LazyLock<Vault> = LazyLock::new(|| Vault::open(Keyring::generate()));

pub(crate) fn vault() -> &'static Vault {
    &VAULT
}

pub(crate) fn context(now: DateTime<Utc>) -> SaveContext<'static> {
    SaveContext { now, catalogue: &CATALOGUE, vault: &VAULT }
}

/// A user and the personal organization.
pub(crate) struct Tenant {
    pub(crate) user: User,
    pub(crate) organization: Organization,
}

impl Tenant {
    pub(crate) async fn sign_up(db: &Db, email: &str) -> Self {
        let new = NewUser {
            email: EmailAddress::parse(email).unwrap(),
            password_hash: Some("$argon2id$x".to_owned()),
            full_name: Some("Somebody".to_owned()),
            timezone: None,
            is_admin: false,
        };
        let tx = db.begin().await.unwrap();
        let signed_up = users::sign_up(&tx, db.now(), new).await.unwrap();
        tx.commit().await.unwrap();
        Self { user: signed_up.user, organization: signed_up.organization }
    }

    pub(crate) fn id(&self) -> Uuid {
        self.organization.id
    }

    pub(crate) fn new_workflow(&self, name: &str, definition: Value, status: Status) -> NewWorkflow {
        NewWorkflow {
            organization_id: self.id(),
            user_id: Some(self.user.id),
            name: name.to_owned(),
            definition,
            status,
            ..NewWorkflow::default()
        }
    }

    pub(crate) async fn workflow(&self, db: &Db, definition: Value, status: Status) -> Workflow {
        let tx = db.begin().await.unwrap();
        let new = self.new_workflow("A workflow", definition, status);
        let workflow = workflows::create(&tx, context(db.now()), new).await.unwrap();
        tx.commit().await.unwrap();
        workflow
    }

    pub(crate) fn execution(&self, workflow: &Workflow, now: DateTime<Utc>) -> NewExecution {
        NewExecution {
            id: store::ids::new_id(),
            organization_id: self.id(),
            workflow_id: workflow.id,
            workflow_version: workflow.version,
            user_id: Some(self.user.id),
            trigger_type: TriggerType::Manual,
            trigger_node_id: None,
            trigger_data: None,
            input_data: Some(json!([{"json": {"order": "a payload"}}])),
            priority: 0,
            run_at: now,
            concurrency_key: None,
            parent: None,
            origin_execution_id: None,
            schedule: None,
            webhook_id: None,
            metadata: json!({}),
        }
    }

    pub(crate) async fn enqueue(&self, db: &Db, workflow: &Workflow) -> Uuid {
        let tx = db.begin().await.unwrap();
        let new = self.execution(workflow, db.now());
        let ids = queue::enqueue(&tx, db.now(), &[new]).await.unwrap();
        tx.commit().await.unwrap();
        ids[0]
    }
}

/// A manual trigger and a node behind it.
pub(crate) fn manual() -> Value {
    definition(json!([node("start", "manual", json!({})), node("end", "no_op", json!({}))]))
}

/// A schedule trigger with these fields, and a node behind it.
pub(crate) fn scheduled(fields: Value) -> Value {
    definition(json!([node("clock", "schedule", fields), node("end", "no_op", json!({}))]))
}

/// A webhook trigger with these fields, and a node behind it.
pub(crate) fn hooked(fields: Value) -> Value {
    definition(json!([node("hook", "webhook", fields), node("end", "no_op", json!({}))]))
}

pub(crate) fn node(id: &str, node_type: &str, fields: Value) -> Value {
    json!({
        "id": id, "type": "custom", "position": {"x": 0, "y": 0},
        "data": {"label": id.to_uppercase(), "nodeType": node_type, "fields": fields}
    })
}

/// The nodes, each but the last leading to the last.
pub(crate) fn definition(nodes: Value) -> Value {
    let ids: Vec<String> =
        nodes.as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect();
    let (last, sources) = ids.split_last().unwrap();
    let edges: Vec<Value> = sources.iter().map(|source| json!({"source": source, "target": last})).collect();
    json!({"nodes": nodes, "edges": edges, "settings": {}})
}

/// How many rows of a table a condition holds for.
pub(crate) async fn count(db: &impl ConnectionTrait, table: &str, condition: &str) -> i64 {
    let sql = format!("SELECT COUNT(*) AS n FROM {table} WHERE {condition}");
    let row = db
        .query_one_raw(sea_orm::Statement::from_string(db.get_database_backend(), sql))
        .await
        .unwrap()
        .unwrap();
    row.try_get("", "n").unwrap()
}
