"""Requests and answers of chat models: `wit/v0.1/chat-model.wit`.

Not here: the call itself (`kinds.chat_model`).
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Union

from . import io

if TYPE_CHECKING:
    from ..call import Result


class Role(Enum):
    SYSTEM = 0
    USER = 1
    ASSISTANT = 2
    TOOL = 3


@dataclass(slots=True)
class Image:
    media_type: str
    data: bytes

    def base64(self) -> str:
        """The picture as services want it inside JSON."""
        return base64.b64encode(self.data).decode("ascii")


@dataclass(slots=True)
class Part_Text:
    value: str


@dataclass(slots=True)
class Part_Image:
    value: Image


Part = Union[Part_Text, Part_Image]


@dataclass(slots=True)
class ToolCall:
    id: str
    name: str
    arguments: str


@dataclass(slots=True)
class Message:
    role: Role
    parts: list[Part]
    tool_calls: list[ToolCall] = field(default_factory=list)
    tool_call_id: str | None = None

    @property
    def text(self) -> str:
        """All text of the message."""
        return "".join(part.value for part in self.parts if isinstance(part, Part_Text))


@dataclass(slots=True)
class Tool:
    name: str
    description: str
    schema: str


class Task(Enum):
    """Why the host asks."""

    ANSWER = 0
    REWRITE = 1
    SUMMARY = 2
    TITLE = 3
    EXTRACT = 4


@dataclass(slots=True)
class Source:
    id: str
    title: str
    text: str


@dataclass(slots=True)
class Options:
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    stop: list[str] = field(default_factory=list)
    thinking: bool | None = None
    format: str | None = None


@dataclass(slots=True)
class Request:
    model: io.Model
    task: Task
    messages: list[Message]
    tools: list[Tool] = field(default_factory=list)
    # `auto`, `none`, `required`, or the name of the one tool to call
    tool_choice: str | None = None
    options: Options = field(default_factory=Options)
    question: str | None = None
    sources: list[Source] = field(default_factory=list)


@dataclass(slots=True)
class ToolDelta:
    """A piece of a tool call; `arguments` is a piece of its JSON text."""

    index: int
    id: str | None = None
    name: str | None = None
    arguments: str = ""


@dataclass(slots=True)
class Delta_Text:
    value: str


@dataclass(slots=True)
class Delta_Reasoning:
    value: str


@dataclass(slots=True)
class Delta_Tool:
    value: ToolDelta


Delta = Union[Delta_Text, Delta_Reasoning, Delta_Tool]


class Finish(Enum):
    STOP = 0
    LENGTH = 1
    TOOL = 2
    FILTER = 3
    OTHER = 4


@dataclass(slots=True)
class Answer:
    finish: Finish = Finish.STOP
    usage: io.Usage | None = None


@dataclass(slots=True)
class Step:
    asks: list[io.Ask]
    deltas: list[Delta]
    end: Result[Any]


__all__ = [
    "Answer", "Delta", "Delta_Reasoning", "Delta_Text", "Delta_Tool", "Finish", "Image", "Message", "Options", "Part", "Part_Image",
    "Part_Text", "Request", "Role", "Source", "Step", "Task", "Tool", "ToolCall", "ToolDelta",
]  # fmt: skip
