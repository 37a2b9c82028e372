//! Pairs stored messages into rounds of question and answer.
//!
//! Not here: reading them.

use super::think;
use crate::domain::{Message, Role, SearchResult};

/// A question that was answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Round {
    pub question: String,
    /// Without its thinking.
    pub answer: String,
    pub references: Vec<SearchResult>,
}

/// The newest `rounds_max` answered rounds, oldest first, out of `messages` in the order in which they were stored.
///
/// A question goes with the next answer of its request. Requests may share an id, so an answer takes the last question that waits.
pub fn rounds(messages: &[Message], rounds_max: usize) -> Vec<Round> {
    let mut waiting: Vec<&Message> = Vec::new();
    let mut rounds: Vec<(usize, Round)> = Vec::new();
    let mut asked = 0;
    let mut place = std::collections::HashMap::new();
    for message in messages {
        match message.role {
            Role::User => {
                asked += 1;
                place.insert(message.id.as_str(), asked);
                waiting.push(message);
            }
            Role::Assistant | Role::System => {
                let Some(at) = waiting.iter().rposition(|question| question.request_id == message.request_id) else { continue };
                let question = waiting.remove(at);
                let answer = think::remove(&message.content);
                if question.content.trim().is_empty() || answer.trim().is_empty() {
                    continue;
                }
                let order = place.get(question.id.as_str()).copied().unwrap_or_default();
                let round = Round { question: question.content.clone(), answer, references: message.knowledge_references.clone() };
                rounds.push((order, round));
            }
        }
    }
    rounds.sort_by_key(|(order, _)| *order);
    let surplus = rounds.len().saturating_sub(rounds_max);
    rounds.into_iter().skip(surplus).map(|(_, round)| round).collect()
}

/// The references of the newest round that has any.
pub fn references(rounds: &[Round]) -> &[SearchResult] {
    rounds.iter().rev().map(|round| round.references.as_slice()).find(|references| !references.is_empty()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::text::testing::hit;
    use crate::domain::Timestamp;

    fn message(id: &str, role: Role, request_id: &str, content: &str) -> Message {
        Message {
            id: id.into(),
            session_id: "s".into(),
            request_id: request_id.into(),
            content: content.into(),
            role,
            knowledge_references: vec![],
            is_completed: true,
            created_at: Timestamp::now(),
            updated_at: Timestamp::now(),
            deleted_at: None,
        }
    }

    fn pairs(messages: &[Message], rounds_max: usize) -> Vec<(String, String)> {
        rounds(messages, rounds_max).into_iter().map(|round| (round.question, round.answer)).collect()
    }

    fn pair(question: &str, answer: &str) -> (String, String) {
        (question.to_owned(), answer.to_owned())
    }

    #[test]
    fn questions_pair_with_their_answers_and_thinking_goes() {
        let messages = [
            message("1", Role::User, "r1", "q1"),
            message("2", Role::Assistant, "r1", "<think>hm</think>a1"),
            message("3", Role::User, "r2", "q2"),
            message("4", Role::Assistant, "r2", ""),
            message("5", Role::User, "r3", "q3"),
            message("6", Role::Assistant, "r3", "a3"),
            message("7", Role::User, "r4", "q4"),
        ];
        assert_eq!(pairs(&messages, 5), [pair("q1", "a1"), pair("q3", "a3")]);
        assert_eq!(pairs(&messages, 1), [pair("q3", "a3")]);
        assert_eq!(pairs(&messages, 0), []);
    }

    #[test]
    fn one_request_id_for_all_rounds_keeps_them_apart() {
        let messages = [
            message("1", Role::User, "same", "q1"),
            message("2", Role::Assistant, "same", "a1"),
            message("3", Role::User, "same", "q2"),
            message("4", Role::Assistant, "same", "a2"),
            message("5", Role::User, "same", "q3"),
            message("6", Role::Assistant, "same", ""),
        ];
        assert_eq!(pairs(&messages, 5), [pair("q1", "a1"), pair("q2", "a2")]);
    }

    #[test]
    fn rounds_that_ran_at_the_same_time_are_told_apart_by_request() {
        let messages = [
            message("1", Role::User, "r1", "q1"),
            message("2", Role::User, "r2", "q2"),
            message("3", Role::Assistant, "r2", "a2"),
            message("4", Role::Assistant, "r1", "a1"),
        ];
        assert_eq!(pairs(&messages, 5), [pair("q1", "a1"), pair("q2", "a2")]);
    }

    #[test]
    fn an_answer_whose_question_was_deleted_is_left_out() {
        assert_eq!(pairs(&[message("2", Role::Assistant, "r1", "a1")], 5), []);
        assert_eq!(pairs(&[], 5), []);
    }

    #[test]
    fn references_come_from_the_newest_round_that_has_any() {
        let round = |references: Vec<SearchResult>| Round { question: "q".into(), answer: "a".into(), references };
        let old = hit("old", 0, "x", 0.5).result;
        let new = hit("new", 0, "x", 0.5).result;
        assert_eq!(references(&[round(vec![old]), round(vec![new.clone()]), round(vec![])]), [new]);
        assert!(references(&[]).is_empty());
    }
}
