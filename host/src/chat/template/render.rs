//! Carries a template out, within its limits.
//!
//! Not here: what the functions compute.

use super::ast::{Branch, Command, Node, Operand, Pipeline};
use super::value::Value;
use super::{Fault, Template, TemplateError, format, functions};
use crate::limits;

pub(super) fn render(template: &Template, data: &Value) -> Result<String, TemplateError> {
    let mut renderer = Renderer {
        template,
        output: String::new(),
        variables: vec![("$".into(), data.clone())],
        fuel: Fuel { left: limits::TEMPLATE_STEPS_MAX },
        depth: 0,
        line: 1,
    };
    let flow = renderer.nodes(&template.root, data);
    match flow {
        Ok(_) => Ok(renderer.output),
        Err(message) => Err(Fault::new(renderer.line, message).of(&template.name)),
    }
}

/// Steps and bytes that a template may still spend.
pub(super) struct Fuel {
    left: u64,
}

impl Fuel {
    /// One step, and one more for every 64 bytes that it makes or looks through.
    pub(super) fn spend(&mut self, bytes: usize) -> Result<(), String> {
        let cost = 1 + bytes as u64 / 64;
        self.left = self.left.checked_sub(cost).ok_or("the template does not end in the steps that it may take")?;
        if bytes > limits::TEMPLATE_OUTPUT_BYTES_MAX {
            return Err(format!("a text of more than {} bytes", limits::TEMPLATE_OUTPUT_BYTES_MAX));
        }
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
}

struct Renderer<'a> {
    template: &'a Template,
    output: String,
    variables: Vec<(String, Value)>,
    fuel: Fuel,
    depth: usize,
    /// Of the action under way, for errors.
    line: usize,
}

impl<'a> Renderer<'a> {
    fn write(&mut self, text: &str) -> Result<(), String> {
        self.fuel.spend(text.len())?;
        if self.output.len() + text.len() > limits::TEMPLATE_OUTPUT_BYTES_MAX {
            return Err(format!("more than {} bytes of output", limits::TEMPLATE_OUTPUT_BYTES_MAX));
        }
        self.output.push_str(text);
        Ok(())
    }

    fn nodes(&mut self, nodes: &'a [Node], dot: &Value) -> Result<Flow, String> {
        for node in nodes {
            let flow = match node {
                Node::Text(text) => {
                    self.write(text)?;
                    Flow::Next
                }
                Node::Action(pipeline) => {
                    let value = self.pipeline(pipeline, dot)?;
                    if pipeline.variables.is_empty() {
                        self.print(&value)?;
                    }
                    Flow::Next
                }
                Node::If(branch) => self.condition(branch, dot, false)?,
                Node::With(branch) => self.condition(branch, dot, true)?,
                Node::Range(branch) => self.range(branch, dot)?,
                Node::Template { line, name, data } => {
                    self.line = *line;
                    self.call_template(name, data.as_ref(), dot)?;
                    Flow::Next
                }
                Node::Break => Flow::Break,
                Node::Continue => Flow::Continue,
            };
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    /// Nil prints as nothing, which is what the reference's engine makes of a field that is not there.
    fn print(&mut self, value: &Value) -> Result<(), String> {
        match value {
            Value::Nil => Ok(()),
            Value::Text(text) => self.write(text),
            Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::List(_) | Value::Map(_) => {
                let text = format::plain(value, &mut self.fuel)?;
                self.write(&text)
            }
        }
    }

    fn condition(&mut self, branch: &'a Branch, dot: &Value, moves_dot: bool) -> Result<Flow, String> {
        let scope = self.variables.len();
        let value = self.pipeline(&branch.pipeline, dot)?;
        let flow = if value.is_true() {
            self.nodes(&branch.body, if moves_dot { &value } else { dot })
        } else {
            self.nodes(&branch.otherwise, dot)
        };
        self.variables.truncate(scope);
        flow
    }

    fn range(&mut self, branch: &'a Branch, dot: &Value) -> Result<Flow, String> {
        let scope = self.variables.len();
        let value = self.commands(&branch.pipeline, dot)?;
        let mut flow = Flow::Next;
        let mut count = 0_u64;
        match &value {
            Value::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    count += 1;
                    flow = self.turn(branch, Value::Int(index as i64), item.clone())?;
                    if flow == Flow::Break {
                        break;
                    }
                }
            }
            Value::Map(fields) => {
                for (key, item) in fields.iter() {
                    count += 1;
                    flow = self.turn(branch, Value::text(key), item.clone())?;
                    if flow == Flow::Break {
                        break;
                    }
                }
            }
            Value::Int(end) => {
                for index in 0..*end {
                    count += 1;
                    flow = self.turn(branch, Value::Int(index), Value::Int(index))?;
                    if flow == Flow::Break {
                        break;
                    }
                }
            }
            Value::Nil => {}
            Value::Bool(_) | Value::Float(_) | Value::Text(_) => return Err(format!("range can't iterate over {}", value.kind())),
        }
        // A break or continue ends this loop, not the one around it.
        let _ = flow;
        let after = if count == 0 { self.nodes(&branch.otherwise, dot)? } else { Flow::Next };
        self.variables.truncate(scope);
        Ok(after)
    }

