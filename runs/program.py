"""What can be run: a protocol, or a graph from a file."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from typing_extensions import TypeVar

from maieutic.agents import Agent
from maieutic.backends import ModelSpec
from maieutic.protocols.base import CallPlan, Outcome

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph

__all__ = ["NOTHING", "OutcomeT_co", "Program", "models_of", "simulated"]

OutcomeT_co = TypeVar("OutcomeT_co", bound=Outcome, default=Outcome, covariant=True)
"""What a program comes to."""

NOTHING: Mapping[str, Any] = MappingProxyType({})
"""The inputs of a program that needs none."""


@runtime_checkable
class Program(Protocol[OutcomeT_co]):
    """Something that runs: every `maieutic.protocols.Protocol` and every loaded graph is one.

    Attributes:
        name: What people call it.
        inputs: Names of the inputs, the needed ones mapped to True.
        cast: Its agents by name.
        compiled: The LangGraph graph.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def inputs(self) -> Mapping[str, bool]: ...  # noqa: D102

    @property
    def cast(self) -> Mapping[str, Agent]: ...  # noqa: D102

    @property
    def compiled(self) -> CompiledStateGraph[Any, Any, Any, Any]: ...  # noqa: D102

    def outcome(self, state: Mapping[str, Any], reason: str | None = None) -> OutcomeT_co:
        """The outcome of a state, finished or cut short."""
        ...

    def plan(self) -> CallPlan:
        """How many calls it makes."""
        ...


def models_of(program: Program) -> list[ModelSpec]:
    """The models of its agents; of an agent whose model is chosen for each question, all that may be."""
    return [m for a in program.cast.values() for m in (a.chooser.models if a.chooser else (a.model,))]


def simulated(program: Program) -> bool:
    """Whether any of its agents is a simulated mind."""
    return any(model.provider == "sim" for model in models_of(program))
