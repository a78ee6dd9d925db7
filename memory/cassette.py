"""A run as one readable file: JSON Lines, made to be kept beside tests, read in a diff, and replayed.

The first line says what the file is and describes the run. Then each line is one thing, told before it is used:

    {"request": "c41f…", "is": {"model": "openai/gpt-5-mini", "temperature": 0.2}}
    {"message": "9b02…", "system": "You are ada, a debater. …"}
    {"message": "77ac…", "after": "9b02…", "user": "Should cities ban cars?"}
    {"at": "0/0/debate#1/ada.argue", "kind": "model", "agent": "ada", "asks": "c41f…", "reads": "77ac…", "reply": {…}}

A text of some length that comes again is written as ``{"same": "<its hash>", "starts": "<how it begins>"}``. Times are
left out, so that recording again changes only what really changed. A fingerprint is written only where it is not that
of the request and messages beside it, so that a cassette may be edited by hand and outlives changes of the fingerprint.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from maieutic.errors import JournalError
from maieutic.memory.entries import ROOT, Entry, RunRecord, canonical, chain, fingerprint, text_id
from maieutic.memory.transcript import Message

__all__ = ["FORMAT", "names", "read", "renamed", "write"]

FORMAT = 1
_SHARED = 48  # characters from which a text that comes again is not written again


def write(run: RunRecord, entries: Iterable[Entry], path: Path) -> None:
    """Write a run's entries as a cassette; a file of that name is replaced in one step.

    Raises:
        JournalError: The file cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("w", encoding="utf-8", newline="\n") as file:
                _Out(file).run(run, entries)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise JournalError(f"The cassette {path} cannot be written: {error.strerror or error}.") from error


