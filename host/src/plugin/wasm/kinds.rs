//! One shape for all kinds: start, resume and cancel with typed requests, deltas and answers.
//!
//! Not here: who calls them and when (`plugin::calls`).

use super::bindings::exports::knowhost::plugin as exported;
use super::bindings::knowhost::plugin::io;
use super::state::HostState;
use super::trace::Traced;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasmtime::Store;
use wasmtime::component::InstancePre;

/// What a guest answered to `start` or `resume`.
pub(in crate::plugin) struct Step<K: Kind> {
    pub(in crate::plugin) asks: Vec<io::Ask>,
    pub(in crate::plugin) deltas: Vec<K::Delta>,
    pub(in crate::plugin) end: Option<Result<K::Answer, io::Error>>,
}

/// Indices and functions of one kind, so that the rest of the room is written once.
pub(in crate::plugin) trait Kind: Sized + Send + Sync + 'static {
    /// `Serialize`: in the native form it crosses as bytes (`plugin::native`).
    type Request: Serialize + Send + Sync + 'static;
    type Delta: Traced + Send + 'static;
    type Answer: Send + 'static;
    /// What `start` and `resume` give, as the WIT has it and as the native form encodes it.
    type Given: DeserializeOwned;
    #[doc(hidden)]
    type Indices: Send + Sync + 'static;
    #[doc(hidden)]
    type Guest: Send + Sync + 'static;

    /// The interface's name, as in the WIT and the manifest.
    const NAME: &'static str;
    /// A plain call, which ends with its first step.
    const IS_PLAIN: bool = false;

    fn step(given: Self::Given) -> Step<Self>;
    #[doc(hidden)]
    fn indices(pre: &InstancePre<HostState>) -> wasmtime::Result<Self::Indices>;
    #[doc(hidden)]
    fn load(
        indices: &Self::Indices,
        store: &mut Store<HostState>,
        instance: &wasmtime::component::Instance,
    ) -> wasmtime::Result<Self::Guest>;
    #[doc(hidden)]
    fn start(guest: &Self::Guest, store: &mut Store<HostState>, id: u64, request: &Self::Request) -> wasmtime::Result<Step<Self>>;
    #[doc(hidden)]
    fn resume(guest: &Self::Guest, store: &mut Store<HostState>, id: u64, event: &io::Event) -> wasmtime::Result<Step<Self>>;
    #[doc(hidden)]
    fn cancel(guest: &Self::Guest, store: &mut Store<HostState>, id: u64) -> wasmtime::Result<()>;
    /// Bytes of a delta, for the limit.
    fn delta_bytes(delta: &Self::Delta) -> usize;
    /// Bytes of the pictures in a request, which take a turn longer than any text.
    fn picture_bytes(_request: &Self::Request) -> usize {
        0
    }
}

