"""What is kept of a run: a file that says the same as the program, and never a secret."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

import maieutic as mt
from maieutic.graphs import to_yaml
from maieutic.runs import FORMATS, definition_of, export, spec_of
from maieutic.runs.program import Program
from maieutic.testing import LoopbackServer, ScriptedModel
from maieutic.testing.faults import status

QUESTION = "Should cities ban cars?"


def debate(ada: mt.Agent | None = None, **params: Any) -> mt.Debate:
    first, second = ada or mt.Debater("Ada", "scripted/x"), mt.Debater("Bo", "scripted/x")
    return mt.Debate([first, second], judge=mt.Judge("June", "scripted/x"), **{"rounds": 1, **params})


PROGRAMS: dict[str, Callable[[], Program]] = {
    "plain": debate,
    "persona, sampling, stop words": lambda: debate(
        mt.Debater(
            "Ada",
            {"model": "scripted/x", "temperature": 0.2, "stop": ["END"], "extra": {"top_k": 3}},
            persona="A {cyclist}: she's 'fast'.",
        )
    ),
    "system prompt of its own": lambda: debate(
        mt.Debater("Ada", "scripted/x", prompt="You are {{ name }}.\n\nBe # ok")
    ),
    "stances and a brief": lambda: debate(stances={"Ada": "yes"}, personas={"June": "Strict"}, brief="{{ question }}!"),
    "votes and stop rules": lambda: debate(
        decide="ranked", tie="first", probes="each_round", stop=["agreement", ["stable", "judge"]], rounds=2
    ),
    "jury": lambda: mt.Debate(
        [mt.Debater("Ada", "scripted/x"), mt.Debater("Bo", "scripted/y")],
        jury=[mt.Judge(f"J{n}", "scripted/j") for n in range(3)],
        rounds=1,
    ),
    "self-consistency": lambda: mt.SelfConsistency([mt.Agent("solo", "scripted/x")], samples=3),
    "a single call": lambda: mt.SingleCall(mt.Agent("solo", "scripted/x"), options=["a", "b"], reasoning=False),
    "agent forest": lambda: mt.AgentForest(
        [mt.Agent("solo", "scripted/x")], samples=3, answers="open", temperature=None
    ),
    "self-refine": lambda: mt.SelfRefine(mt.Agent("solo", "scripted/x"), mt.Critic("cora", "scripted/y"), rounds=2),
    "solo performance": lambda: mt.SoloPerformance(mt.Agent("solo", "scripted/x"), participants=["a cook"]),
    "simulated": lambda: mt.Debate(
        [
            mt.Debater("Ada", {"model": "sim/debater", "seed": 1}),
            mt.Debater("Bo", {"model": "sim/debater", "seed": 2, "susceptibility": 0.9}),
        ]
    ),
}


def asked(program: Program, script: ScriptedModel) -> tuple[list[Any], mt.Run]:
    async def run() -> mt.Run:
        async with mt.Workspace(backends={"scripted": script}) as place:
            return await place.run(program, QUESTION, run_id="case")

    run_ = asyncio.run(run())
    requests, script.requests = script.requests, []
    return [(r.address.local, r.messages, r.model, r.output and r.output.model_json_schema()) for r in requests], run_


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_is_built_in_python_writes_a_file_that_asks_the_same(script: ScriptedModel, name: str) -> None:
    program = PROGRAMS[name]()
    spec = spec_of(program)
    assert spec is not None
    first, ran = asked(program, script)
    second, again = asked(mt.load(to_yaml(spec)), script)
    assert second == first
    assert again.outcome == ran.outcome


def test_a_definition_keeps_inputs_and_seed_and_loads_again(script: ScriptedModel) -> None:
    definition = definition_of(debate(), {"question": QUESTION, "options": ["yes", "no"]}, 7)
    assert (definition.inputs, definition.seed) == ({"question": QUESTION, "options": ["yes", "no"]}, 7)
    assert definition.program().inputs == {"question": True, "options": False}


class Reply(BaseModel):
    answer: str
    confidence: float


class Pirate(mt.Debater):
    """A role of one's own that goes by the name of an installed one."""

    templates = {"system": "Arr, I be {{ name }}."}  # noqa: RUF012


class Poet(mt.Debater):
    """A role of one's own that is not installed."""

    role = "poet"


class Short(mt.Debate):
    """A protocol of one's own under the name of an installed one."""

    def outcome(self, state: Any, reason: str | None = None) -> Any:
        return super().outcome(state, reason).model_copy(update={"answer": "short"})


