//! No function that takes an organization gives or changes a row of another one.
//!
//! The table below has a line for each of them. A new function belongs here.

use engine::node::HttpReply;
use serde_json::json;
use store::api_keys::{self, NewApiKey};
use store::audit::{self, AuditFilter, Deed};
use store::execution_logs::{self, LogFilter};
use store::executions::{self, ExecutionFilter};
use store::files::{self, FileFilter, NewFile, StoredContent};
use store::integrations::{self, Credentials, IntegrationFilter, IntegrationUpdate, NewIntegration};
use store::journal::{self, LogRecord, StepRecord, StepStatus};
use store::page::{Page, PageRequest};
use store::queue::{self, CancelOutcome};
use store::schedules::{self, NewSchedule, ScheduleFilter, ScheduleUpdate, Timing};
use store::settings::Secret;
use store::webhook_events::{self, NewWebhookEvent, Recorded};
use store::webhooks::{self, NewWebhook, Rules, WebhookFilter, WebhookPath, WebhookUpdate};
use store::workflows::{self, Saved, Status, StatusChange, WorkflowFilter, WorkflowUpdate};
use store::{Db, execution_steps, organizations, workflow_versions};
use uuid::Uuid;

use crate::conformance;
use crate::seed::{Tenant, context, manual, vault};

/// One row of everything, of one tenant.
struct Rows {
    workflow: Uuid,
    execution: Uuid,
    step: Uuid,
    schedule: Uuid,
    webhook: Uuid,
    event: Uuid,
    integration: Uuid,
    file: Uuid,
    api_key: Uuid,
}

fn new_schedule(organization_id: Uuid, workflow_id: Uuid) -> NewSchedule {
    NewSchedule {
        organization_id,
        workflow_id,
        user_id: None,
        name: "By hand".to_owned(),
        timing: Timing::new("@daily", "UTC"),
        input_data: None,
        is_active: true,
        missed_run_policy: schedules::MissedRunPolicy::default(),
        max_catch_up: 1,
        overlap_policy: schedules::OverlapPolicy::default(),
        jitter_ms: 0,
    }
}

fn new_webhook(organization_id: Uuid, workflow_id: Uuid) -> NewWebhook {
    NewWebhook {
        organization_id,
        workflow_id,
        user_id: None,
        path: WebhookPath::parse("orders").unwrap(),
        rules: Rules::default(),
        secret: None,
        is_active: true,
    }
}

async fn plant(db: &Db, tenant: &Tenant) -> Rows {
    let now = db.now();
    let (organization_id, user_id) = (tenant.id(), Some(tenant.user.id));
    let workflow = tenant.workflow(db, manual(), Status::Active).await;
    let execution = tenant.enqueue(db, &workflow).await;
    let step = StepRecord {
        id: store::ids::new_id(),
        organization_id,
        execution_id: execution,
        node_id: "start".to_owned(),
        node_name: "START".to_owned(),
        node_type: "respond_to_webhook".to_owned(),
        run_index: 0,
        attempt: 1,
        sequence: 0,
        status: StepStatus::Completed,
        input_data: None,
        output_data: None,
        error: None,
        context: Some(json!({"response": HttpReply::default()})),
        resume_at: None,
        resume_token_hash: None,
        child_execution_id: None,
        started_at: now,
        completed_at: Some(now),
        duration_ms: Some(0),
    };
    let log = LogRecord {
        id: store::ids::new_id(),
        organization_id,
        execution_id: execution,
        step_id: None,
        node_id: None,
        node_type: None,
        level: engine::node::LogLevel::Info,
        message: "line".to_owned(),
        data: None,
        timestamp: now,
    };
    journal::write_steps(db.writer(), std::slice::from_ref(&step)).await.unwrap();
    journal::write_logs(db.writer(), &[log]).await.unwrap();
    let schedule = new_schedule(organization_id, workflow.id);
    let schedule = schedules::create(db.writer(), now, schedule).await.unwrap().unwrap();
    let webhook = new_webhook(organization_id, workflow.id);
    let webhook = webhooks::create(db.writer(), now, vault(), webhook).await.unwrap().unwrap();
    let event = NewWebhookEvent {
        organization_id,
        webhook_id: webhook.id,
        event_id: "evt_1",
        event_type: "order",
        event_data: json!({}),
        window_secs: 60,
    };
    let Recorded::New { id: event } = webhook_events::record(db.writer(), now, event).await.unwrap() else {
        panic!("it is new");
    };
    let integration = NewIntegration {
        organization_id,
        user_id,
        service_name: "slack".to_owned(),
        display_name: "Main".to_owned(),
        credentials: Credentials::default(),
        configuration: json!({}),
        metadata: json!({}),
        expires_at: None,
        refresh_token_expires_at: None,
    };
    let integration = integrations::create(db.writer(), now, vault(), integration).await.unwrap();
    let file = NewFile {
        id: store::ids::new_id(),
        organization_id,
        user_id,
        execution_id: Some(execution),
        filename: "f".to_owned(),
        mime_type: None,
        content: StoredContent { size_bytes: 0, sha256: String::new(), storage_path: "p".to_owned() },
        metadata: json!({}),
    };
    let file = files::create(db.writer(), now, file).await.unwrap();
    let api_key = NewApiKey {
        organization_id,
        user_id: tenant.user.id,
        key_name: "ci".to_owned(),
        key_prefix: "tm".to_owned(),
        key_hash: "hash".to_owned(),
        permissions: Vec::new(),
        expires_at: None,
    };
    let api_key = api_keys::create(db.writer(), now, api_key).await.unwrap();
    let deed = Deed { organization_id: Some(organization_id), ..Deed::default() };
    audit::record(db.writer(), now, deed).await.unwrap();
    Rows {
        workflow: workflow.id,
        execution,
        step: step.id,
        schedule: schedule.id,
        webhook: webhook.id,
        event,
        integration: integration.id,
        file: file.id,
        api_key: api_key.id,
    }
}

