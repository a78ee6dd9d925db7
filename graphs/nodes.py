"""What a graph's nodes are made of: steps (what is done), and the flow between nodes (where it goes next)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Discriminator, Field, PlainValidator, Tag, WithJsonSchema
from pydantic_core import PydanticCustomError

from maieutic.graphs.expressions import Expression

__all__ = [
    "END",
    "NODE_KINDS",
    "STEP_KINDS",
    "AgentNode",
    "AgentStep",
    "ElseRoute",
    "FieldName",
    "Flow",
    "MapNode",
    "Name",
    "Node",
    "Observe",
    "Observes",
    "ParallelNode",
    "PersonNode",
    "PersonStep",
    "Route",
    "SetNode",
    "SetStep",
    "Step",
    "Strict",
    "SubgraphNode",
    "SubgraphStep",
    "ToolNode",
    "ToolStep",
    "TypeText",
    "UseNode",
    "UseStep",
    "Visits",
    "WhenRoute",
    "body_kind",
]

END = "end"
"""Where a node sends the run to finish it; no node may have this name."""

STEP_KINDS = ("agent", "use", "graph", "person", "tool", "set")
"""The keys that say what one step does."""
NODE_KINDS = (*STEP_KINDS, "parallel", "map")
"""The keys that say what a node does; every node has exactly one of them."""


class Strict(BaseModel):
    """A mapping of the file: unknown keys are errors, and no value is converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True, allow_inf_nan=False)


Name: TypeAlias = Annotated[str, Field(pattern="^[A-Za-z_][A-Za-z0-9_-]*$")]
FieldName: TypeAlias = Annotated[str, Field(pattern="^[A-Za-z_][A-Za-z0-9_]*$")]
Text: TypeAlias = Annotated[str, Field(min_length=1)]
Writes: TypeAlias = dict[FieldName, Expression]


def _type_text(raw: Any) -> Any:
    if isinstance(raw, str) or (isinstance(raw, list) and raw and all(isinstance(item, str) for item in raw)):
        return raw
    raise PydanticCustomError("type_text", "not a type")


TypeText: TypeAlias = Annotated[
    Any,
    PlainValidator(_type_text, json_schema_input_type=str | Annotated[list[str], Field(min_length=1)]),
    Field(
        description="str, int, float, bool, any, dict, list[...], dict[...], AGENT.output, AGENT.VERB, "
        "or an enumeration such as [a, b, c]; a ? at the end allows null."
    ),
]
"""A type as it stands in the file: a text, or the list of an enumeration's texts."""


def _reads_kind(raw: Any) -> str:
    return "<map>" if isinstance(raw, Mapping) else "<list>"


def _concepts_kind(raw: Any) -> str:
    return "<list>" if isinstance(raw, list) else "<text>"


Concepts: TypeAlias = Annotated[
    Annotated[list[Text], Tag("<list>"), Field(min_length=1)]
    | Annotated[Expression, Tag("<text>"), WithJsonSchema({"type": "string", "description": "An expression."})],
    Discriminator(_concepts_kind),
]


class Observe(Strict):
    """What a step tells the student model, by exactly one of `item`, `explained`, `asked`, `claimed`, `waited`, `log`.

    Its expressions see the state as it is after the step's own writes, and `reply`, `outcome` or `result`.

    Attributes:
        item: The item that was answered: its id or its question. With it goes `answer`, the answer as given, from which
            right or wrong is found; or `correct`, where somebody else found that.
        confidence: How sure the student says it is, from 0 to 1; with `item` or `claimed`.
        with_explanation: Whether an explanation of the item was at hand; with `item`.
        explained: An item or a concept that was explained.
        asked: An item or a concept about which the student asked.
        claimed: An item or a concept of which the student said how sure it is; needs `confidence`.
        concepts: The concepts of an item that the concept file does not list, as a list of names, or as an expression.
        waited: Days that passed.
        log: Observations made elsewhere: a list as `student.log` is one.
    """

    item: Expression | None = None
    answer: Expression | None = None
    correct: Expression | None = None
    confidence: Expression | None = None
    with_explanation: Expression | None = None
    explained: Expression | None = None
    asked: Expression | None = None
    claimed: Expression | None = None
    concepts: Concepts | None = None
    waited: Expression | None = None
    log: Expression | None = None


