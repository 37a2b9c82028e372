//! Reads tokens into nodes and refuses what Go refuses: unknown functions and variables, blocks without an end.
//!
//! Not here: values. A template that parses may still fail when it is rendered.

use super::ast::{Branch, Command, Node, Operand, Pipeline};
use super::functions;
use super::lex::{Lexeme, Token, lex};
use super::value::Value;
use super::{Fault, Template, TemplateError};
use crate::limits;
use std::collections::HashMap;

pub(super) fn parse(name: &str, text: &str) -> Result<Template, TemplateError> {
    if text.len() > limits::TEMPLATE_BYTES_MAX {
        return Err(Fault::new(1, format!("longer than {} bytes", limits::TEMPLATE_BYTES_MAX)).of(name));
    }
    let read = || -> Result<Template, Fault> {
        let mut parser = Parser { tokens: lex(text)?, at: 0, variables: vec!["$".into()], blocks: HashMap::new(), depth: 0, loops: 0 };
        let (root, end) = parser.body(true)?;
        match end {
            End::Text => Ok(Template { name: name.to_owned(), root, blocks: parser.blocks }),
            End::Closed | End::Else => Err(Fault::new(parser.line(), "unexpected {{end}} or {{else}}")),
        }
    };
    read().map_err(|fault| fault.of(name))
}

/// What stopped a list of nodes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Text,
    Closed,
    /// The cursor stands behind the word.
    Else,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum BranchKind {
    If,
    With,
    Range,
}

struct Parser {
    tokens: Vec<Lexeme>,
    at: usize,
    variables: Vec<String>,
    blocks: HashMap<String, Vec<Node>>,
    depth: usize,
    loops: usize,
}

