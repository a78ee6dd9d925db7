"""Interventions on items that arrive one by one: what is decided when, and what everybody reads."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from maieutic.agents import Student, Teacher
from maieutic.backends import LLMRequest
from maieutic.errors import ModelError, UsageError
from maieutic.memory.student import ConceptGraph, Item, StudentModel
from maieutic.protocols.interventions.online import OnlineInterventions
from maieutic.protocols.interventions.online_outcome import OnlineOutcome, over_students
from maieutic.protocols.interventions.spending import adaptive, affordable
from maieutic.testing.plays import play as play_file
from maieutic.testing.staged import Staged, play

TESS = Teacher("tess", "scripted/t")
SAM = Student("sam", "scripted/s")
ALL_RULES = ["adaptive", "myopic", "open_ended", "fixed", "random", "offline", "never"]


def concepts(**priors: float) -> ConceptGraph:
    graph = ConceptGraph()
    for name, prior in priors.items():
        graph.add(name, prior=prior, slip=0.0, guess=0.0, learn=1.0, helped=1.0)
    return graph


def item(name: str, concept: str) -> Item:
    return Item(id=name, question=f"What is {name}?", answer="yes", options=("yes", "no"), concepts=(concept,), guess=0)


FIVE = {"a": 0.9, "b": 0.1, "c": 0.5, "d": 0.3, "e": 0.7}
ONE_EACH = [item(f"q-{name}", name) for name in FIVE]


def always(right: bool) -> Callable[[LLMRequest], dict[str, Any] | str]:
    return by_item(lambda _: right)


def by_item(right: Callable[[str], bool]) -> Callable[[LLMRequest], dict[str, Any] | str]:
    """The student is right as `right` says of the item's id; the teacher says which item it explains."""

    def say(request: LLMRequest) -> dict[str, Any] | str:
        name = next(part for part in request.address.path if part.startswith("q"))
        if request.agent == "tess":
            return f"Lesson on {name}."
        return {"reasoning": "Hm.", "answer": "yes" if right(name) else "no", "confidence": 0.5}

    return say


def run(
    items: list[Item], say: Callable[[LLMRequest], dict[str, Any] | str], *, seed: int = 0, **params: Any
) -> Staged[OnlineOutcome]:
    return play(OnlineInterventions(teacher=TESS, student=SAM, items=items, **params), say, "", seed=seed)


def explained(outcome: OnlineOutcome, rule: str = "adaptive") -> list[str]:
    return [step.item for step in outcome.steps[rule] if step.explain]


def test_the_best_items_of_a_known_line_are_explained_by_a_threshold_that_is_known() -> None:
    """No concept is needed twice, so the utilities are 1 - prior: .1, .9, .5, .7, .3, and 2 of 5 can be afforded."""
    outcome = run(ONE_EACH, always(True), concepts=concepts(**FIVE), budget=0.4).outcome
    assert explained(outcome) == ["q-b", "q-d"]
    steps = outcome.steps["adaptive"]
    assert [round(step.utility or 0, 6) for step in steps] == [0.1, 0.9, 0.5, 0.7, 0.3]
    assert outcome.threshold_over_time("adaptive") == pytest.approx([0.7, 0.7, 0.7, 0.7, None])
    assert outcome.spent_over_time("adaptive") == [0, 1, 1, 2, 2]


def test_an_item_that_helps_later_ones_is_explained_first_if_one_looks_ahead() -> None:
    """x alone promises more than any y (0.5 against 0.4), but there are three items on y and one on x."""
    items = [item("qx", "x"), item("qy1", "y"), item("qy2", "y"), item("qy3", "y")]
    params: dict[str, Any] = {"concepts": concepts(x=0.5, y=0.6), "budget": 0.25}
    outcome = run(items, always(False), rules=["adaptive", "myopic"], **params).outcome
    assert explained(outcome) == ["qy1"]
    assert explained(outcome, "myopic") == ["qx"]
    assert outcome.steps["adaptive"][1].utility == pytest.approx(3 * 0.4)
    assert "on items still to come it would add 0.80 right answers" in outcome.steps["adaptive"][1].why
    assert explained(run(items, always(False), look_ahead=False, **params).outcome) == ["qx"]


