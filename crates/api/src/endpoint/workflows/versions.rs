//! Versions of workflows.

use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::audit::{self, Deed};
use store::workflow_versions::{self, VersionSummary, WorkflowVersion};
use store::workflows::{self, Status};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::body::WorkflowBody;
use super::crud::{find_workflow, save_context, settle, told};
use super::judge::judge;
use crate::auth::{Access, Read, Write};
use crate::http::{Body, Query};
use crate::page::{Page, page_request};
use crate::problem::Problem;
use crate::state::State;

/// A version without its definition.
#[derive(Serialize, ToSchema)]
#[schema(as = VersionSummary)]
pub struct VersionSummaryBody {
    version: i64,
    /// What changed with it.
    #[schema(required)]
    change_summary: Option<String>,
    /// Who made it.
    #[schema(required)]
    created_by: Option<Uuid>,
    created_at: DateTime<Utc>,
}

/// A version of a workflow. It never changes.
#[derive(Serialize, ToSchema)]
#[schema(as = Version)]
pub struct VersionBody {
    #[serde(flatten)]
    summary: VersionSummaryBody,
    /// The definition as it was.
    #[schema(value_type = Object)]
    definition: Value,
}

impl From<VersionSummary> for VersionSummaryBody {
    fn from(version: VersionSummary) -> Self {
        Self {
            version: version.version,
            change_summary: version.change_summary,
            created_by: version.created_by,
            created_at: version.created_at,
        }
    }
}

impl From<WorkflowVersion> for VersionBody {
    fn from(version: WorkflowVersion) -> Self {
        Self {
            summary: VersionSummaryBody {
                version: version.version,
                change_summary: version.change_summary,
                created_by: version.created_by,
                created_at: version.created_at.to_utc(),
            },
            definition: version.definition,
        }
    }
}

/// Which versions are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct VersionQuery {
    /// Most rows of the page, 1 to 200; 50 when missing.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u64>,
    /// `next` of the page before.
    after: Option<String>,
}

/// How a version is to be restored.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RestoreRequest {
    /// The version that is current as far as the caller knows. If another was saved since, nothing is changed (409).
    version: Option<i64>,
}

/// List versions
///
/// The newest first.
#[utoipa::path(
    tag = "workflows",
    params(VersionQuery),
    responses((status = 200, description = "A page of versions", body = Page<VersionSummaryBody>)),
)]
#[get("/workflows/{id}/versions")]
pub(crate) async fn list_versions(
    state: web::Data<State>,
    access: Access<Read>,
    id: web::Path<Uuid>,
    query: Query<VersionQuery>,
) -> Result<web::Json<Page<VersionSummaryBody>>, Problem> {
    let page = page_request(query.0.limit, query.0.after.as_deref())?;
    find_workflow(&state, access.organization_id, *id).await?;
    let versions = workflow_versions::list(state.db.reader(), access.organization_id, *id, page).await?;
    Ok(web::Json(Page::of(versions, VersionSummaryBody::from)))
}

/// Read a version
#[utoipa::path(tag = "workflows", responses((status = 200, description = "The version", body = VersionBody)))]
#[get("/workflows/{id}/versions/{version}")]
pub(crate) async fn read_version(
    state: web::Data<State>,
    access: Access<Read>,
    path: web::Path<(Uuid, i64)>,
) -> Result<web::Json<VersionBody>, Problem> {
    let (id, version) = path.into_inner();
    let version = workflow_versions::find(state.db.reader(), access.organization_id, id, version).await?;
    Ok(web::Json(version.ok_or_else(|| Problem::not_found("version"))?.into()))
}

/// Restore a version
///
/// Its definition becomes the next version of the workflow.
#[utoipa::path(
    tag = "workflows",
    request_body(content = Option<RestoreRequest>),
    responses(
        (status = 200, description = "The workflow as it is now", body = WorkflowBody),
        (status = 409, description = "Another version was saved in the meantime, or a webhook path is in use"),
        (status = 422, description = "The workflow is active, and the version has errors"),
    ),
)]
#[post("/workflows/{id}/versions/{version}/restore")]
pub(crate) async fn restore_version(
    state: web::Data<State>,
    access: Access<Write>,
    path: web::Path<(Uuid, i64)>,
    body: Body<RestoreRequest>,
) -> Result<web::Json<WorkflowBody>, Problem> {
    let (id, version) = path.into_inner();
    let expected = body.read_or_default().await?.version;
    let before = find_workflow(&state, access.organization_id, id).await?;
    let earlier = workflow_versions::find(state.db.reader(), access.organization_id, id, version).await?;
    let earlier = earlier.ok_or_else(|| Problem::not_found("version"))?;
    let judged = judge(&state, earlier.definition).await?;
    if before.status == Status::Active.as_str() {
        judged.check_runnable()?;
    }
    let tx = state.db.begin().await?;
    let context = save_context(&state);
    let user = Some(access.user_id);
    let saved = workflows::restore(&tx, context, access.organization_id, id, version, user, expected).await?;
    let workflow = settle(saved)?;
    let deed = Deed {
        details: json!({ "restored_version": version }),
        old_values: Some(told(&before)),
        new_values: Some(told(&workflow)),
        ..access.deed("workflow.restore", "workflow", id)
    };
    audit::record(&tx, context.now, deed).await?;
    tx.commit().await?;
    Ok(web::Json(WorkflowBody::of(workflow, judged.problems)))
}
