"""The roles: each an agent with a prompt of its own and a few typed verbs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, ClassVar

from maieutic.agents.agent import Agent, Reply, Verb
from maieutic.agents.replies import Approval, Choice, Enough, Position, Ranking, Review, Verdict, among
from maieutic.errors import UsageError
from maieutic.memory import Transcript

if TYPE_CHECKING:
    from maieutic.backends.place import Place

__all__ = ["Critic", "Debater", "Judge", "Person", "Router", "Student", "Teacher", "role_named", "roles"]

_EMPTY = Transcript()


def _verbs(*verbs: Verb) -> dict[str, Verb]:
    return {verb.name: verb for verb in verbs}


class Teacher(Agent):
    """Knows the material; explains, hints, answers, asks, shows examples."""

    role = "teacher"
    verbs: ClassVar[Mapping[str, Verb]] = _verbs(
        Verb("explain", takes=("question", "answer")),
        Verb("hint", takes=("question", "answer")),
        Verb("answer", takes=("question",)),
        Verb("ask", takes=("topic",)),
        Verb("example", takes=("topic",)),
    )

    async def explain(self, question: str, at: Place, transcript: Transcript = _EMPTY, *, answer: str = "") -> Reply:
        """Explain how to get to the answer; `answer` is what the student said."""
        return await self.do("explain", at, transcript, question=question, answer=answer)

    async def hint(self, question: str, at: Place, transcript: Transcript = _EMPTY, *, answer: str = "") -> Reply:
        """Give one hint that does not give the answer away."""
        return await self.do("hint", at, transcript, question=question, answer=answer)

    async def answer(self, question: str, at: Place, transcript: Transcript = _EMPTY) -> Reply:
        """Answer a student's question."""
        return await self.do("answer", at, transcript, question=question)

    async def ask(self, topic: str, at: Place, transcript: Transcript = _EMPTY) -> Reply:
        """Ask the student one question about the topic."""
        return await self.do("ask", at, transcript, topic=topic)

    async def example(self, topic: str, at: Place, transcript: Transcript = _EMPTY) -> Reply:
        """Show how something is done by one worked example."""
        return await self.do("example", at, transcript, topic=topic)


class Student(Agent):
    """Answers what it can, and asks what it wants to know."""

    role = "student"
    verbs: ClassVar[Mapping[str, Verb]] = _verbs(
        Verb("answer", takes=("question", "options", "hint")),
        Verb("ask", takes=("topic",)),
    )

    async def answer(
        self,
        question: str,
        at: Place,
        transcript: Transcript = _EMPTY,
        *,
        options: Sequence[str] = (),
        hint: str = "",
    ) -> Reply:
        """Answer a question, with or without options and a hint."""
        return await self.do("answer", at, transcript, question=question, options=list(options), hint=hint)

    async def ask(self, topic: str, at: Place, transcript: Transcript = _EMPTY) -> Reply:
        """Ask the teacher one question about the topic."""
        return await self.do("ask", at, transcript, topic=topic)


class Critic(Agent):
    """Looks for what is wrong."""

    role = "critic"
    verbs: ClassVar[Mapping[str, Verb]] = _verbs(
        Verb("review", takes=("question", "answer"), output=Review),
    )

    async def review(self, answer: str, at: Place, transcript: Transcript = _EMPTY, *, question: str = "") -> Reply:
        """Say whether a draft can stand, and its most important problem if not (a `Review`)."""
        return await self.do("review", at, transcript, question=question, answer=answer)


class Router(Agent):
    """Chooses who should answer."""

    role = "router"
    verbs: ClassVar[Mapping[str, Verb]] = _verbs(Verb("decide", needs=("question", "pool"), output=Choice))

    async def decide(self, question: str, pool: Mapping[str, str], at: Place, transcript: Transcript = _EMPTY) -> Reply:
        """Choose one of the pool (name to description) for a question (a `Choice`)."""
        return await self.do(
            "decide", at, transcript, output=among(Choice, list(pool)), question=question, pool=dict(pool)
        )


class Debater(Agent):
    """Argues, listens, and may change its mind."""

    role = "debater"
    verbs: ClassVar[Mapping[str, Verb]] = _verbs(
        Verb("argue", takes=("round", "rounds")),
        Verb("position", takes=("options",), output=Position, kind="probe"),
        Verb("rank", needs=("options",), output=Ranking, kind="probe"),
        Verb("approve", needs=("options",), output=Approval, kind="probe"),
    )

    async def argue(
        self,
        at: Place,
        transcript: Transcript,
        *,
        round: int | None = None,
        rounds: int | None = None,
        options: Sequence[str] = (),
    ) -> Reply:
        """Speak once in the debate; the options are for a debater that weighs the arguments before."""
        return await self.do("argue", at, transcript, possible=options, round=round, rounds=rounds)

    async def position(self, at: Place, transcript: Transcript, *, options: Sequence[str] = ()) -> Reply:
        """Say, off the record, where it stands (a `Position`)."""
        return await self.do(
            "position", at, transcript, output=self.output or among(Position, options), options=list(options)
        )

    async def rank(self, at: Place, transcript: Transcript, *, options: Sequence[str]) -> Reply:
        """Rank the candidate answers, best first (a `Ranking`)."""
        return await self.do("rank", at, transcript, output=among(Ranking, options), options=list(options))

    async def approve(self, at: Place, transcript: Transcript, *, options: Sequence[str]) -> Reply:
        """Name every acceptable candidate answer (an `Approval`)."""
        return await self.do("approve", at, transcript, output=among(Approval, options), options=list(options))


class Judge(Agent):
    """Hears a debate and decides it."""

    role = "judge"
    verbs: ClassVar[Mapping[str, Verb]] = _verbs(
        Verb("verdict", takes=("options",), output=Verdict),
        Verb("enough", output=Enough, kind="probe"),
    )

    async def verdict(self, at: Place, transcript: Transcript, *, options: Sequence[str] = ()) -> Reply:
        """Decide (a `Verdict`)."""
        return await self.do(
            "verdict", at, transcript, output=self.output or among(Verdict, options), options=list(options)
        )

    async def enough(self, at: Place, transcript: Transcript) -> Reply:
        """Say whether enough was heard to decide (an `Enough`)."""
        return await self.do("enough", at, transcript)


class Person(Agent):
    """A human: reads the same view as a model would, and types the reply."""

    role = "person"
    default_model = "person/terminal"
    verbs: ClassVar[Mapping[str, Verb]] = _verbs(Verb("say", takes=("instruction", "options")))

    async def say(
        self, instruction: str, at: Place, transcript: Transcript = _EMPTY, *, options: Sequence[str] = ()
    ) -> Reply:
        """Ask the person for one reply."""
        return await self.do("say", at, transcript, instruction=instruction, options=list(options))


_OURS: tuple[type[Agent], ...] = (Agent, Teacher, Student, Critic, Router, Debater, Judge, Person)


@cache
def roles() -> Mapping[str, type[Agent]]:
    """Every role by name: ours, and those that other packages register under the entry point `maieutic.roles`."""
    found: dict[str, Any] = {point.name: point.load() for point in entry_points(group="maieutic.roles")}
    return {**found, **{role.role: role for role in _OURS}}


def role_named(name: str, own: Mapping[str, type[Agent]] | None = None) -> type[Agent]:
    """The role of that name, the caller's own roles first.

    Raises:
        UsageError: There is no such role; the message lists those there are.
    """
    known = {**roles(), **(own or {})}
    try:
        return known[name]
    except KeyError:
        raise UsageError(f"unknown role {name!r}; known roles: {', '.join(sorted(known))}") from None
