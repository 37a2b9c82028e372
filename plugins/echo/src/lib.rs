//! Says back what it is asked: the smallest plugin, for tests and for reading.
//!
//! Not here: anything useful.

use knowhost_plugin_sdk::{
    Answer, ChatCtx, ChatModel, ChatRequest, Ctx, Delta, EmbedRequest, Embedder, Embeddings, Finish, Hit, Part, Ranking, RerankRequest,
    Reranker, Result, Role, export_plugin,
};

struct Echo;

/// Row length: one number for each of the first letters of the alphabet and one for all else.
const DIMENSION: usize = 8;

impl Embedder for Echo {
    /// Counts the bytes of each text modulo the row length, so that equal texts have equal rows.
    async fn embed(_ctx: &Ctx, request: EmbedRequest) -> Result<Embeddings> {
        let mut data = Vec::with_capacity(request.texts.len() * DIMENSION);
        for text in &request.texts {
            let mut row = [0f32; DIMENSION];
            row[0] = 1.0;
            for byte in text.bytes() {
                row[usize::from(byte) % DIMENSION] += 1.0;
            }
            let length = row.iter().map(|x| x * x).sum::<f32>().sqrt();
            data.extend(row.map(|x| x / length));
        }
        Ok(Embeddings { dimension: 8, data, usage: None })
    }
}

impl Reranker for Echo {
    /// Keeps the order.
    async fn rerank(_ctx: &Ctx, request: RerankRequest) -> Result<Ranking> {
        let count = request.top.unwrap_or(u32::MAX).min(u32::try_from(request.texts.len()).unwrap_or(u32::MAX));
        let hits = (0..count).map(|index| Hit { index, relevance_score: 1.0 / (1.0 + index as f32) }).collect();
        Ok(Ranking { hits, usage: None })
    }
}

impl ChatModel for Echo {
    /// Says the last text of the user, word by word.
    async fn chat(ctx: &ChatCtx, request: ChatRequest) -> Result<Answer> {
        let last = request.messages.iter().rev().find(|message| message.role == Role::User);
        for part in last.map(|message| message.parts.as_slice()).unwrap_or_default() {
            match part {
                Part::Text(text) => {
                    for word in text.split_inclusive(char::is_whitespace) {
                        ctx.emit(Delta::Text(word.to_owned()));
                        ctx.sleep_ms(0).await;
                    }
                }
                Part::Image(_) => {}
            }
        }
        Ok(Answer { finish: Finish::Stop, usage: None })
    }
}

export_plugin!(Echo: embedder, reranker, chat_model; native);
