//! The executor against the fake host: bodies, timers, joins, drops, cancels, and futures that nobody wakes.

use knowhost_plugin_sdk::testing::{Cut, Exchange, Host, cancel_at_every_step, same_at_every_cut};
use knowhost_plugin_sdk::{Ctx, Delta, Error, Fault, Level, ModelAnswer, ModelRequest, Result, StreamCtx, join, join_all};
use std::future::{Future, poll_fn};
use std::task::Poll;

const URL: &str = "https://peer.example/";

fn run<T: 'static, F: Future<Output = Result<T>> + 'static>(host: &mut Host, call: impl FnOnce(StreamCtx<Delta>) -> F) -> Result<T> {
    host.run(call).result()
}

async fn lines(ctx: &Ctx) -> Result<Vec<String>> {
    let mut lines = ctx.get(URL).await?.lines();
    let mut all = vec![];
    while let Some(line) = lines.next().await? {
        all.push(line);
    }
    Ok(all)
}

#[test]
fn lines_are_the_same_at_every_cut() {
    let script = [Exchange::new("GET", URL).body("one\r\nzwö\n\n三\nlast")];
    let all = same_at_every_cut(&script, |host| run(host, |ctx| async move { lines(&ctx).await }));
    assert_eq!(all.unwrap(), ["one", "zwö", "", "三", "last"]);
}

#[test]
fn events_are_the_same_at_every_cut() {
    let body =
        "\u{feff}: comment\n\nevent: a\ndata: one\ndata:two\nid: 7\n\ndata: thr\u{e9}e\r\n\r\ndata\n\nretry: 5\n\ndata: cr\r\rdata: last";
    let script = [Exchange::new("GET", URL).body(body)];
    let all = same_at_every_cut(&script, |host| {
        run(host, |ctx| async move {
            let mut events = ctx.get(URL).await?.events();
            let mut all = vec![];
            while let Some(event) = events.next().await? {
                all.push((event.event, event.data, event.id));
            }
            Ok(all)
        })
    });
    let event = |name: &str, data: &str, id: Option<&str>| (name.to_owned(), data.to_owned(), id.map(str::to_owned));
    assert_eq!(
        all.unwrap(),
        [event("a", "one\ntwo", Some("7")), event("", "thrée", None), event("", "", None), event("", "cr", None), event("", "last", None)]
    );
}

#[test]
fn json_lines_are_read_and_bad_ones_are_errors() {
    async fn numbers(ctx: &Ctx) -> Result<Vec<u32>> {
        let mut lines = ctx.get(URL).await?.lines();
        let mut all = vec![];
        while let Some(number) = lines.next_json().await? {
            all.push(number);
        }
        Ok(all)
    }
    let call = |host: &mut Host| run(host, |ctx| async move { numbers(&ctx).await });
    assert_eq!(same_at_every_cut(&[Exchange::new("GET", URL).body("1\n\n 2 \r\n3")], call).unwrap(), [1, 2, 3]);
    assert!(same_at_every_cut(&[Exchange::new("GET", URL).body("1\n{\n")], call).unwrap_err().text().contains("JSON"));
}

#[test]
fn line_without_end_is_refused_before_it_fills_the_memory() {
    let mut host = Host::new([Exchange::new("GET", URL).body("x".repeat(10_000))]).cut(Cut::Every(100));
    let error = run(&mut host, |ctx| async move { Ok(ctx.get(URL).await?.lines().max_bytes(1_000).next().await?) }).unwrap_err();
    assert!(error.text().contains("1000 bytes"), "{error:?}");
    assert_eq!(host.closed.len(), 1);
}

#[test]
fn body_larger_than_asked_for_is_refused() {
    let mut host = Host::new([Exchange::new("GET", URL).body(vec![0; 2_000])]).cut(Cut::Every(100));
    let error = run(&mut host, |ctx| async move { Ok(ctx.get(URL).await?.bytes_up_to(1_000).await?) }).unwrap_err();
    assert!(error.text().contains("larger than 1000 bytes"), "{error:?}");
}

#[test]
fn dropped_body_closes_its_exchange_and_a_read_one_does_not() {
    let script = || [Exchange::new("GET", URL).body("abc"), Exchange::new("GET", URL).body("def")];
    let mut host = Host::new(script());
    run(&mut host, |ctx| async move {
        let dropped = ctx.get(URL).await?;
        drop(dropped);
        assert_eq!(ctx.get(URL).await?.bytes().await?, b"def");
        Ok(())
    })
    .unwrap();
    assert_eq!(host.closed, [1]);
}

#[test]
fn body_held_to_the_end_of_the_call_is_closed_with_it() {
    let mut host = Host::new([Exchange::new("GET", URL).body("abc")]);
    run(&mut host, |ctx| async move {
        let mut body = ctx.get(URL).await?;
        body.chunk().await?;
        Err::<(), _>(Error::invalid("enough"))
    })
    .unwrap_err();
    assert_eq!(host.closed, [1]);
}

#[test]
fn faults_keep_their_text_and_become_errors_by_kind() {
    for (fault, kind) in [
        (Fault::Denied, Error::denied("why")),
        (Fault::Connect, Error::upstream("why")),
        (Fault::Timeout, Error::upstream("why")),
        (Fault::TooLarge, Error::upstream("why")),
        (Fault::Unsupported, Error::unsupported("why")),
    ] {
        let mut host = Host::new([Exchange::new("GET", URL).fails(fault, "why")]);
        assert_eq!(run(&mut host, |ctx| async move { lines(&ctx).await }), Err(kind));
        assert!(host.closed.is_empty(), "a failed exchange needs no close");
    }
    let mut host = Host::new([Exchange::new("GET", URL).body("abcdef").breaks_after(3, Fault::Protocol, "cut")]);
    assert_eq!(run(&mut host, |ctx| async move { lines(&ctx).await }), Err(Error::upstream("cut")));
}

