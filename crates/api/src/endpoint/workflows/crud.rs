//! Making, reading, changing and deleting workflows.

use actix_web::{HttpResponse, delete, get, post, put, web};
use serde::Deserialize;
use serde_json::{Value, json};
use store::audit::{self, Deed};
use store::workflows::{
    self, NewWorkflow, SaveContext, Saved, Status, Workflow, WorkflowFilter, WorkflowUpdate,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::body::{WorkflowBody, WorkflowSummaryBody};
use super::judge::judge;
use crate::auth::{Access, Read, Write};
use crate::http::{Body, Query, nullable};
use crate::page::{Page, page_request};
use crate::problem::{Code, Problem};
use crate::state::State;

/// A workflow to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWorkflowRequest {
    /// The name to show.
    #[schema(example = "Daily report", min_length = 1, max_length = 200)]
    name: String,
    /// What it is for.
    description: Option<String>,
    /// Nodes and edges in React Flow's shape, or a list of steps.
    #[schema(example = json!({
        "nodes": [{"id": "start", "data": {"nodeType": "manual"}}], "edges": []
    }))]
    definition: Value,
    /// Words to sort workflows by.
    #[serde(default)]
    tags: Vec<String>,
    /// Whether its triggers are to fire at once; that takes a definition without errors.
    #[serde(default)]
    active: bool,
    /// Whether others may read and copy it.
    #[serde(default)]
    is_public: bool,
    /// How long finished executions are kept; the installation's default when missing.
    retention_days: Option<u32>,
    /// How many finished executions are kept; no such bound when missing.
    retention_count: Option<u32>,
    /// What the first version is about.
    change_summary: Option<String>,
}

/// What of a workflow is to be changed. A field that is missing stays as it is; null removes what can be missing.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkflowUpdateRequest {
    /// The version that the change was made on. If another was saved since, nothing is changed (409).
    version: Option<i64>,
    /// The name to show.
    name: Option<String>,
    /// What it is for.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<String>>,
    /// Nodes and edges in React Flow's shape, or a list of steps.
    definition: Option<Value>,
    /// Words to sort workflows by.
    tags: Option<Vec<String>>,
    /// Whether others may read and copy it.
    is_public: Option<bool>,
    /// How long finished executions are kept; null for the installation's default.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<u32>)]
    retention_days: Option<Option<u32>>,
    /// How many finished executions are kept; null for no such bound.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<u32>)]
    retention_count: Option<Option<u32>>,
    /// What changed.
    change_summary: Option<String>,
}

/// Which workflows are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WorkflowQuery {
    /// With this status.
    #[param(value_type = Option<String>, example = "active")]
    status: Option<Status>,
    /// With this tag.
    tag: Option<String>,
    /// With this text in their name, in any case.
    q: Option<String>,
    /// With a node of this type.
    #[param(example = "http_request")]
    node_type: Option<String>,
    /// With a node that uses this connector.
    service: Option<String>,
    /// Most rows of the page, 1 to 200; 50 when missing.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u64>,
    /// `next` of the page before.
    after: Option<String>,
}

/// List workflows
///
/// The newest first, without definitions.
#[utoipa::path(
    tag = "workflows",
    params(WorkflowQuery),
    responses((status = 200, description = "A page of workflows", body = Page<WorkflowSummaryBody>)),
)]
#[get("/workflows")]
pub(crate) async fn list_workflows(
    state: web::Data<State>,
    access: Access<Read>,
    query: Query<WorkflowQuery>,
) -> Result<web::Json<Page<WorkflowSummaryBody>>, Problem> {
    let query = query.0;
    let page = page_request(query.limit, query.after.as_deref())?;
    let filter = WorkflowFilter {
        status: query.status,
        tag: query.tag,
        name: query.q,
        node_type: query.node_type,
        service_name: query.service,
    };
    let found = workflows::list(state.db.reader(), access.organization_id, &filter, page).await?;
    Ok(web::Json(Page::of(found, WorkflowSummaryBody::from)))
}

/// Create a workflow
///
/// A draft may have problems; the answer names them.
#[utoipa::path(
    tag = "workflows",
    request_body = NewWorkflowRequest,
    responses(
        (status = 201, description = "The workflow, with what is wrong with it", body = WorkflowBody),
        (status = 409, description = "A webhook path of it is in use"),
        (status = 422, description = "The definition cannot be read, or is to be active and has errors"),
    ),
)]
#[post("/workflows")]
pub(crate) async fn create_workflow(
    state: web::Data<State>,
    access: Access<Write>,
    body: Body<NewWorkflowRequest>,
) -> Result<HttpResponse, Problem> {
    let request = body.read().await?;
    let judged = judge(&state, request.definition.clone()).await?;
    if request.active {
        judged.check_runnable()?;
    }
    let problems = judged.storable()?;
    let new = NewWorkflow {
        organization_id: access.organization_id,
        user_id: Some(access.user_id),
        name: request.name,
        description: request.description,
        definition: request.definition,
        tags: request.tags,
        status: if request.active { Status::Active } else { Status::Draft },
        is_public: request.is_public,
        retention_days: request.retention_days,
        retention_count: request.retention_count,
        change_summary: request.change_summary,
        chat_session_id: None,
    };
    let tx = state.db.begin().await?;
    let context = save_context(&state);
    let workflow = workflows::create(&tx, context, new).await?;
    let deed =
        Deed { new_values: Some(told(&workflow)), ..access.deed("workflow.create", "workflow", workflow.id) };
    audit::record(&tx, context.now, deed).await?;
    tx.commit().await?;
    Ok(HttpResponse::Created().json(WorkflowBody::of(workflow, problems)))
}

