#!/usr/bin/env python3
"""Builds a plugin written in Python: `build.py FOLDER [-o OUT]`. Needs componentize-py, from PyPI.

Not here: checks of the manifest's meaning. The server makes them when it reads the component.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

COMPONENTIZE = "0.25.1"
SDK = Path(__file__).resolve().parent
# In the folder that `knowhost plugin new` made the interface lies in the SDK itself.
WIT = (SDK if (SDK / "wit").is_dir() else SDK.parent) / "wit" / "v0.1"
SECTION = b"knowhost:manifest"
PREAMBLE = bytes([0, 0x61, 0x73, 0x6D, 0x0D, 0, 1, 0])

# The module that componentize-py is given. Our classes take their place before it looks for any.
APP = """from knowhost_plugin._link import link
link()
import {entry}
from knowhost_plugin.kinds import EXPORTS
for kind in {kinds}:
    name, exported = EXPORTS[kind]
    globals()[name] = exported
"""

FIND_KINDS = """import importlib, json, sys
importlib.import_module(sys.argv[1])
from knowhost_plugin.kinds import KINDS
print("\\n" + json.dumps(sorted(KINDS)))
"""


class BuildError(Exception):
    """What is wrong, and what to do about it."""


def kinds_of(folder: Path, entry: str) -> list[str]:
    """Imports the plugin here, as its tests do, and asks which kinds it decorates."""
    path = os.pathsep.join([str(SDK), str(folder)])
    command = [sys.executable, "-c", FIND_KINDS, entry]
    found = subprocess.run(command, env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}, stdout=subprocess.PIPE, text=True, check=False)
    if found.returncode != 0:
        raise BuildError(f"{folder / entry}.py can not be imported; the message above says why")
    kinds: list[str] = json.loads(found.stdout.splitlines()[-1])
    if not kinds or kinds == ["warm"]:
        raise BuildError(f"{folder / entry}.py has no plugin: decorate a function with @embedder, @reranker, @chat_model or @tokenizer")
    return kinds


def componentize_py() -> list[str]:
    """The tool beside this Python, or the one on the path."""
    beside = Path(sys.executable).with_name("componentize-py")
    tool = str(beside) if beside.exists() else shutil.which("componentize-py")
    if tool is None:
        raise BuildError(f"componentize-py is missing; get it with: {sys.executable} -m pip install componentize-py=={COMPONENTIZE}")
    version = subprocess.run([tool, "--version"], capture_output=True, text=True, check=False).stdout.split()[-1:]
    if version != [COMPONENTIZE]:
        raise BuildError(f"{tool} is version {' '.join(version)}, but this SDK needs {COMPONENTIZE}")
    return [tool]


def beside_the_sources(folder: str, names: list[str]) -> list[str]:
    """What does not belong into a component: environments, caches, components, hidden files, the SDK (it has its own place)."""
    return [
        name
        for name in names
        if name.startswith(".")
        or name in ("__pycache__", "node_modules", "target")
        or name.endswith(".wasm")
        or (Path(folder) / name / "pyvenv.cfg").exists()
        or (Path(folder) / name).resolve() == SDK
    ]


def build(folder: Path, entry: str) -> bytes:
    """The component, without its manifest."""
    kinds = kinds_of(folder, entry)
    command = componentize_py()
    with tempfile.TemporaryDirectory() as temporary:
        # Copies, because Python writes its caches beside the sources, and everything on the path is looked at.
        sources = Path(temporary) / "sources"
        shutil.copytree(folder, sources, ignore=beside_the_sources)
        shutil.copytree(SDK / "knowhost_plugin", sources / "knowhost_plugin")
        app = sources / "knowhost_component.py"
        app.write_text(APP.format(entry=entry, kinds=kinds))
        out = Path(temporary) / "component.wasm"
        command += ["--quiet", "-d", str(WIT)]
        for kind in kinds:
            command += ["-w", f"{kind}-plugin"]
        command += ["componentize", app.stem, "-o", str(out), "-p", str(sources)]
        # A virtual environment would be packed whole.
        environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
        done = subprocess.run(command, env=environment, check=False)
        if done.returncode != 0 or not out.exists():
            raise BuildError("componentize-py failed; the message above says why")
        return out.read_bytes()


def leb128(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def with_manifest(component: bytes, toml: str) -> bytes:
    """The component with `toml` in its manifest section."""
    if not component.startswith(PREAMBLE):
        raise BuildError("componentize-py made something that is no component")
    body = leb128(len(SECTION)) + SECTION + toml.encode()
    return component + b"\0" + leb128(len(body)) + body


def manifest_of(path: Path) -> str:
    try:
        toml = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BuildError(f"{path}: {error.strerror}; every plugin has one, see plugin-sdk/README.md") from None
    try:
        import tomllib
    except ImportError:
        # Before Python 3.11 the server is the first to read it.
        return toml
    try:
        tomllib.loads(toml)
    except tomllib.TOMLDecodeError as error:
        raise BuildError(f"{path}: {error}") from None
    return toml


def main() -> int:
    parser = argparse.ArgumentParser(description="Builds a Knowhost plugin written in Python.")
    parser.add_argument("folder", type=Path, help="holds plugin.toml and the Python sources")
    parser.add_argument("-o", "--out", type=Path, help="the component; default: FOLDER/FOLDER'S NAME.wasm")
    parser.add_argument("--entry", default="plugin", help="the module that holds the plugin; default: plugin")
    parser.add_argument("--without-manifest", action="store_true", help="leave the manifest out, for a tool that adds it")
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    out = arguments.out or folder / f"{folder.name}.wasm"
    try:
        toml = None if arguments.without_manifest else manifest_of(folder / "plugin.toml")
        component = build(folder, arguments.entry)
        out.write_bytes(component if toml is None else with_manifest(component, toml))
    except (BuildError, OSError) as error:
        print(f"build.py: {error}", file=sys.stderr)
        return 1
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
