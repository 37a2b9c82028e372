import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { cancelAtEveryStep, recorded, sameAtEveryCut, textOf } from "knowhost-plugin/testing.js";
import { chatModel } from "./plugin.js";

const script = recorded(readFileSync(new URL("exchanges/chat.json", import.meta.url), "utf8"));
const model = { name: "small", baseUrl: "http://127.0.0.1:8090", settings: [] };
const question = { role: "user", parts: [{ tag: "text", val: "When does the ferry leave?" }], toolCalls: [], toolCallId: null };
const request = { model, task: "answer", messages: [question], tools: [], toolChoice: null, options: { stop: [] }, question: null, sources: [] };

test("a recorded call gives its text", () => {
  assert.equal(sameAtEveryCut(script, (host) => textOf(host.run(chatModel, request))), "The ferry leaves at seven.");
  assert.ok(cancelAtEveryStep(script, (host) => host.run(chatModel, request)) > 0);
});