/// Whether a call gave or changed anything.
trait Reached {
    fn reached(self) -> bool;
}

impl<T> Reached for Option<T> {
    fn reached(self) -> bool {
        self.is_some()
    }
}

impl<T> Reached for Page<T> {
    fn reached(self) -> bool {
        !self.items.is_empty()
    }
}

impl<T> Reached for Vec<T> {
    fn reached(self) -> bool {
        !self.is_empty()
    }
}

impl Reached for bool {
    fn reached(self) -> bool {
        self
    }
}

impl Reached for Saved {
    fn reached(self) -> bool {
        !matches!(self, Self::NotFound)
    }
}

impl Reached for StatusChange {
    fn reached(self) -> bool {
        !matches!(self, Self::NotFound)
    }
}

impl Reached for CancelOutcome {
    fn reached(self) -> bool {
        !matches!(self, Self::NotFound)
    }
}

/// The functions by name, and whether each reached a row.
#[derive(Default)]
struct Table(Vec<(&'static str, bool)>);

impl Table {
    fn line<T: Reached>(&mut self, name: &'static str, outcome: store::Result<T>) {
        self.0.push((name, outcome.unwrap().reached()));
    }

    fn names(self, reached: bool) -> Vec<&'static str> {
        self.0.into_iter().filter(|(_, it)| *it == reached).map(|(name, _)| name).collect()
    }
}

async fn read(table: &mut Table, db: &Db, org: Uuid, owner: Uuid, rows: &Rows) {
    let (db, page) = (db.reader(), PageRequest::default());
    table.line("organizations::role_of", organizations::role_of(db, org, owner).await);
    let members = organizations::members(db, org, page).await;
    let has_owner = members.map(|page| page.items.iter().any(|member| member.user_id == owner));
    table.line("organizations::members", has_owner);
    table.line("workflows::find", workflows::find(db, org, rows.workflow).await);
    for reference in [rows.workflow.to_string(), "A workflow".to_owned()] {
        table.line("workflows::find_by_reference", workflows::find_by_reference(db, org, &reference).await);
    }
    table.line("workflows::list", workflows::list(db, org, &WorkflowFilter::default(), page).await);
    table.line("workflow_versions::find", workflow_versions::find(db, org, rows.workflow, 1).await);
    table.line("workflow_versions::list", workflow_versions::list(db, org, rows.workflow, page).await);
    table.line("executions::find", executions::find(db, org, rows.execution).await);
    table.line("executions::status", executions::status(db, org, rows.execution).await);
    table.line("executions::summary", executions::summary(db, org, rows.execution).await);
    table.line("executions::retry_info", executions::retry_info(db, org, rows.execution).await);
    let filter = ExecutionFilter { workflow_id: Some(rows.workflow), ..ExecutionFilter::default() };
    table.line("executions::list", executions::list(db, org, &filter, page).await);
    table.line("execution_steps::list", execution_steps::list(db, org, rows.execution, None).await);
    table.line("execution_steps::find", execution_steps::find(db, org, rows.execution, rows.step).await);
    table.line("execution_steps::reply", execution_steps::reply(db, org, rows.execution).await);
    let filter = LogFilter::default();
    table.line("execution_logs::list", execution_logs::list(db, org, rows.execution, &filter, page).await);
    table.line("schedules::find", schedules::find(db, org, rows.schedule).await);
    let filter = ScheduleFilter { workflow_id: Some(rows.workflow), is_active: None };
    table.line("schedules::list", schedules::list(db, org, filter, page).await);
    table.line("webhooks::find", webhooks::find(db, org, rows.webhook).await);
    let filter = WebhookFilter { workflow_id: Some(rows.workflow), is_active: None };
    table.line("webhooks::list", webhooks::list(db, org, filter, page).await);
    table.line("webhooks::secret", webhooks::secret(db, vault(), org, rows.webhook).await);
    table.line("integrations::find", integrations::find(db, org, rows.integration).await);
    let filter = IntegrationFilter::default();
    table.line("integrations::list", integrations::list(db, org, &filter, page).await);
    for reference in [rows.integration.to_string(), "Main".to_owned()] {
        table.line("integrations::unseal", integrations::unseal(db, vault(), org, &reference, &[]).await);
    }
    table.line("files::find", files::find(db, org, rows.file).await);
    let filter = FileFilter { execution_id: Some(rows.execution) };
    table.line("files::list", files::list(db, org, filter, page).await);
    table.line("api_keys::find", api_keys::find(db, org, rows.api_key).await);
    table.line("api_keys::list", api_keys::list(db, org, Some(owner), page).await);
    table.line("audit::list", audit::list(db, org, &AuditFilter::default(), page).await);
}

async fn write(table: &mut Table, db: &Db, org: Uuid, rows: &Rows) {
    let (now, tx) = (db.now(), db.begin().await.unwrap());
    let new = new_schedule(org, rows.workflow);
    table.line("schedules::create", schedules::create(&tx, now, new).await);
    let path = WebhookPath::parse("another").unwrap();
    let new = NewWebhook { path, ..new_webhook(org, rows.workflow) };
    table.line("webhooks::create", webhooks::create(&tx, now, vault(), new).await);
    let update = WorkflowUpdate { name: Some("Taken over".to_owned()), ..WorkflowUpdate::default() };
    let outcome = workflows::update(&tx, context(now), org, rows.workflow, update).await;
    table.line("workflows::update", outcome);
    let outcome = workflows::restore(&tx, context(now), org, rows.workflow, 1, None, None).await;
    table.line("workflows::restore", outcome);
    let outcome = workflows::set_status(&tx, context(now), org, rows.workflow, Status::Paused).await;
    table.line("workflows::set_status", outcome);
    let update = ScheduleUpdate { name: Some("Taken over".to_owned()), ..ScheduleUpdate::default() };
    table.line("schedules::update", schedules::update(&tx, now, org, rows.schedule, update).await);
    let update = WebhookUpdate { is_active: Some(false), ..WebhookUpdate::default() };
    table.line("webhooks::update", webhooks::update(&tx, now, vault(), org, rows.webhook, update).await);
    let secret = Some(Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
    table.line(
        "webhooks::set_secret",
        webhooks::set_secret(&tx, now, vault(), org, rows.webhook, secret).await,
    );
    let outcome = webhook_events::link(&tx, org, rows.event, rows.execution, None).await;
    table.line("webhook_events::link", outcome);
    let update = IntegrationUpdate { metadata: Some(json!({})), ..IntegrationUpdate::default() };
    let outcome = integrations::update(&tx, now, vault(), org, rows.integration, update).await;
    table.line("integrations::update", outcome);
    let outcome = integrations::mark_tested(&tx, now, org, rows.integration, Ok(())).await;
    table.line("integrations::mark_tested", outcome);
    table.line("api_keys::revoke", api_keys::revoke(&tx, now, org, rows.api_key).await);
    table.line("queue::request_cancel", queue::request_cancel(&tx, now, org, rows.execution).await);
    table.line("files::delete", files::delete(&tx, org, rows.file).await);
    table.line("api_keys::delete", api_keys::delete(&tx, org, rows.api_key).await);
    table.line("integrations::delete", integrations::delete(&tx, org, rows.integration).await);
    table.line("webhooks::delete", webhooks::delete(&tx, org, rows.webhook).await);
    table.line("schedules::delete", schedules::delete(&tx, org, rows.schedule).await);
    table.line("workflows::delete", workflows::delete(&tx, org, rows.workflow).await);
    tx.commit().await.unwrap();
}

async fn call_all(db: &Db, organization_id: Uuid, owner: Uuid, rows: &Rows) -> Table {
    let mut table = Table::default();
    read(&mut table, db, organization_id, owner, rows).await;
    write(&mut table, db, organization_id, rows).await;
    table
}

conformance! {
    async fn another_organization_sees_and_changes_nothing(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let eve = Tenant::sign_up(db, "eve@example.org").await;
        let rows = plant(db, &ada).await;
        let nobody: [&str; 0] = [];
        assert_eq!(call_all(db, eve.id(), ada.user.id, &rows).await.names(true), nobody, "reached what is another's");
        // The same calls reach everything for the organization that owns it, or the table would test nothing.
        assert_eq!(call_all(db, ada.id(), ada.user.id, &rows).await.names(false), nobody, "reached nothing of its own");
    }
}
