//! Starts children from a thread that lives as long as the pool.
//!
//! The kernel kills a child when the *thread* that started it ends. Threads of an async runtime come and go, so
//! none of them may start one.

use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::child::SANDBOX_ARGUMENT;
use super::limits::Limits;

/// The thread that starts children.
pub(super) struct Spawner {
    orders: Sender<Order>,
}

struct Order {
    runtime: Handle,
    reply: oneshot::Sender<io::Result<Child>>,
}

impl Spawner {
    pub(super) fn start(program: PathBuf, limits: &Limits) -> io::Result<Self> {
        let (orders, inbox) = channel::<Order>();
        let arguments = limits.to_arguments();
        thread::Builder::new().name("sandbox-spawner".to_owned()).spawn(move || {
            while let Ok(order) = inbox.recv() {
                let _runtime = order.runtime.enter();
                // Who ordered it may have gone; then the child is dropped, and killed.
                drop(order.reply.send(command(&program, &arguments).spawn()));
            }
        })?;
        Ok(Self { orders })
    }

    /// Starts a child whose pipes belong to the current runtime.
    pub(super) async fn spawn(&self) -> io::Result<Child> {
        let (reply, child) = oneshot::channel();
        let gone = || io::Error::other("the thread that starts sandbox processes has ended");
        self.orders.send(Order { runtime: Handle::current(), reply }).map_err(|_| gone())?;
        child.await.map_err(|_| gone())?
    }
}

fn command(program: &PathBuf, arguments: &[String]) -> Command {
    let mut command = Command::new(program);
    command
        .arg(SANDBOX_ARGUMENT)
        .args(arguments)
        .env_clear()
        // A zone that the C library knows without reading a file.
        .env("TZ", "UTC0")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // A Ctrl-C at the terminal is for the parent, which finishes what is running.
        .process_group(0)
        .kill_on_drop(true);
    command
}
