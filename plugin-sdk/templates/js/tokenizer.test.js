import assert from "node:assert/strict";
import test from "node:test";
import { tokenizer } from "./plugin.js";

test("words and ideographs are found", () => {
  const text = "Tea, 80 度!";
  const { spans } = tokenizer.tokenize([text], "index");
  const words = Array.from({ length: spans.length / 2 }, (_, at) => Buffer.from(text).subarray(spans[2 * at], spans[2 * at + 1]).toString());
  assert.deepEqual(words, ["Tea", "80", "度"]);
});
