"""One turn of one dialogue: the student's question and the teacher's answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from maieutic.agents import Agent
from maieutic.memory import Transcript, Turn
from maieutic.protocols.interact.arms import BORROWED, Arm, belonging, said_in
from maieutic.protocols.interact.choosing import ABOUT, Estimates, advised, concepts_of, followed, graph_for, least_sure
from maieutic.protocols.interact.params import InteractParams
from maieutic.protocols.interact.quiz import QuizItem

if TYPE_CHECKING:
    from maieutic.backends.place import Place

__all__ = ["Dialogue"]


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A dialogue at one of its turns.

    Attributes:
        params, cast: The protocol's.
        arm: Which dialogue.
        transcript: Everything so far, of all dialogues.
        quiz: The questions; only their concepts are used here.
        topic: What it is about, as the student is told.
        number: Which turn it is, from 1.
    """

    params: InteractParams
    cast: Mapping[str, Agent]
    arm: Arm
    transcript: Transcript
    quiz: Sequence[QuizItem]
    topic: str
    number: int

    async def asks(self, at: Place) -> list[Turn]:
        """A question, and before it off the record what it was chosen by. A borrowed one is only read."""
        student = self.cast[self.params.student]
        if self.arm.condition == "borrowed":
            return [self._borrowed(0)]
        turns: list[Turn] = []
        about = ""
        if self.arm.choice != "free":
            turns.append(await self._estimates(at))
            about = self._chosen(turns[0])
        read = said_in(self.transcript, self.arm)
        told = {"ask_about": about} if about else {}
        reply = await student.do("ask", at, read, output=None, sample=0, temperature=None, topic=self.topic, **told)
        turn = student.turn(reply, round=self.number)
        data = {**turn.data, ABOUT: about} if about else turn.data
        return [*turns, self._said(replace(turn, audience=frozenset({self.arm.teacher or ""}), data=data))]

    async def answers(self, at: Place) -> Turn:
        """The teacher's answer, from its text and what was said in this dialogue. A borrowed one is only read."""
        if self.arm.condition == "borrowed":
            return self._borrowed(1)
        teacher = self.cast[self.arm.teacher or ""]
        reply = await teacher.do("answer", at, said_in(self.transcript, self.arm))
        turn = teacher.turn(reply, round=self.number)
        return self._said(replace(turn, audience=frozenset({self.params.student})))

    def _said(self, turn: Turn) -> Turn:
        return belonging(turn, self.arm.key)

    def _borrowed(self, which: int) -> Turn:
        exchange = self.params.borrowed[self.number - 1]
        said, audience = (exchange.question, exchange.answer)[which], frozenset({self.params.student})
        return self._said(Turn(BORROWED[which], said, audience=audience, round=self.number))

    async def _estimates(self, at: Place) -> Turn:
        """What the student says off the record that it knows."""
        student = self.cast[self.params.student]
        listed = self.params.syllabus or self.arm.choice == "student_model"
        reply = await student.do(
            "estimate",
            at,
            said_in(self.transcript, self.arm),
            output=Estimates,
            temperature=self.params.quiz_temperature,
            topic=self.topic,
            concepts=concepts_of(self.quiz, self.params.concepts) if listed else [],
        )
        turn = student.turn(reply, round=self.number, kind="probe")
        words = ", ".join(f"{each['about']} {each['confidence']:.2f}" for each in turn.data["estimates"])
        return self._said(replace(turn, content=words))

    def _chosen(self, estimates: Turn) -> str:
        if self.arm.choice == "self_estimate":
            return least_sure(estimates.data["estimates"])
        graph = graph_for(concepts_of(self.quiz), self.params.concepts)
        return advised(followed(graph, Transcript((*self.transcript, estimates)), self.arm))
