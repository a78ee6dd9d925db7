"""What is wrong with a file, and where: one line that says it, the source, and a caret."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from maieutic.errors import FileError, GraphFileError

__all__ = ["Problem", "Trouble", "did_you_mean", "failure"]

_WIDEST = 120


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in one file.

    Attributes:
        file: The file as the user named it.
        line, column: Where it begins, from 1; 0 if the whole file is meant (it is missing, say).
        end_column: The column after its last character on that line.
        message: What is wrong.
        hint: What to do, or empty.
        source: The line above and the line itself, for the excerpt; empty if there is none.
    """

    file: str
    line: int
    column: int
    end_column: int
    message: str
    hint: str = ""
    source: tuple[str, ...] = ()

    @property
    def headline(self) -> str:
        """File, place and message in one line."""
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.message}; {self.hint}" if self.hint else f"{place}: {self.message}"

    def __str__(self) -> str:
        if not self.source:
            return self.headline
        first = self.line - len(self.source) + 1
        left = max(0, min(self.end_column, self.column + _WIDEST // 2) - _WIDEST)
        rows = [f"{first + i:>5} | {_window(text, left)}".rstrip() for i, text in enumerate(self.source)]
        return "\n".join([self.headline, *rows, f"{'':>5} | {self._caret(left)}"])

    def _caret(self, left: int) -> str:
        line, begin = _window(self.source[-1], left), self.column - 1 - left
        under = line[begin : self.end_column - 1 - left]
        pad = "".join(c if c == "\t" else " " * _width(c) for c in line[:begin])
        return f"{pad}{'^' * max(1, sum(map(_width, under)))}"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something wrong in a text of a file: characters `start` to `end` of its text, what, and what to do."""

    start: int
    end: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


def did_you_mean(word: str, known: Iterable[str], *, otherwise: str = "") -> str:
    """The hint for a misspelt word: the nearest known one, else `otherwise`, else all of them."""
    names = sorted(set(known))
    if close := get_close_matches(word, names, 1):
        return f"did you mean {close[0]!r}?"
    return otherwise or (f"there are: {', '.join(names)}" if names else "there are none")


def failure(problems: Sequence[Problem], error: type[FileError] = GraphFileError) -> FileError:
    """The error that reports all problems, in the order of the files as first met and of their lines."""
    files = list(dict.fromkeys(p.file for p in problems))
    unique = dict.fromkeys(problems)
    ordered = tuple(sorted(unique, key=lambda p: (files.index(p.file), p.line, p.column)))
    number = "1 problem" if len(ordered) == 1 else f"{len(ordered)} problems"
    text = "\n\n".join(str(p) for p in ordered)
    return error(f"{text}\n\n{number} in {', '.join(files)}", ordered)


def _window(line: str, left: int) -> str:
    """The part of a long line that is shown, from the character `left` on."""
    shown = line[left : left + _WIDEST]
    shown = f"…{shown[1:]}" if left and shown else shown
    return f"{shown[:-1]}…" if len(line) > left + _WIDEST else shown


def _width(character: str) -> int:
    return 2 if unicodedata.east_asian_width(character) in "WF" else 0 if unicodedata.combining(character) else 1
