//! Reads a file while it warms up and says it afterwards; breaks the rules when the file or the model's name tells it to.
//!
//! Not here: anything useful.
//!
//! | file begins with | `warm` |
//! | --- | --- |
//! | `other` | reads a file that the manifest does not list |
//! | `escape` | the same with a path |
//! | anything else | keeps the text |
//!
//! The model `late` reads the file in a call; any other says what was kept.

use knowhost_plugin_sdk::files::File;
use knowhost_plugin_sdk::{Answer, ChatCtx, ChatModel, ChatRequest, Delta, Finish, Result, Warm, export_plugin};
use std::io::{Read, Seek, SeekFrom};
use std::sync::OnceLock;

static WORDS: OnceLock<String> = OnceLock::new();

struct Reader;

fn read(name: &str) -> String {
    let mut file = File::open(name);
    let mut words = String::new();
    // What lies far behind the end is empty and no fault.
    let far = file.seek(SeekFrom::Start(u64::MAX / 2)).and_then(|_| file.read_to_string(&mut words));
    let whole = file.rewind().and_then(|()| file.read_to_string(&mut words));
    format!("{words} ({:?}, {} of {})", far.ok(), whole.unwrap_or_default(), file.size())
}

impl Warm for Reader {
    fn warm() {
        let words = WORDS.get_or_init(|| read("words.txt"));
        if words.starts_with("other") {
            read("other.txt");
        }
        if words.starts_with("escape") {
            read("../../secrets/compiled-plugins.key");
        }
    }
}

impl ChatModel for Reader {
    async fn chat(ctx: &ChatCtx, request: ChatRequest) -> Result<Answer> {
        let words = match request.model.name.as_str() {
            "late" => read("words.txt"),
            _ => WORDS.get().cloned().unwrap_or_default(),
        };
        ctx.emit(Delta::Text(words));
        Ok(Answer { finish: Finish::Stop, usage: None })
    }
}

export_plugin!(Reader: chat_model, warm);
