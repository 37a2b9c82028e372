//! From the pieces of a text to chunk rows with ids that a second run derives again.
//!
//! Not here: cutting (`split`) and saving (`store`).

use super::split::Piece;
use crate::domain::{Chunk, ChunkType, Knowledge, Timestamp};
use uuid::Uuid;

/// The text chunks of a document, linked in their order. Blank pieces are left out but keep their number.
pub(super) fn text_chunks(knowledge: &Knowledge, pieces: Vec<Piece>) -> Vec<Chunk> {
    let mut chunks: Vec<Chunk> = pieces
        .into_iter()
        .enumerate()
        .filter(|(_, piece)| !piece.content.trim().is_empty())
        .map(|(index, piece)| {
            let mut chunk = a_chunk(knowledge, ChunkType::Text, to_i64(index), piece.content);
            (chunk.start_at, chunk.end_at) = (to_i64(piece.start), to_i64(piece.end));
            chunk
        })
        .collect();
    for right in 1..chunks.len() {
        chunks[right].pre_chunk_id = chunks[right - 1].id.clone();
        chunks[right - 1].next_chunk_id = chunks[right].id.clone();
    }
    chunks
}

/// Passages as they are, each under its number; blank ones are left out. They are not linked and do not touch, because who
/// stands beside whom in a list means nothing.
pub(super) fn passage_chunks(knowledge: &Knowledge, passages: Vec<(i64, String)>) -> Vec<Chunk> {
    let mut start = 0;
    passages
        .into_iter()
        .filter(|(_, text)| !text.trim().is_empty())
        .map(|(number, text)| {
            let mut chunk = a_chunk(knowledge, ChunkType::Text, number, text);
            (chunk.start_at, chunk.end_at) = (start, start + to_i64(chunk.content.chars().count()));
            start = chunk.end_at + 1;
            chunk
        })
        .collect()
}

/// The summary as a chunk of its own, in the frame that clients of the contract know; none without text or description.
pub(super) fn summary_chunk(knowledge: &Knowledge, texts: &[Chunk], description: &str) -> Option<Chunk> {
    let (first, last) = (texts.first()?, texts.last()?);
    if description.trim().is_empty() {
        return None;
    }
    // A web page has no file name.
    let name = if knowledge.file_name.is_empty() { &knowledge.title } else { &knowledge.file_name };
    let content = format!("# 文档名称\n{name}\n\n# 摘要\n{description}");
    let mut chunk = a_chunk(knowledge, ChunkType::Summary, last.chunk_index + 3, content);
    chunk.parent_chunk_id = first.id.clone();
    Some(chunk)
}

fn a_chunk(knowledge: &Knowledge, chunk_type: ChunkType, chunk_index: i64, content: String) -> Chunk {
    Chunk {
        id: chunk_id(&knowledge.id, chunk_type, chunk_index),
        tenant_id: knowledge.tenant_id,
        knowledge_id: knowledge.id.clone(),
        knowledge_base_id: knowledge.knowledge_base_id.clone(),
        content: content.replace('\0', ""),
        chunk_index,
        is_enabled: true,
        start_at: 0,
        end_at: 0,
        pre_chunk_id: String::new(),
        next_chunk_id: String::new(),
        chunk_type,
        parent_chunk_id: String::new(),
        relation_chunks: None,
        indirect_relation_chunks: None,
        image_info: String::new(),
        created_at: Timestamp::zero(),
        updated_at: Timestamp::zero(),
        deleted_at: None,
    }
}

/// The same for every run, so that a step done twice writes the same rows.
fn chunk_id(knowledge_id: &str, chunk_type: ChunkType, chunk_index: i64) -> String {
    let name = format!("{knowledge_id}/{}/{chunk_index}", chunk_type.as_str());
    Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).to_string()
}

fn to_i64(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// What the contract counts against the quota for one indexed chunk: text, vector with its index, and overhead.
pub(super) fn storage_bytes(chunks: &[Chunk], dimension: i64) -> i64 {
    let entry = |chunk: &Chunk| to_i64(chunk.content.len()) + 6 * dimension + 200;
    chunks.iter().map(entry).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(contents: &[&str]) -> Vec<Piece> {
        contents.iter().map(|content| Piece { content: (*content).to_owned(), start: 0, end: content.chars().count() }).collect()
    }

    fn a_knowledge() -> Knowledge {
        Knowledge { id: "k1".into(), file_name: "a.txt".into(), ..Knowledge::default() }
    }

    #[test]
    fn blank_pieces_are_left_out_and_neighbours_linked_across_them() {
        let chunks = text_chunks(&a_knowledge(), pieces(&["one", " \n", "two"]));
        assert_eq!(chunks.iter().map(|chunk| chunk.chunk_index).collect::<Vec<_>>(), [0, 2]);
        assert_eq!((chunks[0].next_chunk_id.as_str(), chunks[1].pre_chunk_id.as_str()), (chunks[1].id.as_str(), chunks[0].id.as_str()));
        assert_eq!((chunks[0].pre_chunk_id.as_str(), chunks[1].next_chunk_id.as_str()), ("", ""));
    }

    #[test]
    fn a_second_run_derives_the_same_ids_and_another_document_others() {
        let ids = |knowledge: &Knowledge| text_chunks(knowledge, pieces(&["a", "b"])).into_iter().map(|chunk| chunk.id).collect::<Vec<_>>();
        assert_eq!(ids(&a_knowledge()), ids(&a_knowledge()));
        assert_ne!(ids(&a_knowledge()), ids(&Knowledge { id: "k2".into(), ..a_knowledge() }));
    }

    #[test]
    fn passages_keep_their_numbers_and_stay_apart() {
        let passages = vec![(7, "中文".to_owned()), (-2, " ".to_owned()), (0, "abc".to_owned())];
        let chunks = passage_chunks(&a_knowledge(), passages.clone());
        assert_eq!(
            chunks.iter().map(|chunk| (chunk.chunk_index, chunk.start_at, chunk.end_at)).collect::<Vec<_>>(),
            [(7, 0, 2), (0, 3, 6)]
        );
        assert!(chunks.iter().all(|chunk| chunk.pre_chunk_id.is_empty() && chunk.next_chunk_id.is_empty()));
        assert_eq!(passage_chunks(&a_knowledge(), passages)[1].id, chunks[1].id);
    }

    #[test]
    fn the_summary_stands_behind_the_text_in_its_frame() {
        let texts = text_chunks(&a_knowledge(), pieces(&["a", "b"]));
        let summary = summary_chunk(&a_knowledge(), &texts, "short").expect("a summary");
        assert_eq!((summary.chunk_index, summary.content.as_str()), (4, "# 文档名称\na.txt\n\n# 摘要\nshort"));
        assert_eq!(summary.parent_chunk_id, texts[0].id);
        assert!(summary_chunk(&a_knowledge(), &texts, " ").is_none());
        assert!(summary_chunk(&a_knowledge(), &[], "short").is_none());
    }

    #[test]
    fn the_counted_size_is_that_of_the_contract() {
        let chunks = text_chunks(&a_knowledge(), pieces(&["中文", "abc"]));
        assert_eq!(storage_bytes(&chunks, 512), 6 + 3 + 2 * (6 * 512 + 200));
    }
}
