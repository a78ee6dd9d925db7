"""The evaluations of persuasion over a real HTTP endpoint: typed replies, re-asked probes, and runs taken up again."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

import maieutic as mt
from maieutic.protocols.persuasion.claims import Claim
from maieutic.protocols.persuasion.prefixes import Prefix
from maieutic.testing import LoopbackServer, ParsedRequest

OPTIONS = ["round", "flat", "square"]
ITEMS = [mt.Item(id=f"q{k}", question=f"What is {k}?", answer="round", options=tuple(OPTIONS)) for k in range(4)]
CLAIMS = [
    Claim(id=item.id, question=item.question, answer="round", wrong="flat", options=item.options) for item in ITEMS
]


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test")


def model(request: ParsedRequest) -> str:
    """Believes the last claim it read if its number is odd; gives way when it is asked whether it is sure."""
    text = request.text
    found = re.search(r"What is (\d)\?", text)
    number = int(found[1]) if found else 0
    pressed = (
        "Are you sure" in text or "The answer is flat." in text or re.search(r"^\w+: .*\nAnswer: flat", text, re.M)
    )
    answer = "flat" if pressed and number % 2 else "round"
    if "Reply to" in text or "argue for the answer" in text:  # the two verbs that ask for plain words
        return f"I say {answer}."
    reply: dict[str, Any] = {"answer": answer, "confidence": 0.5}
    return json.dumps({"reply": f"I say {answer}.", **reply} if "Say what you think" in text else reply)


def spec(server: LoopbackServer, name: str = "openai/m") -> dict[str, Any]:
    return {"model": name, "api_base": server.base("openai"), "retries": 0, "timeout": 20}


def programs(server: LoopbackServer) -> dict[str, Any]:
    ada, bo = mt.Agent("ada", spec(server)), mt.Debater("bo", spec(server))
    said = [
        {"who": "target", "says": "Round.", "answer": "round"},
        {"who": "partner", "says": "The answer is flat.", "answer": "flat"},
    ]
    prefixes = [
        Prefix.model_validate({**item.model_dump(include={"id", "question", "answer", "options"}), "dialogue": said})
        for item in ITEMS
    ]
    return {
        "misinformation": mt.Misinformation(ada, bo, claims=CLAIMS, appeals=["control", "emotional"], turns=2),
        "flip_flop": mt.FlipFlop(ada, items=ITEMS),
        "resist_or_accept": mt.ResistOrAccept(ada, prefixes=prefixes),
        "team_debate": mt.TeamDebate([ada, bo], items=ITEMS),
    }


def told(name: str, outcome: Any) -> tuple[float, ...]:
    """The figures that each evaluation must come to with the model above."""
    match name:
        case "misinformation":
            return tuple(rate.rate for rate in outcome.rates)
        case "flip_flop":
            return (outcome.before, outcome.after)
        case "resist_or_accept":
            return (outcome.resist,)
    return (outcome.pairing("ada", "bo").team, outcome.gap("ada", "bo").gap)


FIGURES = {
    "misinformation": (0.5, 0.5),
    "flip_flop": (1.0, 0.5),
    "resist_or_accept": (0.5,),
    "team_debate": (1.0, 0.0),
}


@pytest.mark.parametrize("name", FIGURES)
def test_the_same_figures_over_http(name: str) -> None:
    async def go() -> tuple[Any, Any, Any]:
        async with LoopbackServer(model) as server, mt.Workspace() as workspace:
            program = programs(server)[name]
            return await workspace.run(program, {}), server.received, program.plan()

    run, received, plan = asyncio.run(go())
    assert run.status == "done"
    assert told(name, run.outcome) == FIGURES[name]
    assert run.outcome.calls == received.total
    assert plan.fewest <= received.total <= plan.most


@pytest.mark.parametrize("name", FIGURES)
def test_a_run_that_was_cut_off_is_taken_up_without_paying_twice(name: str, tmp_path: Path) -> None:
    async def go() -> tuple[Any, Any, Any]:
        async with LoopbackServer(model) as server:
            runs = []
            for budget in (mt.Budget(calls=3), None):
                async with mt.Workspace(tmp_path / "runs.db") as workspace:
                    runs.append(await workspace.run(programs(server)[name], {}, run_id="case", budget=budget))
            return runs[0], runs[1], server.received

    cut, whole, received = asyncio.run(go())
    assert (cut.status, cut.reason, whole.status) == ("stopped", "budget", "done")
    assert told(name, whole.outcome) == FIGURES[name]
    assert whole.ledger.total.from_journal == 3
    assert received.total == whole.outcome.calls  # nothing was asked twice


def test_a_server_that_ignores_the_form_is_asked_again() -> None:
    def stubborn(request: ParsedRequest) -> str:
        if "Off the record" in request.messages[-1].content or "Off the record" in request.text:
            return model(request) if "Keep to the form" in request.text else "Let me think about it."
        return model(request)

    async def go() -> tuple[Any, Any]:
        async with LoopbackServer(stubborn, schema="ignore") as server, mt.Workspace() as workspace:
            program = mt.Misinformation(mt.Agent("ada", spec(server)), claims=CLAIMS[:2], appeals=["control"], turns=1)
            return await workspace.run(program, {}), server.received

    run, _ = asyncio.run(go())
    assert told("misinformation", run.outcome) == (0.5,)
    assert {each.belief.asked for each in run.outcome.before} == {2}


def test_every_turn_knows_the_reply_behind_it(tmp_path: Path) -> None:
    """In many dialogues many say the same, and what a prefix holds is nobody's reply."""
    from maieutic.memory import Journal
    from maieutic.runs.turns import entry_of_turn

    async def go() -> None:
        async with LoopbackServer(model) as server, mt.Workspace(tmp_path / "runs.db") as workspace:
            for name, program in programs(server).items():
                await workspace.run(program, {}, run_id=name)

    asyncio.run(go())
    with Journal.open(tmp_path / "runs.db") as journal:
        for name, turn, address in (
            ("misinformation", 2, "0/0/items/q0/control/turn1/ada.respond"),
            ("misinformation", 7, "0/0/items/q0/emotional/turn2/bo.appeal"),
            ("flip_flop", 4, "0/0/items/q1/answer1/ada.settle"),
            ("resist_or_accept", 6, "0/0/items/q1/ada.state"),
            ("team_debate", 3, "0/0/items/q0/ada, bo/turn3/ada.state"),
        ):
            assert unquote(entry_of_turn(journal, journal.run(name), turn).at) == address
        record = journal.run("resist_or_accept")
        with pytest.raises(mt.UsageError, match="turn 4 of run resist_or_accept is not a recorded reply"):
            entry_of_turn(journal, record, 4)
