"""YAML to a checked spec to LangGraph; expressions; drawing.

Nothing here calls a model by itself: a graph is run by `maieutic.runs`, or by the host that embeds it.
"""

from typing import TYPE_CHECKING

from maieutic.lazy import lazily

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

__getattr__ = lazily(
    __name__,
    {
        "drawing": ("svg",),
        "explaining": ("explain", "why"),
        "failing": ("StepFailed",),
        "flowchart": ("mermaid",),
        "graph": ("Graph", "GraphOutcome", "load_graph"),
        "load": ("checked", "load_spec", "load_text"),
        "schema": ("json_schema",),
        "spec": ("GraphSpec",),
        "write": ("to_yaml",),
    },
)
