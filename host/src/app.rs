//! Every shared part, built once, started and ended in order; the only place that names both plugins and the work rooms.
//!
//! Not here: what the parts do.

pub mod folder;
mod model_calls;
mod parts;
mod sample;
pub mod secrets;
mod upkeep;

pub use crate::http::openapi::text as api_description;
pub use sample::{DocumentCounts, SAMPLE_QUESTION};

use crate::config::Settings;
use crate::domain::TenantScope;
use crate::http;
use crate::library::access::REFERENCE_SECRET;
use anyhow::{Context, Result, anyhow};
use folder::DataFolder;
use parts::Parts;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// File in `data/secrets` that holds the first tenant's API key, for commands on this machine.
pub const API_KEY_SECRET: &str = "api-key";
/// File in `data/secrets` that holds this start's key for operator routes: who can read it owns the data folder.
pub const LOCAL_KEY_SECRET: &str = "local-key";

/// What is said at the start and by `doctor` when tokens are signed with the reference's secret.
pub const SHARED_SECRET: &str = "JWT_SECRET is the published secret of the reference server: its tokens are accepted here and ours there, \
and the texts of tokens are kept in the database. Whoever reads that table can act for everybody in it. Take JWT_SECRET out of the \
environment as soon as the old server is off; people then log in once more.";

/// What the first start of a data folder made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FirstStart {
    /// It was not the first.
    No,
    /// A tenant.
    Empty,
    /// A tenant and a sample knowledge base whose documents are being taken in.
    Sample { knowledge_base_id: String },
}

/// A server that listens. Ends with [`Running::stop`]; dropped without it, its tasks end at their next await.
pub struct Running {
    parts: Parts,
    scope: TenantScope,
    address: SocketAddr,
    api_key: String,
    first_start: FirstStart,
    ask_to_stop: oneshot::Sender<()>,
    server: JoinHandle<crate::error::Result<()>>,
    folder: DataFolder,
    stop_time: Duration,
}

/// Whether tokens are the reference's, because its secret was set on purpose.
pub fn shares_tokens(settings: &Settings) -> bool {
    settings.jwt_secret.as_deref() == Some(REFERENCE_SECRET)
}

/// Log lines on stderr, for people on a terminal and else one JSON object each, filtered as the setting `knowhost.log` says.
pub fn init_log(filter: &str) {
    let filter = tracing_subscriber::EnvFilter::try_new(filter).unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second call, as in tests, changes nothing.
    let _ = if is_terminal { lines.try_init() } else { lines.json().flatten_event(true).with_ansi(false).try_init() };
}

/// Locks the data folder, listens, builds the parts and serves.
///
/// # Errors
/// A sentence for the operator: the folder is served by another process, the port is in use, something in the folder can not be read.
pub async fn start(settings: Settings) -> Result<Running> {
    settings.zone.clone().install();
    let folder = DataFolder::lock(&settings.data_dir)?;
    let listener = listen(settings.listen).await?;
    let address = listener.local_addr()?;
    let secrets = secrets::Secrets::open(folder.path())?;
    let stop_time = Duration::from_secs(settings.shutdown_timeout_s);
    let want_sample = settings.sample;
    let parts = Parts::build(settings, folder.path(), &secrets).await?;
    let (tenant, is_first) = sample::first_tenant(&parts).await?;
    parts.plugins.set_local_tenant(tenant.id);
    secrets.write(API_KEY_SECRET, &tenant.api_key)?;
    let scope = parts.scope_of(tenant.id);
    parts.start_tasks();
    let (ask_to_stop, asked) = oneshot::channel();
    let state = parts.http_state();
    let server = tokio::spawn(http::serve(listener, state, async move {
        // A dropped sender means that the owner is gone, which ends the server too.
        let _ = asked.await;
    }));
    folder.announce(address)?;
    let first_start = match (is_first, want_sample) {
        (false, _) => FirstStart::No,
        (true, false) => FirstStart::Empty,
        (true, true) => FirstStart::Sample { knowledge_base_id: sample::fill(&parts, &scope).await? },
    };
    Ok(Running { parts, scope, address, api_key: tenant.api_key, first_start, ask_to_stop, server, folder, stop_time })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the kinds of the standard library grow; all others are told as they are")]
async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            anyhow!("the address {address} is in use by another program; choose another with --listen 127.0.0.1:PORT or KNOWHOST_LISTEN")
        }
        std::io::ErrorKind::AddrNotAvailable => anyhow!("{address} is no address of this machine; choose another with --listen"),
        std::io::ErrorKind::PermissionDenied => {
            anyhow!("the port {} needs more rights; choose one above 1023 with --listen", address.port())
        }
        _ => anyhow!("{address} can not be listened on: {error}"),
    })
}

impl Running {
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The first tenant's API key.
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    pub fn data_dir(&self) -> &Path {
        self.folder.path()
    }

    pub fn first_start(&self) -> &FirstStart {
        &self.first_start
    }

    pub fn sample_documents(&self) -> u64 {
        sample::documents_count()
    }

    /// Follows the documents of a knowledge base until each is completed or failed; tells how many are.
    pub async fn wait_for_documents(&self, knowledge_base_id: &str, progress: impl Fn(u64)) -> Result<DocumentCounts> {
        sample::wait(&self.parts, &self.scope, knowledge_base_id, progress).await
    }

    /// A session to ask in.
    pub async fn make_session(&self, knowledge_base_id: &str) -> Result<String> {
        sample::make_session(&self.parts, &self.scope, knowledge_base_id).await
    }

    /// Takes no more requests, gives streams their time, hands back jobs, closes the database.
    pub async fn stop(self) -> Result<()> {
        let _ = self.ask_to_stop.send(());
        let served = tokio::time::timeout(self.stop_time, self.server).await;
        if let Ok(ended) = served {
            ended.context("the server's task ended badly")??;
        }
        self.parts.stop(self.stop_time).await;
        drop(self.folder);
        Ok(())
    }
}
