"""The concepts and the beliefs about a student as GraphML, for networkx, Gephi, yEd and Cytoscape."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maieutic.errors import UsageError

if TYPE_CHECKING:
    from maieutic.memory.student.concepts import Concept, ConceptGraph
    from maieutic.memory.student.model import StudentModel

__all__ = ["to_graphml"]


def to_graphml(of: StudentModel | ConceptGraph, path: Path | str) -> None:
    """Write the concepts as GraphML, which `networkx.read_graphml` and drawing programs read.

    Nodes carry their title and all parameters; of a student model also `mastery` (P(known)), `uncertainty` (bits),
    `thinks` (P(thinks that it knows)), `overconfidence` and `unawareness`. Misconceptions are one attribute: JSON, of
    each name its description and, of a model, its probability. Edges carry their `weight`.

    Raises:
        UsageError: The file cannot be written.
    """
    import networkx as nx

    from maieutic.memory.student.concepts import ConceptGraph

    concepts, model = (of, None) if isinstance(of, ConceptGraph) else (of.concepts, of)
    graph: nx.DiGraph[str] = nx.DiGraph(name=str(concepts.graph.graph.get("name", "")))
    for name in concepts:
        graph.add_node(name, **_attributes(name, concepts.concept(name), model))
    for name in concepts:
        for need, weight in concepts.needs(name).items():
            graph.add_edge(need, name, weight=weight)
    try:
        nx.write_graphml(graph, Path(path))
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}.") from error
    except ValueError as error:  # a character that XML does not have
        raise UsageError(f"{path} cannot be written: {error}.") from error


def _attributes(name: str, concept: Concept, model: StudentModel | None) -> dict[str, Any]:
    found = concept.model_dump(exclude={"misconceptions"})
    found["title"] = concept.title or name
    chances = {} if model is None else model.misconception(name)
    wrong = {
        key: {"text": each.text, **({} if model is None else {"probability": chances[key]})}
        for key, each in concept.misconceptions.items()
    }
    if wrong:
        found["misconceptions"] = json.dumps(wrong, ensure_ascii=False)
    for belief in ("mastery", "uncertainty", "thinks", "overconfidence", "unawareness"):
        if model is not None:
            found[belief] = float(getattr(model, belief)(name))
    return found
