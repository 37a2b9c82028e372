//! POST /initialization/extract/fabri-tag: sample kinds of relation.

use crate::scene::Scene;

const WORDS: [&str; 10] = ["内容", "文化", "人物", "事件", "时间", "地点", "作品", "作者", "关系", "属性"];

#[test]
fn some_of_ten_words_come_whatever_the_body_says() {
    let scene = Scene::new();
    for body in [None, Some("not { JSON".to_owned())] {
        let answer = scene.key().send("POST /initialization/extract/fabri-tag", body);
        assert_eq!(answer.status, 200, "{}", answer.text);
        let tags = answer.json["data"]["tags"].as_array().expect("tags");
        assert!((1..10).contains(&tags.len()) && tags.iter().all(|tag| WORDS.contains(&tag.as_str().unwrap_or_default())), "{tags:?}");
    }
}
