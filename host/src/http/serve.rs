//! Listens, and ends in good order.
//!
//! Not here: which address, and what starts or stops beside the server (`app`).

use super::{AppState, router};
use crate::error::{Error, Result};
use crate::limits::SHUTDOWN_GRACE;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Serves until `shutdown` resolves, then gives running requests [`SHUTDOWN_GRACE`] to end.
pub async fn serve(listener: TcpListener, state: AppState, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<()> {
    let (stopping, mut stopped) = watch::channel(false);
    let signal = async move {
        shutdown.await;
        let _ = stopping.send(true);
    };
    let service = router(state).into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, service).with_graceful_shutdown(signal);
    tokio::select! {
        ended = server.into_future() => ended.map_err(Error::internal),
        () = grace_after(&mut stopped) => {
            tracing::warn!("requests still ran when the time to end was over");
            Ok(())
        }
    }
}

async fn grace_after(stopped: &mut watch::Receiver<bool>) {
    if stopped.wait_for(|stopped| *stopped).await.is_err() {
        // The server ended by itself; the other branch answers.
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(SHUTDOWN_GRACE).await;
}
