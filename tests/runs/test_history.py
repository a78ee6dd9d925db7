"""Reading recorded runs and taking them out of the store."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import maieutic as mt
from maieutic.backends import LLMRequest
from maieutic.memory import Entry, RunRecord
from maieutic.runs import FORMATS, export, ledger_of, transcript_of
from maieutic.runs.turns import entry_of_turn
from maieutic.testing import ScriptedModel

QUESTION = "Should cities ban cars?"


def debate(model: str = "scripted/x") -> mt.Debate:
    debaters = [mt.Debater("Ada", model), mt.Debater("Bo", model)]
    return mt.Debate(debaters, judge=mt.Judge("June", model), rounds=2, probes="ends")


@pytest.fixture
def recorded(script: ScriptedModel, tmp_path: Path) -> Iterator[tuple[mt.Journal, RunRecord, mt.Run]]:
    """A store with one debate in it, called "case"."""

    async def run() -> mt.Run:
        async with mt.Workspace(tmp_path / "runs.db", backends={"scripted": script}) as place:
            return await place.run(debate(), QUESTION, run_id="case")

    ran = asyncio.run(run())
    with mt.Journal.open(tmp_path / "runs.db") as journal:
        yield journal, journal.run("case"), ran


Recorded = tuple[mt.Journal, RunRecord, mt.Run]


def exported(recorded: Recorded, format_: str, folder: Path) -> str:
    journal, record, _ = recorded
    export(journal, record, format_, folder / "case")
    return (folder / "case").read_text("utf-8")


def test_transcript_and_ledger_are_those_of_the_run(recorded: Recorded) -> None:
    journal, record, run = recorded
    assert transcript_of(journal, record) == run.turns
    assert ledger_of(journal, record).to_json() == run.ledger.to_json()


def test_a_run_that_never_closed_tells_what_was_answered(recorded: Recorded) -> None:
    journal, _, run = recorded
    journal.reopen("case")
    told = transcript_of(journal, journal.run("case"))
    assert sorted(t.speaker for t in told) == sorted(t.speaker for t in run.turns if t.speaker != "moderator")
    assert {t.content for t in run.turns if t.speaker == "Ada" and t.kind == "say"} <= {t.content for t in told}


# -- exports ------------------------------------------------------------------------------------------------------


def test_json_has_everything(recorded: Recorded, tmp_path: Path) -> None:
    _, record, run = recorded
    told = json.loads(exported(recorded, "json", tmp_path))
    assert told["outcome"] == run.outcome.model_dump(mode="json")
    assert told["ledger"] == run.ledger.to_json()
    assert told["definition"] == record.definition
    assert (told["id"], told["status"], told["reason"], told["parent"]) == ("case", "done", "answered", None)


def test_jsonl_has_a_turn_a_line(recorded: Recorded, tmp_path: Path) -> None:
    _, _, run = recorded
    lines = [json.loads(line) for line in exported(recorded, "jsonl", tmp_path).splitlines()]
    assert lines == [{"run": "case", **turn} for turn in run.turns.to_json()]


def test_markdown_is_the_dialogue_without_what_was_off_the_record(recorded: Recorded, tmp_path: Path) -> None:
    _, _, run = recorded
    text = exported(recorded, "markdown", tmp_path)
    assert text.startswith("# debate\n\nRun case, done (answered)\n")
    said = [t for t in run.turns if t.kind == "say"][1:]
    places = [text.index(f"**{t.speaker}:** {t.content}") for t in said]
    assert places == sorted(places)
    assert not any(t.content in text for t in run.turns if t.kind == "probe")
    assert text.endswith(f"**Outcome:** {run.answer}\n")
    assert "Simulated" not in text


def test_markdown_says_that_minds_were_simulated(tmp_path: Path) -> None:
    async def run() -> str:
        async with mt.Workspace() as place:
            await place.run(debate("sim/debater"), QUESTION, run_id="case")
            export(place.journal, place.journal.run("case"), "markdown", tmp_path / "case.md")
        return (tmp_path / "case.md").read_text("utf-8")

    assert "*Simulated: the replies come from simulated minds" in asyncio.run(run())


def test_the_graph_file_runs_the_same(recorded: Recorded, tmp_path: Path, script: ScriptedModel) -> None:
    _, _, run = recorded
    graph = mt.load(exported(recorded, "graph", tmp_path))
    again = asyncio.run(graph.run(QUESTION, backends={"scripted": script}))
    assert again.outcome == run.outcome


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_takes_a_run_that_has_not_ended(recorded: Recorded, format_: str, tmp_path: Path) -> None:
    journal, _, _ = recorded
    record = journal.reopen("case")
    export(journal, record, format_, tmp_path / "case")
    assert (tmp_path / "case").stat().st_size > 0


def test_an_unknown_format_is_told_with_those_there_are(recorded: Recorded, tmp_path: Path) -> None:
    journal, record, _ = recorded
    with pytest.raises(mt.UsageError, match="unknown format 'pdf'; there are: cassette, json, jsonl, markdown, graph"):
        export(journal, record, "pdf", tmp_path / "case.pdf")
    assert not (tmp_path / "case.pdf").exists()


# -- the reply behind a turn --------------------------------------------------------------------------------------


def test_every_turn_of_the_dialogue_has_its_reply(recorded: Recorded) -> None:
    journal, record, run = recorded
    found = [entry_of_turn(journal, record, n) for n in range(1, 6)]
    assert [entry.at for entry in found] == [
        "0/0/round1/Ada.argue",
        "0/0/round1/Bo.argue",
        "0/0/round2/Ada.argue",
        "0/0/round2/Bo.argue",
        "0/0/round2/June.verdict",
    ]
    said = [turn for turn in run.turns if turn.kind == "say"][1:]
    assert [entry.agent for entry in found] == [turn.speaker for turn in said]


@pytest.mark.parametrize("number", [-1, 0, 6])
def test_a_turn_that_is_not_there_is_told_with_how_many_there_are(recorded: Recorded, number: int) -> None:
    journal, record, _ = recorded
    with pytest.raises(mt.UsageError, match=rf"run case has 5 turns; there is no turn {number}$"):
        entry_of_turn(journal, record, number)


def test_who_says_the_same_twice_has_two_replies() -> None:
    def line(request: LLMRequest) -> str:
        return "Yes." if request.output is None else '{"answer": "yes", "reason": "So.", "confidence": 1}'

    async def run() -> list[Entry]:
        async with mt.Workspace(backends={"scripted": ScriptedModel(line)}) as place:
            await place.run(debate(), QUESTION, run_id="case")
            return [entry_of_turn(place.journal, place.journal.run("case"), n) for n in range(1, 6)]

    assert len({entry.at for entry in asyncio.run(run())}) == 5


def test_a_turn_that_no_one_was_asked_for_is_told() -> None:
    async def run() -> None:
        async with mt.Workspace() as place:
            turns = [{"speaker": "Ada", "content": "From elsewhere."}]
            record = RunRecord("case", "x", 0.0, "debate", status="done", outcome={"outcome": {"transcript": turns}})
            place.journal.begin(record)
            entry_of_turn(place.journal, record, 1)

    with pytest.raises(mt.UsageError, match="turn 1 of run case is not a recorded reply; name another turn"):
        asyncio.run(run())
