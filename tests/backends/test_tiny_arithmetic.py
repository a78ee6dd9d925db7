"""The task of the tiny models: what is right, what is kept out of training, and what an explanation covers."""

import random
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maieutic.backends.tiny.arithmetic import (
    CONCEPTS,
    GAP,
    OPERATIONS,
    Operation,
    Problem,
    answer_in,
    draw,
    held_out,
    hint,
    items,
    steps_in,
    wrong_steps,
)
from maieutic.backends.tiny.train import dialogue, dialogues

PROBLEMS = st.builds(
    Problem, st.integers(0, 9), st.lists(st.sampled_from(OPERATIONS), min_size=1, max_size=6).map(tuple)
)


def test_a_problem_worked_by_hand() -> None:
    problem = Problem(3, (Operation("add", 4), Operation("times", 2), Operation("minus", 5)))
    assert problem.question == "Start 3; add 4; times 2; minus 5."
    assert problem.steps == ("3+4=7", "7*2=4", "4-5=9")
    assert problem.answer == 9
    assert problem.concepts == ("add-4", "times-2", "minus-5")
    assert problem.explained == ("add-4", "times-2")
    assert hint(problem.steps[:-1]) == " Hint: 3+4=7; 7*2=4."


@given(PROBLEMS)
def test_a_question_is_read_back_from_any_text_around_it(problem: Problem) -> None:
    text = f"Question: {problem.question}\n\nAnswer the question."
    assert Problem.all_in(text) == [problem]
    assert Problem.all_in(f"{text} {text}") == [problem, problem]


@given(PROBLEMS)
def test_what_a_model_says_is_read_back(problem: Problem) -> None:
    said = f"{'; '.join(problem.steps)}. Answer: {problem.answer}"
    assert steps_in(said) == problem.steps
    assert answer_in(said) == str(problem.answer)
    assert answer_in("; ".join(problem.steps)) is None


@given(PROBLEMS, st.integers())
def test_wrong_steps_follow_from_one_mistake_that_is_not_in_the_last_step(problem: Problem, seed: int) -> None:
    steps = wrong_steps(problem, random.Random(seed))
    states = [problem.start, *(int(step[-1]) for step in steps)]
    mistakes = [o.on(a) != b for o, a, b in zip(problem.operations, states, states[1:], strict=False)]
    assert sum(mistakes) == 1
    assert len(steps) == 1 or not mistakes[-1]
    assert [int(step[0]) for step in steps] == states[:-1]


def test_there_are_twenty_five_concepts_of_which_the_student_lacks_a_fifth() -> None:
    assert len(CONCEPTS) == len(set(CONCEPTS)) == 25
    assert len(GAP) == 5
    assert set(CONCEPTS) > GAP
    assert {concept.partition("-")[0] for concept in GAP} == {"add", "minus", "times"}


def test_items_are_kept_out_of_training_and_no_question_comes_twice() -> None:
    found = items(600, seed=11)
    questions = [item["question"] for item in found]
    assert len(set(questions)) == 600
    for item in found:
        (problem,) = Problem.all_in(item["question"])
        assert held_out(problem)
        assert item["answer"] == str(problem.answer)
        assert item["concepts"] == list(problem.concepts)
        assert item["explains"] == list(problem.explained)
    lengths = [len(Problem.all_in(question)[0].operations) for question in questions]
    assert {n: lengths.count(n) for n in (2, 3, 4, 5)} == dict.fromkeys((2, 3, 4, 5), 150)


def test_items_are_the_same_by_seed_and_a_shorter_list_is_the_beginning_of_a_longer() -> None:
    assert items(40, seed=3) == items(60, seed=3)[:40]
    assert items(40, seed=3) != items(40, seed=4)


def test_questions_of_one_operation_are_facts_and_never_kept_out() -> None:
    assert not any(held_out(Problem(start, (o,))) for start in range(10) for o in OPERATIONS)
    with pytest.raises(ValueError, match="two or more operations"):
        items(5, seed=1, lengths=(1, 2))


def test_more_questions_than_are_kept_out_are_refused() -> None:
    assert len(items(500, seed=1, lengths=(2,))) == 500
    with pytest.raises(ValueError, match="ask for 500 at most"):
        items(501, seed=1, lengths=(2,))


def test_a_tenth_of_the_questions_is_kept_out() -> None:
    rng = random.Random(1)
    share = sum(held_out(draw(rng, 4)) for _ in range(5000)) / 5000
    assert share == pytest.approx(0.1, abs=0.02)


def test_no_training_dialogue_is_about_a_question_that_is_kept_out() -> None:
    for said, _ in islice(dialogues(random.Random(5), True, lambda: 5), 3000):
        (problem,) = Problem.all_in(said)
        assert not held_out(problem)


def test_a_student_in_training_says_no_step_of_the_gap_but_reads_some() -> None:
    """Where the reply shows no working, the one step that is left to it is none of the gap either."""
    signs = {"+": "add", "-": "minus", "*": "times"}
    read = 0
    for said, reply in islice(dialogues(random.Random(6), True, lambda: 5), 3000):
        (problem,) = Problem.all_in(said)
        assert not GAP & {f"{signs[step[1]]}-{step[2]}" for step in steps_in(reply)}
        left = problem.operations[len(steps_in(said)) :]
        assert not GAP & {operation.concept for operation in left}
        read += bool(GAP & {f"{signs[step[1]]}-{step[2]}" for step in steps_in(said)})
    assert read > 300


def test_a_teacher_in_training_works_out_every_operation() -> None:
    replies = [reply for _, reply in islice(dialogues(random.Random(7), False, lambda: 5), 3000)]
    signs = {"add": "+", "minus": "-", "times": "*"}
    for operation in OPERATIONS:
        assert any(f"{signs[operation.name]}{operation.number}=" in reply for reply in replies)


def test_the_kinds_of_dialogue() -> None:
    problem = Problem(3, (Operation("add", 4), Operation("times", 2)))
    asked = "Start 3; add 4; times 2."
    assert dialogue(problem, "plain", 0) == (asked, "Answer: 4")
    assert dialogue(problem, "explain", 0) == (f"{asked} Explain.", "3+4=7; 7*2=4. Answer: 4")
    assert dialogue(problem, "hint", 2) == (f"{asked} Hint: 3+4=7; 7*2=4.", "Answer: 4")
    assert dialogue(problem, "finish", 1) == (f"{asked} Hint: 3+4=7. Explain.", "7*2=4. Answer: 4")
    assert dialogue(problem, "finish", 2) == (f"{asked} Hint: 3+4=7; 7*2=4. Explain.", "Answer: 4")
