"""How a tree grows: a step picks replies, has them made at the same time, judges them, and opens what goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from maieutic.errors import MaieuticError
from maieutic.protocols.together import Acted, OnFailure, kind_of, together
from maieutic.protocols.trees.searching import Growth, Pick, Search, Way, backed_up, next_picks, with_nodes
from maieutic.protocols.trees.tree import Id, Node, Tree

if TYPE_CHECKING:
    from maieutic.backends.place import Place

__all__ = ["Expander", "Stepped", "grown", "node_place", "plant", "step"]


class Expander(Protocol):
    """What a protocol that grows trees says about its turns. Everything else is common to all of them."""

    async def ways(self, tree: Tree, node: Node, at: Place) -> Sequence[Way]:
        """How the dialogue may go on from a node, in order; empty if it may not.

        It is asked once for every node that has not ended.
        """
        ...

    async def reply(self, tree: Tree, pick: Pick, at: Place) -> Sequence[Node]:
        """Make one reply: the node `pick.id`, or a chain of nodes that begins with it, each the child 0 of the last.

        Everything that it asks stands at `at` or below it, so that the reply is paid for once whatever follows it.
        """
        ...

    async def judged(self, tree: Tree, fresh: Sequence[Node], at: Place) -> Sequence[Node]:
        """The fresh nodes (ends of replies; the tree holds them) with `scores.own`, as far as they have one.

        Calls about a node belong below `node_place(at, node.id)`.
        """
        ...

    def ended(self, tree: Tree, node: Node) -> str | None:
        """Why the dialogue ends at a node, in a word, or None if it goes on."""
        ...

    def over(self, tree: Tree) -> str | None:
        """Why the whole tree is finished, in a word, or None."""
        ...


def node_place(at: Place, id_: Id) -> Place:
    """Where everything that is asked for a node stands, in the journal too: by its id, below the tree's place."""
    return at / (id_ or "root")


@dataclass(frozen=True, slots=True)
class Stepped:
    """What a step came to.

    Attributes:
        growth: The tree after it.
        fresh: The nodes that it added.
        failure: The error that ends the growing, or None; what was finished beside it is in the growth.
        skipped: Replies that failed and were left out: node, agent, stance, kind, error.
    """

    growth: Growth
    fresh: tuple[Node, ...] = ()
    failure: MaieuticError | None = None
    skipped: tuple[Mapping[str, Any], ...] = ()


async def plant(tree: Tree, expander: Expander, at: Place) -> Stepped:
    """The growth of a tree that has not begun to grow: its root is judged and opened."""
    return await _settled(Growth(tree), tuple(tree), expander, at)


async def step(growth: Growth, expander: Expander, search: Search, at: Place, *, on_failure: OnFailure) -> Stepped:
    """One step: everything that is tried at the same time.

    Args:
        growth: What there is.
        expander: Who speaks, and how.
        search: In which order, within which bounds.
        at: The tree's place.
        on_failure: Whether a reply that fails ends everything, or is left out.
    """
    growth, picks = next_picks(growth, search)
    if not picks:
        return Stepped(growth)
    acted = await together({p.id: expander.reply(growth.tree, p, node_place(at, p.id)) for p in picks})
    skipped = tuple(_skip(pick, acted.failures[pick.id]) for pick in picks if pick.id in acted.failures)
    failed = [*growth.failed, *acted.failures]
    growth = with_nodes(growth, [node for nodes in acted.replies.values() for node in nodes])
    fresh = tuple(growth.tree[node.id] for nodes in acted.replies.values() for node in nodes)
    ends = [nodes[-1] for nodes in acted.replies.values()]
    fatal = acted.fatal(on_failure, others=len(growth.tree) > 0)
    if fatal is not None:
        return Stepped(growth, fresh, fatal)
    done = await _settled(replace(growth, failed=tuple(failed)), ends, expander, at)
    growth = done.growth
    if search.order == "mcts" and done.failure is None:
        for end in ends:
            growth = backed_up(growth, end.id)
    fresh = tuple(growth.tree[node.id] for node in fresh)
    return Stepped(growth, fresh, done.failure, skipped)


async def _settled(growth: Growth, ends: Sequence[Node], expander: Expander, at: Place) -> Stepped:
    """The growth with the ends of fresh replies judged, stopped where the dialogue is over, and opened where not."""
    try:
        judged = await expander.judged(growth.tree, ends, at)
    except MaieuticError as error:
        return Stepped(growth, tuple(ends), error)
    growth = with_nodes(growth, judged)
    stopped = [replace(node, stopped=why) for node in judged if (why := expander.ended(growth.tree, node)) is not None]
    growth = with_nodes(growth, stopped)
    if (over := expander.over(growth.tree)) is not None:
        return Stepped(replace(growth, ended_by=over), tuple(judged))
    going_on = [node for node in judged if growth.tree[node.id].stopped is None]
    opened: Acted[Sequence[Way]] = await together(
        {node.id: expander.ways(growth.tree, node, node_place(at, node.id)) for node in going_on}
    )
    growth = replace(growth, ways={**growth.ways, **opened.replies})
    failure = next(iter(opened.failures.values()), None)
    return Stepped(growth, tuple(judged), failure)


def _skip(pick: Pick, error: MaieuticError) -> dict[str, Any]:
    who = {"node": pick.id, "agent": pick.way.speaker, "stance": pick.way.stance, "act": f"reply at {pick.id}"}
    return {**who, "kind": kind_of(error), "error": str(error)}


async def grown(growth: Growth, expander: Expander, search: Search, at: Place, *, on_failure: OnFailure) -> Stepped:
    """Step until the growing is over or fails; `fresh` are all nodes that were added."""
    fresh: list[Node] = []
    skipped: list[Mapping[str, Any]] = []
    while True:
        done = await step(growth, expander, search, at, on_failure=on_failure)
        growth = done.growth
        fresh += done.fresh
        skipped += done.skipped
        if done.failure is not None or growth.ended_by is not None:
            return Stepped(growth, tuple(growth.tree[node.id] for node in fresh), done.failure, tuple(skipped))
