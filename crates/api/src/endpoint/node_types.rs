//! What a workflow can be made of.

use actix_web::{get, web};
use engine::node::{Descriptor, Effect, Group};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::auth::{Access, Read};
use crate::page::Page;
use crate::problem::Problem;
use crate::state::State;

/// A node type.
#[derive(Serialize, ToSchema)]
#[schema(as = NodeTypeSummary)]
pub struct NodeTypeSummaryBody {
    /// The word in `data.nodeType`.
    #[schema(example = "http_request")]
    node_type: &'static str,
    /// Name for people.
    name: &'static str,
    /// What it does.
    description: &'static str,
    /// `trigger`, `action`, `flow` or `transform`.
    #[schema(value_type = String, example = "action")]
    group: Group,
    /// Its inputs, as far as its parameters do not say otherwise; none for a trigger.
    inputs: Vec<String>,
    /// Its outputs, as far as its parameters do not say otherwise.
    outputs: Vec<String>,
    /// Whether running it changes the outside world: `pure`, `idempotent` or `external`.
    #[schema(value_type = String, example = "external")]
    effect: Effect,
    /// Connectors whose integrations it can use.
    connectors: Vec<&'static str>,
}

/// A node type with all that is known of it.
#[derive(Serialize, ToSchema)]
#[schema(as = NodeType)]
pub struct NodeTypeBody {
    #[serde(flatten)]
    summary: NodeTypeSummaryBody,
    /// JSON Schema of `data.fields`.
    #[schema(value_type = Object)]
    schema: Value,
    /// A worked example.
    example: NodeExample,
}

/// A worked example of a node type.
#[derive(Serialize, ToSchema)]
pub struct NodeExample {
    /// What it shows.
    title: &'static str,
    /// `data.fields`.
    #[schema(value_type = Object)]
    fields: Value,
    /// JSON of the input items.
    #[schema(value_type = Vec<Object>)]
    input: Value,
    /// JSON of the items of each output; empty when the outcome depends on the outside world.
    #[schema(value_type = Vec<Vec<Object>>)]
    output: Value,
}

impl NodeTypeSummaryBody {
    fn of(known: &Descriptor) -> Self {
        Self {
            node_type: known.node_type,
            name: known.name,
            description: known.description,
            group: known.group,
            inputs: known.inputs.iter().map(ToString::to_string).collect(),
            outputs: known.outputs.iter().map(ToString::to_string).collect(),
            effect: known.effect,
            connectors: known.connectors.clone(),
        }
    }
}

/// List node types
///
/// Those that this installation knows, by name; they fit in one page.
#[utoipa::path(
    tag = "node types",
    responses((status = 200, description = "All node types", body = Page<NodeTypeSummaryBody>)),
)]
#[get("/node-types")]
pub(crate) async fn list_node_types(
    state: web::Data<State>,
    _access: Access<Read>,
) -> web::Json<Page<NodeTypeSummaryBody>> {
    web::Json(Page::whole(state.catalogue.descriptors().map(NodeTypeSummaryBody::of).collect()))
}

/// Read a node type
///
/// With the schema of its parameters and an example.
#[utoipa::path(tag = "node types", responses((status = 200, description = "The node type", body = NodeTypeBody)))]
#[get("/node-types/{type}")]
pub(crate) async fn read_node_type(
    state: web::Data<State>,
    _access: Access<Read>,
    node_type: web::Path<String>,
) -> Result<web::Json<NodeTypeBody>, Problem> {
    let known = state.catalogue.get(&node_type).ok_or_else(|| Problem::not_found("node type"))?.descriptor();
    Ok(web::Json(NodeTypeBody {
        summary: NodeTypeSummaryBody::of(known),
        schema: known.schema.clone(),
        example: NodeExample {
            title: known.example.title,
            fields: known.example.fields.clone(),
            input: known.example.input.clone(),
            output: known.example.output.clone(),
        },
    }))
}
