//! Thrift's compact protocol, as the footer and the heads of pages are written in it: read into a tree without a schema.
//!
//! Not here: what the fields mean.

use crate::{Result, damaged};

/// Deeper than any field of the format.
const DEPTH_MAX: usize = 16;
/// Values in one tree; a file of a thousand row groups has about a hundred thousand.
const VALUES_MAX: usize = 1_000_000;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    Bool(bool),
    Int(i64),
    /// A float; nothing that is read here is one.
    Float,
    Bytes(&'a [u8]),
    List(Vec<Value<'a>>),
    Struct(Vec<(i64, Value<'a>)>),
    /// A map; nothing that is read here is one.
    Map,
}

impl<'a> Value<'a> {
    pub(crate) fn field(&self, id: i64) -> Option<&Value<'a>> {
        match self {
            Self::Struct(fields) => fields.iter().find(|(field, _)| *field == id).map(|(_, value)| value),
            Self::Bool(_) | Self::Int(_) | Self::Float | Self::Bytes(_) | Self::List(_) | Self::Map => None,
        }
    }

    pub(crate) fn int(&self, id: i64) -> Option<i64> {
        match self.field(id)? {
            Self::Int(number) => Some(*number),
            Self::Bool(_) | Self::Float | Self::Bytes(_) | Self::List(_) | Self::Struct(_) | Self::Map => None,
        }
    }

    /// A number that counts something.
    pub(crate) fn count(&self, id: i64) -> Result<usize> {
        self.int(id).and_then(|number| usize::try_from(number).ok()).ok_or_else(damaged)
    }

    pub(crate) fn bytes(&self, id: i64) -> Option<&'a [u8]> {
        match self.field(id)? {
            Self::Bytes(bytes) => Some(bytes),
            Self::Bool(_) | Self::Int(_) | Self::Float | Self::List(_) | Self::Struct(_) | Self::Map => None,
        }
    }

    pub(crate) fn list(&self, id: i64) -> Result<&[Value<'a>]> {
        match self.field(id) {
            Some(Self::List(items)) => Ok(items),
            Some(Self::Bool(_) | Self::Int(_) | Self::Float | Self::Bytes(_) | Self::Struct(_) | Self::Map) | None => Err(damaged()),
        }
    }
}

/// A place in bytes that moves forward.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    pub(crate) fn byte(&mut self) -> Result<u8> {
        let (first, rest) = self.bytes.split_first().ok_or_else(damaged)?;
        self.bytes = rest;
        Ok(*first)
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(count).ok_or_else(damaged)?;
        self.bytes = rest;
        Ok(taken)
    }

    pub(crate) fn varint(&mut self) -> Result<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(damaged())
    }

    pub(crate) fn zigzag(&mut self) -> Result<i64> {
        let number = self.varint()?;
        Ok(((number >> 1) as i64) ^ -((number & 1) as i64))
    }

    pub(crate) fn count(&mut self) -> Result<usize> {
        usize::try_from(self.varint()?).map_err(|_| damaged())
    }

    /// One whole struct.
    pub(crate) fn tree(&mut self) -> Result<Value<'a>> {
        let mut left = VALUES_MAX;
        self.structure(DEPTH_MAX, &mut left)
    }

    fn structure(&mut self, depth: usize, left: &mut usize) -> Result<Value<'a>> {
        let mut fields = Vec::new();
        let mut id = 0_i64;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Ok(Value::Struct(fields));
            }
            let step = i64::from(head >> 4);
            id = if step == 0 { self.zigzag()? } else { id.wrapping_add(step) };
            let value = match head & 0x0f {
                1 => Value::Bool(true),
                2 => Value::Bool(false),
                kind => self.value(kind, depth, left)?,
            };
            *left = left.checked_sub(1).ok_or_else(damaged)?;
            fields.push((id, value));
        }
    }

    fn value(&mut self, kind: u8, depth: usize, left: &mut usize) -> Result<Value<'a>> {
        let depth = depth.checked_sub(1).ok_or_else(damaged)?;
        *left = left.checked_sub(1).ok_or_else(damaged)?;
        Ok(match kind {
            // In a list a truth value takes a byte.
            1 | 2 => Value::Bool(self.byte()? == 1),
            3 => Value::Int(i64::from(self.byte()?)),
            4..=6 => Value::Int(self.zigzag()?),
            7 => {
                self.take(8)?;
                Value::Float
            }
            8 => {
                let length = self.count()?;
                Value::Bytes(self.take(length)?)
            }
            9 | 10 => {
                let head = self.byte()?;
                let count = if head >> 4 == 15 { self.count()? } else { usize::from(head >> 4) };
                let mut items = Vec::new();
                for _ in 0..count {
                    items.push(self.value(head & 0x0f, depth, left)?);
                }
                Value::List(items)
            }
            11 => {
                let count = self.count()?;
                let kinds = if count == 0 { 0 } else { self.byte()? };
                for _ in 0..count {
                    self.value(kinds >> 4, depth, left)?;
                    self.value(kinds & 0x0f, depth, left)?;
                }
                Value::Map
            }
            12 => self.structure(depth, left)?,
            _ => return Err(damaged()),
        })
    }
}
