"""maieutic over a real vLLM, which serves the project's own tiny models.

    MAIEUTIC_VLLM_PYTHON=…/bin/python .venv/bin/pytest tests/vllm

CONTRIBUTING.md says how to make that environment on a machine without a GPU.
"""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field

import maieutic as mt
from maieutic.backends import Gateway, LLMReply, LLMRequest, probe
from maieutic.backends.tiny.arithmetic import items
from maieutic.backends.tiny.catalogue import WEIGHTS
from maieutic.memory import Address, Message
from maieutic.testing.engine import VARIABLE, Engine, long_context

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.timeout(900),
    pytest.mark.xdist_group("vllm"),
    pytest.mark.skipif(VARIABLE not in os.environ, reason=f"{VARIABLE} names no Python with vLLM"),
]

ROOT = Path(__file__).parents[2]
QUESTIONS = [mt.Item(**item) for item in items(180, seed=1)]


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Engine]]:
    long = long_context(WEIGHTS / "student", tmp_path_factory.mktemp("models") / "long", 16384)
    with ExitStack() as stack:
        made = {
            "student": Engine(WEIGHTS / "student", "student"),
            "second": Engine(WEIGHTS / "student", "student"),
            "teacher": Engine(WEIGHTS / "teacher", "teacher"),
            "long": Engine(long, "long", context=16384, flags=["--load-format", "dummy"]),
        }
        started = {name: stack.enter_context(engine) for name, engine in made.items()}
        yield {name: engine.ready(600) for name, engine in started.items()}  # a busy machine takes minutes


def served(name: str, *engines: Engine) -> dict[str, Any]:
    where = {"api_base": engines[0].base} if len(engines) == 1 else {"replicas": [engine.base for engine in engines]}
    return {"model": f"tiny/{name}", "max_concurrency": 16, **where}


def long_model(engines: dict[str, Engine], **settings: Any) -> mt.ModelSpec:
    given = {"max_tokens": 200, "temperature": 0.7, **settings}
    return mt.ModelSpec(model="hosted_vllm/long", api_base=engines["long"].base, **given)


async def ask(model: mt.ModelSpec, text: str, **options: Any) -> LLMReply:
    async with mt.Workspace() as workspace, workspace.place("one") as at:
        request = LLMRequest(model, (Message("user", text),), at.address / "ask", **options)
        return await at.gateway.complete(request)


def test_interventions_measure_the_same_as_in_the_process(engines: dict[str, Engine]) -> None:
    def table(teacher: Any, student: Any) -> str:
        protocol = mt.Interventions(
            mt.Teacher("Tea", teacher),
            mt.Student("Stu", student),
            QUESTIONS[:120],
            practice=QUESTIONS[120:],
            estimators=["student_model"],
            rankers=["random", "student_confidence", "expected_utility", "oracle"],
        )
        return protocol.run_sync().outcome.table()

    before = engines["student"].metric("request_success_total")
    over_vllm = table(served("teacher", engines["teacher"]), served("student", engines["student"]))
    assert engines["student"].metric("request_success_total") - before == 360
    assert over_vllm == table("tiny/teacher", "tiny/student")


def test_a_debate_with_typed_replies_and_a_warm_prefix_cache(engines: dict[str, Engine]) -> None:
    model, engine = long_model(engines), engines["long"]
    hits, read = engine.metric("prefix_cache_hits_total"), engine.metric("prefix_cache_queries_total")
    debate = mt.Debate(
        [mt.Debater("Ada", model), mt.Debater("Bo", model)],
        judge=mt.Judge("June", "sim/judge"),  # a network of noise never ends its reasons
        rounds=4,
        options=["yes", "no"],
        decide="judge",
    )
    run = debate.run_sync("Should cities ban cars?")
    assert run.error is None
    assert run.answer in ("yes", "no")
    assert all(0 <= turn.data.get("confidence", 0) <= 1 for turn in run.turns)
    share = (engine.metric("prefix_cache_hits_total") - hits) / (engine.metric("prefix_cache_queries_total") - read)
    print(f"prefix cache: {share:.0%} of the prompt tokens of a debate")  # noqa: T201
    assert share > 0.5