#[test]
fn joined_exchanges_run_at_the_same_time() {
    let script = || (0..5).map(|index| Exchange::new("GET", URL).body(format!("{index}")));
    let mut host = Host::new(script());
    let (all, two) = run(&mut host, |ctx| async move {
        let get = || async { Ok::<_, Error>(ctx.get(URL).await?.bytes().await?) };
        Ok(join(join_all([get(), get(), get()]), join(get(), get())).await)
    })
    .unwrap();
    let all: Vec<Vec<u8>> = all.into_iter().map(Result::unwrap).collect();
    assert_eq!(all, [b"0", b"1", b"2"]);
    assert_eq!((two.0.unwrap(), two.1.unwrap()), (b"3".to_vec(), b"4".to_vec()));
    assert_eq!(host.open_max, 5);
}

#[test]
fn joining_nothing_is_ready_at_once() {
    assert!(run(&mut Host::default(), |_| async { Ok(join_all(Vec::<std::future::Ready<u8>>::new()).await) }).unwrap().is_empty());
}

#[test]
fn timers_logs_cache_and_models_reach_the_host() {
    let mut host = Host::default();
    host.model_answers = [Ok(ModelAnswer::Text("hi".into())), Err((Fault::Upstream, "no".into()))].into();
    run(&mut host, |ctx| async move {
        ctx.sleep_ms(250).await;
        ctx.log(Level::Info, "line");
        assert_eq!(ctx.cache_get("k").await?, None);
        ctx.cache_put("k", b"v".to_vec(), None).await?;
        assert_eq!(ctx.cache_get("k").await?, Some(b"v".to_vec()));
        let answer = ctx.call_model("chat", ModelRequest::Chat(vec![]), Some(5)).await?;
        assert_eq!(answer, ModelAnswer::Text("hi".into()));
        assert_eq!(ctx.call_model("chat", ModelRequest::Chat(vec![]), None).await.unwrap_err().fault, Fault::Upstream);
        Ok(())
    })
    .unwrap();
    assert_eq!(host.slept_ms, [250]);
    assert_eq!(host.logs[0].text, "line");
    assert_eq!(host.model_calls[0].max_output_tokens, Some(5));
}

#[test]
fn future_that_nobody_wakes_ends_the_call_with_a_sentence() {
    let error = run(&mut Host::default(), |_| async {
        std::future::pending::<()>().await;
        Ok(())
    })
    .unwrap_err();
    assert!(error.text().contains("only futures of the SDK"), "{error:?}");
}

#[test]
fn body_that_is_held_while_a_foreign_future_waits_does_not_hide_the_fault() {
    let mut host = Host::new([Exchange::new("GET", URL).body("abc")]);
    let error = run(&mut host, |ctx| async move {
        let _body = ctx.get(URL).await?;
        std::future::pending::<()>().await;
        Ok(())
    })
    .unwrap_err();
    assert!(error.text().contains("only futures of the SDK"), "{error:?}");
    assert_eq!(host.closed, [1]);
}

#[test]
fn future_that_wakes_itself_goes_on() {
    run(&mut Host::default(), |_| async {
        let mut turns = 0;
        poll_fn(|context| {
            turns += 1;
            context.waker().wake_by_ref();
            if turns < 10 { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
        Ok(())
    })
    .unwrap();
}

#[test]
fn deltas_leave_in_order_and_cancelling_at_any_step_leaves_nothing() {
    let script = [Exchange::new("GET", URL).body("0123456789".repeat(10))];
    let steps = cancel_at_every_step(&script, |host| {
        host.run(|ctx: StreamCtx<Delta>| async move {
            let mut body = ctx.get(URL).await?;
            while let Some(chunk) = body.chunk().await? {
                ctx.emit(Delta::Text(String::from_utf8_lossy(&chunk).into_owned()));
                ctx.sleep_ms(1).await;
            }
            Ok(())
        })
    });
    // A head, fifteen chunks, fifteen timers, an end.
    assert_eq!(steps, 32);
    let mut host = Host::new(script).cut(Cut::Every(7));
    let outcome = host.run(|ctx: StreamCtx<Delta>| async move {
        let mut body = ctx.get(URL).await?;
        while let Some(chunk) = body.chunk().await? {
            ctx.emit(Delta::Text(String::from_utf8_lossy(&chunk).into_owned()));
        }
        Ok(())
    });
    assert_eq!(outcome.text(), "0123456789".repeat(10));
}

#[test]
fn unknown_call_is_an_error_and_no_panic() {
    let calls = knowhost_plugin_sdk::call::Calls::<Delta, ()>::new();
    let step = calls.resume(9, knowhost_plugin_sdk::bindings::io::Event::Timer(1));
    assert!(step.end.unwrap().is_err());
    calls.cancel(9);
}

#[test]
fn request_carries_what_the_builder_was_told() {
    let mut host = Host::new([Exchange::new("PUT", URL)]);
    run(&mut host, |ctx| async move {
        ctx.request("PUT", URL).header("X-A", "1").json(&[1, 2]).secret_header("X-Key", "Token ", "api_key").timeout_ms(9).await?;
        Ok(())
    })
    .unwrap();
    let request = &host.requests[0];
    assert_eq!(request.body, b"[1,2]");
    assert_eq!(request.timeout_ms, Some(9));
    assert_eq!(request.headers.iter().map(|header| header.name.as_str()).collect::<Vec<_>>(), ["X-A", "Content-Type"]);
    assert!(
        matches!(&request.auth[..], [knowhost_plugin_sdk::Auth::Header(placed)] if placed.secret == "api_key" && placed.prefix == "Token ")
    );
}
