//! The parent's side: starts a child for each file, feeds it, waits for it within limits, and turns every end into a sentence.
//!
//! Not here: what the child does (`worker`).

use super::protocol::{ANSWER_OVERHEAD_BYTES_MAX, RequestHeader, decode_answer, encode_request_header};
use crate::error::{Error, Result};
use crate::limits;
use knowhost_parse::{ParseLimits, Parsed};
use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;

#[derive(Clone, Debug)]
pub struct ParseChildLimits {
    pub time: Duration,
    pub address_space_bytes: u64,
    pub parse: ParseLimits,
}

impl Default for ParseChildLimits {
    fn default() -> Self {
        Self {
            time: limits::PARSE_TIME,
            address_space_bytes: limits::PARSE_ADDRESS_SPACE_BYTES,
            parse: ParseLimits { text_bytes_max: limits::PARSED_BYTES_MAX, ..ParseLimits::default() },
        }
    }
}

/// Parses files, a child process each. Clones share the limit on children at the same time.
#[derive(Clone)]
pub struct ParseChild {
    program: PathBuf,
    arguments: Vec<OsString>,
    limits: ParseChildLimits,
    slots: Arc<Semaphore>,
}

/// How a child ended, with what it left.
struct Ended {
    status: ExitStatus,
    answer: Vec<u8>,
    complaint: String,
}

impl ParseChild {
    /// `program` and `arguments` start a process that runs [`super::worker_main`].
    pub fn new(program: PathBuf, arguments: Vec<OsString>, limits: ParseChildLimits) -> Self {
        Self { program, arguments, limits, slots: Arc::new(Semaphore::new(limits::PARSERS_AT_ONCE)) }
    }

    /// The running binary as its own parser: the very file that runs, also when an upgrade has put another one in its place.
    pub fn of_this_binary() -> Result<Self> {
        let itself = PathBuf::from("/proc/self/exe");
        let program = if itself.exists() { itself } else { std::env::current_exe().map_err(Error::internal)? };
        Ok(Self::new(program, vec!["parse-worker".into()], ParseChildLimits::default()))
    }

    /// Reads a file of `file_bytes` bytes. A file that can not be read is [`Error::BadRequest`] with a sentence for its owner;
    /// transient errors are the machine's.
    pub async fn parse(&self, file_type: &str, file_bytes: u64, file: impl AsyncRead + Unpin) -> Result<Parsed> {
        let _slot = self.slots.acquire().await.map_err(Error::internal)?;
        let marker = uuid::Uuid::new_v4().simple().to_string();
        let header = RequestHeader {
            marker: marker.clone(),
            file_type: file_type.to_owned(),
            file_bytes,
            limits: self.limits.parse.clone(),
            address_space_bytes: self.limits.address_space_bytes,
            cpu_seconds: self.limits.time.as_secs().max(1),
        };
        let header = encode_request_header(&header).map_err(Error::Internal)?;
        let mut child = self.start()?;
        let ended = tokio::time::timeout(self.limits.time, self.converse(&mut child, &header, file)).await;
        let ended = match ended {
            Ok(Ok(Some(ended))) => ended,
            Ok(Ok(None)) => {
                end(&mut child).await;
                return Err(self.unreadable(file_type, "gave more text than one document may have"));
            }
            Ok(Err(error)) => {
                end(&mut child).await;
                return Err(error);
            }
            Err(_) => {
                end(&mut child).await;
                return Err(self.unreadable(file_type, &format!("needed more than {} seconds", self.limits.time.as_secs())));
            }
        };
        if !ended.complaint.is_empty() {
            tracing::debug!(file_type, complaint = ended.complaint, "the parser wrote to its standard error");
        }
        match decode_answer(&marker, &ended.answer) {
            Some(Ok(parsed)) if parsed.text.len() <= self.limits.parse.text_bytes_max => Ok(parsed),
            Some(Ok(_)) => Err(self.unreadable(file_type, "gave more text than one document may have")),
            Some(Err(error)) => Err(Error::BadRequest(error.to_string())),
            None => Err(self.death(file_type, &ended)),
        }
    }

