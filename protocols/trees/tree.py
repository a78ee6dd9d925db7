"""A tree of dialogues as plain data: every node is one turn, and the way from the root to a node is one dialogue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from maieutic.agents import view
from maieutic.errors import UsageError
from maieutic.memory import Message, Transcript, Turn
from maieutic.memory.answers import same

__all__ = ["Node", "Scores", "Tree", "child_id", "level_of", "parent_id"]

Id = str
"""A node's place: the indices of the children on the way to it, joined by dots; "" is the root."""


def child_id(parent: Id, index: int) -> Id:
    """The id of a node's child: "0.1" and 2 give "0.1.2"."""
    return f"{parent}.{index}" if parent else str(index)


def parent_id(node: Id) -> Id | None:
    """The id of a node's parent, None for the root."""
    return node.rpartition(".")[0] if node else None


def level_of(node: Id) -> int:
    """How many turns the dialogue of a node has, the question not counted: 0 for the root."""
    return node.count(".") + 1 if node else 0


@lru_cache(maxsize=65_536)
def place_of(node: Id) -> tuple[int, ...]:
    """The indices of an id, by which nodes are sorted: a parent before its children, siblings in their order.

    Raises:
        UsageError: It is no id.
    """
    parts = node.split(".") if node else []
    if not all(part.isascii() and part.isdigit() and str(int(part)) == part for part in parts):
        raise UsageError(f"{node!r} is no node of a tree; a node is written as its path, for example 0.1.2")
    return tuple(map(int, parts))


@dataclass(frozen=True, slots=True)
class Scores:
    """What a node is worth; None where it is not known.

    Attributes:
        own: Of the node alone. In PBT's tree: how many of the agents hold a right answer there.
        subtree: Of the node and everything below it, by the tree's rule. In PBT's tree: the sum of `own`.
        value: The mean of the simulations that went through it, in a tree that was searched by simulations.
        visits: How many simulations went through it.
        prior: How likely its speaker's policy found it before it was tried.
    """

    own: float | None = None
    subtree: float | None = None
    value: float | None = None
    visits: int = 0
    prior: float | None = None

    @property
    def rank(self) -> float:
        """By what a search compares nodes: `own`, 0 where it is not known."""
        return 0.0 if self.own is None else self.own

    def to_json(self) -> dict[str, float]:
        """Plain JSON; what is not known is left out."""
        known = {"own": self.own, "subtree": self.subtree, "value": self.value, "prior": self.prior}
        out: dict[str, float] = {name: score for name, score in known.items() if score is not None}
        return out | {"visits": self.visits} if self.visits else out