def test_a_lesson_by_question_and_answer(engines: dict[str, Engine]) -> None:
    model, engine = long_model(engines), engines["long"]
    before = engine.metric("request_success_total")
    lesson = mt.Interact(
        mt.Teacher("Ann", model),
        mt.Student("Bo", model),
        examiner=mt.Teacher("Eve", "sim/teacher"),
        source=ROOT / "examples" / "texts" / "the-sky.md",
        topic="astronomy",
        turns=2,
        conditions=["interaction"],
    )
    run = lesson.run_sync({})
    assert run.error is None
    assert len([turn for turn in run.outcome.transcript if turn["speaker"] in ("Ann", "Bo")]) >= 4
    assert engine.metric("request_success_total") - before > 4


def test_router_r1_goes_on_with_its_own_message(engines: dict[str, Engine]) -> None:
    from maieutic.protocols.routing import Candidate, Pool

    pool = Pool(candidates=[Candidate(name="Long", model=long_model(engines))])
    router = mt.Router("Rita", long_model(engines))
    for rendering in ("continue", "turns"):
        run = mt.RouterR1(router=router, pool=pool, rounds=2, rendering=rendering).run_sync("Who wrote Emma?")
        assert (run.status, run.reason, run.error) == ("done", "limit", None)


class Bounded(BaseModel):
    colour: str = Field(pattern="^[a-z]{1,8}$")
    count: int = Field(ge=0, le=9)


def test_a_schema_is_enforced_though_the_model_knows_none(engines: dict[str, Engine]) -> None:
    reply = asyncio.run(ask(long_model(engines), "Say what you like.", output=Bounded))
    assert isinstance(reply.data, Bounded)
    assert (reply.structure, reply.finish) == ("native", "stop")


def test_log_probabilities_are_those_of_the_network(engines: dict[str, Engine]) -> None:
    model = mt.ModelSpec(model="hosted_vllm/student", api_base=engines["student"].base, max_tokens=20, temperature=0)
    reply = asyncio.run(ask(model, "2 add-3 4 = ?", logprobs=3))
    assert reply.logprobs
    for token in reply.logprobs:
        assert token.logprob <= 0
        assert len(token.top) == 3
        assert sum(math.exp(value) for value in token.top.values()) <= 1.0001


def test_samples_are_the_same_in_one_request_and_in_many(engines: dict[str, Engine]) -> None:
    engine, paper = engines["long"], " ".join(f"Word {n} of a long paper." for n in range(150))

    async def draw(setting: str, question: str, seed: int | None = None) -> tuple[list[LLMReply], dict[str, float]]:
        names = ("request_params_n_count", "prefix_cache_hits_total", "prefix_cache_queries_total")
        model = long_model(engines, seed=seed, samples=setting, max_tokens=40)
        async with mt.Workspace() as workspace, workspace.place("one") as at:
            before = {name: engine.metric(name) for name in names}
            request = LLMRequest(model, (Message("user", question),), at.address / "ask")
            began = time.perf_counter()
            replies = await at.gateway.samples(request, 8)
            seconds = time.perf_counter() - began
        return replies, {name: engine.metric(name) - before[name] for name in names} | {"seconds": seconds}

    async def both() -> None:
        for number in range(2):  # the first warms the engine up
            told = {}
            for place, setting in enumerate(("together", "apart")):
                told[setting] = await draw(setting, f"{number}{place}: {paper}")  # of one length, and not cached
            cost = {setting: sum(r.usage.prompt or 0 for r in replies) for setting, (replies, _) in told.items()}
            print(cost, {setting: measured for setting, (_, measured) in told.items()})  # noqa: T201
        assert cost["apart"] == 8 * cost["together"]
        assert [told[setting][1]["request_params_n_count"] for setting in told] == [1, 8]
        # Short: vLLM's build for CPUs dies of a seed where a prompt is read in several steps.
        same = [(await draw(setting, "What is it?", seed=41))[0] for setting in ("together", "apart")]
        assert [reply.text for reply in same[0]] == [reply.text for reply in same[1]]
        assert len({reply.text for reply in same[0]}) == 8

    asyncio.run(both())


