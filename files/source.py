"""YAML text to a tree that knows where everything stands.

Read from ruamel.yaml's events: nothing is ever constructed, so no tag can run code, and the meaning of plain scalars is
YAML 1.2's (`on`, `yes`, `no` and `off` are texts). An alias stands for the node it names; how much aliases may unfold
to is capped before anything unfolds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from maieutic.errors import FileError, GraphFileError
from maieutic.files.problems import Problem, failure
from maieutic.files.scalars import TWO_FACED, as_bool, scalar, whole_characters

__all__ = ["Form", "Node", "Source", "Span", "parse", "read"]

MOST_DEPTH = 100

_BREAK = re.compile(r"\r\n|[\n\r\x85\u2028\u2029]")
_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "seq", "map")} | {"!", None}


@dataclass(frozen=True, slots=True)
class Form:
    """What kind of file is read: how messages call it, and how large it may be.

    Attributes:
        name: With its article, as in "a graph file".
        begins: What it begins with, for the hint about an empty one; or empty.
        keys_as_written: A plain number is a text where it is a key (an answer that is a number, for instance), where
            otherwise quotes are asked for.
        most_nodes: Most values of one file, with every alias unfolded.
        most_characters: Of its text.
    """

    name: str = "a file"
    begins: str = ""
    keys_as_written: bool = False
    most_nodes: int = 20_000
    most_characters: int = 1_000_000

    @property
    def hint(self) -> str:
        """How to begin one."""
        return f"{self.name} begins with {self.begins}" if self.begins else ""


@dataclass(frozen=True, slots=True)
class Span:
    """From a line and column to another, from 1; the last column is the one after."""

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(eq=False, slots=True)
class Node:
    """One value of the file.

    Attributes:
        kind: A mapping, a list or a scalar.
        span: Where it stands (of a mapping or list: from its first to its last character).
        value: A scalar's value.
        text: A scalar as it was written, without quotes: "0.50" where the value is 0.5.
        entries: A mapping's keys (with their spans) and values.
        items: A list's values.
        style: How a scalar was written: "" (plain), "'", '"', "|" or ">".
        size: How many nodes it is with every alias unfolded.
    """

    kind: Literal["map", "list", "scalar"]
    span: Span
    value: Any = None
    text: str = ""
    entries: dict[str, tuple[Span, Node]] = field(default_factory=dict)
    items: list[Node] = field(default_factory=list)
    style: str = ""
    size: int = 1

    def plain(self) -> Any:
        """The value as plain Python data."""
        if self.kind == "map":
            return {key: node.plain() for key, (_, node) in self.entries.items()}
        return [node.plain() for node in self.items] if self.kind == "list" else self.value

    def scalars(self) -> Iterator[Node]:
        """Every scalar in it, once."""
        stack, seen = [self], set()
        while stack:
            node = stack.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            if node.kind == "scalar":
                yield node
            stack += [*(child for _, child in node.entries.values()), *node.items]


@dataclass(frozen=True, slots=True)
class Source:
    """A text and its tree.

    Attributes:
        file: The file's name for messages.
        lines: The text line by line.
        root: The tree, or None if there is none.
    """

    file: str
    lines: Sequence[str]
    root: Node | None = None

    def problem(self, span: Span, message: str, hint: str = "") -> Problem:
        """A problem at a place of this text, with its excerpt."""
        last = max(1, min(span.line, len(self.lines)))
        excerpt = tuple(self.lines[max(0, last - 2) : last])
        one_line = span.end_line == span.line and span.end_column > span.column
        end = span.end_column if one_line else len(self.lines[last - 1]) + 1 if self.lines else span.column
        return Problem(self.file, last, span.column, max(end, span.column + 1), message, hint, excerpt)

    def within(self, node: Node, start: int, end: int) -> Span:
        """The place of characters `start` to `end` of a scalar's text; the whole scalar where they cannot be told."""
        span = node.span
        if node.kind == "map" or span.line != span.end_line:
            return span
        written = self.lines[span.line - 1][span.column - 1 : span.end_column - 1]
        quote = len(node.style) if node.style in ("'", '"') else 0
        text = str(node.value) if node.kind == "scalar" and isinstance(node.value, str) else written
        if written[quote : len(written) - quote] != text:
            return span
        first = span.column + quote + start
        return Span(span.line, first, span.line, max(first + 1, span.column + quote + end))


