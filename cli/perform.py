"""Doing one run where people can watch it: display, Ctrl-C, result, exit code."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

import click

from maieutic.cli import exit_codes
from maieutic.cli.options import STORE, Talk, elsewhere
from maieutic.cli.scene import Headline
from maieutic.memory import Emit, Event

if TYPE_CHECKING:
    from maieutic.runs import Workspace

__all__ = ["Display", "Performance", "perform", "show_result"]


class Display(Protocol):
    """Shows a run while it goes on."""

    def begin(self) -> None: ...  # noqa: D102
    def on_event(self, event: Event) -> None: ...  # noqa: D102
    def pause(self) -> None: ...  # noqa: D102
    def resume(self) -> None: ...  # noqa: D102
    def end(self) -> None: ...  # noqa: D102


Result = Mapping[str, Any]
"""Plain JSON with at least a `status`: mostly `Run.to_json()`."""
Act = Callable[["Workspace", dict[str, Any]], Awaitable[Result]]
"""Does something in a workspace; the dict has the options `on_event` and `stream` of its runs."""


@dataclass(frozen=True, slots=True)
class Performance:
    """What is performed, and how it is shown.

    Attributes:
        act: Does it.
        head: What is known beforehand.
        run_id: The id of the run that will be in the store.
        talk: How much is told.
        store: The journal's file or address; None keeps the run in memory.
        as_json, pace, record, offline, cache: See RunOptions.
        answers: A person's answers by address.
        seat: The person at this terminal who takes part, if one does.
        report: Writes the result as text; left out, it is the report of a run.
        also: Others who are told of every event, before it is shown.
        going_on: Options with which the run is to be resumed.
    """

    act: Act
    head: Headline
    run_id: str
    talk: Talk
    store: Path | str | None = Path(STORE)
    as_json: bool = False
    pace: float = 0.0
    record: Path | None = None
    offline: bool = False
    cache: bool = False
    answers: Mapping[str, str] = field(default_factory=dict)
    seat: str | None = None
    report: Callable[[Result], str] | None = None
    also: Sequence[Emit] = ()
    going_on: str = ""

    @property
    def watched(self) -> bool:
        """Whether somebody sits at a terminal that can draw."""
        return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def perform(what: Performance) -> NoReturn:
    """Run it, show it, and exit with the code that says how it ended."""
    with asyncio.Runner() as runner:
        result = runner.run(_perform(what))
        if result is None or result["status"] == "cancelled":
            _tell(what, result)
            sys.stdout.flush()
            sys.stderr.flush()
            # At once: a normal exit would wait for threads, and one may be importing LiteLLM for seconds. The journal
            # is closed and connections are.
            os._exit(exit_codes.CANCELLED)
    _tell(what, result)
    sys.exit(exit_codes.of_run(result["status"]))


def _tell(what: Performance, result: Result | None) -> None:
    if result is None:
        click.echo("Cancelled.", err=True)
        return
    if what.report and not what.as_json:
        click.echo(what.report(result))
    else:
        show_result(result, as_json=what.as_json)
    _say_what_next(what, result)


async def _perform(what: Performance) -> Result | None:
    """The run as JSON, or None if it was cancelled before anything was kept."""
    from maieutic.backends import PersonBackend
    from maieutic.cli.people import Asker, OneSeat
    from maieutic.runs import Workspace

    display = _display(what)
    person = PersonBackend(Asker(display.pause, display.resume), what.answers)
    shown: Emit = OneSeat(what.seat, display.on_event) if what.seat else display.on_event

    def on_event(event: Event) -> None:
        for told in (*what.also, shown):
            told(event)

    async with Workspace(what.store, backends={"person": person}, offline=what.offline, cache=what.cache) as workspace:
        display.begin()
        try:
            return await what.act(workspace, {"on_event": on_event, "stream": what.watched and not what.talk.quiet})
        except asyncio.CancelledError:
            # Ctrl-C. This is the end of the program, so the cancellation has arrived; the run is closed as cancelled.
            return _closed_as_cancelled(workspace, what.run_id)
        finally:
            display.end()
            if what.record and workspace.journal.holds(what.run_id):
                workspace.journal.export(what.run_id, what.record)


def _closed_as_cancelled(workspace: Workspace, run_id: str) -> Result | None:
    """What the run came to; nothing if it had not begun, or was a replay, which writes nothing."""
    outcome = workspace.journal.run(run_id).outcome if workspace.journal.holds(run_id) else None
    return outcome if outcome is not None and outcome["status"] == "cancelled" else None


def _display(what: Performance) -> Display:
    if what.talk.quiet:
        return Quiet()
    if what.watched:
        from maieutic.cli.live import LiveDisplay

        return LiveDisplay(what.head, verbose=what.talk.verbose, pace=what.pace)
    if what.as_json and not what.talk.verbose:
        return Quiet(f"run {what.run_id}: {what.head.title}")
    from maieutic.cli.plain import PlainDisplay

    return PlainDisplay(what.head, verbose=what.talk.verbose)


class Quiet:
    """Shows nothing, but for one line at the beginning if there is one."""

    def __init__(self, line: str = "") -> None:
        self._line = line

    def begin(self) -> None:
        """Say the line."""
        if self._line:
            click.echo(self._line, err=True)

    def on_event(self, event: Event) -> None:
        """Nothing."""

    def pause(self) -> None:
        """Nothing."""

    def resume(self) -> None:
        """Nothing."""

    def end(self) -> None:
        """Nothing."""


def show_result(result: Result, *, as_json: bool) -> None:
    """Print what a run came to on stdout: one JSON object, or a report."""
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=False))
    elif sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        from rich.console import Console

        from maieutic.cli.live import rich_report

        rich_report(result, Console(highlight=False))
    else:
        from maieutic.cli.report import plain_report

        click.echo(plain_report(result))


def _say_what_next(what: Performance, result: Result) -> None:
    """On stderr: why it ended before its time, if it did, and the command with which to go on."""
    if result.get("error") and result["status"] != "cancelled":
        click.secho(f"{result['status'].capitalize()}: ", err=True, nl=False, fg="red", bold=True)
        click.echo(result["error"], err=True)
    if what.store is None:
        return
    run = result.get("id", what.run_id)
    again = f"{what.going_on}{elsewhere(what.store)}"
    go_on = {
        "cancelled": f"Cancelled; what there is is kept. Go on with: maieutic resume {run}{again}",
        "paused": f"Go on with more: maieutic resume {run} --budget LIMITS{again}",
        "stopped": f"Go on with more: maieutic resume {run} --budget LIMITS{again}",
        "failed": f"When that is mended, go on with: maieutic resume {run}{again}",
        "waiting": f"Keep what comes of it, too, with:{what.going_on}" if what.going_on else None,
    }.get(result["status"])
    if result.get("reason") == "failed:reply":  # the reply stands in the journal
        go_on = (
            "A resumed run would read the same reply; go on from a turn N with another model: "
            f"maieutic fork {run} --turn N --model WHO=MODEL{elsewhere(what.store)}"
        )
    if go_on:
        click.echo(go_on, err=True)
    elif not (what.talk.quiet or what.as_json):
        click.echo(f"Read it again with: maieutic runs show {run}{elsewhere(what.store)}", err=True)
