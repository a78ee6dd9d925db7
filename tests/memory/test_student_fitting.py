"""Fitting recovers what made the logs, climbs, keeps away from borders, and says what it cannot fit."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from maieutic.errors import StudentModelError, UsageError
from maieutic.memory.student.calibration import log_loss
from maieutic.memory.student.concepts import ConceptGraph
from maieutic.memory.student.fitting import BOUNDS, Fit, fit, predictions
from maieutic.memory.student.fitting_initial import Initial
from maieutic.memory.student.items import Item
from maieutic.memory.student.observations import Observation
from maieutic.memory.student.simulate import simulate

Logs = Mapping[str, Sequence[Observation]]
RIGHT = Observation(kind="answered", item="q", correct=True)
WRONG = Observation(kind="answered", item="q", correct=False)


def single(**parameters: Any) -> ConceptGraph:
    concepts = ConceptGraph([Item(id="q", concepts=("a",))])
    concepts.add("a", **parameters)
    return concepts


def untold(concepts: ConceptGraph) -> ConceptGraph:
    """The same structure and items with every parameter at its default."""
    blank = ConceptGraph(concepts.items.values())
    for name in concepts:
        blank.add(name, needs=concepts.needs(name))
    return blank


def curriculum(*, together: bool = False) -> ConceptGraph:
    items = [Item(id=f"{name}{k}", concepts=(name,)) for name in "abc" for k in range(3)]
    if together:
        items += [Item(id="ac", concepts=("a", "c")), Item(id="ab", concepts=("a", "b"))]
    concepts = ConceptGraph(items)
    concepts.add("a", prior=0.6, slip=0.08, guess=0.25, learn=0.5, learn_practice=0.1, forget=0.02, helped=0.7)
    concepts.add("b", needs={"a": 0.8}, prior=0.4, slip=0.15, guess=0.15, learn=0.7, learn_practice=0.05, forget=0.05)
    concepts.add("c", prior=0.5, slip=0.05, guess=0.3, learn=0.3, learn_practice=0.15, forget=0.01, helped=0.9)
    return concepts


def errors(fitted: ConceptGraph, truth: ConceptGraph) -> dict[str, float]:
    """The largest error of each parameter over the concepts."""
    return {
        parameter: max(abs(getattr(fitted.concept(c), parameter) - getattr(truth.concept(c), parameter)) for c in truth)
        for parameter in BOUNDS
    }


def never_falls(found: Fit) -> bool:
    return all(b >= a - 1e-7 for climb in found.objectives for a, b in itertools.pairwise(climb))


@pytest.mark.parametrize("together", [False, True], ids=["items of one concept", "items of two concepts"])
def test_known_parameters_are_recovered_from_what_their_students_answered(together: bool) -> None:
    truth = curriculum(together=together)
    logs = simulate(truth, students=1200, length=30, explain=0.2, wait=0.1, helped=0.1, seed=1)
    found = fit(untold(truth), logs, held_out=0, restarts=0, tol=1e-6)
    wrong = errors(found.concepts, truth)
    assert wrong["forget"] <= 0.01, wrong
    assert max(wrong[name] for name in ("slip", "guess", "learn_practice")) <= 0.04, wrong
    assert max(wrong[name] for name in ("prior", "learn", "helped")) <= 0.08, wrong
    assert found.converged
    assert never_falls(found)


def test_the_defaults_are_farther_from_the_truth_than_what_is_fitted() -> None:
    truth = curriculum()
    wrong = errors(untold(truth), truth)
    assert wrong["learn"] > 0.2
    assert wrong["guess"] > 0.09


@pytest.mark.parametrize("seed", range(4))
def test_no_step_lowers_the_objective(seed: int) -> None:
    truth = curriculum(together=True)
    logs = simulate(truth, students=40, length=12, explain=0.3, wait=0.2, helped=0.2, seed=seed)
    assert never_falls(fit(untold(truth), logs, held_out=0, restarts=1, seed=seed))


def test_the_objective_is_the_likelihood_by_hand_where_nothing_is_penalised() -> None:
    concepts = single(prior=0.4, slip=0.1, guess=0.2, learn=0.5, learn_practice=0.25)
    log = [RIGHT, Observation(kind="explained", item="q"), WRONG]
    found = fit(concepts, {"s": log}, strength=0, held_out=0, restarts=0)
    # by hand: known, or learned from the answer, or from the explanation, or not at all
    known = 0.4 * 0.9 * 0.1
    unknown = 0.6 * 0.2 * ((0.25 + 0.75 * 0.5) * 0.1 + 0.75 * 0.5 * 0.8)
    assert found.objectives[0][0] == pytest.approx(math.log(known + unknown))


def test_belief_at_the_start_is_exact_on_a_polytree() -> None:
    edges = [(0, 2, 0.7), (1, 2, 0.4), (2, 3, 0.9)]
    prior = np.array([0.5, 0.7, 0.8, 0.6])
    evidence = np.random.default_rng(0).uniform(0.1, 1, (2, 4, 6))
    start = Initial(4, edges).infer(prior, evidence)
    whole = np.zeros(6)
    known = np.zeros((4, 6))
    for state in itertools.product((0, 1), repeat=4):
        chances = prior.copy()
        for prerequisite, concept, weight in edges:
            chances[concept] *= 1 if state[prerequisite] else 1 - weight
        joint = np.prod([p if k else 1 - p for p, k in zip(chances, state, strict=True)]) * np.ones(6)
        for c in range(4):
            joint = joint * evidence[state[c], c]
        whole += joint
        known += np.outer(state, joint)
    assert start.log_likelihood == pytest.approx(np.log(whole).sum())
    odds = start.cavity * evidence[1] / (start.cavity * evidence[1] + (1 - start.cavity) * evidence[0])
    assert odds == pytest.approx(known / whole)
    assert (start.bases >= known / whole - 1e-12).all()  # who knows it at first has the base cause


def test_fitting_pays_on_students_that_it_never_saw() -> None:
    truth = curriculum()
    logs = simulate(truth, students=300, length=30, explain=0.2, seed=2)
    found = fit(untold(truth), logs, restarts=0)
    assert found.after is not None
    assert found.before is not None
    assert found.base_rate is not None
    assert len(found.held_out) == 60
    assert set(found.held_out).isdisjoint(found.fitted_on)
    assert found.after.log_loss < found.before.log_loss
    assert found.after.log_loss < found.base_rate.log_loss
    assert found.after.ece < 0.05
    true, observed = predictions(truth, [logs[name] for name in found.held_out])
    assert found.after.log_loss == pytest.approx(log_loss(true, observed), abs=0.01)
    assert str(found).startswith("fitted on 240 students in ")
    assert "on 60 other students:\n  fitted          log-loss 0." in str(found)


def test_the_base_rate_is_each_items_share_of_right_answers_among_the_others() -> None:
    logs = {"a": [RIGHT, RIGHT, RIGHT], "b": [RIGHT, RIGHT, RIGHT]}
    found = fit(single(), logs, held_out=0.5, restarts=0)
    assert found.base_rate is not None
    assert found.base_rate.brier == pytest.approx((1 - 4 / 5) ** 2)


def test_the_same_seed_gives_the_same_fit() -> None:
    logs = simulate(curriculum(), students=30, length=10, seed=5)
    blank = untold(curriculum())
    one, same, other = fit(blank, logs, seed=1), fit(blank, logs, seed=1), fit(blank, logs, seed=2)
    assert one == same
    assert one.held_out != other.held_out


def test_the_graph_that_was_given_is_left_alone() -> None:
    concepts = single()
    fit(concepts, {"s": [RIGHT, WRONG]}, held_out=0)
    assert concepts == single()


@pytest.mark.parametrize("answer", [RIGHT, WRONG], ids=["all right", "all wrong"])
def test_one_sided_answers_stay_within_the_bounds_and_keep_their_meaning(answer: Observation) -> None:
    found = fit(single(), {f"s{k}": [answer] * 8 for k in range(20)}, held_out=0).concepts.concept("a")
    assert (found.prior > 0.8) is bool(answer.correct)
    assert found.slip + found.guess < 1
    for name, (low, high) in BOUNDS.items():
        assert low <= getattr(found, name) <= high


def test_one_student_with_one_answer_moves_the_parameters_little() -> None:
    found = fit(single(), {"s": [RIGHT]})
    assert found.held_out == ()
    assert found.after is None
    assert "other students" not in str(found)
    assert found.concepts.concept("a").guess == pytest.approx(0.2, abs=0.2)
    assert found.concepts.concept("a").slip == pytest.approx(0.1, abs=0.05)


def test_the_priors_strength_decides_how_far_a_small_log_moves_the_parameters() -> None:
    logs = {f"s{k}": [WRONG] * 4 for k in range(5)}
    moved = [fit(single(), logs, strength=n, held_out=0).concepts.concept("a").prior for n in (0, 2, 50, 10_000)]
    assert moved == sorted(moved)
    assert moved[0] < 0.05
    assert moved[-1] == pytest.approx(0.5, abs=0.01)


def test_what_the_log_says_nothing_of_stays_as_it_was() -> None:
    concepts = single(learn=0.37, forget=0.0, helped=0.66)
    concepts.add("unseen", prior=0.9, slip=0.33)
    found = fit(concepts, {f"s{k}": [RIGHT, WRONG, RIGHT] for k in range(10)}, held_out=0).concepts
    assert found.concept("unseen") == concepts.concept("unseen")
    fitted = found.concept("a")
    assert (fitted.learn, fitted.forget, fitted.helped) == (0.37, 0.0, 0.66)
    assert fitted.prior != 0.5


def test_only_the_parameters_asked_for_are_fitted_and_tied_ones_are_one() -> None:
    logs = simulate(curriculum(), students=60, length=15, seed=7)
    blank = untold(curriculum())
    found = fit(blank, logs, parameters=("prior", "guess"), tied=("guess",), held_out=0).concepts
    assert {found.concept(c).slip for c in found} == {0.1}
    assert len({found.concept(c).guess for c in found}) == 1
    assert len({found.concept(c).prior for c in found}) == 3


def test_exchanged_meanings_are_not_found_even_if_they_are_the_start() -> None:
    truth = single(prior=0.3, slip=0.1, guess=0.1, learn_practice=0.1)
    logs = simulate(truth, students=300, length=10, seed=8)
    start = single(prior=0.9, slip=0.5, guess=0.5, learn_practice=0.1)  # as near to exchanged as can be written
    found = fit(start, logs, held_out=0, strength=0).concepts.concept("a")
    assert found.prior == pytest.approx(0.3, abs=0.08)
    assert found.slip == pytest.approx(0.1, abs=0.04)
    assert found.guess == pytest.approx(0.1, abs=0.04)


def test_bounds_that_let_meanings_be_exchanged_are_refused() -> None:
    with pytest.raises(UsageError, match=r"slip up to 0\.6 and guess up to 0\.5 allow slip \+ guess >= 1"):
        fit(single(), {"s": [RIGHT]}, bounds={"slip": (0.01, 0.6)})
    with pytest.raises(UsageError, match=r"the bounds of 'prior' are 0 and 1; give 0 < low < high < 1"):
        fit(single(), {"s": [RIGHT]}, bounds={"prior": (0, 1)})


def test_bounds_hold() -> None:
    truth = single(prior=0.1, slip=0.3, guess=0.3)
    logs = simulate(truth, students=200, length=10, seed=9)
    found = fit(single(), logs, bounds={"guess": (0.01, 0.15)}, held_out=0).concepts.concept("a")
    assert found.guess == 0.15


def test_an_items_own_guess_is_kept_out_of_the_concepts() -> None:
    concepts = single(guess=0.2)
    options = Item(id="mc", concepts=("a",), answer="x", options=("x", "y"))
    answers = [Observation(kind="answered", item="mc", choice=choice) for choice in "xyxxyyxyxx"]
    logs = {f"s{k}": answers for k in range(30)}
    assert fit(concepts, logs, [options], held_out=0).concepts.concept("a").guess == 0.2  # they guess at 1 / 2
    open_ = Item(id="mc", concepts=("a",), answer="x")
    assert fit(concepts, logs, [open_], held_out=0).concepts.concept("a").guess > 0.3


def test_open_questions_are_fitted_by_their_concepts() -> None:
    by_item = [RIGHT, WRONG, RIGHT]
    by_concept = [Observation(kind="answered", concepts=("a",), correct=each.correct) for each in by_item]
    one, other = (fit(single(), {"s": log, "t": log}, held_out=0.5) for log in (by_item, by_concept))
    assert one.concepts == other.concepts
    assert one.after == other.after


def test_logs_without_answers_are_refused() -> None:
    empty: list[Logs] = [{}, {"s": []}, {"s": [Observation(kind="waited", days=1)]}]
    for logs in empty:
        with pytest.raises(StudentModelError, match="no answers to fit to"):
            fit(single(), logs)


def test_what_is_not_there_is_named() -> None:
    with pytest.raises(StudentModelError, match=r"no item 'qq'; did you mean 'q'"):
        fit(single(), {"s": [Observation(kind="answered", item="qq", correct=True)]})
    with pytest.raises(StudentModelError, match=r"the concept 'b', which is not there"):
        fit(single(), {"s": [Observation(kind="answered", concepts=("b",), correct=True)]})
    with pytest.raises(StudentModelError, match=r"nothing says whether the answer '7' to 'q' was right"):
        fit(single(), {"s": [Observation(kind="answered", item="q", choice="7")]})
    with pytest.raises(UsageError, match=r"'slips' is no parameter that can be fitted; did you mean 'slip'"):
        fit(single(), {"s": [RIGHT]}, parameters=("slips",))
    with pytest.raises(UsageError, match="share of held-out students is 1"):
        fit(single(), {"s": [RIGHT]}, held_out=1)
    with pytest.raises(UsageError, match="strength and restarts are 0 or more"):
        fit(single(), {"s": [RIGHT]}, strength=-1)
