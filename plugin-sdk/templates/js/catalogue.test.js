import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { recorded, sameAtEveryCut } from "knowhost-plugin/testing.js";
import { catalogue } from "./plugin.js";

const script = recorded(readFileSync(new URL("exchanges/models.json", import.meta.url), "utf8"));
const model = { name: "", baseUrl: "http://127.0.0.1:8090", settings: [] };

test("a recorded call lists the models", () => {
  const { answer } = sameAtEveryCut(script, (host) => host.run(catalogue, { model, query: { tag: "models" } }));
  assert.deepEqual(answer.val.map(({ name }) => name), ["small", "large"]);
});