def read(path: Path, name: str | None = None, error: type[FileError] = GraphFileError) -> str:
    """A file's text.

    Raises:
        FileError: It is missing, no file, or not UTF-8; of the kind asked for.
    """
    file = name or str(path)
    try:
        raw = path.read_bytes()
    except (OSError, ValueError) as fault:
        reason = getattr(fault, "strerror", None) or str(fault)
        raise failure([_whole(file, f"the file cannot be read: {reason}")], error) from fault
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        before = raw[: fault.start].decode("utf-8-sig")
        lines = _BREAK.split(before)
        place = Span(len(lines), len(lines[-1]) + 1, len(lines), len(lines[-1]) + 2)
        message = f"the file is not UTF-8 text: byte 0x{raw[fault.start]:02x}"
        problem = Source(file, lines).problem(place, message, "save it as UTF-8")
        raise failure([problem], error) from fault


def parse(text: str, file: str, form: Form = Form()) -> tuple[Source, list[Problem]]:
    """The tree of a YAML text, and what is wrong with its keys. The tree is None only if the text is no YAML at all."""
    text = text.removeprefix("\ufeff")
    lines = _BREAK.split(text)
    bare = Source(file, lines)
    if len(text) > form.most_characters:
        return bare, [_whole(file, f"the file has more than {form.most_characters} characters")]
    builder = _Builder(bare, form)
    if (fatal := _feed(builder, text, bare)) is not None:
        return bare, [*builder.problems, fatal]
    if builder.root is None:
        return bare, [_whole(file, "the file is empty", form.hint)]
    return Source(file, lines, builder.root), builder.problems


