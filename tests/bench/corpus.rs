//! Texts in any number, made of the sample documents' own English words and their order, so that words are as frequent as in real texts.
//!
//! Not here: where the texts go.

use knowhost_tests::repository;

const CHUNK_CHARS: usize = 480;

/// The English words of the sample, in their order.
pub(crate) struct Corpus(Vec<String>);

impl Corpus {
    /// # Panics
    /// When the sample documents are not there.
    pub(crate) fn read() -> Self {
        let folder = std::fs::read_dir(repository("examples/corpus")).expect("the sample documents");
        let mut paths: Vec<_> = folder.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        let is_text = |path: &std::path::Path| path.extension().is_some_and(|extension| extension == "md" || extension == "txt");
        let texts = paths.iter().filter(|path| is_text(path)).map(|path| std::fs::read_to_string(path).expect("a text"));
        let words = texts.flat_map(|text| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        let words: Vec<String> = words.filter(|word| word.is_ascii() && word.chars().any(|letter| letter.is_ascii_alphabetic())).collect();
        assert!(words.len() > 1_000, "the sample documents hold {} words", words.len());
        Self(words)
    }

    /// At most [`CHUNK_CHARS`] characters, so that it is one chunk; different for each number: runs of a few words from here and there.
    pub(crate) fn paragraph(&self, number: usize) -> String {
        let mut random = Random::of(number);
        let mut text = format!("Entry{number} ");
        loop {
            let (start, length) = (random.below(self.0.len()), 3 + random.below(6));
            for word in self.0.iter().cycle().skip(start).take(length) {
                if text.len() + word.len() >= CHUNK_CHARS {
                    return text;
                }
                text.push_str(word);
                text.push(' ');
            }
        }
    }

    /// Six words in a row.
    pub(crate) fn question(&self, number: usize) -> String {
        let start = Random::of(number ^ 0x5eed).below(self.0.len() - 6);
        self.0[start..start + 6].join(" ")
    }
}

/// xorshift: the same numbers on every machine.
struct Random(u64);

impl Random {
    fn of(number: usize) -> Self {
        Self((number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) % bound as u64) as usize
    }
}
