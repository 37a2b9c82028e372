//! `export_plugin!`: from the author's traits to the exports of the component.
//!
//! Not here: the exports' shapes, which wit-bindgen makes (`bindings`).

/// Exports a plugin: `export_plugin!(MyPlugin: embedder, chat_model, warm)`.
///
/// The kinds are `embedder`, `reranker`, `chat_model`, `catalogue`, `tokenizer`, `retriever`, `graph_builder` and `warm`;
/// the type has to implement the trait of each kind that is named. Natively the macro only checks that, unless the list ends with `; native`:
/// then the plugin has a native form too, which takes its manifest from the `plugin.toml` beside its `Cargo.toml` (`docs/plugins/native.md`).
///
/// A kind whose trait is missing does not compile:
///
/// ```compile_fail,E0277
/// struct Mine;
/// knowhost_plugin_sdk::export_plugin!(Mine: tokenizer);
/// ```
///
/// Neither does a kind that does not exist:
///
/// ```compile_fail
/// struct Mine;
/// knowhost_plugin_sdk::export_plugin!(Mine: painter);
/// ```
///
/// ```
/// use knowhost_plugin_sdk::{Result, TokenizeMode, Tokenizer, Tokens, Warm, export_plugin};
///
/// struct Mine;
///
/// impl Tokenizer for Mine {
///     fn tokenize(texts: &[String], _mode: TokenizeMode) -> Result<Tokens> {
///         Ok(Tokens { counts: vec![0; texts.len()], spans: vec![] })
///     }
/// }
///
/// impl Warm for Mine {
///     fn warm() {}
/// }
///
/// export_plugin!(Mine: tokenizer, warm);
/// ```
#[macro_export]
macro_rules! export_plugin {
    ($plugin:ty : $($kind:ident),+ $(,)?) => {
        $($crate::__export_kind!($kind, $plugin);)+
    };
    ($plugin:ty : $($kind:ident),+ $(,)?; native) => {
        $($crate::__export_kind!($kind, $plugin);)+
        $crate::__export_native!($plugin: $($kind),+);
    };
}

/// The exports of one kind whose calls are started, resumed and cancelled.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_calls {
    ($plugin:ty, $kind:ident, $export:ident, $delta:ty, $output:ty, { $($deltas:ident)? }, |$ctx:ident, $request:ident| $run:expr) => {
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, reason = "the exports that wit-bindgen generates")]
        const _: () = {
            use $crate::bindings::$kind as kind;
            type Calls = $crate::call::Calls<$delta, $output>;
            ::std::thread_local!(static CALLS: Calls = const { Calls::new() });

            fn to_step(step: $crate::call::Step<$delta, $output>) -> kind::Step {
                kind::Step { asks: step.asks, $($deltas: step.deltas,)? end: step.end }
            }

            struct Exported;

            impl kind::Guest for Exported {
                fn start(id: u64, $request: kind::Request) -> kind::Step {
                    to_step(CALLS.with(|calls| calls.start(id, move |$ctx| async move { $run.await })))
                }

                fn resume(id: u64, event: $crate::bindings::io::Event) -> kind::Step {
                    to_step(CALLS.with(|calls| calls.resume(id, event)))
                }

                fn cancel(id: u64) {
                    CALLS.with(|calls| calls.cancel(id));
                }
            }

            $crate::bindings::$kind::$export!(Exported with_types_in $crate::bindings::$kind);
        };
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_kind {
    (embedder, $plugin:ty) => {
        $crate::__check_kind!($plugin: Embedder);
        $crate::__export_calls!($plugin, embedder, export_embedder, $crate::Never, $crate::Embeddings, {}, |ctx, request| {
            <$plugin as $crate::Embedder>::embed(&ctx, request)
        });
    };
    (reranker, $plugin:ty) => {
        $crate::__check_kind!($plugin: Reranker);
        $crate::__export_calls!($plugin, reranker, export_reranker, $crate::Never, $crate::Ranking, {}, |ctx, request| {
            <$plugin as $crate::Reranker>::rerank(&ctx, request)
        });
    };
    (chat_model, $plugin:ty) => {
        $crate::__check_kind!($plugin: ChatModel);
        $crate::__export_calls!($plugin, chat_model, export_chat_model, $crate::Delta, $crate::Answer, { deltas }, |ctx, request| {
            <$plugin as $crate::ChatModel>::chat(&ctx, request)
        });
    };
    (catalogue, $plugin:ty) => {
        $crate::__check_kind!($plugin: Catalogue);
        $crate::__export_calls!($plugin, catalogue, export_catalogue, $crate::Progress, kind::Reply, { progress }, |ctx, request| {
            $crate::answer_catalogue::<$plugin>(&ctx, request)
        });
    };
    (retriever, $plugin:ty) => {
        $crate::__check_kind!($plugin: Retriever);
        $crate::__export_calls!($plugin, retriever, export_retriever, $crate::Never, kind::Reply, {}, |ctx, request| {
            <$plugin as $crate::Retriever>::retrieve(&ctx, request)
        });
    };
    (graph_builder, $plugin:ty) => {
        $crate::__check_kind!($plugin: GraphBuilder);
        $crate::__export_calls!($plugin, graph_builder, export_graph_builder, $crate::Never, kind::Graph, {}, |ctx, request| {
            <$plugin as $crate::GraphBuilder>::build(&ctx, request)
        });
    };
    (tokenizer, $plugin:ty) => {
        $crate::__check_kind!($plugin: Tokenizer);
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, reason = "the exports that wit-bindgen generates")]
        const _: () = {
            use $crate::bindings::tokenizer as kind;
            struct Exported;

            impl kind::Guest for Exported {
                fn tokenize(texts: Vec<String>, mode: $crate::TokenizeMode) -> ::std::result::Result<$crate::Tokens, $crate::Error> {
                    <$plugin as $crate::Tokenizer>::tokenize(&texts, mode)
                }
            }

            $crate::bindings::tokenizer::export_tokenizer!(Exported with_types_in $crate::bindings::tokenizer);
        };
    };
    (warm, $plugin:ty) => {
        $crate::__check_kind!($plugin: Warm);
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, reason = "the exports that wit-bindgen generates")]
        const _: () = {
            struct Exported;

            impl $crate::bindings::warm::Guest for Exported {
                fn warm() {
                    <$plugin as $crate::Warm>::warm();
                }
            }

            $crate::bindings::warm::export_warm!(Exported with_types_in $crate::bindings::warm);
        };
    };
}

/// Names the missing trait in words of the author, on every target.
#[doc(hidden)]
#[macro_export]
macro_rules! __check_kind {
    ($plugin:ty : $kind:ident) => {
        const _: () = {
            const fn implements<T: $crate::$kind>() {}
            implements::<$plugin>();
        };
    };
}
