//! A lean HTTP client on one kept connection: what it costs is taken from the server it shares the cores with.
//!
//! Not here: streams (`streams`) and anything that is not measured, which the tests' own caller does.

use knowhost_tests::Server;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;

pub(crate) struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// A request as bytes, made once and sent often.
pub(crate) fn request(server: &Server, method: &str, path: &str, body: Option<&Value>) -> Vec<u8> {
    let body = body.map(Value::to_string).unwrap_or_default();
    let host = host(server);
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nx-api-key: {}\r\n", server.api_key());
    if !body.is_empty() {
        head.push_str(&format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len()));
    }
    format!("{head}\r\n{body}").into_bytes()
}

/// `127.0.0.1:port`
pub(crate) fn host(server: &Server) -> String {
    server.url().trim_start_matches("http://").to_owned()
}

impl Wire {
    pub(crate) fn connect(server: &Server) -> Self {
        let stream = TcpStream::connect(host(server)).expect("a connection");
        stream.set_nodelay(true).expect("an option");
        Self { stream, buffer: vec![0; 64 << 10] }
    }

    /// Sends and reads the whole answer.
    ///
    /// # Panics
    /// When the answer is not 200.
    pub(crate) fn ask(&mut self, request: &[u8]) {
        self.stream.write_all(request).expect("sent");
        let (mut length, mut whole) = (0, None);
        while whole.is_none_or(|whole| length < whole) {
            if length == self.buffer.len() {
                self.buffer.resize(length * 2, 0);
            }
            let count = self.stream.read(&mut self.buffer[length..]).expect("an answer");
            assert!(count > 0, "the server closed the connection");
            length += count;
            whole = whole.or_else(|| answer_bytes(&self.buffer[..length]));
        }
        let head = String::from_utf8_lossy(&self.buffer[..length.min(400)]);
        assert!(self.buffer.starts_with(b"HTTP/1.1 200"), "{head}");
    }
}

/// Length of head and body, once the head is there.
fn answer_bytes(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&bytes[..head]).expect("a head");
    Some(head + body_length(text).expect("a length"))
}

/// What a head says about its body; names of headers are written in any case (RFC 9110, 5.1).
pub(crate) fn body_length(head: &str) -> Option<usize> {
    let is_it = |(name, value): (&str, &str)| name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok()).flatten();
    head.lines().filter_map(|line| line.split_once(':')).find_map(is_it)
}
