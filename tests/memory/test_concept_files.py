"""Concept files: what they say, every mistake with its place, and the way back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.errors import ConceptFileError, StudentModelError
from maieutic.files.problems import Problem
from maieutic.files.source import parse
from maieutic.memory.student.concepts import ConceptGraph, Misconception
from maieutic.memory.student.entries import concept_schema
from maieutic.memory.student.files import CONCEPTS, load_concepts, to_yaml
from maieutic.memory.student.items import Item
from maieutic.memory.student.model import StudentModel

jsonschema: Any = pytest.importorskip("jsonschema")  # litellm depends on it
FRACTIONS = """\
version: 1
name: fractions
description: What a tutor of fractions needs to know.
defaults: {prior: 0.4, slip: 0.05}
x-note: ours
concepts:
  division:
  times: {title: 2024, prior: 0.9}
  fractions:
    title: Fractions
    needs: {division: 0.9, times: 1}
    misconceptions:
      adds-denominators: "1/2 + 1/3 = 2/5"
      flips: {text: turns them round, share: 0.2, pull: 1}
    learn: 0.3
  percent: {needs: [fractions]}
items:
  q1:
    question: "1/2 + 1/3 = ?"
    answer: 5/6
    options: [5/6, 2/5, 0.50]
    concepts: [fractions]
    distractors: {2/5: adds-denominators, 0.50: flips}
  q2: {question: 3 * 4 = ?, answer: 12, concepts: [times], guess: 0}
