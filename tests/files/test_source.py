"""YAML with places: the 1.2 meaning of scalars, anchors, and nothing but our own errors whatever the text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.errors import GraphFileError
from maieutic.files.sheet import Sheet
from maieutic.files.source import Form, Node, parse
from maieutic.graphs.load import load_text


def tree(text: str) -> Node:
    source, problems = parse(text, "f.yaml")
    assert problems == []
    assert source.root is not None
    return source.root


@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        ("yes", "yes"),
        ("off", "off"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("-3", -3),
        ("1_000", "1_000"),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("2026-11-21", "2026-11-21"),
        ("12:30", "12:30"),
        ('"5"', "5"),
        ("'true'", "true"),
        ("200k", "200k"),
    ],
)
def test_plain_scalars_mean_what_yaml_1_2_says(scalar: str, value: Any) -> None:
    found = tree(f"key: {scalar}\n").plain()["key"]
    assert found == value
    assert type(found) is type(value)


def test_escapes_as_json_writes_them_are_one_character() -> None:
    assert tree('a: "\\ud83d\\ude00"').plain() == {"a": "😀"}
    _, (problem,) = parse('a: "\\ud83d"', "f.yaml")
    assert problem.headline.startswith("f.yaml:1:4: an escape \\ud800 to \\udfff is half a character; write")


def test_messages_call_the_file_by_its_kind() -> None:
    form = Form("a shopping list", "milk")
    problems = [parse(text, "f.yaml", form)[1][0].headline for text in ("", "---\na\n---\nb", "!!set {a}")]
    assert problems == [
        "f.yaml: the file is empty; a shopping list begins with milk",
        "f.yaml:3:1: a second document begins here; a shopping list is one document; remove the ---",
        "f.yaml:1:1: the tag !!set is not allowed; a shopping list is plain data; remove the tag",
    ]


def test_a_kind_of_file_may_take_numbers_as_keys() -> None:
    source, problems = parse("{0.50: a, 7: b}", "f.yaml", Form(keys_as_written=True))
    assert problems == []
    assert source.root is not None
    assert source.root.plain() == {"0.50": "a", "7": "b"}
    _, (problem,) = parse("{no: a}", "f.yaml", Form(keys_as_written=True))
    assert "'no' must not be a key" in problem.message
    assert problem.hint == "put it in quotes"


def test_every_key_and_value_has_its_place() -> None:
    source, _ = parse("a: 1\nb:\n  - x\n  - {c: 'two words'}\n", "f.yaml")
    sheet = Sheet(source)
    places = [
        (sheet.place(path, key=key).line, sheet.place(path, key=key).column)
        for path, key in [
            (("a",), True),
            (("a",), False),
            (("b", 0), False),
            (("b", 1, "c"), True),
            (("b", 1, "c"), False),
        ]
    ]
    assert places == [(1, 1), (1, 4), (3, 5), (4, 6), (4, 9)]


def test_a_path_that_ends_early_is_placed_at_what_there_is() -> None:
    source, _ = parse("a:\n  b: 1\n", "f.yaml")
    place = Sheet(source).place(("a", "c", "d"))
    assert (place.line, place.column) == (1, 1)


def test_anchors_aliases_and_merges_are_unfolded() -> None:
    text = "x-base: &base {model: sim/student, seed: 1}\nm: {<<: *base, seed: 2}\nn: *base\n"
    plain = tree(text + "l: {<<: [{a: 1}, {a: 2, b: 3}]}\n").plain()
    assert plain["m"] == {"model": "sim/student", "seed": 2}
    assert plain["n"] == {"model": "sim/student", "seed": 1}
    assert plain["l"] == {"a": 1, "b": 3}


def test_a_byte_order_mark_is_no_content() -> None:
    assert tree("\ufeffa: 1\n").plain() == {"a": 1}


def test_deep_nesting_is_refused_and_not_followed() -> None:
    with pytest.raises(GraphFileError, match="nested more than 100 deep"):
        load_text("a: " + "[" * 5_000)


def test_a_huge_file_is_refused() -> None:
    with pytest.raises(GraphFileError, match="more than 1000000 characters"):
        load_text("#" * 1_000_001)


VALID = """version: 1
name: lesson
x-note: &note {role: student, model: m}
models: {m: sim/student}
agents:
  student: *note
state:
  question: {type: str, input: true}
  answer: {type: str, default: ""}
graph:
  start: ask
  nodes:
    ask:
      agent: student
      does: answer
      reads: [question]
      writes: {answer: reply.text}
      routes:
        - {when: answer != '', to: end}
        - else: ask
      visits: {max: 3, then: end}
limits: {tokens: 200k}
"""
PIECES = [
    *VALID.split(),
    "\n",
    "\n  ",
    "\n    ",
    ": ",
    "- ",
    "{",
    "}",
    "[",
    "]",
    "&a ",
    "*a ",
    "!!python/name:os.system ",
    "|\n",
    ">\n",
    "'",
    '"',
    "<<: ",
    "%YAML 1.1\n",
    "---\n",
    "...\n",
    "\t",
    "#",
    "? ",
    "null",
    "0x",
    "1e999",
    "${env:",
    "\x85",
    "🎉",
    "on: ",
    "!<x>",
    "&",
    "*",
    ",",
    "@",
    "`",
    "\\",
    "\r",
]


def load_or_refuse(text: str) -> None:
    try:
        load_text(text, env={})
    except GraphFileError as error:
        assert str(error)  # noqa: PT017 (it renders, whatever the text was)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200))
def test_any_text_loads_or_is_refused(text: str) -> None:
    load_or_refuse(text)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_any_pieces_of_yaml_load_or_are_refused(text: str) -> None:
    load_or_refuse(text)


@settings(max_examples=500, deadline=None)
@given(st.integers(0, len(VALID)), st.integers(0, 12), st.lists(st.sampled_from(PIECES), max_size=2).map("".join))
def test_any_damaged_file_loads_or_is_refused(at: int, gone: int, instead: str) -> None:
    load_or_refuse(VALID[:at] + instead + VALID[at + gone :])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
PATHS = ["version", "name", "models", "agents", "state", "graph", "limits", "use", "with", "seed", "x-note"]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(PATHS), json_values, st.booleans())
def test_any_value_at_any_key_loads_or_is_refused(key: str, value: Any, inside: bool) -> None:
    import json

    plain = tree(VALID).plain()
    whole = plain.get(key)
    if inside and isinstance(whole, dict) and whole:
        first = next(iter(whole))
        whole[first] = value if key != "graph" else {"ask": value}
    else:
        plain[key] = value
    load_or_refuse(json.dumps(plain, allow_nan=False) if _finite(plain) else "{}")


def _finite(value: Any) -> bool:
    import json

    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True
