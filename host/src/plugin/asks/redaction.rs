//! Takes the secrets of a request out of everything that its server sends back, also where a secret is cut in two by the chunks.
//!
//! Not here: a server that is granted a secret and sends it back in a spelling of its own; `docs/security.md` says so.

use super::secrets::Secrets;
use bytes::Bytes;

const HIDDEN: &[u8] = b"***";
/// A shorter value is no secret, and taking it out would spoil texts that have nothing to do with it.
const REDACTED_BYTES_MIN: usize = 6;

/// What is looked for: each value plain and as it stands in an address, longest first.
#[derive(Clone)]
pub(in crate::plugin) struct Redaction {
    spellings: Vec<Vec<u8>>,
    /// The end of the last chunk, which may be the beginning of a secret.
    held: Vec<u8>,
}

impl Redaction {
    /// `derived`: what was made of a secret before it was sent, such as the pair of a Basic login.
    pub(super) fn new(secrets: &Secrets, derived: &[String]) -> Self {
        let values = secrets.values().chain(derived.iter().map(String::as_str)).filter(|value| value.len() >= REDACTED_BYTES_MIN);
        let mut spellings: Vec<Vec<u8>> = values.flat_map(spellings_of).collect();
        spellings.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        spellings.dedup();
        Self { spellings, held: Vec::new() }
    }

    pub(in crate::plugin) fn text(&self, text: &str) -> String {
        match self.replaced(text.as_bytes()) {
            Some(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            None => text.to_owned(),
        }
    }

    /// What may go on to the plugin now; it can be empty. The chunk itself, uncopied, where it holds nothing to hide.
    pub(super) fn chunk(&mut self, piece: Bytes) -> Bytes {
        let joined = if self.held.is_empty() {
            piece
        } else {
            self.held.extend_from_slice(&piece);
            Bytes::from(std::mem::take(&mut self.held))
        };
        let mut out = self.replaced(&joined).map_or(joined, Bytes::from);
        let beginning = self.beginning_at_end(&out);
        self.held = out.split_off(out.len() - beginning).to_vec();
        out
    }

    /// What was held back, at the end of the body.
    pub(super) fn rest(&mut self) -> Bytes {
        Bytes::from(std::mem::take(&mut self.held))
    }

    fn replaced(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut changed: Option<Vec<u8>> = None;
        for spelling in &self.spellings {
            let current = changed.as_deref().unwrap_or(bytes);
            let mut found = memchr::memmem::find_iter(current, spelling).peekable();
            if found.peek().is_none() {
                continue;
            }
            let (mut out, mut from) = (Vec::with_capacity(current.len()), 0);
            for place in found {
                out.extend_from_slice(&current[from..place]);
                out.extend_from_slice(HIDDEN);
                from = place + spelling.len();
            }
            out.extend_from_slice(&current[from..]);
            changed = Some(out);
        }
        changed
    }

    /// Length of the longest end of `bytes` that some secret begins with.
    fn beginning_at_end(&self, bytes: &[u8]) -> usize {
        let longest = |spelling: &Vec<u8>| (1..spelling.len().min(bytes.len() + 1)).rev().find(|&len| bytes.ends_with(&spelling[..len]));
        self.spellings.iter().filter_map(longest).max().unwrap_or(0)
    }
}

fn spellings_of(value: &str) -> [Vec<u8>; 4] {
    let in_address: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
    let with_blanks = in_address.replace('+', "%20");
    let lower = with_blanks.to_lowercase();
    [value.to_owned(), in_address, with_blanks, lower].map(String::into_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn redaction(value: &str) -> Redaction {
        Redaction::new(&Secrets::api_key(value), &[])
    }

    #[test]
    fn values_are_taken_out_of_texts_in_every_spelling() {
        let redaction = redaction("s/k very+secret");
        for text in ["at s/k very+secret.", "at s%2Fk+very%2Bsecret.", "at s%2Fk%20very%2Bsecret.", "at s%2fk%20very%2bsecret."] {
            assert_eq!(redaction.text(text), "at ***.", "{text}");
        }
        assert_eq!(super::tests::redaction("abc").text("abcdef"), "abcdef");
        assert_eq!(Redaction::new(&Secrets::default(), &["dTprZXkx".into()]).text("Basic dTprZXkx"), "Basic ***");
    }

    #[test]
    fn chunk_without_a_secret_is_passed_on_uncopied_and_whole() {
        let mut redaction = redaction("sk-secret");
        let piece = Bytes::from_static(b"data: {\"x\":\"sk-other\"}\n\n");
        let out = redaction.chunk(piece.clone());
        assert_eq!((out.as_ptr(), &out), (piece.as_ptr(), &piece));
        assert_eq!(redaction.rest(), Bytes::new());
    }

    #[test]
    fn beginning_of_a_secret_that_does_not_go_on_comes_out_later() {
        let mut redaction = redaction("sk-secret");
        assert_eq!(redaction.chunk(Bytes::from_static(b"a sk-sec")), Bytes::from_static(b"a "));
        assert_eq!(redaction.chunk(Bytes::from_static(b"tor")), Bytes::from_static(b"sk-sector"));
        assert_eq!(redaction.chunk(Bytes::from_static(b"sk-")), Bytes::new());
        assert_eq!(redaction.rest(), Bytes::from_static(b"sk-"));
    }

    proptest! {
        #[test]
        fn cutting_the_body_anywhere_changes_nothing(parts in prop::collection::vec("sk-secret|sk-|s|ab|sk-sk-secret", 0..12), cuts in prop::collection::vec(0..64_usize, 0..6)) {
            let body = parts.concat();
            let whole = redaction("sk-secret").text(&body);
            prop_assert!(!whole.contains("sk-secret"));
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(body.len())).collect();
            cuts.sort_unstable();
            let mut redaction = redaction("sk-secret");
            let (mut out, mut from) = (Vec::new(), 0);
            for cut in cuts.into_iter().chain([body.len()]) {
                out.extend_from_slice(&redaction.chunk(Bytes::copy_from_slice(&body.as_bytes()[from..cut])));
                from = cut;
            }
            out.extend_from_slice(&redaction.rest());
            prop_assert_eq!(String::from_utf8(out).unwrap(), whole);
        }
    }
}
