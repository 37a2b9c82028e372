use super::*;
use knowhost_plugin_sdk::Model;
use knowhost_plugin_sdk::testing::Host;

fn rerank(query: &str, texts: &[&str], top: Option<u32>) -> Vec<(u32, f32)> {
    let model = Model { name: "knowhost-rerank".into(), base_url: String::new(), settings: vec![] };
    let texts = texts.iter().map(|text| (*text).to_owned()).collect();
    let ranking = Host::default().rerank::<RerankerLocal>(RerankRequest { model, query: query.into(), texts, top }).unwrap();
    ranking.hits.into_iter().map(|hit| (hit.index, hit.relevance_score)).collect()
}

/// Questions with a text that answers each.
const PAIRS: [(&str, &str); 20] = [
    ("How many days of annual leave do employees get?", "Every employee is entitled to 25 days of annual leave, plus public holidays."),
    ("How do I reset my password?", "To reset a password, open the login page and choose \"Forgot password\". A link is sent by mail."),
    ("What is the refund policy?", "Refunds are granted within 30 days of purchase. After that the policy allows store credit only."),
    ("Which port does the server listen on?", "By default the server listens on port 8080; the environment variable PORT changes it."),
    ("When was the company founded?", "The company was founded in 1998 by three engineers in Rotterdam."),
    ("How are backups encrypted?", "Nightly backups are encrypted with AES-256 before they leave the data centre."),
    ("Who approves travel expenses?", "Travel expenses above 500 euros need the approval of the department head."),
    ("What does error E42 mean?", "Error E42 is shown when the sensor loses its calibration; run the calibration wizard again."),
    (
        "Can I install the software on Linux?",
        "The software can be installed on Windows, macOS and Linux. Packages exist for Debian and Fedora.",
    ),
    ("How long is the warranty?", "The warranty lasts two years and covers faults of material and manufacturing."),
    ("员工有多少天年假？", "公司员工每年享有十五天带薪年假，工龄满十年后增加到二十天。"),
    ("如何重置密码？", "在登录页面点击忘记密码，系统会发送一封邮件，按照其中的链接即可重置密码。"),
    ("退款政策是什么？", "自购买之日起三十天内可以全额退款，超过期限的退款申请不予受理。"),
    ("服务器默认监听哪个端口？", "服务器默认监听8080端口，可以通过环境变量修改端口号。"),
    ("公司是什么时候成立的？", "公司成立于一九九八年，总部设在杭州。"),
    ("出差费用由谁审批？", "单笔超过五千元的出差费用需要部门负责人审批后才能报销。"),
    ("数据备份是怎么加密的？", "每天夜间的数据备份在离开机房之前使用AES-256算法加密。"),
    ("保修期多久？", "本产品的保修期为两年，人为损坏不在保修范围之内。"),
    ("软件可以安装在Linux上吗？", "该软件支持在Windows、macOS和Linux系统上安装。"),
    ("故障代码E42表示什么？", "出现E42故障代码时，表示传感器校准丢失，请重新运行校准向导。"),
];

#[test]
fn answer_is_ranked_first_among_texts_of_its_language() {
    let mut first = 0;
    for range in [0..10, 10..20] {
        let texts: Vec<&str> = PAIRS[range.clone()].iter().map(|pair| pair.1).collect();
        for (place, (question, _)) in (0..).zip(&PAIRS[range]) {
            first += usize::from(rerank(question, &texts, None)[0].0 == place);
        }
    }
    assert!(first >= 19, "{first} of 20");
}

#[test]
fn related_texts_pass_the_common_threshold_and_most_others_do_not() {
    let (mut related, mut strangers, mut passed) = (0, 0, 0);
    for range in [0..10usize, 10..20] {
        let texts: Vec<&str> = PAIRS[range.clone()].iter().map(|pair| pair.1).collect();
        for (place, (question, _)) in (0..).zip(&PAIRS[range]) {
            for (index, score) in rerank(question, &texts, None) {
                let passes = score > 0.5;
                if index == place {
                    related += usize::from(passes);
                } else {
                    strangers += 1;
                    passed += usize::from(passes);
                }
            }
        }
    }
    assert!(related >= 19, "{related} of 20 related texts pass");
    assert!(passed * 5 <= strangers, "{passed} of {strangers} other texts pass");
}

#[test]
fn related_text_alone_passes_too() {
    let alone = PAIRS.iter().filter(|(question, text)| rerank(question, &[text], None)[0].1 > 0.5).count();
    assert!(alone >= 19, "{alone} of 20");
}

#[test]
fn other_language_is_neither_for_nor_against() {
    let found = rerank("How many days of annual leave?", &["公司员工每年享有十五天带薪年假。", "Cats sleep on the sofa."], None);
    assert_eq!(found[0].0, 0);
    assert!((0.5..0.6).contains(&found[0].1), "{found:?}");
    let named = rerank("What does error E42 mean?", &["请重启设备。", "出现E42时请校准。"], None);
    assert_eq!(named[0].0, 1);
}

#[test]
fn rare_words_exact_numbers_and_order_count() {
    let best = |query: &str, texts: &[&str]| rerank(query, texts, None)[0].0;
    assert_eq!(best("the zeppelin project", &["the project plan of the project", "the zeppelin flies", "a project"]), 1);
    assert_eq!(best("budget of 2024", &["the budget of 2023 was small", "the budget of 2024 was small"]), 1);
    assert_eq!(best("dog bites man", &["man bites dog", "dog bites man"]), 1);
}

#[test]
fn scores_are_in_range_finite_sorted_and_complete() {
    let long = "word ".repeat(50_000);
    let texts = ["", " ", "🙂", "中", "a", &long, "\u{0}", "query query query"];
    for query in ["", "?", "query", "什么", "who are you", "🙂", &long, "1"] {
        let found = rerank(query, &texts, None);
        assert_eq!(found.len(), texts.len());
        assert!(found.iter().all(|(_, score)| (0.0..=1.0).contains(score)), "{query}: {found:?}");
        assert!(found.windows(2).all(|pair| pair[0].1 >= pair[1].1));
        let mut places: Vec<u32> = found.iter().map(|hit| hit.0).collect();
        places.sort_unstable();
        assert_eq!(places, (0..8).collect::<Vec<u32>>());
    }
    assert!(rerank("query", &[], None).is_empty());
    assert_eq!(rerank("query", &texts, Some(3)).len(), 3);
    assert_eq!(rerank("query", &texts, Some(0)).len(), 0);
}

#[test]
fn equal_texts_have_equal_scores_in_any_batch_order() {
    let found = rerank("annual leave", &["annual leave", "x", "annual leave"], None);
    assert_eq!((found[0].0, found[1].0), (0, 2));
    assert_eq!(found[0].1, found[1].1);
}
