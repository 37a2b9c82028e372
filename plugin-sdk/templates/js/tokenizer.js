// Cuts texts into words: runs of letters and digits, and each ideograph for itself.

import * as knowhost from "knowhost-plugin";

// A text is found by the same words that a query looks for, so the mode makes no difference here.
export const tokenizer = knowhost.tokenizer((texts) => {
  const found = texts.map(words);
  return { counts: found.map((spans) => spans.length / 2), spans: found.flat() };
});

/** First and last byte of each word. */
function words(text) {
  const spans = [];
  let end = 0;
  let isOpen = false;
  for (const letter of text) {
    const start = end;
    const code = letter.codePointAt(0);
    end += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    const standsAlone = (code >= 0x3400 && code <= 0x9fff) || (code >= 0x20000 && code <= 0x3ffff);
    if (!/[\p{L}\p{N}]/u.test(letter)) {
      isOpen = false;
    } else if (isOpen && !standsAlone) {
      spans[spans.length - 1] = end;
    } else {
      spans.push(start, end);
      isOpen = !standsAlone;
    }
  }
  return spans;
}
