// A host for unit tests: runs a plugin here against scripted exchanges, with bodies cut anywhere and calls cancelled at any step.
//
// Not here: grants, limits and secrets; the real host checks those.

import assert from "node:assert/strict";

/** One exchange of the script. With `fault` (`{ fault, text }`) the body breaks after its bytes; with `status: null` no head ever comes. */
export function exchange(method, url, { status = 200, headers = {}, body = "", fault = null } = {}) {
  return { method, url, status, headers, body: typeof body === "string" ? new TextEncoder().encode(body) : body, fault };
}

/** The exchanges of a file that `knowhost plugin record` wrote (`exchanges/*.json`), so that a test needs no network. */
export function recorded(text) {
  const play = (one) => exchange(one.method, one.url, { status: one.status, headers: one.response_headers, body: one.chunks.join("") });
  return JSON.parse(text).exchanges.map(play);
}

/** The scripted host. `cut`: bodies arrive in pieces of so many bytes; `cutAt`: in two; `cancelAfter`: dropped after so many events. */
export class Host {
  constructor(script = [], { cut = null, cutAt = null, cancelAfter = null } = {}) {
    this.script = [...script];
    Object.assign(this, { cut, cutAt, cancelAfter });
    this.requests = [];
    this.sleptMs = [];
    this.logs = [];
    this.closed = [];
    this.modelCalls = [];
    /** What other models answer, first to last: `{ tag, val }` or `{ fault, text }`. */
    this.modelAnswers = [];
    this.cache = new Map();
    this.bodies = new Map();
    this.waiting = [];
  }

  /** The body of a request as JSON. */
  requestJson(index) {
    return JSON.parse(new TextDecoder().decode(this.requests[index].body));
  }

  /** Runs a call of what a plugin exports to its end: `{ deltas, answer }`, `{ deltas, error }` or `{ deltas, cancelled: true }`. */
  run(exported, request) {
    const deltas = [];
    let events = 0;
    let step = exported.start(7, request);
    for (;;) {
      deltas.push(...(step.deltas ?? step.progress ?? []));
      for (const ask of step.asks) this.carryOut(ask);
      if (step.end) return step.end.tag === "ok" ? { deltas, answer: step.end.val } : { deltas, error: step.end.val };
      if (this.cancelAfter === events++) {
        exported.cancel(7);
        return { deltas, cancelled: true };
      }
      assert.ok(this.waiting.length > 0, "the plugin waits for nothing that the host knows");
      step = exported.resume(7, this.waiting.shift());
    }
  }

  carryOut({ tag, val }) {
    const put = (tag, val) => this.waiting.push({ tag, val });
    if (tag === "http") this.waiting.push(this.exchange(val));
    else if (tag === "read") this.waiting.push(this.read(val));
    else if (tag === "close") {
      this.closed.push(val);
      this.bodies.delete(val);
    } else if (tag === "sleep") {
      this.sleptMs.push(val.ms);
      put("timer", val.op);
    } else if (tag === "log") this.logs.push(val);
    else if (tag === "model") {
      this.modelCalls.push(val);
      const answer = this.modelAnswers.shift() ?? { fault: "unsupported", text: "no model in this test" };
      if (answer.fault) put("fault", { op: val.op, ...answer });
      else put("model", { op: val.op, answer });
    } else if (tag === "cache-get") put("cache-value", { op: val.op, value: this.cache.get(val.key) ?? null });
    else if (tag === "cache-put") {
      this.cache.set(val.key, val.value);
      put("cache-stored", val.op);
    } else assert.fail(`an ask that no host knows: ${tag}`);
  }

  exchange(request) {
    const next = this.script.shift();
    assert.ok(next, `a request that the script does not have: ${request.method} ${request.url}`);
    assert.deepEqual([request.method, request.url], [next.method, next.url]);
    this.requests.push(request);
    if (next.status === null) return { tag: "fault", val: { op: request.op, ...(next.fault ?? { fault: "connect", text: "no connection" }) } };
    this.bodies.set(request.op, { pieces: this.pieces(next.body), fault: next.fault });
    const headers = Object.entries(next.headers).map(([name, value]) => ({ name, value }));
    return { tag: "http-head", val: { op: request.op, status: next.status, headers } };
  }

  pieces(body) {
    const places = this.cutAt !== null ? [0, this.cutAt] : Array.from({ length: Math.ceil(body.length / (this.cut ?? Infinity)) || 1 }, (_, at) => at * (this.cut ?? 0));
    return places.map((from, at) => body.subarray(from, places[at + 1])).filter((piece) => piece.length > 0);
  }

  read(op) {
    const body = this.bodies.get(op);
    assert.ok(body, `a read of a body that is not open: ${op}`);
    if (body.pieces.length > 0) return { tag: "http-chunk", val: { op, data: body.pieces.shift() } };
    this.bodies.delete(op);
    return body.fault ? { tag: "fault", val: { op, ...body.fault } } : { tag: "http-end", val: op };
  }
}

/** All text of a chat call. */
export const textOf = (outcome) => outcome.deltas.map(({ tag, val }) => (tag === "text" ? val : "")).join("");

/** Runs the same call with its bodies whole, cut in two at every place, and in small pieces, and wants the same outcome each time. */
export function sameAtEveryCut(script, call) {
  const whole = call(new Host(script));
  const longest = Math.max(0, ...script.map(({ body }) => body.length));
  const cuts = Array.from({ length: Math.max(0, longest - 1) }, (_, at) => ({ cutAt: at + 1 }));
  for (const options of [...cuts, { cut: 1 }, { cut: 2 }, { cut: 3 }]) {
    assert.deepEqual(call(new Host(script, options)), whole, `with ${JSON.stringify(options)}`);
  }
  return whole;
}

/** Cancels the same call after 0, 1, 2 ... events until it comes to its end. Returns how often it was cancelled. */
export function cancelAtEveryStep(script, call) {
  for (let events = 0; events < 100_000; events++) {
    if (!call(new Host(script, { cut: 7, cancelAfter: events })).cancelled) return events;
  }
  return assert.fail("the call does not end");
}
