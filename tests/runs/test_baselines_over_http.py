"""The baselines over a real HTTP endpoint: forms, whole texts, embeddings, and runs that are taken up again."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

import maieutic as mt
from maieutic.testing import LoopbackServer, ParsedRequest


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test")


def mind(request: ParsedRequest) -> str:
    """Answers 40 and, once criticised, 42; the critic wants 42; the performer talks to itself."""
    asked, all_ = request.messages[-1].content, " ".join(m.content for m in request.messages)
    if "Review the draft" in asked:
        wrong = "Answer: 42" not in all_
        return json.dumps({"problem": "6 * 7 is 42." if wrong else "", "ok": not wrong})
    answer = "42" if "6 * 7 is 42." in all_ else "40"
    if "small team" in asked:
        said = [{"speaker": "A clerk", "says": "Six sevens."}]
        return json.dumps({"participants": ["A clerk"], "discussion": said, "answer": answer, "confidence": 0.9})
    if "finished answer" in asked:
        return f"It is {answer}, dear reader."
    return json.dumps({"reasoning": "So.", "answer": answer, "confidence": 0.6})


def model(server: LoopbackServer, name: str) -> dict[str, Any]:
    family: Any = "anthropic" if name.startswith("anthropic") else "openai"
    return {"model": name, "api_base": server.base(family), "retries": 0, "timeout": 20}


def programs(server: LoopbackServer, name: str) -> list[Any]:
    ann, cora = mt.Agent("ann", model(server, name)), mt.Critic("cora", model(server, name))
    return [
        mt.SingleCall(ann),
        mt.SingleCall(ann, answers="open"),
        mt.AgentForest([ann], samples=3),
        mt.AgentForest([ann], samples=3, answers="open"),
        mt.SelfRefine(ann),
        mt.SelfRefine(ann, cora, answers="open", rounds=1),
        mt.SoloPerformance(ann),
    ]


@pytest.mark.parametrize("name", ["openai/small", "anthropic/small", "hosted_vllm/small"])
def test_the_same_outcomes_whatever_the_endpoint(name: str) -> None:
    async def go() -> list[mt.Run[Any]]:
        async with LoopbackServer(mind) as server, mt.Workspace() as workspace:
            return [await workspace.run(program, "6 * 7?") for program in programs(server, name)]

    runs = asyncio.run(go())
    text = "It is {}, dear reader."
    assert [run.answer for run in runs] == ["40", text.format(40), "40", text.format(40), "42", text.format(42), "40"]
    assert [run.ledger.total.calls for run in runs] == [run.outcome.calls for run in runs] == [1, 1, 3, 3, 4, 3, 1]
    assert [run.reason for run in runs][4:6] == ["agreed", "limit"]


def test_a_refinement_that_was_cut_off_is_taken_up_without_paying_twice(tmp_path: Path) -> None:
    async def go() -> tuple[mt.Run[Any], mt.Run[Any], Any]:
        async with LoopbackServer(mind) as server:
            runs = []
            for budget in (mt.Budget(calls=2), None):
                async with mt.Workspace(tmp_path / "runs.db") as workspace:
                    program = mt.SelfRefine(mt.Agent("ann", model(server, "openai/small")))
                    runs.append(await workspace.run(program, "6 * 7?", run_id="case", budget=budget))
            return runs[0], runs[1], server.received

    cut, whole, received = asyncio.run(go())
    assert (cut.status, cut.answer, whole.status, whole.answer) == ("stopped", "40", "done", "42")
    assert [draft.problem for draft in cut.outcome.drafts] == ["6 * 7 is 42."]
    assert (received.total, max(received.by_body.values())) == (4, 1)
    assert whole.ledger.total.from_journal == 2


class Embeddings:
    """An embeddings endpoint: a text is (its length, 1), so that the middle length is most like the others."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    async def serve(self, request: web.BaseRequest) -> web.Response:
        body = await request.json()
        self.asked.append(body["input"])
        rows = [
            {"object": "embedding", "index": n, "embedding": [float(len(text)), 1.0]}
            for n, text in enumerate(body["input"])
        ]
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        return web.json_response({"object": "list", "model": body["model"], "data": rows, "usage": usage})

    async def __aenter__(self) -> str:
        self._runner = web.ServerRunner(web.Server(self.serve))
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}/v1"

    async def __aexit__(self, *failure: object) -> None:
        await self._runner.cleanup()


def test_open_answers_are_compared_by_embeddings_and_a_resumed_run_asks_for_them_once(tmp_path: Path) -> None:
    texts = ["a", "ab", "abcdefgh"]
    endpoint = Embeddings()

    async def go() -> list[mt.Run[Any]]:
        async with endpoint as base:
            embedding = {"model": "openai/embed", "api_base": base, "retries": 0}
            program = mt.AgentForest(
                [mt.Agent("ann", "scripted/a")], samples=3, answers="open", embedding=mt.ModelSpec(**embedding)
            )
            runs: list[mt.Run[Any]] = []
            for lines in ({"ann": texts}, {}):
                backends = {"scripted": mt.ScriptedModel(lines)}
                async with mt.Workspace(tmp_path / "runs.db", backends=backends) as workspace:
                    runs.append(await workspace.run(program, "Say something.", run_id="case"))
            return runs

    first, again = asyncio.run(go())
    assert first.answer == again.answer == "ab"
    assert first.outcome.decided_by.startswith("most like the 2 others (cosine, 0.")
    assert endpoint.asked == [texts]


def test_a_graph_file_names_an_embedding_model_by_its_string_or_its_settings() -> None:
    head = "version: 1\nname: x\nmodels: {m: sim/student}\nagents: {ann: {model: m}}\nuse: agent_forest\n"
    for embedding in ("openai/embed", "{model: openai/embed, api_base: 'http://127.0.0.1:1/v1'}"):
        with_ = f"with: {{agents: [ann], answers: open, embedding: {embedding}}}\n"
        assert mt.load(head + with_).plan().most == 10
