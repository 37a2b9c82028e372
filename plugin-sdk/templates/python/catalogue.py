"""Tells which models a small HTTP API has: `GET {base_url}/models` answers `{"models": [{"name", "size"}, ..]}`."""

from knowhost_plugin import Catalogue, CatalogueCtx, Entry, Model, Upstream, catalogue


@catalogue
class Models(Catalogue):
    """What the API can not do, such as fetching a model, stays `unsupported`."""

    async def models(self, ctx: CatalogueCtx, model: Model) -> list[Entry]:
        response = await ctx.get(model.url("", "models"))
        return entries(await (await response.accepted()).json())

    async def check(self, ctx: CatalogueCtx, model: Model) -> bool:
        return any(entry.name == model.name for entry in await self.models(ctx, model))


def entries(answer: object) -> list[Entry]:
    models = answer.get("models") if isinstance(answer, dict) else None
    if not isinstance(models, list):
        raise Upstream("the answer holds no models")
    return [entry(model) for model in models]


def entry(model: object) -> Entry:
    name = model.get("name") if isinstance(model, dict) else None
    if not isinstance(model, dict) or not isinstance(name, str):
        raise Upstream("a model has no name")
    size = model.get("size")
    return Entry(name, size if type(size) is int and 0 <= size < 1 << 63 else 0)
