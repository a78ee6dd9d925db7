"""A balanced agent weighs nameless arguments in several orders, and changes its mind only if they say so."""

import asyncio
import json
import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from maieutic.agents import Balance, Debater, Reply
from maieutic.agents.balance import arguments_in, decide, held_by
from maieutic.agents.replies import Position
from maieutic.backends import Endpoints, LLMRequest, ScriptedModel, in_memory
from maieutic.memory import MODERATOR, Transcript, Turn

QUESTION = Turn(MODERATOR, "Question: Which is it?\n\nOptions:\n- tabs\n- spaces")
ADA = Turn("Ada", "I say tabs. Bo, they take one key.", round=1)
BO = Turn("Bo", "I say spaces. Ada, they look the same everywhere.", round=1)
CY = Turn("Cy", "I say spaces. What Bo says, and 1 + 1 = 2.", round=1)
OPTIONS = ["tabs", "spaces"]


def plausible(**shares: float) -> str:
    return json.dumps({"plausibilities": [{"answer": a, "plausibility": p} for a, p in shares.items()]})


def position(answer: str, confidence: float = 0.5) -> str:
    return json.dumps({"answer": answer, "confidence": confidence})


def done(agent: Debater, lines: Sequence[str], turns: Sequence[Turn], verb: str = "position", seed: int = 0,
         **given: Any) -> tuple[Reply, list[LLMRequest]]:  # fmt: skip
    """What the agent replies when its model says these lines, and what it was asked."""
    script = ScriptedModel(lines)

    async def act() -> Reply:
        async with in_memory(Endpoints({"scripted": script}), seed) as place:
            return await agent.do(verb, place / "round1", Transcript(tuple(turns)), **given)

    reply = asyncio.run(act())
    script.close()
    return reply, script.requests


def balanced(**fields: Any) -> Debater:
    return Debater("Ada", "scripted/a").balanced(Balance(**fields))


def listed(request: LLMRequest) -> list[str]:
    return re.findall(r"^- (.*)$", request.messages[-1].content.partition("Arguments:")[2], re.MULTILINE)


# -- the exact steps --------------------------------------------------------------------------------------------------


def test_it_weighs_each_order_once_and_then_answers() -> None:
    lines = [plausible(tabs=0.5, spaces=0.4), plausible(tabs=0.1, spaces=0.8), position("spaces")]
    reply, requests = done(balanced(), lines, [QUESTION, ADA, BO], options=OPTIONS)
    assert [r.address.local.removeprefix("0/0/") for r in requests] == [
        "round1/Ada.position/Ada.weigh1", "round1/Ada.position/Ada.weigh2", "round1/Ada.position"]  # fmt: skip
    assert reply.weighed is not None
    assert reply.weighed.to_json() == {
        "plausible": {"spaces": 0.6, "tabs": 0.3}, "held": "tabs", "decided": "spaces", "calls": 2}  # fmt: skip
    assert reply.weighed.changed


def test_every_argument_stands_at_every_place_once() -> None:
    lines = [plausible(tabs=1.0)] * 3 + [position("tabs")]
    for seed in range(4):
        _, requests = done(balanced(orders=3), lines, [QUESTION, ADA, BO, CY], options=OPTIONS, seed=seed)
        orders = [listed(request) for request in requests[:3]]
        assert all(len(set(place)) == 3 for place in zip(*orders, strict=True))
        assert len({frozenset(order) for order in orders}) == 1


def test_the_seed_decides_which_order_comes_first() -> None:
    lines = [plausible(tabs=1.0), position("tabs")]
    first = {
        listed(done(balanced(orders=1), lines, [QUESTION, ADA, BO, CY], options=OPTIONS, seed=seed)[1][0])[0]
        for seed in range(12)
    }
    assert len(first) == 3
    again = [done(balanced(orders=1), lines, [QUESTION, ADA, BO, CY], options=OPTIONS, seed=5)[1][0] for _ in range(2)]
    assert again[0].messages == again[1].messages


