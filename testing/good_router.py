"""A good policy for Router-R1, written by hand: what a trained router could come to."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import TYPE_CHECKING, Literal, Protocol

from maieutic.protocols.routing.tags import TAGS

if TYPE_CHECKING:
    from maieutic.memory import Message


__all__ = ["Asked", "Described", "GoodRouter", "described"]

TOKENS = 15
"""What a reply is taken to hold."""
_CANDIDATE = re.compile(r"^- ([^:\n]+): (.*)$", re.MULTILINE)
_PRICE = re.compile(r"([\d.e-]+) USD out per million tokens")
_SCORE = re.compile(r"([^,;:%]+?) (\d{1,3})%")
_PAST = re.compile(r"past performance: ([^\n]*)")
_HEARD = re.compile(f"{TAGS.open('information')}(.*?){TAGS.close('information')}", re.DOTALL)
_ANSWER = re.compile(r"^Answer: (.+)$", re.MULTILINE)


class Asked(Protocol):
    """What it reads of a request: one to a gateway, or one that a server received."""

    @property
    def messages(self) -> Sequence[Message]:
        """The system prompt, the task, and what was said since."""
        ...


@dataclass(frozen=True, slots=True)
class Described:
    """A candidate as a router reads of it.

    Attributes:
        name: Its name.
        cost: What a reply of TOKENS tokens costs, in millionths of a US dollar; 0 where no price is told.
        scores: Past performance by family, from 0 to 1.
    """

    name: str
    cost: float
    scores: Mapping[str, float]


def described(prompt: str) -> list[Described]:
    """The candidates of a router's prompt."""
    found = []
    for name, text in _CANDIDATE.findall(prompt):
        price, past = _PRICE.search(text), _PAST.search(text)
        scores = {family.strip(): int(share) / 100 for family, share in _SCORE.findall(past[1] if past else "")}
        found.append(Described(name, TOKENS * float(price[1]) if price else 0.0, scores))
    return found


@dataclass(frozen=True, slots=True)
class GoodRouter:
    """Consults candidates in the order of the highest expected reward until one of them knows; a script's function.

    It reads the candidates' prices and past performance in its prompt, and knows the family of each question. Of all
    orders of at most `most` candidates it takes the one with the highest expected reward, nobody at all included. The
    cost reward is taken to fall from 1 for no cost to 0 for a reply of the dearest candidate. A candidate that says
    that it guesses is not believed.

    Attributes:
        families: The family of each question.
        alpha, credit: Of the reward (see RouterReward).
        most: How many candidates it consults at the most.
        own: What it knows itself: answers by question. It consults nobody about those.

    Example:
        >>> script = ScriptedModel(GoodRouter({"Who wrote Emma?": "novels"}))          # doctest: +SKIP
        >>> program = RouterR1(router=Router("rita", "scripted/good"), pool=pool)       # doctest: +SKIP
    """

    families: Mapping[str, str]
    alpha: float = 0.0
    credit: Literal["paper", "code"] = "code"
    most: int = 3
    own: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, request: Asked) -> str:
        """The next message."""
        prompt = "\n".join(message.content for message in request.messages[:2])
        question = prompt.rpartition("Question: ")[2].partition("\n")[0].strip()
        if question in self.own:
            return _answered("I know this.", self.own[question])
        heard = _HEARD.findall("\n".join(message.content for message in request.messages[2:]))
        order = self.plan(question, described(prompt))
        if heard and not _guessed(heard[-1]):
            return _answered("This settles it.", _answer_of(heard[-1]))
        if len(heard) < len(order):
            name = order[len(heard)]
            return f"<think>{name} is worth asking.</think>\n<search>{name}: {question.replace(':', ',')}</search>"
        return _answered("Nobody is worth asking any more.", _answer_of(heard[-1]) if heard else "I do not know")

    def plan(self, question: str, pool: Sequence[Described]) -> tuple[str, ...]:
        """Whom it would consult, in order."""
        family = self.families.get(question, "")
        dearest = max((c.cost for c in pool), default=0.0)
        orders = [order for n in range(min(self.most, len(pool)) + 1) for order in permutations(pool, n)]
        best = max(orders, key=lambda order: (round(self._expected(order, family, dearest), 9), -len(order)))
        return tuple(candidate.name for candidate in best)

    def _expected(self, order: Sequence[Described], family: str, dearest: float) -> float:
        reached, cost, total = 1.0, 0.0, 0.0
        for candidate in order:
            known = candidate.scores.get(family, 0.0)
            cost += candidate.cost
            total += reached * known * (1 - self.alpha + self.alpha * _cheap(cost, dearest))
            reached *= 1 - known
        return total + (reached * self.alpha * _cheap(cost, dearest) if self.credit == "paper" else 0.0)


def _cheap(cost: float, dearest: float) -> float:
    return 1 - min(1.0, math.sqrt(cost / dearest)) if dearest else 1.0


def _guessed(said: str) -> bool:
    return "I am guessing" in said or not _ANSWER.search(said)


def _answer_of(said: str) -> str:
    found = _ANSWER.findall(said)
    return str(found[-1]) if found else "I do not know"


def _answered(thought: str, answer: str) -> str:
    return f"<think>{thought}</think>\n<answer>{answer}</answer>"
