//! Listens, bounds its connections, and ends in good order.
//!
//! Not here: which address, and what starts or stops beside the server (`app`).

use super::{AppState, router};
use crate::error::Result;
use crate::limits::{CONNECTIONS_MAX, HEADERS_WAIT, SHUTDOWN_GRACE};
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

/// Serves until `shutdown` resolves, then gives running requests [`SHUTDOWN_GRACE`] to end.
pub async fn serve(listener: TcpListener, state: AppState, shutdown: impl Future<Output = ()> + Send) -> Result<()> {
    let bounds = Bounds { connections_max: CONNECTIONS_MAX, headers_wait: HEADERS_WAIT, grace: SHUTDOWN_GRACE };
    serve_router(listener, router(state), bounds, shutdown).await;
    Ok(())
}

#[derive(Clone, Copy)]
struct Bounds {
    connections_max: usize,
    /// For the head of a request, and for the next request on an idle connection.
    headers_wait: Duration,
    grace: Duration,
}

/// How running connections are told to end: first after their request, then at once.
#[derive(Clone)]
struct Stop {
    soon: CancellationToken,
    now: CancellationToken,
}

async fn serve_router(listener: TcpListener, router: Router, bounds: Bounds, shutdown: impl Future<Output = ()> + Send) {
    let slots = Arc::new(Semaphore::new(bounds.connections_max));
    let stop = Stop { soon: CancellationToken::new(), now: CancellationToken::new() };
    let connections = TaskTracker::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let next = async {
            let slot = slots.clone().acquire_owned().await;
            (slot, listener.accept().await)
        };
        let (slot, accepted) = tokio::select! {
            next = next => next,
            () = &mut shutdown => break,
        };
        match accepted {
            Ok((stream, address)) => {
                let connection = connection(stream, address, router.clone(), bounds, stop.clone());
                connections.spawn(async move {
                    connection.await;
                    drop(slot);
                });
            }
            Err(error) => {
                // Mostly out of file descriptors: others have to close first.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    stop.soon.cancel();
    connections.close();
    if tokio::time::timeout(bounds.grace, connections.wait()).await.is_err() {
        tracing::warn!(connections = connections.len(), "requests still ran when the time to end was over");
        stop.now.cancel();
        connections.wait().await;
    }
}

async fn connection(stream: TcpStream, address: SocketAddr, router: Router, bounds: Bounds, stop: Stop) {
    // Events of a stream are small and must not wait for each other; a socket that refuses still works.
    let _ = stream.set_nodelay(true);
    let service = router.map_request(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(address));
        request.map(Body::new)
    });
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    // Some clients compare header names letter by letter; the contract's server writes `Content-Type`.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(bounds.headers_wait).title_case_headers(true);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)));
    let mut told = false;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection broke");
                }
                return;
            }
            () = stop.soon.cancelled(), if !told => {
                told = true;
                connection.as_mut().graceful_shutdown();
            }
            () = stop.now.cancelled() => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::response::Response;
    use axum::routing::get;
    use futures_util::stream;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::oneshot;

    const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    const LONG: Duration = Duration::from_secs(60);

    struct Running {
        address: SocketAddr,
        shutdown: oneshot::Sender<()>,
        ended: tokio::task::JoinHandle<()>,
    }

    async fn run(bounds: Bounds) -> Running {
        let endless = || async { Response::new(Body::from_stream(stream::repeat(Ok::<_, std::convert::Infallible>("tick\n")))) };
        let router = Router::new().route("/", get(|ConnectInfo(from): ConnectInfo<SocketAddr>| async move { from.ip().to_string() }));
        let router = router.route("/endless", get(endless));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (shutdown, told) = oneshot::channel::<()>();
        let ended = tokio::spawn(async move {
            serve_router(listener, router, bounds, async { told.await.unwrap_or_default() }).await;
        });
        Running { address, shutdown, ended }
    }

    async fn send(address: SocketAddr, bytes: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.expect("connects");
        stream.write_all(bytes).await.expect("sends");
        stream
    }

    async fn read_some(stream: &mut TcpStream) -> String {
        let mut buffer = [0; 4096];
        let count = stream.read(&mut buffer).await.unwrap_or_default();
        String::from_utf8_lossy(&buffer[..count]).into_owned()
    }

    #[tokio::test]
    async fn idle_connections_end_at_once_and_endless_answers_after_the_grace() {
        let server = run(Bounds { connections_max: 8, headers_wait: LONG, grace: Duration::from_millis(50) }).await;
        let mut idle = send(server.address, GET).await;
        assert!(read_some(&mut idle).await.ends_with("127.0.0.1"));
        let mut endless = send(server.address, b"GET /endless HTTP/1.1\r\nhost: a\r\n\r\n").await;
        assert!(read_some(&mut endless).await.starts_with("HTTP/1.1 200"));
        server.shutdown.send(()).expect("it runs");
        server.ended.await.expect("it ends");
        assert_eq!(read_some(&mut idle).await, "");
        assert!(TcpStream::connect(server.address).await.is_err());
    }

    #[tokio::test]
    async fn a_head_that_never_ends_is_cut_off() {
        let server = run(Bounds { connections_max: 8, headers_wait: Duration::from_millis(20), grace: LONG }).await;
        let mut slow = send(server.address, b"GET / HTTP/1.1\r\nhost: ").await;
        let mut rest = Vec::new();
        let read = slow.read_to_end(&mut rest).await;
        assert!(read.is_err() || !String::from_utf8_lossy(&rest).contains("200 OK"), "{rest:?}");
    }

    #[tokio::test]
    async fn connections_beyond_the_limit_wait_for_a_place() {
        let server = run(Bounds { connections_max: 1, headers_wait: LONG, grace: LONG }).await;
        let mut first = send(server.address, GET).await;
        assert!(read_some(&mut first).await.contains("200 OK"));
        let mut second = send(server.address, GET).await;
        let early = tokio::time::timeout(Duration::from_millis(50), read_some(&mut second)).await;
        assert!(early.is_err(), "it has to wait");
        drop(first);
        assert!(read_some(&mut second).await.contains("200 OK"));
    }
}
