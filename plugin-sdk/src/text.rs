//! Terms of a text for plugins that compare words: lower case, light stems, pairs of Chinese characters, numbers.
//!
//! Not here: a dictionary. Search uses the tokenizer's words; these are for short texts that are compared with each other in one call.

/// What a term is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TermKind {
    /// a word of a script with spaces, stemmed
    Word,
    /// two neighbouring Chinese characters (or kana), or a single one that has no neighbour
    Pair,
    /// digits, without separators of thousands
    Number,
}

/// A term and where it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    pub text: String,
    pub kind: TermKind,
    /// byte in the text
    pub start: usize,
    /// says little by itself: articles, question words, particles
    pub is_stop: bool,
}

/// Chinese characters.
pub fn is_han(char: char) -> bool {
    matches!(char, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}' | '々' | '〇')
}

/// Characters that are compared in pairs.
fn is_paired(char: char) -> bool {
    is_han(char) || matches!(char, '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{0e00}'..='\u{0eff}')
}

/// Whether most letters are Chinese characters; one of them says as much as three letters.
pub fn is_chinese(text: &str) -> bool {
    let (mut han, mut other) = (0usize, 0usize);
    for char in text.chars() {
        if is_han(char) {
            han += 1;
        } else if char.is_alphabetic() {
            other += 1;
        }
    }
    han > 0 && 3 * han >= other
}

/// The terms of a text in their order.
pub fn terms(text: &str) -> Vec<Term> {
    let mut terms = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some(&(start, first)) = chars.peek() {
        if is_paired(first) {
            let mut run = Vec::new();
            while let Some((at, char)) = chars.next_if(|(_, char)| is_paired(*char)) {
                run.push((at, char));
            }
            pairs(&run, &mut terms);
        } else if first.is_alphanumeric() {
            let mut word = String::new();
            while let Some(&(at, char)) = chars.peek() {
                let joins = char.is_alphanumeric() && !is_paired(char);
                // 3.14 and 1,000 are one number.
                let is_separator = matches!(char, '.' | ',')
                    && word.ends_with(|last: char| last.is_ascii_digit())
                    && text[at + 1..].starts_with(|next: char| next.is_ascii_digit());
                if !joins && !is_separator {
                    break;
                }
                if char != ',' {
                    word.extend(char.to_lowercase());
                }
                chars.next();
            }
            let is_number = word.starts_with(|first: char| first.is_ascii_digit());
            let kind = if is_number { TermKind::Number } else { TermKind::Word };
            let is_stop = STOP_WORDS.contains(&word.as_str());
            let text = if is_number { word } else { stem(&word).to_owned() };
            terms.push(Term { text, kind, start, is_stop });
        } else {
            chars.next();
        }
    }
    terms
}

/// Words that ask or join, and say nothing about the matter.
const STOP_WORDS: [&str; 78] = [
    "a", "about", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can", "could", "did", "do", "does", "for", "from",
    "had", "has", "have", "he", "her", "his", "how", "i", "if", "in", "into", "is", "it", "its", "me", "my", "no", "not", "of", "on", "or",
    "our", "please", "she", "should", "so", "some", "such", "tell", "than", "that", "the", "their", "them", "then", "there", "these",
    "they", "this", "those", "to", "us", "was", "we", "were", "what", "when", "where", "which", "who", "whom", "whose", "why", "will",
    "with", "would", "you", "your", "s",
];

/// The same in Chinese, longest first, so that 为什么 is not taken for 什么 alone.
const STOP_PHRASES: [&str; 40] = [
    "为什么",
    "是不是",
    "有没有",
    "能不能",
    "可不可以",
    "什么样",
    "怎么样",
    "什么",
    "怎么",
    "怎样",
    "如何",
    "哪些",
    "哪个",
    "哪里",
    "哪儿",
    "哪种",
    "多少",
    "多久",
    "是否",
    "请问",
    "谁的",
    "可以",
    "能够",
    "我们",
    "你们",
    "他们",
    "一下",
    "以及",
    "或者",
    "告诉",
    "介绍",
    "关于",
    "的",
    "了",
    "吗",
    "呢",
    "吧",
    "是",
    "谁",
    "哪",
];

