"""From a checked spec to a LangGraph state graph.

Everything in the state is plain JSON, so that any checkpointer can store it. A node is one function: it acts, merges
what it wrote into the state and chooses the way on. Its updates hold whole new values, merged by the field's own rule;
LangGraph's reducers would merge a caller's inputs too, and know no declared default to begin with. Of a student model
the state has what it was told, under `student`, and nothing else: the model is what that adds up to.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from maieutic.backends.place import Place
from maieutic.graphs.acts import Act
from maieutic.graphs.nodes import END, Flow, Visits
from maieutic.graphs.questions import STUDENT
from maieutic.graphs.routing import Ways, ways_of
from maieutic.graphs.spec import GraphSpec
from maieutic.protocols.base import STEPS

if TYPE_CHECKING:
    from langgraph.graph.state import StateGraph

    from maieutic.graphs.staging import Stage

__all__ = ["TRANSCRIPT", "VISITS", "build", "destinations"]

TRANSCRIPT = "transcript"
"""Key of the state under which the dialogue stands, one JSON object a turn; only ever appended to."""
VISITS = "#visits"
"""Key of the state under which the visits of every node are counted; no field can have this name."""


def build(stage: Stage, stand: Callable[[Any], Place]) -> StateGraph[Any, Place, Any, Any]:
    """The state graph of a file's nodes.

    Args:
        stage: The file and what its steps need.
        stand: The place of a LangGraph runtime.

    Raises:
        UsageError: A node names something that is not there.
    """
    from langgraph.graph import END as LAST
    from langgraph.graph import START, StateGraph

    spec = stage.spec
    assert spec.graph is not None
    graph = StateGraph(_state(spec), context_schema=Place, input_schema=_inputs(spec), output_schema=_outputs(spec))
    bounds = {name: node.visits for name, node in spec.graph.nodes.items() if node.visits is not None}
    for name, node in spec.graph.nodes.items():
        run = _node(stage, name, stage.act(name, node), ways_of(spec, name, node, bounds), stand)
        ends = tuple(LAST if target == END else target for target in destinations(node, bounds))
        graph.add_node(name, run, destinations=ends)
    graph.add_edge(START, spec.graph.start)
    return graph


def destinations(node: Flow, bounds: Mapping[str, Visits]) -> list[str]:
    """Every node (or end) that a run can come to from this one, bounds on visits considered."""
    found = [node.next] if node.next is not None else []
    for route in node.routes or ():
        found.append(getattr(route, "to", None) or route.otherwise)  # type: ignore[union-attr]
    for target in found:
        if target in bounds and bounds[target].then not in found:
            found.append(bounds[target].then)
    return list(dict.fromkeys(found))


def _node(stage: Stage, name: str, act: Act, ways: Ways, stand: Callable[[Any], Place]) -> Any:
    from langgraph.errors import GraphRecursionError
    from langgraph.graph import END as LAST
    from langgraph.types import Command

    fields, pupils = stage.fields, stage.pupils
    most = stage.spec.limits.steps or STEPS

    async def node(state: Any, runtime: Any) -> Command[str]:
        visits = state.get(VISITS) or {}
        if not visits:
            fields.check_inputs(state)
            if pupils is not None:
                pupils.check_given(state.get(STUDENT))
        if sum(visits.values()) >= most:
            raise GraphRecursionError(f"the graph took its {most} steps; raise limits.steps")
        here = stand(runtime) / f"{name}#{visits.get(name, 0) + 1}"
        values = fields.values(state)
        student = {} if pupils is None else {STUDENT: pupils.at(state.get(STUDENT))}
        done = await act(here, {**values, **student}, state.get(TRANSCRIPT) or [])
        update = fields.merge(values, done.writes, ways.spot)
        after = {**values, **update}
        if pupils is not None:
            after[STUDENT] = student[STUDENT].after(done.observed)
        visits = {**visits, name: visits.get(name, 0) + 1}
        target = ways.follow(here, after, visits)
        update[VISITS] = visits
        if done.observed:
            update[STUDENT] = after[STUDENT].log
        if done.turns:
            update[TRANSCRIPT] = list(done.turns)
        return Command(update=update, goto=LAST if target == END else target)

    node.__name__ = name
    return node


def _state(spec: GraphSpec) -> Any:
    return TypedDict("State", {**_any(_shown(spec)), TRANSCRIPT: _DIALOGUE, VISITS: dict[str, int]})  # type: ignore[operator]


def _inputs(spec: GraphSpec) -> Any:
    given = [name for name, field in spec.state.items() if field.input]
    if spec.student_model is not None and spec.student_model.input:
        given.append(STUDENT)
    return TypedDict("Inputs", _any(given))  # type: ignore[operator]


def _outputs(spec: GraphSpec) -> Any:
    return TypedDict("Outputs", {**_any(_shown(spec)), TRANSCRIPT: _DIALOGUE})  # type: ignore[operator]


_DIALOGUE = Annotated[list[dict[str, Any]], operator.add]


def _shown(spec: GraphSpec) -> Iterable[str]:
    """What a host sees of the state: the declared fields, and what the student model was told."""
    return [*spec.state, STUDENT] if spec.student_model is not None else spec.state


def _any(names: Iterable[str]) -> dict[str, Any]:
    return dict.fromkeys(names, Any)
