// Embeds texts with a small HTTP API: `POST {baseUrl}/embed` with `{"model", "input"}` answers `{"vectors": [[..], ..]}`.

import * as knowhost from "knowhost-plugin";

export const embedder = knowhost.embedder(function* (ctx, { model, purpose, texts }) {
  const response = yield* ctx.post(knowhost.modelUrl(model, "", "embed"), {
    // The host puts the key in, if the model row has one; the plugin never sees it.
    auth: knowhost.setting(model, "api_key_present") === true ? knowhost.bearer("api_key") : [],
    json: { model: model.name, input: texts, input_type: purpose === "chunk" ? "document" : "query" },
  });
  return rows(yield* (yield* response.accepted()).json(), texts.length);
});

/** The service's vectors, checked: one for each text, all of one length, nothing but numbers. */
function rows(answer, count) {
  const vectors = answer?.vectors;
  if (!Array.isArray(vectors) || !vectors.every(Array.isArray)) throw knowhost.upstream("the answer holds no vectors");
  if (vectors.length !== count) throw knowhost.upstream(`${vectors.length} vectors for ${count} texts`);
  const dimension = vectors[0]?.length ?? 0;
  if (vectors.some((vector) => vector.length !== dimension)) throw knowhost.upstream("the vectors have different lengths");
  const data = vectors.flat();
  if (data.some((number) => typeof number !== "number")) throw knowhost.upstream("a vector holds something else than numbers");
  return { dimension, data };
}
