//! What wit-bindgen makes of `wit/v0.1`: one module for each kind, all on one `io`.
//!
//! Not here: anything written by hand. Authors use the types through the crate's root and never see this module.
#![allow(unsafe_code, missing_docs, unreachable_pub, unused, clippy::all, clippy::too_many_lines, reason = "generated")]

/// The shared vocabulary. It has types only, so it leaves no import that does anything.
pub mod shared {
    wit_bindgen::generate!({
        path: "wit/v0.1",
        inline: "package knowhost:sdk@0.1.0; world shared { import knowhost:plugin/io@0.1.0; }",
        generate_all,
        generate_unused_types: true,
        additional_derives: [PartialEq, serde::Serialize, serde::Deserialize],
    });
}

pub use shared::knowhost::plugin::io;

macro_rules! kind {
    ($module:ident, $world:literal, $export:literal, $name:ident) => {
        pub mod $module {
            wit_bindgen::generate!({
                path: "wit/v0.1",
                world: $world,
                with: { "knowhost:plugin/io@0.1.0": crate::bindings::io },
                additional_derives: [PartialEq, serde::Serialize, serde::Deserialize],
                pub_export_macro: true,
                export_macro_name: $export,
            });
            pub use exports::knowhost::plugin::$name::*;
        }
    };
}

kind!(embedder, "embedder-plugin", "export_embedder", embedder);
kind!(reranker, "reranker-plugin", "export_reranker", reranker);
kind!(chat_model, "chat-model-plugin", "export_chat_model", chat_model);
kind!(catalogue, "catalogue-plugin", "export_catalogue", catalogue);
kind!(retriever, "retriever-plugin", "export_retriever", retriever);
kind!(tokenizer, "tokenizer-plugin", "export_tokenizer", tokenizer);
kind!(graph_builder, "graph-builder-plugin", "export_graph_builder", graph_builder);

pub mod warm {
    wit_bindgen::generate!({
        path: "wit/v0.1",
        world: "warm-plugin",
        pub_export_macro: true,
        export_macro_name: "export_warm",
    });
}
