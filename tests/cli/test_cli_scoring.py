"""`maieutic score`, `maieutic report` and `maieutic runs diff`, as a user types them."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

import maieutic as mt
from maieutic.runs.experiments.experiment import Experiment

Maieutic = Callable[..., Result]

JUDGE = "{use: judge, models: sim/critic, rubric: 'Is it right?'}"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An experiment that was run: two ways to ask a simulated student, six questions, two repeats."""
    path = tmp_path_factory.mktemp("experiment") / "journal.db"
    student = mt.Student("Cy", {"model": "sim/student", "knows": 0.5, "guess": 0.3})
    ways = {name: mt.SelfConsistency([student], samples=n) for name, n in (("once", 1), ("vote", 3))}
    experiment = Experiment("asking", data={"bundled": "questions"}, conditions=ways, repeats=2)
    assert experiment.run_sync(path, limit=6).status == "done"
    return path


@pytest.fixture
def kept(store: Path, here: Path) -> str:
    """A copy of it in the working directory."""
    for path in store.parent.iterdir():
        shutil.copy(path, here / path.name)
    return "journal.db"


def test_dialogues_are_scored_again_and_a_judgement_is_paid_for_once(maieutic: Maieutic, kept: str) -> None:
    first = maieutic("score", "asking", "-s", "f1", "-s", JUDGE, "--store", kept)
    assert first.exit_code == 0, first.output
    assert "Scored 24 dialogues. Judges: 24 calls, $0." in first.output
    assert "maieutic report asking --store journal.db" in first.output
    again = json.loads(maieutic("score", "asking", "-s", JUDGE, "--store", kept, "--json", "-q").stdout)
    assert (again["scored"], again["calls"]) == (24, 0)
    told = json.loads(maieutic("report", "asking", "--store", kept, "--json").stdout)
    assert set(told["conditions"][0]["scores"]) == {"exact_match", "f1", "judge"}


def test_without_a_scorer_those_of_the_experiment_are_used(maieutic: Maieutic, kept: str) -> None:
    told = maieutic("score", "asking", "--condition", "vote", "--store", kept, "-q")
    assert told.stdout.strip() == "Scored 12 dialogues."


def test_a_budget_stops_judges_and_what_was_judged_is_kept(maieutic: Maieutic, kept: str) -> None:
    stopped = maieutic("score", "asking", "-s", JUDGE, "--budget", "5 calls", "--store", kept)
    assert stopped.exit_code == 3
    assert "5" in stopped.output
    done = json.loads(maieutic("score", "asking", "-s", JUDGE, "--store", kept, "--json", "-q").stdout)
    assert done["calls"] == 19


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-s", "exact_macth"], "unknown scorer 'exact_macth'; did you mean 'exact_match'?"),
        (["-s", "{use: numeric"], "--scorer '{use: numeric' is no YAML mapping"),
        (["-s", "{use: numeric, tolerance: x}"], "the scorer 'numeric': tolerance: Input should be a valid number"),
        (["-s", "f1", "-f", "journal.db"], "name scorers (--scorer) or a file that lists them (--file)"),
        (["--condition", "votes"], "there is no condition 'votes'; asking has: once, vote"),
        (["-s", "{use: pairwise, against: x, models: sim/critic, rubric: r}"], "no condition 'x' to compare with"),
        (["--budget", "5 steps"], "--budget: scoring has no steps"),
    ],
)
def test_what_cannot_be_scored_is_said(maieutic: Maieutic, kept: str, words: list[str], message: str) -> None:
    told = maieutic("score", "asking", *words, "--store", kept)
    assert told.exit_code == 2
    assert message in told.output


def test_an_experiment_that_is_not_there_is_said(maieutic: Maieutic, kept: str) -> None:
    for verb in ("score", "report"):
        assert "no experiment 'askign' in" in maieutic(verb, "askign", "--store", kept).output
        there_is_none = maieutic(verb, "asking", "--store", "none.db")
        assert there_is_none.exit_code == 2
        assert "There are no experiments in none.db yet" in there_is_none.output
    assert not Path("none.db").exists()


def test_a_report_tells_scores_costs_and_differences(maieutic: Maieutic, kept: str) -> None:
    told = maieutic("report", "asking", "--store", kept, "--detect", "0.1")
    assert told.exit_code == 0, told.output
    lines = told.stdout.splitlines()
    assert lines[0] == "asking: 2 conditions, 6 items, 24 dialogues [simulated]"
    assert lines[2].split() == ["condition", "runs", "exact_match", "calls", "tokens", "US", "dollars", "seconds"]
    assert any(line.startswith("vote − once") for line in lines)
    assert "For the same tokens, exact_match" in told.stdout
    assert "all others cost more" in told.stdout
    assert "Items that find a difference of 0.1 by exact_match 4 times of 5 (p < 0.05)" in told.stdout


def test_a_report_is_written_as_pages_and_files(maieutic: Maieutic, kept: str) -> None:
    files = ["--html", "site", "--csv", "out/a.csv", "--parquet", "out/a.parquet", "--plot", "out/p.svg"]
    told = maieutic("report", "asking", "--store", kept, *files, "--dialogues", "4")
    assert told.exit_code == 0, told.output
    for name in ("site/index.html", "site/items-1.html", "out/a.parquet", "out/p.svg"):
        assert Path(name).exists()
    assert len(list(Path("site/dialogues").iterdir())) == 4
    with Path("out/a.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == 24
    assert "Wrote 24 rows to out/a.csv." in told.stderr
    page = maieutic("report", "asking", "--store", kept, "--html", "page.html", "-q")
    assert page.stderr == ""
    assert "<svg" in Path("page.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--against", "x"], "there are no results of 'x'; there are some of: once, vote"),
        (["-s", "f1"], "nothing was scored by 'f1'; there are scores by: exact_match"),
        (["--html", "journal.db"], "--html journal.db is a file; name a folder"),
        (["--plot", "p.bmp"], "pictures are written as svg, png, pdf"),
        (["--test", "mcnemar"], "McNemar's test needs items that stand alone"),
        (["--detect", "0"], "a difference to be found is not 0"),
    ],
)
def test_what_cannot_be_reported_is_said(maieutic: Maieutic, kept: str, words: list[str], message: str) -> None:
    told = maieutic("report", "asking", "--store", kept, *words)
    assert message in told.output


def test_two_runs_stand_side_by_side(maieutic: Maieutic) -> None:
    for seed in ("1", "2"):
        assert maieutic("debate", "Should cities ban cars?", "--rounds", "1", "--seed", seed, "-q").exit_code == 0
    ids = [run["id"] for run in json.loads(maieutic("runs", "list", "--json").stdout)]
    told = maieutic("runs", "diff", ids[1])  # with the newest
    assert told.exit_code == 0, told.output
    assert ids[0] in told.stdout
    assert "The graph files differ:" in told.stdout
    assert "The dialogues part after" in told.stdout
    assert all(len(line) <= 120 for line in told.stdout.splitlines())
    same = maieutic("runs", "diff", "last", "last").stdout
    assert "The dialogues are the same." in same
    assert json.loads(maieutic("runs", "diff", *ids, "--json").stdout)["first"] == ids[0]
    assert maieutic("runs", "diff", *ids, "--html", "two.html").exit_code == 0
    assert Path("two.html").exists()
    assert "There is no run 'nope'" in maieutic("runs", "diff", "nope").output
