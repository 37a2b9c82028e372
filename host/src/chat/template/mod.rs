//! Go templates, as sessions and knowledge bases carry them in their rows: parse once, render plain text.
//!
//! Not here: HTML escaping. The reference renders prompts through an HTML engine; models want the text as it was written.

mod ast;
mod format;
mod functions;
mod lex;
mod parse;
mod render;
#[cfg(test)]
mod tests;
mod value;

pub use value::Value;

use std::collections::HashMap;

/// A parsed template with the blocks that it defines.
#[derive(Clone, Debug)]
pub struct Template {
    name: String,
    root: Vec<ast::Node>,
    blocks: HashMap<String, Vec<ast::Node>>,
}

impl Template {
    /// `name` appears in errors only.
    pub fn parse(name: &str, text: &str) -> Result<Self, TemplateError> {
        parse::parse(name, text)
    }

    /// Fills in `data` as the dot. Bounded in steps, depth and output, so that no template hangs or fills the memory.
    pub fn render(&self, data: &Value) -> Result<String, TemplateError> {
        render::render(self, data)
    }
}

/// What is wrong with a template, and in which line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("template: {template}:{line}: {message}")]
pub struct TemplateError {
    pub template: String,
    pub line: usize,
    pub message: String,
}

/// An error before the template's name is known.
#[derive(Debug)]
struct Fault {
    line: usize,
    message: String,
}

impl Fault {
    fn new(line: usize, message: impl Into<String>) -> Self {
        Self { line, message: message.into() }
    }

    fn of(self, template: &str) -> TemplateError {
        TemplateError { template: template.to_owned(), line: self.line, message: self.message }
    }
}
