"""JSONL files as they are written and read, whatever stands in them."""

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from maieutic.errors import FileError
from maieutic.files.lines import read_lines, write_lines


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")

    word: str


class Row(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: str
    text: str = ""
    parts: tuple[Part, ...] = ()


@given(st.lists(st.tuples(st.text(), st.lists(st.text(), max_size=3)), min_size=1, max_size=5))
def test_what_was_written_is_read(rows: list[tuple[str, list[str]]]) -> None:
    made = [
        Row(id=str(k), text=text, parts=tuple(Part(word=word) for word in words))
        for k, (text, words) in enumerate(rows)
    ]
    with tempfile.TemporaryDirectory() as folder:
        assert read_lines(write_lines(Path(folder) / "rows.jsonl", made), Row, "row") == made


def problems(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "rows.jsonl"
    file.write_text(text, "utf-8")
    with pytest.raises(FileError) as failed:
        read_lines(file, Row, "row", parts={"parts": Part})
    return [problem.headline.partition("rows.jsonl")[2] for problem in failed.value.problems]


def test_every_fault_is_told_with_its_place(tmp_path: Path) -> None:
    good = json.dumps({"id": "a", "text": "x"})
    text = "\n".join(
        [
            good,
            '{"id": "b", "txet": "y"}',
            "",
            '{"id": "a"}',
            '{"id": "c", "id": "d"}',
            "3",
            '{"id": "e", "parts": [{"wrod": "z"}]}',
        ]
    )
    assert problems(tmp_path, text) == [
        ":2:13: unknown key 'txet' in the row; did you mean 'text'?",
        ":4:8: the id 'a' is taken, by the row on line 1; rename one of them",
        ":5:13: the key 'id' stands here a second time; it is already on line 5, column 2; keep one of them",
        ":6:1: a row is a mapping, not 3",
        ":7:24: unknown key 'wrod' in 'parts'; did you mean 'word'?",
    ]


def test_a_file_that_is_no_text_or_cannot_be_written(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(b'{"id": "a"}\n\xff\n')
    with pytest.raises(FileError, match="not UTF-8 text"):
        read_lines(file, Row, "row")
    with pytest.raises(FileError, match="cannot be written"):
        write_lines(tmp_path / "no" / "rows.jsonl", [Row(id="a")])


def test_windows_line_ends_and_a_byte_order_mark_do_not_matter(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(b'\xef\xbb\xbf{"id": "a"}\r\n\r\n{"id": "b"}\r\n')
    assert [row.id for row in read_lines(file, Row, "row")] == ["a", "b"]
