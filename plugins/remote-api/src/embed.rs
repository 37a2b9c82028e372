//! Embeddings: one request, tried again when the connection breaks; rows in the order of the texts, counted and measured.
//!
//! Not here: batches. The host cuts long lists before they come here.

use crate::service::{Call, DEFAULT_BASE_URL, model_name};
use knowhost_plugin_sdk::{Ctx, EmbedRequest, Embeddings, Error, HostFault, Result, Usage};
use serde::Deserialize;
use serde_json::Map;

const TRUNCATE_TOKENS: u64 = 511;
const ATTEMPT_MS: u32 = 60_000;
/// Pauses before the second, third and fourth try.
const PAUSES_MS: [u32; 3] = [1_000, 2_000, 4_000];

#[derive(Deserialize)]
struct Response {
    data: Option<Vec<Row>>,
    usage: Option<Tokens>,
}

#[derive(Deserialize)]
struct Row {
    embedding: Vec<f32>,
    index: Option<usize>,
}

#[derive(Deserialize)]
struct Tokens {
    #[serde(default)]
    prompt_tokens: u32,
}

pub(crate) async fn embed(ctx: &Ctx, request: EmbedRequest) -> Result<Embeddings> {
    if request.texts.is_empty() {
        return Ok(Embeddings { dimension: request.dimensions.unwrap_or(0), data: vec![], usage: None });
    }
    let model = &request.model;
    let mut body = Map::new();
    body.insert("model".into(), model_name(model)?);
    body.insert("input".into(), request.texts.clone().into());
    let truncate = model.setting_u64("truncate_prompt_tokens").filter(|tokens| *tokens > 0).unwrap_or(TRUNCATE_TOKENS);
    body.insert("truncate_prompt_tokens".into(), truncate.into());
    let wanted = request.dimensions.filter(|_| model.setting_bool("send_dimensions") == Some(true));
    if let Some(dimensions) = wanted {
        body.insert("dimensions".into(), dimensions.into());
    }
    let url = model.url(DEFAULT_BASE_URL, "embeddings");
    let mut call = Call { model, url, body, optional: &["truncate_prompt_tokens"], streamed: false, timeout_ms: Some(ATTEMPT_MS) };
    let response = read(ctx, &mut call).await?;
    rows(response, request.texts.len(), wanted)
}

/// The whole response; broken connections are tried again, refusals are not.
async fn read(ctx: &Ctx, call: &mut Call<'_>) -> Result<Response> {
    let mut pauses = PAUSES_MS.iter();
    loop {
        let fault = match attempt(ctx, call).await? {
            Ok(bytes) => return parse(&bytes),
            Err(fault) => fault,
        };
        match pauses.next() {
            Some(pause) if fault.is_transport() => ctx.sleep_ms(*pause).await,
            Some(_) | None => return Err(fault.into()),
        }
    }
}

async fn attempt(ctx: &Ctx, call: &mut Call<'_>) -> Result<Result<Vec<u8>, HostFault>> {
    let mut body = match call.send(ctx).await? {
        Ok(body) => body,
        Err(fault) => return Ok(Err(fault)),
    };
    Ok(body.bytes().await)
}

fn parse(bytes: &[u8]) -> Result<Response> {
    let response: std::result::Result<Response, _> = serde_json::from_slice(bytes);
    match response {
        Ok(response) if response.data.is_some() => Ok(response),
        // Some services refuse with status 200.
        Ok(_) | Err(_) => Err(match serde_json::from_slice(bytes).ok().as_ref().and_then(crate::failure::error_in) {
            Some(error) => error,
            None => Error::upstream("the service sent embeddings of another form"),
        }),
    }
}

fn rows(response: Response, count: usize, wanted: Option<u32>) -> Result<Embeddings> {
    let rows = response.data.unwrap_or_default();
    if rows.len() != count {
        return Err(Error::upstream(format!("the service sent {} embeddings for {count} texts", rows.len())));
    }
    let length = rows.first().map_or(0, |row| row.embedding.len());
    let dimension = u32::try_from(length).ok().filter(|dimension| *dimension > 0);
    let Some(dimension) = dimension else { return Err(Error::upstream("the service sent empty embeddings")) };
    if wanted.is_some_and(|wanted| wanted != dimension) {
        return Err(Error::upstream(format!("the service sent rows of {dimension} numbers, not of {}", wanted.unwrap_or(0))));
    }
    let by_index = rows.iter().all(|row| row.index.is_some());
    let mut places: Vec<Option<Vec<f32>>> = (0..count).map(|_| None).collect();
    for (order, row) in rows.into_iter().enumerate() {
        if row.embedding.len() != length {
            return Err(Error::upstream(format!("the service sent rows of {length} and of {} numbers", row.embedding.len())));
        }
        if !row.embedding.iter().all(|number| number.is_finite()) {
            return Err(Error::upstream("the service sent an embedding with a number that is not finite"));
        }
        let index = row.index.filter(|_| by_index).unwrap_or(order);
        match places.get_mut(index) {
            Some(place @ None) => *place = Some(row.embedding),
            Some(Some(_)) => return Err(Error::upstream(format!("the service sent two embeddings for text {index}"))),
            None => return Err(Error::upstream(format!("the service sent an embedding for text {index} of {count}"))),
        }
    }
    let mut data = Vec::with_capacity(count * length);
    for row in places.into_iter().flatten() {
        data.extend(row);
    }
    let usage = response.usage.map(|tokens| Usage { input_tokens: tokens.prompt_tokens, output_tokens: 0 });
    Ok(Embeddings { dimension, data, usage })
}
