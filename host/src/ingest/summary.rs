//! What a document is about, in a few sentences, from a chat model that can do that.
//!
//! Not here: the chunk that is made of it (`chunks`).

use crate::domain::{Chunk, Knowledge};
use crate::error::{Error, Result};
use crate::limits::SUMMARY_BYTES_MAX;
use crate::provider::{CallContext, ChatMessage, ChatModel, ChatOptions, ChatRequest, ChatRole, ChatTask, Said, gather};

/// Code points of a document that a summary is made from.
const SOURCE_CHARS_MAX: i64 = 4_096;
/// A text of fewer bytes is its own summary.
const OWN_SUMMARY_BYTES: usize = 300;

/// The beginning of the document, without the overlap of its chunks and without pictures.
pub(super) fn source(texts: &[Chunk]) -> String {
    let mut source: Vec<char> = Vec::new();
    for chunk in texts.iter().take_while(|chunk| chunk.end_at <= SOURCE_CHARS_MAX) {
        let range = usize::try_from(chunk.end_at - chunk.start_at).unwrap_or_default();
        // A repeated table header stands before the range; positions that skip a blank chunk leave a gap.
        let content: Vec<char> = chunk.content.chars().collect();
        source.truncate(usize::try_from(chunk.start_at).unwrap_or_default());
        source.extend(&content[content.len().saturating_sub(range)..]);
    }
    without_pictures(&source.into_iter().collect::<String>())
}

/// `None`: there is nothing to sum up.
pub(super) async fn write(
    model: &dyn ChatModel,
    context: &CallContext,
    prompt: &str,
    knowledge: &Knowledge,
    texts: &[Chunk],
) -> Result<Option<String>> {
    let source = source(texts);
    if source.trim().is_empty() {
        return Ok(None);
    }
    if source.len() < OWN_SUMMARY_BYTES {
        return Ok(Some(source));
    }
    let question = format!(
        "File type: {}\nFile name: {}\nKnowledge type: {}\n\nContent:\n{source}",
        knowledge.file_type,
        knowledge.file_name,
        knowledge.kind.as_str()
    );
    let messages = vec![ChatMessage::text(ChatRole::System, prompt), ChatMessage::text(ChatRole::User, question)];
    let options = ChatOptions { temperature: Some(0.3), max_tokens: Some(1_024), thinking: Some(false), ..ChatOptions::default() };
    let request = ChatRequest::new(ChatTask::Summary, messages, options);
    let stream = model.chat_stream(context, request).await?;
    match gather(stream, SUMMARY_BYTES_MAX).await? {
        Said::Whole(text) => Ok(Some(without_thinking(&text).trim().to_owned())),
        Said::TooLong => Err(Error::TooLarge(format!("the summary is longer than {SUMMARY_BYTES_MAX} bytes"))),
        Said::Cut(_) => Err(Error::Unavailable { reason: "the summary was cut off".into() }),
    }
}

fn without_pictures(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("![") {
        let from = &rest[start..];
        let line = &from[..from.find('\n').unwrap_or(from.len())];
        let end = line.find("](").and_then(|close| line[close..].find(')').map(|end| close + end + 1));
        out.push_str(&rest[..start]);
        let skipped = end.unwrap_or(2);
        if end.is_none() {
            out.push_str("![");
        }
        rest = &from[skipped..];
    }
    out.push_str(rest);
    out
}

/// Some models think aloud even when asked not to.
fn without_thinking(text: &str) -> &str {
    match text.rfind("</think>") {
        Some(end) => &text[end + "</think>".len()..],
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::chunks::text_chunks;
    use crate::ingest::split::Splitter;

    #[test]
    fn the_source_is_the_text_without_overlap_headers_and_pictures() {
        let text = format!("see ![p](http://x.test/y.png)now\n| a | b |\n|---|---|\n{}", "| cell | cell |\n".repeat(20));
        let config = crate::domain::ChunkingConfig { chunk_size: 60, chunk_overlap: 20, ..Default::default() };
        let pieces = Splitter::new(&config).expect("valid").split(&text);
        let chunks = text_chunks(&Knowledge::default(), pieces);
        assert!(chunks.len() > 5);
        assert_eq!(source(&chunks), text.replace("![p](http://x.test/y.png)", ""));
    }

    #[test]
    fn a_gap_of_blank_chunks_does_no_harm() {
        let mut chunks = text_chunks(&Knowledge::default(), Splitter::new(&Default::default()).expect("valid").split("some words"));
        chunks[0].start_at = 900;
        chunks[0].end_at = 910;
        assert_eq!(source(&chunks), "some words");
        chunks[0].end_at = 5_000;
        assert_eq!(source(&chunks), "");
    }

    #[test]
    fn thinking_is_left_out() {
        assert_eq!(without_thinking("<think>hm</think> a tower"), " a tower");
        assert_eq!(without_thinking("a tower"), "a tower");
    }
}
