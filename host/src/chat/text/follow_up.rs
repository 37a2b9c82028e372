//! Decides by rule what a follow-up question is about, where no model can rewrite it.
//!
//! Not here: grammar. Words that point back, openings that go on, and very short questions count as follow-ups.

use std::collections::HashSet;

/// A question with no more words of its own than this needs the one before it.
const OWN_WORDS_ALONE: usize = 1;
/// Words that point back only sometimes decide in a question with no more words of its own than this.
const OWN_WORDS_SHORT: usize = 2;
/// Words taken over from earlier questions.
const TERMS_MAX: usize = 8;

/// Openings that go on with what was said. English ones end at a border of a word.
const OPENINGS: &[&str] = &[
    "and ",
    "but ",
    "or ",
    "so ",
    "also ",
    "then ",
    "what about ",
    "how about ",
    "what else",
    "那么",
    "那",
    "还有",
    "另外",
    "而且",
    "以及",
    "然后",
    "并且",
    "其他",
];
/// Words that point back.
const POINTERS: &[&str] = &[
    "it",
    "its",
    "itself",
    "this",
    "these",
    "those",
    "they",
    "them",
    "their",
    "theirs",
    "he",
    "him",
    "his",
    "she",
    "her",
    "hers",
    "former",
    "latter",
    "aforementioned",
];
/// Words that may point back, or say nothing ("is there a", "documents that").
const WEAK_POINTERS: &[&str] = &["that", "there", "one", "ones", "same", "another", "such", "above"];
/// Phrases whose "it" stands for nothing.
const EXPLETIVES: &[&str] =
    &["is it possible", "is it allowed", "is it necessary", "is it true", "is it required", "does it take to", "does it mean to"];
const POINTERS_ZH: &[&str] = &["它", "他", "她", "这", "那", "该", "此", "其", "上述", "前者", "后者", "刚才"];
/// Words that only hold the character of a pointer.
const NO_POINTERS_ZH: &[&str] = &["应该", "因此", "其他", "其它", "其实", "尤其", "极其", "彼此", "如此", "此外", "吉他", "其余"];
/// English words that say nothing about the subject.
const FUNCTION_WORDS: &[&str] = &[
    "does", "do", "did", "done", "can", "could", "will", "would", "should", "shall", "may", "might", "must", "have", "has", "had", "be",
    "been", "was", "were", "much", "many", "any", "some", "who", "whom", "whose", "which", "when", "where", "why", "as", "than", "then",
    "so", "also", "too", "not", "no", "yes", "please", "tell", "me", "my", "we", "us", "our", "your", "i", "more", "most", "very", "just",
    "else", "get", "give", "the", "what", "how", "is", "are", "a", "an", "in", "of", "about", "and",
];
const FUNCTION_WORDS_ZH: &[&str] = &[
    "多少", "哪些", "哪个", "谁", "几", "吗", "呢", "请", "请问", "告诉", "我们", "你们", "需要", "能", "能否", "是否", "还", "也", "都",
    "要", "多", "个",
];

/// Whether `question` can not be understood alone. `words` are its keywords.
pub fn is_follow_up(question: &str, words: &[String]) -> bool {
    let mut lower = question.trim().to_lowercase();
    if OPENINGS.iter().any(|opening| lower.starts_with(opening)) {
        return true;
    }
    for phrase in EXPLETIVES.iter().chain(NO_POINTERS_ZH) {
        lower = lower.replace(phrase, " ");
    }
    let own = own_words(words).count();
    let holds = |pointers: &[&str]| lower.split(|character: char| !character.is_alphanumeric()).any(|word| pointers.contains(&word));
    own <= OWN_WORDS_ALONE
        || holds(POINTERS)
        || POINTERS_ZH.iter().any(|pointer| lower.contains(pointer))
        || (own <= OWN_WORDS_SHORT && holds(WEAK_POINTERS))
}

fn own_words(words: &[String]) -> impl Iterator<Item = &String> {
    const SILENT: [&[&str]; 6] = [FUNCTION_WORDS, FUNCTION_WORDS_ZH, POINTERS, WEAK_POINTERS, POINTERS_ZH, NO_POINTERS_ZH];
    words.iter().filter(|word| {
        let lower = word.to_lowercase();
        !SILENT.iter().any(|list| list.contains(&lower.as_str())) && !OPENINGS.iter().any(|opening| opening.trim_end() == lower)
    })
}

