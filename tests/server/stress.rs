//! A busy machine and a stop in the middle: neither may cost an answer.

use knowhost_tests::{Server, SseEvent, count};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

fn text(events: &[SseEvent]) -> String {
    events.iter().map(SseEvent::content).collect()
}

#[test]
fn default_plugins_answer_beside_eight_busy_threads() {
    let server = Server::empty();
    let caller = server.caller();
    let kb_id = caller.a_kb("Busy");
    let stop = Arc::new(AtomicBool::new(false));
    let busy: Vec<_> = (0..8)
        .map(|_| {
            let stop = stop.clone();
            std::thread::spawn(move || {
                let mut number = 1_u64;
                while !stop.load(Ordering::Relaxed) {
                    number = std::hint::black_box(number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
                }
            })
        })
        .collect();
    let deadline = Instant::now() + Duration::from_secs(count("busy_s"));
    let mut rounds = 0;
    while rounds == 0 || Instant::now() < deadline {
        let note = format!("The heron of pond {rounds} fishes at dawn. 第{rounds}号池塘的苍鹭在黎明捕鱼。");
        caller.a_knowledge(&kb_id, &format!("note-{rounds}.txt"), note.as_bytes());
        let session_id = caller.a_session(&kb_id);
        let events = caller.ask(&session_id, &format!("When does the heron of pond {rounds} fish?"));
        assert!(text(&events).contains("fishes at dawn"), "{}", text(&events));
        rounds += 1;
    }
    stop.store(true, Ordering::Relaxed);
    for thread in busy {
        thread.join().expect("a busy thread");
    }
    let log = server.log();
    for word in ["trap", "deadline", "paused"] {
        assert!(!log.contains(word), "the log speaks of {word}:\n{log}");
    }
    eprintln!("{rounds} documents and answers beside eight busy threads");
}

#[test]
fn a_stop_lets_the_answer_under_way_end_and_keeps_the_documents() {
    let mut server = Server::empty();
    let caller = server.caller();
    let kb_id = caller.a_kb("Stopped");
    caller.a_knowledge(&kb_id, "note.txt", b"The lock keeper opens the gates at noon.");
    let session_id = caller.a_session(&kb_id);
    let late =
        caller.upload(&kb_id, "late.txt", "The mill wheel turns in winter. ".repeat(400).as_bytes()).expect("answered").expect_status(200);
    let asking = {
        let (caller, session_id) = (caller.clone(), session_id.clone());
        std::thread::spawn(move || caller.ask(&session_id, "When does the lock keeper open the gates?"))
    };
    std::thread::sleep(Duration::from_millis(30));
    let started = Instant::now();
    assert!(server.stop().success());
    assert!(started.elapsed() < Duration::from_secs(15), "the stop took {:?}", started.elapsed());
    // The question may have come too late to be taken; one that was taken was answered to its end.
    if let Ok(events) = asking.join() {
        assert!(events.last().is_some_and(SseEvent::is_done));
    }
    server.start();
    let caller = server.caller();
    let knowledge = caller.wait_parsed(late.json["data"]["id"].as_str().expect("an id"));
    assert_eq!(knowledge["parse_status"], "completed", "{}", knowledge["error_message"]);
    let messages = caller.get(&format!("/api/v1/messages/{session_id}/load")).expect("answered").expect_status(200);
    for message in messages.json["data"].as_array().expect("a list") {
        assert_eq!(message["is_completed"], true, "{message}");
    }
}
