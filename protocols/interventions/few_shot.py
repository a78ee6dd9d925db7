"""The paper's mental model: the teacher's own language model simulates the student after a few of its answers.

Saha, Hase and Bansal, NeurIPS 2023, section 5.2. Each demonstration is a practice item with the student's own
prediction, alone or after reading the explanation; at a new item the teacher's model predicts what the student will
answer, and the probability that it gives to what it takes for right is the estimate. Items with options are predicted
option by option, by letter; open ones as right or wrong.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from maieutic.agents import Agent
from maieutic.memory import MODERATOR, Transcript, Turn
from maieutic.memory.student.items import Item
from maieutic.protocols.interventions.asking import Target, by_option, letters, prompt, weighable
from maieutic.protocols.interventions.estimators import Asked, Estimates
from maieutic.protocols.interventions.records import Estimate, Record
from maieutic.protocols.together import OnFailure, together

if TYPE_CHECKING:
    from maieutic.backends.place import Place

__all__ = ["FewShot", "demonstrations"]

_OPEN = ("right", "wrong")


class FewShot:
    """Simulates the student with the teacher's model and a few demonstrations.

    Args:
        teacher: Whose model simulates.
        items: The practice items by id.
        shots: How many demonstrations.
        samples: How many samples where the endpoint gives no log-probabilities.
        seed: Of the choice of demonstrations.
        on_failure: Whether an item whose simulation fails ends everything or is left without an estimate.

    Attributes:
        failures: What failed, by item.
    """

    name = "few_shot"

    def __init__(
        self,
        teacher: Agent,
        items: Mapping[str, Item],
        *,
        shots: int,
        samples: int,
        seed: int = 0,
        on_failure: OnFailure = "fail",
    ) -> None:
        self._teacher = teacher
        self._items = items
        self._shots = shots
        self._samples = samples
        self._seed = seed
        self._on_failure = on_failure
        self._shown: list[Record] = []
        self._rest: list[Record] = []
        self.failures: dict[str, Exception] = {}

    def observe(self, practice: Sequence[Record]) -> None:
        """Choose the demonstrations; the practice items not shown are left for calibration."""
        self._shown = demonstrations(practice, self._shots, self._seed)
        self._rest = [record for record in practice if record not in self._shown]

    async def estimate(self, items: Sequence[Asked], at: Place) -> Estimates:
        """Two predictions for each item, alone and explained, all at the same time."""
        done = await together({asked.item.id: self._simulate(asked, at / asked.item.id) for asked in items})
        if fatal := done.fatal(self._on_failure, others=True):
            raise fatal
        self.failures |= done.failures
        return done.replies

    async def estimate_practice(self, at: Place) -> Estimates:
        """The same for the practice items that no demonstration shows."""
        asked = [Asked(self._items[r.item], r.target, r.explanation) for r in self._rest]
        return await self.estimate(asked, at) if asked else {}

    async def _simulate(self, asked: Asked, at: Place) -> Estimate:
        done = await together(
            {name: self._predict(asked, name == "explained", at / name) for name in ("alone", "explained")}
        )
        for error in done.failures.values():
            raise error
        return Estimate(**done.replies)

    async def _predict(self, asked: Asked, explained: bool, at: Place) -> float:
        item = asked.item
        options = letters(item.options) if weighable(item) else {}
        cases = [self._case(record, explained) for record in self._shown]
        shown = Turn(MODERATOR, prompt("shown").render({"explained": explained, "cases": cases}))
        text = prompt("simulate").render(
            {
                "explained": explained,
                "question": item.question,
                "options": options,
                "target": asked.target,
                "explanation": asked.explanation,
            }
        )
        found = await self._teacher.weigh(list(options) or _OPEN, text, at, Transcript((shown,)), samples=self._samples)
        if not options:
            return min(1.0, found.probabilities["right"])
        target = Target(item, asked.target)
        return min(1.0, sum(p for option, p in by_option(found, item.options).items() if target.met_by(option)))

    def _case(self, record: Record, explained: bool) -> dict[str, Any]:
        item = self._items[record.item]
        said = record.explained if explained else record.alone
        options = letters(item.options) if weighable(item) else {}
        chose = next((letter for letter, option in options.items() if option == said.answer), None)
        return {
            "question": item.question,
            "options": options,
            "target": record.target,
            "explanation": record.explanation,
            "said": chose or f"{said.answer} ({'right' if said.agrees else 'wrong'})",
        }


def demonstrations(practice: Sequence[Record], shots: int, seed: int = 0) -> list[Record]:
    """Practice items to be shown, balanced over what the student answered, alone and explained; drawn by the seed.

    Balanced are the answers themselves where they are few (yes and no), else whether they were right.
    """
    few = len({r.alone.answer for r in practice} | {r.explained.answer for r in practice}) <= 3
    groups: dict[tuple[Any, Any], list[Record]] = {}
    for record in random.Random(f"{seed}/demonstrations").sample(list(practice), len(practice)):
        said = (record.alone, record.explained)
        key = tuple(a.answer if few else a.agrees for a in said)
        groups.setdefault((key[0], key[1]), []).append(record)
    queues = sorted(groups.values(), key=len)
    chosen: list[Record] = []
    while len(chosen) < min(shots, len(practice)):
        for queue in queues:
            if queue and len(chosen) < shots:
                chosen.append(queue.pop())
    return chosen
