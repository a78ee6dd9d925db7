"""How alike texts are: BLEU by hand, its bounds, and the text that is most like all others."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maieutic.protocols.baselines.similarity import bleu, cosine, likeness

TEXTS = st.text(alphabet="ab c.", max_size=30)


def test_bleu_by_hand() -> None:
    """Against "the cat slept": 2 of 3 words, 1 of 2 pairs, 0 of 1 triple, and no fours, all but the first plus one."""
    by_hand = (2 / 3 * (1 + 1) / (2 + 1) * (0 + 1) / (1 + 1) * (0 + 1) / (0 + 1)) ** 0.25
    assert bleu("the cat sat", "the cat slept") == pytest.approx(by_hand)


def test_a_shorter_text_is_penalised_and_a_repeated_word_counts_no_more_often_than_in_the_reference() -> None:
    whole = "a b c d e f g h"
    assert bleu("a b c d", whole) == pytest.approx(math.exp(1 - 8 / 4))
    clipped = (1 / 4 * (0 + 1) / (3 + 1) * (0 + 1) / (2 + 1) * (0 + 1) / (1 + 1)) ** 0.25
    assert bleu("the the the the", "the end is near") == pytest.approx(clipped)


def test_case_does_not_count_and_punctuation_does() -> None:
    assert bleu("The Cat.", "the cat.") == 1
    assert bleu("the cat", "the cat.") < 1


@given(TEXTS, TEXTS)
def test_bleu_lies_between_none_and_all(one: str, other: str) -> None:
    assert 0 <= bleu(one, other) <= 1 + 1e-12
    if one.split():
        assert bleu(one, one) == pytest.approx(1)
    if not set(one.replace(".", " . ").split()) & set(other.replace(".", " . ").split()):
        assert bleu(one, other) == 0


def test_the_cosine_of_vectors() -> None:
    assert cosine([1, 0], [1, 1]) == pytest.approx(math.sqrt(0.5))
    assert cosine([1, 2], [-2, -4]) == pytest.approx(-1)
    assert cosine([0, 0], [1, 1]) == 0


def test_likeness_sums_over_all_others() -> None:
    texts = ["a b c d", "a b c e", "x y z"]
    totals = likeness(texts)
    assert totals == pytest.approx([bleu(texts[0], texts[1]), bleu(texts[1], texts[0]), 0])
    assert likeness(["x", "y", "z"], [[1, 0], [0, 1], [1, 1]]) == pytest.approx([0.5**0.5, 0.5**0.5, 2 * 0.5**0.5])
    assert likeness(["alone"]) == [0]
    assert likeness([]) == []
