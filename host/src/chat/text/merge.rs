//! Joins chunks of one document that overlap or touch, so that an answer cites whole passages.
//!
//! Not here: how hits were found and ranked.

use super::{Hit, MergedStory, sort};
use crate::domain::{ChunkType, ImageInfo};
use std::collections::BTreeMap;

/// Best first. The first chunk of a joined passage gives its id and place, the best one its scores.
pub fn merge(hits: Vec<Hit>) -> Vec<Hit> {
    let mut by_knowledge: BTreeMap<String, Vec<Hit>> = BTreeMap::new();
    let mut merged = Vec::with_capacity(hits.len());
    for hit in hits {
        // Only texts have places in the document that mean something.
        if hit.result.chunk_type == ChunkType::Text {
            by_knowledge.entry(hit.result.knowledge_id.clone()).or_default().push(hit);
        } else {
            merged.push(hit);
        }
    }
    for mut group in by_knowledge.into_values() {
        group.sort_by(|left, right| {
            let place = |hit: &Hit| (hit.result.start_at, hit.result.end_at);
            place(left).cmp(&place(right)).then_with(|| left.result.id.cmp(&right.result.id))
        });
        let mut kept: Vec<Hit> = Vec::with_capacity(group.len());
        for hit in group {
            let hit = match kept.last_mut() {
                Some(last) => match join(last, hit) {
                    Some(apart) => apart,
                    None => continue,
                },
                None => hit,
            };
            kept.push(hit);
        }
        merged.append(&mut kept);
    }
    sort(&mut merged);
    merged
}

/// Joins `hit` into `last`, or gives it back when the two do not meet or their places do not fit their texts.
fn join(last: &mut Hit, hit: Hit) -> Option<Hit> {
    let (from, with) = (&mut last.result, &hit.result);
    if with.start_at > from.end_at || !is_aligned(from) || !is_aligned(with) {
        return Some(hit);
    }
    if with.end_at > from.end_at {
        let overlap = usize::try_from(from.end_at - with.start_at).unwrap_or(0);
        from.content.extend(with.content.chars().skip(overlap));
        from.end_at = with.end_at;
        from.sub_chunk_id.get_or_insert_default().push(with.id.clone());
        from.image_info = merge_images(&from.image_info, &with.image_info);
    }
    from.score = from.score.max(with.score);
    last.rank = last.rank.max(hit.rank);
    tell(last, hit);
    None
}

/// Where stories are told at all, each chunk of a passage keeps its own.
fn tell(last: &mut Hit, hit: Hit) {
    if last.story.is_some() || hit.story.is_some() {
        let merged = MergedStory { chunk_id: hit.result.id, story: hit.story };
        last.story.get_or_insert_default().merged.push(merged);
    }
}

fn is_aligned(result: &crate::domain::SearchResult) -> bool {
    let length = result.end_at.checked_sub(result.start_at).and_then(|length| usize::try_from(length).ok());
    length == Some(result.content.chars().count())
}

/// Both lists without entries that have no address or one that was there before; a broken list counts as none.
fn merge_images(target: &str, source: &str) -> String {
    let Some(more) = images(source).filter(|images| !images.is_empty()) else { return target.to_owned() };
    let Some(mut all) = images(target) else { return source.to_owned() };
    all.extend(more);
    let mut unique: Vec<ImageInfo> = Vec::with_capacity(all.len());
    for image in all {
        if !image.url.is_empty() && unique.iter().all(|known| known.url != image.url) {
            unique.push(image);
        }
    }
    serde_json::to_string(&unique).unwrap_or_else(|_| target.to_owned())
}

