"""Pools: exact names, descriptors that tell only what is known, candidates added, latencies measured, files."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from maieutic.backends.models import ModelSpec, Price
from maieutic.errors import FileError, UsageError
from maieutic.memory.entries import Entry
from maieutic.protocols.routing import Candidate, Latency, Pool, measured, performed
from maieutic.protocols.routing.quantiles import quantile


def pool() -> Pool:
    return Pool.model_validate(
        {
            "Small": {"model": {"model": "openai/own", "price": {"input": 0.1, "output": 0.4}}, "capability": "Quick."},
            "Large-70B": {"model": "sim/expert", "performance": {"stars": 0.9, "plants": 0.25}},
        }
    )


def test_names_match_whole_and_whatever_their_case() -> None:
    found = pool()
    assert found.find(" large-70b ") is found.candidates[1]
    assert found.find("large") is None  # no part of a name is enough
    assert found.find("Large-70B please") is None
    assert "SMALL" in found
    with pytest.raises(UsageError, match="no candidate 'large' in the pool; there are: Small, Large-70B"):
        found.the("large")


@pytest.mark.parametrize("name", ["a:b", "a<b", "", "two\nlines"])
def test_a_name_that_an_action_could_not_say_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="name"):
        Candidate(name=name, model=ModelSpec(model="sim/expert"))


def test_two_candidates_cannot_differ_by_case_alone() -> None:
    with pytest.raises(ValidationError, match="'small' and 'Small', and case does not count"):
        Pool.model_validate({"Small": "sim/expert", "small": "sim/expert"})


def test_the_description_tells_what_is_known_and_nothing_else() -> None:
    assert pool().described() == {
        "Small": "Quick; price 0.1 USD in and 0.4 USD out per million tokens",
        "Large-70B": "past performance: stars 90%, plants 25%",
    }


def test_an_unknown_price_stays_unknown() -> None:
    assert pool().the("large-70b").known_price is None
    assert not pool().asks_map
    assert Candidate(name="x", model=ModelSpec(model="openai/no-such-model-at-all")).asks_map


def test_the_price_map_answers_where_no_price_is_given() -> None:
    price = Candidate(name="x", model=ModelSpec(model="openai/gpt-4o-mini")).known_price
    assert price is not None
    assert [price.input, price.output] == pytest.approx([0.15, 0.6])
    own = Candidate(name="x", model=ModelSpec(model="openai/gpt-4o-mini"), price=Price(input=1, output=2))
    assert own.known_price == Price(input=1, output=2)


def test_a_candidate_is_added_under_a_name_of_its_own() -> None:
    new = Candidate(name="New", model=ModelSpec(model="sim/expert"))
    more = pool().added(new)
    assert more.names == ("Small", "Large-70B", "New")
    with pytest.raises(UsageError, match="has a candidate 'New' already"):
        more.added(new)


def entry(model: str, agent: str, seconds: float, **more: object) -> Entry:
    reply = {"text": "", "model": "as it calls itself", "seconds": seconds, **more}
    return Entry("0/0/x", "model", request={"model": model}, reply=reply, agent=agent)


def test_it_is_written_as_it_is_read() -> None:
    told = Pool.model_validate({"Small": "openai/x", "candidates": {"model": "openai/y", "capability": "Odd."}})
    written = told.model_dump(mode="json", exclude_defaults=True)
    assert written == {"Small": "openai/x", "candidates": {"model": {"model": "openai/y"}, "capability": "Odd."}}
    assert Pool.model_validate(written) == told
    assert Pool.model_validate(pool().model_dump()) == pool()


def test_latency_is_measured_over_the_calls_that_were_really_made() -> None:
    entries = [
        *(entry("openai/a", "Small", float(s)) for s in range(1, 22)),
        entry("openai/a", "other", 100.0),
        entry("openai/a", "Small", 0.0, free=True),  # from a cache
        entry("sim/expert", "Sim", 0.0, simulated=True),
        Entry("0/0/y", "person", request={"model": "person/x"}, reply={"seconds": 9.0}, agent="Small"),
    ]
    found = measured(entries)
    assert found["Small"] == Latency(p50=11, p95=20, calls=21)  # 1..21: positions 10 and 19
    assert found["openai/a"].calls == 22
    assert set(found) == {"Small", "openai/a", "other"}
    told = pool().updated(found, {"SMALL": {"maths": 0.5}}).the("small").described()
    assert told.endswith("latency 11 s (p50), 20 s (p95); past performance: maths 50%")


def test_past_performance_is_the_mean_of_scores_by_family() -> None:
    found = performed(
        [("Small", "maths", 1.0), ("Small", "maths", 0.0), ("Small", "art", 1.0), ("sim/expert", "art", 0.2)]
    )
    told = pool().updated(performance=found)
    assert told.the("small").performance == {"maths": 0.5, "art": 1.0}
    assert told.the("large-70b").performance == {"stars": 0.9, "plants": 0.25, "art": 0.2}


def test_quantiles_are_interpolated() -> None:
    assert quantile([4.0], 0.95) == 4
    assert quantile([1.0, 2.0], 0.25) == 1.25
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2
    with pytest.raises(ValueError, match="no quantile of nothing"):
        quantile([], 0.5)


def test_a_pool_is_read_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST", "http://localhost:1")
    file = tmp_path / "pool.yaml"
    file.write_text(
        "quick: openai/gpt-5-nano\n"
        "Own: {model: {model: hosted_vllm/x, api_base: '${env:HOST}'}, latency: {p50: 0.5, p95: 2}}\n"
    )
    found = Pool.load(file)
    assert found.names == ("quick", "Own")
    assert found.the("own").model.api_base == "http://localhost:1"
    assert found.the("own").latency == Latency(p50=0.5, p95=2)


def test_every_problem_of_a_pool_file_is_told_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "pool.yaml"
    file.write_text(
        "a: {model: x/y, capabilty: good}\nb: {capability: none}\nc: 3\nd: {model: x/y, latency: {p50: -1}}\n"
    )
    with pytest.raises(FileError) as caught:
        Pool.load(file)
    told = str(caught.value)
    assert "pool.yaml:1:17: unknown key 'capabilty'; did you mean 'capability'?" in told
    assert "pool.yaml:2:1: candidate 'b' has no model; add model: …" in told
    assert "candidate 'c' is a mapping, or a model string" in told
    assert "latency.p50: Input should be greater than or equal to 0" in told
