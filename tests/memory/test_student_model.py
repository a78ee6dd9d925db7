"""What the student model concludes from what it is told."""

import doctest
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import maieutic.memory.student.concepts as concepts_module
import maieutic.memory.student.model as model_module
from maieutic.errors import StudentModelError
from maieutic.memory.student import ConceptGraph, Item, Observation, StudentModel
from maieutic.testing.random_lessons import random_graph, random_items, random_observation

SUM = Item(
    id="sum",
    question="1/2 + 1/3 = ?",
    answer="5/6",
    aliases=("five sixths",),
    options=("5/6", "2/5", "1/6", "five sixths"),
    distractors={"2/5": "adds"},
    concepts=("fractions",),
)


def arithmetic(**parameters: float) -> ConceptGraph:
    concepts = ConceptGraph()
    concepts.add("division", **parameters)  # type: ignore[arg-type]
    concepts.add("fractions", needs={"division": 0.9}, misconceptions={"adds": "1/2 + 1/3 = 2/5"}, **parameters)  # type: ignore[arg-type]
    concepts.add("percent", needs={"fractions": 0.8, "division": 0.5}, **parameters)  # type: ignore[arg-type]
    return concepts


def student(**how: bool) -> StudentModel:
    items = [SUM, Item(id="half", concepts=("fractions",)), Item(id="share", concepts=("division", "percent"))]
    return StudentModel(arithmetic(), items, **how)  # type: ignore[arg-type]


def lesson(seed: int, *, loops: bool = True, most: int = 3, length: int = 12) -> StudentModel:
    rng = random.Random(f"lesson/{seed}")
    concepts = random_graph(rng, rng.randint(1, 7), loops=loops and rng.random() < 0.5)
    items = random_items(rng, concepts, min(most, len(concepts)))
    log = [random_observation(rng, concepts, items) for _ in range(length)]
    return StudentModel.of(concepts, log, items)


lessons = st.builds(lesson, st.integers(0, 10**6))


def answer(model: StudentModel, item: str, correct: bool) -> StudentModel:
    after = model.copy()
    after.observe(Observation(kind="answered", item=item, correct=correct))
    return after


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.data())
def test_a_right_answer_never_lowers_the_mastery_of_what_it_needs_and_a_wrong_one_never_raises_it(
    seed: int, data: st.DataObject
) -> None:
    rng = random.Random(f"monotone/{seed}")
    concepts = random_graph(rng, rng.randint(1, 6), loops=False)
    for name in list(concepts):
        concepts.graph.nodes[name]["learn_practice"] = 0.0  # practice teaches even where the answer was wrong
    items = random_items(rng, concepts, min(3, len(concepts)))
    model = StudentModel.of(concepts, [random_observation(rng, concepts, items) for _ in range(6)], items)
    item = model.items[data.draw(st.sampled_from(sorted(model.items)))]
    right, wrong = answer(model, item.id, True), answer(model, item.id, False)
    for name in item.concepts:
        assert right.mastery(name) >= model.mastery(name) - 1e-9
        assert wrong.mastery(name) <= model.mastery(name) + 1e-9


def test_a_right_answer_raises_the_belief_in_the_prerequisites_and_in_what_builds_on_it() -> None:
    model = student()
    before = {name: model.mastery(name) for name in model.concepts}
    model.answered("half", correct=True)
    assert all(model.mastery(name) > before[name] + 0.01 for name in before)