def read(path: Path) -> tuple[RunRecord, list[Entry]]:
    """The run and the entries of a cassette.

    Raises:
        JournalError: The file is missing, of a newer format, or broken; the message names the line.
    """
    number = 0
    try:
        with path.open(encoding="utf-8") as file:
            lines = _In(path)
            for line in file:
                number += 1  # told in the errors below
                if line.strip():
                    lines.take(json.loads(line))
    except OSError as error:
        raise JournalError(f"The cassette {path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise JournalError(f"{path} is no cassette: it is not UTF-8 text ({error}).") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        told = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise JournalError(f"{path}:{number}: this is no line of a cassette: {told}. Record it again.") from error
    if lines.header is None:
        raise JournalError(f"{path} is no cassette: it is empty. Record it again.")
    return lines.header, lines.entries


def names(run_id: str) -> Iterator[str]:
    """The names under which a cassette's run may be taken in, the first choice first."""
    yield run_id
    yield from (f"{run_id}-{number}" for number in itertools.count(2))


def renamed(run: RunRecord, run_id: str) -> RunRecord:
    """The same run under another id."""
    return dataclasses.replace(run, id=run_id)


class _Out:
    """Writes lines, each thing once."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._texts: set[bytes] = set()
        self._told: set[bytes] = set()

    def run(self, run: RunRecord, entries: Iterable[Entry]) -> None:
        self._line({"cassette": FORMAT, "run": dataclasses.asdict(run)})
        for entry in entries:
            self._entry(entry)

    def _entry(self, entry: Entry) -> None:
        line: dict[str, Any] = {"at": entry.at, "kind": entry.kind}
        if entry.agent:
            line["agent"] = entry.agent
        if entry.request:
            line["asks"] = self._request(canonical(entry.request), entry.request)
        if entry.messages:
            line["reads"] = self._messages(entry.messages)
        if entry.fingerprint != _usual(entry.request, entry.messages):
            line["fingerprint"] = entry.fingerprint
        line["reply"] = self._share(entry.reply)
        self._line(line)

    def _request(self, spelled: str, request: Any) -> str:
        name = text_id(spelled)
        if name not in self._told:
            self._told.add(name)
            self._line({"request": name.hex(), "is": request})
        return name.hex()

    def _messages(self, messages: tuple[Message, ...]) -> str:
        ids = chain(messages)
        new = len(ids)
        while new and ids[new - 1] not in self._told:
            new -= 1
        for place in range(new, len(ids)):
            line: dict[str, Any] = {"message": ids[place].hex()}
            if place:
                line["after"] = ids[place - 1].hex()
            line[messages[place].role] = self._share(messages[place].content)
            self._line(line)
            self._told.add(ids[place])
        return ids[-1].hex()

    def _share(self, value: Any) -> Any:
        """The value with every text that was written before replaced by its hash."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, list | tuple):
            return [self._share(part) for part in value]
        if isinstance(value, dict):
            # An object that looks like one of our references is wrapped, so that it comes back as it was.
            shared = {key: self._share(part) for key, part in value.items()}
            return {"same": None, "is": shared} if "same" in value else shared
        return value

    def _text(self, text: str) -> Any:
        name = text_id(text)
        if len(text) >= _SHARED and name in self._texts:
            return {"same": name.hex(), "starts": text[:24] + "…"}
        self._texts.add(name)
        return text

    def _line(self, line: dict[str, Any]) -> None:
        try:
            text = json.dumps(line, ensure_ascii=False)
            text.encode()
        except UnicodeEncodeError:  # lone surrogates have no form in UTF-8, but an escape in JSON
            text = json.dumps(line)
        # Some editors take these for the end of a line.
        text = text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").replace("\x85", "\\u0085")
        self._file.write(text + "\n")


class _In:
    """Takes lines, and remembers what they told."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.header: RunRecord | None = None
        self.entries: list[Entry] = []
        self._texts: dict[str, str] = {}
        self._requests: dict[str, Any] = {}
        self._views: dict[str, tuple[Message, ...]] = {ROOT.hex(): ()}

    def take(self, line: Any) -> None:
        if self.header is None:
            self.header = self._header(line)
        elif "at" in line:
            self._entry(line)
        elif "message" in line:
            self._message(line)
        elif "request" in line:
            self._requests[line["request"]] = line["is"]
        else:
            raise ValueError("it tells neither an entry (`at`) nor a `message` nor a `request`")

    def _header(self, line: Any) -> RunRecord:
        version = line["cassette"]
        if version > FORMAT:
            raise JournalError(
                f"{self._path} is a cassette of format {version}; this maieutic reads formats up to {FORMAT}. "
                "Upgrade maieutic, or record it again."
            )
        return RunRecord(**line["run"])

    def _message(self, line: dict[str, Any]) -> None:
        earlier = self._known(self._views, line.get("after", ROOT.hex()), "message")
        (role,) = (key for key in line if key not in ("message", "after"))
        content = self._shared(line[role])
        if not isinstance(content, str):
            raise ValueError("the content of a message is a text")
        self._views[line["message"]] = (*earlier, Message(role, content))  # type: ignore[arg-type]  # any role is kept

    def _entry(self, line: dict[str, Any]) -> None:
        request = self._known(self._requests, line["asks"], "request") if "asks" in line else {}
        messages = self._known(self._views, line["reads"], "message") if "reads" in line else ()
        usual = _usual(request, messages)
        self.entries.append(
            Entry(
                at=line["at"],
                kind=line["kind"],
                fingerprint=line.get("fingerprint", usual),
                request=request,
                messages=messages,
                reply=self._shared(line["reply"]),
                agent=line.get("agent", ""),
            )
        )

    def _shared(self, value: Any) -> Any:
        if isinstance(value, str):
            if len(value) >= _SHARED:
                self._texts[text_id(value).hex()] = value
            return value
        if isinstance(value, list):
            return [self._shared(part) for part in value]
        if not isinstance(value, dict):
            return value
        if "same" not in value:
            return {key: self._shared(part) for key, part in value.items()}
        if value["same"] is None:
            return {key: self._shared(part) for key, part in value["is"].items()}
        return self._known(self._texts, value["same"], f"text beginning '{value.get('starts', '')}'")

    def _known(self, told: dict[str, Any], name: str, what: str) -> Any:
        if name not in told:
            raise ValueError(f"it refers to a {what} ({name}) that no line above it tells")
        return told[name]


def _usual(request: Any, messages: tuple[Message, ...]) -> str:
    return fingerprint(request, messages) if request or messages else ""
