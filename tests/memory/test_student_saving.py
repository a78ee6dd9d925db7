"""A student model on disk."""

import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.errors import StudentModelError
from maieutic.memory.student import InterventionPolicy, StudentModel
from maieutic.testing.random_lessons import random_graph, random_items, random_observation


def lesson(seed: int, *, keep_log: bool = True) -> StudentModel:
    rng = random.Random(f"saving/{seed}")
    concepts = random_graph(rng, 5, loops=True)
    items = random_items(rng, concepts, 2)
    log = [random_observation(rng, concepts, items) for _ in range(10)]
    model = StudentModel.of(concepts, log, items, policy=InterventionPolicy(0.4), keep_log=keep_log)
    model.should_intervene(items[0])
    return model


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_a_model_survives_json_and_goes_on_as_before(seed: int, keep_log: bool) -> None:
    model = lesson(seed, keep_log=keep_log)
    again = StudentModel.from_json(json.loads(json.dumps(model.to_json())))
    for each in (model, again):
        each.waited(2)
        each.answered("q0", correct=True)
    for name in model.concepts:
        assert again.mastery(name) == pytest.approx(model.mastery(name), abs=1e-8)
        assert again.thinks(name) == pytest.approx(model.thinks(name), abs=1e-8)
    assert again.log == model.log
    assert again.items == model.items
    assert again.policy.to_json() == model.policy.to_json()
    assert again.days == model.days


def test_a_model_is_saved_and_taken_up_again(tmp_path: Path) -> None:
    model = lesson(1)
    model.save(tmp_path / "student.json")
    assert StudentModel.load(tmp_path / "student.json").to_json() == model.to_json()
    assert [path.name for path in tmp_path.iterdir()] == ["student.json"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "student.json cannot be read: "),
        ("[1]", "student.json: this is no student model"),
        ('{"student_model": 2}', "student.json: this student model has version 2; what `to_json` writes has .* 1"),
        ('{"student_model": 1}', "student.json: this student model cannot be read: KeyError"),
        (
            '{"student_model": 1, "concepts": {"a": {}}, "items": [], "tolerance": 1e-9, "policy": '
            '{"budget": 1, "slack": 1, "horizon": 1, "window": 1, "seen": 0, "spent": 0, "met": []}, '
            '"log": [{"kind": "zap"}]}',
            "student.json: this student model cannot be read: kind: Input should be 'answered'",
        ),
    ],
)
def test_another_file_is_refused(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "student.json"
    path.write_text(text, "utf-8")
    with pytest.raises(StudentModelError, match=said):
        StudentModel.load(path)


def test_a_file_that_is_not_there_and_a_place_that_is_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(StudentModelError, match=r"nowhere\.json cannot be read"):
        StudentModel.load(tmp_path / "nowhere.json")
    with pytest.raises(StudentModelError, match="cannot be written"):
        lesson(1).save(tmp_path / "no" / "folder.json")
