// The executor and what a call can ask for, against the scripted host.

import assert from "node:assert/strict";
import test from "node:test";
import {
  HostFault, base64, basic, bearer, catalogue, chatModel, decodeUtf8, embedder, encodeUtf8, invalid, join, modelUrl, rateLimited, reranker,
  secretHeader, setting, textOf as textOfMessage, tokenizer,
} from "../knowhost-plugin.js";
import { Host, cancelAtEveryStep, exchange, recorded, sameAtEveryCut, textOf } from "../testing.js";

const URL = "https://api.example.com/v1";
const REQUEST = { model: { name: "any", baseUrl: URL, settings: [] } };

/** A plugin whose answer is whatever `call` gives. */
const any = (call) => catalogue({ status: call });
const ask = (host, call) => {
  const outcome = host.run(any(call), { model: REQUEST.model, query: { tag: "status" } });
  return outcome.error ? { error: outcome.error } : outcome.answer?.val;
};

test("body is read chunk by chunk and the request names its secrets", () => {
  const host = new Host([exchange("POST", URL, { status: 201, headers: { "X-Kind": "odd" }, body: "abcdef" })], { cut: 4 });
  const found = ask(host, function* (ctx) {
    const options = { json: { ü: 1 }, headers: { "X-A": "b" }, auth: [bearer("key"), secretHeader("X-K", "other")], timeoutMs: 5 };
    const body = yield* ctx.post(URL, options);
    assert.deepEqual([body.status, body.isSuccess, body.header("x-kind"), body.header("none")], [201, true, "odd", null]);
    const chunks = [];
    for (let chunk; (chunk = yield* body.chunk()) !== null; ) chunks.push(decodeUtf8(chunk));
    return chunks.join("|");
  });
  assert.equal(found, "abcd|ef");
  const [request] = host.requests;
  assert.equal(decodeUtf8(request.body), '{"ü":1}');
  assert.deepEqual(request.headers, [{ name: "X-A", value: "b" }, { name: "Content-Type", value: "application/json" }]);
  assert.deepEqual(request.auth, [{ tag: "bearer", val: "key" }, { tag: "header", val: { name: "X-K", prefix: "", secret: "other" } }]);
  assert.equal(request.timeoutMs, 5);
  assert.deepEqual(host.closed, []);
});

test("each status becomes its error, with the service's sentence", () => {
  const refused = (status, options = {}) =>
    ask(new Host([exchange("GET", URL, { status, ...options })]), function* (ctx) {
      return String((yield* (yield* ctx.get(URL)).accepted()).status);
    });
  assert.equal(refused(204), "204");
  const limited = { tag: "rate-limited", val: { text: "the service answered 429: slow down", retryAfterMs: 1500 } };
  assert.deepEqual(refused(429, { headers: { "Retry-After": "1.5" }, body: "slow\ndown" }).error, limited);
  assert.equal(refused(429, { headers: { "retry-after": "Tue, 1 Jan" } }).error.val.retryAfterMs, null);
  assert.deepEqual(refused(500, { body: "<html>no</html>" }).error, { tag: "upstream", val: "the service answered 500" });
  assert.deepEqual(refused(404, { body: '{"error":{"message":"no model"}}' }).error, { tag: "not-found", val: "the service answered 404: no model" });
  assert.deepEqual(refused(401, { body: "null" }).error, { tag: "unauthorised", val: "the service answered 401: null" });
});

test("recorded exchanges are played", () => {
  const text = JSON.stringify({ exchanges: [{ method: "GET", url: URL, status: 200, response_headers: { "x-a": "b" }, chunks: ["a", "ü"] }] });
  const said = ask(new Host(recorded(text)), function* (ctx) {
    const body = yield* ctx.get(URL);
    return body.header("x-a") + (yield* body.text());
  });
  assert.equal(said, "baü");
});

test("lines and events are the same at every cut", () => {
  const text = '\ufeffevent: a\r\ndata: grüß 你好 😀\r\ndata:second\n\n: comment\ndata: {"x": 1}\nid: 7\n\ndata: last';
  const read = (kind) =>
    function* (ctx) {
      const reader = (yield* ctx.get(URL, { auth: basic("user", "key") }))[kind]();
      const found = [];
      for (let item; (item = yield* reader.next()) !== null; ) found.push(item);
      return found;
    };
  const script = [exchange("GET", URL, { body: text })];
  assert.deepEqual(sameAtEveryCut(script, (host) => ask(host, read("events"))), [
    { event: "a", data: "grüß 你好 😀\nsecond", id: null },
    { event: "", data: '{"x": 1}', id: "7" },
    { event: "", data: "last", id: null },
  ]);
  assert.deepEqual(sameAtEveryCut(script, (host) => ask(host, read("lines"))), text.replaceAll("\r", "").split("\n"));
});

