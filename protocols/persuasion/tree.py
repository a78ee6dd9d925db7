"""PBT's dialogue trees: two agents talk, and every turn is spoken in several stances.

Stengel-Eskin, Hase and Bansal, "Teaching Models to Balance Resisting and Accepting Persuasion", NAACL 2025 (arXiv
2410.14596), section 3. What differs from its code is told in docs/persuasion.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maieutic.agents import Agent, Prompt, Verb
from maieutic.errors import UsageError
from maieutic.memory import MODERATOR, Turn
from maieutic.memory.answers import Answers, same
from maieutic.protocols.base import CallPlan
from maieutic.protocols.persuasion.tree_confidence import with_confidence
from maieutic.protocols.persuasion.tree_params import APPEALS, NEUTRAL, STANCES, PersuasionTreeParams
from maieutic.protocols.persuasion.tree_plan import tree_plan
from maieutic.protocols.persuasion.tree_turns import Speaking, judge_nodes
from maieutic.protocols.trees.growing import Expander
from maieutic.protocols.trees.outcome import TreeOutcome, most_held
from maieutic.protocols.trees.protocol import TreeProtocol, recorded, texts
from maieutic.protocols.trees.searching import Pick, Search, Way
from maieutic.protocols.trees.tree import Node, Tree
from maieutic.protocols.weighing import with_weighing

if TYPE_CHECKING:
    from maieutic.backends.place import Place

__all__ = ["PersuasionTree", "PersuasionTreeOutcome"]

_TURN = Verb("turn", needs=("partners", "stance", "line", "options"), kind="say")


class PersuasionTreeOutcome(TreeOutcome):
    """What a tree of dialogues came to; its answer is the one that is held most often at the ends of its dialogues.

    Attributes:
        question, options: What it was about.
        held: How often each answer is held at the ends of the dialogues, the most first.
    """

    question: str = ""
    options: list[str] = []  # noqa: RUF012 - pydantic copies defaults
    held: dict[str, int] = {}  # noqa: RUF012


class PersuasionTree(TreeProtocol[PersuasionTreeParams, PersuasionTreeOutcome]):
    """Agents talk about a question, and every turn is spoken in several stances, each of which is gone on from.

    Inputs: `question`; `accepted`, the right answers (without them nobody is right); `options`.

    Args:
        debaters: Two or more agents, in the order in which they speak. An agent of another role is cast as a debater.
        voices: Further agents whose models speak every turn too.
        extractor, judge, confidence: See PersuasionTreeParams.
        **params: See PersuasionTreeParams.

    Raises:
        UsageError: The parameters do not fit together.

    Example:
        >>> ada, bo = Debater("Ada", "sim/debater"), Debater("Bo", "sim/debater")
        >>> tree = PersuasionTree([ada, bo])
        >>> outcome = await tree.perform("Where did whales come from?", accepted=["land"])  # doctest: +SKIP
    """

    name = "persuasion_tree"
    params_model = PersuasionTreeParams
    outcome_model = PersuasionTreeOutcome

    def __init__(
        self,
        debaters: Sequence[Agent],
        *,
        voices: Sequence[Agent] = (),
        extractor: Agent | None = None,
        judge: Agent | None = None,
        confidence: Agent | None = None,
        **params: Any,
    ) -> None:
        readers = {"extractor": extractor, "judge": judge, "confidence": confidence}
        super().__init__(debaters=list(debaters), voices=list(voices), **readers, **params)

    def prepare(self) -> None:
        """Give the debaters the turn that they take; read the stances' prompts."""
        for name in [*self.params.debaters, *self.params.voices]:
            self.cast[name] = self.cast[name].able(_TURN, _bundled("turn"))
        reader = self.params.confidence
        if reader is not None and (model := self.cast[reader].model).provider in ("sim", "person"):
            raise UsageError(
                f"persuasion_tree: confidence asks {reader!r} for probabilities, and {model.model} has none; name an "
                "agent with a language model"
            )
        self.prompts = {label: _bundled(label) for label in (*APPEALS, *STANCES)}
        self.prompts |= {label: Prompt(text, f"prompts: {label}") for label, text in self.params.prompts.items()}

    def check(self, state: Mapping[str, Any]) -> None:
        """Answers and options are texts, and a right one can be given; a search by right answers needs them."""
        accepted, options = (texts(name, state.get(name)) for name in ("accepted", "options"))
        if accepted and options and not any(same(right, option) for right in accepted for option in options):
            raise UsageError(
                f"persuasion_tree: nobody can be right: of the accepted answers ({', '.join(accepted)}) none is among "
                f"the options ({', '.join(options)})"
            )
        p = self.params
        if p.score == "correct" and not accepted and (p.order in ("best", "mcts") or p.beam):
            raise UsageError(
                f"persuasion_tree: {'a beam' if p.beam else f'order: {p.order}'} needs scores, and without the input "
                "accepted nobody is right; give accepted, or set score to judge or agreement"
            )

    def seed(self, state: Mapping[str, Any]) -> Tree:
        """The question."""
        names = self.params.debaters
        options = texts("options", state.get("options"))
        words = _bundled("question").render({"question": state["question"], "options": options, "debaters": names})
        return Tree.of(
            state["question"],
            [Node("", Turn(MODERATOR, words), answers=dict.fromkeys(names), calls=0)],
            accepted=texts("accepted", state.get("accepted")),
            agents=names,
            openings={name: self.cast[name].opening.content for name in names},
        )

    def expander(self, state: Mapping[str, Any]) -> Expander:
        """The debaters, in their stances."""
        return _Dialogue(self, state["question"], tuple(texts("options", state.get("options"))))

    def search(self) -> Search:
        """In which order, within which bounds."""
        orders = [agent.balance.orders for agent in self.cast.values() if agent.balance is not None]
        weighings = max(orders, default=0) * (2 if self.params.answers == "position" else 1)
        return self.params.search(calls_each=self.params.calls_each + weighings)

    def outcome(self, state: Mapping[str, Any], reason: str | None = None) -> PersuasionTreeOutcome:
        """What a state has come to, wherever the growing stopped."""
        tree, ended_by = self.tree_of(state)
        answers = Answers(texts("options", state.get("options")))
        answer, held = most_held(tree, answers.options)
        agreed = all(leaf.stopped == "agreed" for leaf in tree.leaves())
        return PersuasionTreeOutcome(
            answer=answer,
            reason=reason or ("limit" if answer is None else "agreed" if agreed else "answered"),
            transcript=[recorded(node).to_json() for node in tree],
            question=tree.question,
            options=list(answers.options),
            tree=tree,
            ended_by=ended_by,
            calls=tree.calls,
            calls_apart=tree.calls_apart,
            skipped=state.get("skipped") or [],
            held=dict(held),
        )

    def plan(self) -> CallPlan:
        """The fewest and the most calls of each agent."""
        return with_weighing(tree_plan(self.params), self.cast.values())

    def voiced(self, name: str, voice: str | None) -> Agent:
        """A debater who speaks with its own model, or with that of another agent."""
        agent = self.cast[name]
        if voice is None:
            return agent
        other = copy(agent)
        other.model, other.chooser = self.cast[voice].model, self.cast[voice].chooser
        return other

    def instruction(self, label: str | None, speaker: str, question: str, options: Sequence[str]) -> str:
        """What a stance tells its speaker; empty for the neutral one."""
        if label is None:
            return ""
        given = {"partners": self.partners(speaker), "name": speaker, "question": question, "options": list(options)}
        return self.prompts[label].render(given)

    def partners(self, speaker: str) -> str:
        """The other debaters, in words."""
        return " and ".join(name for name in self.params.debaters if name != speaker)