class _Stop(Exception):
    """The rest of the file cannot be read."""

    def __init__(self, span: Span, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.span, self.message, self.hint = span, message, hint


def _feed(builder: _Builder, text: str, source: Source) -> Problem | None:
    """Build the tree from the parser's events; the problem that ended it early, if one did."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError
    from ruamel.yaml.reader import ReaderError

    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            builder.take(event)
    except _Stop as stop:
        return source.problem(stop.span, stop.message, stop.hint)
    except MarkedYAMLError as error:
        open_ended = "end of stream" in str(error.problem) or "<stream end>" in str(error.problem)
        mark = (error.context_mark if open_ended else error.problem_mark) or error.problem_mark or error.context_mark
        context = f" ({error.context})" if error.context else ""
        message = f"the YAML cannot be read: {error.problem or 'syntax error'}{context}"
        return source.problem(_point(mark), message, _yaml_hint(error.problem or "", source, mark))
    except ReaderError as error:
        lines = _BREAK.split(text[: error.position])
        place = Span(len(lines), len(lines[-1]) + 1, len(lines), len(lines[-1]) + 2)
        return source.problem(place, f"the character U+{ord(text[error.position]):04X} is not allowed in YAML")
    except Exception as error:  # the parser's own faults on malformed text are the file's, for the user
        return _whole(source.file, f"the YAML cannot be read: {type(error).__name__} {error}".strip())
    return None


def _yaml_hint(problem: str, source: Source, mark: Any) -> str:
    line = source.lines[mark.line] if mark is not None and mark.line < len(source.lines) else ""
    if "'\\t'" in problem or line[: len(line) - len(line.lstrip())].count("\t"):
        return "indent with spaces, not tabs"
    if "mapping values are not allowed" in problem:
        return "check the indentation, and put a text with ': ' in it in quotes"
    if "list[" in line or "dict[" in line:
        return 'inside braces a type such as "list[str]" needs quotes'
    if "{" in line or "[" in line:
        return "check that every bracket and quote is closed"
    return ""


def _point(mark: Any) -> Span:
    if mark is None:
        return Span(1, 1, 1, 2)
    return Span(mark.line + 1, mark.column + 1, mark.line + 1, mark.column + 2)


def _whole(file: str, message: str, hint: str = "") -> Problem:
    return Problem(file, 0, 0, 0, message, hint)


def _span(event: Any) -> Span:
    start, end = event.start_mark, event.end_mark
    return Span(start.line + 1, start.column + 1, end.line + 1, end.column + 1)


@dataclass(eq=False, slots=True)
class _Open:
    """A mapping or list whose end has not come yet, and the key that waits for its value."""

    node: Node
    anchor: str | None
    key: tuple[str, Span] | None = None
    merged: list[Node] = field(default_factory=list)


class _Builder:
    """Builds the tree, event by event, without recursion."""

    def __init__(self, source: Source, form: Form) -> None:
        self.source = source
        self.form = form
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self.anchors: dict[str, Node | None] = {}
        self.open: list[_Open] = []
        self.documents = 0
        self.size = 0

    def take(self, event: Any) -> None:
        """One event of the parser."""
        take = getattr(self, f"_{type(event).__name__}", None)
        if take is not None:
            take(event)

    def _DocumentStartEvent(self, event: Any) -> None:  # noqa: N802 (named as the event)
        self.documents += 1
        if self.documents > 1:
            raise _Stop(
                _span(event), "a second document begins here", f"{self.form.name} is one document; remove the ---"
            )
        if event.version or event.tags:
            line = next(i for i, text in enumerate(self.source.lines, 1) if text.startswith("%"))
            place = Span(line, 1, line, len(self.source.lines[line - 1]) + 1)
            raise _Stop(place, "YAML directives (%YAML, %TAG) are not allowed", "remove the line")

    def _MappingStartEvent(self, event: Any) -> None:  # noqa: N802
        self._begin(event, "map")

    def _SequenceStartEvent(self, event: Any) -> None:  # noqa: N802
        self._begin(event, "list")

    def _begin(self, event: Any, kind: Literal["map", "list"]) -> None:
        self._tag(event)
        if len(self.open) >= MOST_DEPTH:
            raise _Stop(_span(event), f"the file is nested more than {MOST_DEPTH} deep")
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        self.open.append(_Open(Node(kind, _span(event)), event.anchor))

    def _MappingEndEvent(self, event: Any) -> None:  # noqa: N802
        done = self.open.pop()
        for extra in done.merged:
            done.node.entries = {**extra.entries, **done.node.entries}
        end = _span(event)
        start = done.node.span
        done.node.span = Span(start.line, start.column, end.end_line, end.end_column)
        self._add(done.node, done.anchor)

    _SequenceEndEvent = _MappingEndEvent

    def _ScalarEvent(self, event: Any) -> None:  # noqa: N802
        self._tag(event)
        style = event.style or ""
        text = whole_characters(event.value)
        if text is None:
            message = "an escape \\ud800 to \\udfff is half a character"
            raise _Stop(_span(event), message, "write the character itself, or both halves")
        value = scalar(text) if not style and event.implicit[0] else text
        self._add(Node("scalar", _span(event), value, text, style=style), event.anchor)

    def _AliasEvent(self, event: Any) -> None:  # noqa: N802
        if event.anchor not in self.anchors:
            raise _Stop(_span(event), f"there is no anchor &{event.anchor} above")
        node = self.anchors[event.anchor]
        if node is None:
            raise _Stop(_span(event), f"the alias *{event.anchor} stands inside what it names")
        self._add(node, None, _span(event))

    def _tag(self, event: Any) -> None:
        tag = event.tag
        if (str(tag) if tag is not None else None) not in _TAGS:
            hint = f"{self.form.name} is plain data; remove the tag"
            raise _Stop(_span(event), f"the tag {str(tag).replace('tag:yaml.org,2002:', '!!')} is not allowed", hint)

    def _add(self, node: Node, anchor: str | None, alias: Span | None = None) -> None:
        self.size += node.size if alias else 1
        if self.size > self.form.most_nodes:
            hint = "aliases unfold to too much" if alias else ""
            raise _Stop(alias or node.span, f"the file has more than {self.form.most_nodes} values", hint)
        if anchor is not None:
            self.anchors[anchor] = node
        if not self.open:
            self.root = node
            return
        parent = self.open[-1]
        parent.node.size += node.size
        if parent.node.kind == "list":
            parent.node.items.append(node)
        elif parent.key is None:
            parent.key = self._key(node, alias or node.span)
        else:
            self._entry(parent, node, alias or node.span)

    def _key(self, node: Node, span: Span) -> tuple[str, Span]:
        key = node.value
        if node.kind != "scalar":
            raise _Stop(span, "a key must be a text")
        if self.form.keys_as_written:
            key = node.text
        elif not isinstance(key, str):
            shown = "null" if key is None else str(key).lower()
            self.problems.append(self.source.problem(span, f"a key must be a text, not {shown}", "put it in quotes"))
            key = str(key)
        if not node.style and key.lower() in TWO_FACED:
            message = f"{key!r} must not be a key: other YAML readers take it for {as_bool(key)}"
            hint = "put it in quotes" if self.form.keys_as_written else "choose another word"
            self.problems.append(self.source.problem(span, message, hint))
        return key, span

    def _entry(self, parent: _Open, node: Node, span: Span) -> None:
        assert parent.key is not None
        key, place = parent.key
        parent.key = None
        if key == "<<":
            parts = node.items if node.kind == "list" else [node]
            if any(part.kind != "map" for part in parts):
                raise _Stop(span, "<< takes a mapping, or a list of mappings")
            parent.merged += parts
        elif key in parent.node.entries:
            first = parent.node.entries[key][0]
            message = f"the key {key!r} stands here a second time; it is already on line {first.line}"
            where = f", column {first.column}" if first.line == place.line else ""
            self.problems.append(self.source.problem(place, message + where, "keep one of them"))
        else:
            parent.node.entries[key] = (place, node)
