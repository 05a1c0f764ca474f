//! Every route of the API.
//!
//! The path of each stands above its handler, relative to the scope; the handler's signature names the permission
//! that it needs. `/healthz`, `/readyz`, `/metrics` and `/docs` are added by [`crate::serve`].

use utoipa_actix_web::scope;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::endpoint::{
    api_keys, auth, connectors, executions, files, integrations, node_types, schedules, webhooks, workflows,
};
use crate::{events, webhook};

/// Adds the routes, and their part of the OpenAPI document.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(scope::scope("/api/v1").configure(version_1))
        .service(webhook::Webhooks)
        .service(webhook::resume_execution)
        .service(webhook::resume_execution_by_link);
}

fn version_1(config: &mut ServiceConfig) {
    config
        .service(auth::sign_up)
        .service(auth::log_in)
        .service(auth::log_out)
        .service(auth::show_me)
        .service(api_keys::list_api_keys)
        .service(api_keys::create_api_key)
        .service(api_keys::delete_api_key)
        .service(workflows::list_workflows)
        .service(workflows::create_workflow)
        .service(workflows::validate_workflow)
        .service(workflows::read_workflow)
        .service(workflows::update_workflow)
        .service(workflows::delete_workflow)
        .service(workflows::list_versions)
        .service(workflows::read_version)
        .service(workflows::restore_version)
        .service(workflows::activate_workflow)
        .service(workflows::pause_workflow)
        .service(workflows::archive_workflow)
        .service(executions::execute_workflow)
        .service(executions::list_executions)
        .service(executions::read_execution)
        .service(executions::list_steps)
        .service(executions::read_step)
        .service(executions::list_execution_logs)
        .service(executions::trace_execution)
        .service(executions::cancel_execution)
        .service(executions::retry_execution)
        .service(events::follow_execution)
        .service(schedules::list_schedules)
        .service(schedules::create_schedule)
        .service(schedules::preview_schedule)
        .service(schedules::read_schedule)
        .service(schedules::update_schedule)
        .service(schedules::delete_schedule)
        .service(schedules::read_next_occurrences)
        .service(webhooks::list_webhooks)
        .service(webhooks::create_webhook)
        .service(webhooks::read_webhook)
        .service(webhooks::update_webhook)
        .service(webhooks::delete_webhook)
        .service(webhooks::rotate_webhook_secret)
        .service(connectors::list_connectors)
        .service(integrations::list_integrations)
        .service(integrations::create_integration)
        .service(integrations::read_integration)
        .service(integrations::update_integration)
        .service(integrations::delete_integration)
        .service(integrations::test_integration)
        .service(files::list_files)
        .service(files::upload_file)
        .service(files::read_file)
        .service(files::read_file_content)
        .service(files::delete_file)
        .service(node_types::list_node_types)
        .service(node_types::read_node_type);
}
