"""Experiments: what is run, in which order, for which money, and what becomes of failures."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import maieutic as mt
from maieutic.backends import LLMRequest
from maieutic.backends.types import Usage
from maieutic.errors import ExperimentFileError
from maieutic.runs.experiments import Progress, results_of

ITEMS = [{"id": f"q{n}", "question": f"How much is {n} + 1?", "answer": str(n + 1)} for n in range(12)]


class Counting:
    """Answers everything with 42, and counts; fails where it is told to."""

    def __init__(self, failing: str = "", usd: float | None = 0.01) -> None:
        self.failing, self.usd = failing, usd
        self.asked: list[LLMRequest] = []
        self.in_flight = self.most = 0

    async def complete(self, request: LLMRequest, on_text: Any = None) -> mt.LLMReply:
        self.asked.append(request)
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        await asyncio.sleep(0.002)
        self.in_flight -= 1
        if self.failing and self.failing in request.messages[-1].content:
            raise mt.ModelError("the lamp is out", kind="bad_request")
        text = '{"reasoning": "It follows.", "answer": "42", "confidence": 0.5}'
        return mt.LLMReply(text, request.model.model, usage=Usage(10, 5), usd=self.usd)

    async def aclose(self) -> None:
        pass


def experiment(samples: Mapping[str, int] | None = None, **options: Any) -> mt.Experiment:
    one = {"alone": 1, "often": 3} if samples is None else samples
    price = {"input": 50.0, "output": 100.0}
    model = {"model": "fake/m", "max_tokens": 5, "price": price, "structured": "native"}
    conditions = {
        name: mt.SelfConsistency([mt.Agent("ada", mt.ModelSpec.model_validate(model))], samples=n)
        for name, n in one.items()
    }
    return mt.Experiment("sums", **{"data": ITEMS, "conditions": conditions, "concurrency": 4, **options})


def run(what: mt.Experiment, backend: Counting, store: Path | None = None, **options: Any) -> mt.ExperimentRun:
    return what.run_sync(store, backends={"fake": backend}, **options)


def test_every_item_is_run_under_every_condition_as_often_as_is_said() -> None:
    backend = Counting()
    done = run(experiment(repeats=2), backend)
    assert done.status == "done"
    assert Counter((r.condition, r.repeat) for r in done.results) == {
        (name, repeat): 12 for name in ("alone", "often") for repeat in (0, 1)
    }
    assert done.calls == len(backend.asked) == 12 * 2 * (1 + 3)
    assert backend.most <= 4 * 3
    result = next(iter(done.results.where(condition="often")))
    assert (result.item, result.calls, result.tokens_in, result.tokens_out) == ("q0", 3, 30, 15)
    assert result.usd == pytest.approx(0.03)
    assert (result.answer, result.target, result.scores) == ("42", ("1",), {"exact_match": 0.0})


def test_results_come_in_the_order_of_items_repeats_and_conditions() -> None:
    done = run(experiment(repeats=2), Counting())
    order = [(r.item, r.repeat, r.condition) for r in done.results]
    assert order == [(i["id"], n, c) for i in ITEMS for n in (0, 1) for c in ("alone", "often")]
    assert len(done.results) == len(order)


def test_every_repeat_has_draws_of_its_own_and_all_conditions_share_them() -> None:
    backend = Counting()
    run(experiment({"alone": 1, "also": 1}, repeats=3), backend, limit=1)
    seeds = Counter(request.model.seed for request in backend.asked)
    assert sorted(seeds.values()) == [2, 2, 2]


def test_a_model_with_a_seed_of_its_own_has_another_one_in_each_repeat(tmp_path: Path) -> None:
    backend = Counting()
    file = {"models": {"m": {"model": "fake/m", "seed": 7}}, "agents": {"ada": {"model": "m"}}}
    conditions = {"alone": {"use": "self_consistency", "with": {"agents": ["ada"], "samples": 1}}}
    run(mt.Experiment("s", data=ITEMS, conditions=conditions, repeats=3, **file), backend, limit=2)  # type: ignore[arg-type]
    seeds = Counter(request.model.seed for request in backend.asked)
    assert seeds[7] == 2
    assert sorted(seeds.values()) == [2, 2, 2]


def test_conditions_share_fairly_so_that_a_part_can_be_compared(tmp_path: Path) -> None:
    done = run(experiment(budget={"calls": 24}), Counting(), tmp_path / "j.db")
    assert done.status == "stopped"
    over = [tally.over for tally in done.counts.values()]
    assert max(over) - min(over) <= 4
    assert min(over) >= 4


def test_the_budget_is_for_all_executions_together_and_is_never_passed(tmp_path: Path) -> None:
    store, backend = tmp_path / "j.db", Counting()
    first = run(experiment(budget={"calls": 20}), backend, store)
    assert first.status == "stopped"
    assert "budget is 20 calls" in str(first.error)
    assert len(backend.asked) <= 20
    run(experiment(budget={"calls": 20}), backend, store)
    assert len(backend.asked) == 20
    done = run(experiment(budget={"calls": 48}), backend, store)
    assert (done.status, done.total.done) == ("done", 24)
    assert len(backend.asked) == 48, "nothing was asked twice"


def test_a_budget_in_dollars_is_held_while_many_are_in_flight(tmp_path: Path) -> None:
    backend = Counting(usd=0.01)
    done = run(experiment(budget={"usd": 0.2}, concurrency=12), backend, tmp_path / "j.db")
    assert done.status == "stopped"
    assert 0.1 < len(backend.asked) * 0.01 <= 0.2


def test_a_failed_dialogue_is_a_failure_of_its_own(tmp_path: Path) -> None:
    store, backend = tmp_path / "j.db", Counting(failing="How much is 3")
    done = run(experiment({"alone": 1}), backend, store)
    assert (done.status, done.total.done, done.total.failed) == ("done", 11, 1)
    (failed,) = done.results.where(status="failed")
    assert (failed.item, failed.reason, failed.answer) == ("q3", "failed:bad_request", None)
    assert "the lamp is out" in str(failed.error)
    assert run(experiment({"alone": 1}), backend, store).calls == 0, "a failure stays"
    backend.failing = ""
    again = run(experiment({"alone": 1}), backend, store, retry_failed=True)
    assert (again.calls, again.total.done, again.total.failed) == (1, 12, 0)


@pytest.mark.parametrize(("on_exceed", "reason"), [("stop", "budget"), ("pause", "paused")])
def test_a_dialogue_that_meets_a_limit_of_its_own_is_over_until_it_is_asked_for(
    tmp_path: Path, on_exceed: str, reason: str
) -> None:
    (tmp_path / "graph.yaml").write_text(
        "{version: 1, name: g, models: {m: fake/m}, agents: {ada: {model: m}}, use: self_consistency, "
        f"with: {{agents: [ada], samples: 3}}, limits: {{tokens: 1000, on_exceed: {on_exceed}}}}}"
    )

    def done(**options: Any) -> mt.ExperimentRun:
        what = mt.Experiment("g", data=ITEMS[:2], conditions={"g": "graph.yaml"}, home=tmp_path, concurrency=1)
        return run(what, Counting(), tmp_path / "j.db", **options)

    first = done()
    assert (first.status, first.total.stopped) == ("done", 2)
    assert {r.reason for r in first.results} == {reason}
    assert done().finished == 0
    assert done(retry_failed=True).finished == 2


def test_too_many_failures_end_it(tmp_path: Path) -> None:
    store, backend = tmp_path / "j.db", Counting(failing="How much is")
    done = run(experiment({"alone": 1}, concurrency=1), backend, store, fail_on_error=0.1)
    assert done.status == "failed"
    assert done.total.failed == 2
    assert "2 of 12 dialogues failed" in str(done.error)
    assert "the lamp is out" in str(done.error)
    assert run(experiment({"alone": 1}, concurrency=1), backend, None, fail_on_error=3).total.failed == 4
    assert run(experiment({"alone": 1}), backend, None, fail_on_error=12).status == "done"


def test_failures_of_earlier_executions_count_too(tmp_path: Path) -> None:
    store, backend = tmp_path / "j.db", Counting(failing="How much is")
    run(experiment({"alone": 1}), backend, store)
    again = run(experiment({"alone": 1}), backend, store, fail_on_error=0.1)
    assert (again.finished, again.status) == (0, "failed")
    assert again.error == "12 of 12 dialogues failed, more than --fail-on-error allows."


def test_a_mistake_in_a_program_fails_its_dialogues_and_is_told() -> None:
    class Broken(Counting):
        async def complete(self, request: LLMRequest, on_text: Any = None) -> mt.LLMReply:
            raise ZeroDivisionError("by nought")

    done = run(experiment({"alone": 1}), Broken(), limit=2)
    assert {(r.status, r.reason, r.error) for r in done.results} == {
        ("failed", "failed:ZeroDivisionError", "ZeroDivisionError: by nought")
    }


def test_single_items_can_be_chosen(tmp_path: Path) -> None:
    store, backend = tmp_path / "j.db", Counting()
    done = run(experiment({"alone": 1}), backend, store, sample_ids=["q4", "q9"])
    assert [r.item for r in done.results] == ["q4", "q9"]
    assert done.total.planned == 2
    assert [r.item for r in run(experiment({"alone": 1}), backend, store, limit=1).results] == ["q0", "q4", "q9"]
    with pytest.raises(mt.UsageError, match=r"There is no item 'q99' in the data set"):
        run(experiment({"alone": 1}), backend, store, sample_ids=["q99"])


def test_an_item_that_was_edited_is_computed_anew_and_the_old_result_is_out_of_sight(tmp_path: Path) -> None:
    store, backend = tmp_path / "j.db", Counting()
    run(experiment({"alone": 1}), backend, store)
    changed = [{**ITEMS[0], "question": "How much is 40 + 2?"}, *ITEMS[1:]]
    done = run(experiment({"alone": 1}, data=changed), backend, store)
    assert (done.calls, done.total.done) == (1, 12)
    assert "40 + 2" in backend.asked[-1].messages[-1].content


def test_items_that_were_taken_out_of_the_data_set_count_no_more(tmp_path: Path) -> None:
    store, backend = tmp_path / "j.db", Counting()
    run(experiment({"alone": 1}), backend, store)
    fewer = run(experiment({"alone": 1}, data=ITEMS[4:]), backend, store)
    assert (fewer.calls, fewer.total.planned) == (0, 8)
    assert [r.item for r in fewer.results] == [item["id"] for item in ITEMS[4:]]
    back = run(experiment({"alone": 1}), backend, store)
    assert (back.calls, len(back.results)) == (0, 12)


def test_a_target_that_was_mended_counts_for_what_was_computed(tmp_path: Path) -> None:
    store, backend = tmp_path / "j.db", Counting()
    run(experiment({"alone": 1}), backend, store)
    mended = [{**ITEMS[0], "answer": "42", "family": "sums"}, *ITEMS[1:]]
    done = run(experiment({"alone": 1}, data=mended), backend, store)
    first, second = list(done.results)[:2]
    assert (first.target, first.family, first.scores) == (("42",), "sums", {"exact_match": 1.0})
    assert (second.family, second.scores) == ("", {"exact_match": 0.0})
    assert (done.calls, done.rescored) == (0, 1)


def test_scorers_that_were_added_or_changed_score_what_was_computed_too(tmp_path: Path) -> None:
    store, backend = tmp_path / "j.db", Counting()

    def done(*scorers: Any) -> tuple[mt.ExperimentRun, set[tuple[float | None, ...]]]:
        over = run(experiment({"alone": 1}, scorers=scorers), backend, store)
        assert (over.finished, over.calls) == (len(backend.asked), len(backend.asked))
        backend.asked.clear()
        return over, {tuple(result.scores.values()) for result in over.results}

    strict: dict[str, Any] = {"use": "numeric", "tolerance": 0}
    done("exact_match")
    over, scores = done("exact_match", strict)
    assert (over.rescored, scores) == (12, {(0.0, 0.0)})
    over, scores = done("exact_match", {**strict, "tolerance": 100})
    assert (over.rescored, scores) == (12, {(0.0, 1.0)})
    over, _ = done("exact_match", {**strict, "tolerance": 100})
    assert over.rescored == 0


def test_a_dialogue_that_was_cut_short_without_an_answer_has_no_score(tmp_path: Path) -> None:
    graph = "version: 1\nname: g\nmodels: {m: fake/m}\nagents: {ann: {model: m}, bob: {model: m}}\n"
    graph += "use: debate\nwith: {debaters: [ann, bob], rounds: 3, probes: never}\nlimits: {tokens: 20}\n"
    (tmp_path / "g.yaml").write_text(graph)
    done = run(experiment(conditions={"cut": str(tmp_path / "g.yaml")}), Counting(), limit=2)
    assert {(r.status, r.answer) for r in done.results} == {("stopped", None)}
    assert {tuple(r.scores) for r in done.results} == {()}


def test_an_id_that_stands_twice_is_an_error() -> None:
    with pytest.raises(mt.UsageError, match=r"the id 'q0' stands twice in the data set, at items 1 and 13"):
        run(experiment({"alone": 1}, data=[*ITEMS, ITEMS[0]]), Counting())


def test_a_broken_line_ends_it_and_when_it_is_mended_the_rest_is_computed(tmp_path: Path) -> None:
    data, store, backend = tmp_path / "q.jsonl", tmp_path / "j.db", Counting()
    lines = [json.dumps({"question": f"How much is {n} + 1?"}) for n in range(230)]
    data.write_text("\n".join([*lines[:-1], "broken"]))
    with pytest.raises(ExperimentFileError, match=r"q\.jsonl:230:1: this line is no JSON"):
        run(experiment({"alone": 1}, data=data), backend, store)
    data.write_text("\n".join(lines))
    done = run(experiment({"alone": 1}, data=data), backend, store)
    assert (done.status, done.total.done) == ("done", 230)
    assert len({request.messages[-1].content for request in backend.asked}) == 230
    assert len(backend.asked) <= 230 + 4, "only what was in flight is asked again"


def test_the_outlook_counts_what_is_left_and_calls_nothing(tmp_path: Path) -> None:
    store, backend = tmp_path / "j.db", Counting()
    what = experiment(repeats=2)
    alone, often = asyncio.run(what.outlook(store))
    assert not store.exists()
    assert (alone.planned, alone.over, alone.calls, often.calls) == (24, 0, (24, 24), (72, 72))
    run(what, backend, store, limit=5)
    before = len(backend.asked)
    alone, often = asyncio.run(what.outlook(store))
    assert (alone.over, often.calls) == (10, (42, 42))
    assert often.usd[0] > 0
    assert len(backend.asked) == before


def test_progress_can_be_read_while_it_goes_on() -> None:
    told: list[Progress] = []
    done = run(experiment(), Counting(), on_begin=told.append)
    (progress,) = told
    assert (progress.total.done, progress.calls, progress.tokens) == (24, 48, 48 * 15)
    assert progress.usd == pytest.approx(0.48)
    assert not +progress.flying
    assert done.finished == 24


def test_results_are_read_from_the_store_by_name(tmp_path: Path) -> None:
    store = tmp_path / "j.db"
    run(experiment({"alone": 1}), Counting(), store, run_id="mine", limit=3)
    results = results_of(store, "mine")
    assert results.conditions == ("alone",)
    assert [json.loads(json.dumps(r.to_json())) for r in results] == [r.to_json() for r in results]
    assert [mt.Result.from_json(r.to_json()) for r in results] == list(results)
    item = results.item("q1")
    assert item is not None
    assert item.inputs == {"question": "How much is 1 + 1?"}
    with pytest.raises(mt.UsageError, match=r"There is no experiment 'yours' in .*; there are: mine"):
        results_of(store, "yours")
    with pytest.raises(mt.UsageError, match="There are no experiments in"):
        results_of(tmp_path / "other.db", "mine")


def test_every_dialogue_is_a_run_in_the_journal(tmp_path: Path) -> None:
    store = tmp_path / "j.db"
    done = run(experiment({"often": 3}), Counting(), store, limit=2)
    first = next(iter(done.results))
    with mt.Journal.open(store) as journal:
        record = journal.run(first.run_id)
        assert record.status == "done"
        assert len(list(journal.entries(first.run_id, kind="model"))) == 3
    assert first.run_id.startswith("sums.often.q0.0-")


def test_a_condition_takes_of_an_item_the_inputs_that_it_knows() -> None:
    items = [{**ITEMS[0], "options": ["41", "42"]}]
    backend = Counting()
    done = run(experiment({"alone": 1}, data=items), backend)
    assert "41" in backend.asked[0].messages[-1].content
    assert done.total.done == 1


def test_judges_judge_at_the_end_each_dialogue_once(tmp_path: Path) -> None:
    store, backend = tmp_path / "j.db", Counting()
    scorers = ["exact_match", {"use": "judge", "models": ["sim/judge"], "rubric": "Is it right?"}]
    done = run(experiment({"alone": 1}, scorers=scorers), backend, store, limit=3)
    assert (done.calls, done.judgements) == (3, 3)
    assert all(set(r.scores) == {"exact_match", "judge"} for r in done.results)
    more = run(experiment({"alone": 1}, scorers=scorers), backend, store, limit=4)
    assert (more.calls, more.judgements, more.unjudged) == (1, 1, {})


def test_a_judge_that_fails_is_told() -> None:
    judge = {"use": "judge", "models": ["fake/judge"], "rubric": "Is it right?"}
    backend = Counting(failing="Is it right?")
    done = run(experiment({"alone": 1}, scorers=[judge]), backend, limit=2)
    assert {tuple(r.scores.values()) for r in done.results} == {(None,)}
    assert "the lamp is out" in done.unjudged["judge"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"repeats": 0}, "repeats and concurrency are 1 or more"),
        ({"conditions": {}}, "An experiment needs a condition"),
        ({"data": "x.txt"}, "'x.txt' is no data set"),
        (
            {"scorers": [{"use": "pairwise", "models": "sim/judge", "rubric": "Better?", "against": "alon"}]},
            "there is no condition 'alon' to compare with; there are: alone, often",
        ),
        ({"data": "no.jsonl"}, "there is no file 'no.jsonl'"),
        ({"data": {"fil": "x"}}, "data has no 'fil'; did you mean 'file'?"),
        ({"budget": {"usd": -1}}, "budget: usd: Input should be greater than 0"),
        ({"budget": {"dollars": 1}}, "budget has no 'dollars'; there are: calls, seconds, tokens, usd"),
        ({"vary": {"with": {"samples": [1, 2]}}}, "vary does not reach the condition 'alone', which is a program"),
        ({"scorers": ["exact"]}, "unknown scorer 'exact'; did you mean 'exact_match'"),
    ],
)
def test_what_does_not_fit_is_told_at_once(change: Mapping[str, Any], message: str) -> None:
    with pytest.raises(mt.UsageError, match=message):
        experiment(**change)
