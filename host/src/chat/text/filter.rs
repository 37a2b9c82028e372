//! Holds an answer back as long as it may still be the marker for "can not be answered".
//!
//! Not here: what is said instead.

const THINK: (&str, &str) = ("<think>", "</think>");

/// Blanks never count, neither in the marker nor in the answer, and the marker's empty think block may be missing.
#[derive(Clone, Debug)]
pub struct NoMatchFilter {
    marker: String,
    /// The marker without its think block, if it has one.
    bare: Option<String>,
    held: String,
    is_open: bool,
}

/// What is left when the answer ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All of it went out.
    Passed,
    /// It only began like the marker; this part is still to be sent.
    Rest(String),
    /// It was the marker, a beginning of it, or nothing: the fallback takes its place.
    NoMatch,
}

impl NoMatchFilter {
    /// Without a marker everything passes.
    pub fn new(marker: &str) -> Self {
        let marker = dense(marker);
        let bare = marker.strip_prefix(THINK.0).and_then(|rest| rest.strip_prefix(THINK.1)).filter(|rest| !rest.is_empty());
        Self { bare: bare.map(str::to_owned), is_open: marker.is_empty(), marker, held: String::new() }
    }

    /// What may go out now that `piece` has come. The first one carries all that was held back.
    pub fn push(&mut self, piece: &str) -> Option<String> {
        if self.is_open {
            return Some(piece.to_owned());
        }
        self.held.push_str(piece);
        let seen = dense(&self.held);
        let may_match = self.marker.starts_with(&seen) || self.bare.as_deref().is_some_and(|bare| bare.starts_with(&seen));
        if may_match {
            return None;
        }
        self.is_open = true;
        Some(std::mem::take(&mut self.held))
    }

    pub fn finish(self) -> Ending {
        if self.is_open {
            return Ending::Passed;
        }
        let seen = dense(&self.held);
        // A mere beginning of the bare form ("NO") is an answer; of the whole marker it is none, as the contract has it.
        if self.marker.starts_with(&seen) || self.bare.as_deref() == Some(&seen) { Ending::NoMatch } else { Ending::Rest(self.held) }
    }
}

fn dense(text: &str) -> String {
    text.split_whitespace().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DEFAULT: &str = "<think>\n</think>\nNO_MATCH";

    fn run(marker: &str, pieces: &[&str]) -> (Vec<String>, Ending) {
        let mut filter = NoMatchFilter::new(marker);
        let out = pieces.iter().filter_map(|piece| filter.push(piece)).collect();
        (out, filter.finish())
    }

    #[test]
    fn the_marker_its_beginnings_and_nothing_are_no_match() {
        for pieces in [
            &["<think>\n</think>\nNO_MATCH"][..],
            &["<think>", "\n</think>", "\nNO_", "MATCH"],
            &["<thi"],
            &["", ""],
            &[],
            &["<think>\n</think>\nNO_MATCH", "\n"],
            &["<think>\n\n</think>\n\nNO_MATCH"],
            &["NO_", "MATCH"],
            &[" NO_MATCH\n"],
        ] {
            assert_eq!(run(DEFAULT, pieces), (vec![], Ending::NoMatch), "{pieces:?}");
        }
        assert_eq!(run("NO_MATCH", &["NO_MATCH"]), (vec![], Ending::NoMatch));
        assert_eq!(run("NO_MATCH", &["NO"]), (vec![], Ending::NoMatch));
    }

    #[test]
    fn a_text_that_only_begins_like_the_marker_comes_whole() {
        assert_eq!(run("NO_MATCH", &["N", "O", " way", "!"]), (vec!["NO way".into(), "!".into()], Ending::Passed));
        assert_eq!(run(DEFAULT, &["<think>", "\nwell", "</think>x"]), (vec!["<think>\nwell".into(), "</think>x".into()], Ending::Passed));
        assert_eq!(run(DEFAULT, &["NO"]), (vec![], Ending::Rest("NO".into())));
        assert_eq!(run(DEFAULT, &["No", "."]), (vec!["No".into(), ".".into()], Ending::Passed));
    }

    #[test]
    fn empty_pieces_pass_once_the_answer_is_open() {
        assert_eq!(run("NO_MATCH", &["", "a", ""]), (vec!["a".into(), "".into()], Ending::Passed));
        assert_eq!(run("", &["", "NO_MATCH"]), (vec!["".into(), "NO_MATCH".into()], Ending::Passed));
    }

    proptest! {
        #[test]
        fn nothing_is_lost_or_added(marker in "(<think>\n</think>\n)?[A-C_]{0,4}", pieces in proptest::collection::vec("[A-C_ \n<think>/]{0,5}", 0..8)) {
            let mut filter = NoMatchFilter::new(&marker);
            let mut out = String::new();
            for piece in &pieces {
                out.push_str(&filter.push(piece).unwrap_or_default());
            }
            let all = pieces.concat();
            match filter.finish() {
                Ending::Passed => prop_assert_eq!(out, all),
                Ending::Rest(rest) => prop_assert_eq!(out + &rest, all),
                Ending::NoMatch => {
                    prop_assert_eq!(out, "");
                    let seen = dense(&all);
                    prop_assert!(dense(&marker).starts_with(&seen) || dense(&marker).ends_with(&seen));
                }
            }
        }
    }
}
