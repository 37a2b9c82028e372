//! What parent and child say to each other over pipes: one request, one answer.
//!
//! Not here: starting, limiting and ending the child.
//!
//! Request: length (u32), header (JSON), the bytes of the file. Answer: a marker that only this request knows, length of
//! the header (u32) and of the text (u64), header (JSON), text. Readers are libraries that may print to standard output
//! as they like; whatever stands before the marker is theirs and is skipped. Numbers are big-endian.

use anyhow::{Context, bail};
use knowhost_parse::{ParseError, ParseLimits, Parsed};
use serde::{Deserialize, Serialize};
use std::io::Read;

/// The words that make the binary a parser.
pub(super) const HEADER_BYTES_MAX: usize = 64 << 10;
/// Frame and header of an answer; the header holds a number for each record.
pub(super) const ANSWER_OVERHEAD_BYTES_MAX: usize = 4 << 20;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct RequestHeader {
    pub(super) marker: String,
    pub(super) file_type: String,
    pub(super) file_bytes: u64,
    pub(super) limits: ParseLimits,
    pub(super) address_space_bytes: u64,
    pub(super) cpu_seconds: u64,
}

pub(super) type Outcome = Result<Parsed, ParseError>;

pub(super) fn encode_request_header(header: &RequestHeader) -> anyhow::Result<Vec<u8>> {
    let json = serde_json::to_vec(header)?;
    let mut bytes = u32::try_from(json.len())?.to_be_bytes().to_vec();
    bytes.extend(json);
    Ok(bytes)
}

pub(super) fn read_request(mut source: impl Read) -> anyhow::Result<(RequestHeader, Vec<u8>)> {
    let mut length = [0; 4];
    source.read_exact(&mut length).context("no request")?;
    let length = usize::try_from(u32::from_be_bytes(length))?;
    if length > HEADER_BYTES_MAX {
        bail!("a header of {length} bytes is too long");
    }
    let mut json = vec![0; length];
    source.read_exact(&mut json)?;
    let header: RequestHeader = serde_json::from_slice(&json)?;
    let mut file = Vec::new();
    source.take(header.file_bytes).read_to_end(&mut file)?;
    if u64::try_from(file.len())? != header.file_bytes {
        bail!("the file ends after {} of {} bytes", file.len(), header.file_bytes);
    }
    Ok((header, file))
}

pub(super) fn encode_answer(marker: &str, outcome: Outcome) -> anyhow::Result<Vec<u8>> {
    let (text, outcome) = match outcome {
        Ok(mut parsed) => (std::mem::take(&mut parsed.text), Ok(parsed)),
        Err(error) => (String::new(), Err(error)),
    };
    let json = serde_json::to_vec(&outcome)?;
    let mut bytes = Vec::with_capacity(marker.len() + 12 + json.len() + text.len());
    bytes.extend(marker.as_bytes());
    bytes.extend(u32::try_from(json.len())?.to_be_bytes());
    bytes.extend(u64::try_from(text.len())?.to_be_bytes());
    bytes.extend(json);
    bytes.extend(text.as_bytes());
    Ok(bytes)
}

/// `None` when the answer is missing, cut or malformed.
pub(super) fn decode_answer(marker: &str, bytes: &[u8]) -> Option<Outcome> {
    let start = bytes.windows(marker.len()).position(|window| window == marker.as_bytes())? + marker.len();
    let json_bytes = usize::try_from(u32::from_be_bytes(bytes.get(start..start + 4)?.try_into().ok()?)).ok()?;
    let text_bytes = usize::try_from(u64::from_be_bytes(bytes.get(start + 4..start + 12)?.try_into().ok()?)).ok()?;
    let json_end = (start + 12).checked_add(json_bytes)?;
    let outcome: Outcome = serde_json::from_slice(bytes.get(start + 12..json_end)?).ok()?;
    let text = std::str::from_utf8(bytes.get(json_end..json_end.checked_add(text_bytes)?)?).ok()?;
    Some(outcome.map(|parsed| Parsed { text: text.to_owned(), ..parsed }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_found_behind_the_chatter_of_a_library() {
        let parsed = Parsed { text: "文本".into(), record_ends: vec![3, 6], pages: 2, ..Parsed::default() };
        let answer = encode_answer("marker-7", Ok(parsed.clone())).expect("encodes");
        let noisy = [b"debug: font missing\n".as_slice(), &answer, b"bye\n"].concat();
        assert_eq!(decode_answer("marker-7", &noisy), Some(Ok(parsed)));
        assert_eq!(decode_answer("marker-8", &noisy), None);
        for end in 0..answer.len() {
            assert_eq!(decode_answer("marker-7", &answer[..end]), None, "cut at {end}");
        }
    }

    #[test]
    fn a_request_that_lies_about_its_length_is_refused() {
        let header = RequestHeader {
            marker: "m".into(),
            file_type: "txt".into(),
            file_bytes: 10,
            limits: ParseLimits::default(),
            address_space_bytes: 1,
            cpu_seconds: 1,
        };
        let mut bytes = encode_request_header(&header).expect("encodes");
        bytes.extend(b"short");
        assert!(read_request(bytes.as_slice()).is_err());
        assert!(read_request([0xff; 8].as_slice()).is_err());
    }
}
