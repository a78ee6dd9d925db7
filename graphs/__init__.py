"""YAML to a checked spec to LangGraph; expressions; drawing.

Nothing here calls a model by itself: a graph is run by `maieutic.runs`, or by the host that embeds it.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maieutic.graphs.drawing import svg
    from maieutic.graphs.explaining import explain, why
    from maieutic.graphs.failing import StepFailed
    from maieutic.graphs.flowchart import mermaid
    from maieutic.graphs.graph import Graph, GraphOutcome, load_graph
    from maieutic.graphs.load import checked, load_spec, load_text
    from maieutic.graphs.schema import json_schema
    from maieutic.graphs.spec import GraphSpec
    from maieutic.graphs.write import to_yaml

__all__ = [
    "Graph",
    "GraphOutcome",
    "GraphSpec",
    "StepFailed",
    "checked",
    "explain",
    "json_schema",
    "load_graph",
    "load_spec",
    "load_text",
    "mermaid",
    "svg",
    "to_yaml",
    "why",
]

_LAZY = {
    "Graph": "graph",
    "GraphOutcome": "graph",
    "GraphSpec": "spec",
    "StepFailed": "failing",
    "checked": "load",
    "explain": "explaining",
    "json_schema": "schema",
    "load_graph": "graph",
    "load_spec": "load",
    "load_text": "load",
    "mermaid": "flowchart",
    "svg": "drawing",
    "to_yaml": "write",
    "why": "explaining",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
