"""Evaluations over many items: every item is its own dialogue, all of them at once, and a failure keeps the others."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from maieutic.agents import Agent, Prompt, Reply
from maieutic.errors import MaieuticError
from maieutic.memory import Turn
from maieutic.protocols.base import OutcomeT, ParamsT, Protocol
from maieutic.protocols.together import Acted, OnFailure, failure_to_json, kind_of, raise_failure, together

if TYPE_CHECKING:
    from langgraph.graph.state import StateGraph
    from langgraph.runtime import Runtime

    from maieutic.backends.place import Place

__all__ = [
    "UNASKED",
    "Done",
    "OverItems",
    "State",
    "calls_in",
    "marked",
    "plain",
    "prompt",
    "reason_for",
    "replied",
    "weighing_of",
]


class State(TypedDict, total=False):
    """The state of the graph: plain JSON.

    Attributes:
        question: Not used; every item has its own.
        records: What was measured, an entry an item (or more), in the order of the items.
        turns: The transcript of all dialogues, one after the other.
        skipped: Items that failed and were left out.
        failure: The error that ends the run, kept so that what was finished beside it is kept too.
    """

    question: str
    records: list[dict[str, Any]]
    turns: list[dict[str, Any]]
    skipped: list[dict[str, Any]]
    failure: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Done:
    """What came of one item.

    Attributes:
        records: What was measured, as plain JSON.
        turns: What was said, as plain JSON (see `plain`).
        failure: The first failure, where a part of the item failed and the rest is kept.
    """

    records: Sequence[dict[str, Any]]
    turns: Sequence[dict[str, Any]]
    failure: MaieuticError | None = None


class OverItems(Protocol[ParamsT, OutcomeT]):
    """A protocol that does the same with every item. A subclass writes `acts`, `outcome` and `plan`.

    Its parameters have `on_failure`: whether an item's failure ends everything, or the item is left out.
    """

    inputs = {"question": False}  # noqa: RUF012

    @abstractmethod
    def acts(self, at: Place) -> dict[str, Coroutine[Any, Any, Done]]:
        """What is to be done for each item, by its id; `at` is where the items stand."""

    @property
    @abstractmethod
    def on_failure(self) -> OnFailure:
        """What the failure of one item means."""

    def build(self) -> StateGraph[Any, Any, Any, Any]:
        """One node in which all items are done at once, and one that raises what failed."""
        from langgraph.graph import END, START, StateGraph

        from maieutic.backends.place import Place

        graph = StateGraph(State, context_schema=Place)
        graph.add_node("items", self.items)
        graph.add_node("fail", self.fail)
        graph.add_edge(START, "items")
        graph.add_conditional_edges("items", lambda s: "fail" if s.get("failure") else END, ["fail", END])
        graph.add_edge("fail", END)
        return graph

    async def items(self, state: State, runtime: Runtime[Any]) -> State:
        """Every item at the same time; inside an item one thing follows the other."""
        done = await together(self.acts(self.at(runtime) / "items"))
        parts = {item: one.failure for item, one in done.replies.items() if one.failure is not None}
        failures = {**done.failures, **parts}
        fatal = Acted({item: one for item, one in done.replies.items() if one.records}, failures).fatal(self.on_failure)
        return {
            "records": [record for one in done.replies.values() for record in one.records],
            "turns": [turn for one in done.replies.values() for turn in one.turns],
            "skipped": [_skipped(item, error) for item, error in failures.items()] if fatal is None else [],
            "failure": None if fatal is None else failure_to_json(fatal),
        }

    async def fail(self, state: State) -> State:
        """Raise what failed, now that what was finished is kept."""
        raise_failure(state["failure"] or {})


def _skipped(item: str, error: MaieuticError) -> dict[str, Any]:
    return {"item": item, "agent": f"item {item}", "act": "be finished", "kind": kind_of(error), "error": str(error)}


def marked(turn: Turn, **marks: Any) -> Turn:
    """The turn, marked as part of one dialogue: the item's id and whatever else tells dialogues apart."""
    return replace(turn, data={**turn.data, **{name: mark for name, mark in marks.items() if mark is not None}})


UNASKED = {"asked": 0, "at": ""}
"""The marks of a turn behind which no model's reply stands: the moderator's words, or those that users bring."""


def calls_in(turns: Sequence[Mapping[str, Any]]) -> int:
    """How many replies stand behind these turns: behind a probe as many as it was asked, and all that was weighed."""
    data = [turn.get("data", {}) for turn in turns]
    return sum(int(each.get("asked", 1)) + int(each.get("weighed", {}).get("calls", 0)) for each in data)


def weighing_of(agent: Agent, reply: Reply) -> dict[str, Any]:
    """What a balanced agent weighed before it replied, as its turn keeps it; empty where it weighed nothing."""
    data = agent.turn(reply).data
    return {"weighed": data["weighed"]} if "weighed" in data else {}


def replied(turn: Turn, at: Place, verb: str) -> Turn:
    """The turn, marked with the address of the reply behind it: in many dialogues many say the same."""
    return marked(turn, at=(at / f"{turn.speaker}.{verb}").address.local)


def plain(*turns: Turn) -> list[dict[str, Any]]:
    """Turns as the state keeps them. Nobody is told of them as they come: hundreds of dialogues at once are no news."""
    return [turn.to_json() for turn in turns]


def reason_for(state: Mapping[str, Any], reason: str | None) -> str:
    """Why it ended: as the run says, else whether the items were done at all."""
    return reason or ("answered" if "records" in state else "stopped")


@cache
def prompt(name: str) -> Prompt:
    """A prompt of these evaluations."""
    return Prompt.load(Path(__file__).parents[1] / "prompts" / "persuasion" / f"{name}.md.j2")
