"""The parameters of a refinement tree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from maieutic.protocols.base import Plays
from maieutic.protocols.trees.params import TreeParams
from maieutic.protocols.trees.scoring import Rule
from maieutic.protocols.trees.searching import Order

__all__ = ["RefinementTreeParams"]


class RefinementTreeParams(TreeParams):
    """The parameters of a refinement tree. The defaults are SPaR's (ICLR 2025) where it has one."""

    actor: Annotated[str, Plays("agent"), Field(description="Who responds to the instruction.")]
    refiner: Annotated[str, Plays("critic"), Field(description="Who judges responses and refines them.")]
    responses: Annotated[int, Field(ge=1, le=100, description="How many responses the actor gives.")] = 5
    judgements: Annotated[
        int, Field(ge=1, le=100, description="How often a response is judged; its value is the share that passes it.")
    ] = 5
    branch: Annotated[int, Field(ge=1, le=100, description="Refinements of one response.")] = 3
    turns: Annotated[int, Field(ge=1, le=50, description="Most refinements one after the other.")] = 3
    tries: Annotated[
        int, Field(ge=1, le=20, description="Most tries for a refinement that is not empty and not what it was before.")
    ] = 3
    gate: Annotated[float, Field(ge=0, lt=1, description="The search ends once a refinement's value exceeds it.")] = 0.5
    temperature: Annotated[
        float | None, Field(ge=0, le=2, description="Of responses, judgements and refinements; left out: the model's.")
    ] = 0.7
    order: Annotated[Order, Field(description="breadth (as SPaR's script), depth (as its class), best or mcts.")] = (
        "breadth"
    )
    beam: Annotated[
        int | None, Field(ge=1, description="Breadth first: most nodes of a level that go on; left out: 2.")
    ] = None
    nodes: Annotated[int | None, Field(ge=1, description="Most turns of the tree.")] = 1000
    rule: Annotated[Rule, Field(description="A sub-tree's score; max is its best response.")] = "max"

    @property
    def calls_each(self) -> int:
        """Most calls that one reply takes: its tries, and its judgements."""
        return self.tries + self.judgements

    def _problems(self) -> Iterator[str]:
        yield from super()._problems()
        if self.actor == self.refiner:
            yield f"actor and refiner are both {self.actor!r}; give them two agents (they may have the same model)"
