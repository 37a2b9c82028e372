"""Makes the classes of `wire` those of the component, so that the runtime makes and takes them without a second copy.

Not here: anything an author needs. It runs while a component is built, before the runtime looks the classes up by name.
"""

from __future__ import annotations

import importlib
from types import ModuleType


def link() -> None:
    """Puts our classes in place of the generated ones, and fails where they do not fit."""
    for name in ("io", "chat_model", "embedder", "reranker", "tokenizer", "catalogue"):
        ours = importlib.import_module(f"knowhost_plugin.wire.{name}")
        place = "imports" if name == "io" else "exports"
        try:
            generated = importlib.import_module(f"wit_world.{place}.{name}")
        except ImportError:
            # A kind that this plugin does not have.
            continue
        replace(generated, ours)


def replace(generated: ModuleType, ours: ModuleType) -> None:
    for name, theirs in list(vars(generated).items()):
        if isinstance(theirs, type) and theirs.__module__ == generated.__name__:
            mine = getattr(ours, name, None)
            if mine is None:
                raise ImportError(f"this SDK has no {name} of {generated.__name__}; was the component built from another WIT?")
            setattr(generated, name, mine)
