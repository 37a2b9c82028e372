//! The shipped plugins as components in the real host, against a server on a socket.

use super::support::{always_open, collect, context, ok_response, question, room, row, server};
use crate::domain::{Model, ModelType};
use crate::provider::{ChatSource, PluginSource, ProviderErrorKind, TokenizeMode};

fn row_at(source: &str, url: &str, model_type: ModelType) -> Model {
    let mut model = row(source, "m1", model_type);
    model.parameters.base_url = url.into();
    model.parameters.api_key = "sk-1".into();
    model
}

fn refusal(status: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nRetry-After: 2\r\nConnection: close\r\n\r\n{body}").into_bytes()
}

#[tokio::test]
async fn remote_api_streams_an_answer_with_the_key_in_its_header() {
    let room = room(&["remote-api"], &[]);
    let body = "data: {\"choices\":[{\"delta\":{\"content\":\"你好\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\" there\"}}]}\n\ndata: [DONE]\n\n";
    let server = server(ok_response(body.as_bytes()), always_open()).await;
    let answer = room.say(&row_at("remote-api", &format!("{}/v1", server.url), ModelType::KnowledgeQA), "hi").await.unwrap();
    assert_eq!(answer, "你好 there");
    let heard = String::from_utf8_lossy(&server.heard.lock().unwrap()).into_owned();
    assert!(heard.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{heard}");
    assert!(heard.to_lowercase().contains("authorization: bearer sk-1\r\n"), "{heard}");
}

#[tokio::test]
async fn remote_api_tells_refusals_with_the_words_of_the_service() {
    let room = room(&["remote-api"], &[]);
    for (status, kind) in [
        ("401 Unauthorized", ProviderErrorKind::Unauthorised),
        ("404 Not Found", ProviderErrorKind::NotFound),
        ("429 Too Many Requests", ProviderErrorKind::RateLimited { retry_after_ms: Some(2_000) }),
        ("500 Internal Server Error", ProviderErrorKind::Upstream),
    ] {
        let server = server(refusal(status, "{\"error\":{\"message\":\"the reason\"}}"), always_open()).await;
        let error = room.say(&row_at("remote-api", &server.url, ModelType::KnowledgeQA), "hi").await.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.message.contains(status) && error.message.ends_with("the reason"), "{error}");
    }
}

#[tokio::test]
async fn remote_api_embeds_in_the_order_of_the_texts() {
    let room = room(&["remote-api"], &[]);
    let body = "{\"data\":[{\"index\":1,\"embedding\":[0,2]},{\"index\":0,\"embedding\":[3,0]}]}";
    let server = server(ok_response(body.as_bytes()), always_open()).await;
    let rows = room.embed(&row_at("remote-api", &server.url, ModelType::Embedding), &["a", "b"]).await.unwrap();
    assert_eq!((rows.dimension, rows.data), (2, vec![1.0, 0.0, 0.0, 1.0]));
}

#[tokio::test]
async fn ollama_streams_an_answer_and_lists_its_models() {
    let room = room(&["ollama"], &[]);
    let body = "{\"message\":{\"content\":\"a\"}}\n{\"message\":{\"content\":\"b\"},\"done\":true,\"done_reason\":\"stop\"}\n";
    let chat = server(ok_response(body.as_bytes()), always_open()).await;
    assert_eq!(room.say(&row_at("ollama", &chat.url, ModelType::KnowledgeQA), "hi").await.unwrap(), "ab");
    let tags = server(ok_response(b"{\"models\":[{\"name\":\"m1:latest\",\"size\":3}]}"), always_open()).await;
    let catalogue = room.plugins.catalogue("ollama", &tags.url).unwrap();
    assert_eq!(catalogue.models(&context()).await.unwrap()[0].name, "m1:latest");
    assert!(catalogue.check(&context(), "m1").await.unwrap());
}

#[tokio::test]
async fn built_in_answerer_quotes_and_built_in_reranker_sorts() {
    let room = room(&["chat-extractive", "reranker-local"], &[]);
    let text = "公司员工每年享有十五天带薪年假。出差由行政部预订。";
    let mut request = question("员工有多少天年假？");
    request.sources = vec![ChatSource { id: "c".into(), title: "手册".into(), text: text.into() }];
    let model = room.plugins.chat_model(&row("chat-extractive", "knowhost-extract", ModelType::KnowledgeQA)).unwrap();
    let answer = collect(model.chat_stream(&context(), request).await.unwrap()).await.unwrap();
    assert!(answer.contains("公司员工每年享有十五天带薪年假。 [1]") && !answer.contains("出差"), "{answer}");

    let reranker = room.plugins.reranker(&row("reranker-local", "knowhost-rerank", ModelType::Rerank)).unwrap();
    let texts = ["Cats sleep on the sofa.".to_owned(), "Employees have 25 days of annual leave.".to_owned()];
    let hits = reranker.rerank(&context(), "How many days of annual leave?", &texts, None).await.unwrap();
    assert_eq!(hits.iter().map(|hit| hit.index).collect::<Vec<_>>(), [1, 0]);
    assert!(hits[0].relevance_score > 0.5 && hits[1].relevance_score < 0.5, "{hits:?}");
}

#[tokio::test]
async fn tokenizer_cuts_a_megabyte_within_its_turn() {
    let room = room(&["tokenizer-jieba"], &[]);
    let text = "知识库可以搜索文档。The quick brown fox, naïve カメラ. ".repeat(15_000);
    let started = std::time::Instant::now();
    let words = room.plugins.tokenizer().tokenize(std::slice::from_ref(&text), TokenizeMode::Index).await.unwrap();
    eprintln!("{} words of {} bytes in {:?}", words[0].len(), text.len(), started.elapsed());
    assert!(words[0].iter().any(|span| &text[span.start..span.end] == "naïve"));
}
