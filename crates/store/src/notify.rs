//! Wake-ups between the parts of Tidemill.
//!
//! They only cut latency: everybody polls as well, so a lost one costs time and nothing else. Inside a process they
//! go through a channel. On PostgreSQL they reach other processes with LISTEN and NOTIFY: one task sends, and puts
//! together what comes in while it sends (a NOTIFY is a transaction); another listens, on a connection of its own, and
//! says [`Topic::Everything`] after it had lost that connection.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sea_orm::sea_query::ArrayType;
use sea_orm::sqlx::postgres::PgListener;
use sea_orm::sqlx::{self};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement, Value};
use tokio::sync::broadcast;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// The channel of PostgreSQL.
const CHANNEL: &str = "tidemill";

/// Wake-ups that a slow receiver may be behind before it is only told that there were some.
const BUFFER: usize = 1_024;

/// Most topics that wait to be sent; more are dropped, since whoever waits for them polls too.
const MAX_UNSENT: usize = 4_096;

/// Pause between attempts to listen again.
const RECONNECT: Duration = Duration::from_millis(500);

/// What something happened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// There may be something to claim.
    Queue,
    /// An execution changed, or is to be cancelled.
    Execution(Uuid),
    /// Wake-ups were missed: look at everything.
    Everything,
}

impl Topic {
    fn to_payload(self) -> String {
        match self {
            Self::Queue => "queue".to_owned(),
            Self::Execution(id) => id.simple().to_string(),
            Self::Everything => "everything".to_owned(),
        }
    }

    fn parse(payload: &str) -> Option<Self> {
        match payload {
            "queue" => Some(Self::Queue),
            "everything" => Some(Self::Everything),
            id => Uuid::try_parse(id).ok().map(Self::Execution),
        }
    }
}

/// Sends and receives wake-ups. Cheap to clone.
#[derive(Clone)]
pub struct Notifier {
    shared: Arc<Shared>,
    /// Ends the tasks with the last notifier.
    _tasks: Arc<Tasks>,
}

struct Shared {
    local: broadcast::Sender<Topic>,
    /// Tells the sending task that there is something to send; `None` where there is nobody else.
    remote: Option<Remote>,
}

struct Remote {
    /// Tells this process's notifications from those of others.
    instance: String,
    unsent: Mutex<HashSet<Topic>>,
    wake: tokio::sync::Notify,
}

struct Tasks(Vec<JoinHandle<()>>);

impl Drop for Tasks {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

impl Notifier {
    /// Wake-ups within this process.
    pub(crate) fn local() -> Self {
        let shared = Arc::new(Shared { local: broadcast::Sender::new(BUFFER), remote: None });
        Self { shared, _tasks: Arc::new(Tasks(Vec::new())) }
    }

    /// Wake-ups among all processes on a PostgreSQL database.
    pub(crate) fn postgres(db: &DatabaseConnection) -> Self {
        let remote = Remote {
            instance: crate::ids::new_id().simple().to_string(),
            unsent: Mutex::default(),
            wake: tokio::sync::Notify::new(),
        };
        let shared = Arc::new(Shared { local: broadcast::Sender::new(BUFFER), remote: Some(remote) });
        let tasks = vec![
            tokio::spawn(send(Arc::clone(&shared), db.clone())),
            tokio::spawn(listen(Arc::clone(&shared), db.get_postgres_connection_pool().clone())),
        ];
        Self { shared, _tasks: Arc::new(Tasks(tasks)) }
    }

    /// Wakes whoever waits for `topic`. To be called after the commit: who wakes up looks at the database.
    pub fn notify(&self, topic: Topic) {
        // An error only says that nobody listens.
        let _ = self.shared.local.send(topic);
        if let Some(remote) = &self.shared.remote {
            let mut unsent = remote.unsent.lock().unwrap_or_else(PoisonError::into_inner);
            if unsent.len() < MAX_UNSENT {
                unsent.insert(topic);
            }
            drop(unsent);
            remote.wake.notify_one();
        }
    }

    /// Everything from now on.
    #[must_use]
    pub fn subscribe(&self) -> Receiver {
        Receiver { inner: self.shared.local.subscribe() }
    }
}

/// Receives wake-ups.
pub struct Receiver {
    inner: broadcast::Receiver<Topic>,
}

impl Receiver {
    /// The next wake-up. A receiver that was too slow is told [`Topic::Everything`]. Can be dropped and called again
    /// without losing one. Once the database is closed it never returns.
    pub async fn recv(&mut self) -> Topic {
        match self.inner.recv().await {
            Ok(topic) => topic,
            Err(broadcast::error::RecvError::Lagged(_)) => Topic::Everything,
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}

async fn send(shared: Arc<Shared>, db: DatabaseConnection) {
    let Some(remote) = &shared.remote else { return };
    loop {
        remote.wake.notified().await;
        let topics = std::mem::take(&mut *remote.unsent.lock().unwrap_or_else(PoisonError::into_inner));
        if topics.is_empty() {
            continue;
        }
        let payloads = topics.into_iter().map(|topic| format!("{}:{}", remote.instance, topic.to_payload()));
        let payloads = Value::Array(ArrayType::String, Some(Box::new(payloads.map(Value::from).collect())));
        let sql = "SELECT count(pg_notify($1, payload)) FROM UNNEST($2::text[]) AS payload";
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [CHANNEL.into(), payloads]);
        if let Err(error) = db.query_one_raw(statement).await {
            tracing::debug!(%error, "a wake-up of other processes was not sent; they poll");
        }
    }
}

async fn listen(shared: Arc<Shared>, pool: sqlx::PgPool) {
    let mut is_first = true;
    loop {
        let mut listener = match connect(&pool).await {
            Ok(listener) => listener,
            Err(error) => {
                tracing::debug!(%error, "cannot listen for wake-ups; polling goes on");
                tokio::time::sleep(RECONNECT).await;
                continue;
            }
        };
        if !std::mem::take(&mut is_first) {
            let _ = shared.local.send(Topic::Everything);
        }
        // `None` and an error both mean that the connection was lost: what came meanwhile is unknown.
        while let Ok(Some(notification)) = listener.try_recv().await {
            deliver(&shared, notification.payload());
        }
        tracing::debug!("the connection for wake-ups was lost");
    }
}

async fn connect(pool: &sqlx::PgPool) -> Result<PgListener, sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

fn deliver(shared: &Shared, payload: &str) {
    let Some((instance, topic)) = payload.split_once(':') else { return };
    let is_own = shared.remote.as_ref().is_some_and(|remote| remote.instance == instance);
    if let Some(topic) = Topic::parse(topic).filter(|_| !is_own) {
        let _ = shared.local.send(topic);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_survives_its_payload() {
        for topic in [Topic::Queue, Topic::Everything, Topic::Execution(crate::ids::new_id())] {
            assert_eq!(Topic::parse(&topic.to_payload()), Some(topic));
        }
        assert_eq!(Topic::parse("nonsense"), None);
    }

    #[tokio::test]
    async fn a_receiver_that_was_too_slow_is_told_to_look_at_everything() {
        let notifier = Notifier::local();
        let mut receiver = notifier.subscribe();
        (0..=BUFFER).for_each(|_| notifier.notify(Topic::Queue));
        assert_eq!(receiver.recv().await, Topic::Everything);
        assert_eq!(receiver.recv().await, Topic::Queue);
    }
}
