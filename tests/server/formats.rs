//! Files of each format, from other programs, and files that are broken.

use knowhost_tests::{Server, repository};

#[test]
fn every_format_is_read_and_found() {
    let server = Server::empty();
    let caller = server.caller();
    let kb_id = caller.a_kb("Formats");
    let workbook = std::fs::read(repository("tests/files/stock.libreoffice.xlsx")).expect("a workbook");
    let gb18030 = b"\xb0\xd7\xb2\xcb\xd4\xda\xcb\xaa\xbd\xb5\xd6\xae\xba\xf3\xb8\xfc\xcc\xf0\xa1\xa3\xc5\xa9\xc3\xf1\xb6\xbc\xd6\xaa\xb5\xc0\xd5\xe2\xbc\xfe\xca\xc2\xa1\xa3".to_vec();
    let corpus = |name: &str| std::fs::read(repository("examples/corpus").join(name)).expect("a document");
    let files: [(&str, Vec<u8>, &str, &str); 9] = [
        ("note.txt", b"The kingfisher nests in the clay bank.".to_vec(), "Where does the kingfisher nest?", "clay bank"),
        ("old.txt", gb18030, "白菜什么时候更甜？", "霜降"),
        ("note.md", b"# Peat\n\nPeat grows one millimetre a year.".to_vec(), "How fast does peat grow?", "one millimetre"),
        (
            "page.html",
            b"<html><body><script>var hidden</script><h1>Kelp</h1><p>Kelp forests shelter otters.</p></body></html>".to_vec(),
            "What shelters otters?",
            "otters",
        ),
        (
            "table.csv",
            "city,harbour\nAlder,granite quay\nBrine,wooden quay\n".as_bytes().to_vec(),
            "Which city has a granite quay?",
            "granite quay",
        ),
        ("safety-on-board.pdf", corpus("safety-on-board.pdf"), "Where do life-jackets for adults lie?", "under the seats"),
        ("阳台种菜.pdf", corpus("阳台种菜.pdf"), "番茄需要多少阳光？", "番茄"),
        ("group-bookings.docx", corpus("group-bookings.docx"), "How many people are a group?", "Ten or more"),
        ("stock.xlsx", workbook, "On which shelf is the lamp oil?", "shelf 3"),
    ];
    for (name, bytes, question, words) in files {
        let id = caller.a_knowledge(&kb_id, name, &bytes);
        let hits = caller.search(&kb_id, question);
        let found =
            hits.iter().any(|hit| hit["knowledge_id"] == id.as_str() && hit["content"].as_str().unwrap_or_default().contains(words));
        assert!(found, "{name}: {words:?} is not among {:#?}", hits.iter().map(|hit| &hit["content"]).collect::<Vec<_>>());
        let chunks = caller.get(&format!("/api/v1/chunks/{id}")).expect("answered").expect_status(200);
        assert!(!chunks.text.contains("var hidden"));
        let file = caller.get(&format!("/api/v1/knowledge/{id}/download")).expect("answered").expect_status(200);
        assert!(file.header("content-disposition").expect("a name").contains("attachment"));
    }
}

#[test]
fn broken_files_fail_alone_with_a_sentence() {
    let server = Server::empty();
    let caller = server.caller();
    let kb_id = caller.a_kb("Broken");
    let pdf = std::fs::read(repository("examples/corpus/safety-on-board.pdf")).expect("a document");
    let broken: [(&str, Vec<u8>); 4] = [
        ("renamed.docx", b"MZ\x90\x00 this is no document".to_vec()),
        ("cut.pdf", pdf[..pdf.len() / 3].to_vec()),
        ("noise.pdf", (0..4_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 13) as u8).collect()),
        ("noise.xlsx", b"PK\x03\x04".iter().copied().chain([7; 500]).collect()),
    ];
    for (name, bytes) in broken {
        let answer = caller.upload(&kb_id, name, &bytes).expect("answered");
        if answer.status == 200 {
            let knowledge = caller.wait_parsed(answer.json["data"]["id"].as_str().expect("an id"));
            assert_eq!(knowledge["parse_status"], "failed", "{name}");
            let reason = knowledge["error_message"].as_str().expect("a text");
            assert!(reason.split(' ').count() > 3, "{name}: {reason:?} is no sentence");
        } else {
            assert!((400..500).contains(&answer.status), "{name}: {}", answer.text);
        }
    }
    // As in the reference, a text without a word is a document without chunks.
    let empty = caller.a_knowledge(&kb_id, "empty.txt", b"");
    assert_eq!(caller.get(&format!("/api/v1/chunks/{empty}")).expect("answered").expect_status(200).json["total"], 0);
    let answer = caller.upload(&kb_id, "program.exe", b"MZ").expect("answered").expect_status(415);
    assert_eq!(answer.json["error"]["code"], 1000);
    caller.a_knowledge(&kb_id, "good.txt", b"The server still reads good files.");
}

#[test]
fn the_same_file_twice_is_a_conflict_that_names_the_first() {
    let server = Server::empty();
    let caller = server.caller();
    let kb_id = caller.a_kb("Twice");
    let id = caller.a_knowledge(&kb_id, "a.txt", b"Only once.");
    let again = caller.upload(&kb_id, "b.txt", b"Only once.").expect("answered").expect_status(409);
    assert_eq!(again.json["code"], "duplicate_file");
    assert_eq!(again.json["data"]["id"], id.as_str());
}
