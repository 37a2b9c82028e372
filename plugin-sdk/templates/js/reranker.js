// Reranks with a small HTTP API: `POST {baseUrl}/rerank` with `{"model", "query", "documents"}` answers
// `{"results": [{"index", "score"}, ..]}`.

import * as knowhost from "knowhost-plugin";

export const reranker = knowhost.reranker(function* (ctx, { model, query, texts, top }) {
  const response = yield* ctx.post(knowhost.modelUrl(model, "", "rerank"), {
    // The host puts the key in, if the model row has one; the plugin never sees it.
    auth: knowhost.setting(model, "api_key_present") === true ? knowhost.bearer("api_key") : [],
    json: { model: model.name, query, documents: texts },
  });
  const found = hits(yield* (yield* response.accepted()).json(), texts.length);
  found.sort((a, b) => b.relevanceScore - a.relevanceScore);
  return { hits: found.slice(0, top ?? undefined) };
});

/** The service's results, checked: each text at most once, each score a number. */
function hits(answer, count) {
  if (!Array.isArray(answer?.results)) throw knowhost.upstream("the answer holds no results");
  const seen = new Set();
  return answer.results.map((result) => {
    const { index, score } = result ?? {};
    if (!Number.isInteger(index) || index < 0 || index >= count || seen.has(index)) {
      throw knowhost.upstream(`the service ranked text ${index} of ${count}, or twice`);
    }
    if (typeof score !== "number") throw knowhost.upstream("a result has no score");
    seen.add(index);
    return { index, relevanceScore: Math.min(Math.max(score, 0), 1) };
  });
}
