"""An experiment to watch: a table that lives in a terminal, plain lines in a pipe."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from maieutic.cli.scene import money, quantity

if TYPE_CHECKING:
    from rich.console import RenderableType

    from maieutic.runs.experiments import Progress

__all__ = ["display", "line", "table"]

_EVERY = 5.0
"""Seconds between two lines in a pipe."""
_REFRESH = 4
_BAR = 24


@contextmanager
def display(*, quiet: bool) -> Iterator[Callable[[Progress], None]]:
    """Shows progress on stderr from when it is given until the end of the context."""
    if quiet:
        yield lambda progress: None
    elif sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        with _live() as begin:
            yield begin
    else:
        with _lines() as begin:
            yield begin


@contextmanager
def _lines() -> Iterator[Callable[[Progress], None]]:
    over = threading.Event()
    told: list[Progress] = []

    def tell() -> None:
        while not over.wait(_EVERY):
            click.echo(line(told[0]), err=True)

    thread = threading.Thread(target=tell, name="maieutic-progress", daemon=True)

    def begin(progress: Progress) -> None:
        told.append(progress)
        click.echo(line(progress), err=True)
        thread.start()

    try:
        yield begin
    finally:
        over.set()
        if told:
            thread.join()
            click.echo(line(told[0]), err=True)


@contextmanager
def _live() -> Iterator[Callable[[Progress], None]]:
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True, highlight=False)
    shown: list[Live] = []

    def begin(progress: Progress) -> None:
        live = Live(
            console=console,
            get_renderable=lambda: table(progress),
            refresh_per_second=_REFRESH,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        live.start(refresh=True)
        shown.append(live)

    try:
        yield begin
    finally:
        for live in shown:
            live.stop()


def line(progress: Progress) -> str:
    """How far it is, in one line."""
    total = progress.total
    parts = [f"{total.over}/{total.planned}{'+' * progress.filling} dialogues", f"{total.failed} failed"]
    if flying := sum(progress.flying.values()):
        parts.append(f"{flying} in flight")
    parts += [f"{quantity(progress.calls)} calls", f"{quantity(progress.tokens)} tokens", _cost(progress)]
    if progress.rate:
        parts.append(f"{progress.rate:.1f}/s")
    if progress.remaining:
        parts.append(f"{_span(progress.remaining)} left")
    return f"{progress.experiment}: {', '.join(parts)}"


def table(progress: Progress) -> RenderableType:
    """How far every condition is."""
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    scorers = dict.fromkeys(scorer for _, scorer in list(progress.scores))
    for name in ("", "", "done", "failed", "in flight", *scorers):
        grid.add_column(name, justify="left" if not name else "right", no_wrap=True)
    for name, tally in list(progress.counts.items()):
        grid.add_row(
            Text(name, style="bold"),
            ProgressBar(total=max(1, tally.planned), completed=tally.over, width=_BAR),
            f"{tally.done}/{tally.planned}",
            Text(str(tally.failed), style="red" if tally.failed else "dim"),
            str(progress.flying.get(name, 0)),
            *(_score(progress, name, scorer) for scorer in scorers),
        )
    return Group(grid, Text(line(progress), style="dim"))


def _score(progress: Progress, condition: str, scorer: str) -> str:
    """The mean of what ended in this execution."""
    total, n = progress.scores.get((condition, scorer), (0.0, 0))
    return f"{total / n:.3f}" if n else ""


def _cost(progress: Progress) -> str:
    if progress.calls and progress.unpriced == progress.calls:
        return "cost unknown"
    cost = money(progress.usd) + "+?" * bool(progress.unpriced)
    return f"{cost} simulated" if progress.simulated else cost


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f}s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
