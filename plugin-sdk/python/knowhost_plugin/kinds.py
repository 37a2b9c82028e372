"""What an author writes: one decorated function for each kind of plugin, a class for a catalogue.

Not here: how a call is resumed (`call`). Plugins keep nothing between calls, so that the host may run a call in any instance and rebuild it
in another.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, Union

from .call import Calls, Err, Io
from .ctx import Ctx, StreamCtx
from .errors import Invalid, PluginError, Unsupported
from .wire import catalogue as catalogue_wire
from .wire import chat_model as chat_wire
from .wire import embedder as embedder_wire
from .wire import io
from .wire import reranker as reranker_wire
from .wire import tokenizer as tokenizer_wire

# Interface name -> what answers it; filled by the decorators.
KINDS: dict[str, Any] = {}

F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", bound="type[Catalogue]")


class ChatCtx(StreamCtx[Union[str, chat_wire.Delta, chat_wire.ToolDelta]]):
    """The handle of a chat call."""

    def emit(self, delta: str | chat_wire.Delta | chat_wire.ToolDelta) -> None:
        """Sends a piece of the answer: text, `Reasoning(..)` or a `ToolDelta(..)`. It leaves at the next await, or at the end."""
        if isinstance(delta, str):
            delta = chat_wire.Delta_Text(delta)
        elif isinstance(delta, chat_wire.ToolDelta):
            delta = chat_wire.Delta_Tool(delta)
        self._io.deltas.append(delta)


CatalogueCtx = StreamCtx[catalogue_wire.Progress]


def _register(kind: str, what: Any) -> None:
    if kind in KINDS:
        raise TypeError(f"this plugin has two answers for the kind {kind}: {KINDS[kind].__name__} and {what.__name__}")
    KINDS[kind] = what


def embedder(
    function: Callable[[Ctx, embedder_wire.Request], Awaitable[embedder_wire.Embeddings]],
) -> Callable[[Ctx, embedder_wire.Request], Awaitable[embedder_wire.Embeddings]]:
    """Texts to vectors: `async def embed(ctx, request) -> Embeddings`."""
    _register("embedder", function)
    return function


def reranker(
    function: Callable[[Ctx, reranker_wire.Request], Awaitable[reranker_wire.Ranking]],
) -> Callable[[Ctx, reranker_wire.Request], Awaitable[reranker_wire.Ranking]]:
    """Scores texts by how well they answer a query: `async def rerank(ctx, request) -> Ranking`."""
    _register("reranker", function)
    return function


def chat_model(
    function: Callable[[ChatCtx, chat_wire.Request], Awaitable[chat_wire.Answer]],
) -> Callable[[ChatCtx, chat_wire.Request], Awaitable[chat_wire.Answer]]:
    """Answers a conversation: `async def chat(ctx, request) -> Answer`; pieces leave by `ctx.emit`."""
    _register("chat-model", function)
    return function


def tokenizer(
    function: Callable[[list[str], tokenizer_wire.Mode], tokenizer_wire.Tokens],
) -> Callable[[list[str], tokenizer_wire.Mode], tokenizer_wire.Tokens]:
    """Splits texts into words: `def tokenize(texts, mode) -> Tokens`. Computes only: there is nothing to await."""
    _register("tokenizer", function)
    return function


def warm(function: Callable[[], None]) -> Callable[[], None]:
    """Slow first work that needs the plugin's files: `def warm()`. Other slow work belongs to the top of the module,
    which runs while the plugin is built."""
    _register("warm", function)
    return function


class Catalogue:
    """The models that a provider has, and how to get more. What a provider can not do stays `unsupported`."""

    async def status(self, ctx: CatalogueCtx, model: io.Model) -> str:
        """The provider's version."""
        raise Unsupported("this provider tells no version")

    async def models(self, ctx: CatalogueCtx, model: io.Model) -> list[catalogue_wire.Entry]:
        raise Unsupported("this provider lists no models")

    async def check(self, ctx: CatalogueCtx, model: io.Model) -> bool:
        """Whether the model is installed."""
        raise Unsupported("this provider does not tell which models it has")

    async def pull(self, ctx: CatalogueCtx, model: io.Model) -> None:
        """Fetches the model; `ctx.emit(Progress(..))` tells how far it is."""
        raise Unsupported("this provider can not fetch models")

    async def remove(self, ctx: CatalogueCtx, model: io.Model) -> None:
        raise Unsupported("this provider can not remove models")


