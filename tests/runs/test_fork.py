"""Going another way from a turn on: what was said before stays said, what comes after is asked anew."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import maieutic as mt
from maieutic.backends import LLMRequest
from maieutic.runs import Definition
from maieutic.testing import ScriptedModel

QUESTION = "Should cities ban cars?"


def debate(**params: Any) -> mt.Debate:
    debaters = [mt.Debater("Ada", "scripted/a"), mt.Debater("Bo", "scripted/b")]
    return mt.Debate(debaters, judge=mt.Judge("June", "scripted/j"), **{"rounds": 3, "probes": "never", **params})


def forked(
    script: Any,
    then: Callable[[mt.Workspace], Awaitable[Any]],
    talk: mt.Debate | None = None,
    store: Path | None = None,
) -> tuple[mt.Run, Any]:
    """A debate called "case", and what `then` does with its workspace."""

    async def run() -> tuple[mt.Run, Any]:
        async with mt.Workspace(store, backends={"scripted": script}) as place:
            return await place.run(talk or debate(), QUESTION, run_id="case"), await then(place)

    return asyncio.run(run())


def said(run: mt.Run) -> list[tuple[str, str]]:
    """What the agents said; the moderator's opening may tell of other settings."""
    return [(turn.speaker, turn.content) for turn in run.turns if turn.kind == "say"][1:]


@pytest.mark.parametrize("turn", range(1, 8))
def test_earlier_turns_stay_and_later_ones_are_asked_of_the_new_model(script: ScriptedModel, turn: int) -> None:
    async def fork(place: mt.Workspace) -> mt.Run:
        return await place.fork("case", turn=turn, models={"*": "scripted/other"}, new_run_id="branch")

    first, branch = forked(script, fork)
    assert said(branch)[: turn - 1] == said(first)[: turn - 1]
    assert [r.model.model for r in script.requests[7:]] == ["scripted/other"] * (8 - turn)
    assert all(
        mine[1] != theirs[1] for mine, theirs in zip(said(branch)[turn - 1 :], said(first)[turn - 1 :], strict=True)
    )
    assert branch.ledger.total.from_journal == turn - 1


def test_a_fork_remembers_where_it_comes_from_and_leaves_its_parent_alone(script: ScriptedModel) -> None:
    async def fork(place: mt.Workspace) -> tuple[Any, ...]:
        before = place.journal.run("case"), [*place.journal.entries("case")]
        branch = await place.fork("case", turn=4, models={"judge": "scripted/other"})
        assert (place.journal.run("case"), [*place.journal.entries("case")]) == before
        return branch, place.journal.run(branch.id)

    first, (branch, record) = forked(script, fork)
    assert (record.parent, record.forked_at, record.status) == ("case", "0/0/round2/Bo.argue", "done")
    assert branch.id != "case"
    spec = Definition.of(record).program().spec
    judges = spec.agents["June"].model
    assert isinstance(judges, str)
    assert spec.models[judges].model == "scripted/other"
    # Everything but the judge's verdict is asked as before and answered as before.
    assert said(branch)[:6] == said(first)[:6]
    assert said(branch)[6] != said(first)[6]


def test_a_fork_may_have_other_settings(script: ScriptedModel) -> None:
    async def fork(place: mt.Workspace) -> mt.Run:
        return await place.fork("case", turn=5, settings={"with.rounds": 4})

    first, branch = forked(script, fork)
    assert said(branch)[:4] == said(first)[:4]
    assert len(said(branch)) == 9
    assert len(script.requests) == 7 + 5


def test_a_fork_can_be_forked_again(script: ScriptedModel) -> None:
    async def fork(place: mt.Workspace) -> tuple[mt.Run, mt.Run, Any]:
        one = await place.fork("case", turn=3, models={"*": "scripted/one"}, new_run_id="one")
        two = await place.fork("one", turn=5, models={"*": "scripted/two"}, new_run_id="two")
        return one, two, place.journal.run("two")

    first, (one, two, record) = forked(script, fork)
    assert said(two)[:2] == said(first)[:2]
    assert said(two)[2:4] == said(one)[2:4]
    assert [r.model.model for r in script.requests[7 + 5 :]] == ["scripted/two"] * 3
    assert record.parent == "one"


