import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { recorded, sameAtEveryCut } from "knowhost-plugin/testing.js";
import { embedder } from "./plugin.js";

const script = recorded(readFileSync(new URL("exchanges/embed.json", import.meta.url), "utf8"));
const model = { name: "small", baseUrl: "http://127.0.0.1:8090", settings: [] };

test("a recorded call gives its rows", () => {
  const request = { model, purpose: "chunk", texts: ["The ferry leaves at seven.", "员工享有年假。"], dimensions: null };
  const { answer } = sameAtEveryCut(script, (host) => host.run(embedder, request));
  assert.equal(answer.dimension, 4);
  assert.deepEqual([...answer.data], [0.5, 0.5, 0.5, 0.5, 1, 0, 0, 0]);
});
