//! Rules that a bound request keeps, and the contract's sentence for each broken one.
//!
//! Not here: rules that need data (taken names, foreign ids); the work rooms check those.

use serde::de::DeserializeOwned;

/// A request type: its name in error texts and its rules.
pub trait Bind: DeserializeOwned {
    /// The reference's name of the type; empty for its unnamed ones.
    const NAME: &'static str;

    /// What the reference calls an unnamed type in a text about a body that is no object.
    const UNNAMED: &'static str = "object";

    /// Fields of the contract that are not applied; one of a wrong type is refused all the same.
    const UNUSED: &'static [(&'static str, Unused)] = &[];

    fn check(&self, _rules: &mut Rules) {}

    /// The request, if it keeps its rules.
    fn checked(self) -> Result<Self, BindError> {
        let mut rules = Rules { name: Self::NAME, lines: Vec::new() };
        self.check(&mut rules);
        if rules.lines.is_empty() { Ok(self) } else { Err(BindError(rules.lines.join("\n"))) }
    }
}

/// The type that a field must have though nothing is done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unused {
    Text,
    Integer,
    Unsigned,
    Time,
}

/// Why a body or a query could not be bound; the text goes where the route puts it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BindError(String);

impl BindError {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn into_text(self) -> String {
        self.0
    }
}

/// Collects broken rules, at most one for each field.
pub struct Rules {
    name: &'static str,
    lines: Vec<String>,
}

impl Rules {
    /// Rules of a text; `field` is the contract's field name (`Username`).
    pub fn text<'r, 't>(&'r mut self, field: &'t str, value: &'t str) -> TextRules<'r, 't> {
        TextRules { rules: self, field, value, broken: false }
    }

    /// A rule of any other value.
    pub fn require(&mut self, field: &str, holds: bool) {
        self.rule(field, "required", holds);
    }

    /// A rule by its tag.
    pub fn rule(&mut self, field: &str, tag: &str, holds: bool) {
        if holds {
            return;
        }
        let last = field.rsplit('.').next().unwrap_or(field);
        let key = if self.name.is_empty() { field.to_owned() } else { format!("{}.{field}", self.name) };
        self.lines.push(format!("Key: '{key}' Error:Field validation for '{last}' failed on the '{tag}' tag"));
    }
}

/// Rules of one text, in order; after the first broken one the others are silent.
pub struct TextRules<'r, 't> {
    rules: &'r mut Rules,
    field: &'t str,
    value: &'t str,
    broken: bool,
}

impl TextRules<'_, '_> {
    fn rule(mut self, tag: &str, holds: bool) -> Self {
        if !self.broken && !holds {
            self.rules.rule(self.field, tag, false);
            self.broken = true;
        }
        self
    }

    pub fn required(self) -> Self {
        let holds = !self.value.is_empty();
        self.rule("required", holds)
    }

    /// At least this many code points.
    pub fn min(self, count: usize) -> Self {
        let holds = self.value.chars().count() >= count;
        self.rule("min", holds)
    }

    /// At most this many code points.
    pub fn max(self, count: usize) -> Self {
        let holds = self.value.chars().count() <= count;
        self.rule("max", holds)
    }

    pub fn email(self) -> Self {
        let holds = is_email(self.value);
        self.rule("email", holds)
    }
}

/// `local@domain.tld`: dot-separated atoms or a quoted text before the sign, dot-separated labels after it, the last of which begins and ends
/// with a letter.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let labels: Vec<&str> = domain.split('.').collect();
    is_local(local) && labels.len() >= 2 && labels.iter().all(|label| is_label(label)) && labels.last().is_some_and(|label| is_top(label))
}

/// Beyond ASCII any character counts as a letter, a space that does not break included.
fn is_wide(character: char) -> bool {
    matches!(character, '\u{a0}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{ffef}')
}

fn is_local(local: &str) -> bool {
    if let Some(quoted) = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        return !quoted.is_empty() && quoted.chars().all(|c| is_wide(c) || (matches!(c, ' '..='~') && !matches!(c, '"' | '\\')));
    }
    let allowed = |c: char| is_wide(c) || c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(c);
    local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(allowed))
}

fn is_label(label: &str) -> bool {
    let inside = |c: char| is_wide(c) || c.is_ascii_alphanumeric();
    label.starts_with(inside) && label.ends_with(inside) && label.chars().all(|c| inside(c) || matches!(c, '-' | '~'))
}

fn is_top(label: &str) -> bool {
    let letter = |c: char| is_wide(c) || c.is_ascii_alphabetic();
    label.starts_with(letter) && label.ends_with(letter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Named {
        email: String,
        word: String,
    }

    impl Bind for Named {
        const NAME: &'static str = "Named";

        fn check(&self, rules: &mut Rules) {
            rules.text("Email", &self.email).required().email();
            rules.text("Outer.Word", &self.word).required().min(3).max(4);
            rules.require("Flag", true);
        }
    }

    fn broken(email: &str, word: &str) -> String {
        Named { email: email.into(), word: word.into() }.checked().err().map(BindError::into_text).unwrap_or_default()
    }

    #[test]
    fn each_field_tells_its_first_broken_rule() {
        assert_eq!(
            broken("", "ab"),
            "Key: 'Named.Email' Error:Field validation for 'Email' failed on the 'required' tag\n\
             Key: 'Named.Outer.Word' Error:Field validation for 'Word' failed on the 'min' tag"
        );
        assert_eq!(broken("a@b.io", "中文字"), "");
        assert_eq!(broken("a@b.io", "中文字字字"), "Key: 'Named.Outer.Word' Error:Field validation for 'Word' failed on the 'max' tag");
    }

    #[test]
    fn addresses_need_a_dotted_domain() {
        for good in ["a@b.io", "A.b+c@x-y.example.com", "ü@example.com", "\"a b\"@c.io", "a\u{a0}@b.io", "a@b1.io"] {
            assert!(is_email(good), "{good}");
        }
        for bad in [
            "",
            "a",
            "a@b",
            "@b.io",
            "a@.io",
            "a@b.",
            "a b@c.io",
            "a@b@c.io",
            "a..b@c.io",
            "a@-b.io",
            "a@b.1o",
            "a@b.c1",
            "a@b.io\n",
            "\"\"@b.io",
            "\"a@b.io",
        ] {
            assert!(!is_email(bad), "{bad}");
        }
    }
}
