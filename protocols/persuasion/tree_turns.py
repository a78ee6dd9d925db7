"""One turn of a dialogue tree: what the speaker is told, what it says, and the answer that it holds with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

from maieutic.agents import Agent, Debater, Judge, Prompt, Reply, Verb
from maieutic.memory import Transcript, Turn
from maieutic.memory.answers import same
from maieutic.protocols.persuasion.tree_answers import Extracted, Read, held_after, read_line, written_alike
from maieutic.protocols.persuasion.tree_params import PersuasionTreeParams
from maieutic.protocols.together import together
from maieutic.protocols.trees.growing import node_place
from maieutic.protocols.trees.searching import Pick
from maieutic.protocols.trees.tree import Node, Tree, level_of

if TYPE_CHECKING:
    from maieutic.backends.place import Place

__all__ = ["Speaking", "judge_nodes", "whole_sentences"]

_EXTRACT = Verb("extract", needs=("question", "options", "speaker", "said"), output=Extracted, kind="probe")
_SENTENCE = re.compile(r".*[.!?…](?=[\"'”’)\]]?(?:\s|$))[\"'”’)\]]?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Speaking:
    """Who speaks a turn, to whom, and how.

    Attributes:
        agent: The speaker, with the model that speaks this turn.
        others: The other debaters.
        partners: The same in words.
        stance: What the stance tells the speaker; empty for the neutral one.
        options: The possible answers, if they are known.
        question: What it is all about.
        extractor: Who reads answers, if somebody does.
    """

    agent: Agent
    others: tuple[str, ...]
    partners: str
    stance: str
    options: tuple[str, ...]
    question: str
    extractor: Agent | None

    async def turn(self, tree: Tree, pick: Pick, params: PersuasionTreeParams, at: Place) -> Node:
        """Speak once, and tell the answer."""
        before = tree.transcript(pick.parent)
        line = params.answers == "line"
        messages = self.agent.messages("turn", before, self._given(self.stance, line=line))
        neutral = self.agent.messages("turn", before, self._given("", line=line))[-1].content
        weighed = None if self.stance else await self.agent.weighed("turn", at, before, self.options)
        extra = {"min_tokens": params.min_tokens} if self.agent.model.provider == "hosted_vllm" else {}
        reply = await self.agent.send(
            messages if weighed is None else weighed.told(messages),
            "turn",
            at,
            temperature=params.temperature,
            max_tokens=params.max_tokens,
            sample=pick.way.sample,
            extra={name: value for name, value in extra.items() if value is not None},
            about=self.question,
        )
        turn = self._spoken(replace(reply, weighed=weighed), pick, params)
        read, more = await self._read(params, Transcript((*before.turns, turn)), turn, at)
        parent = tree[pick.parent]
        held = held_after(parent.answers, self.agent.name, self._partner(parent, turn), read, self.options)
        return Node(
            pick.id,
            turn,
            stance=pick.way.stance,
            sample=pick.way.sample,
            answers=written_alike(held, tree.right, params.same_from, self.options),
            told=messages[-1].content,
            neutral=neutral,
            address=(at / f"{self.agent.name}.turn").address.local,
            calls=1 + more + (weighed.calls if weighed else 0),
            notes={
                "read": read.kind,
                "model": reply.call.model,
                **({"voice": pick.way.voice} if pick.way.voice else {}),
                **({"weighed": weighed.to_json()} if weighed else {}),
            },
        )

    def _given(self, stance: str, *, line: bool) -> dict[str, object]:
        return {"partners": self.partners, "stance": stance, "line": line, "options": list(self.options)}

    def _spoken(self, reply: Reply, pick: Pick, params: PersuasionTreeParams) -> Turn:
        cut = params.trim and reply.call.finish == "length"
        words = whole_sentences(reply.text) if cut else reply.text
        round_ = (level_of(pick.id) - 1) // len(params.debaters) + 1
        blind = round_ == 1 and params.first_round == "blind"
        unread = frozenset(self.others if blind else ())
        return replace(self.agent.turn(reply, round=round_), content=words, blind_to=unread)

    def _partner(self, parent: Node, turn: Turn) -> str | None:
        """Whom the speaker had heard last."""
        return parent.speaker if parent.id and self.agent.name not in parent.turn.blind_to else None

    async def _read(self, params: PersuasionTreeParams, said: Transcript, turn: Turn, at: Place) -> tuple[Read, int]:
        """What is read in the turn, and how many calls that took."""
        if params.answers == "line":
            return read_line(turn.content), 0
        if params.answers == "position":
            reply = await cast("Debater", self.agent).position(at, said, options=self.options)
            weighing = reply.weighed.calls if reply.weighed else 0
            return Read("answer", str(getattr(reply.data, "answer", reply.text))), 1 + weighing
        return await self._extracted(turn, at), 1

    async def _extracted(self, turn: Turn, at: Place) -> Read:
        extractor = cast("Agent", self.extractor).able(_EXTRACT, _bundled("extract"))
        reply = await extractor.do(
            "extract",
            at,
            output=Extracted,
            temperature=0.0,
            question=self.question,
            options=list(self.options),
            speaker=turn.speaker,
            said=turn.content,
        )
        found = cast("Extracted", reply.data)
        named = found.answer.strip()
        if found.kind == "answer":
            return Read("answer", named) if named else Read("none")
        return Read(found.kind)


async def judge_nodes(judge: Agent, tree: Tree, fresh: Sequence[Node], options: Sequence[str], at: Place) -> list[Node]:
    """The nodes, each with how many of its answers a judge takes for right: its confidence where they are its own.

    Raises:
        ModelError, ReplyError, BudgetExceeded, …: The first of the verdicts that failed.
    """
    spoken = [node for node in fresh if node.id]
    done = await together(
        {
            node.id: cast("Judge", judge).verdict(node_place(at, node.id), tree.transcript(node.id), options=options)
            for node in spoken
        }
    )
    for error in done.failures.values():
        raise error
    return [*(n for n in fresh if not n.id), *(_judged(node, done.replies[node.id]) for node in spoken)]


def _judged(node: Node, verdict: Reply) -> Node:
    answer, sure = str(getattr(verdict.data, "answer", "")), getattr(verdict.data, "confidence", None)
    right = sum(held is not None and same(held, answer) for held in node.answers.values())
    own = right * (1.0 if sure is None else float(sure))
    notes = {**node.notes, "verdict": answer, "sure": sure}
    return replace(node, scores=replace(node.scores, own=own), calls=node.calls + 1, notes=notes)


def whole_sentences(text: str) -> str:
    """A text that was cut off, up to the end of its last whole sentence; as it is if it has none.

    Example:
        >>> whole_sentences("Answer: Paris. It lies on the Seine. And so")
        'Answer: Paris. It lies on the Seine.'
    """
    found = _SENTENCE.match(text)
    return found[0] if found else text


@cache
def _bundled(name: str) -> Prompt:
    return Prompt.load(Path(__file__).parents[1] / "prompts" / "persuasion_tree" / f"{name}.md.j2")
