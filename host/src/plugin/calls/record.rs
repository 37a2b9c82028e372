//! What a call was told since its start, packed: enough to tell it again to a fresh instance.
//!
//! Not here: the telling (`rebuild`). What does not fit its limits is not kept, and then the call can not be rebuilt.

use crate::limits;
use crate::plugin::wasm::Trace;
use crate::plugin::wasm::wit::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Longer chunks are kept as they are; shorter ones are packed against the one before, because events of a stream are much alike.
const ALIKE_BYTES_MAX: usize = 4 << 10;
/// What an event costs beside its texts.
const EVENT_BYTES: usize = 64;

const TIMER: u8 = 0;
const END: u8 = 1;
const CHUNK: u8 = 2;
const OTHER: u8 = 3;

/// Bytes of all records of one plugin.
pub(in crate::plugin) struct RecordBudget {
    used: AtomicUsize,
    bytes_max: usize,
}

impl Default for RecordBudget {
    fn default() -> Self {
        Self { used: AtomicUsize::new(0), bytes_max: limits::PLUGIN_RECORDS_BYTES_MAX }
    }
}

impl RecordBudget {
    fn take(&self, bytes: usize) -> Result<(), Lost> {
        if self.used.fetch_add(bytes, Ordering::Relaxed) + bytes > self.bytes_max {
            self.give_back(bytes);
            return Err(Lost::PluginFull);
        }
        Ok(())
    }

    fn give_back(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Why there is no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    TooLong,
    PluginFull,
}

impl Lost {
    /// After "because another call made the plugin fail: ...".
    pub(super) fn text(self) -> String {
        match self {
            Self::TooLong => {
                format!(
                    "what the plugin had been told was too long to be told again (more than {} KiB)",
                    limits::PLUGIN_RECORD_BYTES_MAX >> 10
                )
            }
            Self::PluginFull => format!(
                "too many answers were under way to keep what the plugin had been told (more than {} MiB)",
                limits::PLUGIN_RECORDS_BYTES_MAX >> 20
            ),
        }
    }
}

pub(super) struct Record {
    packed: Vec<u8>,
    others: Vec<Arc<io::Event>>,
    others_bytes: usize,
    /// The chunk before, if it is short.
    last: Vec<u8>,
    /// What the call has said on all that.
    pub(super) trace: Trace,
    charged: usize,
    budget: Arc<RecordBudget>,
}

/// A place in a record that is read.
#[derive(Default)]
pub(super) struct Cursor {
    packed: usize,
    others: usize,
    last: Vec<u8>,
}

impl Record {
    pub(super) fn new(budget: Arc<RecordBudget>) -> Self {
        let (packed, others, last) = Default::default();
        Self { packed, others, others_bytes: 0, last, trace: Trace::default(), charged: 0, budget }
    }

    /// `Err`: the limits are reached, and the record is of no use any more.
    pub(super) fn note(&mut self, event: &Arc<io::Event>) -> Result<(), Lost> {
        match &**event {
            io::Event::Timer(op) => self.small(TIMER, *op),
            io::Event::HttpEnd(op) => self.small(END, *op),
            io::Event::HttpChunk(chunk) => self.chunk(chunk),
            io::Event::HttpHead(_) | io::Event::Model(_) | io::Event::CacheValue(_) | io::Event::CacheStored(_) | io::Event::Fault(_) => {
                self.packed.push(OTHER);
                self.others_bytes += EVENT_BYTES + text_bytes(event);
                self.others.push(event.clone());
            }
        }
        self.charge()
    }

    fn small(&mut self, tag: u8, op: u32) {
        self.packed.push(tag);
        put(&mut self.packed, op as usize);
    }

    fn chunk(&mut self, chunk: &io::HttpChunk) {
        let (head, tail) = alike(&self.last, &chunk.data);
        let middle = &chunk.data[head..chunk.data.len() - tail];
        self.small(CHUNK, chunk.op);
        put(&mut self.packed, head);
        put(&mut self.packed, tail);
        put(&mut self.packed, middle.len());
        self.packed.extend_from_slice(middle);
        follow(&mut self.last, &chunk.data);
    }

    fn charge(&mut self) -> Result<(), Lost> {
        let bytes = self.packed.capacity() + self.last.capacity() + self.others_bytes;
        if bytes > limits::PLUGIN_RECORD_BYTES_MAX {
            return Err(Lost::TooLong);
        }
        if bytes > self.charged {
            self.budget.take(bytes - self.charged)?;
            self.charged = bytes;
        }
        Ok(())
    }

