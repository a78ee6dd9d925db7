"""JSONL files, an object a line: each checked against a model, every problem at once with its line and column."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from maieutic.errors import FileError
from maieutic.files.faults import Dialect, Owner, checked
from maieutic.files.problems import Problem, failure
from maieutic.files.sheet import Sheet
from maieutic.files.source import Form, Source, Span, parse, read

__all__ = ["read_lines", "write_lines"]

M = TypeVar("M", bound=BaseModel)
MOST_TOLD = 50
"""Lines whose problems are told one by one."""
_NOTHING: Mapping[str, type[BaseModel]] = {}


def read_lines(
    path: Path | str, model: type[M], what: str, *, parts: Mapping[str, type[BaseModel]] = _NOTHING
) -> list[M]:
    """The objects of a JSONL file, in its order; empty lines do not count.

    Args:
        path: The file.
        model: What each line must be. If it has a field `id`, no two lines may have the same.
        what: How messages call a line: "claim", "item", ….
        parts: Models of the mappings within it by their key, for hints about misspelt keys.

    Raises:
        FileError: The file cannot be read or something is wrong; the message shows every problem with its place.
    """
    path = Path(path)
    sheet = _Lines(read(path, error=FileError).split("\n"), str(path), what, _dialect(model, what, parts))
    found = [(number, sheet.read(number, model)) for number, line in enumerate(sheet.lines, 1) if line.strip()]
    if not found:
        raise failure(
            [Problem(sheet.file, 0, 0, 0, "the file is empty", f"write one {what} a line, as JSON")], FileError
        )
    sheet.unique((number, one) for number, one in found if one is not None)
    if problems := sheet.problems:
        lines = {problem.line for problem in problems}
        if len(lines) > MOST_TOLD:
            last = sorted(lines)[MOST_TOLD - 1]
            message = f"{len(lines)} lines are wrong; the first {MOST_TOLD} are told"
            problems = [*(each for each in problems if each.line <= last), Problem(sheet.file, 0, 0, 0, message)]
        raise failure(problems, FileError)
    return [one for _, one in found if one is not None]


def write_lines(path: Path | str, objects: Iterable[BaseModel]) -> Path:
    """Write a JSONL file anew, without what is as by default.

    Raises:
        FileError: It cannot be written.
    """
    path = Path(path)
    try:
        path.write_text("".join(f"{each.model_dump_json(exclude_defaults=True)}\n" for each in objects), "utf-8")
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror or error}") from error
    return path


class _Lines:
    """A JSONL file as it is read."""

    def __init__(self, lines: list[str], file: str, what: str, dialect: Dialect) -> None:
        self.lines = lines
        self.file = file
        self.what = what
        self.dialect = dialect
        self.problems: list[Problem] = []

    def read(self, number: int, model: type[M]) -> M | None:
        """The object of a line; or None, its problems being noted."""
        line = self.lines[number - 1].rstrip("\r")
        try:
            raw = json.loads(line, object_pairs_hook=_once)
            return model.model_validate(raw)
        except json.JSONDecodeError as error:
            place = Span(number, error.colno, number, error.colno + 1)
            self._note(place, f"the line is not JSON: {error.msg}", f"write one {self.what} a line")
        except RecursionError:
            self._note(Span(number, 1, number, len(line) + 1), "the line is nested too deep")
        except ValueError:  # a key that stands twice, and pydantic's errors
            sheet = self._sheet(number)
            raw = sheet.source.root.plain() if sheet.source.root is not None else None
            if not isinstance(raw, dict):
                sheet.wrong((), f"a {self.what} is a mapping, not {json.dumps(raw)[:40]}")
            elif (mended := checked(model, sheet, raw, self.dialect)) is not None and not sheet.problems:
                return mended
            self.problems += sheet.problems
        return None

    def unique(self, found: Iterable[tuple[int, BaseModel]]) -> None:
        """Note every id that is taken already."""
        first: dict[Any, int] = {}
        for number, one in found:
            name = getattr(one, "id", None)
            if name is not None and (before := first.setdefault(name, number)) != number:
                place = self._sheet(number).place(("id",))
                message = f"the id {name!r} is taken, by the {self.what} on line {before}"
                self._note(place, message, "rename one of them")

    def _sheet(self, number: int) -> Sheet:
        """One line's tree, in its place in the file."""
        text = "\n" * (number - 1) + self.lines[number - 1].rstrip("\r")
        form = Form(f"a line with a {self.what}", keys_as_written=True)
        return Sheet(*parse(text, self.file, form))

    def _note(self, place: Span, message: str, hint: str = "") -> None:
        self.problems.append(Source(self.file, self.lines).problem(place, message, hint))


def _dialect(model: type[BaseModel], what: str, parts: Mapping[str, type[BaseModel]]) -> Dialect:
    def owner(loc: tuple[str | int, ...]) -> Owner:
        keys = [part for part in loc if isinstance(part, str)]
        return (f"{keys[-1]!r}", parts.get(keys[-1])) if keys else (f"the {what}", model)

    return Dialect(owner)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found
