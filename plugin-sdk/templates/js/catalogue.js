// Tells which models a small HTTP API has: `GET {baseUrl}/models` answers `{"models": [{"name", "size"}, ..]}`.

import * as knowhost from "knowhost-plugin";

// What the API can not do, such as fetching a model, stays `unsupported`.
export const catalogue = knowhost.catalogue({
  *models(ctx, model) {
    return yield* list(ctx, model);
  },
  *check(ctx, model) {
    return (yield* list(ctx, model)).some(({ name }) => name === model.name);
  },
});

function* list(ctx, model) {
  const response = yield* ctx.get(knowhost.modelUrl(model, "", "models"));
  const answer = yield* (yield* response.accepted()).json();
  if (!Array.isArray(answer?.models)) throw knowhost.upstream("the answer holds no models");
  return answer.models.map(entry);
}

function entry(model) {
  if (typeof model?.name !== "string") throw knowhost.upstream("a model has no name");
  const sizeBytes = Number.isSafeInteger(model.size) && model.size >= 0 ? model.size : 0;
  return { name: model.name, sizeBytes, digest: "", modifiedAt: "" };
}
