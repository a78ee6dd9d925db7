"""Recorded trees as training data: what is found, what is kept, where it is written, what is told when nothing is."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from maieutic.errors import UsageError
from maieutic.memory import MODERATOR, RunRecord, Turn
from maieutic.protocols.persuasion.pairs import Kind, PairRules
from maieutic.protocols.trees.tree import Node, Tree
from maieutic.runs.exporting import Selection, exported, pairs_in, trees_in, written


def tree(kind: Kind, question: str, accepted: tuple[str, ...] = ("land",)) -> Tree:
    """Ada argues for her answer; Bo keeps his in one reply and gives way in the other."""
    ada, bo = ("sea", "land") if kind == "resist" else ("land", "sea")

    def node(id_: str, speaker: str, ada: str | None, bo: str | None, stance: str | None = None) -> Node:
        turn = Turn(speaker, f"I say {ada if speaker == 'Ada' else bo}.") if id_ else Turn(MODERATOR, question)
        return Node(id_, turn, stance, answers={"Ada": ada, "Bo": bo})

    nodes = [
        node("", MODERATOR, None, None),
        node("0", "Ada", ada, None),
        node("0.0", "Bo", ada, bo),
        node("0.0.0", "Ada", ada, bo, "logical"),
        node("0.0.0.0", "Bo", ada, bo, "resist"),
        node("0.0.0.1", "Bo", ada, ada, "accept"),
    ]
    return Tree.of(question, nodes, accepted=accepted, agents=("Ada", "Bo"))


def record(id_: str, *trees: Tree, outcome: Any = None, simulated: bool = True) -> RunRecord:
    told = outcome if outcome is not None else {"results": [{"tree": each.to_json()} for each in trees]}
    if len(trees) == 1 and outcome is None:
        told = {"tree": trees[0].to_json()}
    return RunRecord(id_, "a tree", 0.0, "persuasion_tree", outcome={"outcome": told}, simulated=simulated)


def runs(resist: int, accept: int) -> list[RunRecord]:
    kinds: list[tuple[Kind, int]] = [("resist", n) for n in range(resist)] + [("accept", n) for n in range(accept)]
    return [record(f"{kind}{n}", tree(kind, f"{kind} {n}?")) for kind, n in kinds]


EVERYTHING = Selection("all")


def test_pairs_know_the_run_and_the_tree_that_they_come_from() -> None:
    one = record("r1", tree("resist", "Where?"))
    assert [(pair.run, pair.tree_at, pair.simulated) for pair in pairs_in(one)] == [("r1", "", True)]
    two = record("r2", tree("resist", "Where?"), tree("accept", "Whence?"), simulated=False)
    assert [path for path, _ in trees_in(two)] == ["results.0.tree", "results.1.tree"]
    assert [(pair.tree_at, pair.kind) for pair in pairs_in(two)] == [
        ("results.0.tree", "resist"), ("results.1.tree", "accept")]  # fmt: skip
    assert len({pair.id for each in (one, two) for pair in pairs_in(each)}) == 3


def test_an_export_counts_what_it_found_and_what_it_kept() -> None:
    found = exported(runs(60, 30), "dpo")
    assert (found.runs, found.trees, found.found) == (90, 90, {"resist": 60, "accept": 30})
    assert found.kept["resist"] == found.kept["accept"]
    assert 10 <= found.kept["accept"] <= 15
    assert sum(map(len, found.rows.values())) == 2 * found.kept["accept"]
    assert found.simulated
    assert found.to_json()["rows"] == {split: len(rows) for split, rows in found.rows.items()}


def test_all_rows_of_a_question_lie_in_one_split() -> None:
    rows = exported(runs(40, 40), "dpo", EVERYTHING).rows
    assert min(map(len, rows.values())) > 3
    questions = [{row["question"] for row in each} for each in rows.values()]
    assert not set.intersection(*questions)
    assert all(row["split"] == split for split, each in rows.items() for row in each)


def test_more_runs_move_no_question_to_another_split() -> None:
    few, many = (exported(runs(count, count), "dpo", EVERYTHING).rows for count in (10, 40))
    for split, rows in few.items():
        assert {row["question"] for row in rows} <= {row["question"] for row in many[split]}


@pytest.mark.parametrize("ending", [".jsonl", ".parquet"])
def test_a_file_holds_every_split(tmp_path: Path, ending: str) -> None:
    if ending == ".parquet":
        pytest.importorskip("pyarrow")
    found = exported(runs(9, 9), "dpo", EVERYTHING)
    [path] = written(found, tmp_path / f"pairs{ending}")
    if ending == ".jsonl":
        assert len(path.read_text("utf-8").splitlines()) == 18
    else:
        import pyarrow.parquet as pq  # type: ignore[import-not-found, import-untyped, unused-ignore]

        assert pq.read_table(path).num_rows == 18


def test_a_folder_holds_a_file_for_each_split_that_has_rows(tmp_path: Path) -> None:
    found = exported(runs(40, 40), "verl", EVERYTHING)
    paths = written(found, tmp_path / "new" / "pairs")
    assert sorted(path.name for path in paths) == ["test.jsonl", "train.jsonl", "validation.jsonl"]
    row = json.loads(paths[0].read_text("utf-8").splitlines()[0])
    assert row["extra_info"]["split"] == paths[0].stem
    alone = exported(runs(1, 0), "dpo", EVERYTHING)
    assert len(written(alone, tmp_path / "one")) == 1


def test_a_name_that_means_neither_a_file_of_rows_nor_a_folder_is_refused(tmp_path: Path) -> None:
    found = exported(runs(1, 1), "dpo", EVERYTHING)
    with pytest.raises(UsageError, match=r"pairs\.csv: name a file that ends in \.jsonl or \.parquet, or a folder"):
        written(found, tmp_path / "pairs.csv")
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot make the folder"):
        written(found, tmp_path / "file")


def test_a_run_that_never_closed_or_has_another_outcome_has_no_trees() -> None:
    assert list(trees_in(replace(runs(1, 0)[0], outcome=None))) == []
    assert list(trees_in(record("r", outcome={"answer": "x", "tree": "an oak"}))) == []


def test_without_trees_right_answers_or_pairs_it_is_said_what_is_missing() -> None:
    with pytest.raises(UsageError, match="no dialogue tree in r1; preference pairs come from runs of persuasion_tree"):
        exported([record("r1", outcome={"answer": "x"})], "dpo")
    with pytest.raises(UsageError, match=r"know no right answers, .* give the input `accepted`"):
        exported([record("r1", tree("resist", "Where?", accepted=()))], "dpo")
    with pytest.raises(UsageError, match=r"no pairs in 1 tree \(r1\): no two siblings differ by more than 0.5"):
        exported([record("r1", tree("accept", "Where?"))], "dpo", Selection(rules=PairRules(gap=0.5)))


def test_where_a_kind_is_missing_it_is_said_which_and_what_helps() -> None:
    with pytest.raises(
        UsageError, match="0 resist, 3 accept: none teaches to resist, and the variant combined has the"
    ):
        exported(runs(0, 3), "dpo")
    with pytest.raises(UsageError, match="none teaches to resist, and the variant resist is of that kind"):
        exported(runs(0, 3), "dpo", Selection("resist", trim=False))
    with pytest.raises(UsageError, match="no split has enough of both kinds for the variant combined"):
        exported(runs(1, 1), "dpo")
    assert exported(runs(0, 3), "dpo", Selection("accept", trim=False)).kept == {"resist": 0, "accept": 3}