@dataclass(frozen=True, slots=True)
class Node:
    """One turn of a dialogue that goes on in several ways.

    Attributes:
        id: Its path from the root: "" for the root, "0.1.2" for the third reply to the second reply to the first turn.
        turn: What was said. The root's turn is the moderator's: the question.
        stance: What made this reply differ from its siblings: the label of a stance prompt or of a model; None if
            nothing did. No other agent reads it.
        sample: Which of several samples of the same request it is, from 0.
        answers: What each agent holds as its answer here, by the agent's name; None where it is not known (yet). Only
            the speaker's can differ from the parent's, but for how answers that say the same are written.
        scores: What the node is worth.
        stopped: Why the dialogue ends here ("agreed", "depth", …), or None if it goes on.
        told: The instruction that the speaker was given for this turn, its stance included; None if it is not kept.
        neutral: The same instruction without a stance, as it stands in a training record.
        address: Where in the run's journal the reply stands (see Address.local).
        calls: How many calls it took: the turn, and what was asked about it.
        notes: What a protocol adds, as plain JSON.
    """

    id: Id
    turn: Turn
    stance: str | None = None
    sample: int = 0
    answers: Mapping[str, str | None] = field(default_factory=dict)
    scores: Scores = Scores()
    stopped: str | None = None
    told: str | None = None
    neutral: str | None = None
    address: str = ""
    calls: int = 1
    notes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def level(self) -> int:
        """How many turns the dialogue has here: 0 for the root, 1 for the first turn."""
        return level_of(self.id)

    @property
    def speaker(self) -> str:
        """Who spoke."""
        return self.turn.speaker

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; fields at their default are left out."""
        out: dict[str, Any] = {"id": self.id, "turn": self.turn.to_json()}
        rest: dict[str, Any] = {
            "sample": self.sample,
            "answers": dict(self.answers),
            "scores": self.scores.to_json(),
            "address": self.address,
            "notes": dict(self.notes),
        }
        out |= {name: value for name, value in rest.items() if value}
        if self.calls != 1:
            out["calls"] = self.calls
        perhaps = {"stance": self.stance, "stopped": self.stopped, "told": self.told, "neutral": self.neutral}
        return out | {name: value for name, value in perhaps.items() if value is not None}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Node:
        """The node that `to_json` wrote."""
        given = {**raw, "turn": Turn.from_json(raw["turn"]), "scores": Scores(**raw.get("scores", {}))}
        return cls(**given)


@dataclass(frozen=True)
class Tree:
    """A tree of dialogues about one question.

    Attributes:
        question: What it is about.
        nodes: The nodes by id, a parent before its children and siblings in their order; the root's id is "".
        accepted: The right answers, any of which counts; empty where they are not known.
        agents: The names of those who speak, in the order of their seats.
        openings: Their system prompts by name.

    Raises:
        UsageError: There is no root, a node stands under another id or has no parent, or an id is no path.
    """

    question: str
    nodes: Mapping[Id, Node]
    accepted: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    openings: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ordered = {id_: self.nodes[id_] for id_ in sorted(self.nodes, key=place_of)}
        if "" not in ordered:
            raise UsageError('a tree needs a root: a node whose id is ""')
        for id_, node in ordered.items():
            if node.id != id_:
                raise UsageError(f"the node {node.id!r} stands under the id {id_!r}")
            if id_ and parent_id(id_) not in ordered:
                raise UsageError(f"the node {id_!r} has no parent {parent_id(id_)!r} in the tree")
        object.__setattr__(self, "nodes", ordered)

    @classmethod
    def of(
        cls,
        question: str,
        nodes: Iterable[Node],
        *,
        accepted: Iterable[str] = (),
        agents: Iterable[str] = (),
        openings: Mapping[str, str] | None = None,
    ) -> Tree:
        """A tree from its nodes, in any order."""
        by_id = {node.id: node for node in nodes}
        return cls(question, by_id, tuple(accepted), tuple(agents), dict(openings or {}))

    # -- where nodes stand ----------------------------------------------------------------------------------------

    @cached_property
    def _children(self) -> dict[Id, list[Node]]:
        found: dict[Id, list[Node]] = {id_: [] for id_ in self.nodes}
        for id_, node in self.nodes.items():
            parent = parent_id(id_)
            if parent is not None:
                found[parent].append(node)
        return found

    def __getitem__(self, id_: Id) -> Node:
        """The node of that id.

        Raises:
            UsageError: There is none.
        """
        if id_ not in self.nodes:
            near = id_
            while near and near not in self.nodes:
                near = parent_id(near) or ""
            below = ", ".join(child.id for child in self.children(near)) or "none"
            raise UsageError(f"the tree has no node {id_!r}; below {near or 'the root'} it has: {below}")
        return self.nodes[id_]

    def __iter__(self) -> Iterator[Node]:
        """The nodes, a parent before its children."""
        return iter(self.nodes.values())

    def __len__(self) -> int:
        """How many turns it has: the nodes without the root."""
        return len(self.nodes) - 1

    def __contains__(self, id_: object) -> bool:
        return id_ in self.nodes

    @property
    def root(self) -> Node:
        """The node of the question."""
        return self.nodes[""]

    @property
    def depth(self) -> int:
        """The turns of the longest dialogue."""
        return max(map(level_of, self.nodes))

    def children(self, id_: Id) -> tuple[Node, ...]:
        """The replies to a node, in their order."""
        return tuple(self._children[id_])

    def parent(self, id_: Id) -> Node | None:
        """The node that this one replies to; None for the root."""
        above = parent_id(id_)
        return None if above is None else self[above]

    def before(self, id_: Id) -> Node | None:
        """The speaker's own turn before this one on the way from the root (in PBT's tree the grandparent), or None."""
        for node in reversed(self.path(id_)[:-1]):
            if node.speaker == self[id_].speaker:
                return node
        return None

    def siblings(self, id_: Id) -> tuple[Node, ...]:
        """The other replies to the same node."""
        above = parent_id(id_)
        return () if above is None else tuple(node for node in self._children[above] if node.id != id_)

    def below(self, id_: Id) -> tuple[Node, ...]:
        """Every node below this one, a parent before its children."""
        start = f"{id_}." if id_ else ""
        return tuple(node for other, node in self.nodes.items() if other.startswith(start) and other != id_)

    def leaves(self) -> tuple[Node, ...]:
        """The nodes without replies."""
        return tuple(node for id_, node in self.nodes.items() if not self._children[id_])

    def path(self, id_: Id) -> tuple[Node, ...]:
        """The nodes from the root to this one, both included."""
        self[id_]
        way = [id_]
        while way[-1]:
            way.append(parent_id(way[-1]) or "")
        return tuple(self.nodes[each] for each in reversed(way))

    # -- what was said --------------------------------------------------------------------------------------------

    def transcript(self, id_: Id) -> Transcript:
        """The dialogue that ends with this node, the moderator's question first."""
        return Transcript(tuple(node.turn for node in self.path(id_)))

    def read(self, id_: Id) -> tuple[Message, ...]:
        """The messages that the speaker of a node read before it spoke, with the neutral instruction last.

        Raises:
            UsageError: It is the root, which nobody was asked for.
        """
        above = parent_id(id_)
        if above is None:
            raise UsageError("the root is the question; no agent was asked for it")
        node = self[id_]
        opening = self.openings.get(node.speaker)
        instruction = node.neutral if node.neutral is not None else node.told
        return (
            *((Message("system", opening),) if opening else ()),
            *view(self.transcript(above), node.speaker),
            *((Message("user", instruction),) if instruction else ()),
        )

    @property
    def calls(self) -> int:
        """The calls that the tree took."""
        return sum(node.calls for node in self if node.id)

    @property
    def calls_apart(self) -> int:
        """The calls that it would have taken, had every dialogue been led from its beginning."""
        return sum(node.calls for leaf in self.leaves() for node in self.path(leaf.id) if node.id)

    def right(self, answer: str | None) -> bool:
        """Whether an answer is among the accepted ones, by normal form; a missing answer is not."""
        return answer is not None and any(same(answer, each) for each in self.accepted)

    def correct(self, id_: Id) -> dict[str, bool]:
        """Who holds a right answer at a node, by agent; those whose answer is not known are left out."""
        return {name: self.right(answer) for name, answer in self[id_].answers.items() if answer is not None}

    # -- plain JSON -----------------------------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, its nodes in a flat list."""
        return {
            "question": self.question,
            "accepted": list(self.accepted),
            "agents": list(self.agents),
            "openings": dict(self.openings),
            "nodes": [node.to_json() for node in self],
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Tree:
        """The tree that `to_json` wrote.

        Raises:
            UsageError: It is no tree: see the class.
        """
        try:
            nodes = [Node.from_json(each) for each in raw["nodes"]]
            rest = {name: raw.get(name, ()) for name in ("accepted", "agents")}
            tree = cls.of(raw["question"], nodes, openings=raw.get("openings"), **rest)
        except (AttributeError, KeyError, TypeError) as error:
            raise UsageError(f"this is no tree as plain JSON: {type(error).__name__}: {error}") from error
        if len(nodes) != len(tree.nodes):
            raise UsageError("this is no tree: two nodes have the same id")
        return tree
