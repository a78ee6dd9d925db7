"""What is to be learned from a text: the teacher writes exercises, names their concepts, and says which comes first."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import networkx as nx
from pydantic import BaseModel, Field

from maieutic.agents import Agent, Prompt, Verb
from maieutic.errors import UsageError
from maieutic.memory import MODERATOR, Transcript, Turn
from maieutic.memory.student import ConceptGraph
from maieutic.protocols.interact.quiz import quiz_form, written

if TYPE_CHECKING:
    from maieutic.backends.place import Place

__all__ = ["Outline", "Prerequisite", "syllabus"]

LEVELS = 3


class Prerequisite(BaseModel):
    """One concept that has to be understood before another."""

    concept: Annotated[str, Field(description="A concept of the list, word for word.")]
    needs: Annotated[str, Field(description="Another concept of the list that has to be understood before it.")]


class Outline(BaseModel):
    """What has to be understood before what."""

    prerequisites: Annotated[list[Prerequisite], Field(description="Only what is really needed; may be empty.")]


async def syllabus(teacher: Agent, at: Place, context: str, exercises: int) -> ConceptGraph:
    """The concepts of a text with exercises, in two calls of the teacher.

    Prerequisites that name no concept of the exercises, or that would close a circle, are left out.

    Args:
        teacher: Who reads the text.
        at: Where in the run.
        context: The text.
        exercises: How many exercises at most.

    Raises:
        UsageError: No exercise came of it.
    """
    text = Transcript((Turn(MODERATOR, prompt("context").render({"context": context})),))
    per_level = max(1, exercises // LEVELS)
    verb = Verb("examine", needs=("levels", "per_level"), takes=("topic",), kind="probe")
    examiner = teacher.able(verb, _quiz_prompt())
    form = quiz_form(LEVELS, per_level)
    reply = await examiner.do("examine", at, text, output=form, levels=LEVELS, per_level=per_level)
    items = [each.item for each in written(reply)]
    names = list(dict.fromkeys(name for item in items for name in item.concepts))
    if not names:
        raise UsageError(
            "the teacher found no exercise in the context; name a concept file instead, or take a stronger model"
        )
    needs: list[Prerequisite] = []
    if len(names) > 1:
        outliner = teacher.able(Verb("outline", takes=("concepts",)), prompt("outline"))
        outlined = await outliner.do("outline", at, text, output=Outline, concepts=names)
        needs = getattr(outlined.data, "prerequisites", [])
    return _graph(names, needs, ConceptGraph(items))


def _graph(names: Iterable[str], needs: Iterable[Prerequisite], concepts: ConceptGraph) -> ConceptGraph:
    known = {name.casefold(): name for name in names}
    before: nx.DiGraph[str] = nx.DiGraph()
    before.add_nodes_from(known.values())
    for each in needs:
        concept, need = known.get(each.concept.strip().casefold()), known.get(each.needs.strip().casefold())
        if concept is None or need is None or concept == need or nx.has_path(before, concept, need):
            continue
        before.add_edge(need, concept)
    for name in nx.topological_sort(before):
        concepts.add(name, needs=list(before.predecessors(name)))
    return concepts


@cache
def prompt(name: str) -> Prompt:
    """A prompt of the tutor's."""
    return Prompt.load(Path(__file__).parents[1] / "prompts" / "tutor" / f"{name}.md.j2")


@cache
def _quiz_prompt() -> Prompt:
    return Prompt.load(Path(__file__).parents[1] / "prompts" / "interact" / "examine.md.j2")
