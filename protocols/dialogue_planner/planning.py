"""What is tried out before a turn: acts, what the user might reply to them, and how that would be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

from pydantic import BaseModel, Field

from maieutic.agents import Agent, Prompt, Verb
from maieutic.memory import Turn
from maieutic.protocols.dialogue_planner.params import DialoguePlannerParams, Standing
from maieutic.protocols.together import together
from maieutic.protocols.trees.growing import node_place
from maieutic.protocols.trees.searching import Pick, Way
from maieutic.protocols.trees.tree import Id, Node, Tree, child_id

if TYPE_CHECKING:
    from maieutic.backends.place import Place

__all__ = ["ACT", "ASSESS", "REPLY", "Assessment", "Speakers", "bundled"]

ACT = Verb("act", needs=("partner", "how"))
REPLY = Verb("reply", needs=("partner", "imagined"))
_MEANINGS: Mapping[Standing, str] = {
    "worse": "it is worse than before",
    "same": "nothing has changed",
    "better": "it is better than before, and the goal is not reached yet",
    "solved": "the goal is reached",
}


class Assessment(BaseModel):
    """Where a dialogue stands."""

    reason: Annotated[str, Field(description="Why, in one sentence.")]
    standing: Annotated[Standing, Field(description="Where the dialogue stands.")]


ASSESS = Verb("assess", needs=("goal", "verdicts"), output=Assessment, kind="probe")


@dataclass(frozen=True, slots=True)
class Speakers:
    """Who takes part in a planned dialogue; an `Expander` of what is tried out.

    Attributes:
        params: The protocol's parameters.
        system, user, imagined, policy, critic: The agents.
    """

    params: DialoguePlannerParams
    system: Agent
    user: Agent
    imagined: Agent
    policy: Agent
    critic: Agent

    async def ways(self, tree: Tree, node: Node, at: Place) -> Sequence[Way]:
        """Every act, with the policy's probability of it."""
        acts = list(self.params.acts)
        if len(acts) == 1:
            return [Way(self.system.name, acts[0], prior=1.0)]
        given = {"system": self.system.name, "acts": self.params.acts}
        found = await self.policy.weigh(
            acts, bundled("policy").render(given), at, tree.transcript(node.id), samples=self.params.samples
        )
        return [Way(self.system.name, act, prior=found.probabilities[act]) for act in acts]

    async def reply(self, tree: Tree, pick: Pick, at: Place) -> Sequence[Node]:
        """One act, and what the user might reply to it."""
        said = await self.act(tree, pick, at)
        grown = replace(tree, nodes={**tree.nodes, said.id: said})
        id_ = child_id(said.id, 0)
        return [said, await self.answer(grown, said.id, id_, self.imagined, node_place(_above(at), id_))]

    async def act(self, tree: Tree, pick: Pick, at: Place) -> Node:
        """What the system says in an act."""
        stance = pick.way.stance or ""
        given: dict[str, Any] = {"partner": self.user.name, "how": self.params.acts[stance]}
        reply = await self.system.do("act", at, tree.transcript(pick.parent), **given)
        turn = replace(self.system.turn(reply), round=_turn_of(pick.id))
        address = (at / f"{self.system.name}.act").address.local
        return Node(pick.id, turn, stance=stance, address=address)

    async def answer(self, tree: Tree, parent: Id, id_: Id, speaker: Agent, at: Place) -> Node:
        """What the user says, or might say where another agent speaks for it."""
        imagined = "" if speaker.name == self.user.name else self.user.name
        given: dict[str, Any] = {"partner": self.system.name, "imagined": imagined}
        reply = await speaker.do("reply", at, _as_read_by(tree, parent, speaker.name, self.user.name), **given)
        turn = Turn(self.user.name, reply.text, round=_turn_of(id_))
        return Node(id_, turn, address=(at / f"{speaker.name}.reply").address.local)

    async def judged(self, tree: Tree, fresh: Sequence[Node], at: Place) -> Sequence[Node]:
        """The reward of each user's reply."""
        replies = [node for node in fresh if node.id]
        done = await together({node.id: self._judged(tree, node, node_place(at, node.id)) for node in replies})
        for error in done.failures.values():
            raise error
        return [done.replies.get(node.id, node) for node in fresh]

    async def _judged(self, tree: Tree, node: Node, at: Place) -> Node:
        p = self.params
        given: dict[str, Any] = {"goal": p.goal, "verdicts": _MEANINGS}
        transcript = tree.transcript(node.id)
        done = await together(
            {
                str(i): self.critic.do("assess", at / f"assessment{i + 1}", transcript, sample=i, **given)
                for i in range(p.assessments)
            }
        )
        for error in done.failures.values():
            raise error
        found = [cast("Assessment", reply.data).standing for reply in done.replies.values()]
        reward = sum(getattr(p.rewards, standing) for standing in found) / len(found)
        solved = 2 * found.count("solved") > len(found)
        notes = {**node.notes, "standings": found, "solved": solved}
        return replace(node, scores=replace(node.scores, own=reward), calls=node.calls + len(found), notes=notes)

    def ended(self, tree: Tree, node: Node) -> str | None:
        """Once the goal is reached, and after the last turn."""
        if node.notes.get("solved"):
            return "solved"
        return "depth" if node.level >= 2 * self.params.turns else None

    def over(self, tree: Tree) -> str | None:
        """Planning goes on for as many simulations as it has."""
        return None


def _turn_of(id_: Id) -> int:
    return id_.count(".") // 2 + 1


def _above(at: Place) -> Place:
    """The tree's place, from that of one of its nodes."""
    address = at.address
    return replace(at, address=replace(address, path=address.path[:-1]))


def _as_read_by(tree: Tree, id_: Id, speaker: str, user: str) -> Any:
    """The dialogue as one reads it who speaks for the user: the user's turns are its own."""
    transcript = tree.transcript(id_)
    if speaker == user:
        return transcript
    turns = tuple(replace(turn, speaker=speaker) if turn.speaker == user else turn for turn in transcript)
    return type(transcript)(turns)


@cache
def bundled(name: str) -> Prompt:
    """A prompt of this protocol."""
    return Prompt.load(Path(__file__).parents[1] / "prompts" / "dialogue_planner" / f"{name}.md.j2")
