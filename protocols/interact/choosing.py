"""How the student comes to its question: freely, from what it is least sure of, or as a student model advises."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, Field

from maieutic.errors import UsageError
from maieutic.memory import Transcript
from maieutic.memory.answers import normal
from maieutic.protocols.interact.arms import Arm
from maieutic.protocols.interact.quiz import QuizItem

if TYPE_CHECKING:
    from maieutic.memory.student import ConceptGraph, Observation, StudentModel

__all__ = [
    "ABOUT",
    "Estimate",
    "Estimates",
    "advised",
    "concepts_of",
    "followed",
    "graph_for",
    "least_sure",
    "observations",
]

ABOUT = "about"
"""Under this key a question's turn keeps what the student was told to ask about."""
_ARM = "arm"


class Estimate(BaseModel):
    """How sure a student is of one thing."""

    about: Annotated[str, Field(description="What it is about, as listed or in a word or two.")]
    confidence: Annotated[float, Field(ge=0, le=1, description="From 0 (knows nothing) to 1 (knows all of it).")]


class Estimates(BaseModel):
    """What a student believes to know and not to know."""

    estimates: Annotated[list[Estimate], Field(min_length=1, description="One entry for each part.")]


def least_sure(estimates: Iterable[Mapping[str, Any]]) -> str:
    """What a student is least sure of, by its estimates as plain JSON; the first named at a tie."""
    return str(min(estimates, key=lambda each: each["confidence"])[ABOUT])


def concepts_of(quiz: Iterable[QuizItem], file: str = "") -> list[str]:
    """What a run is about, in words: the concepts of a file, else those of its quiz.

    Raises:
        ConceptFileError: The file is not valid.
    """
    if file:
        graph = graph_for((), file)
        return [str(data.get("title") or name) for name, data in graph.graph.nodes(data=True)]
    return list(dict.fromkeys(concept for each in quiz for concept in each.item.concepts))


def graph_for(concepts: Sequence[str], file: str = "") -> ConceptGraph:
    """The concepts that a student model follows: those of a file, else the given names, unconnected.

    Raises:
        UsageError: There are none.
        ConceptFileError: The file is not valid.
    """
    from maieutic.memory.student import ConceptGraph

    if file:
        return ConceptGraph.load(file)
    if not concepts:
        raise UsageError(
            "interact: question_choice student_model needs concepts; name them in the quiz's items, or give a file of "
            "concepts"
        )
    graph = ConceptGraph()
    for name in concepts:
        graph.add(name)
    return graph


def observations(graph: ConceptGraph, transcript: Transcript, arm: Arm) -> list[Observation]:
    """What a dialogue tells about the student, in order: what it said it is sure of, what it asked, what it was taught.

    The quiz tells nothing: it only measures.
    """
    from maieutic.memory.student import Observation

    named = _named(graph)
    found: list[Observation] = []
    about: str | None = None
    for turn in transcript:
        if turn.data.get(_ARM) != arm.key:
            continue
        for entry in turn.data.get("estimates", ()):
            if (concept := named.get(normal(entry[ABOUT]))) is not None:
                found.append(Observation(kind="claimed", concepts=(concept,), confidence=entry["confidence"]))
        if turn.kind != "say":
            continue
        if ABOUT in turn.data:
            about = named.get(normal(turn.data[ABOUT]))
            found += [Observation(kind="asked", concepts=(about,))] if about else []
        elif about:
            found.append(Observation(kind="explained", concepts=(about,)))
            about = None
    return found


def followed(graph: ConceptGraph, transcript: Transcript, arm: Arm) -> StudentModel:
    """The student model that has followed a dialogue."""
    from maieutic.memory.student import StudentModel

    return StudentModel.of(graph, observations(graph, transcript, arm))


def advised(model: StudentModel) -> str:
    """What the student should ask about: where an explanation is expected to gain most of what is ready to be learned.

    Where nothing is ready, it is the concept of which the model is least certain. The result is a concept's title.
    """
    ready = model.zone()
    names = list(model.concepts.graph)
    concept = ready[0] if ready else max(names, key=model.uncertainty)
    return str(model.concepts.graph.nodes[concept].get("title") or concept)


def _named(graph: ConceptGraph) -> dict[str, str]:
    """Concepts by the normal forms of their names and titles."""
    named = {normal(name): name for name in graph.graph}
    for name, data in graph.graph.nodes(data=True):
        named.setdefault(normal(str(data.get("title") or name)), name)
    return named
