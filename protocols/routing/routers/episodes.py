"""Routers that ask several times: each question is worked through, and everything that it took is counted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from maieutic.agents import Agent
from maieutic.agents import Router as PromptedRouter
from maieutic.errors import UsageError
from maieutic.protocols.cascade import Cascade
from maieutic.protocols.routing.routers.asking import SCORERS, Question, slug, taken
from maieutic.protocols.routing.routers.base import Query
from maieutic.protocols.routing.routers.choosing import choose
from maieutic.protocols.routing.routers.spending import cheapest_first
from maieutic.protocols.together import together

if TYPE_CHECKING:
    from maieutic.backends.place import Place
    from maieutic.backends.types import LLMReply, LLMRequest
    from maieutic.protocols.base import Outcome, Protocol
    from maieutic.protocols.routing.pool import Candidate, Pool
    from maieutic.protocols.routing.routers.comparison import Answered

__all__ = ["Episode", "Meter", "cascade_of", "played", "prompted"]

_AT_ONCE = re.compile(r"(call|check|part)\d+\Z")
"""Steps of an address of which those with one name and different numbers are taken at the same time."""


@dataclass(frozen=True, slots=True)
class Episode:
    """What one question came to.

    Attributes:
        quality: From 0 to 1.
        usd, seconds: Of all calls, the router's own included; None where one of them is unknown.
        asked: Whom of the pool it asked, each once, in order.
        text: The answer.
    """

    quality: float
    usd: float | None
    seconds: float | None
    asked: tuple[str, ...]
    text: str = ""


class Meter:
    """Counts what the calls at one place of a run take.

    A candidate that is simulated takes what the pool says of its price and its median latency; any other simulated mind
    takes nothing.
    """

    def __init__(self, pool: Pool) -> None:
        self._by_agent = {name: c for c in pool.each() for name in (c.name, slug(c.name))}
        self._calls: list[tuple[tuple[str, ...], float | None, float | None]] = []
        self._asked: list[str] = []

    def place(self, at: Place) -> Place:
        """The same place, whose calls are counted here."""
        return replace(at, gateway=at.gateway.observed(self._told))

    def _told(self, request: LLMRequest, reply: LLMReply) -> None:
        candidate = self._candidate(request)
        usd, seconds = (reply.usd, reply.seconds) if candidate is None else taken(candidate, reply)
        self._calls.append((request.address.path, usd, seconds))
        if candidate is not None and candidate.name not in self._asked:
            self._asked.append(candidate.name)

    def _candidate(self, request: LLMRequest) -> Candidate | None:
        found = self._by_agent.get(request.agent)
        return found if found is not None and found.model.model == request.model.model else None

    @property
    def asked(self) -> tuple[str, ...]:
        """The candidates that answered, each once, in order."""
        return tuple(self._asked)

    @property
    def usd(self) -> float | None:
        """US dollars of all calls; None if one's are unknown."""
        paid = [usd for _, usd, _ in self._calls]
        return None if None in paid else sum(usd for usd in paid if usd is not None)

    @property
    def seconds(self) -> float | None:
        """How long the calls took one after the other, of those at the same time the longest; None if one's is unknown.

        It is taken from the addresses and not from a clock, so that a resumed run tells the same.
        """
        if any(seconds is None for *_, seconds in self._calls):
            return None
        return _lasted([(path, seconds or 0.0) for path, _, seconds in self._calls])


def _lasted(calls: Sequence[tuple[tuple[str, ...], float]]) -> float:
    """The time of calls at one place: of branches taken at the same time the longest, of all else the sum."""
    branches: dict[str, list[tuple[tuple[str, ...], float]]] = {}
    total = 0.0
    for path, seconds in calls:
        if path:
            branches.setdefault(path[0], []).append((path[1:], seconds))
        else:
            total += seconds
    at_once: dict[str, float] = {}
    for step, below in branches.items():
        if found := _AT_ONCE.match(step):
            at_once[found[1]] = max(at_once.get(found[1], 0.0), _lasted(below))
        else:
            total += _lasted(below)
    return total + sum(at_once.values())


async def played(
    protocol: Protocol[Any, Any],
    questions: Sequence[Question],
    pool: Pool,
    at: Place,
    *,
    score: str = "em",
    **inputs: Any,
) -> list[Episode]:
    """Let a protocol that routes answer every question: Router-R1, a cascade, decomposition with routing.

    Each question stands at an address of its own, so that what was broken off goes on where it stopped.

    Args:
        protocol: Answers a question. It is told the options of a question where it takes such.
        questions: The questions.
        pool: The candidates that it asks, those that join included.
        at: Where in a run.
        score: Of SCORERS.
        **inputs: The protocol's other inputs, the same for each question: `added` for Router-R1, ….

    Returns:
        One episode for each question, in order. An answer that there is not has quality 0.

    Raises:
        ModelError, ReplyError, BudgetExceeded: What a call met; answers that came are in the journal.
    """
    done = await together(
        {
            str(n): _played(protocol, question, Meter(pool), at / f"{protocol.name}{n}", score=score, **inputs)
            for n, question in enumerate(questions)
        }
    )
    for error in done.failures.values():
        raise error
    return list(done.replies.values())


async def _played(
    protocol: Protocol[Any, Any], asked: Question, meter: Meter, at: Place, *, score: str, **inputs: Any
) -> Episode:
    options = {"options": asked.options} if asked.options and "options" in protocol.inputs else {}
    outcome: Outcome = await protocol.perform(asked.question, at=meter.place(at), **options, **inputs)
    answer = None if outcome.answer is None else str(outcome.answer)
    quality = 0.0 if answer is None else SCORERS[score](answer, asked.answer)
    return Episode(quality, meter.usd, meter.seconds, meter.asked, answer or "")


async def prompted(model: str, answered: Answered, pool: Pool, at: Place) -> list[Episode]:
    """What comes of asking a model for each question whom to choose, by answers that are recorded.

    What the choice itself takes is added to what the answer took.

    Raises:
        ModelError, ReplyError, BudgetExceeded: See `played`.
    """
    router = PromptedRouter("router", model)
    done = await together(
        {str(n): _prompted(router, n, answered, pool, at / f"prompted{n}") for n in range(len(answered.queries))}
    )
    for error in done.failures.values():
        raise error
    return list(done.replies.values())


async def _prompted(router: PromptedRouter, n: int, answered: Answered, pool: Pool, at: Place) -> Episode:
    meter = Meter(pool)
    query: Query = answered.queries[n]
    decision = await choose(router, query, pool, meter.place(at))
    record = answered.records[n][answered.names.index(decision.name)]
    usd, seconds = _sum(meter.usd, record.usd), _sum(meter.seconds, record.seconds)
    return Episode(record.quality, usd, seconds, (decision.name,))


def _sum(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other


def cascade_of(pool: Pool, **params: Any) -> Cascade:
    """The pool as a cascade with self-verification, from the cheapest to the dearest.

    Args:
        pool: Two or more candidates, each with a known price.
        **params: See Cascade.

    Raises:
        UsageError: There is one candidate alone, or a price is not known.
    """
    unknown = [c.name for c in pool.each() if c.known_price is None]
    if len(pool) < 2 or unknown:
        missing = f"of {', '.join(unknown)} no price is known" if unknown else "the pool has one candidate"
        raise UsageError(f"a cascade asks the cheapest first and then a dearer one, and {missing}")
    return Cascade([Agent(slug(name), pool.the(name).priced) for name in cheapest_first(pool)], **params)
