"""The parameters that all protocols share that grow trees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from maieutic.protocols.base import Params
from maieutic.protocols.together import OnFailure
from maieutic.protocols.trees.scoring import Rule
from maieutic.protocols.trees.searching import Order, Search

__all__ = ["TreeParams"]


class TreeParams(Params):
    """In which order a tree grows, what bounds it, and how scores rise in it."""

    order: Annotated[
        Order,
        Field(description="breadth: level by level; depth: along the best reply; best: the best node anywhere; mcts."),
    ] = "breadth"
    beam: Annotated[int | None, Field(ge=1, description="Breadth first: most nodes of a level that go on.")] = None
    nodes: Annotated[int | None, Field(ge=1, description="Most turns of the tree.")] = None
    calls: Annotated[int | None, Field(ge=1, description="Most calls for the tree; no reply is begun beyond.")] = None
    simulations: Annotated[int, Field(ge=1, description="Simulations of a Monte-Carlo tree search (mcts).")] = 10
    c: Annotated[float, Field(ge=0, description="PUCT: how much a prior counts against what was found (mcts).")] = 1.0
    parallel: Annotated[
        int, Field(ge=1, le=256, description="Nodes replied to at the same time, depth first and best first.")
    ] = 1
    rule: Annotated[
        Rule, Field(description="A sub-tree's score: sum of all in it; mean or max of its children; mean of leaves.")
    ] = "sum"
    on_failure: Annotated[
        OnFailure, Field(description="When a reply fails: everything fails, or the tree grows without it.")
    ] = "fail"

    def search(self, *, turns_each: int = 1, calls_each: int = 1) -> Search:
        """The search that they describe.

        Args:
            turns_each, calls_each: Most turns and calls that one reply takes.
        """
        return Search(
            order=self.order,
            beam=self.beam,
            nodes=self.nodes,
            calls=self.calls,
            simulations=self.simulations,
            c=self.c,
            parallel=self.parallel,
            turns_each=turns_each,
            calls_each=calls_each,
        )

    def _problems(self) -> Iterator[str]:
        if self.beam is not None and self.order != "breadth":
            yield f"beam is for order: breadth; with order: {self.order} leave it out, or bound the tree by nodes"
        set_ = self.model_fields_set
        for name in ("simulations", "c"):
            if name in set_ and self.order != "mcts":
                yield f"{name} is for order: mcts; leave it out, or search by simulations"
        if self.parallel > 1 and self.order in ("breadth", "mcts"):
            yield f"parallel is for order: depth or best; order: {self.order} needs none"
