//! All entities, each by the name of its table.
//!
//! Generated from the migrations; do not edit.

pub use super::agent_chunks::Entity as AgentChunks;
pub use super::agents::Entity as Agents;
pub use super::api_keys::Entity as ApiKeys;
pub use super::audit_logs::Entity as AuditLogs;
pub use super::chat_messages::Entity as ChatMessages;
pub use super::chat_sessions::Entity as ChatSessions;
pub use super::conversation_messages::Entity as ConversationMessages;
pub use super::demo_videos::Entity as DemoVideos;
pub use super::demos::Entity as Demos;
pub use super::email_queue::Entity as EmailQueue;
pub use super::emails::Entity as Emails;
pub use super::execution_logs::Entity as ExecutionLogs;
pub use super::execution_queue::Entity as ExecutionQueue;
pub use super::execution_steps::Entity as ExecutionSteps;
pub use super::executions::Entity as Executions;
pub use super::files::Entity as Files;
pub use super::health_checks::Entity as HealthChecks;
pub use super::insight_distributions::Entity as InsightDistributions;
pub use super::insights::Entity as Insights;
pub use super::integration_templates::Entity as IntegrationTemplates;
pub use super::integrations::Entity as Integrations;
pub use super::knowledge_chunks::Entity as KnowledgeChunks;
pub use super::oauth_accounts::Entity as OauthAccounts;
pub use super::organization_members::Entity as OrganizationMembers;
pub use super::organizations::Entity as Organizations;
pub use super::reports::Entity as Reports;
pub use super::schedules::Entity as Schedules;
pub use super::sessions::Entity as Sessions;
pub use super::user_preferences::Entity as UserPreferences;
pub use super::users::Entity as Users;
pub use super::webhook_events::Entity as WebhookEvents;
pub use super::webhooks::Entity as Webhooks;
pub use super::workflow_steps::Entity as WorkflowSteps;
pub use super::workflow_templates::Entity as WorkflowTemplates;
pub use super::workflow_versions::Entity as WorkflowVersions;
pub use super::workflows::Entity as Workflows;
