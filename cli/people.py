"""People who take part: how they are asked, and what they may see while they do."""

from __future__ import annotations

import asyncio
import shutil
import sys
import textwrap
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from maieutic.cli.scene import MEASURE, clean
from maieutic.memory import Emit, Event, Turn

if TYPE_CHECKING:
    from maieutic.backends.person import AskedField
    from maieutic.runs import Program

__all__ = ["Asker", "OneSeat", "people_in"]


def people_in(program: Program) -> list[str]:
    """Names of the agents that are people."""
    return [name for name, agent in program.cast.items() if agent.model.provider == "person"]


_KINDS = {"str": "", "float": "number", "int": "whole number", "bool": "yes/no"}
"""Types as a person reads them."""


class Asker:
    """Asks on the terminal, or takes the lines of a pipe as answers.

    Args:
        pause, resume: Called before and after a question, so that a display makes room.

    Raises:
        EOFError: There is no input left, so nobody is there.
    """

    def __init__(self, pause: Callable[[], None], resume: Callable[[], None]) -> None:
        self._pause = pause
        self._resume = resume
        self._one_at_a_time = asyncio.Lock()

    async def __call__(self, question: str, field: AskedField | None) -> str:
        """Put one question."""
        async with self._one_at_a_time:
            self._pause()
            try:
                if question:
                    click.secho(f"\n{_wrapped(clean(question))}", err=True, bold=True)
                click.echo(f"{_prompt(field)}> ", err=True, nl=False)
                line = await _line()
            finally:
                self._resume()
        if not line:
            click.echo("", err=True)
            raise EOFError
        return line.rstrip("\n")


def _wrapped(text: str) -> str:
    width = min(MEASURE, shutil.get_terminal_size().columns)
    return "\n".join(textwrap.fill(line, width) for line in text.splitlines())


def _prompt(field: AskedField | None) -> str:
    if field is None:
        return ""
    about = f" ({field.description})" if field.description else ""
    kind = "/".join(field.choices) if field.choices else _KINDS.get(field.type.removesuffix(" | None"), field.type)
    return f"{field.name}{about}{f' [{kind}]' if kind else ''} "


async def _line() -> str:
    """One line of stdin. Unlike a thread that reads, this can be cancelled, and Ctrl-C must end the program at once."""
    if sys.stdin is None or sys.stdin.closed:
        return ""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    try:
        loop.add_reader(sys.stdin.fileno(), ready.set)
    except (NotImplementedError, OSError, ValueError):
        # Files cannot be waited for and never keep one waiting; Windows' loop has no readers at all.
        return await asyncio.to_thread(sys.stdin.readline)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(sys.stdin.fileno())
    return sys.stdin.readline()


class OneSeat:
    """Passes on only what one participant may know, so that a person at the screen plays fair.

    What others say off the record or not to this person stays away, and what is said blindly comes after the person's
    own turn of that round, as the person's view of the transcript has it.
    """

    def __init__(self, name: str, emit: Emit) -> None:
        self._name = name
        self._emit = emit
        self._held: list[Event] = []

    def __call__(self, event: Event) -> None:
        """Pass an event on, now, later, or never."""
        if event.kind == "text" and event.data.get("speaker") != self._name:
            return
        if event.kind != "turn":
            self._emit(event)
            return
        turn = Turn.from_json(event.data)
        if turn.speaker == self._name:
            self._emit(event)
            self._release()
        elif turn.heard_by(self._name):
            if self._name in turn.blind_to:
                self._held.append(event)
            else:
                self._emit(event)

    def _release(self) -> None:
        held, self._held = self._held, []
        for event in held:
            self._emit(event)
