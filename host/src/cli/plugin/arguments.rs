//! The command line of `knowhost plugin`.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Plugin {
    /// Make a folder with a plugin that builds, is tested and passes the check
    New(New),
    /// Build the plugin in a folder into one component with its manifest
    Build(Build),
    /// Check a plugin against every rule of the contract; exit code 1 when it breaks one
    Check(Check),
    /// Make one call of a plugin and show the answer, its time and its memory
    Run(Run),
    /// Make one real call and write down what goes over the network, for tests and checks without one
    Record(Record),
    /// Call a plugin again and again: calls a second, times, memory
    Bench(Bench),
    /// Put component, manifest, settings schema and licence into one file
    Pack {
        /// Folder of the plugin, built before
        #[arg(default_value = ".", value_name = "FOLDER")]
        folder: PathBuf,
        /// Where to [default: NAME-VERSION.plugin.zip in the folder]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Put a component or a pack into the plugins folder, where it waits for `allow`
    Install {
        /// `NAME.wasm`, or what `pack` made
        file: PathBuf,
    },
    /// Take the grants of a plugin back and delete its file
    Remove {
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Shipped plugins and those in the plugins folder
    List,
    /// Pin a plugin by its digest and grant what it asks for
    Allow {
        name: String,
        /// Let a native library (.so) run as the server itself, without a sandbox or limits
        #[arg(long)]
        native: bool,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Take the grants of a plugin back
    Deny { name: String },
    /// Narrow or widen what an allowed plugin may do, within what it asks for
    #[command(
        after_help = "What is not named stays as it is. An upgrade never widens what was narrowed.\n\nExamples:\n  knowhost plugin grant mine --host https://api.example.com:443\n  knowhost plugin grant mine --no-models\n  knowhost plugin grant mine --all"
    )]
    Grant {
        name: String,
        /// A host it may reach, as it stands in its manifest; repeat it for several
        #[arg(long, value_name = "HOST", conflicts_with = "no_hosts")]
        host: Vec<String>,
        /// No host at all
        #[arg(long)]
        no_hosts: bool,
        /// A kind of model that it may call (chat, embed, rerank)
        #[arg(long, value_name = "KIND", conflicts_with = "no_models")]
        model: Vec<String>,
        /// No other model
        #[arg(long)]
        no_models: bool,
        /// A secret that it may have sent, to the hosts that its manifest names beside it
        #[arg(long, value_name = "NAME", conflicts_with = "no_secrets")]
        secret: Vec<String>,
        /// No secret
        #[arg(long)]
        no_secrets: bool,
        /// Everything that it asks for
        #[arg(long, conflicts_with_all = ["host", "no_hosts", "model", "no_models", "secret", "no_secrets"])]
        all: bool,
    },
    /// Go back to the version that was allowed before; once more, and the newer one runs again
    Rollback { name: String },
    /// What is wrong with the installed plugins, and what is missing to build one
    Doctor,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum KindName {
    Embedder,
    Reranker,
    ChatModel,
    Tokenizer,
    Catalogue,
}

impl KindName {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Embedder => "embedder",
            Self::Reranker => "reranker",
            Self::ChatModel => "chat-model",
            Self::Tokenizer => "tokenizer",
            Self::Catalogue => "catalogue",
        }
    }
}

#[derive(Args, Debug)]
#[command(
    after_help = "The SDK of this very server is put into the folder, so that nothing has to be found; --sdk takes another one.\n\nExamples:\n  knowhost plugin new my-embedder --kind embedder\n  knowhost plugin new my-reranker --kind reranker --lang python\n  knowhost plugin new cutter --kind tokenizer --sdk ../knowhost/plugin-sdk"
)]
pub(in crate::cli) struct New {
    /// a-z, 0-9 and -; the `source` of its model rows, and the name of the folder
    pub(super) name: String,
    #[arg(long, value_enum)]
    pub(super) kind: KindName,
    #[arg(long, value_enum, default_value = "rust")]
    pub(super) lang: super::language::Language,
    /// Folder to make it in
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    pub(super) dir: PathBuf,
    /// Folder of an SDK to use instead of a copy of the server's
    #[arg(long, value_name = "FOLDER")]
    pub(super) sdk: Option<PathBuf>,
}

