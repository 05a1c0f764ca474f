//! A program of its own that reads a Tidemill database: the latest executions, and what each of their steps did.
//!
//! ```console
//! cargo run -p entity --example read_executions -- sqlite://tidemill-data/tidemill.db
//! ```

use std::process::ExitCode;

use entity::{execution_steps, executions, workflows};
use sea_orm::{
    ColumnTrait, Database, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

/// How many executions to show.
const LATEST: u64 = 10;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Some(url) = std::env::args().nth(1) else {
        eprintln!("usage: read_executions DATABASE_URL");
        return ExitCode::FAILURE;
    };
    match read(&url).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("read_executions: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn read(url: &str) -> Result<(), DbErr> {
    let db = Database::connect(url).await?;
    let latest = executions::Entity::find()
        .find_also_related(workflows::Entity)
        .order_by_desc(executions::Column::CreatedAt)
        .order_by_desc(executions::Column::Id)
        .limit(LATEST)
        .all(&db)
        .await?;
    for (execution, workflow) in latest {
        let name = workflow.map(|workflow| workflow.name).unwrap_or_default();
        show(&format!("{} {name}: {}", execution.created_at, execution.status));
        show_steps(&db, &execution).await?;
    }
    db.close().await
}

async fn show_steps(db: &DatabaseConnection, execution: &executions::Model) -> Result<(), DbErr> {
    let steps = execution_steps::Entity::find()
        .filter(execution_steps::Column::ExecutionId.eq(execution.id))
        .order_by_asc(execution_steps::Column::Sequence)
        .all(db)
        .await?;
    for step in steps {
        let duration = step.duration_ms.map(|ms| format!(" in {ms} ms")).unwrap_or_default();
        show(&format!("    {} ({}): {}{duration}", step.node_name, step.node_type, step.status));
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "printing is what the example is for")]
fn show(line: &str) {
    println!("{line}");
}
