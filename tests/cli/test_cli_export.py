"""`maieutic export`: recorded runs as training data."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
    assert "to pairs.jsonl. What it is stands in pairs.card.md." in result.stderr


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
        (("last", "--to", "ppo", "-o", "p.jsonl"), "'ppo' is not one of 'sft', 'dpo', 'kto', 'prm', 'grpo', 'verl'"),
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


EXPERIMENT = """\
version: 1
name: asking
data: {bundled: questions, limit: 4}
models: {mind: {model: sim/student, knows: 0.5, guess: 0.2, seed: 3}}
agents: {cy: {role: student, model: mind}}
conditions:
  once: {use: self_consistency, with: {agents: [cy], samples: 1}}
  vote: {use: self_consistency, with: {agents: [cy], samples: 3}}
"""


@pytest.fixture
def experiment(maieutic: Maieutic, here: Path) -> None:
    """Four questions under two conditions."""
    (here / "asking.yaml").write_text(EXPERIMENT)
    result = maieutic("eval", "asking.yaml", "-q")
    assert result.exit_code == 0, result.output


@pytest.mark.usefixtures("experiment")
def test_an_experiment_is_exported_as_a_whole_by_its_runs_or_by_condition(maieutic: Maieutic, here: Path) -> None:
    def told(*words: str) -> dict[str, Any]:
        result = maieutic("export", *words, "--to", "kto", "-o", "rows.jsonl", "--json")
        assert result.exit_code == 0, result.output
        found: dict[str, Any] = json.loads(result.stdout)
        return found

    assert told("asking")["runs"] == told("all")["runs"] == 8
    once = told("asking", "--condition", "once", "--scorer", "exact_match")
    assert once["runs"] == 4
    rows = [json.loads(line) for line in (here / "rows.jsonl").read_text("utf-8").splitlines()]
    assert {(row["experiment"], row["condition"], row["label_from"]) for row in rows} == {
        ("asking", "once", "exact_match")}  # fmt: skip
    assert told(rows[0]["run"])["runs"] == 1
    [same, *_] = [json.loads(line) for line in (here / "rows.jsonl").read_text("utf-8").splitlines()]
    assert (same["item"], same["score"]) == (rows[0]["item"], rows[0]["score"])
    unknown = maieutic("export", "asking", "--condition", "twice", "--to", "sft", "-o", "rows.jsonl")
    assert (unknown.exit_code, "there is no condition 'twice'; asking has: once, vote" in unknown.stderr) == (2, True)


@pytest.mark.usefixtures("experiment")
def test_a_card_lies_beside_the_rows(maieutic: Maieutic, here: Path) -> None:
    words = ("export", "asking", "--to", "sft", "--min-score", "1", "--agent", "cy")
    told = json.loads(maieutic(*words, "-o", "rows", "--json").stdout)
    assert told["card"] == "rows/CARD.md"
    card = (here / "rows" / "CARD.md").read_text("utf-8")
    assert f"- left out: {told['left_out']['scored below 1']} runs, scored below 1" in card
    assert "- only cy" in card
    result = maieutic(*words, "-o", "rows.jsonl")
    assert f"Left out {told['left_out']['scored below 1']} runs: scored below 1." in result.stderr
    assert "What it is stands in rows.card.md." in result.stderr
    assert (here / "rows.card.md").is_file()


@pytest.mark.usefixtures("experiment")
def test_what_runs_cannot_be_exported_as_says_what_they_can(maieutic: Maieutic) -> None:
    result = maieutic("export", "asking", "--to", "grpo", "-o", "rows.jsonl")
    assert result.exit_code == 2
    assert "they can be exported as: sft, kto, prm" in result.stderr
    assert maieutic("export", "all", "--to", "grpo", "-o", "rows.jsonl").exit_code == 2
    nobody = maieutic("export", "asking", "--to", "sft", "--agent", "zed", "-o", "rows.jsonl")
    assert nobody.exit_code == 2
    assert nobody.stderr.rstrip().endswith("; in them speak: cy")


@pytest.mark.usefixtures("experiment")
def test_an_export_into_a_folder_replaces_an_earlier_one_whole(maieutic: Maieutic, here: Path) -> None:
    def files(splits: str) -> set[str]:
        assert maieutic("export", "asking", "--to", "sft", "-o", "rows", "--splits", splits).exit_code == 0
        return {path.name for path in (here / "rows").iterdir()}

    assert files("0/0/100") == {"test.jsonl", "CARD.md"}
    (here / "rows" / "notes.txt").write_text("mine")
    assert files("100/0/0") == {"train.jsonl", "CARD.md", "notes.txt"}
