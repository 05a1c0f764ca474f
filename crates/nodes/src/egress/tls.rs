//! The TLS configuration that all connections share.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls_platform_verifier::Verifier;

use super::Error;

/// Trusts what the operating system trusts; on a machine without certificates (a bare container) Mozilla's list.
///
/// Built once: reading the system's certificates takes longer than a request.
pub(super) fn config() -> Result<ClientConfig, Error> {
    let provider = provider();
    let failed = |error: rustls::Error| Error::Settings { key: "tls", problem: error.to_string() };
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(failed)?;
    let mut config = match Verifier::new(provider) {
        Ok(verifier) => {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth()
        }
        Err(_) => {
            let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
            builder.with_root_certificates(roots).with_no_client_auth()
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// The process' cryptography; ring where nobody chose.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    if CryptoProvider::get_default().is_none() {
        // A race lost here means that another provider is in place, which is what is wanted.
        let _ = ring::default_provider().install_default();
    }
    CryptoProvider::get_default().cloned().unwrap_or_else(|| Arc::new(ring::default_provider()))
}

/// Whether an error came from TLS, however deep: no other attempt will make a certificate valid.
pub(crate) fn is_cause_of(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut current = Some(error);
    while let Some(error) = current {
        // The error inside an I/O error is not its source but stands beside it.
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if error.is::<rustls::Error>() || wrapped.is_some_and(|inner| is_cause_of(inner)) {
            return true;
        }
        current = error.source();
    }
    false
}