def test_adaptive_threshold() -> None:
    assert adaptive(1, 0.5, [0.4, 0.6]).explain is False
    assert adaptive(1, 0.6, [0.4, 0.6]).explain is True
    assert adaptive(2, 0.5, [0.4, 0.6]).threshold == 0.5
    assert adaptive(5, 0.0, [0.4]).explain is False  # nothing is explained that gains nothing
    assert adaptive(0, 0.9, []).explain is False
    assert [affordable(share, 10) for share in (0, 0.1, 0.25, 0.3, 1)] == [0, 1, 2, 3, 10]


@pytest.mark.parametrize("rule", ALL_RULES[:-2])
def test_what_is_decided_does_not_depend_on_the_answer_or_on_any_later_one(rule: str) -> None:
    names = [f"q{n}" for n in range(10)]
    items = [item(name, "ab"[n % 2]) for n, name in enumerate(names)]
    params: dict[str, Any] = {"concepts": concepts(a=0.5, b=0.4), "budget": 0.5, "rules": [rule], "threshold": 0.4}
    usual = run(items, by_item(lambda name: int(name[1:]) % 3 > 0), **params).outcome.steps[rule]
    for cut in (0, 4, 8):
        cut_short = {name: int(name[1:]) % 3 > 0 and int(name[1:]) < cut for name in names}
        steps = run(items, by_item(cut_short.__getitem__), **params).outcome.steps[rule]
        assert [(s.explain, s.utility, s.threshold, s.alone) for s in steps[: cut + 1]] == [
            (s.explain, s.utility, s.threshold, s.alone) for s in usual[: cut + 1]
        ]


def test_nothing_of_later_items_is_read_by_anybody() -> None:
    staged = run(ONE_EACH, always(False), concepts=concepts(**FIVE), budget=0.6, rules=ALL_RULES)
    for request in staged.requests:
        name = next(part for part in request.address.path if part.startswith("q-"))
        later = ONE_EACH[[item.id for item in ONE_EACH].index(name) + 1 :]
        text = "\n".join(message.content for message in request.messages)
        assert not any(item.question in text for item in later)


def test_explanations_stay_in_the_students_view_and_answers_alone_leave_nothing() -> None:
    staged = run(ONE_EACH, always(True), concepts=concepts(**FIVE), budget=0.4)
    asked = ["tess.explain" in step for step in staged.asked]
    assert asked == [False, True, False, False, True, False, False]  # each explanation before its answer
    lesson_b = ["Question: What is q-b?\n\nOptions:\n- yes\n- no", "tess: Lesson on q-b."]
    lesson_d = ["Question: What is q-d?\n\nOptions:\n- yes\n- no", "tess: Lesson on q-d."]
    assert staged.read("sam.answer") == [[], lesson_b, lesson_b, lesson_b + lesson_d, lesson_b + lesson_d]
    assert staged.read("tess.explain") == [[], []]
    kinds = [turn.get("kind", "say") for turn in staged.outcome.transcript]
    assert kinds == ["probe", "say", "say", "probe", "probe", "say", "say", "probe", "probe"]


@pytest.mark.parametrize("budget", [0.0, 0.15, 0.4, 0.77, 1.0])
@pytest.mark.parametrize("right", [True, False])
def test_no_rule_ever_spends_more_than_the_budget(budget: float, right: bool) -> None:
    items = [item(f"q{n}", "abc"[n % 3]) for n in range(12)]
    params: dict[str, Any] = {"concepts": concepts(a=0.2, b=0.5, c=0.8), "rules": ALL_RULES, "threshold": 0.0}
    staged = run(items, always(right), budget=budget, **params)
    for rule, count in staged.outcome.explained.items():
        assert count <= affordable(budget, 12), rule
    assert staged.outcome.explained["random"] == staged.outcome.explained["offline"] == affordable(budget, 12)
    assert staged.outcome.explained["never"] == 0
    protocol = OnlineInterventions(teacher=TESS, student=SAM, items=items, budget=budget, **params)
    fewest, most = protocol.plan().calls["tess"]
    assert fewest <= sum(request.agent == "tess" for request in staged.requests) <= most
    assert protocol.plan().calls["sam"] == (8 * 12, 8 * 12)
    assert sum(request.agent == "sam" for request in staged.requests) == 8 * 12


