//! A small set of questions and passages in English and Chinese, our own, to tell a model that works from one that does not.
//!
//! Not here: a benchmark. The floor is what comparing words reaches; a model below it is broken or wired up wrongly.

/// A question, and the passage that answers it; every other passage of the language is a wrong one.
pub(super) const PAIRS: [(Language, &str, &str); 12] = [
    (Language::English, "When does the ferry to the island leave?", "The ferry leaves for the island at seven in the morning and at noon."),
    (Language::English, "How many days of annual leave do employees have?", "Every employee has twenty-five days of annual leave."),
    (Language::English, "How long is the warranty of the water pump?", "The water pump comes with a warranty of three years."),
    (Language::English, "Who may open the archive?", "Only the two librarians may open the archive."),
    (Language::English, "How is green tea brewed?", "Green tea is brewed with water of eighty degrees for two minutes."),
    (Language::English, "What does a boarding pass have to show?", "A boarding pass has to show name, flight and seat."),
    (Language::Chinese, "去海岛的渡轮几点出发？", "去海岛的渡轮早上七点和中午出发。"),
    (Language::Chinese, "员工每年有多少天年假？", "公司员工每年享有十五天带薪年假。"),
    (Language::Chinese, "水泵的保修期有多长？", "水泵的保修期为三年。"),
    (Language::Chinese, "谁可以打开档案室？", "只有两位图书管理员可以打开档案室。"),
    (Language::Chinese, "绿茶应该怎么泡？", "绿茶要用八十度的水泡两分钟。"),
    (Language::Chinese, "登机牌上必须写明什么？", "登机牌上必须写明姓名、航班和座位。"),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    English,
    Chinese,
}

impl Language {
    pub(super) const ALL: [Self; 2] = [Self::English, Self::Chinese];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Chinese => "Chinese",
        }
    }

    pub(super) fn pairs(self) -> Vec<(&'static str, &'static str)> {
        PAIRS.iter().filter(|(language, _, _)| *language == self).map(|(_, question, passage)| (*question, *passage)).collect()
    }
}

/// Of six questions so many find their passage first; guessing finds one.
pub(super) const FLOOR: usize = 4;

/// Whether the hits of all languages reach the floor.
pub(super) fn judge(hits: &[(Language, usize)]) -> Result<String, String> {
    let tell = |(language, found): &(Language, usize)| format!("{found} of {} in {}", language.pairs().len(), language.name());
    let text = hits.iter().map(tell).collect::<Vec<_>>().join(", ");
    if hits.iter().all(|(_, found)| *found >= FLOOR) {
        Ok(format!("finds the passage first for {text}"))
    } else {
        Err(format!("finds the passage first for only {text}; the floor is {FLOOR} in each"))
    }
}

/// The place of the largest number.
pub(super) fn best(scores: &[f32]) -> Option<usize> {
    scores.iter().enumerate().max_by(|left, right| left.1.total_cmp(right.1)).map(|(place, _)| place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_has_to_reach_the_floor() {
        assert!(judge(&[(Language::English, FLOOR), (Language::Chinese, 6)]).is_ok());
        let text = judge(&[(Language::English, 6), (Language::Chinese, FLOOR - 1)]).unwrap_err();
        assert!(text.contains("3 of 6 in Chinese"), "{text}");
        assert!(Language::ALL.iter().all(|language| language.pairs().len() == 6));
    }
}
