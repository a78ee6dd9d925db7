"""What a run took: calls, tokens, money, time, by agent and by model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from maieutic.backends.types import Attempt, LLMReply, Structure, Usage

if TYPE_CHECKING:
    from maieutic.memory.entries import Entry

__all__ = ["Ledger", "Tally"]


@dataclass(slots=True)
class Tally:
    """Sums over some calls. A sum leaves out what is unknown, and the number of calls left out stands beside it.

    Attributes:
        calls: Calls that were answered, by a model or by the journal.
        attempts: Requests sent to an endpoint for them and for calls that failed for good.
        failed: Attempts that failed, by kind (see ModelError.kind); also those a circuit breaker held back.
        prompt, completion, cached, reasoning: Tokens as reported (see Usage).
        shared: Answered calls that came with the request of another sample, which is counted once.
        unknown_usage: Answered calls whose endpoint reported no tokens.
        usd: US dollars, where the price is known.
        unknown_price: Answered calls whose price is unknown.
        seconds: Time spent waiting for replies, summed over calls.
        from_journal: Answered calls for which no model was called this time.
        structure: Typed replies, by how they were won (see Structure).
    """

    calls: int = 0
    attempts: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    prompt: int = 0
    completion: int = 0
    cached: int = 0
    reasoning: int = 0
    shared: int = 0
    unknown_usage: int = 0
    usd: float = 0.0
    unknown_price: int = 0
    seconds: float = 0.0
    from_journal: int = 0
    structure: dict[str, int] = field(default_factory=dict)

    def add_reply(self, reply: LLMReply) -> None:
        """Count one answered call and the attempts that failed before it."""
        self.calls += 1
        self.attempts += not reply.shared
        self.shared += reply.shared
        self.add_failures(reply.failed)
        self._add_usage(reply.usage)
        self.usd += reply.usd or 0.0
        self.unknown_price += reply.usd is None
        self.seconds += reply.seconds
        self.from_journal += reply.from_journal

    def add_failures(self, attempts: Sequence[Attempt]) -> None:
        """Count attempts that failed."""
        self.attempts += len(attempts)
        for attempt in attempts:
            self.failed[attempt.kind] = self.failed.get(attempt.kind, 0) + 1

    def add_structure(self, structure: Structure) -> None:
        """Count a typed reply."""
        self.structure[structure] = self.structure.get(structure, 0) + 1

    def merge(self, other: Tally) -> None:
        """Add another tally's sums to this one."""
        for name in self.__slots__:
            mine, theirs = getattr(self, name), getattr(other, name)
            if isinstance(mine, dict):
                for key, count in theirs.items():
                    mine[key] = mine.get(key, 0) + count
            else:
                setattr(self, name, mine + theirs)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, every field under its name."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {name: dict(v) if isinstance(v, dict) else v for name, v in values.items()}

    def _add_usage(self, usage: Usage) -> None:
        self.prompt += usage.prompt or 0
        self.completion += usage.completion or 0
        self.cached += usage.cached or 0
        self.reasoning += usage.reasoning or 0
        self.unknown_usage += usage.total is None


class Ledger:
    """The tallies of one run.

    Replies that the journal gave are counted with what they cost when they were bought, so a resumed run's ledger is
    the whole run's; `from_journal` says how many of them cost nothing this time.

    Attributes:
        total: Everything.
        by_agent: By the name of the agent that asked ("" if nobody in particular).
        by_model: By the model that answered, as it names itself; attempts that failed for good by the model asked for.
    """

    def __init__(self) -> None:
        self.total = Tally()
        self.by_agent: dict[str, Tally] = {}
        self.by_model: dict[str, Tally] = {}

    @classmethod
    def from_entries(cls, entries: Iterable[Entry]) -> Ledger:
        """The ledger of a run as its journal tells it."""
        from maieutic.backends.journaled import attempts_from_json, reply_from_json
        from maieutic.backends.structured import structure_of

        ledger = cls()
        typed: dict[str, tuple[str, str, Structure | None]] = {}
        for entry in entries:
            if entry.kind == "attempt" and entry.reply.get("shared"):
                continue
            if entry.kind == "attempt":
                ledger.add_failure(entry.agent, entry.request.get("model", ""), attempts_from_json(entry.reply))
            elif entry.kind == "model":
                reply = reply_from_json(entry.reply)
                ledger.add_reply(entry.agent, reply)
                if reply.structure is not None:
                    typed[entry.at] = (entry.agent, reply.model, structure_of(reply, entry.at))
        for at, (agent, model, structure) in typed.items():
            if structure is not None and f"{at}/repair" not in typed:
                ledger.add_structure(agent, model, structure)
        return ledger

    def add_reply(self, agent: str, reply: LLMReply) -> None:
        """Enter an answered call."""
        for tally in self._tallies(agent, reply.model):
            tally.add_reply(reply)

    def add_failure(self, agent: str, model: str, attempts: Sequence[Attempt]) -> None:
        """Enter a call that failed for good."""
        for tally in self._tallies(agent, model):
            tally.add_failures(attempts)

    def add_structure(self, agent: str, model: str, structure: Structure) -> None:
        """Enter how a typed reply was won."""
        for tally in self._tallies(agent, model):
            tally.add_structure(structure)

    def merge(self, other: Ledger) -> None:
        """Add another run's ledger to this one."""
        self.total.merge(other.total)
        for mine, theirs in ((self.by_agent, other.by_agent), (self.by_model, other.by_model)):
            for name, tally in theirs.items():
                mine.setdefault(name, Tally()).merge(tally)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON: `total`, `by_agent`, `by_model`."""
        return {
            "total": self.total.to_json(),
            "by_agent": _all_to_json(self.by_agent),
            "by_model": _all_to_json(self.by_model),
        }

    def _tallies(self, agent: str, model: str) -> tuple[Tally, Tally, Tally]:
        by_agent = self.by_agent.setdefault(agent, Tally())
        return self.total, by_agent, self.by_model.setdefault(model, Tally())


def _all_to_json(tallies: Mapping[str, Tally]) -> dict[str, Any]:
    return {name: tallies[name].to_json() for name in sorted(tallies)}