fn pairs(run: &[(usize, char)], terms: &mut Vec<Term>) {
    let mut stop = vec![false; run.len()];
    let mut at = 0;
    while at < run.len() {
        let phrase = STOP_PHRASES
            .iter()
            .map(|phrase| (phrase, phrase.chars().count()))
            .find(|(phrase, count)| at + count <= run.len() && phrase.chars().zip(&run[at..]).all(|(wanted, (_, char))| wanted == *char));
        let count = phrase.map_or(1, |(_, count)| count);
        if phrase.is_some() {
            stop[at..at + count].fill(true);
        }
        at += count;
    }
    let term = |from: usize, to: usize| Term {
        text: run[from..to].iter().map(|(_, char)| *char).collect(),
        kind: TermKind::Pair,
        start: run[from].0,
        is_stop: stop[from..to].iter().any(|stop| *stop),
    };
    for from in 0..run.len() {
        let alone_before = from == 0 || stop[from - 1];
        let alone_after = from + 1 == run.len() || stop[from + 1];
        if !stop[from] && alone_before && alone_after {
            terms.push(term(from, from + 1));
        }
        if from + 1 < run.len() {
            terms.push(term(from, from + 2));
        }
    }
}

/// Takes common English endings off, so that `policies`, `policy`'s and `policy` compare equal. Not a linguist's stem.
fn stem(word: &str) -> &str {
    if !word.is_ascii() || word.len() < 4 {
        return word;
    }
    let has_vowel = |stem: &str| stem.contains(['a', 'e', 'i', 'o', 'u', 'y']);
    let undouble = |stem: &'_ str| -> usize {
        let bytes = stem.as_bytes();
        match bytes {
            [.., a, b] if a == b && !b"aeiouls".contains(b) => stem.len() - 1,
            _ => stem.len(),
        }
    };
    let word = if let Some(stem) = word.strip_suffix("ies").filter(|stem| stem.len() >= 2) {
        // `i` for `y`: see below.
        &word[..=stem.len()]
    } else if word.ends_with("sses") || word.ends_with("shes") || word.ends_with("ches") || word.ends_with("xes") {
        &word[..word.len() - 2]
    } else if word.ends_with('s') && !word.ends_with("ss") && !word.ends_with("us") && !word.ends_with("is") {
        &word[..word.len() - 1]
    } else {
        word
    };
    let word = match word.strip_suffix("ing").or_else(|| word.strip_suffix("ed")) {
        Some(stem) if stem.len() >= 3 && has_vowel(stem) => &stem[..undouble(stem)],
        Some(_) | None => word,
    };
    // A last `e`, `y` or `i` differs between forms: manage and managing, policy and policies.
    match word.strip_suffix(['e', 'y', 'i']) {
        Some(stem) if stem.len() >= 3 => stem,
        Some(_) | None => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        terms(text).into_iter().filter(|term| !term.is_stop).map(|term| term.text).collect()
    }

    #[test]
    fn forms_of_an_english_word_compare_equal() {
        for forms in [
            &["policy", "policies", "Policy", "policy's"][..],
            &["manage", "managed", "manages", "managing"],
            &["stop", "stopped", "stopping", "stops"],
            &["box", "boxes"],
            &["class", "classes"],
            &["request", "requests", "requested", "requesting"],
        ] {
            let stems: Vec<String> = forms.iter().map(|form| words(form).remove(0)).collect();
            assert!(stems.iter().all(|stem| *stem == stems[0]), "{stems:?}");
        }
        assert_eq!(words("is this the status of bus ring"), ["status", "bus", "ring"]);
    }

    #[test]
    fn chinese_becomes_pairs_and_question_words_are_marked() {
        assert_eq!(words("如何申请年假？"), ["申请", "请年", "年假"]);
        assert_eq!(words("什么是猫"), ["猫"]);
        assert_eq!(words("的"), [""; 0]);
        assert_eq!(terms("年假")[0].start, 0);
    }

    #[test]
    fn numbers_keep_points_and_lose_separators() {
        let found = terms("1,000.5 apples, 3.14. v2 2024年");
        let numbers: Vec<&str> = found.iter().filter(|term| term.kind == TermKind::Number).map(|term| term.text.as_str()).collect();
        assert_eq!(numbers, ["1000.5", "3.14", "2024"]);
        assert!(found.iter().any(|term| term.text == "v2"));
    }

    #[test]
    fn language_is_told_by_its_letters() {
        for (text, chinese) in
            [("年假 policy", true), ("the word 猫 in a sentence", false), ("", false), ("123", false), ("Rust语言", true)]
        {
            assert_eq!(is_chinese(text), chinese, "{text}");
        }
    }

    #[test]
    fn odd_texts_are_survived() {
        for text in ["", "🙂", "1.", ".,1", "İstanbul ǅ", "a\u{301}", "中", "中🙂文", "1,,2", "\u{0}"] {
            terms(text);
        }
    }
}
