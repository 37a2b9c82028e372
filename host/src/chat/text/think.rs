//! Takes a model's thinking out of its text.
//!
//! Not here: streamed answers, which carry it to the client as it comes.

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";

/// Without all closed spans; what is left open stays.
pub fn remove(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find(OPEN) {
        let Some(length) = rest[open..].find(CLOSE) else { break };
        out.push_str(&rest[..open]);
        rest = &rest[open + length + CLOSE.len()..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_spans_go_and_open_ones_stay() {
        assert_eq!(remove("<think>a\nb</think>answer<think></think>!"), "answer!");
        assert_eq!(remove("x<think>open"), "x<think>open");
        assert_eq!(remove("</think>a<think>b"), "</think>a<think>b");
        assert_eq!(remove("<think><think>a</think>b"), "b");
        assert_eq!(remove(""), "");
    }
}
