//! Logs and metrics of a process.
//!
//! Log lines go to standard error through `tracing`. Metrics are counted through the `metrics` facade
//! anywhere in Tidemill and rendered by [`Telemetry::render`] in Prometheus' text format.

use std::io::IsTerminal as _;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::prelude::*;

use crate::settings::{Log, LogFormat};

/// Upper bounds in seconds of the buckets of every `*_seconds` histogram.
const SECONDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0];

/// Why logs or metrics cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `log.filter` cannot be read.
    #[error("setting log.filter cannot be read")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Somebody set them up before.
    #[error("logs or metrics are set up twice: {0}")]
    Twice(String),
}

/// The metrics of this process.
#[derive(Clone)]
pub struct Telemetry {
    metrics: PrometheusHandle,
}

impl Telemetry {
    /// Sets up logs and metrics, once in a process.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn start(log: &Log) -> Result<Self, Error> {
        let filter = EnvFilter::builder().parse(&log.filter)?;
        let colours = std::io::stderr().is_terminal();
        let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(colours);
        let registry = tracing_subscriber::registry().with(filter);
        match log.format {
            LogFormat::Text => registry.with(layer).try_init(),
            LogFormat::Json => registry.with(layer.json()).try_init(),
        }
        .map_err(|error| Error::Twice(error.to_string()))?;
        let metrics = builder().install_recorder().map_err(|error| Error::Twice(error.to_string()))?;
        Ok(Self { metrics })
    }

    /// Metrics that are not installed for the process: for tests, in which many services live together.
    #[must_use]
    pub fn detached() -> Self {
        Self { metrics: builder().build_recorder().handle() }
    }

    /// All metrics in Prometheus' text format.
    #[must_use]
    pub fn render(&self) -> String {
        self.metrics.run_upkeep();
        self.metrics.render()
    }
}

fn builder() -> PrometheusBuilder {
    let builder = PrometheusBuilder::new();
    // The only error is an empty list of bounds.
    builder.set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS).unwrap_or_default()
}
