//! Entities and relations of a text, and sample texts, by a model that is not saved yet.
//!
//! Not here: reading the model's answer (`graph_text`), the graph of a knowledge base.

use super::endpoint::{Endpoint, words};
use super::graph_text::{self, GraphText};
use super::{Initialization, ask};
use crate::domain::{GraphNode, GraphRelation, ModelType, TenantScope};
use crate::error::{Error, Result};
use crate::limits;
use crate::provider::{CallContext, ChatMessage, ChatOptions, ChatRequest, ChatRole, ChatTask};
use std::collections::HashSet;

/// The ten words that the contract draws samples from.
const SAMPLE_TAGS: [&str; 10] = ["内容", "文化", "人物", "事件", "时间", "地点", "作品", "作者", "关系", "属性"];
const ANSWER_TOKENS_MAX: u32 = 4_096;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extracted {
    pub nodes: Vec<GraphNode>,
    pub relations: Vec<GraphRelation>,
}

impl Initialization {
    /// What a model finds in `text`; an inner error is what to tell of its failure.
    pub async fn extract_relations(
        &self,
        scope: &TenantScope,
        request_id: &str,
        text: &str,
        tags: &[String],
        endpoint: &Endpoint,
    ) -> Result<Result<Extracted, String>> {
        if text.chars().count() > limits::EXTRACT_TEXT_CHARS_MAX {
            return Err(Error::bad_request("文本内容长度不能超过5000字符"));
        }
        if tags.is_empty() {
            return Err(Error::bad_request("至少需要选择一个关系标签"));
        }
        check_tags(tags)?;
        let system = self.inner.prompts.relations.replace("{tags}", &json_list(tags));
        let answer = self.say(scope, request_id, endpoint, Some(system), format!("# Question\n\nQ: {text}\nA: ")).await;
        Ok(match answer {
            Err(message) => Err(message),
            Ok(answer) => match graph_text::parse(&answer) {
                Some(graph) => Ok(tidied(graph, tags)),
                None => Err(format!("模型没有返回可解析的JSON: {}", answer.chars().take(200).collect::<String>())),
            },
        })
    }

    /// A text about the tags, or about anything.
    pub async fn sample_text(
        &self,
        scope: &TenantScope,
        request_id: &str,
        tags: &[String],
        endpoint: &Endpoint,
    ) -> Result<Result<String, String>> {
        check_tags(tags)?;
        let prompts = &self.inner.prompts;
        let user = if tags.is_empty() { prompts.sample_free.clone() } else { prompts.sample_about.replace("{tags}", &json_list(tags)) };
        Ok(self.say(scope, request_id, endpoint, None, user).await)
    }

    async fn say(
        &self,
        scope: &TenantScope,
        request_id: &str,
        endpoint: &Endpoint,
        system: Option<String>,
        user: String,
    ) -> Result<String, String> {
        let Some(model) = self.unsaved(scope, endpoint, ModelType::KnowledgeQA) else {
            return Err(format!("unsupported chat model source: {}", endpoint.source));
        };
        let told = |error| words(&error, &endpoint.api_key);
        let chat = self.inner.registry.plugins().chat_model(&model).map_err(told)?;
        let options =
            ChatOptions { temperature: Some(0.3), max_tokens: Some(ANSWER_TOKENS_MAX), thinking: Some(false), ..ChatOptions::default() };
        let system = system.map(|system| ChatMessage::text(ChatRole::System, system));
        let messages = system.into_iter().chain([ChatMessage::text(ChatRole::User, user)]).collect();
        let request = ChatRequest::new(ChatTask::Extract, messages, options);
        let context = CallContext::interactive(scope.tenant_id(), request_id, limits::EXTRACT_TIME);
        ask::whole_answer(&*chat, &context, request).await.map_err(told)
    }
}