INDESCRIBABLE: dict[str, Callable[[], Program]] = {
    "instructions by verb": lambda: debate(mt.Debater("Ada", "scripted/x", prompts={"argue": "Argue!"})),
    "typed reply of its own": lambda: debate(mt.Debater("Ada", "scripted/x", output=Reply)),
    "a role with templates of its own": lambda: debate(Pirate("Ada", "scripted/x")),
    "a role that is not installed": lambda: debate(Poet("Ada", "scripted/x")),
    "a name that no key can be": lambda: debate(mt.Debater("Zoë", "scripted/x")),
    "a protocol of its own": lambda: Short([mt.Debater("Ada", "scripted/x"), mt.Debater("Bo", "scripted/x")], rounds=1),
}


@pytest.mark.parametrize("name", INDESCRIBABLE)
def test_what_no_file_can_describe_runs_and_says_so_when_resumed(script: ScriptedModel, name: str) -> None:
    program = INDESCRIBABLE[name]()
    assert spec_of(program) is None

    async def run() -> None:
        async with mt.Workspace(backends={"scripted": script}) as place:
            first = await place.run(program, QUESTION, run_id="case")
            said = r"run case was made by a Python program that a graph file cannot describe; .*run_id='case'"
            for act in (place.resume("case"), place.replay("case"), place.fork("case", turn=1)):
                with pytest.raises(mt.UsageError, match=said):
                    await act
            again = await place.run(program, QUESTION, run_id="case", replay="only")  # as the message says
            assert again.outcome == first.outcome

    asyncio.run(run())


def test_a_graph_with_tools_of_its_own_says_what_is_missing_when_resumed(script: ScriptedModel) -> None:
    text = """
version: 1
name: looks-up
state:
  question: {type: str, input: true}
  answer: {type: str, default: ""}
graph:
  start: look
  nodes:
    look: {tool: lookup, with: {text: question}, writes: {answer: result}, next: end}
"""

    def lookup(text: str) -> str:
        return text.upper()

    async def run() -> None:
        async with mt.Workspace(backends={"scripted": script}) as place:
            graph = mt.load(text, tools={"lookup": lookup})
            run = await place.run(graph, QUESTION, run_id="case")
            assert run.answer == QUESTION.upper()
            with pytest.raises(mt.GraphFileError, match="lookup"):
                await place.resume("case")
            assert (await place.run(graph, QUESTION, run_id="case", replay="only")).answer == run.answer

    asyncio.run(run())


# -- secrets ------------------------------------------------------------------------------------------------------

KEY = "sk-7f3a9c-very-secret"


@pytest.mark.parametrize("lane", ["transforms", "acompletion"])
@pytest.mark.parametrize("faults", [[], [status(401, message=f"Incorrect API key provided: {KEY}")]], ids=["ok", "401"])
def test_a_key_is_never_written_down(
    faults: list[Any], lane: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    store = tmp_path / "store" / "runs.db"
    folder = [tmp_path / f"case.{format_}" for format_ in FORMATS]
    events: list[mt.Event] = []

    async def run() -> mt.Run:
        async with LoopbackServer(faults=faults, keys=[KEY]) as server:
            model = mt.ModelSpec.model_validate(
                {
                    "model": "openai/tiny",
                    "api_base": server.base("openai"),
                    "api_key": {"secret": "MY_KEY"},
                    "lane": lane,
                    "structured": "native",
                }
            )
            talk = mt.Debate([mt.Debater("Ada", model), mt.Debater("Bo", model)], rounds=1, probes="never", tie="first")
            async with mt.Workspace(store) as place:
                ended = await place.run(talk, QUESTION, run_id="case", on_event=events.append)
                record = place.journal.run("case")
                for format_, file in zip(FORMATS, folder, strict=True):
                    export(place.journal, record, format_, file)
                shown = repr([*place.journal.entries("case")]) + repr(record) + repr(events) + repr(ended)
                files = [*store.parent.iterdir(), *folder]  # the write-ahead log is among them
                assert len(files) >= 1 + len(FORMATS)
                assert KEY not in shown + str(ended.error) + str(ended.to_json())
                assert not [file.name for file in files if KEY.encode() in file.read_bytes()]
                assert "MY_KEY" in str(record.definition)
                return ended

    ended = asyncio.run(run())
    assert ended.status == ("failed" if faults else "done")
    assert KEY.encode() not in store.read_bytes()
    assert KEY not in "".join(capfd.readouterr())
