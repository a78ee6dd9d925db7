"""Running files, and taking up, replaying, branching off, reading and pruning what was recorded."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Maieutic = Callable[..., Result]

TUTOR = """\
version: 1
name: tutor
models:
  learning: {model: sim/student, knows: 0.2, seed: 1}
agents:
  student: {role: student, model: learning, output: {answer: str}}
state:
  question: {type: str, input: true, description: What is asked.}
  level: {type: int, input: true, default: 2, merge: add}
  answer: {type: str, default: ""}
graph:
  start: attempt
  nodes:
    attempt:
      agent: student
      does: answer
      reads: [question]
      writes: {answer: reply.answer, level: 1}
      next: end
"""
GATE = """\
version: 1
name: gate
agents:
  boss: {role: person}
state:
  question: {type: str, input: true}
  answer: {type: str, default: ""}
graph:
  start: ask
  nodes:
    ask:
      person: boss
      ask: "May {{ question }} go out?"
      writes: {answer: reply.text}
      next: end
"""


@pytest.fixture
def tutor(here: Path) -> str:
    (here / "tutor.yaml").write_text(TUTOR)
    return "tutor.yaml"


@pytest.fixture
def gate(here: Path) -> str:
    (here / "gate.yaml").write_text(GATE)
    return "gate.yaml"


@pytest.fixture
def debated(maieutic: Maieutic) -> str:
    """The id of a debate in the store."""
    return str(json.loads(maieutic("debate", "Tea or coffee?", "--rounds", "2", "--json").stdout)["id"])


def test_a_graph_file_runs_and_its_state_is_told(maieutic: Maieutic, tutor: str) -> None:
    done = maieutic("run", tutor, "-i", "question=From what does a star get its energy?")
    assert done.exit_code == 0, done.output
    assert "Answer: burning coal" in done.stdout
    assert "level = 3" in done.stdout


def test_inputs_have_their_declared_types_and_can_come_from_files(maieutic: Maieutic, tutor: str) -> None:
    Path("question.txt").write_text("12")
    done = maieutic("run", tutor, "-i", "question=@question.txt", "-i", "level=6", "--json")
    state = json.loads(done.stdout)["outcome"]["state"]
    assert state["question"] == "12"
    assert state["level"] == 7


def test_missing_inputs_are_listed_in_a_pipe(maieutic: Maieutic, tutor: str) -> None:
    done = maieutic("run", tutor)
    assert done.exit_code == 2
    assert "tutor needs an input:\n  -i question=…   str: What is asked." in done.stderr


def test_an_invalid_file_exits_with_2_and_shows_the_place(maieutic: Maieutic, tutor: str) -> None:
    Path(tutor).write_text(TUTOR.replace("next: end", "next: finish"))
    done = maieutic("run", tutor, "-i", "question=x")
    assert done.exit_code == 2
    assert "tutor.yaml:19:13: " in done.stderr
    assert "^^^^^^" in done.stderr


def test_a_failing_model_exits_with_1_and_keeps_the_run(maieutic: Maieutic, tutor: str) -> None:
    nobody = "{model: hosted_vllm/any, api_base: 'http://127.0.0.1:9/v1', retries: 0}"
    done = maieutic("run", tutor, "-i", "question=x", "--set", f"models.learning={nobody}")
    assert done.exit_code == 1, done.output
    assert "Failed: hosted_vllm/any at http://127.0.0.1:9/v1 failed once" in done.stderr
    assert "Ended: failed (failed:connection)" in done.stdout
    assert "maieutic resume" in done.stderr


def test_a_run_that_needs_a_person_waits_and_takes_the_answer_later(maieutic: Maieutic, gate: str) -> None:
    waiting = maieutic("run", gate, "-i", "question=The letter")
    assert waiting.exit_code == 4
    assert "--answer '" in waiting.stderr
    address = waiting.stderr.partition("--answer '")[2].partition("=")[0]
    done = maieutic("resume", "last", "--answer", f"{address}=yes, now")
    assert done.exit_code == 0, done.output
    assert "Answer: yes, now" in done.stdout


def test_a_person_answers_through_a_pipe(maieutic: Maieutic, gate: str) -> None:
    done = maieutic("run", gate, "-i", "question=The letter", typed="no\n")
    assert done.exit_code == 0, done.output
    assert "Answer: no" in done.stdout


def test_a_run_at_its_budget_is_resumed_with_more(maieutic: Maieutic) -> None:
    stopped = maieutic("debate", "Tea or coffee?", "--budget", "3k tokens", "--json")
    assert stopped.exit_code == 3
    told = json.loads(stopped.stdout)
    assert told["reason"] == "budget"
    still = maieutic("resume", told["id"], "-q")
    assert still.exit_code == 3
    done = maieutic("resume", told["id"][:-2], "--budget", "100k tokens", "--json")
    assert done.exit_code == 0, done.output
    again = json.loads(done.stdout)
    assert again["id"] == told["id"]
    assert again["ledger"]["total"]["from_journal"] >= told["ledger"]["total"]["calls"]


def test_a_paused_run_exits_with_4(maieutic: Maieutic) -> None:
    paused = ["--budget", "3k tokens", "--set", "limits.on_exceed=pause"]
    done = maieutic("debate", "Tea or coffee?", *paused)
    assert done.exit_code == 4, done.output
    assert "Go on with more: maieutic resume " in done.stderr


def test_a_replay_tells_the_same_and_writes_nothing(maieutic: Maieutic, debated: str) -> None:
    done = maieutic("replay", debated, "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["ledger"]["total"]["from_journal"] == told["ledger"]["total"]["calls"] > 0
    assert len(json.loads(maieutic("runs", "list", "--json").stdout)) == 1


def test_a_cassette_replays_anywhere(maieutic: Maieutic) -> None:
    first = maieutic("debate", "Tea or coffee?", "--record", "tea.jsonl", "--json")
    Path(".maieutic/journal.db").unlink()
    again = maieutic("replay", "tea.jsonl", "--json")
    assert again.exit_code == 0, again.output
    assert json.loads(again.stdout)["outcome"] == json.loads(first.stdout)["outcome"]


def test_a_replay_that_asks_for_something_else_exits_with_5(maieutic: Maieutic, tutor: str) -> None:
    question = ["-i", "question=From what does a star get its energy?"]
    maieutic("run", tutor, *question, "--record", "star.jsonl", "-q")
    same = maieutic("run", tutor, *question, "--replay", "star.jsonl", "-q")
    assert same.exit_code == 0, same.output
    other = maieutic("run", tutor, "-i", "question=What is the Sun?", "--replay", "star.jsonl")
    assert other.exit_code == 5
    assert "From what does a star get its energy?" in other.stderr


def test_a_fork_keeps_what_was_said_before(maieutic: Maieutic, debated: str) -> None:
    done = maieutic("fork", debated, "--turn", "3", "--model", "judge=sim/expert", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["id"] != debated
    old = json.loads(maieutic("runs", "show", debated, "--json").stdout)["outcome"]["transcript"]
    new = told["outcome"]["transcript"]
    spoken = [[t["content"] for t in turns if t.get("kind") != "probe"][:3] for turns in (old, new)]
    assert spoken[0] == spoken[1]
    listed = json.loads(maieutic("runs", "list", "--json").stdout)
    assert listed[0]["parent"] == debated


def test_a_fork_from_a_turn_that_is_not_there_is_wrong_usage(maieutic: Maieutic, debated: str) -> None:
    done = maieutic("fork", debated, "--turn", "99")
    assert done.exit_code == 2
    assert "has 5 turns; there is no turn 99" in done.stderr


def test_runs_are_listed_and_shown(maieutic: Maieutic, debated: str) -> None:
    table = maieutic("runs", "list").stdout
    assert debated in table
    assert "Tea or coffee?" in table
    assert "simulated" in table
    shown = maieutic("runs", "show")
    assert shown.exit_code == 0, shown.output
    assert "[simulated]" in shown.stdout
    assert "  1  Ada: " in shown.stdout
    assert "Answer: " in shown.stdout


def test_one_turn_is_shown_as_the_model_was_asked_for_it(maieutic: Maieutic, debated: str) -> None:
    shown = maieutic("runs", "show", debated, "--turn", "2").stdout
    assert "Turn 2 of " in shown
    assert "[system]" in shown
    assert "[reply]" in shown
    told = json.loads(maieutic("runs", "show", debated, "--turn", "2", "--json").stdout)
    assert told["agent"] == "Bo"
    assert told["messages"][0]["role"] == "system"


def test_the_ledger_is_shown_by_agent_and_model(maieutic: Maieutic, debated: str) -> None:
    shown = maieutic("runs", "show", "--ledger").stdout
    for word in ("Ada", "sim/debater", "together", "attempts"):
        assert word in shown
    assert json.loads(maieutic("runs", "show", "--ledger", "--json").stdout)["total"]["calls"] == 11


def test_the_path_is_shown_with_its_reasons(maieutic: Maieutic, tutor: str) -> None:
    maieutic("run", tutor, "-i", "question=x", "-q")
    assert "attempt → end" in maieutic("runs", "show", "--why").stdout


@pytest.mark.parametrize("format_", ["cassette", "json", "jsonl", "markdown", "graph"])
def test_a_run_is_exported(maieutic: Maieutic, debated: str, format_: str) -> None:
    written = maieutic("runs", "export", debated, "--format", format_)
    assert written.exit_code == 0, written.output
    assert written.stdout
    to_file = maieutic("runs", "export", "last", "--format", format_, "-o", "out")
    assert to_file.exit_code == 0
    assert Path("out").read_text() == written.stdout


def test_an_exported_cassette_is_imported_under_another_id(maieutic: Maieutic, debated: str) -> None:
    maieutic("runs", "export", debated, "-o", "tea.jsonl")
    name = maieutic("runs", "import", "tea.jsonl").stdout.strip()
    assert name.startswith(debated)
    assert name != debated


def test_pruning_says_what_goes(maieutic: Maieutic, debated: str) -> None:
    assert maieutic("runs", "prune").exit_code == 2
    would = maieutic("runs", "prune", "--keep", "0", "--dry-run").stdout
    assert "Would delete 1 run" in would
    assert debated in would
    assert "Deleted 1 run" in maieutic("runs", "prune", "last").stdout
    assert maieutic("runs", "list").exit_code == 0
    assert "'3 moons' is not an age such as 30m" in maieutic("runs", "prune", "--older-than", "3 moons").stderr


def test_a_sound_journal_needs_no_repair(maieutic: Maieutic, debated: str) -> None:
    assert "is sound" in maieutic("runs", "repair").stdout


def test_a_damaged_journal_is_repaired(maieutic: Maieutic, debated: str) -> None:
    file = Path(".maieutic/journal.db")
    raw = bytearray(file.read_bytes())
    raw[4096 * 3 : 4096 * 4] = b"\xff" * 4096
    file.write_bytes(raw)
    done = maieutic("runs", "repair")
    assert done.exit_code == 0, done.output
    assert "The damaged file is" in done.stdout


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["runs", "list"], 2, "There is no journal .maieutic/journal.db here yet"),
        (["resume", "nothing"], 2, "There is no journal"),
        (["replay", "nothing"], 2, "There is no journal"),
        (["runs", "repair"], 2, "There is no journal"),
        (["run", "nothing.yaml"], 2, "does not exist"),
        (["fork", "x"], 2, "Give --turn or --node"),
    ],
)
def test_wrong_usage_without_a_store(maieutic: Maieutic, words: list[str], code: int, message: str) -> None:
    done = maieutic(*words)
    assert done.exit_code == code
    assert message in done.stderr


def test_an_unknown_run_is_wrong_usage(maieutic: Maieutic, debated: str) -> None:
    done = maieutic("resume", "nothing")
    assert done.exit_code == 2
    assert "There is no run 'nothing' in this journal; `maieutic runs list` shows those there are." in done.stderr


def test_a_file_that_is_no_journal_is_refused(maieutic: Maieutic) -> None:
    Path("notes.txt").write_text("Not a journal, but a text of some length." * 200)
    done = maieutic("runs", "list", "--store", "notes.txt")
    assert done.exit_code == 1
    assert "notes.txt" in done.stderr
    assert "Traceback" not in done.stderr
