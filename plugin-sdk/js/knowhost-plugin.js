// Writing plugins for Knowhost in JavaScript: generator functions that `yield*` what the host does for them.
//
// Not here: sockets, files, clocks and promises. A plugin has none; `ctx` asks the host, under the grants that the operator gave.
// One file, because a component is built from it with nothing else around. Types: knowhost-plugin.d.ts.

/** The interface version that this file speaks. */
export const INTERFACE = "0.1";

/** What `Body.bytes` collects, and the longest line or event, unless told otherwise. */
export const BODY_BYTES_MAX = 32 << 20;
export const LINE_BYTES_MAX = 4 << 20;
// A chunk of many short events would be one long turn, which the other calls of the instance wait for and the host may end.
const TURN_BYTES = 16 << 10;

const WAITS_FOR_NOTHING =
  "the plugin waits for something that the host does not know: only what the SDK gives can be waited for in a plugin, with yield*";

// What an operation of the SDK yields; anything else comes from somebody who has no place in a plugin.
const PENDING = Symbol("pending");

// ---- errors -------------------------------------------------------------

/** Why a call failed; thrown by an author, its sentence goes to the user. `tag` says what the caller can do about it. */
export class PluginError extends Error {
  constructor(tag, text, retryAfterMs = null) {
    super(text);
    this.name = "PluginError";
    this.tag = tag;
    this.retryAfterMs = retryAfterMs;
  }
}

export const invalid = (text) => new PluginError("invalid", text);
export const unauthorised = (text) => new PluginError("unauthorised", text);
export const denied = (text) => new PluginError("denied", text);
export const notFound = (text) => new PluginError("not-found", text);
export const rateLimited = (text, retryAfterMs = null) => new PluginError("rate-limited", text, retryAfterMs);
export const tooLong = (text) => new PluginError("too-long", text);
export const upstream = (text) => new PluginError("upstream", text);
export const unsupported = (text) => new PluginError("unsupported", text);

/** An operation of the host failed: `fault` says how. An author may catch it and try again; otherwise it ends the call. */
export class HostFault extends PluginError {
  constructor(fault, text) {
    super(fault === "denied" || fault === "unsupported" ? fault : "upstream", text);
    this.name = "HostFault";
    this.fault = fault;
  }

  /** Whether the peer was not reached or the connection broke, so that another try may succeed. */
  get isTransport() {
    return this.fault === "connect" || this.fault === "timeout" || this.fault === "protocol";
  }
}

function unexpected(event) {
  if (event.tag === "fault") return new HostFault(event.val.fault, event.val.text);
  return new HostFault("protocol", `the host answered with ${event.tag}, which does not fit the operation`);
}

function wireError(error) {
  if (!(error instanceof PluginError)) {
    const place = /at (.*)/.exec(error?.stack ?? "");
    return { tag: "upstream", val: `the plugin failed: ${error}${place ? ` (${place[1].trim()})` : ""}` };
  }
  const text = error.message;
  return { tag: error.tag, val: error.tag === "rate-limited" ? { text, retryAfterMs: error.retryAfterMs } : text };
}

// ---- text ---------------------------------------------------------------