def test_a_stop_string_ends_the_reply_before_it(engines: dict[str, Engine]) -> None:
    model = mt.ModelSpec(model="hosted_vllm/student", api_base=engines["student"].base, max_tokens=20, temperature=0)
    whole = asyncio.run(ask(model, "2 add-3 4 = ?"))
    mark = whole.text[2:4]
    cut = asyncio.run(ask(model, "2 add-3 4 = ?", stop=(mark,)))
    assert cut.text == whole.text.partition(mark)[0] != whole.text
    assert cut.finish == "stop"


def test_text_comes_in_pieces_that_are_the_reply(engines: dict[str, Engine]) -> None:
    async def go() -> tuple[list[str], LLMReply]:
        pieces: list[str] = []
        async with mt.Workspace() as workspace, workspace.place("one") as at:
            request = LLMRequest(long_model(engines), (Message("user", "Hi"),), at.address / "ask")
            reply = await at.gateway.complete(request, lambda piece: pieces.append(piece.text))
        return pieces, reply

    pieces, reply = asyncio.run(go())
    assert len(pieces) > 5
    assert "".join(pieces) == reply.text
    assert reply.usage.completion is not None
    assert reply.usage.completion > 0


def test_a_cancelled_run_leaves_nothing_running_in_the_engine(engines: dict[str, Engine]) -> None:
    engine = engines["long"]
    model = long_model(engines, max_tokens=8000, extra={"ignore_eos": True})

    async def request(gateway: Gateway, at: Address, n: int) -> None:
        await gateway.complete(LLMRequest(model, (Message("user", f"{n}"),), at / f"ask{n}"))

    async def go() -> float:
        async with mt.Workspace() as workspace, workspace.place("one") as at, asyncio.TaskGroup() as group:
            calls = [group.create_task(request(at.gateway, at.address, n)) for n in range(8)]
            while (running := await asyncio.to_thread(engine.metric, "num_requests_running")) < 8:  # noqa: ASYNC110
                await asyncio.sleep(0.2)
            for call in calls:
                call.cancel()
        return running

    assert asyncio.run(go()) == 8
    until = time.monotonic() + 10
    while time.monotonic() < until and engine.metric("num_requests_running") > 0:
        time.sleep(0.2)
    assert engine.metric("num_requests_running") == 0


def test_doctor_finds_what_the_engine_can_do(engines: dict[str, Engine]) -> None:
    async def go() -> Any:
        async with mt.Workspace() as workspace:
            model = long_model(engines)
            return await probe(model, workspace.endpoints.backend(model))

    found = asyncio.run(go())
    assert {check.name: check.ok for check in found.checks if check.ok is not True} == {}


def test_one_of_two_replicas_is_killed_and_every_answer_is_right(engines: dict[str, Engine]) -> None:
    student = mt.Student("Stu", served("student", engines["student"], engines["second"]))

    async def answers(kill: bool) -> list[str]:
        done = 0

        async def answer(n: int, at: mt.Place) -> str:
            nonlocal done
            reply = await student.answer(QUESTIONS[n].question, at=at / f"q{n}")
            done += 1
            if kill and done == 40:
                await asyncio.to_thread(engines["second"].kill)
            return str(reply.text)

        async with mt.Workspace() as workspace, workspace.place("all") as at, asyncio.TaskGroup() as group:
            asked = [group.create_task(answer(n, at)) for n in range(len(QUESTIONS))]
        return [task.result() for task in asked]

    before = engines["second"].metric("request_success_total")
    whole = asyncio.run(answers(kill=False))
    assert engines["second"].metric("request_success_total") > before + 40
    assert asyncio.run(answers(kill=True)) == whole
