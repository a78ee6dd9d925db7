"""Every ranker on six items, by hand."""

import pytest

from maieutic.errors import UsageError
from maieutic.protocols.interventions import (
    OBSERVED,
    Answered,
    Estimate,
    Outcomes,
    Ranking,
    Record,
    ranker_named,
    scores,
)
from maieutic.protocols.interventions.rankers import ranked


def said(
    correct: int, confidence: float | None = None, right: float | None = None, margin: float | None = None
) -> Answered:
    return Answered(
        answer="x", correct=bool(correct), agrees=bool(correct), confidence=confidence, right=right, margin=margin
    )


def record(
    name: str, alone: Answered, explained: Answered, teacher: Answered, alone_: float, explained_: float
) -> Record:
    return Record(
        item=name,
        alone=alone,
        explained=explained,
        teacher=teacher,
        estimates={"model": Estimate(alone=alone_, explained=explained_)},
    )


SIX = [
    #          alone                    explained           teacher       estimates
    record("a", said(0, 0.9, 0.1), said(1, 0.5, 0.7), said(1, 0.6), 0.3, 0.8),
    record("b", said(1, 0.8, 0.9), said(1, 0.5, 0.9), said(1, 0.9), 0.9, 0.95),
    record("c", said(0, 0.4, 0.2), said(0, 0.5, 0.3), said(0, 0.7), 0.2, 0.3),
    record("d", said(1, 0.5, 0.6), said(0, 0.5, 0.2), said(0, 0.2), 0.6, 0.5),
    record("e", said(0, 0.7, 0.3), said(1, 0.5, 0.8), said(1, 0.8), 0.4, 0.85),
    record("f", said(1, 0.3, 0.5), said(1, 0.5, 0.6), said(1, 0.4), 0.5, 0.9),
]

ORDERS = {
    "teacher_confidence": "b(de)afc",  # .9, .8 and 1 - .2, .6, .4, 1 - .7
    "student_confidence": "fcdeba",
    "true_pre": "acefdb",
    "true_post": "beafcd",
    "true_utility": "ae(cf)bd",  # .6, .5, .1, .1, 0, -.4
    "wrong_first": "(ace)(bdf)",
    "oracle": "(ae)(bcf)d",
    "random": "(abcdef)",
    "no_intervention:model": "caefdb",
    "intervention:model": "bfeadc",
    "expected_utility:model": "aefcbd",  # .5, .45, .4, .1, .05, -.1
}


def order(name: str, records: list[Record]) -> str:
    """The items by falling score, those of (nearly) equal scores in brackets."""
    found = scores(ranker_named(name), records)
    assert found is not None
    groups: dict[float, str] = {}
    for score, each in zip(found, records, strict=True):
        groups[round(score, 9)] = groups.get(round(score, 9), "") + each.item
    return "".join(f"({g})" if len(g) > 1 else g for _, g in sorted(groups.items(), reverse=True))


@pytest.mark.parametrize("name", ORDERS)
def test_whom_a_ranker_explains_first(name: str) -> None:
    assert order(name, SIX) == ORDERS[name]


def test_every_ranker_is_tried_here() -> None:
    assert set(OBSERVED) == {name for name in ORDERS if ":" not in name}


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("random", 1 / 2 + (1 / 3) * (4 / 6 - 1 / 2)),
        ("oracle", 5 / 6),
        ("wrong_first", 0.5 + 2 * (2 / 3) / 6),
        ("student_confidence", 3 / 6),
        ("teacher_confidence", 0.5 + (1 * 0 + 0.5 * 1 + 0.5 * -1) / 6),
        ("expected_utility:model", 5 / 6),
        ("no_intervention:model", 4 / 6),
        ("intervention:model", 3 / 6),
    ],
)
def test_accuracy_when_two_of_six_are_explained(name: str, wanted: float) -> None:
    known = Outcomes([r.alone.correct for r in SIX], [r.explained.correct for r in SIX], resamples=0)
    found = scores(ranker_named(name), SIX)
    assert found is not None
    assert Ranking(known, found).accuracy(1 / 3).value == pytest.approx(wanted)


def test_a_margin_counts_before_a_stated_confidence() -> None:
    stated = record("s", said(0, 0.2), said(1), said(1), 0.5, 0.5)
    measured = record("m", said(0, 0.9, margin=0.1), said(1), said(1), 0.5, 0.5)
    assert order("student_confidence", [stated, measured]) == "ms"


def test_true_utility_without_probabilities_is_what_was_gained() -> None:
    plain = [r.model_copy(update={"alone": said(r.alone.correct), "explained": said(r.explained.correct)}) for r in SIX]
    assert order("true_utility", plain) == order("oracle", plain)


def test_a_ranker_ranks_all_items_or_none() -> None:
    silent = SIX[0].model_copy(update={"teacher": None, "alone": said(0), "estimates": {}})
    for name in ("teacher_confidence", "student_confidence", "true_pre", "expected_utility:model"):
        assert scores(ranker_named(name), [*SIX, silent]) is None


def test_expected_utility_is_the_oracle_when_the_mental_model_is_perfect() -> None:
    perfect = [
        r.model_copy(
            update={"estimates": {"m": Estimate(alone=float(r.alone.correct), explained=float(r.explained.correct))}}
        )
        for r in SIX
    ]
    assert scores(ranker_named("expected_utility:m"), perfect) == scores(ranker_named("oracle"), perfect)


def test_expected_utility_is_random_when_the_mental_model_is_constant() -> None:
    constant = [r.model_copy(update={"estimates": {"m": Estimate(alone=0.3, explained=0.7)}}) for r in SIX]
    known = Outcomes([r.alone.correct for r in SIX], [r.explained.correct for r in SIX], resamples=0)
    mine = Ranking(known, scores(ranker_named("expected_utility:m"), constant) or [])
    for budget in (0, 0.2, 0.4, 0.6, 0.8, 1):
        assert mine.accuracy(budget).value == pytest.approx(known.random.accuracy(budget).value)


def test_a_ranker_that_needs_an_estimator_stands_for_each_of_them() -> None:
    names = [r.name for r in ranked(["random", "expected_utility", "intervention:b", "random"], ["a", "b"])]
    assert names == ["random", "expected_utility:a", "expected_utility:b", "intervention:b"]


@pytest.mark.parametrize("name", ["luck", "random:few_shot", "expected_utility"])
def test_unknown_rankers_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match=f"unknown ranker '{name}'; there are: random, .*expected_utility:ESTIMATOR"):
        ranker_named(name)
