"""Runs that end before their time: cancelled, waiting for a person; and what is told while they go on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

import maieutic as mt
from maieutic.testing import LoopbackServer, ScriptedModel

QUESTION = "Should cities ban cars?"
CALLS = 7


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test")


def debate(model: Any = "scripted/x", **params: Any) -> mt.Debate:
    debaters = [mt.Debater("Ada", model), mt.Debater("Bo", model)]
    return mt.Debate(debaters, judge=mt.Judge("June", model), **{"rounds": 3, "probes": "never", **params})


async def until(condition: Any) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - what a server has seen
            await asyncio.sleep(0.005)


# -- cancelled ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("params", [{}, {"order": "simultaneous"}], ids=["one call", "two calls at once"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_cancelling_a_run_reaches_the_server_and_keeps_what_was_said(
    params: dict[str, Any], stream: bool, tmp_path: Path
) -> None:
    store = tmp_path / "runs.db"
    flying = 2 if params else 1

    async def scenario() -> None:
        async with LoopbackServer(latency=0.2) as server:
            model = mt.ModelSpec(model="openai/tiny", api_base=server.base("openai"), structured="native")
            async with mt.Workspace(store) as place:
                going = asyncio.create_task(place.run(debate(model, **params), QUESTION, run_id="case", stream=stream))
                await until(lambda: server.received.answered >= 2 and server.received.in_flight == flying)
                going.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await going
                await until(lambda: server.received.in_flight == 0)
                assert server.received.cancelled == flying
                record = place.journal.run("case")
            assert (record.status, record.reason) == ("cancelled", "cancelled")
            assert record.outcome is not None
            assert record.outcome["status"] == "cancelled"
            kept = record.outcome["outcome"]["transcript"]
            asked = server.received.answered
            assert len(kept) == asked + 1

            async with mt.Workspace(store) as later:
                run = await later.resume("case")
            assert (run.status, run.ledger.total.from_journal) == ("done", asked)
            assert run.outcome.transcript[: len(kept)] == kept
            assert server.received.total == CALLS + flying

    asyncio.run(scenario())


def test_a_host_that_gives_up_waiting_cancels_the_run(tmp_path: Path) -> None:
    async def scenario() -> str:
        async with LoopbackServer(latency=30) as server:
            model = mt.ModelSpec(model="openai/tiny", api_base=server.base("openai"))
            async with mt.Workspace(tmp_path / "runs.db") as place:
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.5):
                        await place.run(debate(model), QUESTION, run_id="case")
                return place.journal.run("case").status

    assert asyncio.run(scenario()) == "cancelled"


def test_cancelling_one_of_many_runs_leaves_the_others_alone(script: ScriptedModel) -> None:
    class Stuck:
        async def complete(self, request: Any, on_text: Any = None) -> mt.LLMReply:
            await asyncio.Event().wait()
            raise AssertionError

        async def aclose(self) -> None:
            pass

    async def scenario() -> tuple[mt.Run, mt.Run, str]:
        async with mt.Workspace(backends={"scripted": script, "stuck": Stuck()}) as place:
            stuck = asyncio.create_task(place.run(debate("stuck/x"), QUESTION, run_id="stuck"))
            first = await place.run(debate(), QUESTION)
            stuck.cancel()
            second = await place.run(debate(), QUESTION)
            await asyncio.wait([stuck])
            return first, second, place.journal.run("stuck").status

    first, second, status = asyncio.run(scenario())
    assert (first.status, second.status, status) == ("done", "done", "cancelled")


# -- persons ------------------------------------------------------------------------------------------------------


def test_a_debate_with_persons_waits_for_each_and_goes_on_with_their_answers(
    script: ScriptedModel, tmp_path: Path
) -> None:
    talk = mt.Debate(
        [mt.Debater("Ada", "scripted/x"), mt.Debater("Eve", "person/eve")],
        judge=mt.Judge("June", "scripted/x"),
        rounds=2,
        probes="never",
    )

    async def go(answers: dict[str, str], *, again: bool) -> mt.Run:
        backends: dict[str, Any] = {"scripted": script, "person": mt.PersonBackend(answers=answers)}
        async with mt.Workspace(tmp_path / "runs.db", backends=backends) as place:
            return await (place.resume("case") if again else place.run(talk, QUESTION, run_id="case"))

    first = asyncio.run(go({}, again=False))
    assert (first.status, first.reason) == ("waiting", "waiting")
    assert first.error is not None
    assert "Eve is asked at 0/0/round1/Eve.argue" in first.error
    assert first.waiting is not None
    assert (first.waiting.address, "your turn" in first.waiting.question) == ("0/0/round1/Eve.argue", True)
    assert first.to_json()["waiting"]["address"] == "0/0/round1/Eve.argue"
    second = asyncio.run(go({"0/0/round1/Eve.argue": "I walk."}, again=True))
    assert second.status == "waiting"
    assert second.error is not None
    assert "0/0/round2/Eve.argue" in second.error
    third = asyncio.run(go({"0/0/round2/Eve.argue": "I still walk."}, again=True))
    assert third.status == "done"
    assert [turn.content for turn in third.turns if turn.speaker == "Eve"] == ["I walk.", "I still walk."]
    assert len(script.requests) == 3  # two turns and a verdict: nothing was asked twice


# -- told as it happens -------------------------------------------------------------------------------------------


def told(script: ScriptedModel, **options: Any) -> list[mt.Event | mt.Run]:
    async def listen() -> list[mt.Event | mt.Run]:
        async with mt.Workspace(backends={"scripted": script}) as place:
            return [event async for event in place.stream(debate(**options), QUESTION)]

    return asyncio.run(listen())


def test_a_stream_tells_text_call_and_turn_in_order_and_the_run_last(script: ScriptedModel) -> None:
    *events, run = told(script)
    assert isinstance(run, mt.Run)
    kinds = [event.kind for event in events if isinstance(event, mt.Event) and event.kind != "asking"]
    assert kinds == ["turn", *["text", "call", "turn"] * 6, "call", "turn", "outcome"]
    turns = [event.data for event in events if isinstance(event, mt.Event) and event.kind == "turn"]
    assert turns == run.outcome.transcript
    last = events[-1]
    assert isinstance(last, mt.Event)
    assert last.data == run.to_json()


def test_the_text_of_a_stream_is_what_the_turn_says(script: ScriptedModel) -> None:
    pieces: dict[str, str] = {}
    for event in told(script, order="simultaneous"):
        if isinstance(event, mt.Event) and event.kind == "text":
            pieces[event.at] = pieces.get(event.at, "") + event.data["text"]
    *_, run = told(script, order="simultaneous")
    assert isinstance(run, mt.Run)
    said = [turn.content for turn in run.turns if turn.speaker in ("Ada", "Bo")]
    assert sorted(pieces.values()) == sorted(said)


def test_an_error_of_the_caller_is_raised_from_the_stream(script: ScriptedModel) -> None:
    async def listen() -> None:
        async with mt.Workspace(backends={"scripted": script}) as place:
            async for _ in place.stream(debate(), {"topic": "cars"}):
                raise AssertionError

    with pytest.raises(mt.UsageError, match="debate has no input 'topic'"):
        asyncio.run(listen())
