"""Our types are those of the interface, field by field, and what is exported is what componentize-py looks for."""

from __future__ import annotations

import dataclasses
import enum
import importlib
import re
from pathlib import Path
from typing import Any

import pytest
from knowhost_plugin import Denied, Embeddings, Model, TokenizeMode, Tokens, kinds
from knowhost_plugin.wire import io

WIT = Path(__file__).parents[2] / "wit" / "v0.1"
MODULES = ["io", "chat-model", "embedder", "reranker", "tokenizer", "catalogue"]


def camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("-"))


@pytest.mark.parametrize("interface", MODULES)
def test_every_type_of_the_interface_is_here_with_its_fields_in_order(interface: str) -> None:
    text = re.sub(r"//.*", "", (WIT / f"{interface}.wit").read_text())
    module = importlib.import_module(f"knowhost_plugin.wire.{interface.replace('-', '_')}")
    seen = 0
    for kind, name, body in re.findall(r"\b(record|variant|enum) ([a-z0-9-]+) \{([^}]*)\}", text):
        seen += 1
        items = [item.strip() for item in re.split(r",(?![^<(]*[>)])", body) if item.strip()]
        if kind == "record":
            fields = [field.name for field in dataclasses.fields(getattr(module, camel(name)))]
            assert fields == [item.split(":")[0].strip().replace("-", "_") for item in items], name
        elif kind == "enum":
            found: type[enum.Enum] = getattr(module, camel(name))
            assert [(case.name, case.value) for case in found] == [
                (item.upper().replace("-", "_"), number) for number, item in enumerate(items)
            ], name
        else:
            for item in items:
                case = getattr(module, f"{camel(name)}_{camel(item.split('(')[0])}")
                if not issubclass(case, Exception):
                    assert [field.name for field in dataclasses.fields(case)] == (["value"] if "(" in item else []), item
    assert seen, interface


def test_kinds_are_started_resumed_and_cancelled(monkeypatch: Any) -> None:
    monkeypatch.setattr(kinds, "KINDS", {})

    @kinds.embedder
    async def embed(ctx: Any, request: Any) -> Embeddings:
        await ctx.sleep_ms(5)
        return Embeddings(1, [0.5])

    # A new object each time, as the runtime does it.
    step = kinds.Embedder().start(1, None)
    assert step.asks == [io.Ask_Sleep(io.Timer(1, 5))] and step.end is None
    kinds.Embedder().start(2, None)
    kinds.Embedder().cancel(2)
    assert list(kinds.Embedder.calls.running) == [1] and not kinds.Reranker.calls.running
    assert kinds.Embedder().resume(1, io.Event_Timer(1)).end.value == Embeddings(1, [0.5])
    with pytest.raises(TypeError, match="two answers"):
        kinds.embedder(embed)


def test_answer_of_another_kind_is_refused(monkeypatch: Any) -> None:
    async def wrong(ctx: Any, request: Any) -> Any:
        return [0.5]

    monkeypatch.setattr(kinds, "KINDS", {"reranker": wrong})
    assert "answered with list" in kinds.Reranker().start(1, None).end.value.text


def test_catalogue_does_what_it_can(monkeypatch: Any) -> None:
    from knowhost_plugin.wire import catalogue

    class Mine(kinds.Catalogue):
        async def check(self, ctx: Any, model: Model) -> bool:
            ctx.emit(catalogue.Progress("looking"))
            return model.name == "there"

    monkeypatch.setattr(kinds, "KINDS", {"catalogue": Mine})
    step = kinds.CatalogueExport().start(1, catalogue.Request(Model("there"), catalogue.Query_Check()))
    assert step.end.value == catalogue.Reply_Check(True) and step.progress == [catalogue.Progress("looking")]
    refused = kinds.CatalogueExport().start(1, catalogue.Request(Model("there"), catalogue.Query_Pull()))
    assert refused.end.value.text == "this provider can not fetch models"


def test_tokenizer_answers_or_raises_a_result(monkeypatch: Any) -> None:
    def tokenize(texts: list[str], mode: TokenizeMode) -> Tokens:
        if mode is TokenizeMode.QUERY:
            raise Denied("no")
        return Tokens([1], [0, 1])

    monkeypatch.setattr(kinds, "KINDS", {"tokenizer": tokenize})
    assert kinds.Tokenizer().tokenize(["a"], TokenizeMode.INDEX) == Tokens([1], [0, 1])
    with pytest.raises(kinds.Err) as raised:
        kinds.Tokenizer().tokenize(["a"], TokenizeMode.QUERY)
    assert raised.value.value == Denied("no")
