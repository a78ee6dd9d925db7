"""The tiny networks' forward pass and what they say: in batches as alone, with a cache as without, by seed."""

from functools import cache

import numpy as np
import pytest

from maieutic.backends.tiny.arithmetic import Problem, answer_in, hint, items, steps_in
from maieutic.backends.tiny.catalogue import WEIGHTS, Loaded, loaded, names
from maieutic.backends.tiny.generate import Prompt, answer_shares, generate
from maieutic.memory.transcript import Message

QUESTIONS = [item["question"] for item in items(12, seed=21)]


@cache
def model(name: str = "student") -> Loaded:
    return loaded(WEIGHTS / name)


def tokens(asked: str, name: str = "student") -> tuple[int, ...]:
    return model(name).tokens.chat([Message("user", f"{asked} Explain.")])


def say(*prompts: Prompt, name: str = "student") -> list[str]:
    return [said.text for said in generate(model(name).network, model(name).tokens, prompts)]


def test_the_models_that_ship() -> None:
    assert names() == ["assistant", "novice", "student", "teacher"]
    for name in names():
        stored = (WEIGHTS / name / "model.safetensors").stat().st_size
        assert stored < 520_000


def test_reading_in_pieces_with_the_cache_is_reading_at_once() -> None:
    network, read = model().network, np.array([tokens(QUESTIONS[3])])
    nothing = np.array([0])
    whole = network.read(read, network.cache(nothing))
    pieces = network.cache(nothing)
    apart = [network.read(part, pieces) for part in (read[:, :5], read[:, 5:6], read[:, 6:])]
    np.testing.assert_allclose(np.concatenate(apart, axis=1), whole, atol=1e-9)


def test_padding_at_the_left_changes_nothing() -> None:
    network, read = model().network, np.array([tokens(QUESTIONS[3])])
    alone = network.read(read, network.cache(np.array([0])))
    padded = network.read(np.pad(read, [(0, 0), (70, 0)], constant_values=9), network.cache(np.array([70])))
    np.testing.assert_allclose(padded[:, 70:], alone, atol=1e-9)


def test_what_comes_later_changes_nothing_before_it() -> None:
    network, read = model().network, np.array([tokens(QUESTIONS[3])])
    whole = network.read(read, network.cache(np.array([0])))
    begun = network.read(read[:, :7], network.cache(np.array([0])))
    np.testing.assert_allclose(begun, whole[:, :7], atol=1e-9)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_batch_says_what_each_says_alone(temperature: float) -> None:
    prompts = [
        Prompt(tokens(asked), most=60, temperature=temperature, seed=f"{asked}", alternatives=3) for asked in QUESTIONS
    ]
    together = generate(model().network, model().tokens, prompts)
    for prompt, said in zip(prompts, together, strict=True):
        assert generate(model().network, model().tokens, [prompt]) == [said]


def test_probabilities_of_all_tokens_sum_to_one_and_the_greedy_token_leads() -> None:
    (said,) = generate(model().network, model().tokens, [Prompt(tokens(QUESTIONS[0]), most=60, alternatives=400)])
    assert "".join(token.token for token in said.logprobs) == said.text
    for token in said.logprobs:
        assert len(token.top) == 304
        assert sum(np.exp(value) for value in token.top.values()) == pytest.approx(1.0, abs=1e-4)
        assert max(token.top, key=lambda one: token.top[one]) == token.token
        assert token.logprob == token.top[token.token]


def test_confidence_is_the_geometric_mean_of_the_tokens_probabilities() -> None:
    (said,) = generate(model().network, model().tokens, [Prompt(tokens(QUESTIONS[0]), most=60)])
    without_end = np.exp(np.mean([token.logprob for token in said.logprobs]))
    assert said.confidence == pytest.approx(without_end, abs=1e-3)
    assert 0 < said.confidence <= 1


