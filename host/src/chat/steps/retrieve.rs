//! Finds candidates: by the text, by its keywords, and among what the last answer cited.
//!
//! Not here: how a search works.

use super::Searched;
use crate::chat::budget::Budget;
use crate::chat::text::Hit;
use crate::chat::{ChatParts, FindQuery};
use crate::domain::{MatchType, SearchResult, TenantScope};
use crate::error::Result;
use crate::limits;
use std::collections::HashSet;

/// Best first. Direct hits go before what the last answer cited, and that before mere neighbours.
pub(in crate::chat) async fn retrieve(
    parts: &ChatParts,
    budget: &Budget,
    scope: &TenantScope,
    query: &FindQuery,
    searched: &Searched,
    cited: &[SearchResult],
) -> Result<Vec<Hit>> {
    let context = budget.context(limits::SEARCH_TIME);
    let by_text = FindQuery { text: searched.text.trim().to_owned(), ..query.clone() };
    let by_keywords = FindQuery { text: searched.keywords.trim().to_owned(), ..query.clone() };
    // A session that asks for no hits gets none, as in the reference.
    let is_empty = by_text.text.is_empty() || by_text.match_count == 0;
    let second = async {
        if is_empty || by_keywords.text.is_empty() || by_keywords.text == by_text.text {
            return Ok(Vec::new());
        }
        parts.finder.find(&context, scope, &by_keywords).await
    };
    let first = async { if is_empty { Ok(Vec::new()) } else { parts.finder.find(&context, scope, &by_text).await } };
    let both = async { tokio::try_join!(first, second) };
    let (first, second) = budget.run("the search", &context, both).await?;
    Ok(combine(first, second, cited))
}

fn is_direct(hit: &Hit) -> bool {
    match hit.result.match_type {
        MatchType::Vector | MatchType::Keywords | MatchType::Parent | MatchType::Graph | MatchType::History => true,
        MatchType::Neighbour | MatchType::Relation => false,
    }
}

/// One list without doubles. Ranks become places, as those of two searches and of an old answer do not compare.
fn combine(first: Vec<Hit>, second: Vec<Hit>, cited: &[SearchResult]) -> Vec<Hit> {
    let mut found: Vec<Hit> = first.into_iter().chain(second).collect();
    // Stable: of equal ranks the first search's goes first.
    found.sort_by(|left, right| right.rank.total_cmp(&left.rank));
    let (direct, expansions): (Vec<Hit>, Vec<Hit>) = found.into_iter().partition(is_direct);
    let history = cited.iter().map(|result| Hit {
        result: SearchResult { match_type: MatchType::History, ..result.clone() },
        rank: 0.0,
        story: None,
    });
    let mut known = HashSet::new();
    let all = direct.into_iter().chain(history).chain(expansions);
    all.filter(|hit| known.insert(hit.result.id.clone()))
        .enumerate()
        .map(|(place, hit)| Hit { rank: 1.0 / (1.0 + place as f64), ..hit })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::text::testing::hit;

    fn of(match_type: MatchType, mut hit: Hit) -> Hit {
        hit.result.match_type = match_type;
        hit
    }

    fn ids(hits: &[Hit]) -> Vec<&str> {
        hits.iter().map(|hit| hit.result.id.as_str()).collect()
    }

    #[test]
    fn cited_chunks_never_displace_direct_hits_and_go_before_neighbours() {
        let first = vec![hit("a", 0, "x", 0.03), of(MatchType::Neighbour, hit("n", 0, "x", 0.001))];
        let second = vec![hit("b", 0, "x", 0.02), of(MatchType::Neighbour, hit("a", 0, "x", 0.001))];
        let cited = [hit("h", 0, "x", 0.99).result, hit("b", 0, "old", 0.99).result];
        let all = combine(first, second, &cited);
        assert_eq!(ids(&all), ["a", "b", "h", "n"]);
        assert_eq!(all[2].result.match_type, MatchType::History);
        assert_eq!(all[1].result.content, "x");
        assert!(all.windows(2).all(|pair| pair[0].rank > pair[1].rank));
    }

    #[test]
    fn the_better_of_two_finds_of_a_chunk_counts() {
        let first = vec![of(MatchType::Neighbour, hit("a", 0, "x", 0.001)), hit("c", 0, "x", 0.01)];
        let all = combine(first, vec![hit("a", 0, "x", 0.02)], &[]);
        assert_eq!(ids(&all), ["a", "c"]);
        assert_eq!(all[0].result.match_type, MatchType::Vector);
        assert!(combine(vec![], vec![], &[]).is_empty());
    }
}
