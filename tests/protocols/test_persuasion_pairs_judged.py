"""A judge checks preference pairs: which answers say the same, and whether replies agree or disagree as labelled."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from maieutic.agents import Agent
from maieutic.backends import Endpoints, LLMRequest, ScriptedModel, in_memory
from maieutic.errors import ModelError, UsageError
from maieutic.memory import MODERATOR, Turn
from maieutic.protocols.persuasion.pairs import Pair, mined
from maieutic.protocols.persuasion.pairs_filter import judged_pairs
from maieutic.protocols.trees.tree import Node, Tree

QUESTION = "Where did whales come from?"


def node(id_: str, speaker: str, ada: str | None, bo: str | None, said: str, stance: str | None = None) -> Node:
    return Node(id_, Turn(speaker, said), stance, answers={"Ada": ada, "Bo": bo})


def tree(*, kept: str = "I disagree: land.", gave: str = "I agree: the sea.", right: str = "land") -> Tree:
    """Bo is right; in one reply he stays so, in the other he gives way."""
    nodes = [
        node("", MODERATOR, None, None, QUESTION),
        node("0", "Ada", "the sea", None, "The sea."),
        node("0.0", "Bo", "the sea", right, "Land."),
        node("0.0.0", "Ada", "the sea", right, "It was the sea, believe me."),
        node("0.0.0.0", "Bo", "the sea", right, kept, "resist"),
        node("0.0.0.1", "Bo", "the sea", "the sea", gave, "accept"),
    ]
    return Tree.of(QUESTION, nodes, accepted=("land",), agents=("Ada", "Bo"))


def judged(given: Tree, says: Callable[[str], str], threshold: float = 0.5) -> tuple[list[Pair], list[LLMRequest]]:
    """The pairs that a judge leaves, and what it was asked; `says` answers a prompt."""
    script = ScriptedModel(lambda request: says(request.messages[-1].content))

    async def go() -> list[Pair]:
        async with in_memory(Endpoints({"scripted": script})) as place:
            return await judged_pairs(given, Agent("Jo", "scripted/j"), place, threshold=threshold, run="r1")

    return asyncio.run(go()), script.requests


def judge(prompt: str) -> str:
    """Takes answers for the same if one holds the other's words, and a reply at its word."""
    if "Do they say the same thing?" in prompt:
        one, other = (line.partition(": ")[2] for line in prompt.splitlines() if line.startswith(("One ", "The other")))
        return "yes" if one in other or other in one else "no"
    return "disagree" if "second: I disagree" in prompt else "agree"


def test_a_pair_whose_replies_do_what_the_label_says_stays() -> None:
    pairs, requests = judged(tree(), judge)
    assert [pair.kind for pair in pairs] == ["resist"]
    assert pairs[0].run == "r1"
    asked = {request.messages[-1].content for request in requests}
    assert len(asked) == 3
    assert any("The first: It was the sea, believe me.\nThe second: I disagree: land." in each for each in asked)


@pytest.mark.parametrize(
    ("kept", "gave"),
    [("You are right, land.", "I agree: the sea."), ("I disagree: land.", "I disagree: the sea.")],
)
def test_a_pair_whose_replies_do_something_else_goes(kept: str, gave: str) -> None:
    assert len(mined(tree(kept=kept, gave=gave))) == 1
    assert judged(tree(kept=kept, gave=gave), judge)[0] == []


def test_an_answer_that_says_what_the_right_one_says_counts_as_right() -> None:
    """At one node Ada says "dry land" beside Bo's "land": so she was right all along, and nobody gave way."""
    wordy = tree()
    nodes = {**wordy.nodes}
    for id_, each in nodes.items():
        if id_:
            nodes[id_] = replace(
                each, answers={who: "dry land" if a == "the sea" else a for who, a in each.answers.items()}
            )
    wordy = replace(wordy, nodes=nodes)
    assert len(mined(wordy)) == 1
    assert judged(wordy, judge)[0] == []


def test_the_threshold_is_a_parameter() -> None:
    assert judged(tree(), judge, threshold=1.0)[0] == []


def test_a_simulated_judge_is_refused() -> None:
    async def go() -> None:
        async with in_memory() as place:
            await judged_pairs(tree(), Agent("Jo", "sim/judge"), place)

    with pytest.raises(UsageError, match="'Jo' cannot judge pairs: name a language model, not sim/judge"):
        asyncio.run(go())


def test_a_judge_that_fails_is_told() -> None:
    def down(prompt: str) -> str:
        raise ModelError("down", kind="server")

    with pytest.raises(ModelError, match="down"):
        judged(tree(), down)
