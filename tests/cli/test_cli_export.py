"""`maieutic export`: recorded trees as training data."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Maieutic = Callable[..., Result]

TREE = """\
version: 1
name: planets
models:
  strong: {model: sim/debater, knows: 1.0, seed: 1}
  weak: {model: sim/debater, knows: 0.0, misconceptions: 1.0, seed: 2}
agents:
  Ada: {role: debater, model: ADA}
  Bo: {role: debater, model: BO}
use: persuasion_tree
with: {debaters: [Ada, Bo]}
"""
QUESTION = ("-i", "question=How many planets move around the Sun?", "-i", 'accepted=["8", "eight"]')


def grown(maieutic: Maieutic, here: Path, ada: str, bo: str) -> None:
    (here / "tree.yaml").write_text(TREE.replace("ADA", ada).replace("BO", bo))
    result = maieutic("run", "tree.yaml", *QUESTION)
    assert result.exit_code == 0, result.output


@pytest.fixture
def trees(maieutic: Maieutic, here: Path) -> None:
    """A tree in which Bo should give way, and one in which he should not."""
    grown(maieutic, here, "strong", "weak")
    grown(maieutic, here, "weak", "strong")


@pytest.mark.usefixtures("trees")
def test_trees_become_pairs_of_both_kinds(maieutic: Maieutic, here: Path) -> None:
    result = maieutic("export", "all", "--to", "dpo", "-o", "pairs.jsonl", "--variant", "all")
    assert result.exit_code == 0, result.output
    rows = [json.loads(line) for line in (here / "pairs.jsonl").read_text("utf-8").splitlines()]
    assert {row["kind"] for row in rows} == {"resist", "accept"}
    assert {(row["kind"], row["chosen_stance"]) for row in rows if row["speaker"] == "Bo"} == {
        ("resist", "resist"), ("accept", "accept")}  # fmt: skip
    assert all("resist:" not in str(row["prompt"]) for row in rows)
    assert f"{len(rows)} pairs in 2 trees of 2 runs (" in result.stderr
    assert "[simulated]" in result.stderr
    assert "to pairs.jsonl." in result.stderr


@pytest.mark.usefixtures("trees")
def test_it_can_be_read_by_machines_and_says_nothing_when_quiet(maieutic: Maieutic, here: Path) -> None:
    words = ("export", "all", "--to", "verl", "-o", "pairs", "--variant", "accept", "--no-trim")
    told = json.loads(maieutic(*words, "--json").stdout)
    assert (told["runs"], told["trees"], told["kept"]["resist"]) == (2, 2, 0)
    assert sum(told["rows"].values()) == told["kept"]["accept"] == told["found"]["accept"] > 0
    assert [Path(name).parent.name for name in told["files"]] == ["pairs"]
    assert maieutic(*words, "-q").output == ""


@pytest.mark.usefixtures("trees")
def test_a_run_that_is_named_twice_counts_once(maieutic: Maieutic) -> None:
    told = maieutic("export", "last", "last", "--to", "dpo", "-o", "p.jsonl", "--variant", "all", "--json")
    assert json.loads(told.stdout)["runs"] == 1


@pytest.mark.usefixtures("trees")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("last", "--to", "dpo", "-o", "p.csv", "--variant", "all"), "name a file that ends in .jsonl or .parquet"),
        (("last", "--to", "sft", "-o", "p.jsonl"), "'sft' is not one of 'dpo', 'verl'"),
        (("last", "--to", "dpo", "-o", "p.jsonl", "--splits", "70/15"), "three shares that add up to 100"),
        (("last", "--to", "dpo", "-o", "p.jsonl", "--splits", "a/b/c"), "three shares that add up to 100"),
        (("last", "--to", "dpo", "-o", "p.jsonl", "--gap", "25"), "25.0 is not in the range 0<=x<=1"),
        (("nobody", "--to", "dpo", "-o", "p.jsonl"), "There is no run 'nobody'"),
        (("last", "--to", "dpo", "-o", "p.jsonl"), "none teaches to accept"),
    ],
)
def test_wrong_use_is_told(maieutic: Maieutic, words: tuple[str, ...], message: str) -> None:
    result = maieutic("export", *words)
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_journal_without_trees_says_where_they_come_from(maieutic: Maieutic) -> None:
    assert maieutic("debate", "Should cities ban cars?", "-q").exit_code == 0
    for name in ("all", "last"):
        result = maieutic("export", name, "--to", "dpo", "-o", "p.jsonl")
        assert result.exit_code == 2
        assert "persuasion_tree" in result.stderr
