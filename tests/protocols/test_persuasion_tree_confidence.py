"""How sure a dialogue of a tree sounds: what the reader reads, what it is asked, what is recorded and counted."""

import asyncio
import math
from typing import Any

import pytest

import maieutic as mt
from maieutic.agents import Agent, Debater
from maieutic.backends import LLMRequest
from maieutic.backends.scripted import Line
from maieutic.backends.types import TokenLogprob
from maieutic.errors import ModelError, UsageError
from maieutic.protocols.persuasion.tree import PersuasionTree, PersuasionTreeOutcome
from maieutic.protocols.persuasion.tree_confidence import blotted
from maieutic.testing import LoopbackServer
from maieutic.testing.canned import CannedReply, ParsedRequest
from maieutic.testing.staged import Staged, play

ADA, BO, REX = Debater("ada", "scripted/a"), Debater("bo", "scripted/b"), Agent("rex", "scripted/r")


def lines(request: LLMRequest) -> Line:
    """Ada says Paris, Bo says Rome; seven of ten times Rex accepts what Ada holds alone, and never both."""
    if request.agent != "rex":
        return f"Answer: {'Paris' if request.agent == 'ada' else 'Rome'}\nI am sure: paris is not Rome."
    return "yes" if "bo none" in request.messages[-1].content and request.sample < 7 else "no"


def grow(**params: Any) -> Staged[PersuasionTreeOutcome]:
    program = PersuasionTree([ADA, BO], first="logical", confidence=REX, **params)
    return play(program, lines, "What is the capital of France?", accepted=["Paris"])


def test_the_share_of_yes_is_noted_at_every_node_and_scores_nothing() -> None:
    outcome = grow(turns=2).outcome
    assert [node.notes["confidence"] for node in outcome.tree if node.id] == [0.7, 0.0, 0.0]
    assert [node.scores.own for node in outcome.tree if node.id] == [1, 1, 1]
    assert "confidence" not in outcome.tree.root.notes


def test_the_reader_reads_the_dialogue_without_its_answers() -> None:
    read = next(r.messages[-1].content for r in grow(turns=2).requests if "0.0" in r.address.path and r.agent == "rex")
    assert "ada: Answer: [A]\nI am sure: [A] is not [B].\n\nbo: Answer: [B]\nI am sure: [A] is not [B]." in read
    assert "What they hold now: ada [A], bo [B]\n" in read
    assert "Question: What is the capital of France?" in read
    assert "Paris" not in read
    assert "Rome" not in read


@pytest.mark.parametrize(
    ("words", "letters", "left"),
    [
        ("B, not A. [A]", {"A": "[A]", "B": "[B]"}, "[B], not [A]. [[A]]"),
        ("Parisian PARIS", {"Paris": "[A]"}, "Parisian [A]"),
        ("C++ or C", {"C": "[A]", "C++": "[B]"}, "[B] or [A]"),
        ("nothing", {}, "nothing"),
    ],
)
def test_whole_answers_are_blotted_out_once(words: str, letters: dict[str, str], left: str) -> None:
    assert blotted(words, letters) == left


def test_its_calls_are_counted_planned_and_bounded() -> None:
    """Scripts give no log-probabilities: one call that asks for them and ten samples, a turn."""
    staged = grow()
    assert staged.outcome.calls == len(staged.requests) == 21 * 12
    plan = PersuasionTree([ADA, BO], first="logical", confidence=REX).plan()
    assert plan.calls["rex"] == (3, 21 * 11)
    bounded = grow(calls=50)
    assert bounded.outcome.ended_by == "calls"
    assert bounded.outcome.calls == len(bounded.requests) == 48


def test_a_failing_reader_ends_the_tree_and_the_turns_are_kept() -> None:
    def down(request: LLMRequest) -> Line:
        return ModelError("down", kind="server") if request.agent == "rex" else lines(request)

    staged = play(PersuasionTree([ADA, BO], first="logical", confidence=REX), down, "What?", accepted=["Paris"])
    assert isinstance(staged.error, ModelError)
    assert [node.id for node in staged.outcome.tree] == ["", "0"]


def test_simulated_minds_have_no_probabilities_to_tell() -> None:
    with pytest.raises(UsageError, match="confidence asks 'rex' for probabilities, and sim/debater has none"):
        PersuasionTree([ADA, BO], confidence=Agent("rex", "sim/debater"))


def test_over_http_it_is_one_call_a_turn_with_log_probabilities(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test")

    def served(request: ParsedRequest) -> str | CannedReply:
        if "yes or no" not in request.messages[-1].content:
            return f"Answer: {'Paris' if 'speak with bo' in request.messages[-1].content else 'Rome'}"
        first = math.log(0.6)
        return CannedReply("Yes", logprobs=(TokenLogprob("Yes", first, {"Yes": first, "no": math.log(0.2)}),))

    async def go() -> tuple[mt.Run[Any], int]:
        async with LoopbackServer(served) as server, mt.Workspace() as workspace:
            model = {"model": "openai/one", "api_base": server.base("openai"), "retries": 0, "timeout": 20}
            cast = [mt.Debater("ada", model), mt.Debater("bo", model)]
            program = mt.PersuasionTree(cast, confidence=mt.Agent("rex", model), first="logical", turns=2)
            return await workspace.run(program, "What?"), server.received.total

    run, received = asyncio.run(go())
    assert [node.notes["confidence"] for node in run.outcome.tree if node.id] == [0.75] * 3
    assert received == run.outcome.calls == 6