def test_a_reply_ends_at_a_stop_string_which_is_no_part_of_it() -> None:
    prompt = Prompt(tokens(QUESTIONS[3]), most=60)
    (whole,) = generate(model().network, model().tokens, [prompt])
    (cut,) = generate(model().network, model().tokens, [Prompt(prompt.tokens, most=60, stop=("zzz", ". Answer"))])
    assert cut.text == whole.text.partition(". Answer")[0]
    assert cut.finish == "stop"
    assert "".join(token.token for token in cut.logprobs) == cut.text


def test_a_reply_ends_at_its_limit() -> None:
    (cut,) = generate(model().network, model().tokens, [Prompt(tokens(QUESTIONS[3]), most=4)])
    (whole,) = generate(model().network, model().tokens, [Prompt(tokens(QUESTIONS[3]), most=60)])
    assert (cut.finish, whole.finish) == ("length", "stop")
    assert len(cut.logprobs) == 4
    assert whole.text.startswith(cut.text)


def test_drawing_is_decided_by_the_seed_and_follows_the_probabilities() -> None:
    unsure = Prompt(tokens("Start 7; times 9; minus 9; add 9.", "novice"), most=60)
    drawn = [Prompt(unsure.tokens, most=60, temperature=1.0, seed=str(seed)) for seed in range(60)]
    said = say(*drawn, name="novice")
    assert say(*drawn, name="novice") == said
    assert len(set(said)) > 3
    (shares,) = answer_shares(model("novice").network, model("novice").tokens, [unsure.tokens])
    answers = [answer_in(text) for text in said]
    for answer, share in shares.items():
        assert answers.count(answer) / 60 == pytest.approx(share, abs=0.2)


def test_only_the_likeliest_token_is_drawn_where_top_p_is_small() -> None:
    unsure = tokens("Start 7; times 9; minus 9; add 9.", "novice")
    drawn = [Prompt(unsure, most=60, temperature=1.0, top_p=0.01, seed=str(seed)) for seed in range(5)]
    assert set(say(*drawn, name="novice")) == set(say(Prompt(unsure, most=60), name="novice"))


def test_answers_are_weighed_over_all_likely_ways_to_them() -> None:
    asked = [tokens(question) for question in QUESTIONS]
    weighed = answer_shares(model().network, model().tokens, asked)
    for prompt, shares in zip(asked, weighed, strict=True):
        assert answer_shares(model().network, model().tokens, [prompt]) == [pytest.approx(shares)]
        assert 0.6 < sum(shares.values()) <= 1 + 1e-9
        assert set(shares) <= set("0123456789")


def accuracy(name: str, hints: dict[str, tuple[str, ...]] | None = None) -> float:
    asked = items(200, seed=33)
    prompts = [Prompt(tokens(one["question"] + hint((hints or {}).get(one["question"], ()))), most=80) for one in asked]
    right: list[bool] = [
        answer_in(text) == one["answer"] for text, one in zip(say(*prompts, name=name), asked, strict=True)
    ]
    return sum(right) / len(right)


def test_the_teacher_knows_everything_and_the_student_what_is_not_in_the_gap() -> None:
    assert accuracy("teacher") >= 0.98
    assert 0.45 <= accuracy("student") <= 0.7
    assert accuracy("novice") <= 0.5


def test_the_teachers_steps_help_the_student_and_wrong_ones_harm_it() -> None:
    asked = [item["question"] for item in items(200, seed=33)]
    taught = say(*(Prompt(tokens(question, "teacher"), most=80) for question in asked), name="teacher")
    explained = {question: steps_in(text)[:-1] for question, text in zip(asked, taught, strict=True)}
    assert accuracy("student", explained) >= accuracy("student") + 0.15
    all_steps = {question: Problem.all_in(question)[0].steps for question in asked}
    assert accuracy("student", all_steps) >= 0.98
    wrong = {
        question: (*steps[:-1], f"{steps[-1][:4]}{(int(steps[-1][4]) + 1) % 10}")
        for question, steps in explained.items()
    }
    assert accuracy("student", wrong) <= 0.25