test("chunk of many lines is read in several turns", () => {
  const host = new Host([exchange("GET", URL, { body: "0123456789\n".repeat(6000) })]);
  const count = ask(host, function* (ctx) {
    const lines = (yield* ctx.get(URL)).lines();
    let count = 0;
    while ((yield* lines.next()) !== null) count++;
    return count;
  });
  assert.equal(count, 6000);
  assert.deepEqual(host.sleptMs, [0, 0, 0]);
});

test("bytes that are no text and lines that are too long are survived", () => {
  function* lines(ctx) {
    const reader = (yield* ctx.get(URL)).lines(5);
    const found = [];
    for (let line; (line = yield* reader.next()) !== null; ) found.push(line);
    return found;
  }
  const body = Uint8Array.from([0xff, 0x0a, 0xe4, 0xbd]);
  assert.deepEqual(ask(new Host([exchange("GET", URL, { body })]), lines), ["\ufffd", "\ufffd\ufffd"]);
  for (const body of ["123456", "1\n123456\n"]) {
    const { error } = ask(new Host([exchange("GET", URL, { body })], { cut: 2 }), lines);
    assert.match(error.val, /more than 5 bytes/);
  }
});

test("text goes there and back, halves of characters do not", () => {
  for (const text of ["", "plain", "grüß 你好 😀", "\u0000\u007f\u0080"]) {
    assert.equal(decodeUtf8(encodeUtf8(text)), text);
    assert.deepEqual(encodeUtf8(text), new TextEncoder().encode(text));
  }
  assert.equal(decodeUtf8(encodeUtf8("a\ud800b\udc00c")), "a\ufffdb\ufffdc");
  assert.equal(base64(Uint8Array.from([0xfb, 0xff])), "+/8=");
  assert.equal(decodeUtf8(new Uint8Array(100_000).fill(65)).length, 100_000);
});

test("two calls at once share the host, and the first failure ends the others", () => {
  function* one(ctx, url) {
    yield* ctx.sleepMs(20);
    return yield* (yield* ctx.get(url)).json();
  }
  const host = new Host([exchange("GET", `${URL}/a`, { body: "[1]" }), exchange("GET", `${URL}/b`, { body: "[2]" })], { cut: 1 });
  const found = ask(host, function* (ctx) {
    return yield* join(one(ctx, `${URL}/a`), one(ctx, `${URL}/b`));
  });
  assert.deepEqual([found, host.sleptMs], [[[1], [2]], [20, 20]]);
  const failing = new Host([exchange("GET", URL, { body: "x".repeat(100) })], { cut: 1 });
  const { error } = ask(failing, function* (ctx) {
    function* slow() {
      const body = yield* ctx.get(URL);
      while (yield* body.chunk());
    }
    function* bad() {
      yield* ctx.sleepMs(1);
      throw invalid("no");
    }
    yield* join(slow(), bad());
  });
  assert.deepEqual([error, failing.closed], [{ tag: "invalid", val: "no" }, [1]]);
});

test("faults become errors unless they are caught", () => {
  function* call(ctx) {
    try {
      yield* ctx.get(URL);
    } catch (error) {
      assert.ok(error instanceof HostFault && error.isTransport);
    }
    return yield* (yield* ctx.get(URL)).text();
  }
  const lost = exchange("GET", URL, { status: null, fault: { fault: "connect", text: "nobody there" } });
  assert.equal(ask(new Host([lost, exchange("GET", URL, { body: "ok" })]), call), "ok");
  for (const [fault, tag] of [["denied", "denied"], ["unsupported", "unsupported"], ["timeout", "upstream"]]) {
    const host = new Host([lost, exchange("GET", URL, { body: "o", fault: { fault, text: "words" } })]);
    assert.deepEqual(ask(host, call).error, { tag, val: "words" });
  }
});

test("faults of the author and waiting for something else are told in plain words", () => {
  const broken = ask(new Host([exchange("GET", URL)]), function* (ctx) {
    yield* ctx.get(URL);
    null.x;
  });
  assert.match(broken.error.val, /the plugin failed: TypeError.*call\.test\.js/);
  const waiting = ask(new Host(), function* () {
    yield Promise.resolve();
  });
  assert.match(waiting.error.val, /only what the SDK gives/);
});

