//! Row-level security: PostgreSQL itself keeps tenants apart.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement, TransactionTrait};

use crate::databases::on_postgres;

const FIRST: &str = "00000000-0000-7000-8000-000000000001";
const SECOND: &str = "00000000-0000-7000-8000-000000000002";

#[tokio::test]
async fn a_tenants_tables_have_row_level_security_on_postgres() {
    on_postgres(|fresh| async move {
        let db = fresh.migrated().await;
        for table in migration::tables().iter().filter(|table| table.is_tenant_owned()) {
            let query = format!(
                "SELECT relrowsecurity AND EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid \
                 AND polname = 'tenant_isolation') AS secured FROM pg_class c WHERE oid = '{}'::regclass",
                table.name()
            );
            let row =
                db.query_one_raw(Statement::from_string(DbBackend::Postgres, query)).await.unwrap().unwrap();
            assert!(row.try_get::<bool>("", "secured").unwrap(), "{}", table.name());
        }
    })
    .await;
}

/// The role is made in the transaction, and gone with it.
#[tokio::test]
async fn a_role_that_owns_nothing_sees_and_writes_the_rows_of_the_named_organization_only() {
    on_postgres(|fresh| async move {
        let db = fresh.migrated().await;
        let transaction = db.begin().await.unwrap();
        for (organization, slug) in [(FIRST, "first"), (SECOND, "second")] {
            let row = format!(
                "INSERT INTO organizations (id, name, slug, created_at, updated_at) \
                 VALUES ('{organization}', '{slug}', '{slug}', now(), now())"
            );
            transaction.execute_unprepared(&row).await.unwrap();
            insert_workflow(&transaction, organization).await.unwrap();
            insert_template(&transaction, &format!("'{organization}'")).await.unwrap();
        }
        insert_template(&transaction, "NULL").await.unwrap();
        let role = format!("tenant_{}", uuid::Uuid::now_v7().simple());
        let become_role = format!(
            "CREATE ROLE {role}; GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}; SET LOCAL ROLE {role}"
        );
        transaction.execute_unprepared(&become_role).await.unwrap();

        assert_eq!(count(&transaction, "workflows").await, 0);
        transaction.execute_unprepared(&format!("SET LOCAL app.organization_id = '{FIRST}'")).await.unwrap();
        assert_eq!(count(&transaction, "workflows").await, 1);
        assert_eq!(count(&transaction, "workflow_templates").await, 2);
        insert_workflow(&transaction, FIRST).await.unwrap();
        let error = insert_workflow(&transaction, SECOND).await.unwrap_err().to_string();
        assert!(error.contains("row-level security"), "{error}");
    })
    .await;
}

async fn insert_workflow(transaction: &DatabaseTransaction, organization: &str) -> Result<(), DbErr> {
    let row = format!(
        "INSERT INTO workflows (id, organization_id, name, definition, trigger_type, created_at, updated_at) \
         VALUES (gen_random_uuid(), '{organization}', 'x', '{{}}', 'manual', now(), now())"
    );
    transaction.execute_unprepared(&row).await.map(|_| ())
}

async fn insert_template(transaction: &DatabaseTransaction, organization: &str) -> Result<(), DbErr> {
    let row = format!(
        "INSERT INTO workflow_templates (id, organization_id, name, category, required_integrations, template_data, \
         created_at, updated_at) VALUES (gen_random_uuid(), {organization}, 'x', 'x', '[]', '{{}}', now(), now())"
    );
    transaction.execute_unprepared(&row).await.map(|_| ())
}

async fn count(transaction: &DatabaseTransaction, table: &str) -> i64 {
    let query = Statement::from_string(DbBackend::Postgres, format!("SELECT count(*) AS n FROM {table}"));
    transaction.query_one_raw(query).await.unwrap().unwrap().try_get("", "n").unwrap()
}