/** Text as UTF-8. Halves of characters become the replacement character. */
export function encodeUtf8(text) {
  const whole = String(text).replace(/[\ud800-\udbff](?![\udc00-\udfff])|(^|[^\ud800-\udbff])[\udc00-\udfff]/g, (_, before = "") => `${before}\ufffd`);
  const binary = unescape(encodeURIComponent(whole));
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

/** UTF-8 as text. What is none becomes the replacement character. */
export const decodeUtf8 = (bytes) => decodeBinary(toBinary(bytes));

/** Bytes as base64, as services want pictures inside JSON. */
export const base64 = (bytes) => btoa(toBinary(bytes));

// One character for each byte: strings are cut and joined by the engine itself, arrays are not.
function toBinary(bytes) {
  const pieces = [];
  for (let at = 0; at < bytes.length; at += 8192) pieces.push(String.fromCharCode.apply(null, bytes.subarray(at, at + 8192)));
  return pieces.join("");
}

function decodeBinary(binary) {
  if (!/[\x80-\xff]/.test(binary)) return binary;
  try {
    return decodeURIComponent(escape(binary));
  } catch {
    // One sequence after the other; what does not decode is replaced byte by byte.
    return binary.replace(/[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}|[\x80-\xff]/g, (sequence) => {
      try {
        return decodeURIComponent(escape(sequence));
      } catch {
        return "\ufffd".repeat(sequence.length);
      }
    });
  }
}

// ---- the executor -------------------------------------------------------

/** Everything that one call has with the host. */
class Io {
  constructor() {
    this.asks = [];
    this.deltas = [];
    this.slots = new Map();
    this.lastOp = 0;
  }

  open(ask) {
    const op = ++this.lastOp;
    this.slots.set(op, { ready: [], expecting: true });
    this.asks.push(ask(op));
    return op;
  }

  *event(op) {
    const slot = this.slots.get(op);
    while (slot.ready.length === 0) yield PENDING;
    return slot.ready.shift();
  }

  /** Asks for the next chunk, unless something has arrived already. */
  read(op) {
    const slot = this.slots.get(op);
    if (slot.ready.length === 0 && !slot.expecting) {
      slot.expecting = true;
      this.asks.push({ tag: "read", val: op });
    }
  }

  *pause(ms) {
    const op = this.open((op) => ({ tag: "sleep", val: { op, ms } }));
    // A fault of the timer ends the wait as well: there is nothing better to do with it.
    yield* this.event(op);
    this.slots.delete(op);
  }

  close(op) {
    if (this.slots.delete(op)) this.asks.push({ tag: "close", val: op });
  }

  deliver(event) {
    const slot = this.slots.get(typeof event.val === "number" ? event.val : event.val.op);
    if (slot) {
      slot.expecting = false;
      slot.ready.push(event);
    }
  }

  isWaiting() {
    for (const slot of this.slots.values()) if (slot.expecting) return true;
    return false;
  }
}

/** The calls under way in one instance, for one kind. */
class Calls {
  constructor(run) {
    this.run = run;
    this.running = new Map();
  }

  start(id, request) {
    const io = new Io();
    return this.advance(id, this.run(io, request), io);
  }

  resume(id, event) {
    const call = this.running.get(id);
    if (!call) return { asks: [], deltas: [], end: { tag: "err", val: wireError(invalid(`there is no call ${id}`)) } };
    this.running.delete(id);
    call.io.deliver(event);
    return this.advance(id, call.generator, call.io);
  }

  /** Drops a call. The host has closed its operations already. */
  cancel(id) {
    const call = this.running.get(id);
    this.running.delete(id);
    if (call) stop(call.generator);
  }

  advance(id, generator, io) {
    let end = null;
    try {
      const { done, value } = generator.next();
      if (done) {
        end = { tag: "ok", val: value };
      } else if (value !== PENDING || !io.isWaiting()) {
        stop(generator);
        end = { tag: "err", val: wireError(upstream(WAITS_FOR_NOTHING)) };
      }
    } catch (error) {
      end = { tag: "err", val: wireError(error) };
    }
    if (end) {
      for (const op of [...io.slots.keys()]) io.close(op);
    } else {
      this.running.set(id, { generator, io });
    }
    const step = { asks: io.asks, deltas: io.deltas, end };
    io.asks = [];
    io.deltas = [];
    return step;
  }
}

/** Ends a generator; what it tries to wait for while it ends is not waited for. */
function stop(generator) {
  try {
    generator.return();
  } catch {
    // It is gone either way.
  }
}

/** Runs several calls at the same time: `const [a, b] = yield* join(one(ctx), two(ctx))`. The first that fails ends the others. */
export function* join(...generators) {
  const results = new Array(generators.length);
  const running = new Map(generators.entries());
  try {
    for (;;) {
      for (const [index, generator] of [...running]) {
        const { done, value } = generator.next();
        if (done) {
          results[index] = value;
          running.delete(index);
        } else if (value !== PENDING) {
          throw upstream(WAITS_FOR_NOTHING);
        }
      }
      if (running.size === 0) return results;
      yield PENDING;
    }
  } finally {
    for (const generator of running.values()) stop(generator);
  }
}

// ---- exchanges ----------------------------------------------------------

/** `Authorization: Bearer` with the secret of this name; the host puts it in. */
export const bearer = (secret) => ({ tag: "bearer", val: secret });
/** `Authorization: Basic` with this name and the secret as its password. */
export const basic = (user, secret) => ({ tag: "basic", val: { user, secret } });
/** The header `name` with `prefix` and the secret of this name. */
export const secretHeader = (name, secret, prefix = "") => ({ tag: "header", val: { name, prefix, secret } });
/** The query parameter `name` with the secret of this name. */
export const secretQuery = (name, secret) => ({ tag: "query", val: { name, prefix: "", secret } });
/** Signed as AWS wants it; both keys are names of secrets. */
export const sigv4 = (accessKey, secretKey, region, service) => ({ tag: "sigv4", val: { accessKey, secretKey, region, service } });

// More of a refusal is not read, and not shown.
const REFUSAL_BYTES_MAX = 64 << 10;
const MESSAGE_CHARS_MAX = 1000;
// A service that wants to be left alone for longer is not waited for.
const RETRY_AFTER_MS_MAX = 86_400_000;

function refusal(status, retryAfter, body) {
  const message = messageOf(body);
  const text = message ? `the service answered ${status}: ${message}` : `the service answered ${status}`;
  if (status === 429) return rateLimited(text, retryAfterMs(retryAfter));
  if ([400, 405, 409, 415, 422].includes(status)) return invalid(text);
  const errors = { 401: unauthorised, 402: denied, 403: denied, 404: notFound, 413: tooLong };
  return (errors[status] ?? upstream)(text);
}

/** In seconds; a date is not understood, as a plugin has no clock. */
function retryAfterMs(value) {
  const ms = value?.trim() ? Number(value) * 1000 : NaN;
  return ms >= 0 && ms <= RETRY_AFTER_MS_MAX ? Math.ceil(ms) : null;
}

/** The sentence in the usual places of a JSON error, else the text itself; that of a page is not worth showing. */
function messageOf(body) {
  let text = /^\s*[<{[]/.test(body) ? "" : body;
  try {
    const { error, message, detail } = JSON.parse(body);
    text = [error?.message, error, message, detail].find((place) => typeof place === "string") ?? text;
  } catch {
    // No JSON, so the text has to do.
  }
  return [...text.trim().replace(/\s+/g, " ")].slice(0, MESSAGE_CHARS_MAX).join("");
}

/** A response. Its bytes stay with the peer until they are asked for. */
class Body {
  constructor(io, op, head) {
    this.io = io;
    this.op = op;
    this.status = head.status;
    this.headers = head.headers;
  }

  get isSuccess() {
    return this.status >= 200 && this.status < 300;
  }

  /** The response itself when it is a success; else throws what its status means, with the service's own sentence. */
  *accepted() {
    if (this.isSuccess) return this;
    throw refusal(this.status, this.header("retry-after"), yield* this.excerpt(REFUSAL_BYTES_MAX));
  }

  /** The first header of this name, case ignored; null when there is none. */
  header(name) {
    const wanted = name.toLowerCase();
    return this.headers.find((header) => header.name.toLowerCase() === wanted)?.value ?? null;
  }

  /** The next bytes; null at the end. */
  *chunk() {
    if (!this.io.slots.has(this.op)) return null;
    this.io.read(this.op);
    const event = yield* this.io.event(this.op);
    if (event.tag === "http-chunk") return Uint8Array.from(event.val.data);
    this.io.slots.delete(this.op);
    if (event.tag === "http-end") return null;
    throw unexpected(event);
  }

  *binary(maxBytes) {
    const pieces = [];
    let size = 0;
    for (let chunk; (chunk = yield* this.chunk()) !== null; ) {
      size += chunk.length;
      if (size > maxBytes) {
        this.close();
        throw new HostFault("too-large", `the response is larger than ${maxBytes} bytes`);
      }
      pieces.push(toBinary(chunk));
    }
    return pieces.join("");
  }

  /** All bytes; more than `maxBytes` are a fault. */
  *bytes(maxBytes = BODY_BYTES_MAX) {
    const binary = yield* this.binary(maxBytes);
    return Uint8Array.from(binary, (char) => char.charCodeAt(0));
  }

  *text(maxBytes = BODY_BYTES_MAX) {
    return decodeBinary(yield* this.binary(maxBytes));
  }

  /** The body as JSON. */
  *json() {
    const text = yield* this.text();
    try {
      return JSON.parse(text);
    } catch (error) {
      throw upstream(`the response is not the expected JSON: ${error.message}`);
    }
  }

  /** The beginning of the body as text, for error messages: what came before a fault. */
  *excerpt(maxBytes = 2000) {
    let binary = "";
    try {
      for (let chunk; binary.length < maxBytes && (chunk = yield* this.chunk()) !== null; ) binary += toBinary(chunk);
    } catch (error) {
      if (!(error instanceof HostFault)) throw error;
    }
    return decodeBinary(binary.slice(0, maxBytes));
  }

  /** The body line by line: `for (let line; (line = yield* lines.next()) !== null; )`. */
  lines(maxBytes = LINE_BYTES_MAX) {
    return new Lines(this, maxBytes);
  }

  /** The body as server-sent events, read with `next` like lines. */
  events(maxBytes = LINE_BYTES_MAX) {
    return new Events(this.lines(maxBytes));
  }

  /** Gives the rest of the body up. */
  close() {
    this.io.close(this.op);
  }
}

/** Lines of a body. Ends are LF or CRLF; the last one may have none. */
class Lines {
  constructor(body, maxBytes) {
    this.body = body;
    this.maxBytes = maxBytes;
    this.lines = [];
    this.at = 0;
    // Pieces of a line whose end has not come.
    this.open = [];
    this.openBytes = 0;
    this.done = false;
    this.turnBytes = 0;
  }

  /** The next line without its end; null after the last. */
  *next() {
    while (this.at === this.lines.length) {
      if (this.done) return null;
      this.turnBytes = 0;
      this.take(yield* this.body.chunk());
    }
    if (this.turnBytes > TURN_BYTES) {
      this.turnBytes = 0;
      yield* this.body.io.pause(0);
    }
    const line = this.lines[this.at++];
    this.turnBytes += line.length;
    return decodeBinary(line.endsWith("\r") ? line.slice(0, -1) : line);
  }

  take(chunk) {
    this.lines = [];
    this.at = 0;
    if (chunk === null) {
      this.done = true;
      if (this.openBytes > 0) this.lines.push(this.open.join(""));
      return;
    }
    const parts = toBinary(chunk).split("\n");
    this.open.push(parts[0]);
    this.openBytes += parts[0].length;
    if (parts.length > 1) {
      this.lines = [this.open.join(""), ...parts.slice(1, -1)];
      this.open = [parts[parts.length - 1]];
      this.openBytes = this.open[0].length;
    }
    if (this.openBytes > this.maxBytes || this.lines.some((line) => line.length > this.maxBytes)) {
      throw new HostFault("too-large", `the response has a line of more than ${this.maxBytes} bytes`);
    }
  }

  /** The next line that is not blank, as JSON (NDJSON); null after the last. */
  *nextJson() {
    for (let line; (line = yield* this.next()) !== null; ) {
      if (line.trim() === "") continue;
      try {
        return JSON.parse(line);
      } catch (error) {
        throw upstream(`a line of the response is not the expected JSON: ${error.message}`);
      }
    }
    return null;
  }
}

/** Server-sent events of a body. Comments are skipped; the last event needs no blank line after it. */
class Events {
  constructor(lines) {
    this.lines = lines;
    // A lone CR is a line end too, so one line may hold several.
    this.parts = [];
    this.first = true;
  }

  /** The next event that carries data, `{ event, data, id }`; null at the end of the body. */
  *next() {
    let event = { event: "", data: "", id: null };
    let data = [];
    let size = 0;
    for (;;) {
      const line = this.parts.length > 0 ? this.parts.shift() : yield* this.line();
      if (!line) {
        if (data.length > 0) return { ...event, data: data.join("\n") };
        if (line === null) return null;
        event = { event: "", data: "", id: null };
        continue;
      }
      const colon = line.indexOf(":");
      const name = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
      if (name === "data") {
        size += value.length;
        if (size > this.lines.maxBytes) throw new HostFault("too-large", `an event of more than ${this.lines.maxBytes} bytes`);
        data.push(value);
      } else if (name === "event" || name === "id") {
        event[name] = value;
      }
    }
  }

  *line() {
    let line = yield* this.lines.next();
    if (line === null) return null;
    if (this.first) {
      this.first = false;
      if (line.startsWith("\ufeff")) line = line.slice(1);
    }
    if (!line.includes("\r")) return line;
    this.parts = line.split("\r");
    return this.parts.shift();
  }
}

// ---- what a call can ask for --------------------------------------------

/** The handle of one call. */
class Ctx {
  constructor(io) {
    this.io = io;
  }

  /** Sends a request and waits for the head of its response, whatever the status. */
  /** UTF-8, a long text in several turns. */
  *encoded(text) {
    const pieces = [];
    let size = 0;
    for (let at = 0, end; at < text.length; at = end) {
      end = at + TURN_BYTES;
      // A character of two halves stays whole.
      if (/[\ud800-\udbff]/.test(text[end - 1] ?? "")) end++;
      // What came before, and what comes after, have had their own turns.
      if (text.length > TURN_BYTES) yield* this.io.pause(0);
      const piece = encodeUtf8(text.slice(at, end));
      size += piece.length;
      pieces.push(piece);
    }
    if (pieces.length > 1) yield* this.io.pause(0);
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const piece of pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }

  *request(method, url, { headers = {}, auth = [], json, body = [], timeoutMs = null } = {}) {
    const sent = Object.entries(headers).map(([name, value]) => ({ name, value: String(value) }));
    let bytes = typeof body === "string" ? yield* this.encoded(body) : Uint8Array.from(body);
    if (json !== undefined) {
      sent.push({ name: "Content-Type", value: "application/json" });
      bytes = yield* this.encoded(JSON.stringify(json));
    }
    const places = Array.isArray(auth) ? auth : [auth];
    const op = this.io.open((op) => ({ tag: "http", val: { op, method, url, headers: sent, auth: places, body: bytes, timeoutMs } }));
    const event = yield* this.io.event(op);
    if (event.tag === "http-head") return new Body(this.io, op, event.val);
    this.io.slots.delete(op);
    throw unexpected(event);
  }

  *get(url, options) {
    return yield* this.request("GET", url, options);
  }

  *post(url, options) {
    return yield* this.request("POST", url, options);
  }

  *single(ask, wanted) {
    const op = this.io.open(ask);
    const event = yield* this.io.event(op);
    this.io.slots.delete(op);
    if (event.tag !== wanted) throw unexpected(event);
    return event.val;
  }

  *sleepMs(ms) {
    yield* this.io.pause(ms);
  }

  /** A line in the host's log, tagged with the plugin's name. Levels: debug, info, warn, error. */
  log(text, level = "info") {
    this.io.asks.push({ tag: "log", val: { level, text: String(text) } });
  }

  /** Asks another model of the caller's tenant: `chat`, `embed`, `rerank` or a model id that the manifest allows. */
  *callModel(model, request, maxOutputTokens = null) {
    return (yield* this.single((op) => ({ tag: "model", val: { op, model, request, maxOutputTokens } }), "model")).answer;
  }

  *askModel(model, request, wanted, maxOutputTokens) {
    const answer = yield* this.callModel(model, request, maxOutputTokens);
    if (answer.tag !== wanted) throw new HostFault("protocol", `the model answered with ${answer.tag}, which was not asked for`);
    return answer.val;
  }

  /** What another chat model says to these turns, `{ role, text }`. */
  *askChat(turns, model = "chat", maxOutputTokens = null) {
    return yield* this.askModel(model, { tag: "chat", val: turns }, "text", maxOutputTokens);
  }

  /** The vectors that another embedder makes of these texts: `{ dimension, data }`. */
  *askEmbed(texts, model = "embed") {
    return yield* this.askModel(model, { tag: "embed", val: texts }, "vectors", null);
  }

  /** One score in [0, 1] from another reranker for each text, in the order of the texts. */
  *askRerank(query, texts, model = "rerank") {
    return yield* this.askModel(model, { tag: "rerank", val: { query, texts } }, "scores", null);
  }

  /** Reads the plugin's cache; null: not there, or not any more. */
  *cacheGet(key) {
    const { value } = yield* this.single((op) => ({ tag: "cache-get", val: { op, key } }), "cache-value");
    return value ? Uint8Array.from(value) : null;
  }

  *cachePut(key, value, ttlMs = null) {
    yield* this.single((op) => ({ tag: "cache-put", val: { op, key, value, ttlMs } }), "cache-stored");
  }
}

/** The handle of a kind that says things before its end. */
class StreamCtx extends Ctx {
  /** Hands a piece to the caller. It leaves with the next step: at the next `yield*`, or at the end. */
  emit(delta) {
    this.io.deltas.push(delta);
  }
}

class ChatCtx extends StreamCtx {
  /** Sends text. */
  emit(text) {
    this.io.deltas.push({ tag: "text", val: String(text) });
  }

  /** Sends a piece of what the model thinks. */
  emitReasoning(text) {
    this.io.deltas.push({ tag: "reasoning", val: String(text) });
  }

  /** Sends a piece of a tool call; `arguments` is a piece of its JSON text. */
  emitTool({ index, id = null, name = null, arguments: pieces = "" }) {
    this.io.deltas.push({ tag: "tool", val: { index, id, name, arguments: pieces } });
  }
}

// ---- requests -----------------------------------------------------------

/** A setting of the model row as JavaScript value. One that is no JSON counts as text; null and what is missing give `fallback`. */
export function setting(model, name, fallback = null) {
  const found = model.settings.find((candidate) => candidate.name === name);
  if (!found) return fallback;
  try {
    return JSON.parse(found.value) ?? fallback;
  } catch {
    return found.value;
  }
}

/** `path` under the model's address, or under `fallback` when it has none. */
export function modelUrl(model, fallback, path) {
  return `${(model.baseUrl.trim() || fallback).replace(/\/+$/, "")}/${path.replace(/^\/+/, "")}`;
}

/** All text of a message. */
export function textOf(message) {
  return message.parts.map((part) => (part.tag === "text" ? part.val : "")).join("");
}

// ---- kinds --------------------------------------------------------------

/** Export the result as `embedder`: `function* (ctx, request)` gives `{ dimension, data, usage }`, rows flat and in order. */
export function embedder(embed) {
  return exported(Ctx, embed, ({ dimension, data, usage = null }) => ({ dimension, data, usage }), null);
}

/** Export the result as `reranker`: `function* (ctx, request)` gives `{ hits: [{ index, relevanceScore }], usage }`, best first. */
export function reranker(rerank) {
  return exported(Ctx, rerank, ({ hits, usage = null }) => ({ hits, usage }), null);
}

/** Export the result as `chatModel`: `function* (ctx, request)` emits pieces and gives `{ finish, usage }`. */
export function chatModel(chat) {
  const isLong = (message) => textOf(message).length > TURN_BYTES;
  return exported(ChatCtx, function* (ctx, request) {
    // Taking a long conversation in was a turn's work already.
    if (request.messages?.some(isLong)) yield* ctx.sleepMs(0);
    return yield* chat(ctx, request);
  }, ({ finish = "stop", usage = null } = {}) => ({ finish, usage }), "deltas");
}

/** Export the result as `catalogue`: an object with some of `status`, `models`, `check`, `pull`, `remove`, each `function* (ctx, model)`. */
export function catalogue(provider) {
  const reply = { status: "status", models: "models", check: "check", pull: "done", remove: "done" };
  function* answer(ctx, { model, query }) {
    const method = provider[query.tag];
    if (!method) throw unsupported(`this provider does not know how to answer ${query.tag}`);
    const val = yield* method.call(provider, ctx, model);
    return reply[query.tag] === "done" ? { tag: "done" } : { tag: reply[query.tag], val };
  }
  return exported(StreamCtx, answer, (found) => found, "progress");
}

/** Export the result as `tokenizer`: `(texts, mode)` gives `{ counts, spans }` at once; there is nothing to wait for. */
export function tokenizer(tokenize) {
  return {
    tokenize(texts, mode) {
      try {
        return tokenize(texts, mode);
      } catch (error) {
        throw wireError(error);
      }
    },
  };
}

function exported(Handle, run, toAnswer, deltas) {
  const calls = new Calls(function* (io, request) {
    return toAnswer(yield* run(new Handle(io), request));
  });
  const toStep = (step) => (deltas === null ? { asks: step.asks, end: step.end } : { asks: step.asks, [deltas]: step.deltas, end: step.end });
  return {
    start: (id, request) => toStep(calls.start(id, request)),
    resume: (id, event) => toStep(calls.resume(id, event)),
    cancel: (id) => calls.cancel(id),
  };
}
