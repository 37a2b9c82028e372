//! What a template means once it is parsed.
//!
//! Not here: how it is read (`parse`) or carried out (`render`).

use super::value::Value;

#[derive(Clone, Debug)]
pub(super) enum Node {
    Text(String),
    /// Prints its value unless it declares or assigns.
    Action(Pipeline),
    If(Branch),
    With(Branch),
    Range(Branch),
    Template {
        line: usize,
        name: String,
        data: Option<Pipeline>,
    },
    Break,
    Continue,
}

#[derive(Clone, Debug)]
pub(super) struct Branch {
    pub(super) pipeline: Pipeline,
    pub(super) body: Vec<Node>,
    pub(super) otherwise: Vec<Node>,
}

/// `$a, $b := first | second | third`.
#[derive(Clone, Debug)]
pub(super) struct Pipeline {
    pub(super) line: usize,
    pub(super) variables: Vec<String>,
    /// `=` instead of `:=`.
    pub(super) assigns: bool,
    pub(super) commands: Vec<Command>,
}

/// An operand with its arguments; at least one operand.
#[derive(Clone, Debug)]
pub(super) struct Command {
    pub(super) operands: Vec<Operand>,
}

#[derive(Clone, Debug)]
pub(super) enum Operand {
    Dot,
    Nil,
    Literal(Value),
    /// `.A.B`.
    Field(Vec<String>),
    /// `$x.A.B`; the name holds its `$`.
    Variable(String, Vec<String>),
    Function(String),
    /// `(pipeline).A.B`.
    Nested(Box<Pipeline>, Vec<String>),
}
