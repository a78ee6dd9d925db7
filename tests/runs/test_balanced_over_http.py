"""Balanced debaters over a real HTTP endpoint: what is sent, what it costs, and a run that is taken up again."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

import maieutic as mt
from maieutic.testing import LoopbackServer, ParsedRequest

OPTIONS = ["tabs", "spaces"]


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test")


def model(request: ParsedRequest) -> str:
    """Ada is for tabs, Bo for spaces; what is read first is found the most plausible, and spaces never quite wrong."""
    asked = request.messages[-1].content
    name = "Ada" if "You are Ada" in request.text else "Bo"
    if "Arguments:" in asked:
        first = asked.partition("Arguments:")[2].lstrip()
        tabs, spaces = (0.7, 0.4) if "say tabs" in first.splitlines()[0] else (0.1, 0.9)
        found = [{"answer": "tabs", "plausibility": tabs}, {"answer": "spaces", "plausibility": spaces}]
        return json.dumps({"plausibilities": found})
    settled = re.search(r'so your answer (?:is now|stays) "(\w+)"', asked)
    answer = settled[1] if settled else {"Ada": "tabs", "Bo": "spaces"}[name]
    if "Off the record" in asked:
        return json.dumps({"answer": answer, "confidence": 0.5})
    return f"{name} here: I say {answer}."


def debate(server: LoopbackServer) -> mt.Debate:
    spec = {"model": "openai/m", "api_base": server.base("openai"), "retries": 0, "timeout": 20}
    ada, bo = (mt.Debater(name, spec).balanced() for name in ("Ada", "Bo"))
    return mt.Debate([ada, bo], judge=None, rounds=2, first_round="blind", probes="ends", options=OPTIONS)


def run_once(path: Path | None = None, budget: mt.Budget | None = None) -> tuple[Any, list[ParsedRequest]]:
    async def go() -> tuple[Any, list[ParsedRequest]]:
        seen: list[ParsedRequest] = []

        def answered(request: ParsedRequest) -> str:
            seen.append(request)
            return model(request)

        async with LoopbackServer(answered) as server, mt.Workspace(path) as workspace:
            return await workspace.run(debate(server), "Tabs or spaces?", run_id="case", budget=budget), seen

    return asyncio.run(go())


def test_the_weighing_decides_whatever_the_order() -> None:
    run, seen = run_once()
    assert run.answer == "spaces"
    assert run.outcome.calls == len(seen) == run.ledger.total.calls
    weighed = [turn.data["weighed"] for turn in run.turns if "weighed" in turn.data]
    assert weighed[0]["plausible"] == {"spaces": 0.65, "tabs": 0.4}
    assert (weighed[0]["held"], weighed[0]["decided"]) == ("tabs", "spaces")


def test_what_is_weighed_carries_no_names_and_no_dialogue() -> None:
    _, seen = run_once()
    weighings = [request for request in seen if "Arguments:" in request.messages[-1].content]
    assert weighings
    for request in weighings:
        assert [message.role for message in request.messages] == ["system", "user"]
        arguments = request.messages[-1].content.partition("Arguments:")[2]
        assert "Ada" not in arguments
        assert "Bo" not in arguments


def test_a_balanced_debate_that_was_cut_off_buys_no_weighing_twice(tmp_path: Path) -> None:
    cut, first = run_once(tmp_path / "runs.db", mt.Budget(calls=7))
    whole, rest = run_once(tmp_path / "runs.db")
    assert (cut.status, whole.status) == ("stopped", "done")
    assert len(first) == 7
    assert len(first) + len(rest) == whole.outcome.calls
    assert whole.outcome.answer == run_once()[0].outcome.answer
