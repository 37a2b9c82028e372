"""Reranks with a small HTTP API: `POST {base_url}/rerank` with `{"model", "query", "documents"}` answers
`{"results": [{"index", "score"}, ..]}`."""

from knowhost_plugin import Ctx, Hit, Ranking, RerankRequest, Upstream, bearer, reranker


@reranker
async def rerank(ctx: Ctx, request: RerankRequest) -> Ranking:
    body = {"model": request.model.name, "query": request.query, "documents": request.texts}
    # The host puts the key in, if the model row has one; the plugin never sees it.
    auth = [bearer("api_key")] if request.model.setting("api_key_present") is True else []
    response = await ctx.post(request.model.url("", "rerank"), json=body, auth=auth)
    found = hits(await (await response.accepted()).json(), len(request.texts))
    found.sort(key=lambda hit: -hit.relevance_score)
    return Ranking(found if request.top is None else found[: request.top])


def hits(answer: object, count: int) -> list[Hit]:
    """The service's results, checked: each text at most once, each score a number."""
    results = answer.get("results") if isinstance(answer, dict) else None
    if not isinstance(results, list) or not all(isinstance(result, dict) for result in results):
        raise Upstream("the answer holds no results")
    found: dict[int, Hit] = {}
    for result in results:
        index, score = result.get("index"), result.get("score")
        if type(index) is not int or not 0 <= index < count or index in found:
            raise Upstream(f"the service ranked text {index} of {count}, or twice")
        if type(score) not in (int, float):
            raise Upstream("a result has no score")
        found[index] = Hit(index, min(max(float(score), 0.0), 1.0))
    return list(found.values())
