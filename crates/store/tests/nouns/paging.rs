//! Pages: each row once, whatever the times are.

use std::collections::HashSet;

use store::api_keys::{self, NewApiKey};
use store::execution_logs::{self, LogFilter};
use store::executions::{self, ExecutionFilter};
use store::page::{Cursor, PageRequest};
use store::workflows::{self, Status, WorkflowFilter};
use uuid::Uuid;

use crate::conformance;
use crate::seed::{Tenant, manual};

fn at(limit: u64, after: Option<Cursor>) -> PageRequest {
    // Through its text, as a client hands it back.
    let after = after.map(|cursor| cursor.to_string().parse().unwrap());
    PageRequest::new(Some(limit), after).unwrap()
}

conformance! {
    async fn a_list_gives_each_row_once_with_equal_times(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let mut made = HashSet::new();
        // Two instants, with and without a fraction of a second, of five rows each.
        for index in 0..10 {
            if index == 5 {
                test.advance_ms(1);
            }
            made.insert(ada.workflow(db, manual(), Status::Draft).await.id);
        }
        for limit in [1, 3, 5, 10, 11] {
            let (mut seen, mut after) = (Vec::<(chrono::DateTime<chrono::Utc>, Uuid)>::new(), None);
            loop {
                let all = WorkflowFilter::default();
                let page = workflows::list(db.reader(), ada.id(), &all, at(limit, after)).await.unwrap();
                assert!(page.items.len() <= limit as usize);
                seen.extend(page.items.iter().map(|one| (one.created_at, one.id)));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert!(seen.is_sorted_by(|a, b| a > b), "newest first, ids apart, none twice");
            assert_eq!(seen.iter().map(|(_, id)| *id).collect::<HashSet<_>>(), made);
        }
    }

    async fn a_row_added_while_somebody_pages_does_not_shift_the_pages(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let workflow = ada.workflow(db, manual(), Status::Draft).await;
        let mut made = Vec::new();
        for _ in 0..4 {
            test.advance_ms(1);
            made.insert(0, ada.enqueue(db, &workflow).await);
        }
        let filter = ExecutionFilter { workflow_id: Some(workflow.id), ..ExecutionFilter::default() };
        let first = executions::list(db.reader(), ada.id(), &filter, at(2, None)).await.unwrap();
        test.advance_ms(1);
        ada.enqueue(db, &workflow).await;
        let second = executions::list(db.reader(), ada.id(), &filter, at(2, first.next)).await.unwrap();
        let seen: Vec<_> = first.items.iter().chain(&second.items).map(|one| one.id).collect();
        assert_eq!((seen, second.next), (made, None));
    }

    async fn logs_are_followed_from_the_last_line_seen(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        let workflow = ada.workflow(db, manual(), Status::Draft).await;
        let execution_id = ada.enqueue(db, &workflow).await;
        let write = async |levels: &[engine::node::LogLevel]| {
            let records: Vec<_> = levels
                .iter()
                .map(|level| store::journal::LogRecord {
                    id: store::ids::new_id(),
                    organization_id: ada.id(),
                    execution_id,
                    step_id: None,
                    node_id: Some("start".to_owned()),
                    node_type: None,
                    level: *level,
                    message: level.as_str().to_owned(),
                    data: None,
                    timestamp: db.now(),
                })
                .collect();
            store::journal::write_logs(db.writer(), &records).await.unwrap();
        };
        use engine::node::LogLevel::{Debug, Error, Info, Warn};
        write(&[Debug, Info, Warn, Error]).await;
        let list = async |filter: LogFilter, page| {
            execution_logs::list(db.reader(), ada.id(), execution_id, &filter, page).await.unwrap()
        };
        let all = list(LogFilter::default(), PageRequest::default()).await.items;
        let words: Vec<_> = all.iter().map(|line| line.level.as_str()).collect();
        assert_eq!(words, ["debug", "info", "warn", "error"]);
        let grave = list(LogFilter { level: Some(Warn), ..LogFilter::default() }, at(1, None)).await;
        assert_eq!(grave.items[0].level, "warn");
        let more = list(LogFilter { level: Some(Warn), ..LogFilter::default() }, at(1, grave.next)).await;
        assert_eq!((more.items[0].level.as_str(), more.next), ("error", None));

        let last = execution_logs::cursor(all.last().unwrap());
        assert!(list(LogFilter::default(), at(10, Some(last))).await.items.is_empty());
        test.advance_ms(1);
        write(&[Info]).await;
        assert_eq!(list(LogFilter::default(), at(10, Some(last))).await.items.len(), 1);
    }

    async fn keys_page_too(test: &TestDb) {
        let db = &test.db;
        let ada = Tenant::sign_up(db, "ada@example.org").await;
        for index in 0..3 {
            let new = NewApiKey {
                organization_id: ada.id(),
                user_id: ada.user.id,
                key_name: format!("{index}"),
                key_prefix: String::new(),
                key_hash: format!("{index}"),
                permissions: Vec::new(),
                expires_at: None,
            };
            api_keys::create(db.writer(), db.now(), new).await.unwrap();
        }
        let first = api_keys::list(db.reader(), ada.id(), None, at(2, None)).await.unwrap();
        let rest = api_keys::list(db.reader(), ada.id(), Some(ada.user.id), at(2, first.next)).await.unwrap();
        assert_eq!((first.items.len(), rest.items.len(), rest.next), (2, 1, None));
    }
}
