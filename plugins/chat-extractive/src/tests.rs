use super::*;
use crate::sentences::sentences;
use knowhost_plugin_sdk::testing::{Host, Outcome};
use knowhost_plugin_sdk::{Message, Model, Options, Source};

fn request(task: Task, question: Option<&str>, sources: &[(&str, &str)]) -> ChatRequest {
    let options = Options {
        temperature: None,
        top_p: None,
        max_tokens: None,
        max_completion_tokens: None,
        frequency_penalty: None,
        presence_penalty: None,
        seed: None,
        stop: vec![],
        thinking: None,
        format: None,
    };
    let source = |(title, text): &(&str, &str)| Source { id: "c".into(), title: (*title).into(), text: (*text).into() };
    ChatRequest {
        model: Model { name: "knowhost-extract".into(), base_url: String::new(), settings: vec![] },
        task,
        messages: vec![Message { role: Role::User, parts: vec![Part::Text("prompt".into())], tool_calls: vec![], tool_call_id: None }],
        tools: vec![],
        tool_choice: None,
        options,
        question: question.map(str::to_owned),
        sources: sources.iter().map(source).collect(),
    }
}

fn answer(question: &str, sources: &[(&str, &str)]) -> String {
    let outcome: Outcome<Delta, Answer> = Host::default().chat::<ChatExtractive>(request(Task::Answer, Some(question), sources));
    assert!(matches!(outcome.end, Some(Ok(Answer { finish: Finish::Stop, .. }))));
    outcome.text()
}

const HANDBOOK: (&str, &str) = (
    "Employee handbook",
    "Welcome to the company.\n\n## Leave\n\nEvery employee is entitled to 25 days of annual leave. Unused days can be carried over until March. \
     Sick leave needs a doctor's note after three days.\n\n## Travel\n\nTrips are booked by the travel desk. Expenses above 500 euros need approval.",
);
const MANUAL: (&str, &str) = ("Server manual", "The server listens on port 8080 by default. Set PORT to change it. Logs go to stderr.");
const LEAVE: (&str, &str) = ("员工手册", "欢迎加入公司。每位员工每年享有十五天带薪年假。未休的年假可以顺延到次年三月。出差由行政部预订。");

#[test]
fn english_question_is_answered_with_the_sentence_and_its_source() {
    let text = answer("How many days of annual leave do employees get?", &[MANUAL, HANDBOOK]);
    assert!(text.starts_with("From the sources:\n\n- Every employee is entitled to 25 days of annual leave. [2]\n"), "{text}");
    assert!(!text.contains("port 8080"), "{text}");
    assert!(text.contains("built-in answerer"), "{text}");
}

#[test]
fn chinese_question_is_answered_in_chinese() {
    let text = answer("员工每年有多少天年假？", &[LEAVE, MANUAL]);
    assert!(text.contains("- 每位员工每年享有十五天带薪年假。 [1]\n"), "{text}");
    assert!(text.contains("只引用原文"), "{text}");
    assert!(!text.contains("port"), "{text}");
}

#[test]
fn only_sentences_of_the_sources_are_quoted() {
    let text = answer("Which port does the server listen on?", &[HANDBOOK, MANUAL]);
    let quotes: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("- ")).collect();
    assert!(!quotes.is_empty() && quotes.len() <= 4, "{text}");
    for quote in quotes {
        let (sentence, source) = quote.rsplit_once(" [").unwrap();
        let sources = [HANDBOOK, MANUAL];
        let source: usize = source.trim_end_matches(']').parse().unwrap();
        assert!(sources[source - 1].1.contains(sentence), "{quote}");
    }
}

#[test]
fn question_that_no_source_answers_gets_nothing() {
    assert_eq!(answer("What is the capital of Mongolia?", &[HANDBOOK, MANUAL]), "");
    assert_eq!(answer("火星上有几颗卫星？", &[LEAVE]), "");
    assert_eq!(answer("How many days of annual leave?", &[]), "");
    assert_eq!(answer("", &[HANDBOOK]), "");
    assert_eq!(answer("???", &[HANDBOOK]), "");
    assert_eq!(answer("leave", &[("", ""), ("t", "   \n ")]), "");
}

#[test]
fn other_language_falls_back_to_the_beginning_of_the_best_source() {
    let text = answer(
        "员工每年有多少天年假？",
        &[("Leave", "Every employee has 25 days of leave. Unused days lapse. More follows here."), MANUAL],
    );
    assert!(text.contains("- Every employee has 25 days of leave. [1]\n- Unused days lapse. [1]\n"), "{text}");
    assert!(text.contains("只引用原文") && !text.contains("More follows"), "{text}");
    let text = answer("How much annual leave is there?", &[LEAVE]);
    assert!(text.contains("[1]") && text.contains("built-in answerer"), "{text}");
}

