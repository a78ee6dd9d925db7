"""The models of a graph file: what it may say, key by key. The JSON Schema for editors is made from them.

What can be said about one key alone is checked here; what needs the rest of the file (names, types, cycles, budgets)
is checked in `maieutic.graphs.checks`. Expressions are parsed here and typed there. The nodes are in
`maieutic.graphs.nodes`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field, PrivateAttr, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from maieutic.agents.balance import Balance
from maieutic.backends.models import ModelSpec
from maieutic.graphs.nodes import FieldName, MapNode, Name, Node, ParallelNode, Step, Strict, TypeText
from maieutic.graphs.routed import ModelChoice, RoutedSpec

if TYPE_CHECKING:
    from maieutic.memory.student.concepts import ConceptGraph

__all__ = ["AgentSpec", "GraphBody", "GraphSpec", "Limits", "Origin", "StateField", "StudentModelSpec"]

_COUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([kKmM]?)")
_FACTOR = {"": 1, "k": 1_000, "m": 1_000_000}


def count(raw: Any) -> Any:
    """A whole number written as 200000, 200k or 1.5M."""
    if not isinstance(raw, str):
        return raw
    found = _COUNT.fullmatch(raw.strip())
    if found is None:
        raise PydanticCustomError("count", "{raw} is not a number such as 200000, 200k or 1.5M", {"raw": repr(raw)})
    return round(float(found[1]) * _FACTOR[found[2].lower()])


def weighing(raw: Any) -> Any:
    """How an agent weighs arguments: true for the defaults, false for not at all."""
    if isinstance(raw, bool):
        return Balance() if raw else None
    if raw is None or isinstance(raw, Mapping | Balance):
        return raw
    raise PydanticCustomError(
        "balance",
        "{raw} is neither true nor false nor a mapping such as {orders: 3, margin: 0.1}",
        {"raw": repr(raw)},
    )


Count: TypeAlias = Annotated[
    int,
    Field(gt=0),
    BeforeValidator(count),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "exclusiveMinimum": 0},
                {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*[kKmM]?\s*$"},
            ]
        }
    ),
]


class AgentSpec(Strict):
    """One speaker: its role, its model, its prompts, and the typed reply it gives."""

    role: Annotated[str, Field(description="teacher, student, critic, router, debater, judge, person, agent, …")] = (
        "agent"
    )
    model: Annotated[
        ModelChoice | None,
        Field(description="A name under `models`, or a router that chooses for each call; only a person needs none."),
    ] = None
    persona: Annotated[str, Field(description="Who it is, in a sentence.")] = ""
    stance: Annotated[str, Field(description="A position it is told to defend.")] = ""
    prompt: Annotated[str | None, Field(description="Its system prompt (Jinja2) instead of the role's own.")] = None
    prompt_file: Annotated[
        str | None, Field(description="A file with its system prompt, relative to the graph file.")
    ] = None
    prompts: dict[Name, str] = Field(
        default_factory=dict, description="Files with its instructions, by verb, relative to the graph file."
    )
    output: Annotated[
        dict[FieldName, TypeText] | None, Field(description="Its typed reply, field by field.", min_length=1)
    ] = None
    balance: Annotated[
        Balance | None,
        BeforeValidator(weighing, json_schema_input_type=bool | Balance | None),
        Field(
            description="Whether (true), or how, it weighs the arguments of a dialogue off the record, without their "
            "speakers and their order, to change its mind only if they say so. Each order that it reads is a call."
        ),
    ] = None

    @property
    def models(self) -> tuple[str, ...]:
        """The names under `models` that it may speak with."""
        if isinstance(self.model, RoutedSpec):
            return self.model.names
        return () if self.model is None else (self.model,)


class StateField(Strict):
    """One typed value that the nodes share.

    Without `merge` a write replaces the value. With it: `last` the same, also for parallel writes (the branch that the
    file lists last wins); `add` sums numbers and joins texts and lists; `append` puts one item at the end of a list;
    `union` adds the items of a list that are not there yet; `max` and `min` keep the greater or smaller. Null written
    to a field that cannot be null leaves it as it is: a protocol that came to no answer takes nothing away.
    """

    type: TypeText
    input: Annotated[bool, Field(description="Whether the caller gives it; needed unless it has a default.")] = False
    default: Annotated[Any, Field(description="Its value before any write; null makes the field nullable.")] = None
    merge: Annotated[
        Literal["last", "add", "append", "union", "max", "min"] | None,
        Field(description="How a write combines with the value there is; parallel writes need it."),
    ] = None
    description: str = ""

    @property
    def has_default(self) -> bool:
        """Whether `default` was written, be it null."""
        return "default" in self.model_fields_set

    @property
    def nullable(self) -> bool:
        """Whether its value can be null: the type is any or ends in ?, or the default is null."""
        text = self.type.strip() if isinstance(self.type, str) else ""
        return (self.has_default and self.default is None) or text == "any" or text.endswith("?")


class StudentModelSpec(Strict):
    """What the teacher believes of the student, and when it may intervene.

    Attributes:
        graph: A file of concepts and items, relative to the graph file (docs/student-model.md).
        concepts, defaults, items: The same written here, as such a file has them.
        budget: The share of the items that may be explained, 0 to 1; `student.should_intervene` decides by it.
        input: Whether the caller may hand in what was observed before, as the input `student`.
    """

    graph: Annotated[str | None, Field(min_length=1)] = None
    concepts: Annotated[dict[str, Any] | None, Field(min_length=1)] = None
    defaults: dict[str, Any] | None = None
    items: dict[str, Any] | list[Any] | None = None
    budget: Annotated[float | None, Field(ge=0, le=1)] = None
    input: bool = False


class GraphBody(Strict):
    """Where it starts, and its nodes."""

    start: Name
    nodes: Annotated[dict[Name, Node], Field(min_length=1)]


class Limits(Strict):
    """What a run may spend, and what happens when it would spend more.

    Attributes:
        usd: US dollars.
        tokens: Prompt and completion tokens together; 200k and 1.5M are understood.
        calls: Model calls.
        seconds: Wall time.
        steps: Nodes that run, a map or parallel node counted once.
        on_exceed: stop ends the run with what there is; warn goes on; degrade goes on with `degrade_to`; pause waits
            until somebody raises the limit.
        degrade_to: A name under `models`.
    """

    usd: Annotated[float | None, Field(gt=0)] = None
    tokens: Count | None = None
    calls: Count | None = None
    seconds: Annotated[float | None, Field(gt=0)] = None
    steps: Count | None = None
    on_exceed: Literal["stop", "warn", "degrade", "pause"] = "stop"
    degrade_to: Name | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a spec was read.

    Attributes:
        file: The file's name for messages.
        home: Its folder, from which the paths in it start.
        subgraphs: The graph files that its nodes name, by the path as written.
        concepts: The concepts and items of its student model.
        text: The file's text, from which an error at run time finds its line and column; empty if there is none.
    """

    file: str = "<python>"
    home: Path = field(default_factory=Path)
    subgraphs: Mapping[str, GraphSpec] = field(default_factory=dict)
    concepts: ConceptGraph | None = None
    text: str = ""


