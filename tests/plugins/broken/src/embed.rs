//! Rows of letters counted by their hash; questions and answers share their words.
//!
//! Not here: mistakes that every kind can make (`stumble`).

use crate::{Alarm, Broken, LETTERS_MAX, stumble};
use knowhost_plugin_sdk::{Ctx, EmbedRequest, Embedder, Embeddings, Error, Result, Usage};
use std::cell::{Cell, RefCell};

const DIMENSION: usize = 256;

thread_local! {
    static CALLS: Cell<u32> = const { Cell::new(0) };
    static SHARED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

impl Embedder for Broken {
    async fn embed(ctx: &Ctx, request: EmbedRequest) -> Result<Embeddings> {
        let (name, mut texts) = (request.model.name.as_str(), request.texts.clone());
        stumble(&request.model, &texts)?;
        let calls = CALLS.replace(CALLS.get() + 1);
        let mut alarm = Alarm(name == "cancel");
        SHARED.set(texts.clone());
        ctx.sleep_ms(1).await;
        alarm.0 = false;
        if name == "together" {
            texts = SHARED.take();
        }
        if matches!(name, "granted" | "recorded" | "failures") {
            return from_service(ctx, &request).await;
        }
        let dimension = if name == "dimension" { DIMENSION - 1 } else { DIMENSION };
        let mut data = Vec::new();
        for text in &texts {
            let mut row = row(if name == "quality" { "the same" } else { text }, dimension);
            match name {
                "repeats" => row[0] += calls as f32,
                "batch" => row[0] += texts.len() as f32,
                "numbers" if text == "Tea" => row[1] = f32::NAN,
                _ => {}
            }
            data.extend(row);
        }
        let usage = (name == "usage").then_some(Usage { input_tokens: 0, output_tokens: 0 });
        Ok(Embeddings { dimension: u32::try_from(dimension).unwrap_or(0), data, usage })
    }
}

/// Pairs of neighbouring letters, counted in a few bins; enough to find a passage by the words of its question.
fn row(text: &str, dimension: usize) -> Vec<f32> {
    let mut row = vec![0.0; dimension];
    row[0] = 0.1;
    let letters: Vec<u32> = text.chars().take(LETTERS_MAX).filter(|letter| letter.is_alphanumeric()).map(u32::from).collect();
    for pair in letters.windows(2) {
        let hash = pair[0].wrapping_mul(0x9e37_79b1) ^ pair[1].wrapping_mul(0x85eb_ca6b);
        row[1 + (hash >> 7) as usize % (dimension - 1)] += 1.0;
    }
    row
}

/// One row out of the body at the model's address: as many numbers as the body has bytes of each kind.
async fn from_service(ctx: &Ctx, request: &EmbedRequest) -> Result<Embeddings> {
    let name = request.model.name.as_str();
    if name == "granted" {
        let _ = ctx.get("https://elsewhere.example/").await;
    }
    let mut body = ctx.get(request.model.base_url.clone()).await?;
    if name != "failures" {
        body = body.accepted().await?;
    }
    let bytes = match name {
        // The first chunk is taken for the whole.
        "recorded" => body.chunk().await?.unwrap_or_default(),
        _ => body.bytes().await?,
    };
    if bytes.is_empty() && name != "failures" {
        return Err(Error::upstream("an empty answer"));
    }
    let row = row(&String::from_utf8_lossy(&bytes), DIMENSION);
    Ok(Embeddings { dimension: DIMENSION as u32, data: row.repeat(request.texts.len()), usage: None })
}
