"""Concepts, what they need, and how they are misunderstood: a networkx graph with the student model's parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import networkx as nx
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from maieutic.errors import StudentModelError
from maieutic.files.problems import did_you_mean
from maieutic.memory.student.items import Item

__all__ = ["Concept", "ConceptGraph", "Misconception", "contradiction", "first_of", "slip_and_guess"]

Probability = Annotated[float, Field(ge=0, le=1)]


def contradiction(slip: float, guess: float) -> str:
    """What is wrong with these two together, if something is."""
    if slip + guess <= 1 + 1e-9:
        return ""
    return f"slip {slip:g} and guess {guess:g} add up to more than 1, so that knowing would make a right answer rarer"


class Misconception(BaseModel):
    """A wrong idea that a student may hold in the place of a concept."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: Annotated[str, Field(description="What the student believes, in words.")] = ""
    share: Annotated[
        Probability | None,
        Field(description="P(held | the concept is not known); left out, half is shared among those left out."),
    ] = None
    believed: Annotated[Probability, Field(description="P(thinks it knows | holds it).")] = 0.8
    pull: Annotated[Probability, Field(description="P(chooses its distractor | holds it, and answers wrong).")] = 0.8


class Concept(BaseModel):
    """What a student can know, and how the knowledge shows, grows and fades.

    The names of the parameters are those of Bayesian Knowledge Tracing (Corbett and Anderson 1995) where it has them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Annotated[str, Field(description="Its name in words.")] = ""
    prior: Annotated[Probability, Field(description="P(known at first | all that it needs is known).")] = 0.5
    slip: Annotated[Probability, Field(description="P(wrong | known).")] = 0.1
    guess: Annotated[Probability, Field(description="P(right | not known).")] = 0.2
    learn: Annotated[Probability, Field(description="P(learned from an explanation | what it needs is known).")] = 0.6
    learn_practice: Annotated[Probability, Field(description="P(learned from answering an item).")] = 0.0
    forget: Annotated[Probability, Field(description="P(forgotten in one day).")] = 0.01
    helped: Annotated[
        Probability, Field(description="P(an explanation at hand makes up for not knowing it, in that answer).")
    ] = 0.8
    aware: Annotated[Probability, Field(description="P(thinks it knows | known).")] = 0.9
    overconfident: Annotated[Probability, Field(description="P(thinks it knows | unknown).")] = 0.35
    misconceptions: Annotated[
        Mapping[str, Misconception], Field(description="Wrong ideas by name; a text alone is its description.")
    ] = {}

    @field_validator("misconceptions", mode="before")
    @classmethod
    def _described(cls, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: {"text": each} if isinstance(each, str) else each for name, each in value.items()}
        return value

    @model_validator(mode="after")
    def _shared(self) -> Concept:
        if self._given > 1 + 1e-9:
            raise ValueError(f"the shares of its misconceptions add up to {self._given:g}, more than 1")
        return self

    @model_validator(mode="after")
    def _telling(self) -> Concept:
        if said := contradiction(self.slip, self.guess):
            raise ValueError(said)
        return self

    @property
    def _given(self) -> float:
        return sum(each.share for each in self.misconceptions.values() if each.share is not None)

    @property
    def shares(self) -> dict[str, float]:
        """P(held | the concept is not known) of each misconception."""
        left = [name for name, each in self.misconceptions.items() if each.share is None]
        each_left = min(0.5, max(1 - self._given, 0.0)) / len(left) if left else 0.0
        return {name: each_left if each.share is None else each.share for name, each in self.misconceptions.items()}


class ConceptGraph:
    """What there is to know: concepts as nodes, an edge from each prerequisite to what needs it.

    Attributes:
        graph: The networkx digraph. Nodes carry a Concept's parameters as attributes, edges their `weight`, 0 to 1:
            not knowing the prerequisite takes the chance 1 - weight times.
        items: Items that belong to the concepts, by id.

    Example:
        >>> concepts = ConceptGraph()
        >>> concepts.add("division", prior=0.7)
        >>> concepts.add("fractions", needs={"division": 0.9}, misconceptions={"adds": "1/2 + 1/3 = 2/5"})
        >>> concepts.needs("fractions")
        {'division': 0.9}
    """

    def __init__(self, items: Iterable[Item] = ()) -> None:
        self.graph: nx.DiGraph[str] = nx.DiGraph()
        self._only_needed: set[str] = set()  # named as a prerequisite, not added yet
        self.items: dict[str, Item] = {item.id: item for item in items}

    def add(
        self, name: str, *, needs: Mapping[str, float] | Iterable[str] = (), title: str = "", **parameters: Any
    ) -> None:
        """Add a concept, or change it.

        Args:
            name: Its name in the graph.
            needs: Its prerequisites with their weights, or their names alone (weight 1). They may be added later.
            title: Its name in words.
            **parameters: Parameters of a Concept; those left out are the defaults.

        Raises:
            StudentModelError: A parameter is unknown or out of range, or the concept needs itself.
        """
        concept = _concept(name, {"title": title, **parameters})
        weights = dict(needs) if isinstance(needs, Mapping) else dict.fromkeys(needs, 1.0)
        for prerequisite, weight in weights.items():
            if prerequisite == name:
                raise StudentModelError(f"the concept {name!r} needs itself")
            _weight(prerequisite, name, weight)
        self.graph.add_node(name)
        self.graph.nodes[name].clear()
        self.graph.nodes[name].update(concept.model_dump(exclude_defaults=True))
        self._only_needed.discard(name)
        self.graph.remove_edges_from(list(self.graph.in_edges(name)))
        for prerequisite, weight in weights.items():
            if prerequisite not in self.graph:
                self._only_needed.add(prerequisite)
            self.graph.add_edge(prerequisite, name, weight=float(weight))

    @classmethod
    def from_networkx(cls, graph: nx.DiGraph[Any], items: Iterable[Item] = ()) -> ConceptGraph:
        """Concepts from any networkx digraph whose edges go from prerequisite to concept.

        Args:
            graph: Node attributes are a Concept's parameters, the edge attribute `weight` is 1.0 where it is missing.
                Nodes that are no texts are named by `str`.
            items: Items that belong to the concepts.

        Raises:
            StudentModelError: The graph is not directed, has a cycle, or an attribute is wrong.
        """
        if not graph.is_directed() or graph.is_multigraph():
            raise StudentModelError("concepts need a plain directed graph (networkx.DiGraph): prerequisite -> concept")
        concepts = cls(items)
        for node, attributes in graph.nodes(data=True):
            needs = {str(p): data.get("weight", 1.0) for p, _, data in graph.in_edges(node, data=True)}
            concepts.add(str(node), needs=needs, **attributes)
        concepts.check()
        return concepts

    def to_networkx(self) -> nx.DiGraph[str]:
        """A plain digraph with the same nodes, edges and attributes, independent of this one."""
        graph: nx.DiGraph[str] = nx.DiGraph()
        for name in self:
            graph.add_node(name, **self.concept(name).model_dump(exclude_defaults=True))
        for prerequisite, name, data in self.graph.edges(data=True):
            graph.add_edge(prerequisite, name, weight=data.get("weight", 1.0))
        return graph

    @classmethod
    def load(cls, path: str | Path) -> ConceptGraph:
        """Read a concept file (YAML).

        Raises:
            ConceptFileError: The file is not valid; the message lists every problem with its place.
        """
        from maieutic.memory.student.files import load_concepts

        return load_concepts(path)

    def to_yaml(self) -> str:
        """The concepts and items as a concept file."""
        from maieutic.memory.student.files import to_yaml

        return to_yaml(self)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON in the shape of a concept file: concepts by name, and items by id."""
        concepts = {}
        for name in self:
            entry = self.concept(name).model_dump(mode="json", exclude_defaults=True)
            needs = self.needs(name)
            concepts[name] = {**({"needs": needs} if needs else {}), **entry}
        items = {
            item.id: item.model_dump(mode="json", exclude_defaults=True, exclude={"id"}) for item in self.items.values()
        }
        return {"concepts": concepts, "items": items} if items else {"concepts": concepts}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ConceptGraph:
        """The concepts that `to_json` wrote.

        Raises:
            StudentModelError: The data are not of that shape.
        """
        try:
            items = [Item(id=name, **entry) for name, entry in data.get("items", {}).items()]
            concepts = cls(items)
            for name, entry in data["concepts"].items():
                concepts.add(name, **entry)
        except (KeyError, TypeError, AttributeError, ValidationError) as error:
            raise StudentModelError(f"these are no concepts as `to_json` writes them: {error!r}") from None
        concepts.check()
        return concepts

    def concept(self, name: str) -> Concept:
        """The parameters of a concept.

        Raises:
            StudentModelError: There is no such concept, or its node has a wrong attribute.
        """
        if name not in self.graph:
            raise StudentModelError(f"there is no concept {name!r}; {did_you_mean(name, self.graph)}")
        return _concept(name, self.graph.nodes[name])

    def needs(self, name: str) -> dict[str, float]:
        """The prerequisites of a concept, with their weights.

        Raises:
            StudentModelError: There is no such concept.
        """
        if name not in self.graph:
            raise StudentModelError(f"there is no concept {name!r}; {did_you_mean(name, self.graph)}")
        return {p: float(data.get("weight", 1.0)) for p, _, data in self.graph.in_edges(name, data=True)}

    def check(self) -> None:
        """See that everything fits: nothing needed is missing, no circle, parameters in range, misconceptions apart.

        Raises:
            StudentModelError: Something does not; a cycle is shown.
        """
        for name in self:
            if name in self._only_needed:
                needing = next(iter(self.graph.successors(name)))
                others = [other for other in self if other not in self._only_needed]
                raise StudentModelError(
                    f"the concept {needing!r} needs {name!r}, which was never added; {did_you_mean(name, others)}"
                )
        self._acyclic()
        owners: dict[str, str] = {}
        for name in self:
            for misconception in self.concept(name).misconceptions:
                other = owners.setdefault(misconception, name)
                if other != name:
                    raise StudentModelError(
                        f"the misconception {misconception!r} hangs on both {other!r} and {name!r}; give one of them "
                        "another name"
                    )
        for prerequisite, name, data in self.graph.edges(data=True):
            _weight(prerequisite, name, data.get("weight", 1.0))

    def _acyclic(self) -> None:
        try:
            cycle = nx.find_cycle(self.graph)
        except nx.NetworkXNoCycle:
            return
        path = " -> ".join([str(edge[0]) for edge in cycle] + [str(cycle[-1][1])])
        raise StudentModelError(f"the prerequisites go in a circle: {path}; remove one of these edges")

    def __iter__(self) -> Any:
        return iter(self.graph)

    def __len__(self) -> int:
        return len(self.graph)

    def __contains__(self, name: object) -> bool:
        return name in self.graph

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ConceptGraph):
            return NotImplemented
        return self.to_json() == other.to_json()

    __hash__ = None  # type: ignore[assignment]  # it can change

    def __repr__(self) -> str:
        return f"ConceptGraph({len(self)} concepts, {self.graph.number_of_edges()} edges, {len(self.items)} items)"


