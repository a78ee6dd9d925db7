"""What every protocol is that grows a tree: a LangGraph graph that plants it and lets it grow, step by step."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

from maieutic.errors import UsageError
from maieutic.memory import Turn
from maieutic.protocols.base import Protocol, asked, heard
from maieutic.protocols.together import failure_to_json, raise_failure
from maieutic.protocols.trees.growing import Expander, Stepped, plant, step
from maieutic.protocols.trees.outcome import TreeOutcome
from maieutic.protocols.trees.params import TreeParams
from maieutic.protocols.trees.scoring import rescored
from maieutic.protocols.trees.searching import Growth, Search, Way
from maieutic.protocols.trees.tree import Node, Tree

if TYPE_CHECKING:
    from langgraph.graph.state import StateGraph
    from langgraph.runtime import Runtime

__all__ = ["TreeProtocol", "TreeState", "growth_from_json", "growth_to_json", "recorded", "texts"]

TreeParamsT = TypeVar("TreeParamsT", bound=TreeParams)
TreeOutcomeT = TypeVar("TreeOutcomeT", bound=TreeOutcome)


class TreeState(TypedDict, total=False):
    """The state of the graph: plain JSON. `growth` is as `growth_to_json` writes it."""

    question: str
    accepted: list[str] | str
    options: list[str]
    growth: dict[str, Any]
    skipped: list[dict[str, Any]]
    failure: dict[str, Any]


class TreeProtocol(Protocol[TreeParamsT, TreeOutcomeT]):
    """Base of the protocols that grow one tree: a subclass says what the root is, who speaks, how it is searched."""

    inputs: Mapping[str, bool] = {"question": True, "accepted": False, "options": False}  # type: ignore[misc]

    @abstractmethod
    def seed(self, state: Mapping[str, Any]) -> Tree:
        """The tree before anybody has spoken: its root alone."""

    def check(self, state: Mapping[str, Any]) -> None:
        """Refuse inputs that do not fit, before anything is asked. A subclass overrides it."""

    @abstractmethod
    def expander(self, state: Mapping[str, Any]) -> Expander:
        """Who speaks, and how."""

    def search(self) -> Search:
        """In which order, within which bounds."""
        return self.params.search()

    def build(self) -> StateGraph[Any, Any, Any, Any]:
        """Plant, then grow until it is over; "fail" raises what failed, now that what was finished is kept."""
        from langgraph.graph import END, START, StateGraph

        from maieutic.backends.place import Place

        graph = StateGraph(TreeState, context_schema=Place)
        graph.add_node("plant", self.plant)
        graph.add_node("grow", self.grow)
        graph.add_node("fail", self.fail)
        graph.add_edge(START, "plant")
        for name in ("plant", "grow"):
            graph.add_conditional_edges(name, _next, {"fail": "fail", "grow": "grow", "end": END})
        graph.add_edge("fail", END)
        return graph

    async def plant(self, state: TreeState, runtime: Runtime[Any]) -> TreeState:
        """The moderator puts the question."""
        asked(self.name, state.get("question"))
        self.check(state)
        at = self.at(runtime)
        tree = self.seed(state)
        heard(at, [tree.root.turn])
        return self._kept(state, await plant(tree, self.expander(state), at))

    async def grow(self, state: TreeState, runtime: Runtime[Any]) -> TreeState:
        """Step after step until the tree has grown by a quarter, so that the state is seldom read and written."""
        at = self.at(runtime)
        growth = growth_from_json(state["growth"])
        enough = len(growth.tree.nodes) * 5 // 4
        skipped: list[Mapping[str, Any]] = []
        while True:
            done = await step(growth, self.expander(state), self.search(), at, on_failure=self.params.on_failure)
            growth = done.growth
            skipped += done.skipped
            heard(at, [recorded(node) for node in done.fresh])
            if done.failure is not None or growth.ended_by is not None or len(growth.tree.nodes) > enough:
                return self._kept(state, replace(done, skipped=tuple(skipped)))

    def _kept(self, state: TreeState, done: Stepped) -> TreeState:
        kept: TreeState = {
            "growth": growth_to_json(done.growth),
            "skipped": [*(state.get("skipped") or []), *map(dict, done.skipped)],
        }
        return kept if done.failure is None else {**kept, "failure": failure_to_json(done.failure)}

    async def fail(self, state: TreeState) -> TreeState:
        """Raise what failed."""
        raise_failure(state["failure"])

    def tree_of(self, state: Mapping[str, Any]) -> tuple[Tree, str | None]:
        """The tree of a state, finished or not, with its sub-tree scores, and what ended its growing."""
        if not state.get("growth"):
            return self.seed({"question": "", **state}), None
        growth = growth_from_json(state["growth"])
        return rescored(growth.tree, self.params.rule), growth.ended_by


def texts(name: str, given: Any) -> list[str]:
    """An input that is a text or several, as a list; numbers are taken as they are written.

    Args:
        name: The input's name.
        given: What was given for it; None for nothing.

    Raises:
        UsageError: It is something else.
    """
    each = list(given) if isinstance(given, list | tuple) else [] if given in (None, "") else [given]
    for one in each:
        if isinstance(one, bool) or not isinstance(one, str | int | float):
            raise UsageError(f"the input {name} is a text or a list of texts, and {one!r} is none")
    return [str(one) for one in each]


def recorded(node: Node) -> Turn:
    """A node's turn as it stands in a run's transcript: its data say where in the tree and in the journal it is."""
    where = {"node": node.id, "at": node.address, "stance": node.stance}
    known = {name: value for name, value in where.items() if value}
    return replace(node.turn, data={**node.turn.data, **known}) if node.id else node.turn


def growth_to_json(growth: Growth) -> dict[str, Any]:
    """Plain JSON."""
    return {
        "tree": growth.tree.to_json(),
        "ways": {id_: [way.to_json() for way in ways] for id_, ways in growth.ways.items()},
        "failed": list(growth.failed),
        "simulations": growth.simulations,
        "start": growth.start,
        "ended_by": growth.ended_by,
    }


def growth_from_json(raw: Mapping[str, Any]) -> Growth:
    """The growth that `growth_to_json` wrote."""
    return Growth(
        tree=Tree.from_json(raw["tree"]),
        ways={id_: tuple(Way(**way) for way in ways) for id_, ways in raw["ways"].items()},
        failed=tuple(raw["failed"]),
        simulations=raw["simulations"],
        start=raw["start"],
        ended_by=raw["ended_by"],
    )


def _next(state: TreeState) -> str:
    if state.get("failure"):
        return "fail"
    return "grow" if state["growth"]["ended_by"] is None else "end"
