//! The audit log.

use serde_json::json;
use store::audit::{self, AuditFilter, Deed, REDACTED};
use store::page::PageRequest;

use crate::conformance;
use crate::seed::Tenant;

conformance! {
    async fn a_deed_is_recorded_without_its_secrets_and_found_by_filters(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let deed = Deed {
            organization_id: Some(ada.id()),
            user_id: Some(ada.user.id),
            action: "integration.update".to_owned(),
            resource_type: "integration".to_owned(),
            resource_id: Some(ada.id()),
            new_values: Some(json!({"credentials": {"token": "planted"}, "display_name": "Main"})),
            user_agent: Some("a\0b".to_owned()),
            ..Deed::default()
        };
        let tx = db.begin().await.unwrap();
        audit::record(&tx, db.now(), deed.clone()).await.unwrap();
        tx.commit().await.unwrap();
        let tx = db.begin().await.unwrap();
        audit::record(&tx, db.now(), deed).await.unwrap();
        tx.rollback().await.unwrap();

        let list = async |filter: AuditFilter| {
            audit::list(db.reader(), ada.id(), &filter, PageRequest::default()).await.unwrap().items
        };
        let rows = list(AuditFilter::default()).await;
        assert_eq!(rows.len(), 1, "a deed that was undone is not recorded");
        assert_eq!(rows[0].new_values, Some(json!({"credentials": REDACTED, "display_name": "Main"})));
        assert_eq!((&rows[0].details, rows[0].user_agent.as_deref()), (&json!({}), Some("a\u{fffd}b")));
        for (filter, expected) in [
            (AuditFilter { action: Some("integration.update".to_owned()), ..AuditFilter::default() }, 1),
            (AuditFilter { action: Some("integration.delete".to_owned()), ..AuditFilter::default() }, 0),
            (AuditFilter { user_id: Some(ada.user.id), ..AuditFilter::default() }, 1),
            (AuditFilter { resource_type: Some("workflow".to_owned()), ..AuditFilter::default() }, 0),
            (AuditFilter { resource_id: Some(ada.id()), ..AuditFilter::default() }, 1),
            (AuditFilter { from: Some(db.now()), ..AuditFilter::default() }, 1),
            (AuditFilter { until: Some(db.now()), ..AuditFilter::default() }, 0),
        ] {
            assert_eq!(list(filter.clone()).await.len(), expected, "{filter:?}");
        }
    }
}
