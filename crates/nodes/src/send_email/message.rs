//! From parameters to a message.

use std::time::SystemTime;

use engine::item::Item;
use engine::node::{Call, NodeError};
use lettre::Message;
use lettre::message::header::ContentType;
use lettre::message::{Attachment, Body, Mailbox, Mailboxes, MultiPart, SinglePart};

use super::parameters::{Addresses, SendEmailParameters};
use crate::http_request::find_binary;

/// The message for one input item.
///
/// Its `Message-ID` is made of the execution, the node and the item: an attempt that is repeated because the answer
/// was lost sends the same id, and mailboxes that look at it show one message.
pub(super) async fn build(
    parameters: &SendEmailParameters,
    call: &Call<'_>,
    index: usize,
) -> Result<(Message, String), NodeError> {
    let from = mailbox("from", &parameters.from)?;
    let node = call.graph.by_id(&call.node.id).unwrap_or_default();
    let message_id =
        format!("<{}.{node}.{}.{index}@{}>", call.execution.id.simple(), call.run_index, from.email.domain());
    refuse_line_breaks("subject", &parameters.subject)?;
    let mut builder = Message::builder()
        .from(from)
        .date(SystemTime::from(call.host.now()))
        .message_id(Some(message_id.clone()))
        .subject(parameters.subject.clone());
    let mut recipients = 0;
    for to in mailboxes("to", &parameters.to)? {
        recipients += 1;
        builder = builder.to(to);
    }
    for cc in mailboxes("cc", &parameters.cc)? {
        recipients += 1;
        builder = builder.cc(cc);
    }
    for bcc in mailboxes("bcc", &parameters.bcc)? {
        recipients += 1;
        builder = builder.bcc(bcc);
    }
    for reply_to in mailboxes("replyTo", &parameters.reply_to)? {
        builder = builder.reply_to(reply_to);
    }
    if recipients == 0 {
        return Err(NodeError::parameter("to", "there is no recipient"));
    }
    let files = attachments(parameters, call.items().get(index), call).await?;
    let text = |text: &String| SinglePart::plain(text.clone());
    let html = |html: &String| SinglePart::html(html.clone());
    let built = match (&parameters.text, &parameters.html, files.is_empty()) {
        (Some(plain), Some(rich), true) => {
            builder.multipart(MultiPart::alternative().singlepart(text(plain)).singlepart(html(rich)))
        }
        (None, Some(rich), true) => builder.singlepart(html(rich)),
        (plain, None, true) => builder.singlepart(text(plain.as_ref().unwrap_or(&String::new()))),
        (plain, rich, false) => {
            let mixed = match (plain, rich) {
                (Some(plain), Some(rich)) => MultiPart::mixed()
                    .multipart(MultiPart::alternative().singlepart(text(plain)).singlepart(html(rich))),
                (None, Some(rich)) => MultiPart::mixed().singlepart(html(rich)),
                (plain, None) => {
                    MultiPart::mixed().singlepart(text(plain.as_ref().unwrap_or(&String::new())))
                }
            };
            builder.multipart(files.into_iter().fold(mixed, MultiPart::singlepart))
        }
    };
    let message = built.map_err(|error| {
        NodeError::fatal("invalid_message", format!("the message cannot be written: {error}"))
    })?;
    Ok((message, message_id))
}

async fn attachments(
    parameters: &SendEmailParameters,
    item: Option<&Item>,
    call: &Call<'_>,
) -> Result<Vec<SinglePart>, NodeError> {
    let mut parts = Vec::with_capacity(parameters.attachments.len());
    for (index, attachment) in parameters.attachments.iter().enumerate() {
        let path = format!("attachments[{index}]");
        let binary = find_binary(item, attachment.property())
            .map_err(|message| NodeError::parameter(&path, message))?;
        let name = attachment.file_name().or(binary.file_name.as_deref()).unwrap_or(attachment.property());
        refuse_line_breaks(&format!("{path}.fileName"), name)?;
        let octets = || ContentType::parse("application/octet-stream");
        let content_type = ContentType::parse(&binary.mime_type).or_else(|_| octets());
        let content_type = content_type.map_err(|error| NodeError::parameter(&path, error))?;
        let bytes = call.host.read_binary(binary).await?;
        parts.push(Attachment::new(name.to_owned()).body(Body::new(bytes.to_vec()), content_type));
    }
    Ok(parts)
}

/// The addresses of a field.
pub(super) fn mailboxes(path: &str, addresses: &Addresses) -> Result<Vec<Mailbox>, NodeError> {
    let mut found = Vec::new();
    for text in addresses.texts() {
        refuse_line_breaks(path, text)?;
        let parsed: Mailboxes = text
            .parse()
            .map_err(|_| NodeError::parameter(path, format_args!("{text:?} is not an e-mail address")))?;
        found.extend(parsed);
    }
    Ok(found)
}

/// The one address of a field.
pub(super) fn mailbox(path: &str, text: &str) -> Result<Mailbox, NodeError> {
    refuse_line_breaks(path, text)?;
    text.trim()
        .parse()
        .map_err(|_| NodeError::parameter(path, format_args!("{text:?} is not an e-mail address")))
}

/// A line break in a header would start another one.
pub(super) fn refuse_line_breaks(path: &str, text: &str) -> Result<(), NodeError> {
    if text.contains(['\r', '\n', '\0', '\u{2028}', '\u{2029}']) {
        return Err(NodeError::parameter(
            path,
            "must not hold line breaks: they would add headers to the message",
        ));
    }
    Ok(())
}
