//! POST /sessions: a conversation about a knowledge base.

use super::{BROKEN, check_refusals, without_prompts};
use crate::scene::Scene;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn without_a_strategy_the_configuration_fills_all() {
    let scene = Scene::new();
    let kb_id = scene.key().make("POST /knowledge-bases", json!({ "name": "Harbour" }));
    let mut answer = scene.key().send("POST /sessions", Some(json!({ "knowledge_base_id": kb_id }).to_string()));
    answer.json = without_prompts(answer.json);
    assert_snapshot!(scene.shown(&answer), @r#"
    201
    {
      "data": {
        "id": "<id1>",
        "title": "",
        "description": "",
        "tenant_id": "<tenant>",
        "knowledge_base_id": "<id2>",
        "max_rounds": 5,
        "enable_rewrite": true,
        "fallback_strategy": "fixed",
        "fallback_response": "<text>",
        "embedding_top_k": 10,
        "keyword_threshold": 0.3,
        "vector_threshold": 0.5,
        "rerank_model_id": "",
        "rerank_top_k": 5,
        "rerank_threshold": 0.5,
        "summary_model_id": "",
        "summary_parameters": {
          "max_tokens": 0,
          "repeat_penalty": 1,
          "top_k": 0,
          "top_p": 0,
          "frequency_penalty": 0,
          "presence_penalty": 0,
          "prompt": "<text>",
          "context_template": "<text>",
          "no_match_prefix": "<think>\n</think>\nNO_MATCH",
          "temperature": 0.3,
          "seed": 0,
          "max_completion_tokens": 2048
        },
        "created_at": "<time>",
        "updated_at": "<time>",
        "deleted_at": null
      },
      "success": true
    }
    "#);
}

#[test]
fn a_strategy_is_taken_as_it_is_sent_and_the_rest_comes_from_the_settings() {
    let scene = Scene::new();
    let kb_id = scene.key().make("POST /knowledge-bases", json!({ "name": "Harbour", "summary_model_id": "s", "rerank_model_id": "r" }));
    let strategy = json!({ "max_rounds": 3, "embedding_top_k": 0, "enable_rewrite": false, "summary_parameters": { "temperature": 0.9 } });
    let session = scene.key().send("POST /sessions", Some(json!({ "knowledge_base_id": kb_id, "session_strategy": strategy }).to_string()));
    let session = &session.json["data"];
    assert_eq!((&session["max_rounds"], &session["embedding_top_k"], &session["enable_rewrite"]), (&json!(3), &json!(0), &json!(false)));
    assert_eq!((&session["rerank_top_k"], &session["vector_threshold"]), (&json!(5), &json!(0.5)));
    assert_eq!((&session["summary_model_id"], &session["rerank_model_id"]), (&json!("s"), &json!("r")));
    let summary = &session["summary_parameters"];
    assert_eq!(summary["temperature"], json!(0.9));
    assert!(summary["context_template"].as_str().is_some_and(|text| text.contains(".Query")), "{summary}");
}

#[test]
fn the_base_is_needed_and_must_be_ones_own() {
    let scene = Scene::new();
    let foreign = Scene::new().key().make("POST /knowledge-bases", json!({ "name": "theirs" }));
    assert_snapshot!(scene.key().ask_with("POST /sessions", json!({})), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": null,
        "message": "Key: 'CreateSessionRequest.KnowledgeBaseID' Error:Field validation for 'KnowledgeBaseID' failed on the 'required' tag"
      },
      "success": false
    }
    "#);
    let unknown = scene.key().ask_with("POST /sessions", json!({ "knowledge_base_id": "x" }));
    assert_eq!(scene.key().ask_with("POST /sessions", json!({ "knowledge_base_id": foreign })), unknown);
    assert_snapshot!(unknown, @r#"
    404
    {
      "error": {
        "code": 1003,
        "details": null,
        "message": "knowledge base not found"
      },
      "success": false
    }
    "#);
}

#[test]
fn bodies_that_do_not_fit_are_told_in_the_contracts_words() {
    let scene = Scene::new();
    let required = "Key: 'CreateSessionRequest.KnowledgeBaseID' Error:Field validation for 'KnowledgeBaseID' failed on the 'required' tag";
    check_refusals(scene.key(), "POST /sessions", &BROKEN);
    let strategy = |text: &str| format!("json: cannot unmarshal {text}");
    let texts = [
        ("null", required.to_owned()),
        ("{}", required.to_owned()),
        (r#"{"knowledge_base_id":null}"#, required.to_owned()),
        (r#"{"knowledge_base_id":""}"#, required.to_owned()),
        ("[]", strategy("array into Go value of type handler.CreateSessionRequest")),
        (r#"{"knowledge_base_id":1}"#, strategy("number into Go struct field CreateSessionRequest.knowledge_base_id of type string")),
        (
            r#"{"session_strategy":[]}"#,
            strategy("array into Go struct field CreateSessionRequest.session_strategy of type handler.SessionStrategy"),
        ),
        (
            r#"{"session_strategy":{"max_rounds":1.5}}"#,
            strategy("number 1.5 into Go struct field SessionStrategy.session_strategy.max_rounds of type int"),
        ),
        (
            r#"{"session_strategy":{"enable_rewrite":1}}"#,
            strategy("number into Go struct field SessionStrategy.session_strategy.enable_rewrite of type bool"),
        ),
        (
            r#"{"session_strategy":{"vector_threshold":"0.5"}}"#,
            strategy("string into Go struct field SessionStrategy.session_strategy.vector_threshold of type float64"),
        ),
        (
            r#"{"session_strategy":{"fallback_strategy":1}}"#,
            strategy("number into Go struct field SessionStrategy.session_strategy.fallback_strategy of type types.FallbackStrategy"),
        ),
        (
            r#"{"session_strategy":{"no_match_prefix":1}}"#,
            strategy("number into Go struct field SessionStrategy.session_strategy.no_match_prefix of type string"),
        ),
        (
            r#"{"session_strategy":{"summary_parameters":{"prompt":1}}}"#,
            strategy("number into Go struct field SummaryConfig.session_strategy.summary_parameters.prompt of type string"),
        ),
    ];
    let refusals: Vec<(&str, &str)> = texts.iter().map(|(body, text)| (*body, text.as_str())).collect();
    check_refusals(scene.key(), "POST /sessions", &refusals);
}

#[test]
fn a_strategy_of_null_is_none_and_names_match_in_any_case() {
    let scene = Scene::new();
    let kb_id = scene.key().make("POST /knowledge-bases", json!({ "name": "Harbour" }));
    let make = |body: String| {
        let mut session = scene.key().send("POST /sessions", Some(body)).expect_status(201).json["data"].take();
        for name in ["id", "created_at", "updated_at"] {
            session[name].take();
        }
        session
    };
    let plain = make(format!(r#"{{"knowledge_base_id":"{kb_id}"}}"#));
    assert_eq!(make(format!(r#"{{"Knowledge_Base_ID":"{kb_id}","session_strategy":null,"title":"x","id":"y","unknown":1}} rest"#)), plain);
    assert_eq!(
        make(format!(r#"{{"knowledge_base_id":"x","knowledge_base_id":"{kb_id}","session_strategy":{{"no_match_prefix":"x"}}}}"#)),
        plain
    );
}

#[test]
fn numbers_and_words_of_a_strategy_are_not_judged() {
    let scene = Scene::new();
    let kb_id = scene.key().make("POST /knowledge-bases", json!({ "name": "Harbour" }));
    let strategy = json!({
        "max_rounds": -1, "fallback_strategy": "FIXED_RESPONSE", "fallback_response": "", "keyword_threshold": 7, "vector_threshold": -0.5,
        "rerank_top_k": 0, "reranking_threshold": 0.25, "rerank_model_id": "", "summary_model_id": "nobody",
        "summary_parameters": { "max_tokens": 9, "prompt": "", "no_match_prefix": "none" },
    });
    let session = scene.key().send("POST /sessions", Some(json!({ "knowledge_base_id": kb_id, "session_strategy": strategy }).to_string()));
    let session = &session.expect_status(201).json["data"];
    let shown = |names: &[&str]| names.iter().map(|name| session[name].clone()).collect::<Vec<_>>();
    assert_eq!(shown(&["max_rounds", "fallback_strategy", "fallback_response"]), [json!(-1), json!("FIXED_RESPONSE"), json!("")]);
    assert_eq!(shown(&["keyword_threshold", "vector_threshold", "rerank_top_k"]), [json!(7), json!(-0.5), json!(0)]);
    assert_eq!(shown(&["rerank_threshold", "rerank_model_id", "summary_model_id"]), [json!(0.25), json!(""), json!("nobody")]);
    let summary = &session["summary_parameters"];
    assert_eq!((&summary["max_tokens"], &summary["temperature"], &summary["no_match_prefix"]), (&json!(9), &json!(0), &json!("none")));
    assert!(summary["prompt"].as_str().is_some_and(|text| !text.is_empty()), "{summary}");
}

#[test]
fn a_template_that_can_not_be_used_is_refused() {
    let scene = Scene::new();
    let kb_id = scene.key().make("POST /knowledge-bases", json!({ "name": "Harbour" }));
    let strategy = json!({ "summary_parameters": { "context_template": "{{query}}" } });
    let answer = scene.key().send("POST /sessions", Some(json!({ "knowledge_base_id": kb_id, "session_strategy": strategy }).to_string()));
    assert_eq!((answer.status, &answer.json["error"]["code"]), (400, &json!(1000)));
    let message = answer.json["error"]["message"].as_str().expect("a text");
    assert!(message.contains(r#"function "query" not defined"#), "{message}");
}