fn check_tags(tags: &[String]) -> Result<()> {
    let is_long = tags.iter().any(|tag| tag.chars().count() > limits::EXTRACT_TAG_CHARS_MAX);
    if tags.len() > limits::EXTRACT_TAGS_MAX || is_long {
        let (tags, chars) = (limits::EXTRACT_TAGS_MAX, limits::EXTRACT_TAG_CHARS_MAX);
        return Err(Error::BadRequest(format!("at most {tags} tags of at most {chars} characters are accepted")));
    }
    Ok(())
}

fn json_list(tags: &[String]) -> String {
    serde_json::Value::from(tags).to_string()
}

/// One node for each name with all its attributes; no relation of a thing to itself, none of another kind than was asked for, none
/// twice; both ends of each are among the nodes.
fn tidied(graph: GraphText, tags: &[String]) -> Extracted {
    let mut out = Extracted::default();
    for (name, attributes) in graph.entities {
        let node = match out.nodes.iter_mut().find(|node| node.name == name) {
            Some(node) => node,
            None => {
                out.nodes.push(GraphNode { name, ..GraphNode::default() });
                let Some(node) = out.nodes.last_mut() else { continue };
                node
            }
        };
        for attribute in attributes {
            if !node.attributes.contains(&attribute) {
                node.attributes.push(attribute);
            }
        }
    }
    let mut seen = HashSet::new();
    for (node1, node2, relation_type) in graph.relations {
        if node1 == node2 {
            continue;
        }
        for end in [&node1, &node2] {
            if !out.nodes.iter().any(|node| node.name == *end) {
                out.nodes.push(GraphNode { name: end.clone(), ..GraphNode::default() });
            }
        }
        if tags.contains(&relation_type) && seen.insert((node1.clone(), node2.clone(), relation_type.clone())) {
            out.relations.push(GraphRelation { node1, node2, relation_type });
        }
    }
    out
}

/// One to nine different words of the ten, as the contract draws them.
pub fn sample_tags() -> Vec<&'static str> {
    let mut tags = SAMPLE_TAGS.to_vec();
    for at in (1..tags.len()).rev() {
        tags.swap(at, below(at + 1));
    }
    tags.truncate(1 + below(SAMPLE_TAGS.len() - 1));
    tags
}

/// A number below `count`; 0 where the system has no randomness, which only makes the sample the same.
fn below(count: usize) -> usize {
    usize::try_from(getrandom::u32().unwrap_or(0)).unwrap_or(0) % count.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_one_to_nine_different_words() {
        let mut sizes = HashSet::new();
        for _ in 0..400 {
            let tags = sample_tags();
            assert!((1..=9).contains(&tags.len()), "{tags:?}");
            assert_eq!(tags.iter().collect::<HashSet<_>>().len(), tags.len(), "{tags:?}");
            assert!(tags.iter().all(|tag| SAMPLE_TAGS.contains(tag)));
            sizes.insert(tags.len());
        }
        assert_eq!(sizes.len(), 9, "every number of words comes up");
    }

    #[test]
    fn extraction_is_tidied() {
        let text = |text: &str| text.to_owned();
        let graph = GraphText {
            entities: vec![(text("a"), vec![text("x")]), (text("a"), vec![text("x"), text("y")]), (text("b"), vec![])],
            relations: vec![
                (text("a"), text("b"), text("knows")),
                (text("a"), text("b"), text("knows")),
                (text("a"), text("a"), text("knows")),
                (text("b"), text("c"), text("hates")),
            ],
        };
        let out = tidied(graph, &[text("knows")]);
        let node = |name: &str, attributes: &[&str]| GraphNode {
            name: name.into(),
            attributes: attributes.iter().map(|attribute| (*attribute).to_owned()).collect(),
            ..GraphNode::default()
        };
        assert_eq!(out.nodes, [node("a", &["x", "y"]), node("b", &[]), node("c", &[])]);
        assert_eq!(out.relations, [GraphRelation { node1: text("a"), node2: text("b"), relation_type: text("knows") }]);
    }
}
