"""What is asked of teacher and student about one item, one call each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any

from maieutic.agents import Agent, Prompt, Reply, among
from maieutic.agents.replies import Position, Solution
from maieutic.memory import Transcript, Turn
from maieutic.memory.answers import Answers, same
from maieutic.memory.student.grading import is_right
from maieutic.memory.student.items import Item
from maieutic.protocols.interventions.records import Answered

if TYPE_CHECKING:
    from maieutic.backends.labels import LabelProbabilities
    from maieutic.backends.place import Place

__all__ = [
    "Target",
    "answered",
    "by_option",
    "counted",
    "explain",
    "explanation_turn",
    "letters",
    "prompt",
    "solve",
    "solve_explained",
    "weighable",
    "weighed",
]

_EMPTY = Transcript()


async def solve(agent: Agent, item: Item, at: Place, *, before: Transcript = _EMPTY, **how: Any) -> Reply:
    """Answer an item alone, with reasoning of one's own (a `Solution`); `before` is what was said earlier."""
    return await _answer(agent, item, at, before, output=Solution, **how)


async def solve_explained(
    student: Agent, item: Item, explanation: Turn, at: Place, *, before: Transcript = _EMPTY, **how: Any
) -> Reply:
    """Answer an item after reading an explanation, which takes the place of one's own reasoning (a `Position`).

    Args:
        student: Who answers.
        item: What.
        explanation: See `explanation_turn`.
        at: Where in the run.
        before: What was said earlier.
        **how: `sample` and `temperature`, as in `Agent.do`.
    """
    return await _answer(student, item, at, Transcript((*before, explanation)), output=Position, **how)


async def _answer(
    agent: Agent, item: Item, at: Place, transcript: Transcript = _EMPTY, *, output: type[Any], **how: Any
) -> Reply:
    given: dict[str, Any] = {"question": item.question}
    if "options" in agent.verb("answer").inputs:
        given["options"] = list(item.options)
    elif item.options:
        given["options"] = " | ".join(item.options)  # shown by its name
    return await agent.do("answer", at, transcript, output=among(output, item.options), **how, **given)


async def explain(
    teacher: Agent, item: Item, at: Place, *, answer: str | None = None, before: Transcript = _EMPTY
) -> Reply:
    """Explain an item.

    Args:
        teacher: Who explains.
        item: What.
        at: Where in the run.
        answer: The right answer, if the teacher is told.
        before: What the teacher reads first, demonstrations for instance.
    """
    given: dict[str, Any] = {"options": " | ".join(item.options)} if item.options else {}
    if answer is not None:
        given["correct_answer"] = answer
    return await teacher.do("explain", at, before, question=item.question, **given)


def explanation_turn(teacher: Agent, student: Agent, explanation: str) -> Turn:
    """The turn by which the student reads an explanation, and nobody else."""
    return Turn(teacher.name, explanation, audience=frozenset({student.name}))


@dataclass(frozen=True, slots=True)
class Target:
    """What the teacher takes for right at an item.

    Attributes:
        item: The item.
        believed: The teacher's own answer, where the teacher is not told the right one.
    """

    item: Item
    believed: str | None = None

    @property
    def text(self) -> str:
        """In words."""
        return self.believed if self.believed is not None else self.item.answer or ""

    def met_by(self, answer: str) -> bool:
        """Whether an answer says so."""
        return bool(is_right(self.item, answer)) if self.believed is None else same(answer, self.believed)


def answered(item: Item, reply: Reply, believed: str | None = None) -> Answered:
    """A typed reply (`Solution`, `Position`) as it counts; for `believed` see `Target`."""
    said = _named(Answers(item.options), reply)
    return Answered(
        answer=said,
        correct=bool(is_right(item, said)),
        agrees=Target(item, believed).met_by(said),
        confidence=getattr(reply.data, "confidence", None),
    )


def _named(groups: Answers, reply: Reply) -> str:
    return groups.name(str(getattr(reply.data, "answer", reply.text)))


def weighable(item: Item) -> bool:
    """Whether a letter can be given to each of its options."""
    return 2 <= len(item.options) <= len(ascii_uppercase)


def letters(options: Sequence[str]) -> dict[str, str]:
    """Options by a letter each, from A."""
    return dict(zip(ascii_uppercase, options, strict=False))


def by_option(weighed: LabelProbabilities, options: Sequence[str]) -> dict[str, float]:
    """Probability by option, from the probabilities of their letters."""
    return {option: weighed.probabilities[letter] for letter, option in letters(options).items()}


async def weighed(
    agent: Agent, target: Target, said: Answered, at: Place, transcript: Transcript = _EMPTY, *, samples: int
) -> Answered:
    """The same answer, its confidence read off the model's own distribution over the item's options."""
    item = target.item
    text = prompt("choose").render({"question": item.question, "options": letters(item.options)})
    found = await agent.weigh(list(letters(item.options)), text, at, transcript, samples=samples)
    return _measured(target, said, by_option(found, item.options), found.source)


def counted(target: Target, said: Answered, samples: Sequence[Reply]) -> Answered:
    """The same answer, its confidence counted over independent samples: the share of those that say the same."""
    groups = Answers(target.item.options, [said.answer])
    names = [_named(groups, reply) for reply in samples]
    shares = {name: names.count(name) / len(names) for name in names}
    return _measured(target, said, shares, "samples")


def _measured(target: Target, said: Answered, shares: Mapping[str, float], source: str) -> Answered:
    first, second = sorted((*shares.values(), 0.0, 0.0), reverse=True)[:2]
    measured = {
        "confidence": _share(sum(p for a, p in shares.items() if same(a, said.answer))),
        "margin": _share(first - second),
        "right": _share(sum(p for a, p in shares.items() if target.met_by(a))),
    }
    return said.model_copy(update={**measured, "source": source})


def _share(value: float) -> float:
    return min(1.0, max(0.0, value))


@cache
def prompt(name: str) -> Prompt:
    """A prompt of this protocol."""
    return Prompt.load(Path(__file__).parents[1] / "prompts" / "interventions" / f"{name}.md.j2")
