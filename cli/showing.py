"""The views of one recorded run: `maieutic runs show`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from maieutic.cli.perform import show_result
from maieutic.cli.plain import stand_line
from maieutic.cli.scene import clean, stand_of, which_dialogue
from maieutic.cli.tables import ledger_table
from maieutic.cli.trees import show_trees
from maieutic.memory import MODERATOR

if TYPE_CHECKING:
    from maieutic.memory import Journal, RunRecord, Turn

__all__ = ["show_ledger", "show_run", "show_turn", "show_why"]


def show_run(journal: Journal, record: RunRecord, *, as_json: bool) -> None:
    """Transcript and outcome; without an outcome, what is known of a run that never closed."""
    from maieutic.runs import ledger_of, transcript_of
    from maieutic.runs.exporting import trees_in

    turns = transcript_of(journal, record)
    if as_json:
        result = dict(record.outcome or {"id": record.id, "name": record.name, "status": record.status})
        result.setdefault("turns", turns.to_json())
        result.setdefault("simulated", record.simulated)
        click.echo(json.dumps(result, ensure_ascii=False))
        return
    click.echo(f"Run {record.id}: {record.name}{' [simulated]' if record.simulated else ''}")
    if record.parent:
        click.echo(f"Forked from {record.parent} at {record.forked_at}")
    trees = dict(trees_in(record))
    for line in () if "tree" in trees else _transcript(turns):
        click.echo(line)
    show_trees(trees)
    click.echo("")
    if record.outcome is not None:
        show_result(record.outcome, as_json=False)
    else:
        click.echo(f"{record.status} ({record.reason or 'it never closed'}); maieutic resume {record.id} goes on.")
        click.echo(ledger_table(ledger_of(journal, record).to_json()))


def _transcript(turns: Iterable[Turn]) -> Iterable[str]:
    round_: int | None = None
    number = 0
    for turn in turns:
        if turn.round and turn.round != round_:
            round_ = turn.round
            yield f"\nRound {round_}"
        if turn.kind == "probe":
            raw = turn.to_json()
            yield f"     {stand_line(raw) if stand_of(raw) else f'{turn.speaker}: {clean(turn.content)}'}"
            continue
        number += turn.speaker != MODERATOR
        which = which_dialogue({"data": turn.data})
        label = "" if turn.speaker == MODERATOR else f"{number:>3}  {turn.speaker}{which and f' [{which}]'}: "
        yield label + clean(turn.content).strip().replace("\n", "\n     ")


def show_turn(journal: Journal, record: RunRecord, number: int, *, as_json: bool) -> None:
    """One turn as the model was asked for it: its messages, its settings, its reply, what it took."""
    from maieutic.runs.turns import entry_of_turn

    entry = entry_of_turn(journal, record, number)
    messages = [{"role": message.role, "content": message.content} for message in entry.messages]
    if as_json:
        told: Mapping[str, Any] = {
            "at": entry.at,
            "agent": entry.agent,
            "request": dict(entry.request),
            "messages": messages,
            "reply": dict(entry.reply),
        }
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    click.echo(f"Turn {number} of {record.id}: {entry.agent}, at {entry.at}")
    for name, value in entry.request.items():
        click.echo(f"  {name}: {json.dumps(value, ensure_ascii=False)}")
    for message in messages:
        click.echo(f"\n[{message['role']}]\n{clean(message['content'])}")
    click.echo(f"\n[reply]\n{clean(str(entry.reply.get('text', '')))}")
    rest = {name: value for name, value in entry.reply.items() if name != "text" and value not in (None, [], {})}
    click.echo("")
    for name, value in rest.items():
        click.echo(f"  {name}: {json.dumps(value, ensure_ascii=False)}")


def show_ledger(journal: Journal, record: RunRecord, *, as_json: bool) -> None:
    """Calls, attempts, tokens, money and time."""
    from maieutic.runs import ledger_of

    ledger = ledger_of(journal, record).to_json()
    click.echo(json.dumps(ledger) if as_json else ledger_table(ledger))


def show_why(record: RunRecord, *, as_json: bool) -> None:
    """The routes taken, each with its reason."""
    from maieutic.graphs import why

    edges = (record.outcome or {}).get("edges") or []
    if as_json:
        click.echo(json.dumps(edges, ensure_ascii=False))
        return
    if not edges:
        click.echo("No routes were recorded: the run has not closed, or is a protocol without branches of a file.")
    else:
        click.echo(clean(why(edges)))
