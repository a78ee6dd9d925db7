"""Lists of items: JSONL, JSON and YAML, and every mistake with its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from maieutic.errors import ConceptFileError
from maieutic.memory.student.item_files import load_items
from maieutic.memory.student.items import Item

ITEMS = [
    Item(id="q1", question="1 + 1?", answer="2", options=("2", "3"), concepts=("add",), distractors={"3": "off"}),
    Item(id="q2", question="2 + 2?", answer="4", aliases=("four",), explains=None, guess=0.0),
]


def written(tmp_path: Path, name: str, text: str) -> Path:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return file


def told(file: Path, concepts: list[str] | None = None) -> list[str]:
    with pytest.raises(ConceptFileError) as caught:
        load_items(file, concepts)
    return [problem.headline.removeprefix(f"{file}:") for problem in caught.value.problems]


def plain(item: Item) -> dict[str, object]:
    return item.model_dump(mode="json", exclude_defaults=True)


def test_a_line_is_an_item(tmp_path: Path) -> None:
    text = "\r\n\n".join(json.dumps(plain(item)) for item in ITEMS)
    assert load_items(written(tmp_path, "items.jsonl", text)) == ITEMS


def test_json_and_yaml_hold_a_list_or_items_by_id(tmp_path: Path) -> None:
    rows = [plain(item) for item in ITEMS]
    by_id = {item.id: {key: value for key, value in plain(item).items() if key != "id"} for item in ITEMS}
    shapes: list[object] = [rows, by_id, {"items": rows}, {"items": by_id}]
    for data in shapes:
        for name in ("items.json", "items.yaml"):
            assert load_items(written(tmp_path, name, json.dumps(data))) == ITEMS


def test_the_items_of_a_concept_file_are_items_too(tmp_path: Path) -> None:
    items = [ITEMS[0], Item(id="q2", question="2 + 2?", answer="4", concepts=("add",))]
    by_id = {item.id: {key: value for key, value in plain(item).items() if key != "id"} for item in items}
    concepts = {"add": {"misconceptions": {"off": "off by one"}}}
    whole = json.dumps({"version": 1, "concepts": concepts, "items": by_id})
    for name in ("items.json", "items.yaml"):
        assert load_items(written(tmp_path, name, whole)) == items


def test_numbers_are_texts_as_they_are_written(tmp_path: Path) -> None:
    expected = [Item(id="7", answer="0.50", options=("0.50", "1"))]
    assert load_items(written(tmp_path, "a.yaml", "- {id: 7, answer: 0.50, options: [0.50, 1]}\n")) == expected
    assert load_items(written(tmp_path, "a.jsonl", '{"id": 7, "answer": 0.50, "options": [0.50, 1]}\n')) == expected


def test_every_wrong_line_is_told_with_its_place(tmp_path: Path) -> None:
    lines = [
        '{"id": "a", "answer": "2", "concepts": ["add"]}',
        '{"id": "b", "anwser": "2", "slip": 3}',
        '{"answer": "2"}',
        '["b"]',
        '{"id": "c"',
        '{"id": "d", "id": "e"}',
        '{"id": "a"}',
        '{"id": "f", "answer": "1", "options": ["2", "3"]}',
        '{"id": "g", "concepts": ["ad"]}',
        "5",
    ]
    assert told(written(tmp_path, "items.jsonl", "\n".join(lines)), ["add"]) == [
        "2:13: unknown key 'anwser' in the item; did you mean 'answer'?",
        "2:36: 3 is not a number from 0 to 1; write 0.03 for 3 %",
        "3:1: the item needs the key 'id'; give every item of a list its own id",
        "4:1: a mapping is expected here, not a list",
        "5:11: the line is not JSON: Expecting ',' delimiter; write one item a line",
        "6:13: the key 'id' stands here a second time; it is already on line 6, column 2; keep one of them",
        "7:8: the id 'a' is taken, by the item on line 1; rename one of them",
        "8:23: the answer '1' is not among the options; there are: 2, 3",
        "9:26: unknown concept 'ad'; did you mean 'add'?",
        "10:1: a mapping is expected here, not 5",
    ]


def test_a_caret_stands_under_what_is_wrong_in_a_line(tmp_path: Path) -> None:
    file = written(tmp_path, "items.jsonl", '{"id": "a"}\n{"id": "b", "anwser": "2"}\n')
    with pytest.raises(ConceptFileError) as caught:
        load_items(file)
    assert str(caught.value) == (
        f"{file}:2:13: unknown key 'anwser' in the item; did you mean 'answer'?\n"
        '    1 | {"id": "a"}\n'
        '    2 | {"id": "b", "anwser": "2"}\n'
        "      |             ^^^^^^^^\n"
        f"\n1 problem in {file}"
    )


def test_many_wrong_lines_are_counted(tmp_path: Path) -> None:
    found = told(written(tmp_path, "items.jsonl", "{}\n" * 70))
    assert len(found) == 51
    assert " 70 lines are wrong; the first 50 are told" in found


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.yaml", "5", "1:1: a file of items is a list, or a mapping of items by id; begin with - {id: "),
        ("a.yaml", "items: 5", "1:8: a list is expected here, not 5"),
        ("a.yaml", "{id: a, answer: b}", "1:6: a mapping is expected here, not 'a'"),
        ("a.yaml", "- {id: a}\n- {id: a}\n", "2:8: the id 'a' is taken, by the item on line 1; rename one of them"),
        ("a.yaml", "a: {id: a}\n", "1:5: unknown key 'id' in item 'a'; its id is the key above it"),
        ("a.yaml", "- {id: ''}\n", "1:8: a text that is not empty is expected here, not ''"),
        ("a.yaml", "- {id: a\n", "1:3: the YAML cannot be read"),
        ("a.json", "", "the file is empty; a file of items begins with - {id: "),
        ("a.jsonl", "\n\n", "the file is empty; write one item a line, as JSON"),
        ("a.jsonl", '{"id": "\\ud83d"}', "1:8: an escape \\ud800 to \\udfff is half a character"),
    ],
)
def test_a_file_of_the_wrong_shape_is_refused(tmp_path: Path, name: str, text: str, expected: str) -> None:
    file = written(tmp_path, name, text)
    assert told(file)[0].strip().startswith(expected)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConceptFileError, match=r"none\.jsonl: the file cannot be read: No such file"):
        load_items(tmp_path / "none.jsonl")
    (tmp_path / "latin.jsonl").write_bytes(b'{"id": "\xe9"}')
    with pytest.raises(ConceptFileError, match=r"latin\.jsonl:1:9: the file is not UTF-8 text"):
        load_items(tmp_path / "latin.jsonl")


def test_thousands_of_lines_are_read(tmp_path: Path) -> None:
    text = "".join(f'{{"id": "{i}", "answer": "{i}", "concepts": ["add"]}}\n' for i in range(5000))
    assert len(load_items(written(tmp_path, "items.jsonl", text), ["add"])) == 5000