def catalogue(kind: C) -> C:
    """A class with some of the methods of `Catalogue`."""
    _register("catalogue", kind)
    return kind


async def answer_catalogue(provider: Catalogue, ctx: CatalogueCtx, request: catalogue_wire.Request) -> catalogue_wire.Reply:
    """Sends a catalogue query to its method."""
    model, query = request.model, request.query
    if isinstance(query, catalogue_wire.Query_Status):
        return catalogue_wire.Reply_Status(await provider.status(ctx, model))
    if isinstance(query, catalogue_wire.Query_Models):
        return catalogue_wire.Reply_Models(await provider.models(ctx, model))
    if isinstance(query, catalogue_wire.Query_Check):
        return catalogue_wire.Reply_Check(await provider.check(ctx, model))
    if isinstance(query, catalogue_wire.Query_Pull):
        await provider.pull(ctx, model)
    else:
        await provider.remove(ctx, model)
    return catalogue_wire.Reply_Done()


class Exported:
    """The exports of one kind whose calls are started, resumed and cancelled. The subclasses say how a call begins.

    The runtime makes a new object for every export that it runs, so what stays between them belongs to the class.
    """

    answers: type | tuple[type, ...]
    step: type[Any]
    has_deltas = False
    calls: Calls

    def __init_subclass__(cls) -> None:
        cls.calls = Calls()

    async def run(self, owner: Io, request: Any) -> Any:
        raise NotImplementedError

    async def checked(self, owner: Io, request: Any) -> Any:
        answer = await self.run(owner, request)
        if not isinstance(answer, self.answers):
            raise Invalid(f"the plugin answered with {type(answer).__name__} where {self.answers} is due")
        return answer

    def start(self, id: int, request: Any) -> Any:
        return self.to_step(*self.calls.start(id, lambda owner: self.checked(owner, request)))

    def resume(self, id: int, event: io.Event) -> Any:
        return self.to_step(*self.calls.resume(id, event))

    def cancel(self, id: int) -> None:
        self.calls.cancel(id)

    def to_step(self, asks: list[io.Ask], deltas: list[Any], end: Any) -> Any:
        return self.step(asks, deltas, end) if self.has_deltas else self.step(asks, end)


class Embedder(Exported):
    answers, step = embedder_wire.Embeddings, embedder_wire.Step

    async def run(self, owner: Io, request: Any) -> Any:
        return await KINDS["embedder"](Ctx(owner), request)


class Reranker(Exported):
    answers, step = reranker_wire.Ranking, reranker_wire.Step

    async def run(self, owner: Io, request: Any) -> Any:
        return await KINDS["reranker"](Ctx(owner), request)


class ChatModel(Exported):
    answers, step, has_deltas = chat_wire.Answer, chat_wire.Step, True

    async def run(self, owner: Io, request: Any) -> Any:
        return await KINDS["chat-model"](ChatCtx(owner), request)


class CatalogueExport(Exported):
    answers = (
        catalogue_wire.Reply_Status,
        catalogue_wire.Reply_Models,
        catalogue_wire.Reply_Check,
        catalogue_wire.Reply_Done,
    )
    step, has_deltas = catalogue_wire.Step, True

    async def run(self, owner: Io, request: Any) -> Any:
        return await answer_catalogue(KINDS["catalogue"](), CatalogueCtx(owner), request)


class Tokenizer:
    def tokenize(self, texts: list[str], mode: tokenizer_wire.Mode) -> tokenizer_wire.Tokens:
        try:
            tokens: tokenizer_wire.Tokens = KINDS["tokenizer"](texts, mode)
            return tokens
        except PluginError as error:
            raise Err(error) from None


class WitWorld:
    def warm(self) -> None:
        KINDS["warm"]()


# Interface name -> the name under which componentize-py looks for its exports.
EXPORTS: dict[str, tuple[str, type]] = {
    "embedder": ("Embedder", Embedder),
    "reranker": ("Reranker", Reranker),
    "chat-model": ("ChatModel", ChatModel),
    "catalogue": ("Catalogue", CatalogueExport),
    "tokenizer": ("Tokenizer", Tokenizer),
    "warm": ("WitWorld", WitWorld),
}