@pytest.mark.parametrize("changes", [{}, {"models": {"Ada": "scripted/other"}}, {"settings": {"with.rounds": 4}}])
def test_a_fork_is_replayed_and_resumed_like_any_run(
    script: ScriptedModel, changes: Mapping[str, Any], tmp_path: Path
) -> None:
    async def fork(place: mt.Workspace) -> tuple[mt.Run, mt.Run, mt.Run, mt.Run]:
        branch = await place.fork("case", turn=4, new_run_id="branch", **changes)
        asked = len(script.requests)
        resumed, replayed = await place.resume("branch"), await place.replay("branch")
        place.journal.export("branch", tmp_path / "branch.jsonl")
        carried = await place.replay(place.journal.import_(tmp_path / "branch.jsonl"))
        assert len(script.requests) == asked
        return branch, resumed, replayed, carried

    _, (branch, *others) = forked(script, fork)
    for run in others:
        assert (run.outcome, run.turns) == (branch.outcome, branch.turns)


def test_in_a_blind_round_what_the_others_said_before_stays_whoever_was_first_to_answer() -> None:
    first_round = asyncio.Event()

    class Slow:
        """Ada answers her first question after Bo."""

        def __init__(self) -> None:
            self.asked: list[str] = []

        async def complete(self, request: LLMRequest, on_text: Any = None) -> mt.LLMReply:
            self.asked.append(request.agent)
            number = len(self.asked)
            if number <= 2:
                first_round.set() if request.agent == "Bo" else await first_round.wait()
                await asyncio.sleep(0.01 if request.agent == "Ada" else 0)
            return mt.LLMReply(text=f"{request.agent}'s word {number}", model="x")

        async def aclose(self) -> None:
            pass

    mind = Slow()
    debaters = [mt.Debater("Ada", "scripted/a"), mt.Debater("Bo", "scripted/b")]
    talk = mt.Debate(debaters, rounds=1, first_round="blind", probes="never", decide="majority", on_failure="skip")

    async def fork(place: mt.Workspace) -> tuple[mt.Run, mt.Run]:
        assert [entry.agent for entry in place.journal.entries("case")][:2] == ["Bo", "Ada"]
        return await place.fork("case", turn=1), await place.fork("case", turn=2)

    first, (from_first, from_second) = forked(mind, fork, talk)
    assert said(first) == [("Ada", "Ada's word 1"), ("Bo", "Bo's word 2")]
    assert said(from_first)[0] != said(first)[0]
    assert said(from_first)[1] != said(first)[1]
    assert said(from_second)[0] == said(first)[0]
    assert said(from_second)[1] != said(first)[1]


def test_a_verdict_wrapped_in_prose_can_be_forked_from(script: ScriptedModel) -> None:
    def line(request: LLMRequest) -> str:
        if request.agent != "June":
            return "Yes."
        return 'My verdict: {"reason": "So.", "answer": "yes", "confidence": 1, "aside": "Thank you."} That is all.'

    async def fork(place: mt.Workspace) -> mt.Run:
        return await place.fork("case", turn=7)

    mind = ScriptedModel(line)
    first, branch = forked(mind, fork)
    assert branch.answer == first.answer == "yes"
    assert [request.agent for request in mind.requests[7:]] == ["June"]


@pytest.mark.parametrize("turn", [0, -1, 8])
def test_a_turn_that_is_not_there_is_wrong_usage(script: ScriptedModel, turn: int) -> None:
    async def fork(place: mt.Workspace) -> None:
        with pytest.raises(mt.UsageError, match=rf"run case has 7 turns; there is no turn {turn}"):
            await place.fork("case", turn=turn)
        assert [run.id for run in place.journal.runs()] == ["case"]

    forked(script, fork)


def test_a_fork_with_unknown_names_makes_no_run(script: ScriptedModel) -> None:
    async def fork(place: mt.Workspace) -> None:
        with pytest.raises(mt.UsageError, match="no agent, role or model is called 'Cy'"):
            await place.fork("case", turn=2, models={"Cy": "scripted/other"})
        with pytest.raises(mt.GraphFileError, match="rounds"):
            await place.fork("case", turn=2, settings={"with.rounds": 0})
        assert [run.id for run in place.journal.runs()] == ["case"]

    forked(script, fork)


def test_a_reply_and_its_repair_go_together(script: ScriptedModel) -> None:
    """The new judge is not asked to repair what the old one said."""

    def line(request: LLMRequest) -> str:
        if request.agent != "June":
            return "Yes."
        good = '{"reason": "So.", "answer": "yes", "confidence": 1}'
        return good if request.address.path[-1] == "repair" or request.model.model == "scripted/k" else "Yes, they do."

    async def fork(place: mt.Workspace) -> mt.Run:
        return await place.fork("case", turn=7, models={"judge": "scripted/k"})

    mind = ScriptedModel(line)
    first, branch = forked(mind, fork)
    assert [request.address.path[-1] for request in mind.requests[6:]] == ["June.verdict", "repair", "June.verdict"]
    assert (first.ledger.total.calls, branch.ledger.total.calls) == (8, 7)
