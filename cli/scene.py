"""What there is to show of a run while it goes on: a value that events change and displays draw."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from maieutic.memory import Event
from maieutic.wording import amount

__all__ = ["MEASURE", "Headline", "Scene", "Stand", "clean", "headline", "money", "quantity", "reasons_of"]

MEASURE = 100
"""Columns beyond which a line of speech is hard to read."""

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def clean(text: str) -> str:
    """Text without control characters: what a model says must not steer the terminal."""
    return _CONTROL.sub("", text.replace("\r\n", "\n"))


def quantity(number: float) -> str:
    """A count for people: 950, 3.4k, 1.2M."""
    if number < 1000:
        return f"{number:.0f}"
    return f"{number / 1000:.1f}k" if number < 999_950 else f"{number / 1e6:.1f}M"


def money(usd: float) -> str:
    """US dollars with as many digits as it takes: $0, $0.0012, $1.25."""
    return "$0" if usd == 0 else f"${usd:.2f}" if usd >= 1 else f"${usd:.4f}" if usd >= 0.0001 else "<$0.0001"


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a speaker stood at one time: its answer and how sure it was, from 0 to 1."""

    answer: str
    confidence: float
    round: int


@dataclass(frozen=True, slots=True)
class Headline:
    """What is known of a run before it begins.

    Attributes:
        title: The question, or the graph's name.
        speakers: Names of those who speak, in order.
        rounds: How many rounds there are at most, or None.
        simulated: Whether simulated minds answer.
        reasons: Whether it is told why a speaker did what it did, where a turn's data say so.
    """

    title: str
    speakers: Sequence[str] = ()
    rounds: int | None = None
    simulated: bool = False
    reasons: bool = False


@dataclass(slots=True)
class Scene:
    """The present state of a run, for a display.

    Attributes:
        head: What was known before.
        round: The round that goes on.
        asked: The verb that each agent is about to do.
        speaking: What each speaker has said of a reply that is still coming.
        stands: The positions of each speaker, in order of time.
        calls, bought, tokens, usd, unpriced, retries: Totals so far; `bought` leaves out what the journal answered,
            `unpriced` counts calls whose price is unknown.
        notice: The last retry or warning.
    """

    head: Headline
    round: int | None = None
    asked: dict[str, str] = field(default_factory=dict)
    speaking: dict[str, str] = field(default_factory=dict)
    stands: dict[str, list[Stand]] = field(default_factory=dict)
    calls: int = 0
    bought: int = 0
    tokens: int = 0
    usd: float = 0.0
    unpriced: int = 0
    retries: int = 0
    notice: str = ""
    begun: float = field(default_factory=time.monotonic)

    def take(self, event: Event) -> None:
        """Let something have happened."""
        match event.kind:
            case "asking":
                self.asked[event.data["agent"]] = event.data["verb"]
            case "text":
                self._hear(event.data)
            case "turn":
                self._end_turn(event.data)
            case "call":
                self.asked.pop(event.data["agent"], None)
                self._count(event.data)
            case "retry":
                self.retries += 1
                self.notice = told(event)
            case "warning":
                self.notice = told(event)

    def _hear(self, data: Mapping[str, Any]) -> None:
        before = "" if data.get("restart") else self.speaking.get(data["speaker"], "")
        self.speaking[data["speaker"]] = before + clean(data["text"])

    def _end_turn(self, turn: Mapping[str, Any]) -> None:
        if turn.get("round"):
            self.round = turn["round"]
        if turn.get("kind") == "probe":
            stand = stand_of(turn)
            if stand is not None:
                self.stands.setdefault(turn["speaker"], []).append(stand)
            return
        self.speaking.pop(turn["speaker"], None)
        self.notice = ""

    def _count(self, data: Mapping[str, Any]) -> None:
        self.calls += 1
        self.bought += not data.get("from_journal")
        usage = data.get("usage") or {}
        self.tokens += (usage.get("prompt") or 0) + (usage.get("completion") or 0)
        self.usd += data.get("usd") or 0.0
        self.unpriced += data.get("usd") is None

    def spent(self) -> str:
        """Calls, tokens and money so far, in one line."""
        parts = [amount(self.calls, "call"), f"{quantity(self.tokens)} tokens"]
        if self.usd or not self.head.simulated:
            parts.append(money(self.usd) + (" and unknown prices" if self.unpriced else ""))
        if self.calls > self.bought:
            parts.append(f"{self.calls - self.bought} from the journal")
        if self.retries:
            parts.append("1 retry" if self.retries == 1 else f"{self.retries} retries")
        return " · ".join(parts)

    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self.begun


def which_dialogue(turn: Mapping[str, Any]) -> str:
    """Which of several dialogues that go on at once a turn belongs to: an arm's name or a tree's node; else empty."""
    data = turn.get("data") or {}
    return str(data.get("arm") or data.get("node") or "")


def stand_of(turn: Mapping[str, Any]) -> Stand | None:
    """The position that an off-the-record turn tells, if it tells one."""
    data = turn.get("data") or {}
    answer, confidence = data.get("answer"), data.get("confidence")
    if answer is None or not isinstance(confidence, int | float) or "item" in data:  # a quiz is no position
        return None
    return Stand(clean(str(answer)), float(confidence), turn.get("round") or 0)


def reasons_of(turn: Mapping[str, Any]) -> list[str]:
    """Why a speaker did what it did, a line each, where the turn's data say so."""
    data = turn.get("data") or {}
    return [clean(f"why {data.get('move', 'this')}: {reason}") for reason in data.get("why") or ()]


def told(event: Event) -> str:
    """A retry or warning in one line."""
    data = event.data
    if event.kind == "warning":
        return clean(str(data.get("message", "")))
    wait = data.get("wait")
    after = f"; again in {wait:.1f} s" if isinstance(wait, int | float) else ""
    return clean(f"{data.get('model', 'the model')}: {data.get('message', data.get('kind', 'failed'))}{after}")


def headline(spec: Any, inputs: Mapping[str, Any], *, simulated: bool) -> Headline:
    """The headline of a graph file (a GraphSpec) and its inputs."""
    speakers = [name for name, agent in spec.agents.items() if agent.role != "judge"]
    speakers += [name for name in spec.agents if name not in speakers]
    rounds = spec.params.get("rounds") if spec.use else None
    title = inputs.get("question") or inputs.get("topic") or spec.name
    return Headline(clean(str(title)), speakers, rounds if isinstance(rounds, int) else None, simulated)
