//! Send e-mail: one message for each item, over the SMTP server of an integration.
//!
//! One session serves all items of a run; it is opened anew after a failure. The connection passes the egress guard.
//! Texts that would add headers to a message are refused by the name of their field.

mod message;
mod parameters;

#[cfg(test)]
mod tests;

use async_trait::async_trait;
use engine::definition::OnError;
use engine::item::{Item, JsonMap};
use engine::node::{Call, Descriptor, Example, NodeError, Outcome, Typed};
use engine::nodes::{EachItem, ParameterReader};
use serde_json::{Value, json};

use crate::describe;
use crate::egress::Client;
use crate::smtp::{Server, Session};

pub use parameters::{Addresses, EmailAttachment, NamedAttachment, SendEmailParameters};

/// The node type `send_email`.
pub struct SendEmail {
    egress: Client,
}

impl SendEmail {
    /// The node type, whose connections go through this client's guard.
    #[must_use]
    pub fn new(egress: Client) -> Self {
        Self { egress }
    }

    async fn send<'s>(
        &self,
        session: &mut Option<Session<'s>>,
        server: &'s Server,
        parameters: &SendEmailParameters,
        call: &Call<'_>,
        index: usize,
    ) -> Result<Item, NodeError> {
        let (message, message_id) = message::build(parameters, call, index).await?;
        let mut open = match session.take() {
            Some(open) => open,
            None => server.connect(&self.egress, parameters.timeout_ms).await?,
        };
        let response = open.send(&message, parameters.timeout_ms).await?;
        *session = Some(open);
        let accepted: Vec<_> = message.envelope().to().iter().map(ToString::to_string).collect();
        let said: Vec<_> = response.message().collect();
        let json = JsonMap::from_iter([
            ("messageId".to_owned(), Value::from(message_id)),
            ("accepted".to_owned(), accepted.into()),
            ("response".to_owned(), format!("{} {}", response.code(), said.join(" ")).into()),
        ]);
        Ok(Item::new(json).from_input(index))
    }
}

#[async_trait]
impl Typed for SendEmail {
    type Parameters = SendEmailParameters;

    fn descriptor(&self) -> Descriptor {
        Descriptor {
            connectors: vec!["smtp"],
            example: Example {
                title: "A report to two people",
                fields: json!({
                    "from": "Reports <reports@example.com>",
                    "to": ["ann@example.com", "Bob <bob@example.com>"],
                    "subject": "=Orders of {{ $now.toISODate() }}",
                    "text": "=There were {{ $json.count }} orders.",
                }),
                input: json!([{ "count": 3 }]),
                output: json!([]),
            },
            ..describe::action(
                "send_email",
                "Send e-mail",
                "Sends an e-mail for each item over the SMTP server of an integration, with files of the item if wanted.",
            )
        }
    }

    fn check(&self, parameters: &SendEmailParameters) -> Vec<(String, String)> {
        let lists = [
            ("to", &parameters.to),
            ("cc", &parameters.cc),
            ("bcc", &parameters.bcc),
            ("replyTo", &parameters.reply_to),
        ];
        let mut problems: Vec<_> = lists
            .iter()
            .filter_map(|(path, list)| Some((*path, message::mailboxes(path, list).err()?)))
            .collect();
        problems.extend(message::mailbox("from", &parameters.from).err().map(|error| ("from", error)));
        problems.extend(
            message::refuse_line_breaks("subject", &parameters.subject).err().map(|error| ("subject", error)),
        );
        let nobody = lists[..3].iter().all(|(_, list)| list.texts().next().is_none());
        problems.extend(nobody.then(|| ("to", NodeError::parameter("to", "there is no recipient"))));
        if !(1..=86_400_000).contains(&parameters.timeout_ms) {
            let error = NodeError::parameter("timeoutMs", "must be between 1 and 86400000 (one day)");
            problems.push(("timeoutMs", error));
        }
        // The message of a parameter error starts with its path, which stands beside it here.
        let plain =
            |path: &str, error: NodeError| error.message.trim_start_matches(&format!("{path}: ")).to_owned();
        problems.into_iter().map(|(path, error)| (path.to_owned(), plain(path, error))).collect()
    }

    async fn run(&self, call: Call<'_>) -> Result<Outcome, NodeError> {
        let integration = call.node.integration.as_deref();
        let integration = integration.ok_or_else(|| {
            NodeError::fatal(
                "no_integration",
                "choose an smtp integration: it says which server sends the e-mail",
            )
        })?;
        let server = Server::of(&call.host.credential(integration).await?)?;
        let gives_up = call.attempt >= call.node.retry.max_attempts && call.node.on_error != OnError::Stop;
        let mut reader = ParameterReader::<SendEmailParameters>::new(&call);
        let mut each = EachItem::new(&call, 1);
        let mut session = None;
        for index in 0..call.items().len().max(1) {
            let sent = match reader.read(index) {
                Ok(parameters) => self.send(&mut session, &server, &parameters, &call, index).await,
                Err(error) => Err(error),
            };
            match sent {
                Ok(item) => each.push(0, item),
                Err(error) => {
                    each.fail(index, NodeError { retryable: error.retryable && !gives_up, ..error })?
                }
            }
        }
        if let Some(mut session) = session {
            session.quit().await;
        }
        Ok(each.finish())
    }
}
