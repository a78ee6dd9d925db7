"""In words: what a node reads, asks and writes, and where it can go; the path of a run and its reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from maieutic.agents import Agent, Prompt
from maieutic.errors import UsageError
from maieutic.files.problems import did_you_mean
from maieutic.graphs.checks.scene import state_types
from maieutic.graphs.failing import Spot
from maieutic.graphs.nodes import (
    AgentStep,
    MapNode,
    Node,
    ParallelNode,
    PersonStep,
    SetStep,
    Step,
    SubgraphStep,
    ToolStep,
    UseStep,
    WhenRoute,
)
from maieutic.graphs.observing import in_words, listed
from maieutic.graphs.picture import reason

if TYPE_CHECKING:
    from maieutic.graphs.graph import Graph

__all__ = ["explain", "why"]

Lines = list[tuple[str, str]]
_WIDTH = 10


def explain(graph: Graph, node: str) -> str:
    """What a node is and does, in lines of text.

    Raises:
        UsageError: There is no such node; the message says which was meant, or which there are.
    """
    body = graph.spec.graph
    if body is None:
        raise UsageError(f"{graph.name} is nothing but the protocol {graph.spec.use!r} and has no nodes of its own")
    if node not in body.nodes:
        raise UsageError(f"{graph.name} has no node {node!r}; {did_you_mean(node, body.nodes)}")
    found = body.nodes[node]
    place = str(Spot(graph.spec, ("graph", "nodes", node))).partition(": ")[0]
    lines: Lines = [("node", f"{node} ({place})")]
    if found.description:
        lines.append(("", found.description))
    lines += _what(graph, found)
    lines += _ways(found)
    lines += [("from", ", ".join(_before(graph, node)) or "nowhere")]
    if found.visits is not None:
        lines.append(("bound", f"at most {found.visits.max} visits, then {found.visits.then}"))
    return "".join(f"{key:<{_WIDTH}}{text}".rstrip() + "\n" for key, text in lines)


def why(edges: Sequence[Mapping[str, Any]]) -> str:
    """The path of a run, one line an edge with its reason; the edges of a nested graph stand before the edge that
    leaves its node, indented.

    Args:
        edges: The edge events of a run (`Run.edges`).
    """
    inside: dict[str, list[Mapping[str, Any]]] = {}
    for edge in edges:
        inside.setdefault(_within(edge), []).append(edge)
    top = min(inside, key=lambda place: place.count("/"), default="")
    rows = _told(inside, top, 0)
    for place in list(inside):  # of nodes that the run never left
        rows += _headed(inside, place, top, 1)
    width = max((len(way) for way, because in rows if because), default=0)
    return "".join(f"{way:<{width}}  {because}".rstrip() + "\n" for way, because in rows)


Inside = dict[str, list[Mapping[str, Any]]]


def _within(edge: Mapping[str, Any]) -> str:
    """The place of the graph that an edge belongs to."""
    return str(edge.get("at", "")).rpartition("/")[0]


def _told(inside: Inside, place: str, depth: int) -> Lines:
    rows: Lines = []
    for edge in inside.pop(place, []):
        at = str(edge.get("at", ""))
        for nested in [other for other in inside if other == at or other.startswith(f"{at}/")]:
            rows += _headed(inside, nested, place, depth + 1)
        rows.append(("  " * depth + f"{edge['source']} → {edge['target']}", reason(edge)))
    return rows


def _headed(inside: Inside, place: str, above: str, depth: int) -> Lines:
    if place not in inside:
        return []
    return [("  " * (depth - 1) + f"in {place.removeprefix(above + '/')}:", ""), *_told(inside, place, depth)]


def _what(graph: Graph, node: Node) -> Lines:
    if isinstance(node, ParallelNode):
        lines: Lines = [("does", f"{len(node.parallel)} steps at once; each reads the state as it was before")]
        for name, step in node.parallel.items():
            lines += [("", ""), ("branch", name), *_step(graph, step)]
        return [*lines, ("", "")]
    if isinstance(node, MapNode):
        collected = [("collects", f"{name} = {value}, a list") for name, value in node.collect.items()]
        return [("does", f"for each {node.item} in {node.over}, all at once"), *_step(graph, node.do), *collected]
    return _step(graph, node)


def _step(graph: Graph, step: Step) -> Lines:
    return [*_doing(graph, step), *(("observes", in_words(observe)) for observe, _ in listed(step.observe))]


def _doing(graph: Graph, step: Step) -> Lines:
    match step:
        case AgentStep():
            return _agent(graph, step)
        case PersonStep():
            return _person(graph, step)
        case UseStep():
            given = [("with", f"{name} = {value}") for name, value in step.params.items()]
            return [("who", f"the protocol {step.use}"), *given, *_in(graph, step.inputs), *_writes(step.out)]
        case SubgraphStep():
            swapped = {**step.agents, **step.models}
            given = [("with", f"our {ours} as its {theirs}") for theirs, ours in swapped.items()]
            return [("who", f"the graph {step.graph}"), *given, *_in(graph, step.inputs), *_writes(step.out)]
        case ToolStep():
            return [("who", f"the tool {step.tool}"), *_in(graph, step.arguments), *_writes(step.writes)]
        case SetStep():
            return [("who", "nobody: it only writes"), *_writes(step.set)]


def _agent(graph: Graph, step: AgentStep) -> Lines:
    agent = graph.agents[step.agent]
    verb = agent.verb(step.does or next(iter(agent.verbs)))
    reads = {name: name for name in step.reads} if isinstance(step.reads, list) else step.reads
    output = step.output or graph.spec.agents[step.agent].output
    fields = output or (verb.output.model_fields if verb.output else {})
    heard = "nobody: off the record" if step.off_record or verb.kind == "probe" else "everyone"
    if step.audience is not None and heard == "everyone":
        heard = f"{', '.join(step.audience) or 'nobody'} (and {agent.name})"
    return [
        ("who", f"{agent.name}, a {agent.role} on {_model(agent)}, does {verb.name!r}"),
        *_in(graph, reads),
        ("sees", "the dialogue so far" if step.sees == "dialogue" else "nothing of the dialogue"),
        ("asks", _asked(graph, step.agent, verb.name)),
        ("replies", ", ".join(fields) if fields else "text"),
        *_writes(step.writes),
        ("heard by", heard),
    ]


def _model(agent: Agent) -> str:
    return agent.model.model if agent.chooser is None else agent.chooser.described


def _asked(graph: Graph, name: str, verb: str) -> str:
    agent, own = graph.agents[name], graph.spec.agents[name].prompts.get(verb)
    prompt = agent.template(verb) if own is None else Prompt.load(graph.spec.origin.home / own)
    used = ", ".join(sorted(prompt.variables - {"given"})) or "no variables"
    return f"{own or f'the prompt {agent.role}/{verb}'} ({used})"


def _person(graph: Graph, step: PersonStep) -> Lines:
    choices = [("choices", " / ".join(step.choices))] if step.choices else []
    heard = "nobody: off the record" if step.off_record else "everyone"
    asked = " ".join(step.ask.split())
    return [("who", f"{step.person}, a person"), ("asks", asked), *choices, *_writes(step.writes), ("heard by", heard)]


def _in(graph: Graph, values: Mapping[str, Any]) -> Lines:
    types = state_types(graph.spec)
    lines = []
    for name, value in values.items():
        kind = f" ({types[str(value)]})" if str(value) in types else ""
        lines.append(("reads", f"{name}{kind}" if name == str(value) else f"{name} = {value}{kind}"))
    return lines


def _writes(values: Mapping[str, Any]) -> Lines:
    return [("writes", f"{name} = {value}") for name, value in values.items()]


def _ways(node: Node) -> Lines:
    lines: Lines = [("goes to", node.next)] if node.next is not None else []
    for route in node.routes or ():
        if isinstance(route, WhenRoute):
            lines.append(("goes to", f"{route.to}  if {route.when}"))
        else:
            lines.append(("goes to", f"{route.otherwise}  otherwise"))
    return lines


def _before(graph: Graph, node: str) -> Sequence[str]:
    """The nodes from which a run can come here."""
    from maieutic.graphs.compile import destinations

    assert graph.spec.graph is not None
    nodes = graph.spec.graph.nodes
    bounds = {name: other.visits for name, other in nodes.items() if other.visits is not None}
    before = [name for name, other in nodes.items() if node in destinations(other, bounds)]
    return ["the start", *before] if graph.spec.graph.start == node else before