def test_every_prediction_is_that_of_a_student_model_told_what_had_happened() -> None:
    items = [item(f"q{n}", "ab"[n % 2]) for n in range(8)]
    graph = concepts(a=0.5, b=0.4)
    outcome = run(items, by_item(lambda name: name in ("q1", "q4")), concepts=graph, budget=0.5).outcome
    model = StudentModel(graph, items=items)
    for step in outcome.steps["adaptive"]:
        prediction = model.predict(step.item)
        assert (step.alone, step.explained) == pytest.approx((prediction.alone, prediction.explained))
        if step.explain:
            model.explained(items[int(step.item[1:])])
        model.answered(step.item, correct=step.said.correct, with_explanation=step.explain)
    assert 0 < outcome.explained["adaptive"] < 8


def test_the_offline_rule_answers_everything_alone_first_and_then_explains_what_was_wrong() -> None:
    items = [item(f"q{n}", f"c{n}") for n in range(6)]
    params: dict[str, Any] = {"concepts": concepts(**{f"c{n}": 0.5 for n in range(6)}), "budget": 0.34}
    staged = run(items, by_item(lambda name: name not in ("q2", "q5")), rules=["offline"], **params)
    assert explained(staged.outcome, "offline") == ["q2", "q5"]
    assert [r.address.path[0] for r in staged.requests[:6]] == ["rehearsal"] * 6


def test_accuracy_over_time_and_the_comparison_are_those_of_the_answers(tmp_path: Path) -> None:
    right = by_item(lambda name: name in ("q-a", "q-c", "q-d"))
    outcome = run(ONE_EACH, right, concepts=concepts(**FIVE), rules=["adaptive", "random"]).outcome
    assert outcome.accuracy_over_time("adaptive") == pytest.approx([1, 1 / 2, 2 / 3, 3 / 4, 3 / 5])
    assert outcome.accuracy["adaptive"].value == pytest.approx(0.6)
    assert outcome.first_beyond["random"].value == 0
    lines = outcome.table().splitlines()
    assert lines[0].split() == ["rule", "explained", "accuracy", "adaptive", "beyond", "it"]
    assert lines[1].startswith("adaptive     1 of 5  0.600 [")
    picture = outcome.plot(tmp_path / "online.svg").read_text("utf-8")
    assert "share right so far" in picture
    both = over_students([outcome, outcome])
    assert both.accuracy["adaptive"].value == pytest.approx(0.6)
    assert both.accuracy["adaptive"].n == 2


GRAPH = """
version: 1
name: budgeted
models: {m: scripted/m}
agents: {tess: {role: teacher, model: m}, sam: {role: student, model: m}}
use: online_interventions
with:
  teacher: tess
  student: sam
  budget: 0.5
  items:
    - {id: q1, question: "What is q1?", answer: "yes", concepts: [a]}
    - {id: q2, question: "What is q2?", answer: "yes", concepts: [a]}
"""


def test_it_is_used_from_a_graph_file() -> None:
    played = play_file(GRAPH, always(True))
    assert played.run.outcome.explained == {"adaptive": 1}


def test_what_was_answered_before_a_failure_is_kept() -> None:
    def say(request: LLMRequest) -> dict[str, Any] | str:
        if "q-c" in request.address.path:
            raise ModelError("The line is dead.", kind="connection")
        return always(True)(request)

    staged = run(ONE_EACH, say, concepts=concepts(**FIVE))
    assert isinstance(staged.error, ModelError)
    assert [step.item for step in staged.outcome.steps["adaptive"]] == ["q-a", "q-b"]
    assert staged.outcome.reason == "failed:connection"


def test_what_cannot_be_taught_is_refused() -> None:
    with pytest.raises(UsageError, match="the student model must know what 'q' needs; give it concepts"):
        run([Item(id="q", question="?", answer="1")], always(True))
    with pytest.raises(UsageError, match="'q' needs the unknown concept 'z'"):
        run([item("q", "z")], always(True), concepts=concepts(a=0.5))
    with pytest.raises(UsageError, match="two are called 'q'"):
        run([item("q", "a"), item("q", "a")], always(True))
    with pytest.raises(UsageError, match="'q' has no answer"):
        run([Item(id="q", question="?", concepts=("a",))], always(True))
