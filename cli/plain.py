"""A run told in plain lines: in a pipe, on a dumb terminal, in a log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from maieutic.cli.scene import Headline, Scene, clean, money, reasons_of, stand_of, told, which_dialogue
from maieutic.memory import MODERATOR, Event

__all__ = ["PlainDisplay", "edge_line", "stand_line"]


class PlainDisplay:
    """Writes one block for each turn to stderr, as soon as it is over."""

    def __init__(self, head: Headline, *, verbose: bool = False) -> None:
        self.scene = Scene(head)
        self._verbose = verbose
        self._round: int | None = None

    def begin(self) -> None:
        """Write the headline."""
        head = self.scene.head
        self._say(f"{head.title}{'  [simulated]' if head.simulated else ''}")
        if head.speakers:
            self._say(f"with {', '.join(head.speakers)}")

    def on_event(self, event: Event) -> None:
        """Write what happened, if it is worth a line."""
        self.scene.take(event)
        match event.kind:
            case "turn":
                self._turn(event.data)
            case "retry" | "warning":
                self._say(f"  ! {told(event)}")
            case "call" if self._verbose:
                self._say(f"  · {call_line(event.data)}")
            case "routed" if self._verbose:
                self._say(f"  · {routed_line(event.data)}")
            case "edge" if self._verbose:
                self._say(f"  · {edge_line(event.data)}")

    def pause(self) -> None:
        """Make room for a question to a person: nothing to do."""

    def resume(self) -> None:
        """Go on after it."""

    def end(self) -> None:
        """Write what it took."""
        self._say("")

    def _turn(self, turn: Mapping[str, Any]) -> None:
        if turn["speaker"] == MODERATOR:
            return
        round_ = turn.get("round")
        if round_ is not None and round_ != self._round:
            self._round = round_
            of = f" of {self.scene.head.rounds}" if self.scene.head.rounds else ""
            before = "Before the debate" if stand_of(turn) is not None else "Beforehand"
            self._say(f"\nRound {round_}{of}" if round_ else f"\n{before}")
        if turn.get("kind") == "probe":
            if stand_of(turn) is not None:
                self._say(f"  {stand_line(turn)}")
            elif self._verbose:
                self._say(f"  {turn['speaker']} (off the record): {_indented(turn['content'])}")
            return
        dialogue = f" [{arm}]" if (arm := which_dialogue(turn)) else ""  # several may go on at once
        self._say(f"{turn['speaker']}{dialogue}: {_indented(turn['content'])}")
        if self.scene.head.reasons:
            for reason in reasons_of(turn):
                self._say(f"    {reason}")

    def _say(self, line: str) -> None:
        click.echo(line, err=True)


def stand_line(turn: Mapping[str, Any]) -> str:
    """A position in words."""
    stand = stand_of(turn)
    assert stand is not None
    return f"{turn['speaker']} stands at {stand.answer} ({stand.confidence:.2f})"


def call_line(data: Mapping[str, Any]) -> str:
    """One model call in one line."""
    usage = data.get("usage") or {}
    price = "price unknown" if data.get("usd") is None else money(data["usd"])
    asked = f"{data.get('agent') or 'somebody'} asked {data.get('model')}"
    tokens = f"{usage.get('prompt') or 0}+{usage.get('completion') or 0} tokens"
    source = " (from the journal)" if data.get("from_journal") else ""
    return f"{asked}: {tokens}, {price}, {data.get('seconds') or 0:.2f} s{source}"


def routed_line(data: Mapping[str, Any]) -> str:
    """One choice of a model and why, in one line."""
    return clean(f"routed to {data['name']}: {' '.join(data.get('reasons') or ())}")


def edge_line(edge: Mapping[str, Any]) -> str:
    """One route and why it was taken."""
    from maieutic.graphs.picture import reason

    return clean(f"{edge['source']} → {edge['target']}: {reason(edge)}")


def _indented(text: str) -> str:
    return clean(text).strip().replace("\n", "\n  ")
