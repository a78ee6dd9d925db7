"""`maieutic runs`: what the journal has."""

from __future__ import annotations

import json
import re
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from maieutic.cli.diffing import diff
from maieutic.cli.options import json_option, store_option, talk_options

if TYPE_CHECKING:
    from maieutic.memory import RunRecord

__all__ = ["runs"]

WIDE = 130
"""Columns from which there is room for everything, as in a pipe."""
FORMATS = ("cassette", "json", "jsonl", "markdown", "graph")
_UNITS = {"m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


def age(value: str) -> float:
    """The seconds of a length of time such as 30m, 12h, 7d, 2w."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([mhdw])", value.strip().lower())
    if not found:
        raise click.BadParameter(f"{value!r} is not an age such as 30m, 12h, 7d or 2w")
    return float(found[1]) * _UNITS[found[2]]


@click.group()
@talk_options
def runs() -> None:
    """List, show, compare, export, prune, repair and import recorded runs.

    RUN is a run's id, the beginning of one, or `last`.
    """


runs.add_command(diff)


@runs.command("list")
@click.option("-n", "--newest", type=click.IntRange(1), default=20, show_default=True, help="How many.")
@store_option
@json_option
@talk_options
def list_(newest: int, store: Path | str, as_json: bool) -> None:
    """List the newest runs."""
    from maieutic.cli.recorded import opened
    from maieutic.memory.databases import shown

    with opened(store) as journal:
        listed = [_summary(record) for record in journal.runs(newest)]
        older = len(journal) - len(listed)
    if as_json:
        click.echo(json.dumps(listed, ensure_ascii=False))
        return
    if not listed:
        click.echo(f"No runs in {shown(store)} yet.", err=True)
        return
    click.echo(_table(listed))
    if older > 0:
        click.echo(f"… and {older} older ones (--newest N shows more)", err=True)


def _table(shown: Sequence[Mapping[str, Any]]) -> str:
    """The runs in columns, on a terminal no wider than it: the id tells the time (in UTC) as well."""
    from maieutic.cli.tables import columns, shortened

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDE
    spare = max(20, width - 62 - 18 * (width >= WIDE))
    rows: list[tuple[str, ...]] = [
        (
            run["id"],
            time.strftime("%Y-%m-%d %H:%M", time.localtime(run["created"])),
            shortened(run["question"] or run["name"], spare * 3 // 5),
            run["reason"] or run["status"],
            shortened(run["answer"] or "", spare * 2 // 5),
            _cost(run),
        )
        for run in shown
    ]
    head: tuple[str, ...] = ("id", "when", "what", "ended", "answer", "cost")
    if width < WIDE:
        head, rows = (head[0], *head[2:]), [(row[0], *row[2:]) for row in rows]
    return columns(head, rows)


def _cost(run: Mapping[str, Any]) -> str:
    if not run["simulated"]:
        return str(run["cost"])
    return f"{run['cost']} simulated" if run["usd"] else "simulated"


def _summary(record: RunRecord) -> dict[str, Any]:
    from maieutic.cli.scene import money

    outcome = record.outcome or {}
    total = (outcome.get("ledger") or {}).get("total") or {}
    unknown = total.get("unknown_price", 0)
    cost = "" if not total else "unknown" if unknown and unknown == total.get("calls") else money(total.get("usd", 0.0))
    return {
        "id": record.id,
        "created": record.created,
        "name": record.name,
        "question": str((record.definition.get("inputs") or {}).get("question") or ""),
        "status": record.status,
        "reason": record.reason,
        "answer": outcome.get("answer"),
        "usd": total.get("usd"),
        "cost": cost,
        "simulated": record.simulated,
        "parent": record.parent,
    }


@runs.command()
@click.argument("run_id", metavar="[RUN]", default="last")
@click.option("--turn", type=click.IntRange(1), help="One turn, with what its speaker was sent and what it replied.")
@click.option("--node", metavar="ID", help="One dialogue of a run that grew a tree, down to a node such as 0.1.2.")
@click.option("--ledger", is_flag=True, help="Calls, tokens and money, by agent and by model.")
@click.option("--why", is_flag=True, help="The path taken, and why each edge fired.")
@store_option
@json_option
@talk_options
def show(
    run_id: str, *, turn: int | None, node: str | None, ledger: bool, why: bool, store: Path | str, as_json: bool
) -> None:
    """Show a run: what was said and what it came to."""
    from maieutic.cli.recorded import find, opened
    from maieutic.cli.showing import show_ledger, show_run, show_turn, show_why
    from maieutic.cli.trees import show_node

    with opened(store) as journal:
        record = find(journal, run_id)
        if turn is not None:
            show_turn(journal, record, turn, as_json=as_json)
        elif node is not None:
            show_node(record, node, as_json=as_json)
        elif ledger:
            show_ledger(journal, record, as_json=as_json)
        elif why:
            show_why(record, as_json=as_json)
        else:
            show_run(journal, record, as_json=as_json)


@runs.command("export")
@click.argument("run_id", metavar="RUN")
@click.option("--format", "format_", type=click.Choice(FORMATS), default="cassette", show_default=True, help="As what.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="The file (default: stdout).")
@store_option
@talk_options
def export_(run_id: str, format_: str, output: Path | None, store: Path | str) -> None:
    """Write a run to a file.

    \b
      cassette   replays anywhere: maieutic replay FILE
      json       everything
      jsonl      one turn a line
      markdown   to read
      graph      the graph file, with every override applied
    """
    import tempfile

    from maieutic.cli.recorded import find, opened
    from maieutic.runs import export

    with opened(store) as journal:
        record = find(journal, run_id)
        if output is not None:
            export(journal, record, format_, output)
            click.echo(f"Wrote {output}.", err=True)
            return
        with tempfile.TemporaryDirectory() as folder:
            export(journal, record, format_, Path(folder) / "run")
            sys.stdout.write((Path(folder) / "run").read_text(encoding="utf-8"))


@runs.command()
@click.argument("ids", nargs=-1, metavar="[RUN]…")
@click.option("--keep", type=click.IntRange(0), help="All but so many of the newest.")
@click.option("--older-than", type=age, metavar="AGE", help="Those older than 30m, 12h, 7d, 2w, ….")
@click.option("--dry-run", is_flag=True, help="Say what would go; delete nothing.")
@store_option
@json_option
@talk_options
def prune(
    ids: tuple[str, ...], *, keep: int | None, older_than: float | None, dry_run: bool, store: Path | str, as_json: bool
) -> None:
    """Delete runs, and shrink the file."""
    from dataclasses import asdict

    from maieutic.cli.recorded import find, opened
    from maieutic.cli.scene import quantity
    from maieutic.wording import amount

    before = None if older_than is None else time.time() - older_than
    with opened(store) as journal:
        chosen = [find(journal, name).id for name in ids]
        report = journal.prune(ids=chosen, before=before, keep=keep, dry_run=dry_run)
    if as_json:
        click.echo(json.dumps(asdict(report)))
        return
    verb = "Would delete" if dry_run else "Deleted"
    click.echo(f"{verb} {amount(len(report.runs), 'run')} with {report.entries} entries.")
    for name in report.runs if dry_run else ():
        click.echo(f"  {name}")
    if report.spared:
        click.echo(f"Spared, as they still go on: {', '.join(report.spared)}. Name them to prune them.")
    if not dry_run:
        click.echo(f"The journal has {quantity(report.bytes_after)}B now; it had {quantity(report.bytes_before)}B.")


@runs.command()
@store_option
@talk_options
def repair(store: Path | str) -> None:
    """Rescue what can be read of a damaged journal; the damaged file is kept beside it."""
    from maieutic.errors import UsageError
    from maieutic.memory import salvage
    from maieutic.memory.databases import shown
    from maieutic.memory.salvage import is_damaged

    if isinstance(store, str):
        raise UsageError(
            f"{shown(store)} is PostgreSQL's to repair: restore its backup; a journal's file can be repaired."
        )
    if not store.exists():
        raise UsageError(f"There is no journal {store}.")
    if not is_damaged(store):
        click.echo(f"{store} is sound; nothing was changed.")
        return
    click.echo(str(salvage(store)))


@runs.command("import")
@click.argument("cassette", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@store_option
@talk_options
def import_(cassette: Path, store: Path | str) -> None:
    """Take a cassette into the journal as a run."""
    from maieutic.memory import Journal

    with Journal.open(store) as journal:
        click.echo(journal.import_(cassette))
