"""The estimators: demonstrations, the student model's folds, and the combination that practice calibrates."""

import asyncio
import math
import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.memory.student import ConceptGraph, Item
from maieutic.memory.student.calibration import brier, log_loss
from maieutic.protocols.interventions import Answered, Asked, ByStudentModel, Estimate, Record, Stacking
from maieutic.protocols.interventions.estimators import usual_estimate
from maieutic.protocols.interventions.few_shot import demonstrations
from maieutic.protocols.interventions.stacking import RIDGES


def record(name: str, alone: int, explained: int, answers: tuple[str, str] = ("", "")) -> Record:
    said = [
        Answered(answer=answer or ("x" if right else f"not x, {name}"), correct=bool(right), agrees=bool(right))
        for right, answer in zip((alone, explained), answers, strict=True)
    ]
    return Record(item=name, alone=said[0], explained=said[1])


def practice(n: int, seed: int = 0, alone: float = 0.4, explained: float = 0.8) -> list[Record]:
    rng = random.Random(seed)
    return [record(f"p{i}", rng.random() < alone, rng.random() < explained) for i in range(n)]


@given(st.integers(0, 30), st.integers(0, 12), st.integers(0, 5))
def test_demonstrations_are_as_many_as_there_can_be_and_none_twice(n: int, shots: int, seed: int) -> None:
    chosen = demonstrations(practice(n), shots, seed)
    assert len(chosen) == min(n, shots)
    assert len({each.item for each in chosen}) == len(chosen)
    assert chosen == demonstrations(practice(n), shots, seed)


def test_demonstrations_are_balanced_over_what_the_student_said() -> None:
    seen = [record(f"p{i}", i < 2, i < 27) for i in range(30)]  # two right alone; three stay wrong when explained
    shown = Counter((each.alone.correct, each.explained.correct) for each in demonstrations(seen, 6))
    assert shown == {(True, True): 2, (False, True): 2, (False, False): 2}
    yes_no = [record(f"p{i}", 1, 1, ("yes" if i % 5 else "no", "yes")) for i in range(20)]
    said = Counter(each.alone.answer for each in demonstrations(yes_no, 8))
    assert said == {"yes": 4, "no": 4}, "few answers are balanced themselves, right or not"


def test_the_usual_is_laplaces_rule() -> None:
    assert usual_estimate([]) == Estimate(alone=0.5, explained=0.5)
    assert usual_estimate([record("a", 1, 1), record("b", 0, 1)]) == Estimate(alone=2 / 4, explained=3 / 4)


def items(n: int) -> list[Item]:
    return [Item(id=f"p{i}", question="?", answer="x", concepts=("warm" if i % 2 else "cold",)) for i in range(n)]


def test_the_student_model_predicts_practice_without_having_seen_it() -> None:
    """One odd answer among many: with it the concept looks worse, so the item itself must be predicted better."""
    known = items(20)
    seen = [record(f"p{i}", i != 7, 1) for i in range(20)]
    model = ByStudentModel(known)
    model.observe(seen)
    before = asyncio.run(model.estimate_practice(None))  # type: ignore[arg-type]
    after = asyncio.run(model.estimate([Asked(each, "x", "") for each in known], None))  # type: ignore[arg-type]
    assert set(before) == {each.id for each in known}
    assert before["p7"].alone > after["p7"].alone


def test_the_student_model_uses_prerequisites() -> None:
    concepts = ConceptGraph()
    concepts.add("cold")
    concepts.add("warm", needs={"cold": 1.0})
    model = ByStudentModel(items(8), concepts.to_json())
    model.observe([record(f"p{i}", 0, 0) for i in (0, 2, 4)])  # cold is not known, so warm cannot be
    alone = asyncio.run(model.estimate([Asked(items(8)[1], "x", "")], None))["p1"].alone  # type: ignore[arg-type]
    free = ByStudentModel(items(8))
    free.observe([record(f"p{i}", 0, 0) for i in (0, 2, 4)])
    without = asyncio.run(free.estimate([Asked(items(8)[1], "x", "")], None))["p1"].alone  # type: ignore[arg-type]
    assert alone < without - 0.2


