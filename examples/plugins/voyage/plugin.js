// A reranker that speaks Voyage's rerank API.
//
// Not here: retries, and cutting long lists of texts; the host does the latter (`texts_per_call_max` in plugin.toml).

import * as knowhost from "knowhost-plugin";

const SERVICE = "https://api.voyageai.com/v1";
/** More of a refusal is not read. */
const REFUSAL_BYTES_MAX = 64 << 10;

export const reranker = knowhost.reranker(function* (ctx, request) {
  const { model, query, texts, top } = request;
  if (texts.length === 0) return { hits: [] };
  if (query.trim() === "") throw knowhost.invalid("there is no query to rank by");
  const body = yield* ctx.post(knowhost.modelUrl(model, SERVICE, "rerank"), {
    auth: knowhost.bearer("api_key"),
    json: {
      model: model.name,
      query,
      // The service refuses empty texts.
      documents: texts.map((text) => (text.trim() === "" ? "-" : text)),
      top_k: top === null ? undefined : Math.min(Math.max(top, 1), texts.length),
      truncation: knowhost.setting(model, "truncation", true),
    },
  });
  if (!body.isSuccess) throw yield* refusal(body);
  return ranking(yield* body.json(), texts.length, top ?? texts.length);
});

/** The service's list, checked: every index once and within the texts, every score a number. */
function ranking(answer, count, top) {
  if (!Array.isArray(answer?.data)) throw knowhost.upstream("the service sent a ranking of another form");
  const seen = new Set();
  const hits = answer.data.map((item) => {
    const { index, relevance_score: score } = item ?? {};
    if (!Number.isInteger(index) || index < 0 || index >= count || seen.has(index)) {
      throw knowhost.upstream(`the service ranked text ${index} of ${count}, or twice`);
    }
    if (typeof score !== "number") throw knowhost.upstream("the service sent a score that is no number");
    seen.add(index);
    return { index, relevanceScore: Math.min(Math.max(score, 0), 1) };
  });
  hits.sort((a, b) => b.relevanceScore - a.relevanceScore || a.index - b.index);
  const tokens = answer.usage?.total_tokens;
  return { hits: hits.slice(0, top), usage: Number.isInteger(tokens) ? { inputTokens: tokens, outputTokens: 0 } : null };
}

/** The error of a response that is no success, with the service's words. */
function* refusal(body) {
  const text = yield* body.excerpt(REFUSAL_BYTES_MAX);
  let said = "";
  try {
    const { detail } = JSON.parse(text);
    if (typeof detail === "string") said = `: ${detail}`;
  } catch {
    // A page of a proxy says nothing to a user.
  }
  const sentence = `the service answered ${body.status}${said}`;
  const errors = { 400: knowhost.invalid, 401: knowhost.unauthorised, 403: knowhost.denied, 404: knowhost.notFound, 413: knowhost.tooLong };
  if (body.status === 429) {
    const seconds = /^\d{1,5}$/.exec(body.header("retry-after") ?? "");
    return knowhost.rateLimited(sentence, seconds ? Number(seconds[0]) * 1000 : null);
  }
  return (errors[body.status] ?? knowhost.upstream)(sentence);
}
