"""`maieutic runs diff`: two recorded runs side by side."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from maieutic.cli.options import json_option, store_option, talk_options
from maieutic.cli.scene import clean, money
from maieutic.cli.tables import shortened
from maieutic.wording import amount

if TYPE_CHECKING:
    from maieutic.memory import Turn
    from maieutic.runs.two_runs import SideBySide

__all__ = ["diff"]

WIDE = 120
"""Columns in a pipe, and at most in a terminal that is wider than is good to read."""


@click.command()
@click.argument("first", metavar="RUN")
@click.argument("second", metavar="[RUN]", default="last")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write a page instead.")
@store_option
@json_option
@talk_options
def diff(first: str, second: str, *, html: Path | None, store: Path | str, as_json: bool) -> None:
    """Show two runs side by side: how their graphs differ, who said what, how they ended, what they took.

    \b
      maieutic runs diff 20261121-101500-a1b2c3 last
      maieutic runs diff 20261121-10 20261121-11 --html two.html

    A run that was forked is compared with the run it comes from by naming both.
    """
    from maieutic.cli.recorded import find, opened
    from maieutic.runs.two_runs import side_by_side

    with opened(store) as journal:
        one, other = find(journal, first), find(journal, second)
        told = side_by_side(journal, one, other)
    if as_json:
        click.echo(json.dumps(told.to_json(), ensure_ascii=False))
    elif html is not None:
        from maieutic.runs.reports.site import write_diff

        click.echo(f"Wrote {write_diff(told, html, simulated=one.simulated or other.simulated)}.", err=True)
    else:
        width = min(WIDE, shutil.get_terminal_size().columns) if sys.stdout.isatty() else WIDE
        click.echo("\n".join(_lines(told, max(40, width))))


def _lines(told: SideBySide, width: int) -> Iterator[str]:
    from maieutic.runs.two_runs import Fact

    label = max(len(fact.name) for fact in told.facts) + 2
    column = (width - label - 3) // 2
    for fact in (Fact("", told.first, told.second), *told.facts):
        sides = (_wrapped(_fact(fact.name, value), column) for value in (fact.first, fact.second))
        mark = " " if fact.same or not fact.name else "|"
        for n, (left, right) in enumerate(zip_longest(*sides, fillvalue="")):
            yield f"{'' if n else fact.name:<{label}}{left:<{column}} {mark} {right}".rstrip()
    if told.definition:
        yield "\nThe graph files differ:"
        yield from (f"  {clean(line)}" for line in told.definition)
    common = told.common
    yield "\nThe dialogues " + ("are the same." if common is None else f"part after {amount(common, 'turn')}.")
    half = (width - 3) // 2
    for pair in told.turns:
        if pair.same and pair.first is not None:
            yield f"= {shortened(_said(pair.first), width - 2)}"
        else:
            sides = (_wrapped(_said(turn), half) if turn is not None else [] for turn in (pair.first, pair.second))
            for left, right in zip_longest(*sides, fillvalue=""):
                yield f"{left:<{half}} | {right}".rstrip()


def _fact(name: str, value: Any) -> str:
    if value is None:
        return "unknown" if name == "usd" else "–"
    if name == "usd":
        return money(value)
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _said(turn: Turn) -> str:
    return f"{turn.speaker}{' (off the record)' if turn.kind == 'probe' else ''}: {turn.content.strip()}"


def _wrapped(text: str, width: int) -> list[str]:
    return [line for part in clean(text).splitlines() for line in textwrap.wrap(part, width)] or [""]
