//! Killed in the middle of commits of the index, the server still finds every document once and no deleted one.
//!
//! The files of the index are watched from outside, for the moment of the kill and to count what it hit; what must be true afterwards is
//! asked of the API.

use knowhost_tests::{Caller, OPERATOR_KEY, PATIENCE, Random, Server, count, wait_for};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

const WRITERS: usize = 3;
/// Between two questions of a writer.
const POLL: Duration = Duration::from_millis(5);
/// Between two looks at a file.
const LOOK: Duration = Duration::from_micros(50);
const COMMITS_WATCHED_MAX: usize = 20;
/// Paragraphs of a document, each a chunk of its own.
const PARTS: u64 = 2;

fn document(number: u64) -> (String, String) {
    let part = |part| {
        let filler = "The harbour master writes down each ship that comes in, its cargo, its captain and the state of the tide. ".repeat(4);
        format!("Entry beacon{number}x{part} of the log. {filler}")
    };
    (format!("entry-{number}.txt"), (0..PARTS).map(part).collect::<Vec<_>>().join("\n\n"))
}

/// What was asked for and what was answered before the server died.
#[derive(Default)]
struct Ledger {
    /// Documents by number: the id, where the upload was answered.
    uploads: BTreeMap<u64, Option<String>>,
    /// Deletions by number: whether they were answered.
    deletions: BTreeMap<u64, bool>,
}

struct Writers<'a> {
    caller: Caller,
    kb_id: &'a str,
    next: &'a AtomicU64,
    ledger: &'a Mutex<Ledger>,
    stop: &'a AtomicBool,
}

impl Writers<'_> {
    fn note(&self, change: impl FnOnce(&mut Ledger)) {
        change(&mut self.ledger.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Uploads, waits, deletes every other document, until the server is gone or `stop`.
    fn write(&self) {
        while !self.stop.load(Ordering::Relaxed) && self.step().is_some() {}
    }

    /// `None`: the server did not answer.
    fn step(&self) -> Option<()> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (name, text) = document(number);
        self.note(|ledger| {
            ledger.uploads.insert(number, None);
        });
        let answer = self.caller.upload(self.kb_id, &name, text.as_bytes()).ok()?.expect_status(200);
        let id = answer.json["data"]["id"].as_str().expect("an id").to_owned();
        self.note(|ledger| {
            ledger.uploads.insert(number, Some(id.clone()));
        });
        let deadline = Instant::now() + PATIENCE;
        loop {
            let knowledge = self.caller.get(&format!("/api/v1/knowledge/{id}")).ok()?.expect_status(200).json["data"].take();
            match knowledge["parse_status"].as_str() {
                Some("completed") => break,
                Some("failed") => panic!("{name}: {}", knowledge["error_message"]),
                _ => assert!(Instant::now() < deadline, "{name} is not completed: {knowledge}"),
            }
            std::thread::sleep(POLL);
        }
        if number % 2 == 1 {
            self.note(|ledger| {
                ledger.deletions.insert(number, false);
            });
            self.caller.delete(&format!("/api/v1/knowledge/{id}")).ok()?.expect_status(200);
            self.note(|ledger| {
                ledger.deletions.insert(number, true);
            });
        }
        Some(())
    }
}

/// The two files whose change makes a commit: the vectors' log comes first, the keywords' record second.
struct IndexFiles {
    vectors: PathBuf,
    keywords: PathBuf,
}

impl IndexFiles {
    fn of(data_dir: &Path) -> Self {
        let index = data_dir.join("index");
        let current: Value = serde_json::from_slice(&std::fs::read(index.join("current.json")).expect("an index")).expect("JSON");
        let generation = index.join(current["generation"].to_string());
        Self { vectors: generation.join("vectors/commits"), keywords: generation.join("keywords/meta.json") }
    }

    /// Waits for the next change of a file.
    fn wait_for_change(file: &Path) {
        let (before, deadline) = (stamp(file), Instant::now() + PATIENCE);
        while stamp(file) == before {
            assert!(Instant::now() < deadline, "nothing is committed");
            std::thread::sleep(LOOK);
        }
    }

