"""What routers learn from: one line for each reply whose quality is known."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from maieutic.errors import UsageError

__all__ = ["RoutingRecord", "append_records", "by_question", "read_records", "write_records"]


class RoutingRecord(BaseModel):
    """One model's reply to one question, and what it was worth. None is unknown, never 0."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    question: Annotated[str, Field(min_length=1, description="As it was asked.")]
    model: Annotated[str, Field(min_length=1, description="The candidate's name in the pool.")]
    quality: Annotated[float, Field(ge=0, le=1, description="From 0 (wrong) to 1 (right).")]
    family: Annotated[str, Field(description="The task family, if it is known.")] = ""
    usd: Annotated[float | None, Field(ge=0, description="US dollars.")] = None
    tokens: Annotated[int | None, Field(ge=0, description="Prompt and completion tokens together.")] = None
    seconds: Annotated[float | None, Field(ge=0, description="From the request to the end of the reply.")] = None
    run: Annotated[str, Field(description="The run that it comes from, if it does.")] = ""
    simulated: Annotated[bool, Field(description="Whether a simulated mind answered.")] = False

    @property
    def key(self) -> str:
        """The candidate's name as it is compared: case does not count."""
        return self.model.casefold()


def read_records(path: Path | str) -> list[RoutingRecord]:
    """The records of a JSONL file.

    Raises:
        UsageError: The file cannot be read, or a line is no record; the message names the line.
    """
    try:
        lines = Path(path).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    found = []
    for n, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found.append(RoutingRecord.model_validate_json(line))
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]
            where = ".".join(map(str, problem["loc"]))
            raise UsageError(
                f"{path}:{n}: this is no routing record ({where + ': ' if where else ''}{problem['msg']}); a line is "
                '{"question": …, "model": …, "quality": 0 to 1, …}'
            ) from error
    return found


def write_records(path: Path | str, records: Iterable[RoutingRecord]) -> None:
    """Write a JSONL file anew."""
    Path(path).write_text(_lines(records), "utf-8")


def append_records(path: Path | str, records: Iterable[RoutingRecord]) -> None:
    """Add to a JSONL file in one write, so that two processes that add at once lose nothing; folders are made."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    to = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(to, _lines(records).encode())
    finally:
        os.close(to)


def _lines(records: Iterable[RoutingRecord]) -> str:
    return "".join(record.model_dump_json(exclude_defaults=True) + "\n" for record in records)


def by_question(records: Sequence[RoutingRecord]) -> dict[tuple[str, str], list[RoutingRecord]]:
    """The records of each question (with its family), in order of first appearance."""
    found: dict[tuple[str, str], list[RoutingRecord]] = {}
    for record in records:
        found.setdefault((record.family, record.question), []).append(record)
    return found