def estimates(truth: list[tuple[float, float]], squeeze: float, noise: float, seed: int) -> dict[str, Estimate]:
    """What somebody says whose log-odds are the true ones times `squeeze` and some noise."""
    rng = random.Random(seed)

    def say(p: float) -> float:
        odds: float = (p / (1 - p)) ** squeeze * math.exp(rng.gauss(0, noise))
        return odds / (1 + odds)

    return {f"p{i}": Estimate(alone=say(a), explained=say(e)) for i, (a, e) in enumerate(truth)}


def world(n: int, seed: int) -> tuple[list[tuple[float, float]], list[Record]]:
    rng = random.Random(seed)
    truth = [(rng.uniform(0.05, 0.95), rng.uniform(0.3, 0.97)) for _ in range(n)]
    return truth, [record(f"p{i}", rng.random() < a, rng.random() < e) for i, (a, e) in enumerate(truth)]


def test_without_practice_the_combination_is_the_mean_of_the_log_odds() -> None:
    fitted = Stacking.fit({"a": {}, "b": {}}, [])
    assert fitted.alone == fitted.explained == (0.0, 0.5, 0.5)
    both = fitted.combine(
        {"a": {"x": Estimate(alone=0.8, explained=0.5)}, "b": {"x": Estimate(alone=0.2, explained=0.5)}}
    )
    assert both["x"].alone == pytest.approx(0.5)
    assert both["x"].explained == pytest.approx(0.5)


def test_practice_takes_back_what_is_said_too_strongly() -> None:
    truth, seen = world(300, 1)
    shouting = estimates(truth, 3.0, 0.0, 2)
    fitted = Stacking.fit({"loud": shouting}, seen)
    assert 0.2 < fitted.alone[1] < 0.5, "a third of what was said"
    truth, new = world(400, 3)
    loud = estimates(truth, 3.0, 0.0, 4)
    calm = fitted.combine({"loud": loud})
    came = [each.alone.agrees for each in new]
    assert log_loss([calm[r.item].alone for r in new], came) < log_loss([loud[r.item].alone for r in new], came) - 0.05


def test_the_combination_is_better_than_each_part_and_trusts_the_better_one_more() -> None:
    truth, seen = world(300, 5)
    parts = {"sharp": estimates(truth, 1.0, 0.8, 6), "dull": estimates(truth, 0.2, 1.6, 7)}
    fitted = Stacking.fit(parts, seen)
    assert fitted.alone[1] > fitted.alone[2]
    assert fitted.n == 300
    truth, new = world(600, 8)
    parts = {"sharp": estimates(truth, 1.0, 0.8, 9), "dull": estimates(truth, 0.2, 1.6, 10)}
    both = fitted.combine(parts)
    for which in ("alone", "explained"):
        came = [getattr(each, which).agrees for each in new]
        scored = {
            name: brier([getattr(found[r.item], which) for r in new], came)
            for name, found in {**parts, "both": both}.items()
        }
        assert scored["both"] < min(scored["sharp"], scored["dull"]), scored


def test_what_only_some_estimated_is_not_combined() -> None:
    one = Estimate(alone=0.3, explained=0.6)
    fitted = Stacking.fit({"a": {}, "b": {}}, [])
    assert set(fitted.combine({"a": {"x": one, "y": one}, "b": {"y": one}})) == {"y"}
    assert fitted.combine({"a": {}, "b": {"y": one}}) == {}


@settings(max_examples=30, deadline=None)
@given(st.integers(5, 40), st.integers(0, 100), st.sampled_from([0.0, 1e-12, 0.5, 1.0]))
def test_no_practice_however_odd_gives_anything_but_probabilities(n: int, seed: int, share: float) -> None:
    rng = random.Random(seed)
    seen = [record(f"p{i}", rng.random() < share, 1) for i in range(n)]
    said = {f"p{i}": Estimate(alone=rng.choice([0.0, 1.0, rng.random()]), explained=1.0) for i in range(n)}
    fitted = Stacking.fit({"a": said, "b": said}, seen)
    assert set(fitted.ridge) <= set(RIDGES)
    found: Any = fitted.combine({"a": said, "b": said})
    assert all(0 <= each.alone <= 1 and 0 <= each.explained <= 1 for each in found.values())
