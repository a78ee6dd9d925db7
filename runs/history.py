"""Reading recorded runs: their transcript, their ledger, and the files they are exported to."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from maieutic.backends import Ledger
from maieutic.backends.journaled import Replay
from maieutic.errors import UsageError
from maieutic.memory import MODERATOR, Journal, RunRecord, Transcript, Turn

__all__ = ["FORMATS", "export", "failures_before", "ledger_of", "transcript_of"]


def transcript_of(journal: Journal, record: RunRecord) -> Transcript:
    """What was said in a run: the outcome's transcript, or if the run never closed, every recorded reply in order."""
    if record.outcome is not None:
        return Transcript.of(record.outcome["outcome"]["transcript"])
    spoken = (entry for entry in journal.entries(record.id) if entry.kind in ("model", "person"))
    return Transcript(tuple(Turn(entry.agent, str(entry.reply.get("text", ""))) for entry in spoken))


def ledger_of(journal: Journal, record: RunRecord) -> Ledger:
    """What a run took, as its journal tells it."""
    return Ledger.from_entries(journal.entries(record.id))


def failures_before(journal: Journal, record: RunRecord, replay: Replay) -> Ledger:
    """The calls of a run's earlier executions that failed for good: the run paid for them, however it goes on.

    In a replay, a call that was never answered fails once more and is counted then.
    """
    failures = list(journal.entries(record.id, kind="attempt"))
    if replay == "only":
        last = {entry.at.rpartition("/")[0]: entry.seq for entry in failures}
        again = {seq for at, seq in last.items() if journal.find(record.id, at) is None}
        failures = [entry for entry in failures if entry.seq not in again]
    return Ledger.from_entries(failures)


def export(journal: Journal, record: RunRecord, format_: str, path: Path) -> None:
    """Write a run to a file.

    Args:
        journal: The journal.
        record: The run.
        format_: One of FORMATS.
        path: The file; an existing one is replaced.

    Raises:
        UsageError: Unknown format.
    """
    if format_ == "cassette":
        journal.export(record.id, path)
        return
    if format_ not in _TEXTS:
        raise UsageError(f"unknown format {format_!r}; there are: {', '.join(FORMATS)}")
    path.write_text(_TEXTS[format_](journal, record), encoding="utf-8")


def _as_json(journal: Journal, record: RunRecord) -> str:
    result = dict(record.outcome or {})
    head: Mapping[str, Any] = {
        "id": record.id,
        "name": record.name,
        "created": record.created,
        "status": record.status,
        "reason": record.reason,
        "parent": record.parent,
        "forked_at": record.forked_at,
        "definition": dict(record.definition),
    }
    result.setdefault("ledger", ledger_of(journal, record).to_json())
    return json.dumps({**result, **head}, indent=2, ensure_ascii=False) + "\n"


def _as_jsonl(journal: Journal, record: RunRecord) -> str:
    turns = transcript_of(journal, record)
    return "".join(json.dumps({"run": record.id, **t.to_json()}, ensure_ascii=False) + "\n" for t in turns)


def _as_markdown(journal: Journal, record: RunRecord) -> str:
    lines = [
        f"# {record.name}",
        "",
        f"Run {record.id}, {record.status}" + (f" ({record.reason})" * bool(record.reason)),
    ]
    if record.simulated:
        lines += ["", "*Simulated: the replies come from simulated minds, not from a language model.*"]
    for turn in transcript_of(journal, record):
        if turn.kind == "say":
            who = "" if turn.speaker == MODERATOR else f"**{turn.speaker}:** "
            lines += ["", who + turn.content]
    if record.outcome and record.outcome.get("answer"):
        lines += ["", f"**Outcome:** {record.outcome['answer']}"]
    return "\n".join(lines) + "\n"


def _as_graph(journal: Journal, record: RunRecord) -> str:
    return str(record.definition.get("graph", ""))


_TEXTS: dict[str, Callable[[Journal, RunRecord], str]] = {
    "json": _as_json,
    "jsonl": _as_jsonl,
    "markdown": _as_markdown,
    "graph": _as_graph,
}
FORMATS = ("cassette", *_TEXTS)
"""cassette (replays anywhere), json (everything), jsonl (a turn a line), markdown (to read), graph (the graph file)."""