pub(super) fn images(text: &str) -> Option<Vec<ImageInfo>> {
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::text::Story;
    use crate::chat::text::testing::hit;
    use proptest::prelude::*;

    #[test]
    fn overlapping_and_touching_chunks_become_one_passage() {
        let merged = merge(vec![hit("b", 3, "defgh", 0.9), hit("a", 0, "abcde", 0.4), hit("c", 8, "ijk", 0.2), hit("d", 12, "mn", 0.5)]);
        assert_eq!(merged.len(), 2);
        let first = &merged[0];
        assert_eq!((first.result.id.as_str(), first.result.content.as_str()), ("a", "abcdefghijk"));
        assert_eq!((first.result.start_at, first.result.end_at), (0, 11));
        assert_eq!(first.result.sub_chunk_id, Some(vec!["b".to_owned(), "c".to_owned()]));
        assert_eq!((first.rank, first.result.score), (0.9, 0.9));
        assert_eq!(merged[1].result.id, "d");
        assert_eq!(merged[1].result.sub_chunk_id, None);
    }

    #[test]
    fn every_chunk_of_a_passage_keeps_its_story() {
        let told = |mut hit: Hit, rerank_score| {
            hit.story = Some(Story { rerank_score: Some(rerank_score), ..Story::default() });
            hit
        };
        let quoted = hit("a", 0, "abcde", 0.4);
        let merged = merge(vec![quoted, told(hit("b", 3, "defgh", 0.9), 0.9), told(hit("c", 4, "ef", 0.2), 0.2)]);
        let story = merged[0].story.as_ref().expect("a story");
        assert_eq!(
            serde_json::to_value(story).expect("JSON"),
            serde_json::json!({"merged": [
                {"chunk_id": "b", "rerank_score": 0.9},
                {"chunk_id": "c", "rerank_score": 0.2},
            ]})
        );
        let silent = merge(vec![hit("a", 0, "abcde", 0.4), hit("b", 3, "defgh", 0.9)]);
        assert_eq!(silent[0].story, None);
    }

    #[test]
    fn a_contained_chunk_only_lends_its_score() {
        let merged = merge(vec![hit("a", 0, "中文字符abc", 0.4), hit("b", 2, "字符", 0.8)]);
        assert_eq!(merged.len(), 1);
        assert_eq!(merged[0].result.sub_chunk_id, None);
        assert_eq!(merged[0].rank, 0.8);
    }

    #[test]
    fn places_that_do_not_fit_keep_both_texts() {
        let mut wrong = hit("b", 3, "defgh", 0.9);
        wrong.result.content = "d".into();
        let mut backwards = hit("c", 5, "xyz", 0.1);
        backwards.result.end_at = 2;
        assert_eq!(merge(vec![hit("a", 0, "abcde", 0.4), wrong, backwards]).len(), 3);
    }

    #[test]
    fn summaries_and_other_documents_stay_apart() {
        let mut summary = hit("s", 0, "about", 0.3);
        summary.result.chunk_type = ChunkType::Summary;
        let mut other = hit("o", 2, "cde", 0.3);
        other.result.knowledge_id = "other".into();
        assert_eq!(merge(vec![hit("a", 0, "abc", 0.4), summary, other]).len(), 3);
    }

    #[test]
    fn images_are_joined_by_address() {
        let one = r#"[{"url":"u1","caption":"one"},{"url":""}]"#;
        let two = r#"[{"url":"u1","caption":"again"},{"url":"u2"}]"#;
        let joined = images(&merge_images(one, two)).expect("a list");
        assert_eq!(
            joined.iter().map(|image| (image.url.as_str(), image.caption.as_str())).collect::<Vec<_>>(),
            [("u1", "one"), ("u2", "")]
        );
        assert_eq!(merge_images("broken", two), two);
        assert_eq!(merge_images(one, "broken"), one);
        assert_eq!(merge_images("", ""), "");
    }

    proptest! {
        #[test]
        fn any_places_merge_without_a_panic(places in proptest::collection::vec((-5_i64..30, -5_i64..30, 0_usize..12), 0..12)) {
            let hits: Vec<Hit> = places.iter().enumerate().map(|(number, (start, end, length))| {
                let mut hit = hit(&format!("c{number}"), *start, &"é".repeat(*length), 0.5);
                hit.result.end_at = *end;
                hit
            }).collect();
            let count = hits.len();
            prop_assert!(merge(hits).len() <= count);
        }

        #[test]
        fn pieces_of_a_text_merge_to_that_text(text in "\\PC{1,80}", size in 1_usize..20, overlap in 0_usize..10) {
            let characters: Vec<char> = text.chars().collect();
            let step = size.saturating_sub(overlap).max(1);
            let hits: Vec<Hit> = (0..characters.len()).step_by(step).map(|start| {
                let end = (start + size).min(characters.len());
                hit(&format!("c{start:03}"), start as i64, &characters[start..end].iter().collect::<String>(), 0.5)
            }).collect();
            let merged = merge(hits);
            prop_assert_eq!(merged.len(), 1);
            prop_assert_eq!(&merged[0].result.content, &text);
        }
    }
}
