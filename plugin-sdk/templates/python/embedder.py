"""Embeds texts with a small HTTP API: `POST {base_url}/embed` with `{"model", "input"}` answers `{"vectors": [[..], ..]}`."""

from knowhost_plugin import Ctx, Embeddings, EmbedRequest, Purpose, Upstream, bearer, embedder


@embedder
async def embed(ctx: Ctx, request: EmbedRequest) -> Embeddings:
    input_type = "document" if request.purpose is Purpose.CHUNK else "query"
    body = {"model": request.model.name, "input": request.texts, "input_type": input_type}
    # The host puts the key in, if the model row has one; the plugin never sees it.
    auth = [bearer("api_key")] if request.model.setting("api_key_present") is True else []
    response = await ctx.post(request.model.url("", "embed"), json=body, auth=auth)
    return rows(await (await response.accepted()).json(), len(request.texts))


def rows(answer: object, count: int) -> Embeddings:
    """The service's vectors, checked: one for each text, all of one length, nothing but numbers."""
    vectors = answer.get("vectors") if isinstance(answer, dict) else None
    if not isinstance(vectors, list) or not all(isinstance(vector, list) for vector in vectors):
        raise Upstream("the answer holds no vectors")
    if len(vectors) != count:
        raise Upstream(f"{len(vectors)} vectors for {count} texts")
    dimension = len(vectors[0]) if vectors else 0
    if any(len(vector) != dimension for vector in vectors):
        raise Upstream("the vectors have different lengths")
    data = [number for vector in vectors for number in vector]
    if any(type(number) not in (int, float) for number in data):
        raise Upstream("a vector holds something else than numbers")
    return Embeddings(dimension, [float(number) for number in data])