@dataclass(frozen=True, slots=True)
class _Dialogue:
    """Who speaks at a node, in which stances; an `Expander`."""

    protocol: PersuasionTree
    question: str
    options: tuple[str, ...]

    @property
    def _params(self) -> PersuasionTreeParams:
        return self.protocol.params

    async def ways(self, tree: Tree, node: Node, at: Place) -> Sequence[Way]:
        """Every stance, in every voice, as often as it is sampled."""
        p = self._params
        speaker = p.debaters[node.level % len(p.debaters)]
        return [
            Way(speaker, stance, sample, voice)
            for stance in (None if label == NEUTRAL else label for label in self._stances(node, speaker, at))
            for voice in (None, *p.voices_of(speaker))
            for sample in range(p.samples)
        ]

    def _stances(self, node: Node, speaker: str, at: Place) -> Sequence[str | None]:
        p = self._params
        if node.id:
            return p.stances_of(speaker if p.branch_by == "speaker" else node.speaker) or [None]
        if p.first != "drawn":
            return [p.first]
        sets = [labels for name in p.debaters if (labels := p.stances_of(name))]
        return [at.rng().choice(sets)[0]] if sets else [None]

    async def reply(self, tree: Tree, pick: Pick, at: Place) -> Sequence[Node]:
        """One turn, and the answer that its speaker holds with it."""
        p, way = self._params, pick.way
        stance = self.protocol.instruction(way.stance, way.speaker, self.question, self.options)
        speaking = Speaking(
            agent=self.protocol.voiced(way.speaker, way.voice),
            others=tuple(name for name in p.debaters if name != way.speaker),
            partners=self.protocol.partners(way.speaker),
            stance=stance,
            options=self.options,
            question=self.question,
            extractor=self.protocol.cast[p.extractor] if p.extractor else None,
        )
        return [await speaking.turn(tree, pick, p, at)]

    async def judged(self, tree: Tree, fresh: Sequence[Node], at: Place) -> Sequence[Node]:
        """How many hold a right answer, or as a judge finds, or how many hold the same; and how sure it sounds."""
        p, cast = self._params, self.protocol.cast
        if p.score == "judge":
            fresh = await judge_nodes(cast[p.judge or ""], tree, fresh, self.options, at)
        else:
            score = self._right if p.score == "correct" else self._agreement
            fresh = [replace(node, scores=replace(node.scores, own=score(tree, node))) for node in fresh]
        return await with_confidence(cast[p.confidence], tree, fresh, at) if p.confidence else fresh

    def _right(self, tree: Tree, node: Node) -> float:
        return float(sum(tree.correct(node.id).values()))

    def _agreement(self, tree: Tree, node: Node) -> float:
        held = [answer for answer in node.answers.values() if answer is not None]
        groups = [sum(same(one, other) for other in held) for one in held]
        return max(groups, default=0) / len(node.answers)

    def ended(self, tree: Tree, node: Node) -> str | None:
        """ "agreed" if all hold the same answer, "depth" after the last turn."""
        held = [answer for answer in node.answers.values() if answer is not None]
        told = self._params.stop == "agreement" and len(held) == len(node.answers)
        if told and all(same(held[0], other) for other in held[1:]):
            return "agreed"
        return "depth" if node.level >= self._params.turns else None

    def over(self, tree: Tree) -> str | None:
        """It grows as long as anything is left to say."""
        return None


@cache
def _bundled(name: str) -> Prompt:
    return Prompt.load(Path(__file__).parents[1] / "prompts" / "persuasion_tree" / f"{name}.md.j2")
