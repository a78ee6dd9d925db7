"""A run to watch: what was said scrolls by in colour, and below it what is being said, where everybody stands, and
what it has cost."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.constrain import Constrain
from rich.live import Live
from rich.rule import Rule
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from maieutic.cli.plain import call_line, edge_line, routed_line
from maieutic.cli.report import Item, report
from maieutic.cli.scene import MEASURE, Headline, Scene, Stand, clean, reasons_of, stand_of, told, which_dialogue
from maieutic.cli.tables import shortened
from maieutic.memory import MODERATOR, Event

__all__ = ["LiveDisplay", "rich_report"]

COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "red")
JUDGE = "bold white"
TAIL = 6
DOING = 4  # agents named in the status line
"""Lines of a reply that are shown while it comes."""
ANSWER = 32
"""Characters of an answer beside its bar."""
BAR = 24
REFRESH = 12
"""Times a second that the live region is redrawn."""


class LiveDisplay:
    """Shows a run on a terminal.

    Args:
        head: What is known beforehand.
        console: Where to show it; stderr if left out.
        verbose: Also tell calls and routes.
        pace: Seconds to wait after each turn.
    """

    def __init__(
        self, head: Headline, *, console: Console | None = None, verbose: bool = False, pace: float = 0.0
    ) -> None:
        self.console = console or Console(stderr=True, highlight=False)
        self.scene = Scene(head)
        self._verbose = verbose
        self._pace = pace
        self._told_round: int | None = None
        self._spoke = False
        # A thread of ours redraws the region, so that it lives on while something is imported. The lock keeps it from
        # drawing while we print; rich's own thread does not wait for prints, and lines were lost.
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._spinner = Spinner("dots", style="dim")
        self._live = self._region()

    def begin(self) -> None:
        """Show the headline and begin to draw."""
        head = self.scene.head
        title = Text(head.title, style="bold")
        if head.simulated:
            title.append("  simulated", style="yellow")
        self.console.print(title)
        if head.speakers:
            self.console.print(Text("with ").append_text(_names(head.speakers, self._style)), style="dim")
        self._live.start()
        threading.Thread(target=self._redraw, daemon=True).start()

    def on_event(self, event: Event) -> None:
        """Take in what happened, and print what is there to stay."""
        with self._lock:
            self.scene.take(event)
            for line in self._lasting(event):
                self.console.print(line)
        if self._pace and event.kind == "turn" and event.data.get("kind") != "probe":
            time.sleep(self._pace)

    def pause(self) -> None:
        """Stop drawing, so that a person can be asked."""
        with self._lock:
            self._live.stop()

    def resume(self) -> None:
        """Draw on."""
        with self._lock:
            self._live = self._region()
            self._live.start()

    def end(self) -> None:
        """Take the live region away; what was printed stays."""
        self._over.set()
        with self._lock:
            self._live.stop()

    def _redraw(self) -> None:
        while not self._over.wait(1 / REFRESH):
            with self._lock:
                if self._live.is_started:
                    self._live.refresh()

    def _region(self) -> Live:
        return Live(
            console=self.console,
            get_renderable=self._draw,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    # -- what stays ---------------------------------------------------------------------------------------------

    def _lasting(self, event: Event) -> Iterator[RenderableType]:
        match event.kind:
            case "turn" if event.data["speaker"] != MODERATOR:
                yield from self._turn(event.data)
            case "retry" | "warning":
                yield Text(f"  ! {told(event)}", style="yellow")
            case "call" if self._verbose:
                yield Text(f"  · {call_line(event.data)}", style="dim")
            case "routed" if self._verbose:
                yield Text(f"  · {routed_line(event.data)}", style="dim")
            case "edge" if self._verbose:
                yield Text(f"  · {edge_line(event.data)}", style="dim")

    def _turn(self, turn: Mapping[str, Any]) -> Iterator[RenderableType]:
        if turn.get("round") is not None and turn["round"] != self._told_round:
            self._told_round = turn["round"]
            yield ""
            yield self._rule(turn["round"])
        if turn.get("kind") == "probe":
            if stand_of(turn) is not None:
                yield from [""] * self._spoke
                self._spoke = False
                history = self.scene.stands[turn["speaker"]]
                yield self._stood(turn["speaker"], history, _since_last(history))
            return
        yield ""
        self._spoke = True
        dialogue = f" [{arm}]" if (arm := which_dialogue(turn)) else ""
        yield Speech(f"{turn['speaker']}{dialogue}", turn["content"], self._style(turn["speaker"]))
        if self.scene.head.reasons:
            yield from (Text(f"    {reason}", style="dim") for reason in reasons_of(turn))

    def _rule(self, round_: int) -> RenderableType:
        of = f" of {self.scene.head.rounds}" if self.scene.head.rounds else ""
        return rule(f"round {round_}{of}" if round_ else "before the debate", "dim")

    def _stood(self, name: str, history: Sequence[Stand], movement: Text) -> Text:
        """Where somebody stands, on one line: the answer shortened, the bar never."""
        now = history[-1]
        width = max(map(len, self.scene.stands))
        line = Text("  ", no_wrap=True, overflow="ellipsis").append(name.ljust(width + 1), style=self._style(name))
        line.append_text(self._bar(name, now)).append(f" {now.confidence:.2f} ", style="dim")
        return line.append(shortened(now.answer, ANSWER)).append("  ").append_text(movement)

    def _bar(self, name: str, stand: Stand) -> Text:
        full = round(stand.confidence * BAR)
        return Text("━" * full, style=self._style(name)).append("╌" * (BAR - full), style="dim")

    def _style(self, name: str) -> str:
        speakers = list(self.scene.head.speakers)
        if name.lower().startswith(("judge", "juror")):
            return JUDGE
        return COLOURS[speakers.index(name) % len(COLOURS)] if name in speakers else "white"

    # -- what moves ---------------------------------------------------------------------------------------------

    def _draw(self) -> RenderableType:
        parts: list[RenderableType] = [""]
        for name, text in self.scene.speaking.items():
            parts += [Speech(name, text, self._style(name), tail=TAIL), ""]
        if self.scene.stands:
            parts += [*self._bars(), ""]
        parts.append(self._status())
        return Group(*parts)

    def _bars(self) -> list[RenderableType]:
        return [self._stood(name, history, _since_first(history)) for name, history in self.scene.stands.items()]

    def _status(self) -> RenderableType:
        told = self.scene.spent() if self.scene.calls or self.scene.speaking else "getting ready"
        line = Text(f"{self.scene.seconds():.0f} s · {told}", style="dim")
        if doing := [f"{who} ({verb})" for who, verb in self.scene.asked.items()][:DOING]:
            line.append(f" · {', '.join(doing)}")
        if self.scene.head.simulated:
            line.append(" · simulated", style="yellow")
        if self.scene.notice:
            line.append(f"\n{self.scene.notice}", style="yellow")
        row = Table.grid(padding=(0, 1))
        row.add_row(self._spinner, line)
        return row


class Speech:
    """What somebody says: a bar in the speaker's colour, the name, and the words, wrapped to a readable measure.

    Args:
        tail: Show no more than so many of the last lines; all of them if None.
    """

    def __init__(self, name: str, text: str, style: str, *, tail: int | None = None) -> None:
        self.name = name
        self.text = clean(text).strip()
        self.style = style
        self.tail = tail

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        yield Text("▌ ", style=self.style).append(self.name, style=f"bold {self.style}")
        lines = Text(self.text).wrap(console, min(MEASURE, options.max_width) - 2)
        for line in lines if self.tail is None else lines[-self.tail :]:
            yield Text("▌ ", style=self.style).append_text(line)


def rule(title: str, style: str) -> RenderableType:
    """A line across the page with a title in it, no longer than a line of speech."""
    return Constrain(Rule(Text(title, style=style), align="left", style="dim"), MEASURE)


def _since_last(history: Sequence[Stand]) -> Text:
    """A change of mind since the position before."""
    changed = len(history) > 1 and history[-2].answer != history[-1].answer
    return Text(f"was {shortened(history[-2].answer, ANSWER)}", style="bold yellow") if changed else Text("")


def _since_first(history: Sequence[Stand]) -> Text:
    """How the last position differs from the first."""
    first, now = history[0], history[-1]
    if first.answer != now.answer:
        return Text(f"was {shortened(first.answer, ANSWER)}", style="bold yellow")
    change = now.confidence - first.confidence
    if abs(change) < 0.005:
        return Text("")
    return Text(f"{'▲' if change > 0 else '▼'} {abs(change):.2f}", style="green" if change > 0 else "red")


def _names(names: Sequence[str], style: Any) -> Text:
    return Text(", ").join(Text(name, style=style(name)) for name in names)


def rich_report(result: Mapping[str, Any], console: Console, *, title: str = "outcome") -> None:
    """Print a run's report in colour."""
    console.print()
    console.print(rule(title, "bold"))
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(max_width=MEASURE)
    for item in report(result):
        table.add_row(item.label.lower(), _told(item))
    console.print(table)


def _told(item: Item) -> Text:
    if item.label == "Positions":
        return Text("\n").join(_path(line) for line in item.lines)
    style = {"Answer": "bold green", "Note": "yellow", "Spent": "dim", "Ended": "dim"}.get(item.label, "")
    return Text("\n".join(item.lines), style=style)


def _path(line: str) -> Text:
    """The positions of one speaker, each change of answer marked."""
    head, *rest = line.split(" → ")
    before = head.split("  ", 1)[-1].strip().rpartition(" ")[0]
    text = Text(head)
    for step in rest:
        answer = step.rpartition(" ")[0]
        text.append(" → ", style="dim").append(step, style="bold yellow" if answer != before else "")
        before = answer
    return text
