//! A mail server that keeps what it is sent.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::tls;

/// What a mail server saw of one session.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Commands, without the messages.
    pub(crate) commands: Vec<String>,
    pub(crate) messages: Vec<String>,
}

/// How a mail server's sessions are encrypted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encryption {
    None,
    StartTls,
    Tls,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

pub(crate) struct SmtpServer {
    pub(crate) address: SocketAddr,
    /// The certificate (PEM) to trust.
    pub(crate) ca_certificate: String,
    sessions: Arc<Mutex<Vec<Seen>>>,
    task: tokio::task::JoinHandle<()>,
}

impl SmtpServer {
    /// Accepts the user `ann` with the password `pa55word`; answers recipients at `full.example` with 452 and those at
    /// `gone.example` with 550.
    pub(crate) async fn start() -> Self {
        Self::start_with(Encryption::None).await
    }

    pub(crate) async fn start_with(encryption: Encryption) -> Self {
        let (acceptor, ca_certificate) = tls::acceptor();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let sessions = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&sessions);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = {
                    let mut sessions = kept.lock().unwrap();
                    sessions.push(Seen::default());
                    sessions.len() - 1
                };
                let (kept, acceptor) = (Arc::clone(&kept), acceptor.clone());
                tokio::spawn(async move {
                    let upgrade = (encryption == Encryption::StartTls).then(|| acceptor.clone());
                    let stream: Box<dyn Stream> = match encryption {
                        Encryption::Tls => Box::new(acceptor.accept(stream).await.ok()?),
                        Encryption::None | Encryption::StartTls => Box::new(stream),
                    };
                    serve(stream, kept, number, upgrade).await
                });
            }
        });
        Self { address, ca_certificate, sessions, task }
    }

    pub(crate) fn sessions(&self) -> Vec<Seen> {
        self.sessions.lock().unwrap().clone()
    }

    pub(crate) fn messages(&self) -> Vec<String> {
        self.sessions().into_iter().flat_map(|seen| seen.messages).collect()
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    stream: Box<dyn Stream>,
    sessions: Arc<Mutex<Vec<Seen>>>,
    number: usize,
    mut upgrade: Option<TlsAcceptor>,
) -> Option<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 test\r\n").await.ok()?;
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let command = line.trim_end().to_owned();
        sessions.lock().unwrap()[number].commands.push(command.clone());
        let upper = command.to_ascii_uppercase();
        if upper == "STARTTLS"
            && let Some(acceptor) = upgrade.take()
        {
            stream.write_all(b"220 go on\r\n").await.ok()?;
            stream = BufReader::new(Box::new(acceptor.accept(stream.into_inner()).await.ok()?));
            continue;
        }
        let answer = if upper.starts_with("EHLO") && upgrade.is_some() {
            "250-test\r\n250-8BITMIME\r\n250 STARTTLS"
        } else if upper.starts_with("EHLO") {
            "250-test\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN"
        } else if let Some(initial) = command.strip_prefix("AUTH PLAIN ") {
            let given = STANDARD.decode(initial).unwrap();
            if given == b"\0ann\0pa55word" { "235 welcome" } else { "535 5.7.8 no: pa55wordX is wrong" }
        } else if upper.starts_with("RCPT") && upper.contains("@FULL.EXAMPLE") {
            "452 mailbox full"
        } else if upper.starts_with("RCPT") && upper.contains("@GONE.EXAMPLE") {
            "550 no such user"
        } else if upper == "DATA" {
            stream.write_all(b"354 go on\r\n").await.ok()?;
            let mut message = String::new();
            loop {
                line.clear();
                stream.read_line(&mut line).await.ok()?;
                if line == ".\r\n" {
                    break;
                }
                message.push_str(line.strip_prefix('.').unwrap_or(&line));
            }
            sessions.lock().unwrap()[number].messages.push(message);
            "250 kept"
        } else if upper == "QUIT" {
            "221 bye"
        } else {
            "250 ok"
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
        if upper == "QUIT" {
            return Some(());
        }
    }
}