/// Read a workflow
#[utoipa::path(
    tag = "workflows",
    responses((status = 200, description = "The workflow, with what is wrong with it", body = WorkflowBody)),
)]
#[get("/workflows/{id}")]
pub(crate) async fn read_workflow(
    state: web::Data<State>,
    access: Access<Read>,
    id: web::Path<Uuid>,
) -> Result<web::Json<WorkflowBody>, Problem> {
    let workflow = find_workflow(&state, access.organization_id, *id).await?;
    let judged = judge(&state, workflow.definition.clone()).await?;
    Ok(web::Json(WorkflowBody::of(workflow, judged.problems)))
}

/// Change a workflow
///
/// Makes its next version. With `version`, only if that one is still current.
#[utoipa::path(
    tag = "workflows",
    request_body = WorkflowUpdateRequest,
    responses(
        (status = 200, description = "The workflow as it is now", body = WorkflowBody),
        (status = 409, description = "Another version was saved in the meantime, or a webhook path is in use"),
        (status = 422, description = "The definition cannot be read, or the workflow is active and it has errors"),
    ),
)]
#[put("/workflows/{id}")]
pub(crate) async fn update_workflow(
    state: web::Data<State>,
    access: Access<Write>,
    id: web::Path<Uuid>,
    body: Body<WorkflowUpdateRequest>,
) -> Result<web::Json<WorkflowBody>, Problem> {
    let request = body.read().await?;
    let before = find_workflow(&state, access.organization_id, *id).await?;
    let definition = request.definition.as_ref().unwrap_or(&before.definition);
    let judged = judge(&state, definition.clone()).await?;
    if before.status == Status::Active.as_str() {
        judged.check_runnable()?;
    }
    let problems = judged.storable()?;
    let change = WorkflowUpdate {
        expected_version: request.version,
        user_id: Some(access.user_id),
        name: request.name,
        description: request.description,
        definition: request.definition,
        tags: request.tags,
        is_public: request.is_public,
        retention_days: request.retention_days,
        retention_count: request.retention_count,
        change_summary: request.change_summary,
    };
    let tx = state.db.begin().await?;
    let context = save_context(&state);
    let saved = workflows::update(&tx, context, access.organization_id, *id, change).await?;
    let workflow = settle(saved)?;
    let deed = Deed {
        old_values: Some(told(&before)),
        new_values: Some(told(&workflow)),
        ..access.deed("workflow.update", "workflow", workflow.id)
    };
    audit::record(&tx, context.now, deed).await?;
    tx.commit().await?;
    Ok(web::Json(WorkflowBody::of(workflow, problems)))
}

/// Delete a workflow
///
/// With its versions, triggers and executions.
#[utoipa::path(tag = "workflows", responses((status = 204, description = "It is gone")))]
#[delete("/workflows/{id}")]
pub(crate) async fn delete_workflow(
    state: web::Data<State>,
    access: Access<Write>,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let (now, tx) = (state.db.now(), state.db.begin().await?);
    let workflow = workflows::find(&tx, access.organization_id, *id).await?;
    let workflow = workflow.ok_or_else(|| Problem::not_found("workflow"))?;
    workflows::delete(&tx, access.organization_id, workflow.id).await?;
    let deed =
        Deed { old_values: Some(told(&workflow)), ..access.deed("workflow.delete", "workflow", workflow.id) };
    audit::record(&tx, now, deed).await?;
    tx.commit().await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The workflow with this id.
///
/// # Errors
/// 404 when the organization has none.
pub async fn find_workflow(state: &State, organization_id: Uuid, id: Uuid) -> Result<Workflow, Problem> {
    let found = workflows::find(state.db.reader(), organization_id, id).await?;
    found.ok_or_else(|| Problem::not_found("workflow"))
}

/// What the store needs to save a workflow.
pub(super) fn save_context(state: &State) -> SaveContext<'_> {
    SaveContext { now: state.db.now(), catalogue: &state.catalogue, vault: &state.vault }
}

/// The workflow that was saved.
pub(super) fn settle(saved: Saved) -> Result<Workflow, Problem> {
    match saved {
        Saved::Saved(workflow) => Ok(*workflow),
        Saved::NotFound => Err(Problem::not_found("workflow")),
        Saved::VersionConflict { current } => {
            Err(Problem::new(Code::VersionConflict, format!("the current version is {current}")))
        }
    }
}

/// What the audit log says of a workflow; its definition is in the version.
pub(super) fn told(workflow: &Workflow) -> Value {
    json!({
        "name": workflow.name,
        "version": workflow.version,
        "status": workflow.status,
        "is_public": workflow.is_public,
        "tags": workflow.tags,
    })
}
