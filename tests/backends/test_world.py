"""The closed world: the bundled one is sound, and a broken one is refused with the place of every fault."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from maieutic.backends.sim import World, load_world
from maieutic.backends.sim.language import gerund, normal_form, words
from maieutic.backends.sim.yamltext import read_yaml
from maieutic.errors import UsageError

WORLD = load_world()

SMALL = """\
name: kitchen
concepts:
  heat: {name: heat, topic: cooking}
  eggs: {name: eggs, topic: cooking, needs: [heat]}
facts:
  hard: {concept: eggs, says: An egg gets hard when it is heated.}
questions:
  egg:
    text: What does an egg do when it is heated?
    options: [it gets hard, it melts]
    answer: it gets hard
    needs: [hard]
    misconceptions: {it melts: Everything melts when it is heated.}
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], str]:
    def written(text: str) -> str:
        path = tmp_path / "world.yaml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return written


def test_the_bundled_world_is_large_enough() -> None:
    choice = [q for q in WORLD.questions.values() if q.kind == "multiple_choice"]
    assert len(WORLD.facts) >= 120
    assert len(WORLD.concepts) >= 40
    assert len(WORLD.questions) >= 120
    assert 0.4 < len(choice) / len(WORLD.questions) < 0.6


def test_every_multiple_choice_question_has_four_options() -> None:
    assert {len(q.options) for q in WORLD.questions.values() if q.options} == {4}


def test_every_concept_has_facts_and_a_question() -> None:
    asked = {WORLD.facts[need].concept for q in WORLD.questions.values() for need in q.needs}
    assert set(WORLD.concepts) == asked
    assert all(WORLD.facts_of[concept] for concept in WORLD.concepts)


def test_prerequisites_come_first_and_no_sentence_stands_in_another() -> None:
    place = {concept: i for i, concept in enumerate(WORLD.order)}
    assert set(place) == set(WORLD.concepts)
    assert all(place[need] < place[name] for name, c in WORLD.concepts.items() for need in c.needs)
    wrong = [text for q in WORLD.questions.values() for text in q.misconceptions.values()]
    said = [" ".join(words(text)) for text in (*(f.says for f in WORLD.facts.values()), *wrong)]
    assert len(said) == len(set(said))
    assert not [one for one in said for other in said if one != other and one in other]


def test_every_sentence_is_a_whole_sentence() -> None:
    texts = [f.says for f in WORLD.facts.values()]
    texts += [text for q in WORLD.questions.values() for text in q.misconceptions.values()]
    assert all(text[0].isupper() and text.endswith(".") for text in texts)
    assert all(q.text.endswith("?") for q in WORLD.questions.values())


def test_every_fact_is_found_where_it_is_said() -> None:
    for name, fact in WORLD.facts.items():
        found = [key for _, key in WORLD.phrases.find(words(f"Note this:\n{fact.says.lower()} That is all."))]
        assert f"fact:{name}" in found


def test_a_world_is_read_once_and_fast() -> None:
    assert load_world() is load_world()
    from maieutic.backends.sim import world

    text = world.BUNDLED.read_text("utf-8")
    start = time.process_time()
    read_yaml(text, "school.yaml")
    assert time.process_time() - start < 0.5  # about 0.03 s with libyaml, 0.2 s without


def test_a_world_of_ones_own_is_loaded_from_a_file(write: Callable[[str], str]) -> None:
    world = load_world(write(SMALL))
    assert isinstance(world, World)
    assert world.question_like("what does an egg do when it is heated") is world.questions["egg"]
    assert world.questions["egg"].answered_by("It gets HARD.")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("needs: [heat]}", "needs: [haet]}", "world.yaml:4:46: unknown concept 'haet'; did you mean 'heat'?"),
        ("needs: [hard]", "needs: [herd]", "world.yaml:12:13: unknown fact 'herd'; did you mean 'hard'?"),
        ("concept: eggs", "concept: egg", "world.yaml:6:10: unknown concept 'egg'; did you mean 'eggs'?"),
        ("answer: it gets hard", "answer: it boils", "world.yaml:10:5: the answer 'it boils' is not among the options"),
        ("topic: cooking}", "needs: [eggs]}", "circle: heat -> eggs -> heat"),
        ("says: An", "sais: An", "world.yaml:6:25: unknown key 'sais'; did you mean 'says'?"),
        ("it melts: Every", "it runs: Every", "world.yaml:13:22: 'it runs' is not among the options"),
        ("it melts: Every", "it gets hard: Every", "'it gets hard' is the right answer, not a misconception"),
        ("it melts]", "It gets hard!]", "two options are the same"),
        ("  heat: {", "  eggs: {", "world.yaml:4:3: the key 'eggs' stands twice"),
        ("name: kitchen", "name: [kitchen", "not valid YAML"),
        ("name: kitchen", "nome: kitchen", "world.yaml:1:1: unknown key 'nome'; did you mean 'name'?"),
        ("needs: [hard]", "needs: []", "world.yaml:12:5: questions.egg.needs: "),
        ("name: kitchen", "name: &a kitchen\nx: *a", "unknown key 'x'"),
    ],
)
def test_a_broken_world_is_refused_with_the_place(
    write: Callable[[str], str], old: str, new: str, message: str
) -> None:
    assert old in SMALL
    with pytest.raises(UsageError) as refused:
        load_world(write(SMALL.replace(old, new, 1)))
    assert message in str(refused.value)


def test_a_missing_world_is_named() -> None:
    with pytest.raises(UsageError, match=r"cannot read the world file .*nowhere\.yaml"):
        load_world("nowhere.yaml")


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [("ban cars", "banning cars"), ("be free", "being free"), ("make bread", "making bread"), ("lie", "lying"),
     ("allow it", "allowing it"), ("tax sugar", "taxing sugar"), ("see it", "seeing it"),
     ("enforce it", "enforcing it"),
     ("commit crimes", "committing crimes"), ("open shops", "opening shops"), ("argue", "arguing"),
     ("cut taxes", "cutting taxes"), ("dye cloth", "dyeing cloth"), ("visit Rome", "visiting Rome")],
)  # fmt: skip
def test_a_verb_becomes_a_noun(phrase: str, expected: str) -> None:
    assert gerund(phrase) == expected


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("The Moon.", "moon", True), ("1/2", "1/2", True), ("-2", "2", False), ("3/5", "5/3", False), ("A", "a", True)],
)
def test_answers_are_compared_by_their_words(one: str, other: str, same: bool) -> None:
    assert (normal_form(one) == normal_form(other)) is same