macro_rules! kind {
    ($(#[$doc:meta])* $kind:ident, $module:ident, $name:literal, $answer:ident, $delta:ty, |$step:ident| $deltas:expr, |$size_of:ident| $size:expr $(, |$sent:ident| $pictures:expr)?) => {
        $(#[$doc])*
        pub(in crate::plugin) struct $kind;

        impl Kind for $kind {
            type Request = exported::$module::Request;
            type Delta = $delta;
            type Answer = exported::$module::$answer;
            type Given = exported::$module::Step;
            type Indices = exported::$module::GuestIndices;
            type Guest = exported::$module::Guest;
            const NAME: &'static str = $name;

            fn step($step: Self::Given) -> Step<Self> {
                Step { asks: $step.asks, deltas: $deltas, end: $step.end }
            }
            fn indices(pre: &InstancePre<HostState>) -> wasmtime::Result<Self::Indices> {
                exported::$module::GuestIndices::new(pre)
            }
            fn load(
                indices: &Self::Indices,
                store: &mut Store<HostState>,
                instance: &wasmtime::component::Instance,
            ) -> wasmtime::Result<Self::Guest> {
                indices.load(store, instance)
            }
            fn start(guest: &Self::Guest, store: &mut Store<HostState>, id: u64, request: &Self::Request) -> wasmtime::Result<Step<Self>> {
                guest.call_start(store, id, request).map(Self::step)
            }
            fn resume(guest: &Self::Guest, store: &mut Store<HostState>, id: u64, event: &io::Event) -> wasmtime::Result<Step<Self>> {
                guest.call_resume(store, id, event).map(Self::step)
            }
            fn cancel(guest: &Self::Guest, store: &mut Store<HostState>, id: u64) -> wasmtime::Result<()> {
                guest.call_cancel(store, id)
            }
            fn delta_bytes($size_of: &Self::Delta) -> usize {
                $size
            }
            $(fn picture_bytes($sent: &Self::Request) -> usize {
                $pictures
            })?
        }
    };
}

kind!(
    /// Texts to vectors.
    EmbedderKind, embedder, "embedder", Embeddings, (), |step| Vec::new(), |_delta| 0
);
kind!(
    /// Scores of texts.
    RerankerKind, reranker, "reranker", Ranking, (), |step| Vec::new(), |_delta| 0
);
kind!(
    /// Answers of a conversation.
    ChatModelKind, chat_model, "chat-model", Answer, exported::chat_model::Delta, |step| step.deltas, |delta| chat_delta_bytes(delta),
    |request| chat_picture_bytes(request)
);
kind!(
    /// Models that a provider has.
    CatalogueKind, catalogue, "catalogue", Reply, exported::catalogue::Progress, |step| step.progress, |delta| delta.status.len()
);

fn chat_delta_bytes(delta: &exported::chat_model::Delta) -> usize {
    match delta {
        exported::chat_model::Delta::Text(text) | exported::chat_model::Delta::Reasoning(text) => text.len(),
        exported::chat_model::Delta::Tool(tool) => {
            tool.arguments.len() + tool.id.as_ref().map_or(0, String::len) + tool.name.as_ref().map_or(0, String::len)
        }
    }
}

fn chat_picture_bytes(request: &exported::chat_model::Request) -> usize {
    let parts = request.messages.iter().flat_map(|message| &message.parts);
    parts
        .map(|part| match part {
            exported::chat_model::Part::Text(_) => 0,
            exported::chat_model::Part::Image(image) => image.data.len(),
        })
        .sum()
}

/// Words of texts; a plain call, so it ends with its first step.
pub(in crate::plugin) struct TokenizerKind;

#[derive(Serialize)]
pub(in crate::plugin) struct TokenizeRequest {
    pub(in crate::plugin) texts: Vec<String>,
    pub(in crate::plugin) mode: exported::tokenizer::Mode,
}

impl Kind for TokenizerKind {
    type Request = TokenizeRequest;
    type Delta = ();
    type Answer = exported::tokenizer::Tokens;
    type Given = Result<exported::tokenizer::Tokens, io::Error>;
    type Indices = exported::tokenizer::GuestIndices;
    type Guest = exported::tokenizer::Guest;
    const NAME: &'static str = "tokenizer";
    const IS_PLAIN: bool = true;

    fn step(given: Self::Given) -> Step<Self> {
        Step { asks: Vec::new(), deltas: Vec::new(), end: Some(given) }
    }

    fn indices(pre: &InstancePre<HostState>) -> wasmtime::Result<Self::Indices> {
        exported::tokenizer::GuestIndices::new(pre)
    }

    fn load(
        indices: &Self::Indices,
        store: &mut Store<HostState>,
        instance: &wasmtime::component::Instance,
    ) -> wasmtime::Result<Self::Guest> {
        indices.load(store, instance)
    }

    fn start(guest: &Self::Guest, store: &mut Store<HostState>, _id: u64, request: &Self::Request) -> wasmtime::Result<Step<Self>> {
        guest.call_tokenize(store, &request.texts, request.mode).map(Self::step)
    }

    fn resume(_guest: &Self::Guest, _store: &mut Store<HostState>, _id: u64, _event: &io::Event) -> wasmtime::Result<Step<Self>> {
        Err(wasmtime::Error::msg("a tokenizer has no second step"))
    }

    fn cancel(_guest: &Self::Guest, _store: &mut Store<HostState>, _id: u64) -> wasmtime::Result<()> {
        Ok(())
    }

    fn delta_bytes(_delta: &Self::Delta) -> usize {
        0
    }
}