def _observes_kind(raw: Any) -> str:
    return "<several>" if isinstance(raw, list | tuple) else "<one>"


Observes: TypeAlias = Annotated[
    Annotated[Observe, Tag("<one>")] | Annotated[list[Observe], Tag("<several>"), Field(min_length=1)],
    Discriminator(_observes_kind),
]
"""What a step tells the student model: one thing, or a list of things in order."""

Reads: TypeAlias = Annotated[
    Annotated[list[FieldName], Tag("<list>")] | Annotated[dict[FieldName, Expression], Tag("<map>")],
    Discriminator(_reads_kind),
]


class WhenRoute(Strict):
    """Go there if the expression over the state is true."""

    when: Expression
    to: Name


class ElseRoute(Strict):
    """Go there if nothing above was true."""

    otherwise: Annotated[Name, Field(alias="else")]


def _route_kind(raw: Any) -> str | None:
    if isinstance(raw, WhenRoute | ElseRoute):
        return "<when>" if isinstance(raw, WhenRoute) else "<else>"
    if not isinstance(raw, Mapping):
        return None
    return "<else>" if ("else" in raw or "otherwise" in raw) and "when" not in raw else "<when>"


Route: TypeAlias = Annotated[
    Annotated[WhenRoute, Tag("<when>")] | Annotated[ElseRoute, Tag("<else>")], Discriminator(_route_kind)
]


class Visits(Strict):
    """A bound on a node of a cycle: it runs at most `max` times; the next arrival goes on to `then` instead."""

    max: Annotated[int, Field(gt=0)]
    then: Name


class Flow(Strict):
    """What every node has: where it goes, and how often it may run.

    Exactly one of `next` and `routes`. There is one way to do things at once, a `parallel` (or `map`) node: it joins
    before it goes on, so `next` names one node.
    """

    description: str = ""
    next: Annotated[Name | None, Field(description="The node that follows, or end.")] = None
    routes: Annotated[
        list[Route] | None, Field(min_length=1, description="First match wins; the last one is {else: NODE}.")
    ] = None
    visits: Visits | None = None


class AgentStep(Strict):
    """An agent acts once. Its reply is `reply` in `writes`: `reply.text`, and the fields of a typed reply.

    Attributes:
        does: The role's verb; may be left out if the role has only one.
        reads: The verb's inputs: names of state fields, or input: expression.
        writes: State field: expression over the state and `reply`.
        observe: What it tells the student model.
        audience: Agents that hear it (and the speaker); everyone if left out.
        off_record: Whether the reply stays out of the dialogue.
        sees: Whether the agent reads the dialogue so far.
        output: A typed reply for this step alone.
    """

    kind: ClassVar[str] = "agent"
    agent: Name
    does: Name | None = None
    reads: Reads = Field(default_factory=list)
    writes: Writes = {}
    observe: Observes | None = None
    audience: list[Name] | None = None
    off_record: bool = False
    sees: Literal["dialogue", "nothing"] = "dialogue"
    output: Annotated[dict[FieldName, TypeText] | None, Field(min_length=1)] = None


class UseStep(Strict):
    """A protocol as a step. `with` are its parameters, `in` its inputs, `out` is over the state and `outcome`."""

    kind: ClassVar[str] = "use"
    use: Name
    params: Annotated[dict[str, Any], Field(alias="with")] = {}
    inputs: Annotated[dict[FieldName, Expression], Field(alias="in")] = {}
    out: Writes = {}
    observe: Observes | None = None


class SubgraphStep(Strict):
    """Another graph file as a step, relative to this file. In `out`, `outcome` has that graph's state fields.

    Attributes:
        inputs: That file's input: expression over our state.
        models: That file's model: a model of ours to use instead.
        agents: That file's agent: an agent of ours to use instead.
    """

    kind: ClassVar[str] = "graph"
    graph: Text
    inputs: Annotated[dict[FieldName, Expression], Field(alias="in")] = {}
    out: Writes = {}
    observe: Observes | None = None
    models: dict[Name, Name] = {}
    agents: dict[Name, Name] = {}


