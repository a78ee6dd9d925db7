"""What a store has of a run is never asked for again: taken up, replayed, cached, carried elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import maieutic as mt
from maieutic.backends import LLMRequest
from maieutic.backends.scripted import Line
from maieutic.testing import ScriptedModel

QUESTION = "Should cities ban cars?"
CALLS = 7


def debate(persona: str = "", **params: Any) -> mt.Debate:
    debaters = [mt.Debater("Ada", "scripted/x", persona=persona), mt.Debater("Bo", "scripted/x")]
    return mt.Debate(debaters, judge=mt.Judge("June", "scripted/x"), **{"rounds": 3, "probes": "never", **params})


def workspace(script: ScriptedModel, store: Path | None = None, **options: Any) -> mt.Workspace:
    return mt.Workspace(store, backends={"scripted": script}, **options)


def done(script: ScriptedModel, store: Path, run_id: str = "case") -> mt.Run:
    async def run() -> mt.Run:
        async with workspace(script, store) as place:
            return await place.run(debate(), QUESTION, run_id=run_id)

    return asyncio.run(run())


class Fails:
    """Fails the first time that it is asked for the n-th time."""

    def __init__(self, script: ScriptedModel, n: int) -> None:
        self._script, self._n = script, n

    async def complete(self, request: LLMRequest, on_text: Any = None) -> mt.LLMReply:
        if len(self._script.requests) == self._n:
            self._n = -1
            raise mt.ModelError("no such model", kind="not_found")
        return await self._script.complete(request, on_text)

    async def aclose(self) -> None:
        pass


def failed(script: ScriptedModel, store: Path, n: int, run_id: str = "case") -> mt.Run:
    async def run() -> mt.Run:
        async with mt.Workspace(store, backends={"scripted": Fails(script, n)}) as place:
            return await place.run(debate(), QUESTION, run_id=run_id)

    return asyncio.run(run())


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "runs.db"


# -- again and on -------------------------------------------------------------------------------------------------


def test_a_run_with_an_id_that_is_there_asks_nothing_again(script: ScriptedModel, store: Path) -> None:
    first = done(script, store)
    again = done(script, store)
    assert len(script.requests) == CALLS
    assert again.outcome == first.outcome
    assert again.turns == first.turns
    assert again.ledger.total.from_journal == again.ledger.total.calls == CALLS
    assert done(script, store, "another").outcome == first.outcome
    assert len(script.requests) == 2 * CALLS


def test_a_failed_run_is_resumed_from_another_process_by_the_beginning_of_its_id(
    script: ScriptedModel, store: Path
) -> None:
    ended = failed(script, store, 4)
    assert (ended.status, ended.reason, ended.ledger.total.calls) == ("failed", "failed:not_found", 4)

    async def resume() -> mt.Run:
        async with workspace(script, store) as place:
            return await place.resume("ca")

    run = asyncio.run(resume())
    assert run.reason == "answered"
    assert run.turns.turns[:5] == ended.turns.turns
    assert len(script.requests) == CALLS


def test_a_resumed_runs_ledger_is_the_whole_runs_failed_calls_included(script: ScriptedModel, store: Path) -> None:
    failed(script, store, 2)
    failed(script, store, 4)

    async def resume() -> tuple[mt.Run, mt.Run, mt.Run]:
        async with workspace(script, store) as place:
            whole = await place.resume("case")
            return whole, await place.resume("case"), await place.replay("case")

    for run in asyncio.run(resume()):
        total = run.ledger.total
        assert (total.calls, total.attempts, total.failed) == (CALLS, CALLS + 2, {"not_found": 2})


def test_a_run_resumed_after_its_end_says_the_same_and_stays_done(script: ScriptedModel, store: Path) -> None:
    first = done(script, store)

    async def resume() -> tuple[mt.Run, str]:
        async with workspace(script, store) as place:
            return await place.resume("case"), place.journal.run("case").status

    again, status = asyncio.run(resume())
    assert (again.outcome, status) == (first.outcome, "done")
    assert len(script.requests) == CALLS


# -- replay -------------------------------------------------------------------------------------------------------


def test_a_replay_calls_nobody_writes_nothing_and_says_the_same(script: ScriptedModel, store: Path) -> None:
    first = done(script, store)

    async def replay() -> mt.Run:
        async with workspace(ScriptedModel([]), store) as place:
            before = place.journal.run("case"), [*place.journal.entries("case")]
            run = await place.replay("case")
            assert (place.journal.run("case"), [*place.journal.entries("case")]) == before
        return run

    run = asyncio.run(replay())
    assert (run.outcome, run.turns, run.reason) == (first.outcome, first.turns, first.reason)
    assert run.ledger.total.from_journal == CALLS


def test_a_replay_of_a_failed_run_fails_as_it_did(script: ScriptedModel, store: Path) -> None:
    ended = failed(script, store, 4)

    async def replay() -> mt.Run:
        async with workspace(ScriptedModel([]), store) as place:
            return await place.replay("case")

    run = asyncio.run(replay())
    assert (run.reason, run.turns) == (ended.reason, ended.turns)
    assert run.ledger.total.attempts == ended.ledger.total.attempts


def test_a_replay_needs_a_run(script: ScriptedModel) -> None:
    async def replay(run_id: str | None) -> None:
        async with workspace(script) as place:
            await place.run(debate(), QUESTION, run_id=run_id, replay="only")

    for run_id in (None, "unheard-of"):
        with pytest.raises(mt.UsageError, match="A replay needs the id of a recorded run"):
            asyncio.run(replay(run_id))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"persona": "A cyclist."}, r"round1/Ada.argue[\s\S]*message 1 \(system\)[\s\S]*\+.*A cyclist\."),
        ({"rounds": 4}, r"round1/Ada.argue[\s\S]*message \d \(user\)"),
        ({"order": "reversed"}, r"round1/Bo.argue"),
    ],
)
@pytest.mark.parametrize("replay", ["only", "resume"])
def test_a_changed_debate_misses_and_says_what_differs(
    script: ScriptedModel, store: Path, changed: Mapping[str, Any], told: str, replay: Any
) -> None:
    done(script, store)

    async def again() -> None:
        async with workspace(script, store) as place:
            before = place.journal.run("case")
            with pytest.raises(mt.ReplayMiss, match=told):
                await place.run(debate(**changed), QUESTION, run_id="case", replay=replay)
            assert place.journal.run("case") == before  # a mistake takes nothing away

    asyncio.run(again())
    assert len(script.requests) == CALLS


# -- cache and cassettes ------------------------------------------------------------------------------------------


def test_with_a_cache_another_run_is_free(script: ScriptedModel, store: Path) -> None:
    first = done(script, store)

    async def run() -> mt.Run:
        async with workspace(script, store, cache=True) as place:
            return await place.run(debate(), QUESTION, run_id="other")

    other = asyncio.run(run())
    assert len(script.requests) == CALLS
    assert other.outcome == first.outcome
    total = other.ledger.total
    assert (total.calls, total.from_journal, total.prompt, total.usd) == (CALLS, CALLS, 0, 0.0)


def test_a_cache_does_not_answer_another_question(script: ScriptedModel, store: Path) -> None:
    done(script, store)

    async def run() -> mt.Run:
        async with workspace(script, store, cache=True) as place:
            return await place.run(debate(), "Tea or coffee?")

    assert asyncio.run(run()).ledger.total.from_journal == 0


def test_a_cassette_carries_a_run_to_another_store(script: ScriptedModel, store: Path, tmp_path: Path) -> None:
    first = done(script, store)

    async def carry() -> tuple[str, mt.Run]:
        async with workspace(script, store) as place:
            place.journal.export("case", tmp_path / "case.jsonl")
        async with workspace(ScriptedModel([]), tmp_path / "elsewhere.db") as place:
            run_id = place.journal.import_(tmp_path / "case.jsonl")
            return run_id, await place.replay(run_id)

    run_id, run = asyncio.run(carry())
    assert run_id == "case"
    assert (run.outcome, run.turns) == (first.outcome, first.turns)


# -- many at once -------------------------------------------------------------------------------------------------


def test_many_runs_at_once_keep_apart(script: ScriptedModel, store: Path) -> None:
    async def all_at_once() -> tuple[list[mt.Run], list[mt.Run]]:
        async with workspace(script, store) as place:
            talk = debate()
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(place.run(talk, f"Question {n}?", run_id=f"q{n}")) for n in range(30)]
            replays = [await place.replay(f"q{n}") for n in range(0, 30, 7)]
        return [task.result() for task in tasks], replays

    runs, replays = asyncio.run(all_at_once())
    assert len(script.requests) == 30 * CALLS
    assert len({run.answer for run in runs}) == 30
    assert all(run.ledger.total.calls == CALLS for run in runs)
    assert all(f"Question {n}?" in run.turns.turns[0].content for n, run in enumerate(runs))
    assert [run.outcome for run in replays] == [run.outcome for run in runs[::7]]


def test_one_run_that_fails_leaves_the_others_alone(store: Path) -> None:
    def line(request: LLMRequest) -> Line:
        if "Question 1?" in request.messages[1].content:
            return mt.ModelError("no such model", kind="not_found")
        return "Yes."

    talk = mt.Debate(
        [mt.Debater("Ada", "scripted/x"), mt.Debater("Bo", "scripted/x")],
        judge=mt.Judge("June", "scripted/x", output=None),
        rounds=1,
        probes="never",
    )

    async def all_at_once() -> list[str]:
        async with workspace(ScriptedModel(line), store) as place:
            runs = await asyncio.gather(*(place.run(talk, f"Question {n}?") for n in range(3)))
        return [run.reason for run in runs]

    assert asyncio.run(all_at_once()) == ["failed:reply", "failed:not_found", "failed:reply"]


@pytest.mark.parametrize("question", ["  ", 7])
def test_a_mistake_before_anything_was_said_leaves_no_run(script: ScriptedModel, question: Any) -> None:
    async def go() -> None:
        async with workspace(script) as place:
            with pytest.raises(mt.UsageError):
                await place.run(debate(), {"question": question}, run_id="case")
            assert place.journal.runs() == []
            assert (await place.run(debate(), QUESTION, run_id="case")).status == "done"

    asyncio.run(go())
