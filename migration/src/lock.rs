//! One migrator at a time.
//!
//! SeaORM takes no lock, and of several migrators on an empty database most fail. Here all of them take a transaction
//! that only one can hold. It ends with the process, so a killed migrator leaves neither a lock nor half a schema.

use sea_orm_migration::sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};

/// Names the lock among the advisory locks of a PostgreSQL database: "tidemill" in ASCII.
const ADVISORY_LOCK: i64 = 0x7469_6465_6d69_6c6c;

/// A transaction that no other migrator can hold at the same time.
pub(crate) async fn acquire(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    if db.get_database_backend() == DbBackend::Sqlite {
        // A deferred transaction would find out too late that another one has written.
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        return db.begin_with_options(options).await;
    }
    let transaction = db.begin().await?;
    transaction.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({ADVISORY_LOCK})")).await?;
    Ok(transaction)
}
