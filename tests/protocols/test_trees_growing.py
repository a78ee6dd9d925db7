"""How trees grow: the orders, the bounds, what is shared, what fails; PUCT by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.backends import in_memory
from maieutic.backends.place import Place
from maieutic.errors import BudgetExceeded, ModelError
from maieutic.memory import MODERATOR, Turn
from maieutic.protocols.together import OnFailure
from maieutic.protocols.trees import (
    Growth,
    Node,
    Pick,
    Scores,
    Search,
    Tree,
    Way,
    compared,
    grown,
    plant,
    puct,
    rescored,
    subtree_scores,
)
from maieutic.protocols.trees.growing import Stepped
from maieutic.protocols.trees.scoring import Rule


@dataclass
class Known:
    """A tree that is known beforehand: so many replies at every turn, scores by id, and a note of every step."""

    wide: int = 2
    deep: int = 2
    worth: Mapping[str, float] = field(default_factory=dict)
    priors: Mapping[str, Sequence[float]] = field(default_factory=dict)
    failing: Mapping[str, Exception] = field(default_factory=dict)
    gate: float | None = None
    slow: frozenset[str] = frozenset()
    chain: bool = False
    asked: list[str] = field(default_factory=list)

    async def ways(self, tree: Tree, node: Node, at: Place) -> Sequence[Way]:
        priors = self.priors.get(node.id, [None] * self.wide)
        return [Way("ada", sample=i, prior=prior) for i, prior in enumerate(priors)]

    async def reply(self, tree: Tree, pick: Pick, at: Place) -> Sequence[Node]:
        self.asked.append(pick.id)
        if pick.id in self.slow:
            await asyncio.sleep(0.01)
        if pick.id in self.failing:
            raise self.failing[pick.id]
        first = Node(pick.id, Turn("ada", pick.id), sample=pick.way.sample, address=at.address.local)
        return [first, Node(f"{pick.id}.0", Turn("bo", "hm"))] if self.chain else [first]

    async def judged(self, tree: Tree, fresh: Sequence[Node], at: Place) -> Sequence[Node]:
        return [replace(n, scores=replace(n.scores, own=self.worth.get(n.id, 0.0))) for n in fresh]

    def ended(self, tree: Tree, node: Node) -> str | None:
        return "depth" if node.level >= self.deep else None

    def over(self, tree: Tree) -> str | None:
        best = max(node.scores.rank for node in tree)
        return "found" if self.gate is not None and best > self.gate else None


def seed() -> Tree:
    return Tree.of("Why?", [Node("", Turn(MODERATOR, "Why?"), calls=0)])


def grow(known: Known, search: Search, on_failure: OnFailure = "fail") -> Stepped:
    async def go() -> Stepped:
        async with in_memory() as at:
            planted = await plant(seed(), known, at)
            assert planted.failure is None
            return await grown(planted.growth, known, search, at, on_failure=on_failure)

    return asyncio.run(go())


def ids(done: Stepped) -> list[str]:
    return [node.id for node in done.growth.tree if node.id]


def test_breadth_first_makes_a_whole_level_at_once() -> None:
    known = Known(wide=2, deep=2)
    done = grow(known, Search())
    assert known.asked == ["0", "1", "0.0", "0.1", "1.0", "1.1"]
    assert done.growth.ended_by == "complete"
    assert [n.stopped for n in done.growth.tree.leaves()] == ["depth"] * 4


def test_a_beam_lets_only_the_best_of_a_level_go_on() -> None:
    known = Known(wide=3, deep=2, worth={"1": 0.5, "2": 0.9})
    done = grow(known, Search(beam=1))
    assert known.asked == ["0", "1", "2", "2.0", "2.1", "2.2"]
    assert {n.id: n.stopped for n in done.growth.tree.children("")} == {"0": "beam", "1": "beam", "2": None}


def test_depth_first_follows_the_best_reply_to_its_end_and_comes_back() -> None:
    known = Known(wide=2, deep=3, worth={"1": 1.0, "1.0": 0.2, "1.1": 0.1, "0": 0.3})
    grow(known, Search(order="depth"))
    assert known.asked[:8] == ["0", "1", "1.0", "1.1", "1.0.0", "1.0.1", "1.1.0", "1.1.1"]
    assert known.asked[8:10] == ["0.0", "0.1"]


def test_best_first_goes_on_from_the_best_node_wherever_it_is() -> None:
    worth = {"0": 0.5, "1": 0.4, "0.0": 0.1, "0.1": 0.2, "1.0": 0.9, "1.1": 0.0}
    known = Known(wide=2, deep=3, worth=worth)
    grow(known, Search(order="best", nodes=8))
    assert known.asked == ["0", "1", "0.0", "0.1", "1.0", "1.1", "1.0.0", "1.0.1"]


def test_several_nodes_can_be_replied_to_at_the_same_time() -> None:
    known = Known(wide=2, deep=2, worth={"0": 0.5, "1": 0.4})
    grow(known, Search(order="best", parallel=2))
    assert known.asked == ["0", "1", "0.0", "0.1", "1.0", "1.1"]


def test_a_tree_is_the_same_whoever_answers_first() -> None:
    slow = grow(Known(wide=3, deep=3, slow=frozenset({"0", "1.0", "0.2"})), Search())
    assert slow.growth == grow(Known(wide=3, deep=3), Search()).growth


@pytest.mark.parametrize(("bound", "word", "turns"), [({"nodes": 4}, "nodes", 4), ({"calls": 5}, "calls", 5)])
def test_bounds_hold_and_are_named(bound: dict[str, int], word: str, turns: int) -> None:
    done = grow(Known(wide=2, deep=4), Search(**bound))  # type: ignore[arg-type]
    assert len(done.growth.tree) == turns
    assert done.growth.ended_by == word


def test_no_reply_is_begun_that_could_take_more_calls_than_are_left() -> None:
    done = grow(Known(wide=2, deep=4), Search(calls=5, calls_each=2))
    assert len(done.growth.tree) == 4  # after 4 turns of 1 call there is 1 call left, and a reply may take 2


@settings(deadline=None)
@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 12), st.sampled_from(["breadth", "depth", "best", "mcts"]))
def test_no_order_exceeds_its_bound_or_leaves_a_bound_unused(wide: int, deep: int, most: int, order: Any) -> None:
    done = grow(Known(wide=wide, deep=deep), Search(order=order, nodes=most, simulations=200))
    everything = sum(wide**level for level in range(1, deep + 1))
    assert len(done.growth.tree) <= min(most, everything)
    if order != "mcts":
        assert len(done.growth.tree) == min(most, everything)


def test_the_whole_tree_ends_once_something_good_enough_is_found() -> None:
    known = Known(wide=2, deep=5, worth={"1.0": 0.6}, gate=0.5)
    done = grow(known, Search(order="depth"))
    assert done.growth.ended_by == "found"


def test_a_reply_may_take_several_turns() -> None:
    done = grow(Known(wide=2, deep=4, chain=True), Search(turns_each=2))
    assert ids(done)[:4] == ["0", "0.0", "0.0.0", "0.0.0.0"]
    assert len(done.growth.tree) == 4 + 8
    assert len(grow(Known(wide=2, deep=4, chain=True), Search(nodes=5, turns_each=2)).growth.tree) == 4


def test_what_fails_is_left_out_or_ends_everything_and_the_rest_is_kept() -> None:
    down = ModelError("down", kind="server")
    done = grow(Known(failing={"0": down}), Search(), "skip")
    assert ids(done) == ["1", "1.0", "1.1"]
    assert [(s["node"], s["agent"], s["kind"]) for s in done.skipped] == [("0", "ada", "server")]
    stopped = grow(Known(failing={"0.1": down}), Search())
    assert stopped.failure is down
    assert ids(stopped) == ["0", "0.0", "1", "1.0", "1.1"]
    everything = grow(Known(failing={"0": down, "1": down}), Search(), "skip")
    assert everything.failure is down


def test_a_spent_budget_is_never_skipped() -> None:
    spent = BudgetExceeded("spent", limit="calls")
    assert grow(Known(failing={"0.1": spent}), Search(), "skip").failure is spent


# -- Monte-Carlo tree search ------------------------------------------------------------------------------------


def test_puct_by_hand() -> None:
    assert puct(0.5, 0.2, visits=9, tries=2) == pytest.approx(0.5 + 0.2 * 3 / 3)
    assert puct(0.0, 0.7, visits=0, tries=0) == 0
    assert puct(0.0, 0.7, visits=1, tries=0) == pytest.approx(0.7)
    assert puct(-1.0, 0.5, visits=16, tries=1, c=2) == pytest.approx(-1 + 2 * 0.5 * 4 / 2)


def test_simulations_go_where_puct_says() -> None:
    """Two acts at the root, priors 0.6 and 0.4, worth 0.1 and 0.8; one act below each.

    1. Nothing was tried: the prior decides: 0 (0.1).
    2. 0: 0.1 + 0.6·1/2 = 0.4;  1: 0.4·1/1 = 0.4: equal, and the prior decides: 0; below it 0.0 (0.0): Q(0) = 0.05.
    3. 0: 0.05 + 0.6·√2/3 = 0.33;  1: 0.4·√2 = 0.57: 1 (0.8).
    4. 0: 0.05 + 0.6·√3/3 = 0.40;  1: 0.8 + 0.4·√3/2 = 1.15: 1, below it 1.0 (0.6): Q(1) = 0.7.
    5. 1 again, and its end 1.0 again, without a call: Q(1) = (0.8 + 0.6 + 0.6) / 3.
    """
    known = Known(
        deep=2, worth={"0": 0.1, "0.0": 0.0, "1": 0.8, "1.0": 0.6}, priors={"": (0.6, 0.4), "0": [1], "1": [1]}
    )
    done = grow(known, Search(order="mcts", simulations=5))
    assert known.asked == ["0", "0.0", "1", "1.0"]
    scores = {node.id: node.scores for node in done.growth.tree}
    assert scores["0"].visits == 2
    assert scores["0"].value == pytest.approx(0.05)
    assert scores["1"].visits == 3
    assert scores["1"].value == pytest.approx(2.0 / 3)
    assert scores["1.0"].visits == 2
    assert scores["1.0"].value == pytest.approx(0.6)
    assert scores[""].visits == 5
    assert scores[""].value == pytest.approx((0.1 + 2.0) / 5)
    assert done.growth.ended_by == "simulations"


def test_a_search_by_simulations_prefers_the_better_side() -> None:
    known = Known(wide=2, deep=3, worth={"1": 0.5, "1.1": 1.0, "1.1.0": 1.0})
    done = grow(known, Search(order="mcts", simulations=40))
    one, other = done.growth.tree.children("")
    assert other.scores.visits > 3 * one.scores.visits


# -- scores --------------------------------------------------------------------------------------------------------


def scored_tree(worth: Mapping[str, float]) -> Tree:
    return Tree.of("", [Node(i, Turn("ada", i), scores=Scores(own=own)) for i, own in worth.items()])


HAND = {"": 0.0, "0": 1.0, "0.0": 2.0, "0.1": 0.0, "0.1.0": 1.0, "1": 2.0}


@pytest.mark.parametrize(
    ("rule", "scores"),
    [
        ("sum", {"": 6, "0": 4, "0.0": 2, "0.1": 1, "0.1.0": 1, "1": 2}),
        ("max", {"": 2, "0": 2, "0.0": 2, "0.1": 1, "0.1.0": 1, "1": 2}),
        ("mean", {"": 1.75, "0": 1.5, "0.0": 2, "0.1": 1, "0.1.0": 1, "1": 2}),
        ("leaves", {"": 5 / 3, "0": 1.5, "0.0": 2, "0.1": 1, "0.1.0": 1, "1": 2}),
    ],
)
def test_scores_rise_from_the_leaves(rule: Any, scores: dict[str, float]) -> None:
    assert subtree_scores(scored_tree(HAND), rule) == pytest.approx(scores)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["0", "0.0", "0.1", "0.0.0", "1", "1.0"]), st.floats(0, 2)))
def test_sums_are_sums_and_means_lie_between(own: dict[str, float]) -> None:
    worth = {i: own.get(i, 0.0) for i in ("", "0", "0.0", "0.1", "0.0.0", "1", "1.0")}
    tree = scored_tree(worth)
    sums = subtree_scores(tree, "sum")
    for node in tree:
        assert sums[node.id] == pytest.approx(worth[node.id] + sum(worth[below.id] for below in tree.below(node.id)))
    leaves = [worth[leaf.id] for leaf in tree.leaves()]
    assert subtree_scores(tree, "max")[""] == max(leaves)
    rules: list[Rule] = ["mean", "leaves"]
    for rule in rules:
        assert min(leaves) - 1e-9 <= subtree_scores(tree, rule)[""] <= max(leaves) + 1e-9


def test_siblings_are_compared_by_their_sub_trees() -> None:
    pairs = {(p.better.id, p.worse.id): p.gap for p in compared(rescored(scored_tree(HAND), "sum"))}
    assert pairs == {("0", "1"): 0.5, ("0.0", "0.1"): 0.5}
    level = rescored(scored_tree({"": 0, "0": -1.0, "1": 0.0, "2": 0.0}), "sum")
    assert [p.gap for p in compared(level)] == [1.0, 1.0, 0.0]


def test_a_growth_that_is_over_stays_over() -> None:
    growth = Growth(seed(), ended_by="nodes")

    async def go() -> Stepped:
        async with in_memory() as at:
            return await grown(growth, Known(), Search(), at, on_failure="fail")

    assert asyncio.run(go()).growth == growth
