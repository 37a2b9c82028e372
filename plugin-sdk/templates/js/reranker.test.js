import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { recorded, sameAtEveryCut } from "knowhost-plugin/testing.js";
import { reranker } from "./plugin.js";

const script = recorded(readFileSync(new URL("exchanges/rerank.json", import.meta.url), "utf8"));
const model = { name: "small", baseUrl: "http://127.0.0.1:8090", settings: [] };

test("a recorded call gives the best first", () => {
  const texts = ["Tea is green.", "The ferry leaves at seven."];
  const request = { model, query: "When does the ferry leave?", texts, top: null };
  const { answer } = sameAtEveryCut(script, (host) => host.run(reranker, request));
  assert.deepEqual(answer.hits.map(({ index }) => index), [1, 0]);
});
