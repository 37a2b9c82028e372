//! More animals of the zoo: chat models that break out of their limits in ways that the SDK lets through.
//!
//! Not here: broken steps (`steps`), and the misdeeds that all kinds share (`calls`).

use crate::calls::endless;
use knowhost_plugin_sdk::{ChatRequest, Delta, Error, HostFault, Level, Result, StreamCtx, ToolDelta, join_all};
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

static VISITORS: AtomicU32 = AtomicU32::new(0);

fn recurse(depth: u64) -> u64 {
    if depth == u64::MAX { depth } else { black_box(recurse(black_box(depth + 1))).wrapping_add(1) }
}

fn busy(rounds: u64) {
    let mut count = 0_u64;
    while count < rounds {
        count = black_box(count + 1);
    }
}

struct AtTheEnd {
    panics: bool,
}

impl Drop for AtTheEnd {
    fn drop(&mut self) {
        assert!(!self.panics, "as told, when it was given up");
        endless();
    }
}

/// What the name stands for; other names are harmless.
pub(crate) async fn animal(ctx: &StreamCtx<Delta>, request: &ChatRequest) -> Result<()> {
    let name = request.model.name.as_str();
    match name {
        "recursion" => ctx.emit(Delta::Text(recurse(0).to_string())),
        "slow-loop" => loop {
            busy(100_000);
            ctx.sleep_ms(0).await;
        },
        "endless-stream" => loop {
            ctx.emit(Delta::Text("more ".into()));
            ctx.sleep_ms(1).await;
        },
        "endless-log" => loop {
            (0..100).for_each(|line| ctx.log(Level::Warn, format!("{line} {}", "x".repeat(1_000))));
            ctx.sleep_ms(1).await;
        },
        "endless-timer" => loop {
            ctx.sleep_ms(3_600_000).await;
        },
        "delta-flood" => (0..20_000).for_each(|_| ctx.emit(Delta::Text("x".into()))),
        "bad-text" => {
            // SAFETY: nothing here reads it as text; its bytes go to the host, which has to find out that they are none.
            ctx.emit(Delta::Text(unsafe { String::from_utf8_unchecked(vec![0xff, 0xfe]) }));
        }
        "huge-error" => return Err(Error::upstream("x".repeat(1 << 20))),
        "abort" => std::process::abort(),
        "resume-trap" => {
            ctx.sleep_ms(0).await;
            panic!("as told, in resume");
        }
        "resume-loop" => {
            ctx.sleep_ms(0).await;
            endless();
        }
        "cancel-trap" | "cancel-loop" => {
            let _at_the_end = AtTheEnd { panics: name == "cancel-trap" };
            ctx.sleep_ms(3_600_000).await;
        }
        "tool" => ctx.emit(Delta::Tool(ToolDelta { index: 0, id: None, name: Some("delete".into()), arguments: "{}".into() })),
        "last-words" => {
            eprintln!("thread 'x' panicked at x:");
            (0..1_000).for_each(|_| eprintln!("{}:", "x".repeat(1_000)));
            std::process::abort();
        }
        "pending" => std::future::pending().await,
        _ => {
            if let Some(said) = look_around(name) {
                ctx.emit(Delta::Text(said));
            } else {
                ask(ctx, request).await?;
            }
        }
    }
    Ok(())
}

/// What it finds of the world around it.
fn look_around(name: &str) -> Option<String> {
    Some(match name {
        "exit" => std::process::exit(3),
        "file" => format!("{}", std::fs::read("/etc/passwd").is_ok() || std::fs::write("/tmp/zoo", "x").is_ok()),
        "socket" => format!("{}", std::net::TcpStream::connect("127.0.0.1:80").is_ok()),
        "thread" => format!("{}", std::thread::Builder::new().spawn(|| {}).is_ok()),
        "environment" => format!("{} {}", std::env::vars().count(), std::env::args().count()),
        "clock" => {
            let (started, now) = (Instant::now(), SystemTime::now());
            busy(100_000);
            format!("{} {}", started.elapsed().as_nanos(), now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
        }
        "random" => format!("{}", RandomState::new().hash_one("x")),
        "state" => format!("visitor {}", VISITORS.fetch_add(1, Ordering::Relaxed)),
        "stderr-flood" => {
            (0..300).for_each(|line| eprintln!("{line} {}", "x".repeat(100)));
            "said".into()
        }
        _ => return None,
    })
}

/// What it asks of the host.
async fn ask(ctx: &StreamCtx<Delta>, request: &ChatRequest) -> Result<(), HostFault> {
    let base = request.model.base_url.clone();
    match request.model.name.as_str() {
        "huge-headers" => drop(ctx.get(base).header("X-Big", "x".repeat(100_000)).await?),
        "huge-body" => drop(ctx.post(base).body(vec![b'x'; 33 << 20]).await?),
        "read-all" => {
            let mut body = ctx.get(base).await?;
            while body.chunk().await?.is_some() {}
        }
        "follow" => {
            let body = ctx.get(base).await?;
            let location = body.header("location").unwrap_or_default().to_owned();
            drop(ctx.get(location).await?);
        }
        "cache-flood" => ctx.cache_put("key", vec![0; 1 << 20], None).await?,
        "many-ops" => {
            let ends = join_all((0..100).map(|_| ctx.get(base.clone()).timeout_ms(20).into_future())).await;
            let refused = ends.into_iter().filter_map(Result::err).filter(|fault| fault.text.contains("open operations"));
            ctx.emit(Delta::Text(format!("{} refused", refused.count())));
        }
        "split-header" => drop(ctx.get(base).header("X-A", "b\r\nHost: stranger.example").await?),
        "own-host" => drop(ctx.get(base).header("Host", "stranger.example").await?),
        "user-info" => drop(ctx.get(base.replacen("://", "://stranger.example@", 1)).await?),
        "file-address" => drop(ctx.get("file:///etc/passwd").await?),
        "impatient" => drop(ctx.get(base).timeout_ms(20).await?),
        _ => ctx.emit(Delta::Text("harmless".into())),
    }
    Ok(())
}
