"""`maieutic eval`: what is shown, what it exits with, and what is said about wrong input."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

FILE = """version: 1
name: small
data: {bundled: questions}
models: {m: sim/debater}
agents: {ada: {role: debater, model: m}}
conditions:
  once: {use: single_call, with: {agent: ada}}
  thrice: {use: self_consistency, with: {agents: [ada], samples: 3}}
"""
Run = Callable[..., Result]


@pytest.fixture
def small(here: Path) -> Path:
    file = here / "small.yaml"
    file.write_text(FILE)
    return file


def test_a_table_comes_out_and_only_what_is_new_is_computed(maieutic: Run, small: Path) -> None:
    first = maieutic("eval", "small.yaml", "--limit", "3")
    assert first.exit_code == 0, first.stderr
    head, once, thrice = first.stdout.splitlines()
    assert head.split()[:5] == ["condition", "done", "failed", "stopped", "exact_match"]
    assert once.split()[:4] == ["once", "3/3", "0", "0"]
    assert thrice.split()[5] == "3.0"
    assert "small: 6/6 dialogues, 0 failed, 12 calls" in first.stderr
    assert "Simulated: " in first.stderr
    again = maieutic("eval", "small.yaml", "--limit", "4", "--json")
    told = json.loads(again.stdout)
    assert (told["status"], told["calls"], told["finished"]) == ("done", 4, 2)
    assert [c["done"] for c in told["conditions"]] == [4, 4]
    assert set(told["conditions"][0]["scores"]) == {"exact_match"}


def test_a_dry_run_calls_nothing_and_leaves_nothing(maieutic: Run, small: Path) -> None:
    told = maieutic("eval", "small.yaml", "--dry-run", "--repeats", "2")
    assert told.exit_code == 0
    rows = [line.split() for line in told.stdout.splitlines()]
    assert ["once", "366", "0", "366"] in [row[:4] for row in rows]
    assert ["together", "732", "0", "1.5k"] in [row[:4] for row in rows]
    assert not (small.parent / ".maieutic").exists()
    plan = json.loads(maieutic("eval", "small.yaml", "--dry-run", "--limit", "2", "--json").stdout)
    assert [c["calls"] for c in plan["conditions"]] == [[2, 2], [6, 6]]


def test_a_dry_run_tells_that_judges_are_asked_too(maieutic: Run, small: Path) -> None:
    judge = "models: [sim/judge, sim/critic], rubric: Is it good?"
    assert "judges" not in maieutic("eval", "small.yaml", "--dry-run").stdout
    small.write_text(FILE + f"scorers: [{{use: judge, {judge}}}, {{use: pairwise, against: once, {judge}}}]\n")
    told = maieutic("eval", "small.yaml", "--dry-run").stdout
    assert "Calls of judges come on top, for each dialogue: judge 2, pairwise 4." in told
    plan = json.loads(maieutic("eval", "small.yaml", "--dry-run", "--json").stdout)
    assert plan["judgements_each"] == {"judge": 2, "pairwise": 4}


def test_items_are_chosen_by_id(maieutic: Run, small: Path) -> None:
    told = maieutic("eval", "small.yaml", "--sample-id", "5", "--sample-id", "7", "--json")
    assert [c["done"] for c in json.loads(told.stdout)["conditions"]] == [2, 2]
    wrong = maieutic("eval", "small.yaml", "--sample-id", "nobody")
    assert wrong.exit_code == 2
    assert "There is no item 'nobody' in the data set." in wrong.stderr


def test_a_budget_stops_it_and_the_same_command_goes_on(maieutic: Run, small: Path) -> None:
    words = ("eval", "small.yaml", "--limit", "4")
    stopped = maieutic(*words, "--budget", "6 calls")
    assert stopped.exit_code == 3
    assert "The experiment's budget is 6 calls" in stopped.stderr
    assert "Go on with: maieutic eval small.yaml --limit 4" in stopped.stderr
    done = maieutic(*words, "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["calls"] == 16 - 6


def test_failures_are_told_and_can_be_tolerated(maieutic: Run, small: Path) -> None:
    small.write_text(
        FILE.replace("m: sim/debater", "m: {model: openai/none, api_base: http://127.0.0.1:9, retries: 0}")
    )
    words = ("eval", "small.yaml", "--limit", "2")
    failed = maieutic(*words, "--offline")
    assert failed.exit_code == 1
    assert "4 failed. Run them again with: maieutic eval small.yaml --limit 2 --retry-failed" in failed.stderr
    assert "4 × failed:UsageError, first small.once.1.0-" in failed.stderr
    tolerated = maieutic(*words, "--offline", "--fail-on-error", "4")
    assert tolerated.exit_code == 0
    ended = maieutic(*words, "--offline", "--retry-failed", "--fail-on-error", "10%", "--concurrency", "1")
    assert ended.exit_code == 1
    assert "1 of 4 dialogues failed, more than --fail-on-error allows" in ended.stderr


def test_what_goes_on_is_named_with_all_that_decides_what_is_computed(maieutic: Run, small: Path) -> None:
    words = ("eval", "small.yaml", "--run-id", "my own", "--repeats", "2", "--seed", "7", "--sample-id", "5")
    told = maieutic(*words, "--budget", "2 calls", "--concurrency", "1", "--store", "x.db")
    assert (
        "Go on with: maieutic eval small.yaml --run-id 'my own' --repeats 2 --seed 7 --sample-id 5 --store x.db"
        in told.stderr.splitlines()
    )


def test_failures_that_an_earlier_execution_left_are_not_taken_for_success(maieutic: Run, small: Path) -> None:
    small.write_text(FILE.replace("m: sim/debater", "m: {model: openai/none, api_base: http://127.0.0.1:9}"))
    words = ("eval", "small.yaml", "--limit", "2", "--offline")
    maieutic(*words)
    told = maieutic(*words, "--fail-on-error", "5%")
    assert told.exit_code == 1
    assert "4 of 4 dialogues failed, more than --fail-on-error allows." in told.stderr
    assert "4 × failed:UsageError, first small.once.1.0-" in told.stderr


def test_what_was_scored_again_is_told(maieutic: Run, small: Path) -> None:
    maieutic("eval", "small.yaml", "--limit", "2")
    small.write_text(FILE + "scorers: [exact_match, f1]\n")
    told = maieutic("eval", "small.yaml", "--limit", "3")
    assert "Scored 4 dialogues of earlier executions again, as scorers or targets have changed." in told.stderr
    assert "Scored" not in maieutic("eval", "small.yaml", "--limit", "3").stderr


def test_a_judge_that_fails_is_told_and_is_no_success(maieutic: Run, small: Path) -> None:
    small.write_text(FILE + "scorers: [{use: judge, models: sim/nobody, rubric: Is it right?}]\n")
    told = maieutic("eval", "small.yaml", "--limit", "1")
    assert told.exit_code == 1
    assert "The first judge of judge that failed: " in told.stderr
    assert "Have judged what is not with: maieutic eval small.yaml --limit 1" in told.stderr


@pytest.mark.parametrize("given", ["x", "120%", "1.5", "-1"])
def test_a_wrong_tolerance_is_told(maieutic: Run, small: Path, given: str) -> None:
    told = maieutic("eval", "small.yaml", "--fail-on-error", given)
    assert told.exit_code == 2
    assert "is neither a share such as 5% or 0.05 nor a number of dialogues such as 20" in told.stderr


def test_a_name_of_ones_own_keeps_results_apart(maieutic: Run, small: Path) -> None:
    maieutic("eval", "small.yaml", "--limit", "1")
    other = maieutic("eval", "small.yaml", "--limit", "1", "--run-id", "mine", "--json")
    assert json.loads(other.stdout)["calls"] == 4


def test_validate_and_schema_know_experiments(maieutic: Run, small: Path) -> None:
    fine = maieutic("validate", "small.yaml")
    assert fine.stdout == "small.yaml: ok (small: 2 conditions, repeats: 1)\n"
    small.write_text(FILE.replace("samples: 3", "sample: 3"))
    wrong = maieutic("validate", "small.yaml")
    assert wrong.exit_code == 2
    assert "small.yaml:8:" in wrong.stderr
    assert "self_consistency has no parameter 'sample'; did you mean 'samples'?" in wrong.stderr
    assert json.loads(maieutic("schema", "--experiments").stdout)["title"] == "maieutic experiment file"


def test_run_says_how_an_experiment_is_run(maieutic: Run, small: Path) -> None:
    told = maieutic("run", "small.yaml")
    assert told.exit_code == 2
    assert "small.yaml is an experiment file; run it with: maieutic eval small.yaml" in told.stderr


def test_a_file_that_is_no_experiment_is_told(maieutic: Run, here: Path) -> None:
    (here / "graph.yaml").write_text("version: 1\nname: g\nuse: debate\n")
    told = maieutic("eval", "graph.yaml")
    assert told.exit_code == 2
    assert "unknown key 'use' in the file" in told.stderr
    assert maieutic("eval", "nothing.yaml").exit_code == 2


def test_the_table_of_a_terminal_names_each_scorer_and_counts_as_done_what_is_done() -> None:
    from rich.console import Console

    from maieutic.cli.eval_display import table
    from maieutic.runs.experiments import Progress
    from maieutic.runs.experiments.store import Tally

    progress = Progress("cars", counts={"once": Tally(waiting=2, done=3, failed=1)})
    progress.scores = {("once", "exact_match"): [2.0, 3.0], ("once", "f1"): [3.0, 3.0]}
    console = Console(width=120)
    with console.capture() as shown:
        console.print(table(progress))
    head, once, line = shown.get().splitlines()
    assert head.split() == ["done", "failed", "in", "flight", "exact_match", "f1"]
    assert once.split()[2:] == ["3/6", "1", "0", "0.667", "1.000"]
    assert "cars: 4/6 dialogues, 1 failed" in line


def test_a_dry_run_never_tells_an_unknown_price_as_nothing(maieutic: Run, here: Path) -> None:
    models = "{m: {model: hosted_vllm/m, api_base: 'http://127.0.0.1:9/v1'}, s: sim/student}"
    conditions = "{asked: {use: single_call, with: {agent: a}}, simulated: {use: single_call, with: {agent: b}}}"
    text = f"version: 1\nname: priced\ndata: {{bundled: questions, limit: 2}}\nmodels: {models}\n"
    text += f"agents: {{a: {{role: student, model: m}}, b: {{role: student, model: s}}}}\nconditions: {conditions}\n"
    (here / "priced.yaml").write_text(text)
    told = maieutic("eval", "priced.yaml", "--dry-run")
    assert told.exit_code == 0, told.output
    costs = {words[0]: words[-1] for line in told.stdout.splitlines() if (words := line.split())}
    assert (costs["asked"], costs["simulated"], costs["together"]) == ("unknown", "$0", "unknown")


def test_workers_are_asked_for_with_ray(maieutic: Run, small: Path) -> None:
    told = maieutic("eval", "small.yaml", "--workers", "2")
    assert (told.exit_code, "--workers are workers on Ray; add --ray" in told.stderr) == (2, True)
