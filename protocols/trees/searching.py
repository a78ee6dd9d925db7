"""In which order a tree grows: what is tried next, as a pure function of the tree so far.

Nothing here depends on time: the same tree with the same parameters goes on in the same way, whoever answered first.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from maieutic.protocols.trees.tree import Id, Node, Tree, child_id, parent_id

__all__ = ["Growth", "Order", "Pick", "Search", "Way", "backed_up", "next_picks", "puct"]

Order = Literal["breadth", "depth", "best", "mcts"]
"""How a tree is searched.

- breadth: all replies of a level at once, then the next level; with a beam, only the best of each level go on.
- depth: all replies to one turn at once, then on from the best of them to the end, then from the next best.
- best: all replies to the best turn anywhere at once, by the value function.
- mcts: Monte-Carlo tree search; one reply a simulation, chosen by PUCT.
"""


@dataclass(frozen=True, slots=True)
class Way:
    """One way in which a dialogue may go on.

    Attributes:
        speaker: Who speaks.
        stance: The label of the stance prompt, of the voice or of the act, or None for the neutral one.
        sample: Which of several samples of the same request.
        voice: Whose model speaks in the speaker's place, or None for its own.
        prior: How likely a policy finds it, for PUCT; None counts as evenly.
    """

    speaker: str
    stance: str | None = None
    sample: int = 0
    voice: str | None = None
    prior: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        given = {"stance": self.stance, "voice": self.voice, "prior": self.prior, "sample": self.sample or None}
        return {"speaker": self.speaker, **{name: value for name, value in given.items() if value is not None}}


@dataclass(frozen=True, slots=True)
class Pick:
    """A reply to be made: to which node, as which of its children, in which way."""

    parent: Id
    index: int
    way: Way

    @property
    def id(self) -> Id:
        """The id that the reply will have."""
        return child_id(self.parent, self.index)


@dataclass(frozen=True, slots=True)
class Search:
    """How a tree is searched, and what bounds it.

    Attributes:
        order: See `Order`.
        beam: How many nodes of a level go on, in breadth first; None for all.
        nodes: Most turns of the tree, or None.
        calls: Most calls, those about turns included, or None. A reply is not begun that could exceed it.
        simulations: How many simulations a Monte-Carlo tree search makes.
        c: PUCT's constant: how much a prior counts against what was found.
        parallel: How many nodes are replied to at the same time, in best first and depth first.
        turns_each, calls_each: Most turns and calls that one reply takes.
    """

    order: Order = "breadth"
    beam: int | None = None
    nodes: int | None = None
    calls: int | None = None
    simulations: int = 10
    c: float = 1.0
    parallel: int = 1
    turns_each: int = 1
    calls_each: int = 1


@dataclass(frozen=True, slots=True)
class Growth:
    """A tree that grows.

    Attributes:
        tree: What there is.
        ways: For every node that was opened, how it may go on; none for an end.
        failed: Ids of replies that were tried and failed; they are not tried again.
        simulations: How many simulations were made.
        start: The node from which simulations set out.
        ended_by: What ended the growing: "complete" (nothing is left to try), "nodes", "calls", "simulations", or what
            the protocol says; None while it goes on.
    """

    tree: Tree
    ways: Mapping[Id, Sequence[Way]] = field(default_factory=dict)
    failed: Collection[Id] = ()
    simulations: int = 0
    start: Id = ""
    ended_by: str | None = None

    def left(self, id_: Id) -> list[Pick]:
        """The replies to a node that were not tried yet."""
        picks = (Pick(id_, index, way) for index, way in enumerate(self.ways.get(id_, ())))
        return [pick for pick in picks if pick.id not in self.tree and pick.id not in self.failed]

    @property
    def open(self) -> list[Node]:
        """The nodes with replies that were not tried yet."""
        return [node for node in self.tree if node.stopped is None and self._has_left(node.id)]

    def _has_left(self, id_: Id) -> bool:
        children = (child_id(id_, index) for index in range(len(self.ways.get(id_, ()))))
        return any(child not in self.tree and child not in self.failed for child in children)


def next_picks(growth: Growth, search: Search) -> tuple[Growth, list[Pick]]:
    """What is tried next, all at the same time; nothing if the growing is over, and then the growth says why."""
    if growth.ended_by is not None:
        return growth, []
    if search.order == "mcts":
        growth, picks = _simulate(growth, search)
    else:
        growth = _beamed(growth, search)
        picks = [pick for node in _front(growth, search) for pick in growth.left(node.id)]
    if growth.ended_by is None and not picks:
        growth = replace(growth, ended_by="complete")
    return _bounded(growth, search, picks)


def _bounded(growth: Growth, search: Search, picks: list[Pick]) -> tuple[Growth, list[Pick]]:
    """As many of the picks as the bounds leave room for."""
    room: list[tuple[float, str]] = [(math.inf, "")]
    if search.nodes is not None:
        room.append(((search.nodes - len(growth.tree)) // search.turns_each, "nodes"))
    if search.calls is not None:
        room.append(((search.calls - growth.tree.calls) // search.calls_each, "calls"))
    most, bound = min(room, key=lambda pair: pair[0])
    if picks and most <= 0:
        return replace(growth, ended_by=bound), []
    return growth, picks[: len(picks) if most == math.inf else int(most)]


def _beamed(growth: Growth, search: Search) -> Growth:
    """The growth with all nodes stopped that are not among the best of the level that goes on now."""
    if search.order != "breadth" or search.beam is None or not (running := _lowest(growth.open)):
        return growth
    level = running[0].level
    if any(node.level == level and growth.tree.children(node.id) for node in growth.tree):
        return growth  # a bound cut the level off in its midst; the beam was chosen already
    going_on = sorted(running, key=lambda node: -node.scores.rank)[: search.beam]
    out = {node.id for node in running} - {node.id for node in going_on}
    return with_nodes(growth, [replace(growth.tree[id_], stopped="beam") for id_ in out])


def _front(growth: Growth, search: Search) -> list[Node]:
    """The nodes that are replied to next."""
    nodes = growth.open
    if search.order == "breadth":
        return _lowest(nodes)
    deepest = search.order == "depth"
    return sorted(nodes, key=lambda node: (-node.level * deepest, -node.scores.rank))[: search.parallel]


def _lowest(nodes: Sequence[Node]) -> list[Node]:
    """Those of the level with the fewest turns."""
    level = min((node.level for node in nodes), default=0)
    return [node for node in nodes if node.level == level]


def with_nodes(growth: Growth, nodes: Sequence[Node]) -> Growth:
    """The growth with nodes added, or put in the place of those with the same ids."""
    if not nodes:
        return growth
    tree = replace(growth.tree, nodes={**growth.tree.nodes, **{node.id: node for node in nodes}})
    return replace(growth, tree=tree)


# -- Monte-Carlo tree search --------------------------------------------------------------------------------------


def puct(value: float, prior: float, visits: int, tries: int, c: float = 1.0) -> float:
    """How much a simulation wants to go a way: value + c · prior · √visits / (1 + tries).

    Args:
        value: The mean of the simulations that went that way; 0 if none did.
        prior: The policy's probability of it.
        visits: How often the node was left, by any way.
        tries: How often it was left by this one.
        c: How much the prior counts.

    Source: Silver et al., "Mastering the game of Go without human knowledge", Nature 2017.

    Example:
        >>> round(puct(0.5, 0.2, visits=9, tries=2), 6)
        0.7
    """
    return value + c * prior * math.sqrt(visits) / (1 + tries)


def _simulate(growth: Growth, search: Search) -> tuple[Growth, list[Pick]]:
    """Go down by PUCT to a way that was not tried; an end that is met on the way counts as a simulation of its own."""
    while growth.simulations < search.simulations:
        pick, end = _down(growth, search.c)
        if pick is not None:
            return growth, [pick]
        if end == growth.start:
            return replace(growth, ended_by="complete"), []
        growth = backed_up(growth, end)
    return replace(growth, ended_by="simulations"), []


def _down(growth: Growth, c: float) -> tuple[Pick | None, Id]:
    """The next way that was not tried, or else the end that was met, the start itself if nothing can be tried."""
    at = growth.start
    while True:
        at = _resting(growth, at)
        ways = [
            (Pick(at, index, way), _child(growth, at, index))
            for index, way in enumerate(growth.ways.get(at, ()))
            if child_id(at, index) not in growth.failed
        ]
        if growth.tree[at].stopped is not None or not ways:
            return None, at
        best = max(ways, key=lambda each: _wanted(each[0].way, each[1], [child for _, child in ways], c))
        if best[1] is None:
            return best[0], at
        at = best[1].id


def _resting(growth: Growth, at: Id) -> Id:
    """The node at which a choice is made: the last turn of a reply of several turns."""
    while at not in growth.ways and (children := growth.tree.children(at)):
        at = children[0].id
    return at


def _child(growth: Growth, at: Id, index: int) -> Node | None:
    return growth.tree.nodes.get(child_id(at, index))


def _wanted(way: Way, child: Node | None, all_: Sequence[Node | None], c: float) -> tuple[float, float]:
    """PUCT of a way, and its prior where PUCT cannot tell (nothing was tried yet)."""
    visits = sum(other.scores.visits for other in all_ if other is not None)
    prior = 1 / len(all_) if way.prior is None else way.prior
    value, tries = (0.0, 0) if child is None else (child.scores.value or 0.0, child.scores.visits)
    return puct(value, prior, visits, tries, c), prior


def backed_up(growth: Growth, end: Id) -> Growth:
    """The growth after a simulation that ended at a node: its own score enters the means on the way to it."""
    found = growth.tree[end].scores.rank
    changed = []
    at: Id | None = end
    while at is not None:
        node = growth.tree[at]
        visits = node.scores.visits + 1
        mean = ((node.scores.value or 0.0) * node.scores.visits + found) / visits
        changed.append(replace(node, scores=replace(node.scores, value=mean, visits=visits)))
        at = parent_id(at) if at != growth.start else None
    return replace(with_nodes(growth, changed), simulations=growth.simulations + 1)
