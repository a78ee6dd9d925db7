"""SPaR's refinement tree: a response that fails is refined after its critique, several times, and so are these.

Cheng et al., "SPaR: Self-Play with Tree-Search Refinement to Improve Instruction-Following in Large Language Models",
ICLR 2025 (arXiv 2412.11605). What differs from its code is told in docs/persuasion.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from maieutic.agents import Agent, Critic, Prompt, Reply, Verb
from maieutic.agents.replies import Review
from maieutic.memory import MODERATOR, Turn
from maieutic.protocols.base import CallPlan
from maieutic.protocols.refinement_tree.outcome import RefinementTreeOutcome
from maieutic.protocols.refinement_tree.params import RefinementTreeParams
from maieutic.protocols.together import together
from maieutic.protocols.trees.growing import Expander, node_place
from maieutic.protocols.trees.protocol import TreeProtocol, recorded
from maieutic.protocols.trees.searching import Pick, Search, Way
from maieutic.protocols.trees.tree import Node, Tree

if TYPE_CHECKING:
    from maieutic.backends.place import Place

__all__ = ["RefinementTree"]

BEAM = 2
_RESPOND = Verb("respond", needs=("question",))
_REFINE = Verb("refine", needs=("question", "answer", "problem"))


class RefinementTree(TreeProtocol[RefinementTreeParams, RefinementTreeOutcome]):
    """An actor responds, a refiner judges; the first response that fails is refined by a tree search.

    Args:
        **parameters: See RefinementTreeParams; `actor` and `refiner` are agents.

    Example:
        >>> tree = RefinementTree(actor=Agent("ann", "openai/gpt-5-nano"), refiner=Critic("rob", "openai/gpt-5-mini"))
        >>> outcome = await tree.perform("Write three lines on rain, without the letter e.")  # doctest: +SKIP
    """

    name = "refinement_tree"
    params_model = RefinementTreeParams
    outcome_model = RefinementTreeOutcome
    inputs: Mapping[str, bool] = {"question": True}  # type: ignore[misc]

    def prepare(self) -> None:
        """Give the two what they can do."""
        p = self.params
        self.cast[p.actor] = self.cast[p.actor].able(_RESPOND, _bundled("respond"))
        self.cast[p.refiner] = self.cast[p.refiner].able(_REFINE, _bundled("refine"))

    def seed(self, state: Mapping[str, Any]) -> Tree:
        """The instruction."""
        names = (self.params.actor, self.params.refiner)
        root = Node("", Turn(MODERATOR, state["question"]), calls=0)
        openings = {name: self.cast[name].opening.content for name in names}
        return Tree.of(state["question"], [root], agents=names, openings=openings)

    def expander(self, state: Mapping[str, Any]) -> Expander:
        """The actor at the root, the refiner below."""
        p = self.params
        return _Refining(p, self.cast[p.actor], cast("Critic", self.cast[p.refiner]), state["question"])

    def search(self) -> Search:
        """In which order, within which bounds."""
        search = self.params.search(calls_each=self.params.calls_each)
        return replace(search, beam=search.beam or BEAM) if search.order == "breadth" else search

    def outcome(self, state: Mapping[str, Any], reason: str | None = None) -> RefinementTreeOutcome:
        """The best response of a state, wherever the search stopped."""
        tree, ended_by = self.tree_of(state)
        known = [node for node in tree if node.id and node.scores.own is not None]
        best = max(known, key=lambda node: node.scores.rank, default=None)
        original = _first_failing(tree)
        refined = max((n for n in known if n.level > 1), key=lambda node: node.scores.rank, default=None)
        if original is not None and refined is not None and refined.scores.rank <= original.scores.rank:
            refined = None
        return RefinementTreeOutcome(
            answer=None if best is None else best.turn.content,
            reason=reason or ("limit" if best is None else "answered"),
            transcript=[recorded(node).to_json() for node in tree],
            question=tree.question,
            tree=tree,
            ended_by=ended_by,
            calls=tree.calls,
            calls_apart=tree.calls_apart,
            skipped=state.get("skipped") or [],
            original=None if original is None else original.id,
            refined=None if refined is None else refined.id,
            value=None if best is None else best.scores.own,
        )

    def plan(self) -> CallPlan:
        """The responses and their judgements at the least; a tree of failures, every try used, at the most."""
        p = self.params
        going_on, refinements = 1, 0
        for _ in range(p.turns):
            made = going_on * p.branch
            refinements += made
            going_on = min(made, self.search().beam or made)
        if p.nodes is not None:
            refinements = max(0, min(refinements, p.nodes - p.responses))
        judged = p.responses + refinements
        return CallPlan(
            {
                p.actor: (p.responses, p.responses),
                p.refiner: (p.judgements, refinements * p.tries + judged * p.judgements),
            }
        )


def _first_failing(tree: Tree) -> Node | None:
    """The first response that at most half of its judgements pass."""
    return next((n for n in tree.children("") if n.scores.own is not None and n.scores.own <= 0.5), None)


@dataclass(frozen=True, slots=True)
class _Refining:
    """Who speaks at a node; an `Expander`."""

    params: RefinementTreeParams
    actor: Agent
    refiner: Critic
    question: str

    async def ways(self, tree: Tree, node: Node, at: Place) -> Sequence[Way]:
        """The actor's responses, then the refiner's refinements."""
        if not node.id:
            return [Way(self.actor.name, sample=i) for i in range(self.params.responses)]
        return [Way(self.refiner.name, sample=i) for i in range(self.params.branch)]

    async def reply(self, tree: Tree, pick: Pick, at: Place) -> Sequence[Node]:
        """A response, or a refinement of the response above."""
        parent = tree[pick.parent]
        if not parent.id:
            reply = await self.actor.do(
                "respond",
                at,
                sample=pick.way.sample,
                temperature=self.params.temperature,
                question=self.question,
            )
            return [self._node(pick, self.actor, reply, 1, at / f"{self.actor.name}.respond")]
        return [await self._refined(parent, pick, at)]

    async def _refined(self, parent: Node, pick: Pick, at: Place) -> Node:
        """A refinement; one that is empty or changes nothing is tried again. The last try stands, whatever it is."""
        given: dict[str, Any] = {
            "question": self.question,
            "answer": parent.turn.content,
            "problem": parent.notes.get("problem", ""),
        }
        tries = 0
        while True:
            here = at / f"try{tries + 1}"
            sample = pick.way.sample * self.params.tries + tries
            reply = await self.refiner.do("refine", here, sample=sample, temperature=self.params.temperature, **given)
            tries += 1
            changed = " ".join(reply.text.split()) not in ("", " ".join(parent.turn.content.split()))
            if changed or tries == self.params.tries:
                return self._node(pick, self.refiner, reply, tries, here / f"{self.refiner.name}.refine")

    def _node(self, pick: Pick, agent: Agent, reply: Reply, calls: int, here: Place) -> Node:
        return Node(
            pick.id,
            replace(agent.turn(reply), round=pick.id.count(".") + 1),
            sample=pick.way.sample,
            address=here.address.local,
            calls=calls,
        )

    async def judged(self, tree: Tree, fresh: Sequence[Node], at: Place) -> Sequence[Node]:
        """The share of judgements that pass a response. The same words are judged once, wherever they stand."""
        known: dict[str, Node] = {}
        for node in tree:
            if node.id and node.scores.own is not None:
                known.setdefault(node.turn.content, node)
        asking: dict[str, Node] = {}
        for node in fresh:
            if node.id and node.turn.content not in known:
                asking.setdefault(node.turn.content, node)
        done = await together({node.id: self._judged(node, node_place(at, node.id)) for node in asking.values()})
        for error in done.failures.values():
            raise error
        known |= {node.turn.content: node for node in done.replies.values()}
        return [done.replies.get(node.id) or _like(node, known.get(node.turn.content)) for node in fresh]

    async def _judged(self, node: Node, at: Place) -> Node:
        given: dict[str, Any] = {"question": self.question, "answer": node.turn.content}
        heat = self.params.temperature
        done = await together(
            {
                str(i): self.refiner.do("review", at / f"judgement{i + 1}", sample=i, temperature=heat, **given)
                for i in range(self.params.judgements)
            }
        )
        for error in done.failures.values():
            raise error
        reviews = [cast("Review", reply.data) for reply in done.replies.values()]
        passed = sum(review.ok for review in reviews)
        problem = next((review.problem for review in reviews if not review.ok and review.problem.strip()), "")
        return replace(
            node,
            scores=replace(node.scores, own=passed / len(reviews)),
            calls=node.calls + len(reviews),
            notes={**node.notes, "passed": passed, "judgements": len(reviews), "problem": problem},
        )

    def ended(self, tree: Tree, node: Node) -> str | None:
        """A response that passed, or is not the first that failed, is not refined; nor is one at the last level."""
        first = _first_failing(tree)
        if node.level == 1 and (first is None or first.id != node.id):
            return "passed" if node.scores.rank > 0.5 else "left"
        return "depth" if node.level > self.params.turns else None

    def over(self, tree: Tree) -> str | None:
        """Once a refinement is good enough."""
        refined = (node.scores.rank for node in tree if node.level > 1)
        return "refined" if max(refined, default=0.0) > self.params.gate else None


def _like(node: Node, other: Node | None) -> Node:
    """A node with the judgement of another that says the same."""
    if other is None:
        return node
    return replace(node, scores=replace(node.scores, own=other.scores.own), notes={**other.notes, "as": other.id})


@cache
def _bundled(name: str) -> Prompt:
    return Prompt.load(Path(__file__).parents[1] / "prompts" / "refinement_tree" / f"{name}.md.j2")
