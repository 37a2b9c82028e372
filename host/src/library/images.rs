//! What people correct about a picture in a document: its caption and its text, and the chunks that make both findable.
//!
//! Not here: seeing what is in a picture (`ingest`).

use super::Documents;
use crate::domain::{Chunk, ChunkType, ImageInfo, Knowledge, TenantScope, Timestamp};
use crate::error::{Error, Result};
use crate::store::{ImageChange, PictureChunk};
use md5::{Digest, Md5};
use uuid::Uuid;

impl Documents {
    /// `image_info` is the JSON text of a list with exactly one picture. Answers when searches see the change.
    pub async fn update_image(
        &self,
        scope: &TenantScope,
        knowledge_id: &str,
        chunk_id: &str,
        image_info: &str,
        request_id: &str,
    ) -> Result<()> {
        let image = parse_image(image_info)?;
        let knowledge = self.store.get_knowledge(scope, knowledge_id).await?;
        let parent = self.store.get_chunk(scope, chunk_id).await?;
        if parent.knowledge_id != knowledge.id {
            return Err(Error::not_found("chunk not found"));
        }
        let children = self.store.list_chunks_of_parent(scope, chunk_id).await?;
        let mut change = ImageChange {
            image_info: merged(&parent.image_info, &image)?,
            file_hash: new_hash(&knowledge, image_info),
            ..ImageChange::default()
        };
        for (chunk_type, text) in [(ChunkType::ImageCaption, &image.caption), (ChunkType::ImageOcr, &image.ocr_text)] {
            let present = children.iter().find(|child| child.chunk_type == chunk_type && shows(child, &image));
            match present {
                Some(child) if text.is_empty() => change.removed.push(child.id.clone()),
                Some(child) => {
                    let is_same = child.content == *text;
                    let chunk = Chunk { content: text.clone(), image_info: as_list(&image)?, ..child.clone() };
                    change.written.push(self.picture_chunk(scope, chunk, is_same, request_id).await?);
                }
                None if text.is_empty() => {}
                None => {
                    let chunk = Chunk { image_info: as_list(&image)?, ..new_child(&parent, chunk_type, text) };
                    change.written.push(self.picture_chunk(scope, chunk, false, request_id).await?);
                }
            }
        }
        match self.store.change_image(scope, &knowledge.id, &parent.id, &change).await? {
            Some(sequence) => self.wait_until(sequence).await,
            None => Ok(()),
        }
    }

    async fn picture_chunk(&self, scope: &TenantScope, chunk: Chunk, keeps_vector: bool, request_id: &str) -> Result<PictureChunk> {
        let embedding = if keeps_vector { None } else { Some(self.embed_one(scope, &chunk, &chunk.content, request_id).await?) };
        Ok(PictureChunk { chunk, embedding })
    }
}

fn parse_image(text: &str) -> Result<ImageInfo> {
    let images: Option<Vec<Option<ImageInfo>>> =
        serde_json::from_str(text).map_err(|error| Error::BadRequest(format!("image_info is no JSON list of pictures: {error}")))?;
    let [Some(image)] =
        <[_; 1]>::try_from(images.unwrap_or_default()).map_err(|_| Error::bad_request("image_info must hold exactly one picture"))?
    else {
        return Err(Error::bad_request("image_info must hold exactly one picture"));
    };
    Ok(image)
}

fn images_of(text: &str) -> Vec<ImageInfo> {
    // What cannot be read holds no picture that could be kept.
    serde_json::from_str(text).unwrap_or_default()
}

fn is_same(left: &ImageInfo, right: &ImageInfo) -> bool {
    if left.original_url.is_empty() && right.original_url.is_empty() {
        left.url == right.url
    } else {
        left.original_url == right.original_url
    }
}

/// A child shows one picture, the first of its list.
fn shows(child: &Chunk, image: &ImageInfo) -> bool {
    images_of(&child.image_info).first().is_some_and(|first| is_same(first, image))
}

/// The pictures of the chunk with this one in its place; one that is new stands last.
fn merged(present: &str, image: &ImageInfo) -> Result<String> {
    let mut images = images_of(present);
    match images.iter_mut().find(|other| is_same(other, image)) {
        Some(place) => *place = image.clone(),
        None => images.push(image.clone()),
    }
    to_text(&images)
}

fn as_list(image: &ImageInfo) -> Result<String> {
    to_text(std::slice::from_ref(image))
}

fn to_text(images: &[ImageInfo]) -> Result<String> {
    serde_json::to_string(images).map_err(Error::internal)
}

fn new_child(parent: &Chunk, chunk_type: ChunkType, text: &str) -> Chunk {
    Chunk {
        id: Uuid::new_v4().to_string(),
        content: text.to_owned(),
        chunk_index: 0,
        is_enabled: true,
        start_at: 0,
        end_at: 0,
        pre_chunk_id: String::new(),
        next_chunk_id: String::new(),
        chunk_type,
        parent_chunk_id: parent.id.clone(),
        relation_chunks: None,
        indirect_relation_chunks: None,
        created_at: Timestamp::zero(),
        updated_at: Timestamp::zero(),
        ..parent.clone()
    }
}

/// The document is no longer what was uploaded: the file may come again, and a copy sees a difference.
fn new_hash(knowledge: &Knowledge, image_info: &str) -> String {
    hex::encode(Md5::digest(format!("{}{}{image_info}", knowledge.id, knowledge.file_hash)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_exactly_one_picture_is_taken() {
        assert_eq!(parse_image(r#"[{"url":"u","caption":"c","more":1}]"#).expect("one").caption, "c");
        for bad in ["", "x", "{}", "[]", "[null]", r#"[{},{}]"#, r#"[{"url":5}]"#, "null"] {
            assert!(matches!(parse_image(bad), Err(Error::BadRequest(_))), "{bad}");
        }
    }

    #[test]
    fn other_pictures_of_the_chunk_stay() {
        let image = |name: &str, caption: &str| ImageInfo { original_url: name.into(), caption: caption.into(), ..ImageInfo::default() };
        let present = to_text(&[image("a", "1"), image("b", "2")]).expect("text");
        let after = images_of(&merged(&present, &image("a", "new")).expect("merges"));
        assert_eq!(after, [image("a", "new"), image("b", "2")]);
        assert_eq!(images_of(&merged("", &image("c", "3")).expect("merges")), [image("c", "3")]);
    }
}
