//! A chat model with a fixed pace behind the OpenAI protocol: every token carries the time when it was sent.
//!
//! Not here: real models, whose pace nobody knows beforehand; the tests of the server use those.

use super::wire::body_length;
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Barrier;

/// What an answer is.
#[derive(Clone)]
pub(crate) struct Pace {
    pub(crate) answers: usize,
    pub(crate) tokens: usize,
    pub(crate) token: Duration,
    /// Times are told as microseconds since then.
    pub(crate) epoch: Instant,
}

/// Serves until the runtime ends; the first token waits until all have asked.
pub(crate) async fn serve(listener: TcpListener, pace: Pace) {
    let all_asked = Arc::new(Barrier::new(pace.answers));
    for place in 0.. {
        let Ok((stream, _)) = listener.accept().await else { return };
        let (pace, all_asked) = (pace.clone(), all_asked.clone());
        tokio::spawn(async move {
            // A server that hangs up has its own reason, which its answer tells.
            let _ = answer(stream, &pace, place % pace.answers, &all_asked).await;
        });
    }
}

async fn answer(mut stream: TcpStream, pace: &Pace, place: usize, all_asked: &Barrier) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    read_request(&mut stream).await?;
    stream
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n")
        .await?;
    let waited = tokio::time::timeout(Duration::from_secs(90), all_asked.wait()).await;
    let begin = Instant::now();
    // Answers begin spread over one token's time, as those of people are.
    let first = begin + pace.token.mul_f64(place as f64 / pace.answers as f64);
    for token in 0..pace.tokens {
        tokio::time::sleep_until((first + pace.token * u32::try_from(token).unwrap_or(u32::MAX)).into()).await;
        let text = if waited.is_err() { "late ".to_owned() } else { format!("t{} ", pace.epoch.elapsed().as_micros()) };
        let delta = json!({ "choices": [{ "index": 0, "delta": { "content": text } }] });
        send(&mut stream, &format!("data: {delta}\n\n")).await?;
    }
    let end = json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": "stop" }] });
    send(&mut stream, &format!("data: {end}\n\ndata: [DONE]\n\n")).await?;
    stream.write_all(b"0\r\n\r\n").await
}

async fn send(stream: &mut TcpStream, text: &str) -> std::io::Result<()> {
    stream.write_all(format!("{:x}\r\n{text}\r\n", text.len()).as_bytes()).await
}

/// Head and body, to the last byte.
async fn read_request(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 << 10];
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(&buffer[..count]);
        let Some(head) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let length = body_length(&String::from_utf8_lossy(&bytes[..head]));
        if bytes.len() >= head + 4 + length.unwrap_or_default() {
            return Ok(());
        }
    }
}