def test_neither_names_nor_dialogue_reach_the_weighing() -> None:
    lines = [plausible(tabs=1.0)] * 2 + [position("tabs")]
    _, requests = done(balanced(), lines, [QUESTION, ADA, BO], options=OPTIONS)
    opening, asked = requests[0].messages
    assert opening.role == "system"
    assert "Bo" not in asked.content
    assert "Ada" not in asked.content
    assert set(listed(requests[0])) == {
        "I say tabs. somebody, they take one key.",
        "I say spaces. somebody, they look the same everywhere.",
    }
    assert "Which is it?" in asked.content
    assert "Possible answers: tabs / spaces" in asked.content
    assert "no particular order" in asked.content


def test_it_is_told_what_it_found_before_the_instruction() -> None:
    lines = [plausible(tabs=0.2, spaces=0.9)] * 2 + [position("spaces")]
    _, requests = done(balanced(), lines, [QUESTION, ADA, BO], options=OPTIONS)
    *before, last = requests[-1].messages
    assert [m.content for m in before[1:]] == [QUESTION.content, ADA.content, f"Bo: {BO.content}"]
    told, instruction = last.content.split("\n\n", 1)
    assert told == (
        "Before this turn you weighed the arguments for yourself, without names and in 2 different orders, and found "
        'these answers plausible: spaces (0.90), tabs (0.20). That speaks clearly against "tabs", so your answer is '
        'now "spaces".'
    )
    assert instruction.startswith("Off the record")


def test_a_typed_answer_is_what_was_decided_whatever_the_model_says_then() -> None:
    lines = [plausible(tabs=0.9, spaces=0.2)] * 2 + [position("spaces", 0.7)]
    reply, _ = done(balanced(), lines, [QUESTION, ADA, BO], options=OPTIONS)
    assert reply.data == Position(answer="tabs", confidence=0.7)
    assert reply.text == "Answer: tabs\nConfidence: 0.7"
    assert reply.weighed is not None
    assert reply.weighed.to_json()["said"] == "spaces"
    agreeing, _ = done(balanced(), [*lines[:2], position("Tabs.")], [QUESTION, ADA, BO])
    assert agreeing.weighed is not None
    assert "said" not in agreeing.weighed.to_json()


def test_plain_words_are_told_too() -> None:
    lines = [plausible(tabs=0.5, spaces=0.5)] * 2 + ["I still say tabs."]
    reply, requests = done(balanced(), lines, [QUESTION, ADA, BO], "argue", possible=OPTIONS)
    assert reply.text == "I still say tabs."
    assert 'no reason to change your mind, so your answer stays "tabs".' in requests[-1].messages[-1].content


def test_without_anybody_elses_argument_nothing_is_weighed() -> None:
    for turns in ([QUESTION], [QUESTION, ADA]):
        reply, requests = done(balanced(), [position("tabs")], turns, options=OPTIONS)
        assert len(requests) == 1
        assert reply.weighed is None


def test_a_turn_that_is_still_withheld_is_not_weighed() -> None:
    blind = Turn("Bo", BO.content, round=1, blind_to=frozenset({"Ada"}))
    assert done(balanced(), [position("tabs")], [QUESTION, blind], options=OPTIONS)[0].weighed is None
    assert arguments_in(Transcript((QUESTION, blind)), "Ada") == []
    assert len(arguments_in(Transcript((QUESTION, blind, ADA)), "Ada")) == 2


def test_a_private_turn_and_a_probe_of_others_are_not_weighed() -> None:
    secret = Turn("Bo", "psst", audience=frozenset({"Cy"}))
    probe = Turn("Bo", "Answer: spaces", kind="probe")
    assert arguments_in(Transcript((QUESTION, ADA, secret, probe)), "Ada") == []


def test_what_is_said_twice_counts_once() -> None:
    again = Turn("Cy", BO.content, round=1)
    assert len(arguments_in(Transcript((QUESTION, ADA, BO, again, BO)), "Ada")) == 2


def test_an_agent_with_a_side_to_defend_does_not_weigh() -> None:
    agent = Debater("Ada", "scripted/a", stance="tabs").balanced()
    reply, requests = done(agent, [position("tabs")], [QUESTION, ADA, BO], options=OPTIONS)
    assert (reply.weighed, len(requests)) == (None, 1)


