//! Does what only a native plugin can do wrong, one thing for each model name, so that the border can be tested.
//!
//! Not here: what the host must catch in every form (`hostile`).
//!
//! | kind | `model.name` | what it does |
//! | --- | --- | --- |
//! | embedder | `fine` | gives a row that says whether the warm-up was run |
//! | | `panic` | panics |
//! | | `big` | answers with more than a step may hold |
//! | | `slow` | holds its thread for as many milliseconds as the first text says |
//! | chat-model | `words` | says the words of the last message, one after another |
//! | | `trap` | says a word, then panics |
//! | | `drop` | says a word, waits an hour, and panics when it is dropped |
#![expect(clippy::panic, reason = "panics are the point")]

use knowhost_plugin_sdk::{
    Answer, ChatCtx, ChatModel, ChatRequest, Ctx, Delta, EmbedRequest, Embedder, Embeddings, Error, Finish, Part, Result, TokenizeMode,
    Tokenizer, Tokens, Warm, export_plugin,
};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

static WARMED: AtomicU32 = AtomicU32::new(0);

struct Fickle;

impl Warm for Fickle {
    fn warm() {
        WARMED.fetch_add(1, Ordering::Relaxed);
    }
}

impl Embedder for Fickle {
    async fn embed(_ctx: &Ctx, request: EmbedRequest) -> Result<Embeddings> {
        let rows = request.texts.len();
        match request.model.name.as_str() {
            "panic" => panic!("as told to embed {rows} texts"),
            "big" => return Ok(Embeddings { dimension: 1 << 24, data: vec![1.0; rows << 24], usage: None }),
            "slow" => {
                let ms = request.texts.first().and_then(|text| text.parse().ok()).unwrap_or(0);
                std::thread::sleep(Duration::from_millis(ms));
            }
            _ => {}
        }
        let row = [1.0, WARMED.load(Ordering::Relaxed) as f32];
        Ok(Embeddings { dimension: 2, data: row.repeat(rows), usage: None })
    }
}

struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic!("as told when it was dropped");
    }
}

impl ChatModel for Fickle {
    async fn chat(ctx: &ChatCtx, request: ChatRequest) -> Result<Answer> {
        let said = request.messages.last().into_iter().flat_map(|message| &message.parts).filter_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            Part::Image(_) => None,
        });
        let text = said.collect::<String>();
        for (index, word) in text.split_inclusive(' ').enumerate() {
            ctx.emit(Delta::Text(word.to_owned()));
            ctx.sleep_ms(0).await;
            match request.model.name.as_str() {
                "trap" => panic!("as told after word {index}"),
                "drop" => {
                    let _held = PanicsWhenDropped;
                    ctx.sleep_ms(3_600_000).await;
                }
                _ => {}
            }
        }
        Ok(Answer { finish: Finish::Stop, usage: None })
    }
}

impl Tokenizer for Fickle {
    fn tokenize(texts: &[String], _mode: TokenizeMode) -> Result<Tokens> {
        let mut tokens = Tokens { counts: Vec::new(), spans: Vec::new() };
        for text in texts {
            let length = u32::try_from(text.len()).map_err(|_| Error::too_long("a text of four gigabytes"))?;
            tokens.counts.push(u32::from(length > 0));
            if length > 0 {
                tokens.spans.extend([0, length]);
            }
        }
        Ok(tokens)
    }
}

export_plugin!(Fickle: embedder, chat_model, tokenizer, warm; native);
