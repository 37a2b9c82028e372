//! The words of a text, as BLEU and ROUGE count them.
//!
//! Not here: the words of the keyword search; these must be what the published scores are computed with.

/// sacrebleu's tokenizer `zh` over the lower-cased text: each Chinese character and each full-width sign is a word, the rest is
/// cut as by `13a`. Texts without Chinese come out as by `13a`, except that XML entities stay as they are.
pub(super) fn for_bleu(text: &str) -> Vec<String> {
    let mut spaced = String::with_capacity(text.len() * 2);
    for letter in text.to_lowercase().trim_matches(is_blank).chars() {
        let is_sign = matches!(letter, '{'..='~' | '['..='`' | ' '..='&' | '('..='+' | ':'..='@' | '/');
        if is_sign || is_chinese(letter) {
            spaced.extend([' ', letter, ' ']);
        } else {
            spaced.push(letter);
        }
    }
    let is_point = |letter: char| matches!(letter, '.' | ',');
    let not_digit = |letter: char| !letter.is_ascii_digit();
    let cut = pairs(&spaced, |left, right| not_digit(left) && is_point(right), |out, left, right| out.extend([left, ' ', right, ' ']));
    let cut = pairs(&cut, |left, right| is_point(left) && not_digit(right), |out, left, right| out.extend([' ', left, ' ', right]));
    let cut = pairs(&cut, |left, right| left.is_ascii_digit() && right == '-', |out, left, right| out.extend([left, ' ', right, ' ']));
    cut.split(is_blank).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// What Python calls blank, which is a little more than what Unicode does.
fn is_blank(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '\u{1c}'..='\u{1f}')
}

/// Rewrites pairs of neighbours from left to right, none of which overlap.
fn pairs(text: &str, fits: impl Fn(char, char) -> bool, write: impl Fn(&mut String, char, char)) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    let mut at = 0;
    while let Some(&left) = letters.get(at) {
        match letters.get(at + 1) {
            Some(&right) if fits(left, right) => {
                write(&mut out, left, right);
                at += 2;
            }
            Some(_) | None => {
                out.push(left);
                at += 1;
            }
        }
    }
    out
}

/// The ranges of sacrebleu's `zh`. It means the planes beyond U+20000 too, but writes them so that U+2001 to U+2A6D are taken
/// instead; that is part of the definition by now.
fn is_chinese(letter: char) -> bool {
    matches!(letter,
        '\u{2001}'..='\u{2a6d}' | '\u{2e80}'..='\u{2fdf}' | '\u{2ff0}'..='\u{303f}' | '\u{3100}'..='\u{312f}' | '\u{31a0}'..='\u{31bf}'
        | '\u{31c0}'..='\u{31ef}' | '\u{3200}'..='\u{4db5}' | '\u{4e00}'..='\u{9fbb}' | '\u{f900}'..='\u{fa2d}' | '\u{fa30}'..='\u{fa6a}'
        | '\u{fa70}'..='\u{fad9}' | '\u{fe10}'..='\u{fe1f}' | '\u{fe30}'..='\u{fe4f}' | '\u{ff00}'..='\u{ffef}')
}

/// Runs of letters and digits in lower case, signs left out; Chinese characters and kana stand for themselves, because nothing
/// parts their words. Of a text in ASCII these are the words of rouge-score's own tokenizer without stemming.
pub(super) fn for_rouge(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for letter in text.to_lowercase().chars() {
        let alone = stands_alone(letter);
        if alone || !letter.is_alphanumeric() {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            if alone {
                words.push(letter.to_string());
            }
        } else {
            word.push(letter);
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

fn stands_alone(letter: char) -> bool {
    matches!(letter,
        '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{323af}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_part_words_but_not_numbers() {
        assert_eq!(
            for_bleu("Version 3.14, built 2-3 times (a/b)."),
            ["version", "3.14", ",", "built", "2", "-", "3", "times", "(", "a", "/", "b", ")", "."]
        );
        assert_eq!(for_bleu("U.S. it's"), ["u", ".", "s", ".", "it's"]);
        assert_eq!(for_bleu(" \n\t\u{1d}"), Vec::<String>::new());
        assert_eq!(for_bleu("5.\u{1d}"), ["5."], "a point at the end of a number ends nothing");
    }

    #[test]
    fn chinese_characters_are_words() {
        assert_eq!(for_bleu("文档ABC问答。"), ["文", "档", "abc", "问", "答", "。"]);
        assert_eq!(for_rouge("文档ABC问答。かな Café-3"), ["文", "档", "abc", "问", "答", "か", "な", "café", "3"]);
    }
}
