//! The kinds behind the native table: bytes to a request, a turn of its call, and the step back to bytes.
//!
//! Not here: the border itself (`serve`). The types are named as the words of `export_plugin!`, which is why they are in lower case.
#![allow(non_camel_case_types, reason = "words of export_plugin!")]

use super::abi;
use crate::bindings::{self, io::Event};
use crate::call::{Calls, Step};
use crate::{Answer, Delta, Embeddings, Never, Progress, Ranking, TokenizeMode};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The request or event could not be read; the text says why.
pub struct Malformed(pub String);

pub type Served = Result<Vec<u8>, Malformed>;

/// What a plugin of type `P` does for one word of `export_plugin!`.
pub trait Serve<P> {
    /// Number of the kind; `None`: it is none.
    const KIND: Option<u32>;
    const TOKENIZES: bool = false;
    /// What is run once for all instances.
    const WARM: Option<fn()> = None;
    /// The calls under way in one instance.
    type Calls: Default;

    fn start(calls: &Self::Calls, id: u64, request: &[u8]) -> Served;
    fn resume(calls: &Self::Calls, id: u64, event: &[u8]) -> Served;
    fn cancel(calls: &Self::Calls, id: u64);
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Malformed> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        Ok((_, rest)) => Err(Malformed(format!("{} bytes stand behind its end", rest.len()))),
        Err(error) => Err(Malformed(error.to_string())),
    }
}

fn write(value: &impl Serialize) -> Served {
    // Memory is all that could lack, and that ends the process elsewhere.
    postcard::to_allocvec(value).map_err(|error| Malformed(error.to_string()))
}

macro_rules! kind {
    ($kind:ident, $number:ident, $bound:ident, $delta:ty, $output:ty, { $($deltas:ident)? }, |$ctx:ident, $request:ident| $run:expr) => {
        pub struct $kind;

        impl<P: crate::$bound + 'static> Serve<P> for $kind {
            const KIND: Option<u32> = Some(abi::kind::$number);
            type Calls = Calls<$delta, $output>;

            fn start(calls: &Self::Calls, id: u64, request: &[u8]) -> Served {
                let $request: bindings::$kind::Request = read(request)?;
                let step: Step<$delta, $output> = calls.start(id, move |$ctx| async move { $run.await });
                write(&bindings::$kind::Step { asks: step.asks, $($deltas: step.deltas,)? end: step.end })
            }

            fn resume(calls: &Self::Calls, id: u64, event: &[u8]) -> Served {
                let event: Event = read(event)?;
                let step = calls.resume(id, event);
                write(&bindings::$kind::Step { asks: step.asks, $($deltas: step.deltas,)? end: step.end })
            }

            fn cancel(calls: &Self::Calls, id: u64) {
                calls.cancel(id);
            }
        }
    };
}

kind!(embedder, EMBEDDER, Embedder, Never, Embeddings, {}, |ctx, request| P::embed(&ctx, request));
kind!(reranker, RERANKER, Reranker, Never, Ranking, {}, |ctx, request| P::rerank(&ctx, request));
kind!(chat_model, CHAT_MODEL, ChatModel, Delta, Answer, { deltas }, |ctx, request| P::chat(&ctx, request));
kind!(catalogue, CATALOGUE, Catalogue, Progress, bindings::catalogue::Reply, { progress }, |ctx, request| {
    crate::answer_catalogue::<P>(&ctx, request)
});
kind!(retriever, RETRIEVER, Retriever, Never, bindings::retriever::Reply, {}, |ctx, request| P::retrieve(&ctx, request));
kind!(graph_builder, GRAPH_BUILDER, GraphBuilder, Never, bindings::graph_builder::Graph, {}, |ctx, request| P::build(&ctx, request));

/// A plain call: its one step is its end.
pub struct tokenizer;

impl<P: crate::Tokenizer> Serve<P> for tokenizer {
    const KIND: Option<u32> = Some(abi::kind::TOKENIZER);
    const TOKENIZES: bool = true;
    type Calls = ();

    fn start(_calls: &(), _id: u64, request: &[u8]) -> Served {
        let (texts, mode): (Vec<String>, TokenizeMode) = read(request)?;
        write(&P::tokenize(&texts, mode))
    }

    fn resume(_calls: &(), _id: u64, _event: &[u8]) -> Served {
        Err(Malformed("a tokenizer has no second step".into()))
    }

    fn cancel(_calls: &(), _id: u64) {}
}

/// No kind, and no calls.
pub struct warm;

impl<P: crate::Warm> Serve<P> for warm {
    const KIND: Option<u32> = None;
    const WARM: Option<fn()> = Some(P::warm);
    type Calls = ();

    fn start(_calls: &(), _id: u64, _request: &[u8]) -> Served {
        Err(Malformed("the warm-up takes no calls".into()))
    }

    fn resume(_calls: &(), _id: u64, _event: &[u8]) -> Served {
        Err(Malformed("the warm-up takes no calls".into()))
    }

    fn cancel(_calls: &(), _id: u64) {}
}
