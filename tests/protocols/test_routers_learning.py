"""Routers: what each learns from records, whom it chooses, and that its state survives JSON."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.errors import UsageError
from maieutic.protocols.routing import Pool
from maieutic.protocols.routing.routers import (
    ROUTERS,
    Bandit,
    Elo,
    Neighbours,
    Query,
    RoutingRecord,
    append_records,
    load_router,
    read_records,
    router_from_json,
    router_named,
    save_router,
    write_records,
)
from maieutic.protocols.routing.routers.features import features
from maieutic.protocols.routing.routers.ratings import bradley_terry

TAUGHT = ("elo", "knn", "classifier", "factorisation")
POOL = Pool.model_validate(
    {
        "Small": {"model": "sim/expert", "price": {"input": 0.1, "output": 0.4}},
        "Middle": {"model": "sim/expert", "price": {"input": 0.5, "output": 2}},
        "Large": {"model": "sim/expert", "price": {"input": 2, "output": 8}},
    }
)


def rng(seed: int = 0) -> random.Random:
    return random.Random(seed)


def record(question: str, model: str, quality: float, **more: Any) -> RoutingRecord:
    return RoutingRecord(question=question, model=model, quality=quality, **more)


def two_subjects() -> list[RoutingRecord]:
    """Small knows the planets, Large the kings, Middle a half of each answer; ten questions of each."""
    planets = [f"Which planet has ring number {n}?" for n in range(10)]
    kings = [f"Which king won battle number {n}?" for n in range(10)]
    found = []
    for n in range(10):
        for subject, question, right in (("planets", planets[n], "Small"), ("kings", kings[n], "Large")):
            for model in POOL.names:
                quality = 0.5 if model == "Middle" else float(model == right)
                found.append(record(question, model, quality, family=subject, usd=0.001, seconds=1.0))
    return found


def test_cheapest_and_largest_go_by_the_price_and_never_take_an_unknown_one_for_nothing() -> None:
    assert router_named("cheapest").decide(Query("?"), POOL, rng()).name == "Small"
    assert router_named("largest").decide(Query("?"), POOL, rng()).name == "Large"
    half = Pool.model_validate(
        {"Free?": "sim/expert", "Paid": {"model": "sim/expert", "price": {"input": 1, "output": 1}}}
    )
    assert router_named("cheapest").decide(Query("?"), half, rng()).name == "Paid"
    with pytest.raises(UsageError, match="chooses by price, and no candidate of the pool has one; give it one: price:"):
        router_named("cheapest").decide(Query("?"), Pool.model_validate({"A": "sim/expert"}), rng())


def test_random_takes_each_as_often_and_the_same_by_the_same_chance() -> None:
    router, chance = router_named("random"), rng()
    drawn = [router.decide(Query("?"), POOL, chance).name for _ in range(300)]
    assert all(70 < drawn.count(name) < 130 for name in POOL.names)
    assert router.decide(Query("?"), POOL, rng(3)) == router.decide(Query("?"), POOL, rng(3))


def test_bradley_terry_by_hand() -> None:
    """Three wins of four are odds of 3 to 1: 400 log10 3 = 190.85 points apart, about a mean of 1000."""
    ratings = bradley_terry({("a", "b"): 3, ("b", "a"): 1})
    assert ratings["a"] == pytest.approx(1000 + 95.42, abs=0.05)
    assert ratings["b"] == pytest.approx(1000 - 95.42, abs=0.05)
    chain = bradley_terry({("a", "b"): 3, ("b", "a"): 1, ("b", "c"): 9, ("c", "b"): 1})
    assert chain["b"] - chain["c"] == pytest.approx(400 * math.log10(9), abs=0.3)
    assert chain["a"] - chain["c"] == pytest.approx(400 * math.log10(27), abs=0.3)


def test_bradley_terry_stays_finite_for_one_who_never_lost() -> None:
    ratings = bradley_terry({("a", "b"): 50, ("b", "a"): 0})
    assert 1500 < ratings["a"] < 4000
    assert ratings["a"] + ratings["b"] == pytest.approx(2000)


def test_elo_counts_a_draw_as_half_and_ignores_case_in_names() -> None:
    elo = Elo()
    elo.fit([record("q1", "small", 1), record("q1", "LARGE", 0), record("q2", "Small", 1), record("q2", "Large", 1)])
    expected = 1000 + 400 * math.log10(3) / 2  # a win and a draw: 1.5 points of 2, odds of 3 to 1
    assert elo.ratings["small"] == pytest.approx(expected, abs=0.1)
    decision = elo.decide(Query("anything"), POOL, rng())
    assert (decision.name, decision.scores["Middle"]) == ("Small", 1000.0)
    with pytest.raises(UsageError, match="elo needs records of two or more candidates that answered the same question"):
        elo.fit([record("q1", "Small", 1), record("q2", "Large", 0)])


@pytest.mark.parametrize("name", ["bandit", "knn", "classifier", "factorisation"])
def test_what_knows_the_question_sends_each_subject_to_its_expert(name: str) -> None:
    router = Bandit({"explore": 0}) if name == "bandit" else router_named(name)
    router.fit(two_subjects())
    for question, family, right in (
        ("Which planet has the most moons?", "planets", "Small"),
        ("Which king won at sea?", "kings", "Large"),
        ("Which planet was found last?", "", "Small"),
        ("Which king was beheaded, and in which battle?", "", "Large"),
    ):
        decision = router.decide(Query(question, family), POOL, rng())
        assert decision.name == right, question
        assert right in decision.reasons[0]


def test_the_nearest_neighbour_is_told_and_its_quality_is_a_mean_over_k() -> None:
    knn = Neighbours(k=2)
    knn.fit([record("red planets", "Small", 1), record("red kings", "Small", 0), record("blue cheese", "Small", 1)])
    decision = knn.decide(Query("red planets"), POOL, rng())
    assert decision.scores == {"Small": 0.5}
    assert decision.reasons == ("Small has mean quality 0.50 on the 2 most similar questions, such as 'red planets'.",)
    assert "Middle" not in decision.scores  # nobody knows how good it is
    with pytest.raises(UsageError, match="knn needs 1 neighbour or more, not 0"):
        Neighbours(k=0)


def test_equally_good_candidates_are_told_apart_by_price() -> None:
    for name in ("elo", "knn", "factorisation"):
        router = router_named(name)
        both = [record(q, model, float(model != "Middle")) for q in ("one", "two") for model in POOL.names]
        router.fit(both)
        assert router.decide(Query("one"), POOL, rng()).name in ("Small", "Large")
        if name != "factorisation":  # whose scores differ in the last digits
            assert router.decide(Query("one"), POOL, rng()).name == "Small"


@pytest.mark.parametrize("name", TAUGHT)
def test_what_was_not_taught_says_so(name: str) -> None:
    other = Pool.model_validate({"Stranger": "sim/expert"})
    router = router_named(name)
    if name == "elo":
        assert router.decide(Query("?"), other, rng()).name == "Stranger"
        return
    with pytest.raises(UsageError, match="train it: maieutic route train --router"):
        router.decide(Query("?"), POOL, rng())
    router.fit(two_subjects())
    with pytest.raises(UsageError, match="any candidate of this pool"):
        router.decide(Query("?"), other, rng())


@pytest.mark.parametrize("name", list(ROUTERS))
def test_a_state_survives_json_and_decides_the_same(name: str, tmp_path: Path) -> None:
    router = router_named(name)
    router.fit(two_subjects())
    save_router(router, tmp_path / "kept" / "router.json")
    again = load_router(tmp_path / "kept" / "router.json")
    assert json.dumps(again.to_json()) == json.dumps(router.to_json())
    for question in ("Which planet?", "Which king?", "neither"):
        assert again.decide(Query(question), POOL, rng(1)) == router.decide(Query(question), POOL, rng(1))


QUALITIES = st.lists(
    st.builds(
        RoutingRecord,
        question=st.text(min_size=1, max_size=30),
        model=st.sampled_from(["Small", "Middle", "Large"]),
        quality=st.floats(0, 1),
        family=st.sampled_from(["", "planets", "Könige"]),
        usd=st.none() | st.floats(0, 10),
        seconds=st.none() | st.floats(0, 1e4),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=30, deadline=None)
@given(QUALITIES)
def test_any_records_survive_their_file_and_any_bandit_its_json(records: list[RoutingRecord]) -> None:
    for make in (Bandit, Neighbours):
        router = make()
        router.fit(records)
        again = router_from_json(json.loads(json.dumps(router.to_json())))
        assert again.to_json() == router.to_json()
        query = Query(records[0].question, records[0].family)
        assert again.decide(query, POOL, rng(1)) == router.decide(query, POOL, rng(1))
    assert [RoutingRecord.model_validate_json(r.model_dump_json(exclude_defaults=True)) for r in records] == records


def test_a_file_of_records_grows_and_names_the_line_that_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "records.jsonl"
    first, second = record("one\ntwo", "Small", 1, usd=0.5), record("three", "Large", 0)
    append_records(path, [first])
    append_records(path, [second])
    assert read_records(path) == [first, second]
    write_records(path, [second])
    assert read_records(path) == [second]
    path.write_text('{"question": "q", "model": "m", "quality": 1}\n\n{"question": "q", "model": "m", "quality": 2}\n')
    with pytest.raises(
        UsageError, match=r"records.jsonl:3: this is no routing record \(quality: .* less than or equal"
    ):
        read_records(path)
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        read_records(tmp_path / "nowhere.jsonl")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda raw: raw | {"version": 7},
            "version 7; wanted is 'elo', version 1. Train it anew: maieutic route train",
        ),
        (lambda raw: raw | {"router": "oracle"}, "this is no router's state; it names router 'oracle'"),
        (lambda raw: raw | {"more": 1}, "is damaged: missing nothing, unknown more"),
        (lambda raw: {k: v for k, v in raw.items() if k != "ratings"}, "is damaged: missing ratings, unknown nothing"),
        (lambda raw: [], "this is no router's state"),
    ],
)
def test_a_state_that_is_none_is_refused(change: Callable[[Any], Any], message: str, tmp_path: Path) -> None:
    elo = Elo({"small": 1100.0})
    (tmp_path / "r.json").write_text(json.dumps(change(elo.to_json())), "utf-8")
    with pytest.raises(UsageError, match=message):
        load_router(tmp_path / "r.json")


def test_unknown_routers_and_options_are_refused_with_a_suggestion() -> None:
    with pytest.raises(UsageError, match="there is no router 'bandt'; did you mean 'bandit'"):
        router_named("bandt")
    with pytest.raises(UsageError, match="router 'elo': got an unexpected keyword argument 'k'"):
        router_named("elo", k=5)


def test_questions_are_vectors_of_words_and_family() -> None:
    one, same, other = (features(Query(text), "hashing") for text in ("Red planets!", "the red planets", "blue cheese"))
    assert one @ same == pytest.approx(1)
    assert one @ other < 0.5
    here, there = (features(Query("x y z", family), "hashing") for family in ("history", "physics"))
    assert here @ here == pytest.approx(2)
    assert here @ there < 1.6  # families are nearly at right angles
    with pytest.raises(UsageError, match="compares questions by the embeddings of 'openai/embed', and this question"):
        features(Query("x"), "openai/embed")


def test_embeddings_take_the_place_of_words() -> None:
    records = [
        record("aaa", "Small", 1),
        record("bbb", "Small", 0),
        record("aaa", "Large", 0),
        record("bbb", "Large", 1),
    ]
    knn = Neighbours(k=1, embedding="openai/embed")
    knn.fit(records, {"aaa": [1.0, 0.0], "bbb": [0.0, 2.0]})
    again = router_from_json(json.loads(json.dumps(knn.to_json())))
    for router in (knn, again):
        assert router.decide(Query("no words in common", vector=(0.1, 5.0)), POOL, rng()).name == "Large"
        assert router.decide(Query("no words in common", vector=(9.0, 0.1)), POOL, rng()).name == "Small"
    knn.fit(records, {"aaa": [1.0, 0.0], "bbb": [0.0, 2.0, 1.0]})
    with pytest.raises(UsageError, match="differ in length; they must come from one model"):
        knn.decide(Query("?", vector=(1.0, 0.0)), POOL, rng())
