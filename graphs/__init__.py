"""YAML to a checked spec to LangGraph; expressions; drawing.

Nothing here calls a model by itself: a graph is run by `maieutic.runs`, or by the host that embeds it.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maieutic.graphs.graph import Graph, GraphOutcome
    from maieutic.graphs.load import load_spec
    from maieutic.graphs.spec import GraphSpec
    from maieutic.graphs.write import to_yaml

__all__ = ["Graph", "GraphOutcome", "GraphSpec", "load_spec", "to_yaml"]

_LAZY = {
    "Graph": "graph",
    "GraphOutcome": "graph",
    "GraphSpec": "spec",
    "load_spec": "load",
    "to_yaml": "write",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
