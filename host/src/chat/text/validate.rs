//! Whether a question may be asked.
//!
//! Not here: what it contains. Escaping is the task of whoever shows a text.

use crate::error::{Error, Result};
use crate::limits;

/// The contract's text for a refused question.
const ILLEGAL: &str = "用户查询包含非法内容";

/// The question without blanks around it; one that is too long or holds control characters is refused before any work.
pub fn question(query: &str) -> Result<&str> {
    let is_illegal =
        query.len() > limits::QUERY_BYTES_MAX || query.chars().any(|character| character < ' ' && !matches!(character, '\t' | '\n' | '\r'));
    if is_illegal { Err(Error::bad_request(ILLEGAL)) } else { Ok(query.trim()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_questions_and_control_characters_are_refused() {
        assert_eq!(question(" a\tb\n ").expect("fine"), "a\tb");
        assert_eq!(question("What does <script> or onclick= do?").expect("fine"), "What does <script> or onclick= do?");
        for query in ["a\u{0}b", "a\u{7}", "\u{1b}[0m"] {
            assert_eq!(question(query).expect_err("control character").to_string(), ILLEGAL);
        }
        assert!(question(&"x".repeat(10_000)).is_ok());
        assert!(question(&"x".repeat(10_001)).is_err());
    }
}