class GraphSpec(Strict):
    """One graph file: either a `graph` of nodes or nothing but a protocol (`use`, `with`).

    Two specs are equal if they say the same, wherever they were read.
    """

    version: Literal[1]
    name: Name
    description: str = ""
    models: dict[Name, ModelSpec] = Field(default_factory=dict)
    agents: dict[Name, AgentSpec] = Field(default_factory=dict)
    state: dict[FieldName, StateField] = Field(default_factory=dict)
    student_model: StudentModelSpec | None = None
    graph: GraphBody | None = None
    use: Name | None = None
    params: dict[str, Any] = Field(alias="with", default_factory=dict)
    limits: Limits = Limits()
    world: Annotated[str | None, Field(description="A file with facts and questions for simulated minds.")] = None
    seed: int | None = None

    _origin: Origin = PrivateAttr(default_factory=Origin)

    @model_validator(mode="before")
    @classmethod
    def _without_extensions(cls, raw: Any) -> Any:
        """Keys that begin with x- are the author's own (a home for anchors)."""
        if not isinstance(raw, Mapping):
            return raw
        return {k: v for k, v in raw.items() if not (isinstance(k, str) and k.startswith("x-"))}

    @property
    def origin(self) -> Origin:
        """Where it was read."""
        return self._origin

    def read_from(self, origin: Origin) -> GraphSpec:
        """The same spec, read there."""
        copy = self.model_copy()
        copy._origin = origin
        return copy

    def steps(self) -> Iterator[tuple[tuple[str, ...], Step]]:
        """Every step, with its path in the file: of plain nodes, and inside `parallel` and `map` nodes."""
        for name, node in (self.graph.nodes if self.graph else {}).items():
            at = ("graph", "nodes", name)
            if isinstance(node, ParallelNode):
                yield from (((*at, "parallel", branch), step) for branch, step in node.parallel.items())
            elif isinstance(node, MapNode):
                yield (*at, "do"), node.do
            else:
                yield at, node

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, GraphSpec):
            return NotImplemented
        return self.model_dump() == other.model_dump()

    __hash__ = None  # type: ignore[assignment]
