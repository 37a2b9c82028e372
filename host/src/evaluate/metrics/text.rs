//! Measures of one answer against the answer that the dataset gives.
//!
//! Not here: how texts become words (`words`).

use super::words;
use crate::domain::GenerationMetrics;
use std::collections::HashMap;

/// `None` when the reference has no words: there is nothing to compare with.
///
/// - `bleu1`, `bleu2`, `bleu4`: sentence BLEU (Papineni et al. 2002) with equal weights up to that order, lower-cased, without
///   smoothing: an answer that shares no n-gram of some order scores 0. Orders that the answer is too short to have are left
///   out. In sacrebleu's words: `BLEU(lowercase=True, tokenize="zh", smooth_method="none", max_ngram_order=n, effective_order=True)`, by 100.
/// - `rouge1`, `rouge2`, `rougel`: F1 of counted n-grams, and of the longest common subsequence of the whole texts; rouge-score's
///   `rouge1`, `rouge2`, `rougeL` without stemming.
pub fn generation_metrics(answer: &str, reference: &str) -> Option<GenerationMetrics> {
    let (answer_words, reference_words) = (words::for_bleu(answer), words::for_bleu(reference));
    if reference_words.is_empty() {
        return None;
    }
    let bleu = |order| bleu(&answer_words, &reference_words, order);
    let (answer_words, reference_words) = (words::for_rouge(answer), words::for_rouge(reference));
    let rouge = |order| {
        let (found, given, wanted) = overlap(&answer_words, &reference_words, order);
        f1(found, given, wanted)
    };
    let common = common_subsequence(&answer_words, &reference_words);
    Some(GenerationMetrics {
        bleu1: bleu(1),
        bleu2: bleu(2),
        bleu4: bleu(4),
        rouge1: rouge(1),
        rouge2: rouge(2),
        rougel: f1(common, answer_words.len(), reference_words.len()),
    })
}

fn bleu(answer: &[String], reference: &[String], order_max: usize) -> f64 {
    let mut logarithms = 0.0;
    let mut orders = 0_u32;
    for order in 1..=order_max {
        let (found, given, _) = overlap(answer, reference, order);
        if given == 0 {
            break;
        }
        if found == 0 {
            return 0.0;
        }
        logarithms += (found as f64 / given as f64).ln();
        orders += 1;
    }
    if orders == 0 {
        return 0.0;
    }
    let (given, wanted) = (answer.len() as f64, reference.len() as f64);
    let penalty = if given < wanted { (1.0 - wanted / given).exp() } else { 1.0 };
    penalty * (logarithms / f64::from(orders)).exp()
}

/// N-grams of both, each at most as often as the reference has it; of the answer; of the reference.
fn overlap(answer: &[String], reference: &[String], order: usize) -> (usize, usize, usize) {
    let mut left: HashMap<&[String], usize> = HashMap::new();
    for gram in reference.windows(order) {
        *left.entry(gram).or_default() += 1;
    }
    let mut found = 0;
    for gram in answer.windows(order) {
        if let Some(count) = left.get_mut(gram).filter(|count| **count > 0) {
            *count -= 1;
            found += 1;
        }
    }
    let grams = |words: &[String]| (words.len() + 1).saturating_sub(order);
    (found, grams(answer), grams(reference))
}

fn f1(found: usize, given: usize, wanted: usize) -> f64 {
    if found == 0 || given == 0 || wanted == 0 {
        return 0.0;
    }
    let (precision, recall) = (found as f64 / given as f64, found as f64 / wanted as f64);
    2.0 * precision * recall / (precision + recall)
}

/// Length of the longest common subsequence. A row of the table is a row of bits (Hyyrö 2004), because answers may be long.
fn common_subsequence(left: &[String], right: &[String]) -> usize {
    let blocks = left.len().div_ceil(64);
    let mut places: HashMap<&str, Vec<u64>> = HashMap::new();
    for (at, word) in left.iter().enumerate() {
        places.entry(word).or_insert_with(|| vec![0; blocks])[at / 64] |= 1 << (at % 64);
    }
    let mut row = vec![u64::MAX; blocks];
    for places in right.iter().filter_map(|word| places.get(word.as_str())) {
        let mut carry = false;
        for (bits, places) in row.iter_mut().zip(places) {
            let (sum, first) = bits.overflowing_add(*bits & places);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            carry = first || second;
            *bits = sum | (*bits & !places);
        }
    }
    let zero = |at: &usize| row[at / 64] & (1 << (at % 64)) == 0;
    (0..left.len()).filter(zero).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(answer: &str, reference: &str) -> GenerationMetrics {
        generation_metrics(answer, reference).expect("measured")
    }

    #[test]
    fn the_same_text_has_ones_however_short_and_another_zeros() {
        let all = GenerationMetrics { bleu1: 1.0, bleu2: 1.0, bleu4: 1.0, rouge1: 1.0, rouge2: 1.0, rougel: 1.0 };
        assert_eq!(of("The harbour light is green. 港口的灯是绿色的。", "The harbour light is green. 港口的灯是绿色的。"), all);
        assert_eq!(of("Green.", "green.").bleu4, 1.0);
        assert_eq!(of("entirely other words", "no relation at all"), GenerationMetrics::default());
        assert_eq!(of("", "an answer"), GenerationMetrics::default());
    }

    #[test]
    fn without_a_reference_there_is_no_measure() {
        assert_eq!(generation_metrics("anything", " \n"), None);
    }

    #[test]
    fn saying_a_word_again_and_again_does_not_help() {
        let measured = of("the the the the the the the", "the cat is on the mat");
        assert!((measured.bleu1 - 2.0 / 7.0).abs() < 1e-12, "{measured:?}");
        assert!((measured.rouge1 - 4.0 / 13.0).abs() < 1e-12, "{measured:?}");
    }

    proptest! {
        #[test]
        fn bits_count_as_the_table_does(left in "[a-d ]{0,200}", right in "[a-d ]{0,200}") {
            let words = |text: &str| text.chars().map(String::from).collect::<Vec<_>>();
            let (left, right) = (words(&left), words(&right));
            let mut row = vec![0; right.len() + 1];
            for one in &left {
                let mut corner = 0;
                for (at, other) in right.iter().enumerate() {
                    let above = row[at + 1];
                    row[at + 1] = if one == other { corner + 1 } else { row[at].max(above) };
                    corner = above;
                }
            }
            prop_assert_eq!(common_subsequence(&left, &right), row[right.len()]);
        }

        #[test]
        fn any_texts_are_measured_between_nothing_and_one(answer in "\\PC{0,60}", reference in "\\PC{0,60}") {
            if let Some(measured) = generation_metrics(&answer, &reference) {
                for value in [measured.bleu1, measured.bleu2, measured.bleu4, measured.rouge1, measured.rouge2, measured.rougel] {
                    prop_assert!((0.0..=1.0 + 1e-12).contains(&value), "{:?}", measured);
                }
            }
        }
    }
}
