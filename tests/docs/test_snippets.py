"""What the documentation shows is run: every page top to bottom, offline, in an empty folder.

    python        executed; the blocks of a page share their names, and `await` may stand at the top
    yaml          loaded, if it is a whole graph file, experiment file or concept file
    sh            its lines that begin with `maieutic ` are run and must exit with 0 (`sh exit=3`: with 3)
    json, toml    parsed
    text output   what the block before it printed, line by line; … stands for anything, a line of it for any lines

A block whose first line is a comment that names a file (`# tutor.yaml`) is also written to that file, and `examples/`
is there. Real models are answered by a server on this machine.
"""

import ast
import asyncio
import contextlib
import io
import json
import os
import re
import shlex
import sys
import tomllib
import types
from collections.abc import Iterator
from dataclasses import dataclass
from inspect import CO_COROUTINE
from pathlib import Path

import pytest

from maieutic.cli.app import app
from maieutic.graphs import load_spec
from maieutic.memory.student.files import load_concepts
from maieutic.runs import load_experiment
from maieutic.testing import LoopbackServer

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md"])

_BLOCK = re.compile(r"^```(?P<info>[^\n]*)\n(?P<text>.*?)^```\s*$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"\A(?:#|//|\{#)\s*(?P<name>[\w./-]+\.\w+)\s*(?:#\})?\s*$", re.MULTILINE)
_REAL = re.compile(r"\b(?:openai|hosted_vllm|anthropic|gemini|openrouter)/")


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, the other words of its first line, its text, and the line where that begins."""

    language: str
    marks: tuple[str, ...]
    text: str
    line: int


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text("utf-8")
    for found in _BLOCK.finditer(text):
        language, *marks = found["info"].split() or [""]
        yield Block(language, tuple(marks), found["text"], text.count("\n", 0, found.start("text")) + 1)


class Reader:
    """Somebody who does everything that a page says."""

    def __init__(self, page: Path, environment: pytest.MonkeyPatch, server: LoopbackServer) -> None:
        self.page = page
        self.printed = ""
        self._environment = environment
        self._server = server
        self._names = types.ModuleType(f"page_{page.stem.replace('-', '_')}")
        environment.setitem(sys.modules, self._names.__name__, self._names)

    def read(self) -> None:
        for block in blocks(self.page):
            if named := _FILE.match(block.text):
                Path(named["name"]).parent.mkdir(parents=True, exist_ok=True)
                Path(named["name"]).write_text(block.text, "utf-8")
            act = getattr(self, block.language, None)
            if act is not None:
                act(block)

    def python(self, block: Block) -> None:
        text = "\n" * (block.line - 1) + block.text
        code = compile(text, str(self.page), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        with self._printing(), self._reaching(block.text):
            result = eval(code, self._names.__dict__)
            if code.co_flags & CO_COROUTINE:
                asyncio.run(result)

    def yaml(self, block: Block) -> None:
        if re.search(r"^version:", block.text, re.MULTILINE) and "invalid" not in block.marks:
            if re.search(r"^concepts:", block.text, re.MULTILINE):
                load_concepts(block.text)
                return
            with self._reaching("openai/"):
                if re.search(r"^conditions:", block.text, re.MULTILINE):
                    load_experiment(block.text)
                else:
                    load_spec(block.text)

    def sh(self, block: Block) -> None:
        wanted = next((int(mark.removeprefix("exit=")) for mark in block.marks if mark.startswith("exit=")), 0)
        with self._printing():
            for line in block.text.replace("\\\n", " ").splitlines():
                if line.startswith("maieutic "):
                    got = self._command(line)
                    assert got == wanted, f"{self.page.name}:{block.line}: {line!r} exits with {got}"

    def json(self, block: Block) -> None:
        json.loads(block.text)

    def toml(self, block: Block) -> None:
        tomllib.loads(block.text)

    def text(self, block: Block) -> None:
        if "output" in block.marks:
            lines = [".*".join(map(re.escape, line.split("…"))) for line in block.text.rstrip().splitlines()]
            pattern = "\n".join(r"(?:.*\n)*?.*" if line == ".*" else line.rstrip() + r"\s*?" for line in lines)
            assert re.search(f"^{pattern}$", self.printed, re.MULTILINE), (
                f"{self.page.name}:{block.line}: the block before it printed\n{self.printed}"
            )

    def _command(self, line: str) -> int:
        arguments = shlex.split(line, comments=True)[1:]
        files = [Path(word).read_text("utf-8") for word in arguments if word.endswith(".yaml") and Path(word).is_file()]
        with self._reaching(" ".join([line, *files])):
            try:
                app.main(arguments, prog_name="maieutic")
            except SystemExit as end:
                return int(end.code or 0)
        return 0

    @contextlib.contextmanager
    def _printing(self) -> Iterator[None]:
        out = io.StringIO()
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
                yield
        finally:
            self.printed = out.getvalue()
            sys.stdout.write(self.printed)

    @contextlib.contextmanager
    def _reaching(self, text: str) -> Iterator[None]:
        """Keys and addresses in the environment, as a reader who has them would, where real models are named."""
        with self._environment.context() as environment:
            if _REAL.search(text):
                for name in ("OPENAI", "ANTHROPIC", "GEMINI", "OPENROUTER", "HOSTED_VLLM"):
                    family = {"ANTHROPIC": "anthropic", "GEMINI": "gemini"}.get(name, "openai")
                    environment.setenv(f"{name}_API_KEY", "sk-of-the-reader")
                    environment.setenv(f"{name}_API_BASE", self._server.base(family))  # type: ignore[arg-type]
                environment.setenv("VLLM_URL", self._server.base("openai"))
                environment.setenv("VLLM_KEY", "sk-of-the-reader")
            yield


@pytest.fixture(scope="module")
def server() -> Iterator[LoopbackServer]:
    with LoopbackServer() as running:
        yield running


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_shows_is_true(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: LoopbackServer
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("examples").symlink_to(ROOT / "examples")
    for name in [
        name for name in os.environ if name.endswith(("_API_KEY", "_API_BASE")) or name.startswith("MAIEUTIC")
    ]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr("sys.stdin", io.StringIO())
    Reader(page, monkeypatch, server).read()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    text = _BLOCK.sub("", page.read_text("utf-8"))
    for target in re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)[^)]*\)", text):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"