def test_without_options_answers_that_say_the_same_are_one() -> None:
    turns = [Turn(MODERATOR, "Question: Who wrote it?"), Turn("Ada", "Answer: Jane Austen", round=1), BO]
    lines = [plausible(**{"jane austen": 0.4, "Emily Brontë": 0.5}), plausible(**{"Jane Austen.": 0.6}), "Well."]
    reply, requests = done(balanced(), lines, turns, "argue")
    assert reply.weighed is not None
    assert reply.weighed.plausible == {"Jane Austen": 0.5, "Emily Brontë": 0.25}
    assert reply.weighed.decided == reply.weighed.held == "Jane Austen"
    assert "Name the answers as short as possible." in requests[0].messages[-1].content


def test_with_options_no_other_answer_can_be_called_plausible() -> None:
    lines = [plausible(tabs=1.0)] * 2 + [position("tabs")]
    _, requests = done(balanced(), lines, [QUESTION, ADA, BO], options=OPTIONS)
    assert requests[0].output is not None
    with pytest.raises(ValidationError):
        requests[0].output.model_validate_json(plausible(emacs=1.0))


# -- what is decided --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "margin", "decided"),
    [
        ("tabs", 0.0, "spaces"),
        ("tabs", 0.19, "spaces"),
        ("tabs", 0.2, "tabs"),
        ("spaces", 0.0, "spaces"),
        (None, 0.9, "spaces"),
        ("emacs", 0.49, "spaces"),
        ("emacs", 0.5, "emacs"),
    ],
)
def test_the_answer_changes_only_by_more_than_the_margin(held: str | None, margin: float, decided: str) -> None:
    found = decide([{"tabs": 0.3, "spaces": 0.5}], held, margin)
    assert found.decided == decided
    assert found.changed == (held not in (None, decided))


def test_an_answer_that_a_reply_leaves_out_counts_nothing_there() -> None:
    found = decide([{"tabs": 0.9}, {"spaces": 0.6, "tabs": 0.1}], "tabs", 0.0)
    assert found.plausible == {"tabs": 0.5, "spaces": 0.3}
    assert found.calls == 2


@settings(deadline=None)
@given(
    st.lists(st.dictionaries(st.sampled_from("abc"), st.floats(0, 1), min_size=1), min_size=1, max_size=5),
    st.sampled_from(["a", "b", "z", None]),
    st.floats(0, 1),
)
def test_a_decision_is_the_most_plausible_answer_or_the_one_that_was_held(
    replies: list[dict[str, float]], held: str | None, margin: float
) -> None:
    found = decide(replies, held, margin)
    best = max(found.plausible.values())
    assert found.decided == held or found.plausible[found.decided] == best
    if held is not None and found.changed:
        assert best - found.plausible[held] > margin


@pytest.mark.parametrize(
    ("turns", "held"),
    [
        ([ADA], "tabs"),
        ([ADA, Turn("Ada", "Answer: spaces\nConfidence: 1", kind="probe", data={"answer": "spaces"})], "spaces"),
        ([Turn("Ada", "**Answer: Tabs.**\nThey take one key, spaces do not.")], "Tabs"),
        ([ADA, Turn("Ada", "tabs or spaces, who knows")], "tabs"),
        ([Turn("Ada", "Well.", data={"weighed": {"decided": "spaces"}})], "spaces"),
        ([BO], None),
    ],
)
def test_the_answer_held_is_the_last_one_that_can_be_read(turns: list[Turn], held: str | None) -> None:
    assert held_by("Ada", Transcript((QUESTION, *turns)), OPTIONS) == held


# -- the agent --------------------------------------------------------------------------------------------------------


def test_balance_stays_whatever_the_agent_plays_or_wears() -> None:
    agent = balanced(orders=2)
    for other in (agent.playing("judge"), agent.dressed(persona="old"), agent.routed(None), agent.playing("debater")):
        assert other.balance == Balance(orders=2)
    assert Debater("Ada", "scripted/a").balance is None


def test_a_turn_keeps_what_was_weighed_for_the_record() -> None:
    agent = balanced()
    lines = [plausible(tabs=0.9)] * 2 + [position("tabs")]
    reply, _ = done(agent, lines, [QUESTION, ADA, BO], options=OPTIONS)
    turn = agent.turn(reply, kind="probe")
    assert turn.data["answer"] == "tabs"
    assert turn.data["weighed"]["calls"] == 2
    assert isinstance(reply.data, Position)


@pytest.mark.parametrize("fields", [{"orders": 0}, {"orders": 25}, {"margin": 1.5}, {"margins": 0.1}])
def test_parameters_have_bounds(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Balance(**fields)
