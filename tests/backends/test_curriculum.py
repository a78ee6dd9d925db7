"""The simulated world as concepts and items of a student model."""

from pathlib import Path

import pytest

from maieutic.backends.sim.curriculum import curriculum
from maieutic.backends.sim.world import load_world
from maieutic.errors import UsageError
from maieutic.memory.student.files import load_concepts, to_yaml

SMALL = """\
name: small
concepts:
  fractions: {name: adding fractions, needs: [division]}
  division: {name: division}
facts:
  halves: {concept: division, says: A half is one divided by two.}
  common: {concept: fractions, says: Fractions are added over a common lower number.}
questions:
  sum:
    text: What is a half and a third?
    answer: 5/6
    aliases: [five sixths]
    options: [5/6, 2/5, 1/6]
    needs: [common, halves]
    misconceptions: {2/5: One adds the upper and the lower numbers.}
"""


def test_every_concept_has_its_needs_and_title(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)
    concepts = curriculum(str(tmp_path / "small.yaml"))
    assert list(concepts) == ["division", "fractions"]
    assert concepts.needs("fractions") == {"division": 1.0}
    assert concepts.concept("fractions").title == "adding fractions"


def test_every_question_is_an_item_of_its_facts_concepts(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)
    concepts = curriculum(str(tmp_path / "small.yaml"))
    (item,) = concepts.items.values()
    assert (item.id, item.question, item.answer) == ("sum", "What is a half and a third?", "5/6")
    assert (item.options, item.aliases) == (("5/6", "2/5", "1/6"), ("five sixths",))
    assert item.concepts == ("fractions", "division")
    (misconception,) = item.distractors.values()
    wrong = concepts.concept("fractions").misconceptions[misconception]
    assert wrong.text == "One adds the upper and the lower numbers."


def test_the_school_world_is_a_curriculum() -> None:
    world, concepts = load_world(), curriculum()
    assert set(concepts) == set(world.concepts)
    assert set(concepts.items) == set(world.questions)
    assert concepts.graph.number_of_edges() == sum(len(concept.needs) for concept in world.concepts.values())
    assert sum(len(item.distractors) for item in concepts.items.values()) > 0


def test_it_can_be_written_as_a_concept_file() -> None:
    assert load_concepts(to_yaml(curriculum())) == curriculum()


def test_a_world_that_is_not_there_is_told() -> None:
    with pytest.raises(UsageError, match="cannot read the world file"):
        curriculum("/none.yaml")