    fn start(&self) -> Result<Child> {
        Command::new(&self.program)
            .args(&self.arguments)
            // The child needs no secret and no path of its parent.
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| Error::Internal(anyhow::Error::new(error).context("starting the parser")))
    }

    /// `None`: the child says more than it may.
    async fn converse(&self, child: &mut Child, header: &[u8], mut file: impl AsyncRead + Unpin) -> Result<Option<Ended>> {
        let (Some(mut stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take()) else {
            return Err(Error::Internal(anyhow::anyhow!("the parser has no pipes")));
        };
        let answer_bytes_max = self.limits.parse.text_bytes_max + ANSWER_OVERHEAD_BYTES_MAX;
        let feed = async {
            // A child that dies closes the pipe; how it died is judged below.
            if stdin.write_all(header).await.is_ok() {
                drop(tokio::io::copy(&mut file, &mut stdin).await);
            }
            drop(stdin);
        };
        let (mut answer, mut complaint) = (Vec::new(), Vec::new());
        let listen = async {
            let mut limited = stdout.take(u64::try_from(answer_bytes_max).unwrap_or(u64::MAX) + 1);
            limited.read_to_end(&mut answer).await
        };
        let hear = async {
            let mut limited = stderr.take(limits::PARSE_STDERR_BYTES_MAX);
            let heard = limited.read_to_end(&mut complaint).await;
            // The rest is drained, else a child that complains without end would wait for a reader.
            drop(tokio::io::copy(&mut limited.into_inner(), &mut tokio::io::sink()).await);
            heard
        };
        let everything = async {
            let (_, listened, heard) = tokio::join!(feed, listen, hear);
            listened.and(heard)
        };
        everything.await.map_err(Error::internal)?;
        if answer.len() > answer_bytes_max {
            return Ok(None);
        }
        let status = child.wait().await.map_err(Error::internal)?;
        Ok(Some(Ended { status, answer, complaint: String::from_utf8_lossy(&complaint).into_owned() }))
    }

    /// What the end of a child without an answer means.
    fn death(&self, file_type: &str, ended: &Ended) -> Error {
        const ABORT: i32 = 6;
        const KILL: i32 = 9;
        const XCPU: i32 = 24;
        let gibibytes = self.limits.address_space_bytes as f64 / f64::from(1 << 30);
        let what = match ended.status.signal() {
            Some(ABORT) if ended.complaint.contains("memory allocation of") => format!("needed more than {gibibytes} GiB of memory"),
            Some(ABORT) if ended.complaint.contains("overflowed its stack") => "went deeper into it than its stack allows".to_owned(),
            Some(XCPU) => format!("needed more than {} seconds of processor time", self.limits.time.as_secs()),
            // Not ours, so the machine's: it may be short of memory and go better next time.
            Some(KILL) => return Error::Unavailable { reason: self.sentence(file_type, "was killed by the system") },
            Some(signal) => format!("was ended by signal {signal}"),
            None => format!("ended with code {} and without an answer", ended.status.code().unwrap_or(-1)),
        };
        tracing::warn!(file_type, what, complaint = ended.complaint, "a parser died");
        self.unreadable(file_type, &what)
    }

    fn unreadable(&self, file_type: &str, what: &str) -> Error {
        Error::BadRequest(self.sentence(file_type, what))
    }

    fn sentence(&self, file_type: &str, what: &str) -> String {
        format!("The file could not be read: the {} parser {what}.", file_type.to_uppercase())
    }
}

/// Kills and reaps; a child that is gone already is as good.
async fn end(child: &mut Child) {
    drop(child.kill().await);
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::ingest::parse::{faults, worker};

    /// A filter that matches no test: it only marks that this process was started as a child.
    const CHILD_MARK: &str = "started-as-parse-worker";

    /// Not a test of its own: the test binary runs this when a test below starts it as its child.
    #[test]
    fn acts_as_worker() {
        if std::env::args().any(|argument| argument == CHILD_MARK) {
            let code = worker::work(true);
            std::process::exit(if code == std::process::ExitCode::SUCCESS { 0 } else { 2 });
        }
    }

    /// A parser whose children are this test binary.
    pub(crate) fn child(limits: ParseChildLimits) -> ParseChild {
        let program = std::env::current_exe().expect("a path");
        let arguments = ["ingest::parse::child::tests::acts_as_worker", CHILD_MARK, "--exact", "--nocapture"];
        ParseChild::new(program, arguments.map(OsString::from).to_vec(), limits)
    }

    async fn parse(limits: ParseChildLimits, file_type: &str, content: &[u8]) -> Result<Parsed> {
        child(limits).parse(file_type, content.len() as u64, content).await
    }

    async fn fault(name: &str) -> Error {
        let limits = ParseChildLimits { time: Duration::from_secs(20), ..ParseChildLimits::default() };
        parse(limits, faults::FILE_TYPE, name.as_bytes()).await.expect_err("a fault")
    }

    #[tokio::test]
    async fn a_file_goes_in_and_its_text_comes_out() {
        let text = "一个知识库\n".repeat(100_000);
        let parsed = parse(ParseChildLimits::default(), "txt", text.as_bytes()).await.expect("readable");
        assert_eq!(parsed.text, text);
    }

    #[tokio::test]
    async fn a_bad_file_is_told_in_a_sentence_and_not_tried_again() {
        let error = parse(ParseChildLimits::default(), "pdf", b"just text").await.expect_err("no PDF");
        assert!(error.to_string().contains("it holds plain text"), "{error}");
        assert!(!error.is_transient());
    }

    #[tokio::test]
    async fn a_parser_that_allocates_without_end_dies_alone() {
        let error = fault("allocate").await;
        assert_eq!(error.to_string(), "The file could not be read: the FAULT parser needed more than 2 GiB of memory.");
        assert!(!error.is_transient());
    }

    #[tokio::test]
    async fn a_parser_that_overflows_its_stack_dies_alone() {
        assert!(fault("stack").await.to_string().contains("deeper"));
    }

    #[tokio::test]
    async fn a_parser_that_aborts_or_leaves_is_told() {
        assert!(fault("abort").await.to_string().contains("signal 6"));
        assert!(fault("exit").await.to_string().contains("without an answer"));
    }

    #[tokio::test]
    async fn a_parser_that_never_ends_is_ended() {
        for name in ["loop", "sleep"] {
            let limits = ParseChildLimits { time: Duration::from_secs(1), ..ParseChildLimits::default() };
            let error = parse(limits, faults::FILE_TYPE, name.as_bytes()).await.expect_err("endless").to_string();
            assert!(error.contains("more than 1 seconds"), "{name}: {error}");
        }
    }

    #[tokio::test]
    async fn a_parser_that_says_too_much_is_ended() {
        let limits = ParseChildLimits::default();
        let error = parse(limits, faults::FILE_TYPE, b"flood").await.expect_err("too much");
        assert!(error.to_string().contains("more text than one document may have"), "{error}");
    }

    #[tokio::test]
    async fn chatter_of_a_library_does_not_reach_the_text() {
        let parsed = parse(ParseChildLimits::default(), faults::FILE_TYPE, b"chatter").await.expect("survives");
        assert_eq!(parsed.text, "survived chatter");
    }
}