    /// The next event; `None` at the end of the record.
    pub(super) fn next(&self, cursor: &mut Cursor) -> Option<io::Event> {
        let tag = *self.packed.get(cursor.packed)?;
        cursor.packed += 1;
        if tag == OTHER {
            let event = self.others.get(cursor.others)?;
            cursor.others += 1;
            return Some(io::Event::clone(event));
        }
        let op = u32::try_from(get(&self.packed, &mut cursor.packed)?).ok()?;
        match tag {
            TIMER => Some(io::Event::Timer(op)),
            END => Some(io::Event::HttpEnd(op)),
            _ => {
                let mut number = || get(&self.packed, &mut cursor.packed);
                let (head, tail, middle) = (number()?, number()?, number()?);
                let mut data = Vec::with_capacity(head + middle + tail);
                data.extend_from_slice(cursor.last.get(..head)?);
                data.extend_from_slice(self.packed.get(cursor.packed..cursor.packed + middle)?);
                data.extend_from_slice(&cursor.last[cursor.last.len().checked_sub(tail)?..]);
                cursor.packed += middle;
                follow(&mut cursor.last, &data);
                Some(io::Event::HttpChunk(io::HttpChunk { op, data }))
            }
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.budget.give_back(self.charged);
    }
}

/// Bytes at the head and at the tail that both have, without overlap.
fn alike(last: &[u8], data: &[u8]) -> (usize, usize) {
    let head = last.iter().zip(data).take_while(|(one, other)| one == other).count();
    let tail = last[head..].iter().rev().zip(data[head..].iter().rev()).take_while(|(one, other)| one == other).count();
    (head, tail)
}

/// Both sides keep the same chunk to compare with.
fn follow(last: &mut Vec<u8>, data: &[u8]) {
    last.clear();
    if data.len() <= ALIKE_BYTES_MAX {
        last.extend_from_slice(data);
    }
}

/// Seven bits a byte, the lowest first.
fn put(packed: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        packed.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    packed.push(number as u8);
}

fn get(packed: &[u8], place: &mut usize) -> Option<usize> {
    let mut number = 0;
    for shift in (0..usize::BITS).step_by(7) {
        let byte = *packed.get(*place)?;
        *place += 1;
        number |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

fn text_bytes(event: &io::Event) -> usize {
    match event {
        io::Event::HttpHead(head) => head.headers.iter().map(|header| header.name.len() + header.value.len() + EVENT_BYTES).sum(),
        io::Event::HttpChunk(chunk) => chunk.data.len(),
        io::Event::HttpEnd(_) | io::Event::Timer(_) | io::Event::CacheStored(_) => 0,
        io::Event::Model(reply) => match &reply.answer {
            io::ModelAnswer::Text(text) => text.len(),
            io::ModelAnswer::Vectors(rows) => rows.data.len() * size_of::<f32>(),
            io::ModelAnswer::Scores(scores) => scores.len() * size_of::<f32>(),
        },
        io::Event::CacheValue(value) => value.value.as_ref().map_or(0, Vec::len),
        io::Event::Fault(fault) => fault.text.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn chunk(op: u32, data: &[u8]) -> io::Event {
        io::Event::HttpChunk(io::HttpChunk { op, data: data.to_vec() })
    }

    fn record(bytes_max: usize) -> Record {
        Record::new(Arc::new(RecordBudget { used: AtomicUsize::new(0), bytes_max }))
    }

    fn read(record: &Record) -> Vec<io::Event> {
        let mut cursor = Cursor::default();
        std::iter::from_fn(|| record.next(&mut cursor)).collect()
    }

    fn events() -> impl Strategy<Value = Vec<io::Event>> {
        let op = || 0..3_u32;
        let line = "(data: \\{\"delta\":\"[a-c]{0,4}\"\\}\n\n){0,2}";
        let event = prop_oneof![
            6 => (op(), line).prop_map(|(op, text)| chunk(op, text.as_bytes())),
            1 => (op(), proptest::collection::vec(any::<u8>(), 0..9_000)).prop_map(|(op, data)| chunk(op, &data)),
            1 => any::<u32>().prop_map(io::Event::Timer),
            1 => op().prop_map(io::Event::HttpEnd),
            1 => any::<u32>().prop_map(io::Event::CacheStored),
            1 => (op(), any::<u16>()).prop_map(|(op, status)| io::Event::HttpHead(io::HttpHead { op, status, headers: vec![] })),
        ];
        proptest::collection::vec(event, 0..40)
    }

    proptest! {
        #[test]
        fn what_was_noted_is_read_back(events in events()) {
            let mut record = record(usize::MAX);
            for event in &events {
                record.note(&Arc::new(event.clone())).unwrap();
            }
            prop_assert_eq!(read(&record), events);
        }
    }

    #[test]
    fn events_of_a_stream_take_a_few_bytes_each() {
        let mut record = record(usize::MAX);
        for number in 0..1_000 {
            let event = format!(
                "data: {{\"id\":\"chatcmpl-{}\",\"choices\":[{{\"delta\":{{\"content\":\"word{number}\"}}}}]}}\n\n",
                "x".repeat(150)
            );
            record.note(&Arc::new(chunk(1, event.as_bytes()))).unwrap();
        }
        assert!(record.packed.len() < 12_000, "{} bytes", record.packed.len());
        assert_eq!(read(&record).len(), 1_000);
    }

    #[test]
    fn record_over_its_limit_is_lost_and_gives_its_bytes_back() {
        let budget = Arc::new(RecordBudget { used: AtomicUsize::new(0), bytes_max: 1 << 20 });
        let mut first = Record::new(budget.clone());
        let noise: Vec<u8> = (0..60_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let lost = (0..100).find_map(|_| first.note(&Arc::new(chunk(1, &noise))).err());
        assert_eq!(lost, Some(Lost::TooLong));
        assert!(budget.used.load(Ordering::Relaxed) > 0);
        drop(first);
        assert_eq!(budget.used.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn records_of_a_plugin_have_a_limit_together() {
        let budget = Arc::new(RecordBudget { used: AtomicUsize::new(0), bytes_max: 1_000 });
        let (mut first, mut second) = (Record::new(budget.clone()), Record::new(budget.clone()));
        first.note(&Arc::new(chunk(1, &[b'a'; 300]))).unwrap();
        assert_eq!(second.note(&Arc::new(chunk(1, &[b'b'; 300]))), Err(Lost::PluginFull));
        drop(second);
        first.note(&Arc::new(chunk(1, &[b'a'; 300]))).unwrap();
        drop(first);
        assert_eq!(budget.used.load(Ordering::Relaxed), 0);
    }
}