    fn turn(&mut self, branch: &'a Branch, index: Value, item: Value) -> Result<Flow, String> {
        self.fuel.spend(0)?;
        let scope = self.variables.len();
        let pipeline = &branch.pipeline;
        match pipeline.variables.as_slice() {
            [] => {}
            [name] => self.set(name, item.clone(), pipeline.assigns),
            [first, second, ..] => {
                self.set(first, index, pipeline.assigns);
                self.set(second, item.clone(), pipeline.assigns);
            }
        }
        let flow = self.nodes(&branch.body, &item)?;
        self.variables.truncate(scope);
        Ok(flow)
    }

    fn call_template(&mut self, name: &str, data: Option<&'a Pipeline>, dot: &Value) -> Result<(), String> {
        let template = self.template;
        let body = template.blocks.get(name).ok_or_else(|| format!("template {name:?} not defined"))?;
        let data = match data {
            Some(pipeline) => self.pipeline(pipeline, dot)?,
            None => Value::Nil,
        };
        self.depth += 1;
        if self.depth > limits::TEMPLATE_DEPTH_MAX {
            return Err("templates call each other too deeply".into());
        }
        let outer = std::mem::replace(&mut self.variables, vec![("$".into(), data.clone())]);
        self.nodes(body, &data)?;
        self.variables = outer;
        self.depth -= 1;
        Ok(())
    }

    fn set(&mut self, name: &str, value: Value, assigns: bool) {
        let known = if assigns { self.variables.iter_mut().rev().find(|(known, _)| known == name) } else { None };
        match known {
            Some((_, slot)) => *slot = value,
            None => self.variables.push((name.to_owned(), value)),
        }
    }

    fn pipeline(&mut self, pipeline: &'a Pipeline, dot: &Value) -> Result<Value, String> {
        let value = self.commands(pipeline, dot)?;
        for name in &pipeline.variables {
            self.set(name, value.clone(), pipeline.assigns);
        }
        Ok(value)
    }

    fn commands(&mut self, pipeline: &'a Pipeline, dot: &Value) -> Result<Value, String> {
        self.line = pipeline.line;
        let mut piped = None;
        for command in &pipeline.commands {
            piped = Some(self.command(command, dot, piped)?);
        }
        Ok(piped.unwrap_or(Value::Nil))
    }

    fn command(&mut self, command: &'a Command, dot: &Value, piped: Option<Value>) -> Result<Value, String> {
        self.fuel.spend(0)?;
        let Some((first, arguments)) = command.operands.split_first() else { return Ok(Value::Nil) };
        if let Operand::Function(name) = first {
            return self.call(name, arguments, dot, piped);
        }
        if piped.is_some() || !arguments.is_empty() {
            return Err("can't give argument to non-function".into());
        }
        self.operand(first, dot)
    }

    fn operand(&mut self, operand: &'a Operand, dot: &Value) -> Result<Value, String> {
        match operand {
            Operand::Dot => Ok(dot.clone()),
            Operand::Nil => Ok(Value::Nil),
            Operand::Literal(value) => Ok(value.clone()),
            Operand::Field(path) => walk(dot.clone(), path),
            Operand::Variable(name, path) => {
                let known = self.variables.iter().rev().find(|(known, _)| known == name);
                let value = known.map(|(_, value)| value.clone()).ok_or_else(|| format!("undefined variable {name:?}"))?;
                walk(value, path)
            }
            Operand::Function(name) => self.call(name, &[], dot, None),
            Operand::Nested(pipeline, path) => {
                let line = self.line;
                let value = self.pipeline(pipeline, dot)?;
                self.line = line;
                walk(value, path)
            }
        }
    }

    fn call(&mut self, name: &str, operands: &'a [Operand], dot: &Value, piped: Option<Value>) -> Result<Value, String> {
        if name == "and" || name == "or" {
            return self.choose(name == "or", operands, dot, piped);
        }
        let mut arguments = Vec::with_capacity(operands.len() + 1);
        for operand in operands {
            arguments.push(self.operand(operand, dot)?);
        }
        arguments.extend(piped);
        functions::call(name, &arguments, &mut self.fuel).map_err(|message| format!("error calling {name}: {message}"))
    }

    /// `and` and `or` look at their arguments only as far as they must.
    fn choose(&mut self, wanted: bool, operands: &'a [Operand], dot: &Value, piped: Option<Value>) -> Result<Value, String> {
        let mut last = None;
        for operand in operands {
            let value = self.operand(operand, dot)?;
            if value.is_true() == wanted {
                return Ok(value);
            }
            last = Some(value);
        }
        piped.or(last).ok_or_else(|| "missing argument for and, or".into())
    }
}

fn walk(mut value: Value, path: &[String]) -> Result<Value, String> {
    for name in path {
        value = value.field(name)?;
    }
    Ok(value)
}