#[derive(Args, Debug)]
#[command(
    after_help = "The result is NAME.wasm in the folder.\n--install puts it into the plugins folder of --data-dir; a running server takes a new version up at once, as long as it asks for nothing that was not allowed before, and no call fails.\n\nExamples:\n  knowhost plugin build --release\n  knowhost plugin build --watch --install --data-dir ../data"
)]
pub(in crate::cli) struct Build {
    /// Folder of the plugin
    #[arg(default_value = ".", value_name = "FOLDER")]
    pub(super) folder: PathBuf,
    /// Smaller and faster, and slower to build; plugins in Python and JavaScript are always built so
    #[arg(long)]
    pub(super) release: bool,
    /// Build again whenever a source changes, until Ctrl-C
    #[arg(long)]
    pub(super) watch: bool,
    /// Install what was built
    #[arg(long)]
    pub(super) install: bool,
    /// With --install: allow it without asking, whatever it asks for
    #[arg(long, requires = "install")]
    pub(super) yes: bool,
}

#[derive(Args, Debug)]
#[command(
    after_help = "Nothing goes over the network: plugins that need a service are checked with their recorded calls (`knowhost plugin record`).\n\nExamples:\n  knowhost plugin check my-embedder.wasm\n  knowhost plugin check my-embedder.wasm --badge conforms.svg --json"
)]
pub(in crate::cli) struct Check {
    pub(super) file: PathBuf,
    /// Folder of recorded calls [default: `exchanges` beside the file]
    #[arg(long, value_name = "FOLDER")]
    pub(super) exchanges: Option<PathBuf>,
    /// Write a picture with the result
    #[arg(long, value_name = "FILE.svg")]
    pub(super) badge: Option<PathBuf>,
    /// Let a native library (.so) run as you, without a sandbox
    #[arg(long)]
    pub(super) native: bool,
    /// Show only what fails
    #[arg(long)]
    pub(super) quiet: bool,
}

/// Which model a call is for.
#[derive(Args, Debug)]
pub(in crate::cli) struct ModelArguments {
    pub(super) file: PathBuf,
    /// What is called, where the plugin is more than one thing
    #[arg(long, value_enum)]
    pub(super) kind: Option<KindName>,
    /// Name of the model [default: the first that the plugin brings]
    #[arg(long, value_name = "NAME")]
    pub(super) model: Option<String>,
    /// Address of the service, as it would stand in a model row
    #[arg(long, value_name = "URL")]
    pub(super) base_url: Option<String>,
    /// A setting of the model row; the value is JSON, or else text
    #[arg(long, value_name = "NAME=VALUE")]
    pub(super) setting: Vec<String>,
    /// A secret of the model row, from an environment variable
    #[arg(long, value_name = "NAME=VARIABLE")]
    pub(super) secret: Vec<String>,
    /// A text; for a reranker the first is the query, for a chat model the question
    #[arg(long, value_name = "TEXT", conflicts_with = "request")]
    pub(super) text: Vec<String>,
    /// Let a native library (.so) run as you, without a sandbox
    #[arg(long)]
    pub(super) native: bool,
    /// The whole request as JSON; a wrong one shows an example
    #[arg(long, value_name = "JSON")]
    pub(super) request: Option<String>,
}

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  knowhost plugin run my-embedder.wasm --base-url http://127.0.0.1:8090 --text \"a sentence\"\n  knowhost plugin run chat.wasm --secret api_key=API_KEY --text \"When does the ferry leave?\"\n  knowhost plugin run cutter.wasm --request '{\"texts\": [\"some words\"], \"mode\": \"query\"}'"
)]
pub(in crate::cli) struct Run {
    #[command(flatten)]
    pub(super) model: ModelArguments,
    /// Show what the plugin writes into the log
    #[arg(long)]
    pub(super) log: bool,
}

#[derive(Args, Debug)]
#[command(
    after_help = "Secrets are never written down.\n\nExamples:\n  knowhost plugin record my-embedder.wasm --base-url https://api.example.com/v1 --secret api_key=API_KEY --text \"a sentence\" --name embed\n  knowhost plugin record my-embedder.wasm --base-url https://api.example.com/v1 --quality"
)]
pub(in crate::cli) struct Record {
    #[command(flatten)]
    pub(super) model: ModelArguments,
    /// Name of the recording [default: the kind]
    #[arg(long, value_name = "NAME", default_value = "")]
    pub(super) name: String,
    /// Folder of recorded calls [default: `exchanges` beside the file]
    #[arg(long, value_name = "FOLDER")]
    pub(super) exchanges: Option<PathBuf>,
    /// Record the questions by which the check tells how good an embedder or reranker is
    #[arg(long, conflicts_with_all = ["text", "request"])]
    pub(super) quality: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "Example:\n  knowhost plugin bench cutter.wasm --text \"some words\" --seconds 5 --at-once 4")]
pub(in crate::cli) struct Bench {
    #[command(flatten)]
    pub(super) model: ModelArguments,
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(super) seconds: u64,
    /// Calls under way at the same time
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(super) at_once: u32,
}
