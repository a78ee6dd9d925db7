"""Routers where models are really called: embeddings and a prompted router over HTTP, and routed agents in graphs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from maieutic.agents import Router as PromptedRouter
from maieutic.backends import LLMRequest, ModelSpec, ScriptedModel, in_memory
from maieutic.backends.embeddings import embed
from maieutic.errors import GraphFileError, ModelError
from maieutic.graphs.graph import load_graph
from maieutic.protocols.routing import Pool
from maieutic.protocols.routing.routers import Bandit, Neighbours, Query, RoutingRecord, save_router
from maieutic.protocols.routing.routers.choosing import choose, vectors_of
from maieutic.runs import Workspace
from maieutic.testing import LoopbackServer
from maieutic.testing.plays import play

POOL = Pool.model_validate({"Small": {"model": "scripted/s"}, "Large": {"model": "scripted/l", "capability": "kings"}})


class Embeddings:
    """An embeddings endpoint on this machine: a text is (its length, how many e's it has)."""

    def __init__(self, *, status: int = 200, forget: bool = False) -> None:
        self.bodies: list[dict[str, Any]] = []
        self._status = status
        self._forget = forget

    async def serve(self, request: web.BaseRequest) -> web.Response:
        assert request.path == "/v1/embeddings"
        body = await request.json()
        self.bodies.append(body)
        if self._status != 200:
            return web.json_response({"error": {"message": "no such key: sk-very-secret"}}, status=self._status)
        rows = [
            {"object": "embedding", "index": n, "embedding": [float(len(text)), float(text.count("e"))]}
            for n, text in enumerate(body["input"])
        ]
        rows = rows[1:] if self._forget else rows[::-1]  # an order of its own
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        return web.json_response({"object": "list", "model": body["model"], "data": rows, "usage": usage})

    async def __aenter__(self) -> ModelSpec:
        self._runner = web.ServerRunner(web.Server(self.serve))
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        return ModelSpec(model="openai/embed-small", api_base=f"http://{host}:{port}/v1", retries=0)

    async def __aexit__(self, *failure: object) -> None:
        await self._runner.cleanup()


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")


def test_questions_are_embedded_over_http_and_the_router_chooses_by_them() -> None:
    server = Embeddings()
    records = [
        RoutingRecord(question=question, model=model, quality=float((model == "Large") == ("e" in question)))
        for question in ("eeee", "oooo")
        for model in POOL.names
    ]

    async def go() -> list[str]:
        async with server as spec, in_memory() as at:
            router = Neighbours(k=1, embedding=spec.model)
            router.fit(records, await vectors_of(spec, [r.question for r in records], at / "train"))
            return [
                (await choose(router, Query(text), POOL, at / text, embedding=spec)).name for text in ("eeeeee", "ii")
            ]

    assert asyncio.run(go()) == ["Large", "Small"]
    assert server.bodies[0]["input"] == ["eeee", "oooo"]  # each question once
    assert server.bodies[0]["model"] == "embed-small"


def test_embeddings_are_asked_in_parts_and_come_back_in_order() -> None:
    server = Embeddings()

    async def go() -> list[list[float]]:
        async with server as spec:
            return await embed(spec, ["e" * n for n in range(1, 131)])

    assert asyncio.run(go()) == [[float(n), float(n)] for n in range(1, 131)]
    assert [len(body["input"]) for body in server.bodies] == [64, 64, 2]


@pytest.mark.parametrize(
    ("server", "kind", "message"),
    [
        (Embeddings(status=401), "auth", "HTTP 401: no such key: \\*\\*\\*"),
        (Embeddings(status=500), "server", "HTTP 500"),
        (Embeddings(forget=True), "malformed", "1 embeddings came for 2 texts"),
    ],
)
def test_an_endpoint_that_fails_is_told_without_its_key(server: Embeddings, kind: str, message: str) -> None:
    async def go() -> None:
        async with server as spec:
            await embed(spec, ["one", "two"])

    with pytest.raises(ModelError, match=message) as failed:
        asyncio.run(go())
    assert failed.value.kind == kind
    assert "sk-very-secret" not in str(failed.value)


def test_a_resumed_run_does_not_embed_again(tmp_path: Path) -> None:
    server = Embeddings()

    async def go() -> Mapping[str, Any]:
        async with (
            server as spec,
            Workspace(tmp_path / "j.db") as workspace,
            workspace.place("embed", run_id="one") as at,
        ):
            return await vectors_of(spec, ["one", "two"], at)

    assert asyncio.run(go()) == asyncio.run(go()) == {"one": [3.0, 1.0], "two": [3.0, 0.0]}
    assert len(server.bodies) == 1


def test_a_prompted_router_reads_the_descriptions_over_http() -> None:
    with LoopbackServer(lambda request: json.dumps({"choice": "Large", "reason": "It knows kings."})) as server:
        router = PromptedRouter("router", {"model": "openai/gpt-5-mini", "api_base": server.base("openai")})

        async def go() -> Any:
            async with in_memory() as at:
                return await choose(router, Query("Which king was first?"), POOL, at)

        decision = asyncio.run(go())
        [asked] = server.received.requests
    assert decision.name == "Large"
    assert decision.reasons == ("openai/gpt-5-mini chose Large: It knows kings.",)
    assert "Which king was first?" in asked.messages[-1].content
    assert "Large: kings" in asked.messages[-1].content.replace("**", "").replace("`", "")


GRAPH = """
version: 1
name: routed
models:
  small: {model: scripted/small, price: {input: 1, output: 1}}
  large: {model: scripted/large, price: {input: 9, output: 9}}
agents:
  solver: {role: student, model: {router: ROUTER, pool: [small, large]}}
state: {question: {type: str, input: true}, answer: {type: str, default: ""}}
graph:
  start: solve
  nodes:
    solve: {agent: solver, does: answer, reads: [question], writes: {answer: reply.text}, next: end}
"""


def routed(router: str, *more: tuple[str, str]) -> str:
    text = GRAPH.replace("ROUTER", router)
    for old, new in more:
        assert old in text
        text = text.replace(old, new)
    return text


def test_the_router_of_a_graph_file_chooses_the_model_of_the_call() -> None:
    for router, model in (("cheapest", "scripted/small"), ("largest", "scripted/large")):
        played = play(routed(router), {"solver": ["It is Mars."]}, {"question": "Which planet?"})
        assert [request.model.model for request in played.requests] == [model]
        [told] = [event.data for event in played.events if event.kind == "routed"]
        assert told["name"] == model.removeprefix("scripted/")
        assert played.state["answer"] == "It is Mars."


def test_each_call_is_decided_anew_by_what_it_is_about(tmp_path: Path) -> None:
    bandit = Bandit({"explore": 0})
    bandit.fit(
        [
            RoutingRecord(
                question=f"{subject} {n}", model=model, quality=float((model == "large") == (subject == "king"))
            )
            for n in range(12)
            for subject in ("planet", "king")
            for model in ("small", "large")
        ]
    )
    save_router(bandit, tmp_path / "router.json")
    path = tmp_path / "graph.yaml"
    path.write_text(routed("bandit", ("[small, large]}", "[small, large], state: router.json}")), "utf-8")
    asked = [
        play(path, {"solver": ["."]}, {"question": q}).requests[0].model.model
        for q in ("Which planet has rings?", "Which king was beheaded?")
    ]
    assert asked == ["scripted/small", "scripted/large"]


def test_the_decision_is_journaled_and_a_resumed_run_repeats_it(tmp_path: Path) -> None:
    """The run fails after the decision. By then the router has learned otherwise, and the decision still stands."""
    path = tmp_path / "graph.yaml"
    path.write_text(routed("bandit", ("[small, large]}", "[small, large], state: router.json, explore: 0}")), "utf-8")
    asked: list[str] = []
    broken = True

    def reply(request: LLMRequest) -> str:
        asked.append(request.model.model)
        if broken:
            raise ModelError("gone", kind="auth")
        return "Mars."

    def teach(best: str) -> None:
        bandit = Bandit({"explore": 0})
        bandit.fit(
            [
                RoutingRecord(question=f"planet {n}", model=model, quality=float(model == best))
                for n in range(9)
                for model in ("small", "large")
            ]
        )
        save_router(bandit, tmp_path / "router.json")

    async def run() -> str:
        async with Workspace(tmp_path / "j.db", backends={"scripted": ScriptedModel(reply)}) as workspace:
            found = await workspace.run(load_graph(path), {"question": "Which planet?"}, run_id="one")
            return found.status

    teach("large")
    assert asyncio.run(run()) == "failed"
    teach("small")
    broken = False
    assert asyncio.run(run()) == "done"
    assert asked == ["scripted/large", "scripted/large"]


def test_estimates_and_explanations_know_the_router() -> None:
    from maieutic.graphs.explaining import explain

    graph = load_graph(routed("cheapest"))
    assert "solver, a student on whatever cheapest chooses from small, large, does 'answer'" in explain(graph, "solve")
    assert graph.agents["solver"].model.model == "scripted/large"  # the dearest stands for all


def test_a_routed_agent_stays_routed_in_another_role() -> None:
    graph = load_graph(routed("cheapest"))
    solver = graph.agents["solver"]
    assert solver.playing("critic").chooser is solver.chooser
    assert solver.dressed(persona="shy").chooser is solver.chooser


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("router: cheapest", "router: cheapst"), "unknown router 'cheapst'; did you mean 'cheapest'?"),
        (("[small, large]", "[small, larg]"), "unknown model 'larg'; did you mean 'large'?"),
        (("[small, large]", "[small, large, small]"), "the pool names a model twice"),
        (("[small, large]", "pool.yaml"), "there is no pool file 'pool.yaml'"),
        (("[small, large]", "[small, large], state: r.json"), "r.json cannot be read as a router: No such file"),
        (("[small, large]", "[small, large], floor: 0.5"), "floor belongs to the bandit; cheapest has no settings"),
        (
            ("[small, large]", "[small, large], flor: 0.5"),
            "unknown key 'flor' in agent 'solver'; did you mean 'floor'?",
        ),
        (("router: cheapest", "router: knn"), "router 'knn' decides by what it has learned; train it"),
        ((", pool: [small, large]", ""), "agent 'solver' needs the key 'pool'"),
        (("[small, large]", "[small]"), "model 'large' is never used"),
        (("[small, large]", "[]"), "at least 1 entry is expected here, not 0"),
    ],
)
def test_mistakes_in_the_file_are_told_with_their_place(change: tuple[str, str], message: str) -> None:
    with pytest.raises(GraphFileError) as failed:
        load_graph(routed("cheapest", change))
    assert message in str(failed.value)
    assert "<string>:" in str(failed.value)


def test_a_routed_file_writes_itself_and_takes_other_models() -> None:
    from maieutic.graphs import load_text, to_yaml
    from maieutic.runs import override

    spec = load_text(routed("bandit", ("[small, large]}", "[small, large], per_usd: 20}")))
    assert load_text(to_yaml(spec)) == spec
    assert set(override(spec, settings={"name": "other"}).models) == {"small", "large"}
    assert override(spec, models={"solver": "sim/student"}).agents["solver"].model == "solver_model"