def slip_and_guess(item: Item, own: Sequence[Concept]) -> tuple[float, float]:
    """P(wrong | all known) and P(right | none known) of an item as used, given the concepts that it needs.

    The item's own; else the means of its concepts', but 1 / options for a guess among options.
    """
    guess = item.guess
    if guess is None:
        several = len(item.options) > 1
        guess = 1 / len(item.options) if several else sum(concept.guess for concept in own) / len(own)
    slip = sum(concept.slip for concept in own) / len(own) if item.slip is None else item.slip
    return slip, guess


def _concept(name: str, parameters: Mapping[str, Any]) -> Concept:
    unknown = [key for key in parameters if key not in Concept.model_fields]
    if unknown:
        hint = did_you_mean(unknown[0], Concept.model_fields)
        raise StudentModelError(f"the concept {name!r} has no parameter {unknown[0]!r}; {hint}")
    try:
        return Concept.model_validate(dict(parameters))
    except ValidationError as error:
        raise StudentModelError(f"the concept {name!r}: {first_of(error)}") from None


def first_of(error: ValidationError) -> str:
    """The first thing that is wrong with values, in words: which one, what, and what it is."""
    first = error.errors()[0]
    said = first["msg"].removeprefix("Value error, ")
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {said}, not {first['input']!r}" if where else said


def _weight(prerequisite: str, name: str, weight: Any) -> None:
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight <= 1:
        raise StudentModelError(f"the edge {prerequisite} -> {name} has the weight {weight!r}, not one from 0 to 1")