class PersonStep(Strict):
    """A person is asked and types the reply, `reply.text` in `writes`.

    Attributes:
        person: Who is asked: an agent with the role person, or a name of its own.
        ask: What is asked; a Jinja2 template over the state.
        choices: The only replies allowed, if given.
        off_record: Whether the reply stays out of the dialogue.
    """

    kind: ClassVar[str] = "person"
    person: Name
    ask: Text
    choices: Annotated[list[Text] | None, Field(min_length=1)] = None
    writes: Writes = {}
    observe: Observes | None = None
    off_record: bool = False


class ToolStep(Strict):
    """A tool of the host or of an entry point `maieutic.tools`. What it returns is `result` in `writes`."""

    kind: ClassVar[str] = "tool"
    tool: Text
    arguments: Annotated[dict[FieldName, Expression], Field(alias="with")] = {}
    writes: Writes = {}
    observe: Observes | None = None


class SetStep(Strict):
    """Write state without asking anybody."""

    kind: ClassVar[str] = "set"
    set: Annotated[Writes, Field(min_length=1)]
    observe: Observes | None = None


def body_kind(raw: Any) -> str | None:
    """The kind of a node or step, by its key: the first of NODE_KINDS that it has."""
    if isinstance(raw, BaseModel):
        return getattr(raw, "kind", None)
    return next((kind for kind in NODE_KINDS if kind in raw), None) if isinstance(raw, Mapping) else None


def _tag(raw: Any) -> str | None:
    kind = body_kind(raw)
    return f"<{kind}>" if kind else None


Step: TypeAlias = Annotated[
    Annotated[AgentStep, Tag("<agent>")]
    | Annotated[UseStep, Tag("<use>")]
    | Annotated[SubgraphStep, Tag("<graph>")]
    | Annotated[PersonStep, Tag("<person>")]
    | Annotated[ToolStep, Tag("<tool>")]
    | Annotated[SetStep, Tag("<set>")],
    Discriminator(_tag),
]


class AgentNode(AgentStep, Flow):
    """A node in which an agent acts once."""


class UseNode(UseStep, Flow):
    """A node that is a protocol."""


class SubgraphNode(SubgraphStep, Flow):
    """A node that is another graph file."""


class PersonNode(PersonStep, Flow):
    """A node in which a person is asked."""


class ToolNode(ToolStep, Flow):
    """A node that calls a tool."""


class SetNode(SetStep, Flow):
    """A node that writes state."""


class ParallelNode(Flow):
    """Steps that run at once, by name, and join. Each reads the state as it was before; fields that two of them write
    need a `merge`."""

    kind: ClassVar[str] = "parallel"
    parallel: Annotated[dict[Name, Step], Field(min_length=2)]


class MapNode(Flow):
    """One step for every item of a list, all at once, and join.

    Attributes:
        over: The list: an expression over the state.
        item: The name that an item has in the step's expressions.
        do: The step. Fields that it writes need a `merge`.
        collect: State field: expression over the item, the state and the step's `reply`, `outcome` or `result`. The
            values of all items, in the list's order, become the list that is written.
    """

    kind: ClassVar[str] = "map"
    over: Annotated[Expression, Field(alias="map")]
    item: Annotated[FieldName, Field(alias="as")]
    do: Step
    collect: Writes = {}


Node: TypeAlias = Annotated[
    Annotated[AgentNode, Tag("<agent>")]
    | Annotated[UseNode, Tag("<use>")]
    | Annotated[SubgraphNode, Tag("<graph>")]
    | Annotated[PersonNode, Tag("<person>")]
    | Annotated[ToolNode, Tag("<tool>")]
    | Annotated[SetNode, Tag("<set>")]
    | Annotated[ParallelNode, Tag("<parallel>")]
    | Annotated[MapNode, Tag("<map>")],
    Discriminator(_tag),
]