@settings(max_examples=60, deadline=None)
@given(lessons)
def test_beliefs_are_probabilities(model: StudentModel) -> None:
    for name in model.concepts:
        held = model.misconception(name)
        asked = (model.mastery(name), model.thinks(name), model.overconfidence(name), model.unawareness(name))
        assert all(-1e-12 <= p <= 1 + 1e-12 for p in (*asked, *held.values(), model.readiness(name)))
        assert model.mastery(name) + sum(held.values()) <= 1 + 1e-9
        assert 0 <= model.uncertainty(name) <= 3
        assert model.thinks(name) == pytest.approx(
            model.overconfidence(name) + model.mastery(name) - model.unawareness(name)
        )
    for item in model.items.values():
        prediction = model.predict(item)
        assert 0 <= prediction.alone <= 1
        assert prediction.explained >= prediction.alone - 1e-12
        assert model.expected_utility(item) == prediction.utility
        if item.options:
            assert sum(model.distractor(item).values()) == pytest.approx(1)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_the_order_of_answers_does_not_matter_where_each_is_about_one_concept_and_nothing_is_learned(seed: int) -> None:
    rng = random.Random(f"order/{seed}")
    concepts = random_graph(rng, 5, loops=False)
    for name in list(concepts):
        concepts.graph.nodes[name]["learn_practice"] = 0.0
    items = random_items(rng, concepts, 1)
    log = [Observation(kind="answered", item=rng.choice(items).id, correct=rng.random() < 0.5) for _ in range(10)]
    one = StudentModel.of(concepts, log, items)
    other = StudentModel.of(concepts, rng.sample(log, len(log)), items)
    for name in concepts:
        assert one.mastery(name) == pytest.approx(other.mastery(name), abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(lessons)
def test_the_same_log_gives_the_same_model_whatever_was_asked_between(model: StudentModel) -> None:
    again = StudentModel(model.concepts, model.items.values())
    for observation in model.log:
        again.observe(observation)
        again.zone()
        for item in again.items:
            again.predict(item)
    assert [again.mastery(name) for name in again.concepts] == [model.mastery(name) for name in model.concepts]
    assert again.log == model.log


def test_a_copy_goes_its_own_way() -> None:
    model = student()
    copy = model.copy()
    before = model.to_json()
    copy.answered("half", correct=True)
    copy.waited(3)
    copy.add(Item(id="new", concepts=("division",)))
    copy.should_intervene("half")
    assert model.to_json() == before
    assert len(copy.log) == 2


def test_who_asks_thinks_that_it_does_not_know_and_who_claims_thinks_that_it_does() -> None:
    base, asked, sure, unsure = (student() for _ in range(4))
    asked.asked("fractions")
    sure.claimed("half", 0.95)
    unsure.claimed("half", 0.05)
    assert asked.thinks("fractions") < base.thinks("fractions") - 0.1
    assert unsure.thinks("fractions") < base.thinks("fractions") < sure.thinks("fractions")
    assert asked.mastery("fractions") < base.mastery("fractions") < sure.mastery("fractions")


def test_a_sure_wrong_answer_is_overconfidence_and_an_unsure_right_one_unawareness() -> None:
    over, under = student(), student()
    for _ in range(3):
        over.answered("half", correct=False, confidence=0.95)
        under.answered("half", correct=True, confidence=0.05)
    assert over.overconfidence("fractions") > 0.8
    assert under.unawareness("fractions") > 0.5


def test_a_distractor_tells_of_its_misconception_and_is_expected_again() -> None:
    model = student()
    before = model.misconception("fractions")["adds"]
    plain = model.copy()
    model.answered("sum", choice="2/5")
    plain.answered("sum", correct=False)
    assert model.misconception("fractions")["adds"] > plain.misconception("fractions")["adds"] > before
    chances = model.distractor("sum")
    assert max(chances, key=lambda option: chances[option]) == "2/5"


@pytest.mark.parametrize(
    ("choice", "right"), [("5/6", True), ("five sixths", True), ("Answer: 5/6", True), ("2/5", False), ("7", False)]
)
def test_whether_a_choice_is_right_comes_from_the_item(choice: str, right: bool) -> None:
    model, told = student(), student()
    model.answered("sum", choice=choice)
    told.answered("sum", correct=right, choice=choice)
    assert model.mastery("fractions") == told.mastery("fractions")


def test_an_explanation_teaches_the_more_the_readier_the_student_is() -> None:
    ready, unready = student(), student()
    for correct, model in ((True, ready), (False, unready)):
        for _ in range(4):
            model.answered(concepts=["division"], correct=correct)
            model.answered("half", correct=False)
    shares = []
    for model in (ready, unready):
        before = model.mastery("fractions")
        model.explained("half")
        shares.append((model.mastery("fractions") - before) / (1 - before))
    assert shares[0] > 0.5 > 0.2 > shares[1]


def test_time_makes_forget_by_the_day_however_it_is_told() -> None:
    once, often = student(), student()
    for model in (once, often):
        model.answered("half", correct=True)
    known = once.mastery("fractions")
    once.waited(30)
    for _ in range(60):
        often.waited(0.5)
    assert once.mastery("fractions") == pytest.approx(known * 0.99**30)
    assert often.mastery("fractions") == pytest.approx(once.mastery("fractions"))


def test_an_explanation_at_hand_helps_with_the_answer_and_teaches_nothing() -> None:
    alone, helped = student(), student()
    before = alone.predict("half")
    alone.answered("half", correct=True)
    helped.answered("half", correct=True, with_explanation=True)
    assert before.explained > before.alone + 0.2
    assert alone.mastery("fractions") > helped.mastery("fractions")


def test_what_lies_ahead_adds_what_is_learned_for_it() -> None:
    model = student()
    utility = model.expected_utility("sum")
    after = model.copy()
    after.explained("sum")
    gain = after.predict("half").alone - model.predict("half").alone
    assert gain > 0.05
    assert model.expected_utility("sum", ahead=["half", "sum"]) == pytest.approx(utility + gain)
    assert model.expected_utility("fractions") == pytest.approx(
        gain + after.predict("sum").alone - model.predict("sum").alone
    )


def test_an_item_that_needs_a_concept_and_what_that_needs_counts_their_dependence() -> None:
    """P(both known) = 0.5 * 0.5, not P(one) * P(other)."""
    model = student()
    both = Item(id="both", concepts=("division", "fractions"))
    assert model.predict(both).alone == pytest.approx(0.2 + 0.7 * 0.25)


def test_the_zone_is_what_is_not_known_while_what_it_needs_is() -> None:
    model = student()
    assert model.zone() == ["division"]
    for _ in range(4):
        model.answered(concepts=["division"], correct=True)
        model.answered("half", correct=False)
    assert model.zone() == ["fractions"]
    assert model.zone(ready=0.0, mastered=1.1)[-1] != model.zone(ready=0.0, mastered=1.1)[0]
    assert set(model.zone(ready=0.0, mastered=1.1)) == {"division", "fractions", "percent"}


def test_items_are_known_by_id_by_question_and_by_themselves() -> None:
    model = student()
    assert model.predict("  1/2 +  1/3 = ? ") == model.predict("sum") == model.predict(SUM)
    new = Item(id="new", concepts=("percent",))
    model.answered(new, correct=True)
    assert model.log[-1].item == "new"
    assert model.items["new"] == new


def test_without_a_log_the_beliefs_are_the_same() -> None:
    quiet, kept = student(keep_log=False), student()
    for model in (quiet, kept):
        model.answered("share", correct=False)
        model.explained("division", "fractions")
    assert quiet.log == []
    assert [quiet.mastery(name) for name in quiet.concepts] == [kept.mastery(name) for name in kept.concepts]


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda m: m.mastery("fraction"), "there is no concept 'fraction'; did you mean 'fractions'?"),
        (lambda m: m.predict("sums"), "there is no item 'sums'; did you mean 'sum'?"),
        (lambda m: m.answered("half", choice="1/2"), "the item 'half' has no answer; give it one, or say correct="),
        (lambda m: m.answered("half"), "this cannot have been observed: an observation of the kind 'answered' needs"),
        (lambda m: m.claimed("half", 1.5), "this cannot have been observed: confidence: .* less than or equal to 1"),
        (lambda m: m.waited(float("inf")), "this cannot have been observed: days: Input should be a finite number"),
        (lambda m: m.asked("half", "division"), "there is no concept 'half'; name one item, or concepts alone"),
        (lambda m: m.distractor("half"), "the item 'half' has nothing to choose from"),
        (lambda m: m.add(Item(id="sum", concepts=("percent",))), "there are two different items 'sum'"),
        (lambda m: m.add(Item(id="x")), "the item 'x' needs no concept; list those that it needs"),
        (
            lambda m: m.add(Item(id="x", concepts=("percents",))),
            "the item 'x' needs the concept 'percents', which is not there; did you mean 'percent'?",
        ),
        (
            lambda m: m.add(Item(id="x", concepts=("fractions",), distractors={"2/5": "addds"})),
            "'2/5' tells of 'addds', which is no misconception of its concepts; did you mean 'adds'?",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_a_hint_and_changes_nothing(
    ask: Callable[[StudentModel], object], said: str
) -> None:
    model = student()
    before = model.to_json()
    with pytest.raises(StudentModelError, match=said.replace("?", r"\?")):
        ask(model)
    assert model.to_json() == before


def test_what_was_thought_impossible_does_not_break_the_model() -> None:
    concepts = ConceptGraph()
    concepts.add("a", prior=1.0, slip=0.0, guess=0.0)
    concepts.add("b", needs=["a"], prior=1.0, slip=0.0, guess=0.0)
    model = StudentModel(concepts, [Item(id="q", concepts=("a", "b"))])
    model.answered(concepts=["a"], correct=False)
    model.answered("q", correct=False)
    model.answered("q", correct=True)
    assert 0 <= model.mastery("a") <= 1
    assert 0 <= model.mastery("b") <= 1


def test_the_examples_in_the_docstrings_are_true() -> None:
    assert doctest.testmod(concepts_module) == (0, 4)
    assert doctest.testmod(model_module) == (0, 6)