"""


def problems(text: str) -> list[str]:
    with pytest.raises(ConceptFileError) as caught:
        load_concepts(text)
    return [problem.headline.removeprefix("<string>:") for problem in caught.value.problems]


def changed(old: str, new: str) -> str:
    assert FRACTIONS.count(old) == 1
    return FRACTIONS.replace(old, new)


def test_a_file_says_concepts_needs_misconceptions_and_items() -> None:
    concepts = load_concepts(FRACTIONS)
    assert list(concepts) == ["division", "times", "fractions", "percent"]
    assert concepts.needs("fractions") == {"division": 0.9, "times": 1.0}
    assert concepts.needs("percent") == {"fractions": 1.0}
    fractions = concepts.concept("fractions")
    assert (fractions.title, fractions.learn) == ("Fractions", 0.3)
    assert fractions.misconceptions == {
        "adds-denominators": Misconception(text="1/2 + 1/3 = 2/5"),
        "flips": Misconception(text="turns them round", share=0.2, pull=1),
    }
    assert concepts.items["q1"].concepts == ("fractions",)
    assert concepts.graph.graph == {"name": "fractions", "description": "What a tutor of fractions needs to know."}


def test_defaults_hold_for_every_concept_without_its_own() -> None:
    concepts = load_concepts(FRACTIONS)
    assert [concepts.concept(name).prior for name in concepts] == [0.4, 0.9, 0.4, 0.4]
    assert concepts.concept("division").slip == 0.05


def test_texts_are_taken_as_they_are_written() -> None:
    concepts = load_concepts(FRACTIONS)
    assert concepts.concept("times").title == "2024"
    assert concepts.items["q1"].options == ("5/6", "2/5", "0.50")
    assert concepts.items["q1"].distractors == {"2/5": "adds-denominators", "0.50": "flips"}
    assert (concepts.items["q2"].answer, concepts.items["q2"].guess) == ("12", 0.0)


def test_items_may_stand_in_a_list_with_their_ids() -> None:
    concepts = load_concepts("version: 1\nconcepts: {a: }\nitems:\n  - {id: 7, answer: 1, concepts: [a]}\n")
    assert concepts.items == {"7": Item(id="7", answer="1", concepts=("a",))}


def test_a_file_is_read_from_disk_and_named_in_messages(tmp_path: Path) -> None:
    file = tmp_path / "fractions.yaml"
    file.write_text(FRACTIONS)
    assert load_concepts(file) == load_concepts(str(file)) == ConceptGraph.load(file) == load_concepts(FRACTIONS)
    file.write_text(changed("needs: [fractions]", "needs: [fraction]"))
    with pytest.raises(StudentModelError) as caught:
        load_concepts(file)
    assert str(caught.value) == (
        f"{file}:16:21: unknown concept 'fraction'; did you mean 'fractions'?\n"
        "   15 |     learn: 0.3\n"
        "   16 |   percent: {needs: [fraction]}\n"
        "      |                     ^^^^^^^^\n"
        f"\n1 problem in {file}"
    )


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("version: 1", "version: 2", "1:10: version 2 is not known; this maieutic reads version: 1"),
        ("version: 1\n", "", "1:1: the file needs the key 'version'; write version: 1"),
        ("name: fractions", "nane: fractions", "2:1: unknown key 'nane' in the file; did you mean 'name'?"),
        ("prior: 0.4", "priors: 0.4", "4:12: unknown key 'priors' in defaults; did you mean 'prior'?"),
        (", concepts: [times]", "", "24:3: the item 'q2' needs no concept; write concepts: [NAME]"),
        ("learn: 0.3", "leanr: 0.3", "15:5: unknown key 'leanr' in concept 'fractions'; did you mean 'learn'?"),
        (", pull: 1", ", pul: 1", "14:51: unknown key 'pul' in misconception 'flips'; did you mean 'pull'?"),
        ("guess: 0", "gues: 0", "24:60: unknown key 'gues' in item 'q2'; did you mean 'guess'?"),
        ("  percent:", "  times:", "16:3: the key 'times' stands here a second time; it is already on line 8"),
        ("division: 0.9", "divison: 0.9", "11:13: unknown concept 'divison'; did you mean 'division'?"),
        ("concepts: [times]", "concepts: [time]", "24:52: unknown concept 'time'; did you mean 'times'?"),
        (
            "{2/5: adds-denominators",
            "{2/5: add-denominators",
            "23:24: unknown misconception 'add-denominators'; did you mean 'adds-denominators'?",
        ),
        (
            "guess: 0}",
            "distractors: {7: flips}}",
            "24:77: 'flips' is a misconception of 'fractions', which this item does not need; "
            "add 'fractions' to its concepts, or name another misconception",
        ),
        (
            "  division:\n",
            "  division: {needs: [percent]}\n",
            "11:13: concepts need one another in a circle: division -> percent -> fractions -> division",
        ),
        ("needs: [fractions]", "needs: [percent]", "16:21: concepts need one another in a circle: percent -> percent"),
        ("learn: 0.3", "learn: 1.3", "15:12: 1.3 is not a number from 0 to 1"),
        ("slip: 0.05", "slip: -1", "4:30: -1 is not a number from 0 to 1"),
        ("division: 0.9", "division: 90", "11:23: 90 is not a number from 0 to 1; write 0.9 for 90 %"),
        ("learn: 0.3", "learn: .nan", "15:12: a finite number is expected here, not nan"),
        ("answer: 5/6", "answer: 5/7", "20:13: the answer '5/7' is not among the options; did you mean '5/6'?"),
        ("0.50: flips", "0.5: flips", "23:43: the distractor '0.5' is not among the options; did you mean '0.50'?"),
        ("{2/5: adds", "{5/6: adds", "23:19: '5/6' is the right answer, not a distractor"),
        ("2/5, 0.50]", "2/5, 0.50, 2/5]", "21:31: the option '2/5' stands here a second time"),
        ("guess: 0}", "explains: [time]}", "24:71: explains 'time', which is not among the concepts of the item"),
        ("needs: [fractions]", "needs: fractions", "16:20: a list is expected here, not 'fractions'; write [frac"),
        ("learn: 0.3", "learn: much", "15:12: a number is expected here, not 'much'"),
        ("learn: 0.3", "learn: true", "15:12: a number is expected here, not true"),
        ("title: Fractions", "title: [a]", "10:12: a text is expected here, not a list"),
        ("options: [5/6, 2/5, 0.50]", "options: 5/6", "21:14: a list is expected here, not '5/6'"),
        ("concepts: [times]", "concepts: times", "24:51: a list is expected here, not 'times'"),
        ("percent: {needs: [fractions]}", "percent: 5", "16:12: a mapping is expected here, not 5"),
        ("share: 0.2", "share: yes", "14:46: a number is expected here, not 'yes'"),
        (
            "adds-denominators: \"1/2 + 1/3 = 2/5\"",
            "adds-denominators: {share: 0.9}",
            "10:5: the shares of its misconceptions add up to 1.1, more than 1",
        ),
        ("percent: {", "percent: {misconceptions: {flips: x}, ", "16:30: the misconception 'flips' stands at"),
        ("2/5, 0.50]", "2/5, null]", "21:25: a text is expected here, not null"),
        ("{2/5: adds", "{no: adds", "23:19: 'no' must not be a key: other YAML readers take it for false"),
        ("name: fractions", "name: !!python/object:os.system x", "2:7: the tag !!python/object:os.system is not"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(old: str, new: str, told: str) -> None:
    found = problems(changed(old, new))
    assert [one for one in found if one.startswith(told)], found


def test_all_mistakes_of_a_file_are_told_at_once_each_with_a_caret() -> None:
    text = (
        changed("needs: [fractions]", "needs: [fraction]").replace("prior: 0.4", "prior: 4").replace("12,", "12, a: 1,")
    )
    with pytest.raises(ConceptFileError) as caught:
        load_concepts(text)
    assert [(one.line, one.column) for one in caught.value.problems] == [(4, 19), (16, 21), (24, 41)]
    marked = [one.source[-1][one.column - 1 : one.end_column - 1] for one in caught.value.problems]
    assert marked == ["4", "fraction", "a"]
    assert str(caught.value).endswith("3 problems in <string>")
    assert str(caught.value).count("^") == len("4fractiona")


def test_every_circle_is_told_once() -> None:
    found = problems(
        "version: 1\nconcepts: {a: {needs: [b, a]}, b: {needs: [c]}, c: {needs: [a]}, d: {needs: [a, d]}}\n"
    )
    assert [one.split("circle: ")[1].split(";")[0] for one in found] == ["a -> a", "a -> b -> c -> a", "d -> d"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("\n", "<string>: the file is empty; a concept file begins with version: 1 and concepts:"),
        ("# nothing\n", "<string>: the file is empty"),
        ("- a\n", "1:1: a concept file is a mapping"),
        ("version: 1\nconcepts: {}\n", "2:11: at least 1 entry is expected here, not 0"),
        ("version: 1\n", "1:1: the file needs the key 'concepts'; write concepts: {NAME: {needs: [OTHER]}}"),
        ("version: 1\nconcepts: [a]\n", "2:11: a mapping is expected here, not a list"),
        ("version: 1\nconcepts: {a: \n", "3:1: the YAML cannot be read"),
        ("version: 1\nconcepts: {a: }\nitems: 5\n", "3:8: a list is expected here, not 5"),
        ("version: 1\nconcepts: {a: }\nitems: [5]\n", "3:9: a mapping is expected here, not 5"),
        ("version: 1\nconcepts: {a: }\nitems: [{answer: x}]\n", "3:9: item 1 needs the key 'id'"),
        ("version: 1\nconcepts: {a: }\nitems: [{id: x}, {id: x}]\n", "3:23: the id 'x' is taken, by the item on"),
    ],
)  # fmt: skip
def test_a_file_of_the_wrong_shape_is_refused(text: str, told: str) -> None:
    found = problems(text)
    assert [one for one in found if one.startswith(told.removeprefix("<string>:"))] or found[0].startswith(told), found


def test_a_file_that_cannot_be_read_is_a_concept_file_error(tmp_path: Path) -> None:
    with pytest.raises(ConceptFileError, match=r"none\.yaml: the file cannot be read: No such file"):
        load_concepts(tmp_path / "none.yaml")
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("version: 1\nname: caf\xe9\n".encode("latin-1"))
    with pytest.raises(ConceptFileError, match=r"latin\.yaml:2:10: the file is not UTF-8 text: byte 0xe9"):
        load_concepts(latin)


def test_a_written_file_reads_like_one_that_a_person_wrote() -> None:
    concepts = ConceptGraph([Item(id="q1", question="7 / 2 = ?", answer="3.5", concepts=("division",))])
    concepts.add("division")
    concepts.add("fractions", title="Fractions", needs={"division": 0.9}, misconceptions={"adds": "1/2 + 1/3 = 2/5"})
    concepts.add("percent", needs=["fractions"], slip=0.2)
    assert to_yaml(concepts) == (
        "version: 1\n"
        "concepts:\n"
        "  division: {}\n"
        "  fractions: {title: Fractions, needs: {division: 0.9}, misconceptions: {adds: '1/2 + 1/3 = 2/5'}}\n"
        "  percent: {needs: [fractions], slip: 0.2}\n"
        "items:\n"
        "  q1: {question: '7 / 2 = ?', answer: '3.5', concepts: [division]}\n"
    )


words = st.text(min_size=1, max_size=8)
chances = st.floats(0, 1)
halves = st.floats(0, 0.5)


def test_a_right_answer_must_be_a_sign_of_knowing() -> None:
    text = (
        "version: 1\ndefaults: {slip: 0.55, guess: 0.4}\nconcepts:\n  a: {guess: 0.5}\n  b: {slip: 0.7}\n  c:\n"
        "items:\n  x: {answer: y, options: [y, z], concepts: [c]}\n  w: {answer: y, slip: 0.7, concepts: [c]}\n"
    )
    with pytest.raises(ConceptFileError) as caught:
        load_concepts(text)
    told = [(problem.line, problem.column, problem.message) for problem in caught.value.problems]
    assert told == [
        (4, 14, "slip 0.55 and guess 0.5 add up to more than 1, so that knowing would make a right answer rarer"),
        (5, 13, "slip 0.7 and guess 0.4 add up to more than 1, so that knowing would make a right answer rarer"),
        (8, 3, "slip 0.55 and guess 0.5 add up to more than 1, so that knowing would make a right answer rarer"),
        (9, 24, "slip 0.7 and guess 0.4 add up to more than 1, so that knowing would make a right answer rarer"),
    ]
    with pytest.raises(StudentModelError, match=r"the concept 'a': slip 0\.9 and guess 0\.2 add up to more than 1"):
        ConceptGraph().add("a", slip=0.9)
    concepts = ConceptGraph([Item(id="x", options=("y", "z"), slip=0.8, concepts=("a",))])
    concepts.add("a")
    with pytest.raises(StudentModelError, match=r"the item 'x': slip 0\.8 and guess 0\.5 add up to more than 1"):
        StudentModel(concepts)


@st.composite
def graphs(draw: st.DrawFn) -> ConceptGraph:
    names = draw(st.lists(words, min_size=1, max_size=5, unique=True))
    wrong = iter(draw(st.lists(words, min_size=2 * len(names), max_size=2 * len(names), unique=True)))
    concepts = ConceptGraph()
    owned: dict[str, list[str]] = {}
    for i, name in enumerate(names):
        needs = draw(st.dictionaries(st.sampled_from(names[:i]), chances, max_size=3)) if i else {}
        parameters = draw(st.dictionaries(st.sampled_from(["prior", "learn", "aware"]), chances))
        parameters |= draw(st.dictionaries(st.sampled_from(["slip", "guess"]), halves))
        owned[name] = [next(wrong) for _ in range(draw(st.integers(0, 2)))]
        texts = {each: {"text": draw(st.text(max_size=9)), "pull": draw(chances)} for each in owned[name]}
        concepts.add(name, needs=needs, title=draw(st.text(max_size=9)), misconceptions=texts, **parameters)
    for item in draw(st.lists(items(owned), max_size=3, unique_by=lambda item: item.id)):
        concepts.items[item.id] = item
    return concepts


@st.composite
def items(draw: st.DrawFn, owned: dict[str, list[str]]) -> Item:
    options = draw(st.lists(words, min_size=2, max_size=4, unique=True))
    needed = draw(st.lists(st.sampled_from(sorted(owned)), unique=True, min_size=1, max_size=2))
    known = [wrong for name in needed for wrong in owned[name]]
    return Item(
        id=draw(words),
        question=draw(st.text(max_size=30)),
        answer=options[0],
        options=tuple(options) if draw(st.booleans()) else (),
        aliases=tuple(draw(st.lists(words, max_size=2))),
        concepts=tuple(needed),
        distractors={option: draw(st.sampled_from(known)) for option in options[1:]} if known else {},
        explains=draw(st.none() | st.just(tuple(needed[:1]))),
        slip=draw(st.none() | halves),
    )


@settings(max_examples=150, deadline=None)
@given(graphs())
def test_what_is_written_is_read_back(concepts: ConceptGraph) -> None:
    text = to_yaml(concepts)
    back = load_concepts(text)
    assert back == concepts
    assert list(back) == list(concepts)
    assert to_yaml(back) == text
    assert not list(VALIDATOR.iter_errors(tree(text)))


VALIDATOR = jsonschema.Draft202012Validator(concept_schema())


def tree(text: str) -> Any:
    source, found = parse(text, "f.yaml", CONCEPTS)
    assert found == []
    assert source.root is not None
    return source.root.plain()


def test_the_schema_is_one_and_takes_what_loads() -> None:
    jsonschema.Draft202012Validator.check_schema(concept_schema())
    assert not list(VALIDATOR.iter_errors(tree(FRACTIONS)))
    listed = "version: 1\nconcepts: {a: }\nitems: [{id: 7, answer: 1, concepts: [a]}]\n"
    assert not list(VALIDATOR.iter_errors(tree(listed)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("version: 1", "version: 2"),
        ("learn: 0.3", "leanr: 0.3"),
        ("learn: 0.3", "learn: 3"),
        ("learn: 0.3", "learn: much"),
        ("division: 0.9", "division: 9"),
        ("share: 0.2", "share: 2"),
        ("guess: 0", "gues: 0"),
        ("needs: [fractions]", "needs: fractions"),
        ("  q2: {", "  q2: {id: 5, "),
    ],
)
def test_the_schema_refuses_what_is_wrong_in_itself(old: str, new: str) -> None:
    assert list(VALIDATOR.iter_errors(tree(changed(old, new))))
    problems(changed(old, new))


def test_the_schema_documents_every_parameter() -> None:
    schema = json.dumps(concept_schema())
    assert "P(learned from an explanation | what it needs is known)." in schema
    assert "Wrong options, and the misconception that leads to each." in schema


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
PLACES: list[tuple[str | int, ...]] = [
    *((key,) for key in ("version", "name", "defaults", "concepts", "items", "new")),
    ("defaults", "prior"),
    ("concepts", "a"),
    ("concepts", "a", "needs"),
    ("concepts", "a", "misconceptions"),
    ("concepts", "a", "misconceptions", "m"),
    ("items", "q"),
    *(("items", "q", key) for key in Item.model_fields),
]


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(PLACES), json_values)
def test_any_value_at_any_place_loads_or_is_refused(place: tuple[str, ...], value: Any) -> None:
    data: Any = {
        "version": 1,
        "concepts": {"a": {"misconceptions": {"m": "x"}}, "b": {"needs": {"a": 1}}},
        "items": {"q": {"answer": "1", "options": ["1", "2"], "concepts": ["a"], "distractors": {"2": "m"}}},
    }
    holder = data
    for step in place[:-1]:
        holder = holder.setdefault(step, {})
    holder[place[-1]] = value
    told = found_in(json.dumps(data))
    assert told is None or (told and all(problem.line > 0 for problem in told))


def found_in(text: str) -> Sequence[Problem] | None:
    """The problems of a file, or None if it loads."""
    try:
        load_concepts(text)
    except ConceptFileError as error:
        return error.problems
    return None
