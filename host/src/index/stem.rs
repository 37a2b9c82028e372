//! English endings: plural, past and continuous forms fall together, as step 1 of Porter's algorithm (1980) has it.
//!
//! Not here: the further steps, which cut deeper than names and technical words bear, and other languages, which pass unchanged.

/// The word without its ending; `word` is lower case. Words that are not plain letters stay as they are.
pub(super) fn stem(word: &mut String) {
    if word.len() <= 3 || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return;
    }
    plural(word);
    past_and_continuous(word);
    if let Some(start) = word.strip_suffix('y')
        && has_vowel(start.as_bytes())
    {
        replace(word, 1, "i");
    }
}

fn replace(word: &mut String, cut: usize, with: &str) {
    word.truncate(word.len() - cut);
    word.push_str(with);
}

fn plural(word: &mut String) {
    if word.ends_with("sses") || word.ends_with("ies") {
        replace(word, 2, "");
    } else if word.ends_with('s') && !word.ends_with("ss") {
        replace(word, 1, "");
    }
}

fn past_and_continuous(word: &mut String) {
    if let Some(start) = word.strip_suffix("eed") {
        if vowel_groups(start.as_bytes()) > 0 {
            replace(word, 1, "");
        }
        return;
    }
    let Some(start) = word.strip_suffix("ed").or_else(|| word.strip_suffix("ing")) else { return };
    if !has_vowel(start.as_bytes()) {
        return;
    }
    word.truncate(start.len());
    let letters = word.as_bytes();
    let last = letters.last().copied().unwrap_or(0);
    let doubled = letters.len() > 1 && letters[letters.len() - 2] == last && !is_vowel(letters, letters.len() - 1);
    if ["at", "bl", "iz"].iter().any(|ending| word.ends_with(ending)) {
        word.push('e');
    } else if doubled {
        if !matches!(last, b'l' | b's' | b'z') {
            replace(word, 1, "");
        }
    } else if vowel_groups(letters) == 1 && is_short(letters) {
        word.push('e');
    }
}

/// `y` is a vowel after a consonant.
fn is_vowel(letters: &[u8], place: usize) -> bool {
    match letters[place] {
        b'a' | b'e' | b'i' | b'o' | b'u' => true,
        b'y' => place > 0 && !is_vowel(letters, place - 1),
        _ => false,
    }
}

fn has_vowel(letters: &[u8]) -> bool {
    (0..letters.len()).any(|place| is_vowel(letters, place))
}

/// How often a vowel is followed by a consonant: Porter's measure.
fn vowel_groups(letters: &[u8]) -> usize {
    (1..letters.len()).filter(|&place| is_vowel(letters, place - 1) && !is_vowel(letters, place)).count()
}

/// Ends in consonant, vowel, consonant, the last not w, x or y.
fn is_short(letters: &[u8]) -> bool {
    let Some(start) = letters.len().checked_sub(3) else { return false };
    !is_vowel(letters, start)
        && is_vowel(letters, start + 1)
        && !is_vowel(letters, start + 2)
        && !matches!(letters[start + 2], b'w' | b'x' | b'y')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_word_fall_together() {
        for group in [
            "panther panthers",
            "caress caresses caressed caressing",
            "library libraries",
            "agree agreed agrees",
            "plan planned planning plans",
            "hope hoped hoping hopes",
            "relate related relating",
            "play played playing plays",
            "fall falls falling",
        ] {
            let stems: Vec<String> = group
                .split(' ')
                .map(|word| {
                    let mut word = word.to_owned();
                    stem(&mut word);
                    word
                })
                .collect();
            assert!(stems.iter().all(|stem| *stem == stems[0]), "{group}: {stems:?}");
        }
    }

    #[test]
    fn what_is_no_plain_english_word_stays() {
        for word in ["", "s", "is", "ing", "知识", "bbq1s", "naïves", "sing", "bring", "bred", "pass", "x86s", "éed"] {
            let mut stemmed = word.to_owned();
            stem(&mut stemmed);
            assert_eq!(stemmed, word);
        }
    }
}
