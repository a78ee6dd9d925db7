"""Every broken file names the exact places of what is wrong with it; its first lines say which."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from maieutic.errors import GraphFileError
from maieutic.files.problems import Problem
from maieutic.graphs.load import load_file

BROKEN = Path(__file__).parent / "broken"
FILES = sorted(BROKEN.glob("*.yaml"))
_EXPECTED = re.compile(r"# (?:(?P<file>[\w/.]+):)?(?P<line>\d+):(?P<column>\d+) (?P<message>.*)")


@pytest.fixture(autouse=True)
def beside_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BROKEN)
    monkeypatch.delenv("NOT_SET_ANYWHERE", raising=False)


def problems_of(path: Path) -> tuple[Problem, ...]:
    with pytest.raises(GraphFileError) as caught:
        load_file(Path(path.name))
    return caught.value.problems


def test_the_table_is_long() -> None:
    assert len(FILES) >= 60


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_broken_file_names_every_place(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    expected = [told.groupdict() for line in lines if (told := _EXPECTED.fullmatch(line))]
    assert expected, "the file begins with the problems that it has"
    found = [
        {
            "file": None if problem.file == path.name else problem.file,
            "line": str(problem.line),
            "column": str(problem.column),
            "message": problem.message,
        }
        for problem in problems_of(path)
    ]
    assert found == expected


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_excerpt_shows_the_line_and_a_caret_under_it(path: Path) -> None:
    for problem in problems_of(path):
        if not problem.source:
            continue
        *_, line, caret = str(problem).splitlines()
        assert line.startswith(f"{problem.line:>5} | ")
        assert set(caret.split("|", 1)[1].strip()) == {"^"}
        assert len(line) <= 128


def test_a_secret_in_clear_is_not_repeated() -> None:
    with pytest.raises(GraphFileError) as caught:
        load_file(Path("secret_as_text.yaml"))
    assert "sk-123" not in str(caught.value)
    assert "{secret: NAME}" in str(caught.value)


def test_a_number_where_a_text_belongs_is_told_to_be_quoted() -> None:
    (problem,) = problems_of(BROKEN / "protocol_unquoted_answer.yaml")
    assert problem.hint == "put it in quotes"


def test_all_problems_of_a_file_are_reported_at_once() -> None:
    with pytest.raises(GraphFileError) as caught:
        load_file(Path("many.yaml"))
    text = str(caught.value)
    assert len(caught.value.problems) == 10
    assert text.endswith("10 problems in many.yaml")
    assert [p.line for p in caught.value.problems] == sorted(p.line for p in caught.value.problems)


def test_a_problem_reads_like_the_style_guide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tutor.yaml").write_text(
        "\n" * 10
        + """version: 1
name: tutor
models: {m: sim/student}
agents: {s: {role: student, model: m}}
state: {tries: {type: int, default: 0}}
graph: {start: explain, nodes: {explain: {
      agent: s,
      does: ask,
      routes: [
        {when: tries < 3,
         to: explian}, {else: end}]}}}
""",
        encoding="utf-8",
    )
    with pytest.raises(GraphFileError) as caught:
        load_file(Path("tutor.yaml"))
    assert str(caught.value) == (
        "tutor.yaml:21:14: route to unknown node 'explian'; did you mean 'explain'?\n"
        "   20 |         {when: tries < 3,\n"
        "   21 |          to: explian}, {else: end}]}}}\n"
        "      |              ^^^^^^^\n"
        "\n"
        "1 problem in tutor.yaml"
    )


def test_a_missing_file_is_one_problem() -> None:
    with pytest.raises(GraphFileError, match=r"^nowhere\.yaml: the file cannot be read: No such file"):
        load_file(Path("nowhere.yaml"))


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(GraphFileError, match="the file cannot be read"):
        load_file(tmp_path)


def test_an_empty_file_says_how_to_begin(tmp_path: Path) -> None:
    for text in ("", "\n\n", "# only a comment\n"):
        (tmp_path / "empty.yaml").write_text(text, encoding="utf-8")
        with pytest.raises(GraphFileError, match="the file is empty; a graph file begins with version: 1"):
            load_file(tmp_path / "empty.yaml")


def test_a_file_that_is_not_utf8_names_the_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("latin.yaml").write_bytes(b"version: 1\nname: caf\xe9\n")
    with pytest.raises(
        GraphFileError, match=r"latin\.yaml:2:10: the file is not UTF-8 text: byte 0xe9; save it as UTF-8"
    ):
        load_file(Path("latin.yaml"))


def test_a_character_that_yaml_forbids_is_located(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bell.yaml").write_text("version: 1\nname: a\x07b\n", encoding="utf-8")
    with pytest.raises(GraphFileError, match=r"bell\.yaml:2:8: the character U\+0007 is not allowed in YAML"):
        load_file(Path("bell.yaml"))