    /// How long a commit takes between its two files: the middle of a few that were just seen.
    fn commit_time(&self) -> Duration {
        let mut times: Vec<Duration> = (0..5)
            .map(|_| {
                Self::wait_for_change(&self.vectors);
                let start = Instant::now();
                Self::wait_for_change(&self.keywords);
                start.elapsed()
            })
            .collect();
        times.sort_unstable();
        times[2].clamp(Duration::from_micros(200), Duration::from_millis(100))
    }

    /// Waits until a commit has lasted so long. One that ends earlier is followed by the next, with half of the wait; on a machine that is
    /// too busy to be watched, some moment must do.
    fn wait_within_a_commit(&self, mut wait: Duration) {
        for _ in 0..COMMITS_WATCHED_MAX {
            let before = stamp(&self.keywords);
            Self::wait_for_change(&self.vectors);
            let start = Instant::now();
            while stamp(&self.keywords) == before {
                if start.elapsed() >= wait {
                    return;
                }
                std::thread::sleep(LOOK);
            }
            wait /= 2;
        }
    }

    /// The change numbers of both halves, and whether the last line of the log was cut.
    fn state(&self) -> (i64, i64, bool) {
        let log = std::fs::read_to_string(&self.vectors).expect("the log");
        let whole = &log[..log.rfind('\n').map_or(0, |end| end + 1)];
        let line: Value = serde_json::from_str(&whole.lines().last().expect("a line")[17..]).expect("JSON");
        let meta: Value = serde_json::from_slice(&std::fs::read(&self.keywords).expect("the record")).expect("JSON");
        let payload: Value = serde_json::from_str(meta["payload"].as_str().expect("a payload")).expect("JSON");
        (line["sequence"].as_i64().expect("a number"), payload["sequence"].as_i64().expect("a number"), whole.len() < log.len())
    }
}

fn stamp(file: &Path) -> Option<(u64, SystemTime)> {
    std::fs::metadata(file).and_then(|data| Ok((data.len(), data.modified()?))).ok()
}

/// Where the kill is aimed.
#[derive(Clone, Copy, Debug)]
enum Aim {
    /// Between the two halves of a commit.
    Between,
    /// While the readers change over to it.
    After,
    Anywhere,
}

fn kill_in_commit(server: &mut Server, random: &mut Random, commit_time: Duration) -> (Aim, bool) {
    let files = IndexFiles::of(&server.data_dir());
    let aim = [Aim::Between, Aim::Between, Aim::Between, Aim::After, Aim::Anywhere][random.below(5) as usize];
    for _ in 0..random.below(5) {
        IndexFiles::wait_for_change(&files.vectors);
    }
    let mut moment = |range: Duration| Duration::from_micros(random.below(u64::try_from(range.as_micros()).expect("short")));
    match aim {
        Aim::Between => files.wait_within_a_commit(moment(commit_time)),
        Aim::After => {
            IndexFiles::wait_for_change(&files.keywords);
            std::thread::sleep(moment(Duration::from_micros(500)));
        }
        Aim::Anywhere => std::thread::sleep(moment(commit_time * 8)),
    }
    server.kill();
    let (vectors, keywords, was_cut) = files.state();
    assert!(vectors >= keywords, "the keywords are ahead of the vectors: {vectors} {keywords}");
    (aim, was_cut || vectors > keywords)
}

#[test]
fn kill_9_during_a_commit_of_the_index_loses_and_doubles_nothing() {
    let mut random = Random::from_counts();
    let (points, started) = (count("kill_points"), Instant::now());
    let mut server = Server::builder().env("KNOWHOST_SAMPLE", "false").env("KNOWHOST_OPERATOR_KEY", OPERATOR_KEY).start();
    let kb_id = server.caller().a_kb("Commits");
    let (next, ledger) = (AtomicU64::new(0), Mutex::new(Ledger::default()));
    let mut commit_time = Duration::ZERO;
    let mut hits = 0;
    for point in 0..points {
        let stop = AtomicBool::new(false);
        let writers = Writers { caller: server.caller(), kb_id: &kb_id, next: &next, ledger: &ledger, stop: &stop };
        std::thread::scope(|scope| {
            for _ in 0..WRITERS {
                scope.spawn(|| writers.write());
            }
            let _stop = StopOnDrop(&stop);
            if point == 0 {
                commit_time = IndexFiles::of(&server.data_dir()).commit_time();
                eprintln!("a commit takes about {commit_time:?}");
            }
            let (aim, is_hit) = kill_in_commit(&mut server, &mut random, commit_time);
            hits += u64::from(is_hit);
            eprintln!("kill {point}: aimed {aim:?}, {}", if is_hit { "hit a commit" } else { "between commits" });
        });
        server.start();
        if point % 4 == 3 {
            check_index(&server);
        }
    }
    check_all(&server, &kb_id, &ledger.into_inner().unwrap_or_else(PoisonError::into_inner));
    let rebuilds = server.log().matches("the index is being rebuilt").count();
    assert_eq!(rebuilds, 0, "a kill is mended without a rebuild");
    eprintln!("{points} kills, {hits} of them within a commit, {} documents, {:.0} s", next.into_inner(), started.elapsed().as_secs_f64());
    assert!(hits * 10 >= points, "only {hits} of {points} kills hit a commit, so this proves little");
}