#[test]
fn same_question_has_the_same_answer_and_overlapping_chunks_are_quoted_once() {
    let question = "annual leave days";
    let sources = [HANDBOOK, HANDBOOK, MANUAL];
    let text = answer(question, &sources);
    assert_eq!(text, answer(question, &sources));
    assert_eq!(text.matches("25 days of annual leave").count(), 1, "{text}");
}

#[test]
fn only_answers_are_given() {
    for task in [Task::Rewrite, Task::Summary, Task::Title, Task::Extract] {
        let outcome = Host::default().chat::<ChatExtractive>(request(task, Some("q"), &[HANDBOOK]));
        assert!(matches!(outcome.result(), Err(Error::Unsupported(_))));
    }
}

#[test]
fn without_a_question_the_last_message_counts() {
    let mut request = request(Task::Answer, None, &[HANDBOOK]);
    request.messages[0].parts = vec![Part::Text("annual leave days".into())];
    assert!(Host::default().chat::<ChatExtractive>(request).text().contains("25 days"));
}

#[test]
fn sentences_are_cut_by_language() {
    for (text, expected) in [
        ("One. Two! Three? Four", &["One.", "Two!", "Three?", "Four"][..]),
        (
            "Version 3.14 of example.com, e.g. this. Dr. Who came. J. Doe left.",
            &["Version 3.14 of example.com, e.g. this.", "Dr. Who came.", "J. Doe left."],
        ),
        ("He said \"Stop.\" Then he left.", &["He said \"Stop.\"", "Then he left."]),
        ("第一句。第二句！“第三句？”第四句；第五", &["第一句。", "第二句！", "“第三句？”", "第四句；", "第五"]),
        ("# Title\n- item one\n- item two\n\nwrapped\nline. End.", &["Title", "item one", "item two", "wrapped line.", "End."]),
        (
            "这一行很长所以在这里换了一行才放得下所有的字而且还要再多几个\n字。",
            &["这一行很长所以在这里换了一行才放得下所有的字而且还要再多几个字。"],
        ),
        ("| a | b |\n|---|---|\n1. first\n2) second\n> quote", &["a | b", "first", "second", "quote"]),
        ("...\n***\n🙂", &[]),
        ("", &[]),
    ] {
        assert_eq!(sentences(text), expected, "{text}");
    }
}

#[test]
fn long_and_odd_texts_are_survived() {
    let long = "word ".repeat(100_000);
    let chinese = "中".repeat(100_000);
    let many = "A leave sentence. ".repeat(20_000);
    let sources = [("t", long.as_str()), ("t", &chinese), ("t", &many), ("", "\u{0}\u{fffd}🙂."), ("t", "a.b.c..")];
    for question in ["word", "中文", "leave sentence", "🙂", &long] {
        assert!(answer(question, &sources).len() < 5_000);
    }
}

#[test]
fn headings_are_neither_quoted_nor_joined_with_what_follows() {
    let text = "PETS ON BOARD\nInformation for passengers\n\nWhere dogs may stay\nDogs travel in the lounge at the stern. Dogs are led.\n\nWhat dogs cost\nThe ticket for a dog costs five crowns.";
    let answer = answer("Where may my dog stay?", &[("pets", text)]);
    assert!(answer.contains("- Dogs travel in the lounge at the stern. [1]"), "{answer}");
    assert!(!answer.contains("stay Dogs"), "{answer}");
}

#[test]
fn a_source_of_another_language_near_the_top_is_quoted_when_no_words_fit() {
    let sources = [("领养", "年满十八周岁，有稳定的住处。"), ("pets", "Dogs travel on the open deck. They are led.")];
    let answer = answer("狗可以坐渡轮吗？", &sources);
    assert!(answer.contains("Dogs travel on the open deck. [2]"), "{answer}");
}

#[test]
fn each_part_of_a_question_gets_its_sentence() {
    let text = "Dogs travel in the lounge of the ferry. A dog in the lounge is led on the ferry. Dogs of the ferry stay in the lounge. The ticket costs five crowns.";
    let answer = answer("Where on the ferry does my dog stay? And how much does it cost?", &[("pets", text)]);
    assert!(answer.contains("The ticket costs five crowns. [1]"), "{answer}");
}
