// The plugin against recorded forms of the service, with bodies cut at every byte.

import assert from "node:assert/strict";
import test from "node:test";
import { Host, cancelAtEveryStep, exchange, sameAtEveryCut } from "knowhost-plugin/testing.js";
import { reranker } from "../plugin.js";

const URL = "https://api.voyageai.com/v1/rerank";
const request = (fields = {}) => ({
  model: { name: "rerank-test", baseUrl: "", settings: [] },
  query: "Wann fährt die Fähre?",
  texts: ["tea", "  ", "渡轮七点开"],
  top: null,
  ...fields,
});
const answer = (data, usage = { total_tokens: 26 }) => JSON.stringify({ object: "list", data, model: "rerank-test", usage });
const run = (options, fields) => {
  const host = new Host([exchange("POST", URL, options)]);
  return { ...host.run(reranker, request(fields)), host };
};

test("scores come best first, however the answer is cut", () => {
  const body = answer([{ index: 0, relevance_score: 0.25 }, { index: 2, relevance_score: 0.75 }, { index: 1, relevance_score: -0.1 }]);
  const outcome = sameAtEveryCut([exchange("POST", URL, { body })], (host) => host.run(reranker, request()));
  assert.deepEqual(outcome.answer, {
    hits: [{ index: 2, relevanceScore: 0.75 }, { index: 0, relevanceScore: 0.25 }, { index: 1, relevanceScore: 0 }],
    usage: { inputTokens: 26, outputTokens: 0 },
  });
});

test("request says what was asked and names the key", () => {
  const settings = [{ name: "truncation", value: "false" }];
  const { host } = run({ body: answer([]) }, { top: 9, model: { name: "m", baseUrl: "https://api.voyageai.com/v1/", settings } });
  assert.deepEqual(host.requests[0].auth, [{ tag: "bearer", val: "api_key" }]);
  assert.deepEqual(host.requestJson(0), {
    model: "m",
    query: "Wann fährt die Fähre?",
    documents: ["tea", "-", "渡轮七点开"],
    top_k: 3,
    truncation: false,
  });
});

test("fewer are returned when fewer are wanted", () => {
  const { answer: found } = run({ body: answer([{ index: 0, relevance_score: 0.2 }, { index: 1, relevance_score: 0.4 }], null) }, { top: 1 });
  assert.deepEqual(found, { hits: [{ index: 1, relevanceScore: 0.4 }], usage: null });
});

test("refusals keep the words of the service", () => {
  const tags = { 400: "invalid", 401: "unauthorised", 403: "denied", 404: "not-found", 413: "too-long", 500: "upstream", 503: "upstream" };
  for (const [status, tag] of Object.entries(tags)) {
    const { error } = run({ status: Number(status), body: '{"detail": "because"}' });
    assert.deepEqual(error, { tag, val: `the service answered ${status}: because` });
  }
  const limited = run({ status: 429, headers: { "Retry-After": "2" }, body: "<html>" });
  assert.deepEqual(limited.error, { tag: "rate-limited", val: { text: "the service answered 429", retryAfterMs: 2000 } });
});

test("answers of another form are errors", () => {
  const item = (index, relevance_score = 0.5) => ({ index, relevance_score });
  const bodies = ["", "[]", "null", '{"data": 1}', answer([null]), answer([item(3)]), answer([item(-1)]), answer([item(0), item(0)]), answer([item(1, "x")])];
  for (const body of bodies) assert.equal(run({ body }).error?.tag, "upstream", body);
});

test("nothing to rank sends nothing", () => {
  const host = new Host();
  assert.deepEqual(host.run(reranker, request({ texts: [] })).answer, { hits: [], usage: null });
  assert.equal(host.run(reranker, request({ query: " " })).error.tag, "invalid");
  assert.equal(host.requests.length, 0);
});

test("call can be dropped at every step", () => {
  const body = answer([{ index: 0, relevance_score: 0.5 }]);
  assert.ok(cancelAtEveryStep([exchange("POST", URL, { body })], (host) => host.run(reranker, request())) > 3);
});
