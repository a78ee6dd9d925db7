"""Data sets: every format gives the same items, and what cannot be read is told with its place."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from maieutic.errors import ExperimentFileError
from maieutic.runs.experiments import SampleItem
from maieutic.runs.experiments.data import DataSet
from maieutic.runs.experiments.spec import DataSpec

INPUTS = {"question": True, "options": False}
ROWS: list[dict[str, Any]] = [
    {"id": "a", "question": "2 + 2?", "answer": "4", "aliases": ["four"], "options": ["3", "4"], "family": "sums"},
    {"id": "b", "question": 'Who said "no, never"?', "answer": "Ada", "aliases": [], "options": [], "family": "words"},
]
ITEMS = [
    SampleItem("a", {"question": "2 + 2?", "options": ["3", "4"]}, ("4", "four"), ("3", "4"), "sums"),
    SampleItem("b", {"question": 'Who said "no, never"?'}, ("Ada",), (), "words"),
]


def read(folder: Path, **spec: Any) -> list[SampleItem]:
    return list(DataSet(DataSpec.model_validate(spec), folder, INPUTS))


def jsonl(path: Path) -> None:
    path.write_text("\ufeff" + "\n\n".join(json.dumps(row) for row in ROWS))


def table(path: Path, delimiter: str) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(ROWS[0])
        writer.writerows(["|".join(cell) if isinstance(cell, list) else cell for cell in row.values()] for row in ROWS)


def parquet(path: Path) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    pq.write_table(pa.Table.from_pylist(ROWS), path)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("q.jsonl", jsonl),
        ("q.ndjson", jsonl),
        ("q.csv", lambda path: table(path, ",")),
        ("q.tsv", lambda path: table(path, "\t")),
        ("q.parquet", parquet),
    ],
)
def test_every_format_gives_the_same_items(tmp_path: Path, name: str, write: Callable[[Path], None]) -> None:
    write(tmp_path / name)
    found = read(tmp_path, file=name)
    assert [(i.id, i.inputs["question"], i.target, i.options, i.family) for i in found] == [
        (i.id, i.inputs["question"], i.target, i.options, i.family) for i in ITEMS
    ]
    assert found[0] == ITEMS[0]


def test_columns_go_where_the_file_says(tmp_path: Path) -> None:
    row = {"number": 7, "stem": "Which?", "choices": ["x", "y"], "key": "x", "year": 2020, "book": "B1"}
    (tmp_path / "q.jsonl").write_text(json.dumps(row))
    (item,) = read(
        tmp_path,
        file="q.jsonl",
        id="number",
        inputs={"question": "stem"},
        target="key",
        options="choices",
        group="book",
    )
    assert item == SampleItem(
        "7", {"question": "Which?", "options": ["x", "y"]}, ("x",), ("x", "y"), group="B1", data={"year": 2020}
    )


@pytest.mark.parametrize("cell", ["x|y", '["x", "y"]'])
@pytest.mark.parametrize("spec", [{"options": "choices"}, {"inputs": {"question": "question", "options": "choices"}}])
def test_cells_of_several_texts_are_taken_apart_whatever_their_column_is_called(
    tmp_path: Path, cell: str, spec: dict[str, Any]
) -> None:
    with (tmp_path / "q.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["question", "choices", "also"], ["Which | of two?", cell, "a|b"]])
    (item,) = read(tmp_path, file="q.csv", aliases="also", **spec)
    assert (item.options, item.target) == (("x", "y"), ("a", "b"))
    assert item.inputs == {"question": "Which | of two?", "options": ["x", "y"]}


@pytest.mark.parametrize(
    ("answer", "target"),
    [("[0, 1]", ("[0, 1]",)), ('["ice", "frost"]', ("ice", "frost")), ([0, 1], ("0", "1")), ("[ice", ("[ice",))],
)
def test_a_target_in_brackets_is_several_only_if_it_lists_texts(
    tmp_path: Path, answer: Any, target: tuple[str, ...]
) -> None:
    (tmp_path / "q.jsonl").write_text(json.dumps({"question": "a", "answer": answer}))
    assert read(tmp_path, file="q.jsonl")[0].target == target


def test_rows_of_a_table_of_texts_are_chosen_by_numbers_too(tmp_path: Path) -> None:
    (tmp_path / "q.csv").write_text("question,grade\na,3\nb,4\nc,5\n")
    assert [i.id for i in read(tmp_path, file="q.csv", where={"grade": [3, 4]})] == ["1", "2"]


def test_rows_are_chosen_and_items_without_an_id_are_numbered(tmp_path: Path) -> None:
    rows = [{"question": f"q{n}", "level": n % 3} for n in range(9)]
    (tmp_path / "q.jsonl").write_text("\n".join(map(json.dumps, rows)))
    found = read(tmp_path, file="q.jsonl", where={"level": [0, 1]}, limit=4)
    assert [(i.id, i.inputs["question"]) for i in found] == [("1", "q0"), ("2", "q1"), ("3", "q3"), ("4", "q4")]
    assert found[0].data == {"level": 0}


def test_the_bundled_questions_have_options_and_families() -> None:
    found = read(Path(), bundled="questions", where={"family": "astronomy"})
    assert len(found) == 22
    assert found[0].target == ("nuclear fusion",)
    assert "nuclear fusion" in found[0].inputs["options"]


def test_a_data_set_of_the_hub_is_streamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    asked: list[Any] = []

    def load(name: str, config: str | None, **options: Any) -> Any:
        asked.append((name, config, options))
        return iter(ROWS)

    monkeypatch.setattr(datasets, "load_dataset", load)
    found = read(tmp_path, hub="ada/sums", config="main", split="test")
    assert found[0] == ITEMS[0]
    assert asked == [("ada/sums", "main", {"split": "test", "revision": None, "streaming": True})]


@pytest.mark.parametrize(
    ("name", "text", "spec", "wanted"),
    [
        ("q.jsonl", '{"question": "a"}\n{"question" "b"}', {}, "q.jsonl:2:13: this line is no JSON"),
        ("q.jsonl", '["a"]', {}, "q.jsonl:1: a line is a JSON object"),
        ("q.jsonl", "\n", {}, "q.jsonl has no items"),
        ("q.jsonl", '{"text": "a"}', {}, "q.jsonl:1: there is no column 'question', which the conditions need"),
        ("q.jsonl", '{"question": "a"}', {"target": "key"}, "q.jsonl:1: data: target: there is no column 'key'"),
        (
            "q.jsonl",
            '{"question": "a"}',
            {"inputs": ["questoin"]},
            "no condition has an input 'questoin'; did you mean",
        ),
        ("q.jsonl", '{"question": "a"}', {"where": {"levl": 1}}, "data: where: there is no column 'levl'"),
        ("q.jsonl", '{"question": "a", "x": 1}', {"where": {"x": 2}}, "data: where: no row has such values"),
        ("q.jsonl", '{"question": null}', {}, "q.jsonl:1: the column 'question' is empty (null), and the conditions"),
        ("q.csv", "question,answer\na,b,c\n", {}, "q.csv:2: this row has 3 cells, and there are 2 columns"),
        ("q.csv", 'question,answer\n"a,b\n', {}, "q.csv:2: this is no CSV"),
        ("q.csv", "question,question\na,b\n", {}, "q.csv:1: the column 'question' stands there twice"),
        ("q.parquet", "no parquet", {}, "q.parquet cannot be read as Parquet"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(
    tmp_path: Path, name: str, text: str, spec: dict[str, Any], wanted: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ExperimentFileError) as found:
        read(tmp_path, file=name, **spec)
    assert wanted in str(found.value)


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "q.jsonl").write_bytes(b'{"question": "\xff"}')
    with pytest.raises(ExperimentFileError, match="the file is not UTF-8 text"):
        read(tmp_path, file="q.jsonl")


def test_items_are_read_one_by_one(tmp_path: Path) -> None:
    (tmp_path / "q.jsonl").write_text('{"question": "a"}\n' * 3 + "broken")
    items = iter(DataSet(DataSpec(file="q.jsonl"), tmp_path, INPUTS))
    assert [next(items).id for _ in range(3)] == ["1", "2", "3"]
    with pytest.raises(ExperimentFileError, match=r"q\.jsonl:4:1"):
        next(items)


def test_an_item_is_the_same_after_writing_and_reading() -> None:
    assert [SampleItem.from_json(json.loads(json.dumps(item.to_json()))) for item in ITEMS] == ITEMS