test("chat emits text, reasoning and tools", () => {
  const chat = chatModel(function* (ctx) {
    ctx.emit("a");
    ctx.emitReasoning("b");
    yield* ctx.sleepMs(1);
    ctx.emitTool({ index: 0, id: "id", name: "name", arguments: "{}" });
    ctx.log("done", "warn");
  });
  const host = new Host();
  const outcome = host.run(chat, REQUEST);
  assert.equal(textOf(outcome), "a");
  assert.deepEqual(outcome.deltas.slice(1), [
    { tag: "reasoning", val: "b" },
    { tag: "tool", val: { index: 0, id: "id", name: "name", arguments: "{}" } },
  ]);
  assert.deepEqual([outcome.answer, host.logs], [{ finish: "stop", usage: null }, [{ level: "warn", text: "done" }]]);
});

test("other models and the cache are asked", () => {
  const host = new Host();
  host.modelAnswers = [{ tag: "text", val: "yo" }, { tag: "vectors", val: { dimension: 1, data: [2] } }, { tag: "scores", val: [0.5] }];
  function* call(ctx) {
    const kept = yield* ctx.cacheGet("k");
    if (kept) return decodeUtf8(kept);
    const text = yield* ctx.askChat([{ role: "user", text: "hi" }], "chat", 5);
    const found = [text, (yield* ctx.askEmbed(["x"])).data, yield* ctx.askRerank("q", ["x"])];
    yield* ctx.cachePut("k", encodeUtf8(text), 9);
    return found;
  }
  assert.deepEqual(ask(host, call), ["yo", [2], [0.5]]);
  assert.equal(ask(host, call), "yo");
  host.cache.clear();
  host.modelAnswers = [{ tag: "scores", val: [1] }];
  assert.match(ask(host, call).error.val, /answered with scores/);
});

test("call is dropped at every step without leftovers", () => {
  let ended = 0;
  const call = any(function* (ctx) {
    try {
      const lines = (yield* ctx.get(URL)).lines();
      while ((yield* lines.next()) !== null) yield* ctx.sleepMs(1);
    } finally {
      ended++;
    }
    return "";
  });
  const script = [exchange("GET", URL, { body: "a\nb\nc\n".repeat(3) })];
  const count = cancelAtEveryStep(script, (host) => host.run(call, { model: REQUEST.model, query: { tag: "status" } }));
  assert.ok(count > 5 && ended === count + 1, `${count} ${ended}`);
  assert.match(call.resume(7, { tag: "timer", val: 1 }).end.val.val, /there is no call 7/);
});

test("kinds answer in the shapes of the interface", () => {
  const host = new Host();
  assert.deepEqual(host.run(embedder(function* () { return { dimension: 1, data: [0.5] }; }), REQUEST).answer, { dimension: 1, data: [0.5], usage: null });
  assert.deepEqual(host.run(reranker(function* () { return { hits: [] }; }), REQUEST).answer, { hits: [], usage: null });
  const limited = reranker(function* () { throw rateLimited("slow down", 500); });
  assert.deepEqual(host.run(limited, REQUEST).error, { tag: "rate-limited", val: { text: "slow down", retryAfterMs: 500 } });
  assert.match(ask(host, undefined).error.val, /does not know how to answer status/);
  const words = tokenizer((texts) => { if (texts.length === 0) throw invalid("nothing"); return { counts: [1], spans: [0, 1] }; });
  assert.deepEqual(words.tokenize(["a"], "index"), { counts: [1], spans: [0, 1] });
  assert.throws(() => words.tokenize([], "index"), { tag: "invalid", val: "nothing" });
});

test("requests are read", () => {
  const settings = [["a", '"x"'], ["b", "bare"], ["c", "true"], ["e", "12"], ["f", "null"]].map(([name, value]) => ({ name, value }));
  const model = { name: "", baseUrl: "http://a/v1//", settings };
  assert.deepEqual(["a", "b", "c", "e", "f", "z"].map((name) => setting(model, name)), ["x", "bare", true, 12, null, null]);
  assert.equal(setting(model, "f", 3), 3);
  assert.equal(modelUrl(model, "http://b", "/path"), "http://a/v1/path");
  assert.equal(modelUrl({ ...model, baseUrl: " " }, "http://b/", "path"), "http://b/path");
  assert.equal(textOfMessage({ parts: [{ tag: "text", val: "a" }, { tag: "image", val: {} }, { tag: "text", val: "b" }] }), "ab");
});