impl Parser {
    fn line(&self) -> usize {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(1, |lexeme| lexeme.line)
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|lexeme| &lexeme.token)
    }

    fn fault<T>(&self, message: impl Into<String>) -> Result<T, Fault> {
        Err(Fault::new(self.line(), message))
    }

    fn skip_space(&mut self) {
        while self.peek() == Some(&Token::Space) {
            self.at += 1;
        }
    }

    fn close(&mut self, what: &str) -> Result<(), Fault> {
        self.skip_space();
        if self.peek() == Some(&Token::Close) {
            self.at += 1;
            return Ok(());
        }
        self.fault(format!("unexpected token in {what}"))
    }

    fn deeper(&mut self) -> Result<(), Fault> {
        self.depth += 1;
        if self.depth > limits::TEMPLATE_DEPTH_MAX { self.fault("nested too deeply") } else { Ok(()) }
    }

    /// Nodes up to the end of the text, `{{end}}` or `{{else`.
    fn body(&mut self, top: bool) -> Result<(Vec<Node>, End), Fault> {
        self.deeper()?;
        let mut nodes = Vec::new();
        loop {
            let Some(token) = self.peek().cloned() else {
                self.depth -= 1;
                return if top { Ok((nodes, End::Text)) } else { self.fault("unexpected EOF") };
            };
            self.at += 1;
            if let Token::Literal(text) = token {
                nodes.push(Node::Text(text));
                continue;
            }
            self.skip_space();
            if let Some(end) = self.action(&mut nodes)? {
                self.depth -= 1;
                return Ok((nodes, end));
            }
        }
    }

    fn action(&mut self, nodes: &mut Vec<Node>) -> Result<Option<End>, Fault> {
        let keyword = match self.peek() {
            Some(Token::Word(word)) => word.clone(),
            _ => String::new(),
        };
        let is_keyword =
            ["if", "with", "range", "end", "else", "template", "block", "define", "break", "continue"].contains(&keyword.as_str());
        if !is_keyword {
            let pipeline = self.pipeline("command", false)?;
            self.close("command")?;
            nodes.push(Node::Action(pipeline));
            return Ok(None);
        }
        self.at += 1;
        match keyword.as_str() {
            "end" => {
                self.close("end")?;
                return Ok(Some(End::Closed));
            }
            "else" => return Ok(Some(End::Else)),
            "if" => nodes.push(Node::If(self.branch(BranchKind::If)?)),
            "with" => nodes.push(Node::With(self.branch(BranchKind::With)?)),
            "range" => nodes.push(Node::Range(self.branch(BranchKind::Range)?)),
            "template" => nodes.push(self.template()?),
            "block" => nodes.push(self.block()?),
            "define" => self.define()?,
            word => {
                if self.loops == 0 {
                    return self.fault(format!("{{{{{word}}}}} outside {{{{range}}}}"));
                }
                self.close(word)?;
                nodes.push(if word == "break" { Node::Break } else { Node::Continue });
            }
        }
        Ok(None)
    }

    fn branch(&mut self, kind: BranchKind) -> Result<Branch, Fault> {
        let outer = self.variables.len();
        let name = match kind {
            BranchKind::If => "if",
            BranchKind::With => "with",
            BranchKind::Range => "range",
        };
        let pipeline = self.pipeline(name, kind == BranchKind::Range)?;
        self.close(name)?;
        let is_loop = usize::from(kind == BranchKind::Range);
        self.loops += is_loop;
        let (body, end) = self.body(false)?;
        self.loops -= is_loop;
        let otherwise = if end == End::Else { self.otherwise(kind)? } else { Vec::new() };
        self.variables.truncate(outer);
        Ok(Branch { pipeline, body, otherwise })
    }

    fn otherwise(&mut self, kind: BranchKind) -> Result<Vec<Node>, Fault> {
        self.skip_space();
        let chained = match (kind, self.peek()) {
            (BranchKind::If, Some(Token::Word(word))) if word == "if" => true,
            (BranchKind::With, Some(Token::Word(word))) if word == "with" => true,
            _ => false,
        };
        if chained {
            self.at += 1;
            self.deeper()?;
            let branch = self.branch(kind)?;
            self.depth -= 1;
            return Ok(vec![if kind == BranchKind::If { Node::If(branch) } else { Node::With(branch) }]);
        }
        self.close("else")?;
        match self.body(false)? {
            (nodes, End::Closed) => Ok(nodes),
            (_, End::Else | End::Text) => self.fault("expected end; found {{else}}"),
        }
    }

    fn name(&mut self, what: &str) -> Result<String, Fault> {
        self.skip_space();
        match self.peek().cloned() {
            Some(Token::Text(name)) => {
                self.at += 1;
                self.skip_space();
                Ok(name)
            }
            _ => self.fault(format!("{what} needs a quoted name")),
        }
    }

    fn template(&mut self) -> Result<Node, Fault> {
        let line = self.line();
        let name = self.name("template")?;
        let data = if self.peek() == Some(&Token::Close) { None } else { Some(self.pipeline("template", false)?) };
        self.close("template")?;
        Ok(Node::Template { line, name, data })
    }

    fn block(&mut self) -> Result<Node, Fault> {
        let line = self.line();
        let name = self.name("block")?;
        let data = self.pipeline("block", false)?;
        self.close("block")?;
        self.inner(&name)?;
        Ok(Node::Template { line, name, data: Some(data) })
    }

    fn define(&mut self) -> Result<(), Fault> {
        let name = self.name("define")?;
        self.close("define")?;
        self.inner(&name)
    }

    /// The body of a block: it sees no variables of its surroundings.
    fn inner(&mut self, name: &str) -> Result<(), Fault> {
        let outer = std::mem::replace(&mut self.variables, vec!["$".into()]);
        let loops = std::mem::take(&mut self.loops);
        let (nodes, end) = self.body(false)?;
        if end != End::Closed {
            return self.fault("unexpected {{else}} in define clause");
        }
        self.variables = outer;
        self.loops = loops;
        self.blocks.insert(name.to_owned(), nodes);
        Ok(())
    }

    fn pipeline(&mut self, what: &str, is_range: bool) -> Result<Pipeline, Fault> {
        self.deeper()?;
        self.skip_space();
        let line = self.line();
        let (variables, assigns) = self.declaration(is_range)?;
        let mut commands = vec![self.command(what)?];
        while self.peek() == Some(&Token::Pipe) {
            self.at += 1;
            self.skip_space();
            commands.push(self.command(what)?);
        }
        let later_literal = commands
            .iter()
            .skip(1)
            .any(|command| matches!(command.operands.first(), Some(Operand::Dot | Operand::Nil | Operand::Literal(_))));
        if later_literal {
            return self.fault("non executable command in pipeline");
        }
        if !assigns {
            self.variables.extend(variables.iter().cloned());
        }
        self.depth -= 1;
        Ok(Pipeline { line, variables, assigns, commands })
    }

    /// `$x :=`, `$x =` or, in a range, `$i, $x :=`; leaves the cursor where it was when there is none.
    fn declaration(&mut self, is_range: bool) -> Result<(Vec<String>, bool), Fault> {
        let start = self.at;
        let mut names = Vec::new();
        while let Some(Token::Variable(name)) = self.peek().cloned() {
            self.at += 1;
            names.push(name);
            self.skip_space();
            match self.peek() {
                Some(Token::Comma) if is_range && names.len() == 1 => {
                    self.at += 1;
                    self.skip_space();
                }
                Some(Token::Comma) => return self.fault("too many declarations in command"),
                Some(Token::Declare) => {
                    self.at += 1;
                    self.skip_space();
                    return Ok((names, false));
                }
                Some(Token::Assign) => {
                    self.at += 1;
                    self.skip_space();
                    for name in &names {
                        self.known(name)?;
                    }
                    return Ok((names, true));
                }
                _ => break,
            }
        }
        self.at = start;
        Ok((Vec::new(), false))
    }

    fn known(&self, name: &str) -> Result<(), Fault> {
        if self.variables.iter().any(|known| known == name) { Ok(()) } else { self.fault(format!("undefined variable {name:?}")) }
    }

    fn command(&mut self, what: &str) -> Result<Command, Fault> {
        let mut operands = Vec::new();
        while let Some(operand) = self.operand()? {
            operands.push(operand);
            match self.peek() {
                Some(Token::Space) => self.skip_space(),
                Some(Token::Pipe | Token::Close | Token::RightParen) => break,
                _ => return self.fault(format!("unexpected token in {what}")),
            }
        }
        if operands.is_empty() {
            return self.fault(format!("missing value for {what}"));
        }
        if matches!(operands.as_slice(), [Operand::Nil]) {
            return self.fault("nil is not a command");
        }
        Ok(Command { operands })
    }

    fn operand(&mut self) -> Result<Option<Operand>, Fault> {
        let Some(token) = self.peek().cloned() else { return self.fault("unclosed action") };
        let operand = match token {
            Token::Dot => Operand::Dot,
            Token::Field(name) => {
                self.at += 1;
                return Ok(Some(Operand::Field(self.chain(vec![name]))));
            }
            Token::Variable(name) => {
                self.known(&name)?;
                self.at += 1;
                return Ok(Some(Operand::Variable(name, self.chain(Vec::new()))));
            }
            Token::Text(text) => Operand::Literal(Value::text(text)),
            Token::Int(value) => Operand::Literal(Value::Int(value)),
            Token::Float(value) => Operand::Literal(Value::Float(value)),
            Token::Word(word) => match word.as_str() {
                "true" => Operand::Literal(Value::Bool(true)),
                "false" => Operand::Literal(Value::Bool(false)),
                "nil" => Operand::Nil,
                name if functions::is_known(name) => Operand::Function(word),
                name => return self.fault(format!("function {name:?} not defined")),
            },
            Token::LeftParen => {
                self.at += 1;
                let inner = self.pipeline("parenthesized pipeline", false)?;
                self.skip_space();
                if self.peek() != Some(&Token::RightParen) {
                    return self.fault("unclosed left paren");
                }
                self.at += 1;
                return Ok(Some(Operand::Nested(Box::new(inner), self.chain(Vec::new()))));
            }
            Token::Close | Token::Pipe | Token::RightParen => return Ok(None),
            Token::Literal(_) | Token::Open | Token::Space | Token::Declare | Token::Assign | Token::Comma => {
                return self.fault("unexpected token in operand");
            }
        };
        self.at += 1;
        Ok(Some(operand))
    }

    fn chain(&mut self, mut names: Vec<String>) -> Vec<String> {
        while let Some(Token::Field(name)) = self.peek() {
            names.push(name.clone());
            self.at += 1;
        }
        names
    }
}
