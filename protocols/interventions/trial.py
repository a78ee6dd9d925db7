"""One item put to teacher and student: alone, explained, and what the teacher says itself."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from maieutic.agents import Agent, Reply
from maieutic.errors import ReplyError
from maieutic.memory import Transcript
from maieutic.memory.student.items import Item
from maieutic.protocols.interventions.asking import (
    Target,
    answered,
    counted,
    explain,
    explanation_turn,
    solve,
    solve_explained,
    weighable,
    weighed,
)
from maieutic.protocols.interventions.misaligned import mislead
from maieutic.protocols.interventions.params import InterventionsParams
from maieutic.protocols.interventions.records import Answered, Record
from maieutic.protocols.self_consistency import TEMPERATURE
from maieutic.protocols.together import together

if TYPE_CHECKING:
    from maieutic.backends.place import Place

__all__ = ["Trial"]


@dataclass(frozen=True, slots=True)
class Trial:
    """How an item is put to a teacher and a student.

    Attributes:
        teacher, student: Who.
        params: What is asked of them.
    """

    teacher: Agent
    student: Agent
    params: InterventionsParams

    async def observe(self, item: Item, at: Place) -> Record:
        """A practice item: the student alone and explained."""
        return await self._tried(item, at, ask_teacher=not self.params.teacher_knows_answers, measured=False)

    async def judge(self, item: Item, at: Place) -> Record:
        """A judged item: the same, the teacher's own answer where it is needed, and confidences as they are wanted."""
        return await self._tried(
            item,
            at,
            ask_teacher=self.params.asks_teacher,
            measured=self.params.confidence == "measured",
            misled=self.params.misaligned,
        )

    async def _tried(self, item: Item, at: Place, *, ask_teacher: bool, measured: bool, misled: bool = False) -> Record:
        told = item.answer if self.params.teacher_knows_answers else None
        acts = {"alone": solve(self.student, item, at / "alone")}
        if ask_teacher:
            acts["teacher"] = solve(self.teacher, item, at / "teacher")
        if self.params.explanations == "model":
            here = at / "explanation"
            acts["explanation"] = (
                mislead(self.teacher, item, here) if misled else explain(self.teacher, item, here, answer=told)
            )
        replies = await _all(acts)
        explanation = replies["explanation"].text if "explanation" in replies else item.explanation
        turn = explanation_turn(self.teacher, self.student, explanation)
        replies["explained"] = await solve_explained(self.student, item, turn, at / "explained")
        own = answered(item, replies["teacher"]).answer if ask_teacher and told is None else None
        target = Target(item, own)
        said = {n: answered(item, reply, own) for n, reply in replies.items() if n != "explanation"}
        if measured:
            heard = Transcript((turn,))
            said = await self._measured(target, said, heard, at)
        return Record(
            item=item.id,
            question=item.question,
            concepts=item.concepts,
            target=target.text,
            alone=said["alone"],
            explained=said["explained"],
            teacher=said.get("teacher"),
            explanation=explanation,
        )

    async def _measured(
        self, target: Target, said: Mapping[str, Answered], heard: Transcript, at: Place
    ) -> dict[str, Answered]:
        """The same answers, each with its confidence as it was measured; as it was stated where that tells nothing.

        A model that names none of the options by its letter has told nothing: the item is judged all the same, and
        the answer's `source` says what its confidence is.
        """
        done = await together({name: self._measure(target, name, said[name], heard, at / name) for name in said})
        for error in done.failures.values():
            if self.params.on_failure == "fail" or not isinstance(error, ReplyError):
                raise error
        return {**said, **done.replies}

    async def _measure(self, target: Target, name: str, said: Answered, heard: Transcript, at: Place) -> Answered:
        agent = self.teacher if name == "teacher" else self.student
        read = heard if name == "explained" else Transcript()
        if weighable(target.item):
            return await weighed(agent, target, said, at, read, samples=self.params.samples)
        warm = TEMPERATURE if agent.model.temperature == 0 else None
        replies = await _all(
            {
                str(i): solve_explained(
                    agent, target.item, read.turns[0], at / f"sample{i}", sample=i, temperature=warm
                )
                if read.turns
                else solve(agent, target.item, at / f"sample{i}", sample=i, temperature=warm)
                for i in range(self.params.samples)
            }
        )
        return counted(target, said, list(replies.values()))


async def _all(acts: Mapping[str, Coroutine[Any, Any, Reply]]) -> dict[str, Reply]:
    """Every reply, or the first failure in the order of the acts."""
    done = await together(acts)
    for error in done.failures.values():
        raise error
    return done.replies
