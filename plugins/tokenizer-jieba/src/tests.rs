use super::*;

fn words(text: &str) -> Vec<String> {
    let texts = [text.to_owned()];
    let index = TokenizerJieba::tokenize(&texts, TokenizeMode::Index).unwrap();
    assert_eq!(index, TokenizerJieba::tokenize(&texts, TokenizeMode::Query).unwrap());
    assert_eq!(index.counts.len(), 1);
    assert_eq!(index.spans.len(), 2 * index.counts[0] as usize);
    let spans: Vec<(usize, usize)> = index.spans.chunks(2).map(|pair| (pair[0] as usize, pair[1] as usize)).collect();
    assert!(spans.is_sorted(), "{spans:?}");
    // Slicing panics off character borders.
    spans.into_iter().map(|(start, end)| text[start..end].to_owned()).collect()
}

#[test]
fn chinese_is_cut_into_long_words_and_the_words_inside() {
    let found = words("小明硕士毕业于中国科学院计算所，后在日本京都大学深造");
    for word in ["小明", "硕士", "毕业", "中国", "科学", "学院", "科学院", "中国科学院", "计算", "计算所", "日本", "京都", "大学"]
    {
        assert!(found.iter().any(|other| other == word), "{word} in {found:?}");
    }
    assert!(!found.iter().any(|word| word.contains('，')));
}

#[test]
fn unknown_chinese_names_are_found_by_the_statistical_model() {
    assert!(words("他来到了网易杭研大厦").iter().any(|word| word == "杭研"));
}

#[test]
fn latin_words_and_numbers_are_kept() {
    assert_eq!(words("The Quick, brown fox: 42 jumps!"), ["The", "Quick", "brown", "fox", "42", "jumps"]);
    let found = words("state-of-the-art GPT-4 v1.2.3 foo_bar 3.14 50%");
    for word in ["state", "art", "GPT", "foo", "bar", "3.14"] {
        assert!(found.iter().any(|other| other == word), "{word} in {found:?}");
    }
}

#[test]
fn words_of_other_scripts_are_whole() {
    assert_eq!(words("naïve café Straße"), ["naïve", "café", "Straße"]);
    assert_eq!(words("Привет, мир"), ["Привет", "мир"]);
    assert_eq!(words("안녕하세요 세계"), ["안녕하세요", "세계"]);
    assert_eq!(words("cafe\u{301} x"), ["cafe\u{301}", "x"]);
}

#[test]
fn scripts_without_spaces_become_pairs() {
    assert_eq!(words("カメラ"), ["カメ", "メラ"]);
    assert_eq!(words("ア"), ["ア"]);
    assert!(words("東京タワーへ行く").iter().any(|word| word == "タワ"));
    assert!(!words("สวัสดี").is_empty());
}

#[test]
fn mixed_words_of_the_dictionary_are_found() {
    assert!(words("聚餐实行AA制").iter().any(|word| word == "AA制"));
    assert!(words("买了一件T恤衫").iter().any(|word| word == "T恤衫"));
    assert!(words("使用Rust语言编写").iter().any(|word| word == "Rust"));
}

#[test]
fn nothing_but_signs_gives_no_words() {
    for text in ["", " ", "\t\r\n", "!?。，、", "🙂🙃", "----", "…", "\u{200d}\u{301}", "\u{0}"] {
        assert_eq!(words(text), [""; 0], "{text:?}");
    }
}

#[test]
fn odd_texts_keep_spans_on_character_borders() {
    for text in [
        "👨‍👩‍👧‍👦家庭👍🏽ok",
        "a\u{301}\u{301}b 中\u{301}文",
        "\u{10ffff}中\u{fffd}文\u{0}x",
        "ｆｕｌｌ　ｗｉｄｔｈ １２３",
        "𠮷野家は𠮷祥寺",
        "مرحبا بالعالم",
        "नमस्ते दुनिया",
        "e=mc² ½ ①②",
        "中a文1é二",
    ] {
        assert!(!words(text).is_empty(), "{text}");
    }
}

#[test]
fn every_piece_of_a_mixed_text_is_survived() {
    let text = "a中é文カ한🙂1.b-👍🏽ไท";
    let borders: Vec<usize> = (0..=text.len()).filter(|at| text.is_char_boundary(*at)).collect();
    for from in &borders {
        for to in borders.iter().filter(|to| *to >= from) {
            words(&text[*from..*to]);
        }
    }
}

#[test]
fn words_without_end_are_cut() {
    let found = words(&"x".repeat(1_000));
    assert!(found.iter().all(|word| word.len() <= 240), "{:?}", found.iter().map(String::len).collect::<Vec<_>>());
    assert!(words(&"й".repeat(1_000)).len() > 7);
}

#[test]
fn huge_texts_are_cut() {
    let text = "知识库可以搜索文档。The quick brown fox. ".repeat(20_000);
    assert!(words(&text).len() > 100_000);
    assert!(words(&"中".repeat(200_000)).len() > 50_000);
    assert!(words(&"🙂".repeat(200_000)).is_empty());
}

#[test]
fn texts_of_a_batch_are_counted_one_by_one() {
    let texts: Vec<String> = ["知识库", "", "two words"].map(str::to_owned).to_vec();
    let tokens = TokenizerJieba::tokenize(&texts, TokenizeMode::Index).unwrap();
    assert_eq!(tokens.counts[1..], [0, 2]);
    assert_eq!(tokens.spans.len(), 2 * tokens.counts.iter().sum::<u32>() as usize);
    let last = &tokens.spans[tokens.spans.len() - 4..];
    assert_eq!(last, [0, 3, 4, 9]);
}

#[test]
fn warm_loads_the_dictionary() {
    TokenizerJieba::warm();
    assert!(jieba().is_ok());
}
