//! A host without a database: one credential, binaries inside the items.

use std::sync::Mutex;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use engine::item::Binary;
use engine::node::{CodeOutput, CodeRequest, Credential, Host, LogLevel, NodeError};
use serde_json::Value;

#[derive(Default)]
pub(crate) struct TestHost {
    pub(crate) credential: Option<Credential>,
    pub(crate) logs: Mutex<Vec<(LogLevel, String)>>,
}

impl TestHost {
    pub(crate) fn binary(bytes: &[u8], mime_type: &str, file_name: Option<&str>) -> Binary {
        Binary {
            data: STANDARD.encode(bytes).into(),
            mime_type: mime_type.to_owned(),
            file_name: file_name.map(str::to_owned),
            size_bytes: Some(bytes.len() as u64),
            ..Binary::default()
        }
    }
}

#[async_trait]
impl Host for TestHost {
    fn now(&self) -> DateTime<Utc> {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    fn log(&self, level: LogLevel, message: String, _: Option<Value>) {
        self.logs.lock().unwrap().push((level, message));
    }

    async fn credential(&self, integration: &str) -> Result<Credential, NodeError> {
        assert_eq!(integration, "mine");
        let credential = self.credential.as_ref().unwrap();
        Ok(Credential {
            connector: credential.connector.clone(),
            secrets: credential.secrets.clone(),
            configuration: credential.configuration.clone(),
        })
    }

    async fn run_code(&self, _: CodeRequest<'_>) -> Result<CodeOutput, NodeError> {
        Err(NodeError::fatal("no_sandbox", "these tests run no code"))
    }

    async fn write_binary(
        &self,
        bytes: Bytes,
        mime_type: &str,
        file_name: Option<&str>,
    ) -> Result<Binary, NodeError> {
        Ok(Self::binary(&bytes, mime_type, file_name))
    }

    async fn read_binary(&self, binary: &Binary) -> Result<Bytes, NodeError> {
        Ok(STANDARD.decode(&*binary.data).unwrap().into())
    }
}
