"""Pools from files: YAML or JSON, read strictly, every problem with its place."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import ValidationError

from maieutic.errors import FileError
from maieutic.files.problems import did_you_mean, failure
from maieutic.files.sheet import Sheet, substitute
from maieutic.files.source import Form, parse, read
from maieutic.protocols.routing.pool import Candidate, Pool

__all__ = ["load_pool"]

_FORM = Form("a pool file", "NAME: {model: openai/gpt-5-mini, capability: …}", keys_as_written=True)


def load_pool(path: Path) -> Pool:
    """The pool of a file: a mapping of candidates by name, `{NAME: {model: …, capability: …}}`.

    A bare model string is a candidate of that model. `${env:NAME}` stands for the environment's value.

    Raises:
        FileError: The file cannot be read or is not valid; the message shows every problem with its place.
    """
    tree, problems = parse(read(path, error=FileError), str(path), _FORM)
    if tree.root is None:
        raise failure(problems, FileError)
    problems += substitute(tree, os.environ)
    sheet = Sheet(tree, problems)
    pool: Pool | None = None
    if tree.root.kind != "map":
        sheet.wrong((), "a pool file is a mapping of candidates by name", f"begin with {_FORM.begins}")
    else:
        pool = _checked(sheet)
    if sheet.problems or pool is None:
        raise failure(sheet.problems, FileError)
    return pool


def _checked(sheet: Sheet) -> Pool | None:
    assert sheet.source.root is not None
    candidates = {}
    for name, (_, node) in sheet.source.root.entries.items():
        raw = node.plain()
        fields = {"model": raw} if isinstance(raw, str) else raw
        if not isinstance(fields, dict):
            sheet.wrong((name,), f"candidate {name!r} is a mapping, or a model string")
            continue
        try:
            candidates[name] = Candidate.model_validate({"name": name, **fields})
        except ValidationError as failed:
            _note(sheet, name, failed)
    if sheet.problems:
        return None
    try:
        return Pool(candidates=tuple(candidates.values()))
    except ValidationError as failed:
        for error in failed.errors(include_url=False):
            sheet.wrong((), error["msg"].removeprefix("Value error, "))
        return None


def _note(sheet: Sheet, name: str, failed: ValidationError) -> None:
    for error in failed.errors(include_url=False):
        loc = tuple(part for part in error["loc"] if part != "name" or len(error["loc"]) > 1)
        if error["type"] == "extra_forbidden":
            key = str(loc[-1])
            hint = did_you_mean(key, Candidate.model_fields) if len(loc) == 1 else "remove it"
            sheet.wrong((name, *loc), f"unknown key {key!r}", hint, key=True)
        elif error["type"] == "missing":
            sheet.wrong((name, *loc), f"candidate {name!r} has no {loc[-1]}", f"add {loc[-1]}: …")
        else:
            where = f"{'.'.join(map(str, loc))}: " if loc else f"the name {name!r}: "
            sheet.wrong((name, *loc), f"{where}{error['msg'].removeprefix('Value error, ')}", key=not loc)