/// An earlier question and its keywords.
pub struct Earlier<'a> {
    pub question: &'a str,
    pub words: Vec<String>,
}

/// The text to search for: a follow-up together with the terms of the questions that it goes on from.
///
/// `earlier` is oldest first. Terms are taken from the newest one, and from those before it as long as it is a follow-up itself.
pub fn search_text(question: &str, words: &[String], earlier: &[Earlier<'_>]) -> String {
    if earlier.is_empty() || !is_follow_up(question, words) {
        return question.to_owned();
    }
    let mut known: HashSet<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let mut terms = Vec::new();
    for (age, round) in earlier.iter().rev().enumerate() {
        let mut more: Vec<&str> = Vec::new();
        for word in own_words(&round.words) {
            if known.insert(word.to_lowercase()) {
                more.push(word);
            }
        }
        // The subject was named first, so it stands first.
        more.extend(std::mem::take(&mut terms));
        terms = more;
        let is_last = age + 1 == earlier.len();
        if is_last || terms.len() >= TERMS_MAX || !is_follow_up(round.question, &round.words) {
            break;
        }
    }
    terms.truncate(TERMS_MAX);
    if terms.is_empty() { question.to_owned() } else { format!("{} {question}", terms.join(" ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words as a tokenizer and the stop list leave them, for texts with blanks between the words.
    fn words(text: &str) -> Vec<String> {
        let stop = ["the", "is", "it", "how", "what", "and", "a", "to", "of", "in", "的", "是", "什么"];
        let parts = text.split(|character: char| !character.is_alphanumeric());
        parts.filter(|word| !word.is_empty() && !stop.contains(word)).map(str::to_owned).collect()
    }

    fn search(question: &str, earlier: &[&str]) -> String {
        let earlier: Vec<Earlier<'_>> = earlier.iter().map(|question| Earlier { question, words: words(question) }).collect();
        search_text(question, &words(question), &earlier)
    }

    #[test]
    fn a_follow_up_is_searched_with_the_terms_of_the_question_before_it() {
        assert_eq!(
            search("And how much does it cost?", &["What is the Aurora subscription?"]),
            "Aurora subscription And how much does it cost?"
        );
        assert_eq!(search("它 多少 钱？", &["极光 订阅 是 什么？"]), "极光 订阅 它 多少 钱？");
        assert_eq!(search("what about Germany?", &["How do I return a parcel in France?"]), "return parcel France what about Germany?");
    }

    #[test]
    fn a_chain_of_follow_ups_reaches_the_subject() {
        assert_eq!(
            search("and for students?", &["What is the Aurora subscription?", "How much does it cost?"]),
            "Aurora subscription cost and for students?"
        );
    }

    #[test]
    fn a_question_with_its_own_subject_is_searched_alone() {
        for alone in [
            "Which ports does the backup server open?",
            "Is there a refund for lost parcels?",
            "Is it possible to export invoices?",
            "Which documents that expire are deleted?",
            "What is hybrid search?",
            "我 应该 如何 备份 数据？",
        ] {
            assert_eq!(search(alone, &["What is the Aurora subscription?"]), alone);
        }
        assert_eq!(search("And now?", &[]), "And now?");
    }

    #[test]
    fn short_questions_count_as_follow_ups() {
        assert_eq!(search("Price?", &["What is the Aurora subscription?"]), "Aurora subscription Price?");
        assert_eq!(search("Is that free?", &["What is the Aurora subscription?"]), "Aurora subscription Is that free?");
        assert_eq!(search("该 产品 多少 钱？", &["极光 订阅 是 什么？"]), "极光 订阅 该 产品 多少 钱？");
        assert!(is_follow_up("", &[]));
    }

    #[test]
    fn terms_are_not_repeated_and_not_without_end() {
        assert_eq!(search("and the Aurora price?", &["Aurora price list"]), "list and the Aurora price?");
        let long: Vec<String> = (0..50).map(|number| format!("word{number}")).collect();
        let combined = search("and it?", &[&long.join(" ")]);
        assert_eq!(combined.split_whitespace().count(), TERMS_MAX + 2);
    }
}