/// Ends the writers also when a check fails, or nobody would ever join them.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The server's own comparison of index and database.
fn check_index(server: &Server) {
    let operator = Caller::new(&server.url(), Some(OPERATOR_KEY));
    let found = operator.post("/api/v1/system/index/verify", &Value::Null).expect("answered").expect_status(200).json["data"].take();
    assert_eq!(found["is_good"], true, "{found}");
}

fn list(caller: &Caller, kb_id: &str) -> Option<Vec<Value>> {
    let mut listed = Vec::new();
    for page in 1.. {
        let answer = caller.get(&format!("/api/v1/knowledge-bases/{kb_id}/knowledge?page={page}&page_size=100")).ok()?;
        let items = answer.json["data"].as_array()?;
        if items.is_empty() {
            break;
        }
        listed.extend(items.iter().cloned());
    }
    Some(listed)
}

fn check_all(server: &Server, kb_id: &str, ledger: &Ledger) {
    let caller = server.caller();
    let listed = wait_for("all documents to be completed", || {
        let listed = list(&caller, kb_id)?;
        listed.iter().all(|item| matches!(item["parse_status"].as_str(), Some("completed" | "failed"))).then_some(listed)
    });
    let mut present = BTreeMap::new();
    for item in &listed {
        assert_eq!(item["parse_status"], "completed", "{item}");
        let name = item["file_name"].as_str().expect("a name");
        let number: u64 = name.trim_start_matches("entry-").trim_end_matches(".txt").parse().expect("a number");
        assert!(present.insert(number, item["id"].as_str().expect("an id")).is_none(), "{name} is there twice");
    }
    for (number, id) in &ledger.uploads {
        match (ledger.deletions.get(number), id) {
            (Some(true), _) => assert!(!present.contains_key(number), "document {number} was deleted and came back"),
            (None, Some(id)) => assert_eq!(present.get(number), Some(&id.as_str()), "document {number} is lost"),
            // Nobody was told, so both are right.
            (Some(false), _) | (None, None) => {}
        }
    }
    for (number, id) in &present {
        let chunks = caller.get(&format!("/api/v1/chunks/{id}?page_size=100")).expect("answered").expect_status(200);
        assert_eq!(chunks.json["total"], PARTS, "document {number}: {}", chunks.text);
    }
    for number in ledger.uploads.keys() {
        for part in 0..PARTS {
            let word = format!("beacon{number}x{part}");
            let hits = caller.search(kb_id, &word);
            let ids: BTreeSet<_> = hits.iter().filter_map(|hit| hit["id"].as_str()).collect();
            assert_eq!(ids.len(), hits.len(), "a chunk was found twice for {word}");
            let found = hits.iter().filter(|hit| hit["content"].as_str().is_some_and(|text| text.contains(&format!("{word} ")))).count();
            assert_eq!(found, usize::from(present.contains_key(number)), "{word}");
        }
    }
    let used: i64 = listed.iter().map(|item| item["storage_size"].as_i64().expect("a number")).sum();
    let tenant = listed.first().expect("documents")["tenant_id"].clone();
    let tenant = caller.get(&format!("/api/v1/tenants/{tenant}")).expect("answered").expect_status(200).json["data"].take();
    assert_eq!(tenant["storage_used"], used, "storage was lost or counted twice");
    check_index(server);
}
