"""What is kept when something fails."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from maieutic.agents import Debater, Judge
from maieutic.backends import LLMRequest
from maieutic.backends.scripted import Line
from maieutic.errors import BudgetExceeded, ModelError, ReplayMiss, ReplyError, UsageError, WaitingForPerson
from maieutic.protocols import Debate, SelfConsistency
from maieutic.testing.staged import play

MODEL = "scripted/mind"
ADA, BO, CY = (Debater(name, MODEL) for name in ("ada", "bo", "cy"))
JUNE = Judge("june", MODEL)
DOWN = ModelError("The server is down.", kind="server")


def mind(failing: Callable[[LLMRequest], bool], error: Exception = DOWN) -> Callable[[LLMRequest], Line]:
    """Says something fitting, but for the requests that fail."""

    def say(request: LLMRequest) -> Line:
        if failing(request):
            return error
        if request.output is None:
            return f"{request.agent} speaks."
        known = {"answer": "no" if request.agent == "bo" else "yes", "confidence": 0.5, "reason": "", "reasoning": ""}
        return {field: known[field] for field in request.output.model_fields}

    return say


def at(step: str, round_: int | None = None) -> Callable[[LLMRequest], bool]:
    def here(request: LLMRequest) -> bool:
        path = request.address.path
        return path[-1] == step and (round_ is None or path[-2] == f"round{round_}")

    return here


def debate(**params: Any) -> Debate:
    return Debate([ADA, BO, CY], **{"judge": JUNE, "rounds": 2, "probes": "never", **params})


@pytest.mark.parametrize("params", [{"first_round": "blind"}, {"order": "simultaneous"}])
def test_one_failure_in_a_round_that_runs_at_once_keeps_the_turns_of_the_others(params: dict[str, Any]) -> None:
    staged = play(debate(**params), mind(at("bo.argue", 1)))
    assert [turn["speaker"] for turn in staged.outcome.transcript] == ["moderator", "ada", "cy"]
    assert staged.outcome.reason == "failed:server"
    assert isinstance(staged.error, ModelError)
    assert "The server is down." in str(staged.error)


def test_a_failure_keeps_everything_that_was_said_before() -> None:
    staged = play(debate(probes="each_round"), mind(at("cy.argue", 2)))
    outcome = staged.outcome
    assert (outcome.reason, outcome.answer, outcome.rounds) == ("failed:server", None, 2)
    assert [len(held) for held in outcome.positions.values()] == [2, 2, 2]
    assert [turn["content"] for turn in outcome.transcript[-2:]] == ["ada speaks.", "bo speaks."]


@pytest.mark.parametrize("error", [ReplayMiss("Nothing is recorded."), UsageError("That will not do.")])
def test_a_mistake_of_one_among_several_is_raised_as_it_came(error: Exception) -> None:
    with pytest.raises(type(error), match=str(error)):
        play(debate(first_round="blind"), mind(at("bo.argue", 1), error))


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (BudgetExceeded("No more.", limit="usd"), "budget"),
        (WaitingForPerson("Nobody there.", address="x", question="Well?"), "waiting"),
        (ReplyError("Not JSON.", text="Hm."), "failed:reply"),
        (ModelError("Wrong key.", kind="auth", status=401), "failed:auth"),
    ],
)
def test_whatever_ends_a_debate_is_raised_as_it_came_with_the_partial_outcome(error: Exception, reason: str) -> None:
    staged = play(debate(first_round="blind"), mind(at("ada.argue", 1), error))
    assert (staged.outcome.reason, len(staged.outcome.transcript)) == (reason, 3)
    assert type(error) in type(staged.error).__mro__
    for name, value in vars(error).items():
        assert getattr(staged.error, name) == value or name == "partial"


def test_with_skip_the_debate_goes_on_without_the_turn_and_notes_it() -> None:
    outcome = play(debate(on_failure="skip"), mind(at("bo.argue", 1))).outcome
    assert (outcome.answer, outcome.reason) == ("yes", "answered")
    assert [turn["speaker"] for turn in outcome.transcript[1:-1]] == ["ada", "cy", "ada", "bo", "cy"]
    [note] = outcome.skipped
    assert (note["agent"], note["round"], note["act"], note["kind"]) == ("bo", 1, "argue", "server")


def test_who_was_skipped_in_a_blind_round_still_reads_it() -> None:
    staged = play(debate(on_failure="skip", first_round="blind"), mind(at("bo.argue", 1)))
    assert staged.read("bo.argue")[-1][1:] == ["ada: ada speaks.", "cy: cy speaks.", "ada: ada speaks."]


def test_a_voter_who_fails_abstains() -> None:
    outcome = play(debate(on_failure="skip", judge=None), mind(at("cy.position"))).outcome
    assert (outcome.votes, outcome.answer) == ({"ada": ["yes"], "bo": ["no"]}, None)


def test_who_does_not_tell_its_position_does_not_agree() -> None:
    two = Debate([ADA, CY], judge=JUNE, probes="each_round", stop="agreement", on_failure="skip", rounds=1)
    outcome = play(two, mind(at("cy.position", 1))).outcome
    assert (outcome.reason, outcome.decided_by) == ("answered", "judge")


@pytest.mark.parametrize("order", ["in_turn", "simultaneous"])
def test_with_skip_a_round_in_which_everybody_fails_is_the_end(order: str) -> None:
    script = mind(lambda request: request.address.path[-2] == "round2" and request.output is None)
    staged = play(debate(on_failure="skip", order=order), script)
    assert (staged.outcome.reason, len(staged.outcome.transcript)) == ("failed:server", 4)


@pytest.mark.parametrize(
    "error", [BudgetExceeded("No more.", limit="calls"), WaitingForPerson("?", address="x", question="?")]
)
def test_a_budget_or_a_missing_person_is_never_skipped(error: Exception) -> None:
    staged = play(debate(on_failure="skip"), mind(at("bo.argue", 1), error))
    assert type(staged.error) is type(error)


def test_the_judges_failure_is_never_skipped() -> None:
    assert play(debate(on_failure="skip"), mind(at("june.verdict"))).outcome.reason == "failed:server"


def test_a_failing_baseline_does_not_take_the_debate_with_it() -> None:
    script = mind(lambda request: "baseline" in request.address.path)
    outcome = play(debate(baseline="self_consistency"), script).outcome
    assert (outcome.answer, outcome.reason) == ("yes", "answered")
    assert outcome.baseline is not None
    assert (outcome.baseline.answer, outcome.baseline.reason) == (None, "failed:server")


def test_samples_of_the_baseline_that_fail_do_not_vote() -> None:
    script = mind(lambda request: "sample0" in request.address.path)
    baseline = play(debate(baseline="self_consistency"), script).outcome.baseline
    assert baseline is not None
    assert (baseline.calls, len(baseline.skipped)) == (6, 1)


def test_self_consistency_keeps_the_finished_samples_when_one_fails() -> None:
    staged = play(SelfConsistency([ADA], samples=3), mind(lambda request: "sample1" in request.address.path))
    assert (staged.outcome.reason, staged.outcome.calls) == ("failed:server", 2)
    skipping = SelfConsistency([ADA], samples=3, on_failure="skip")
    assert play(skipping, mind(lambda r: "sample1" in r.address.path)).outcome.decided_by == "votes 2 of 2"


@pytest.mark.parametrize("turns", range(12))
def test_every_beginning_of_a_debate_has_an_outcome(turns: int) -> None:
    whole = play(debate(probes="each_round"), mind(lambda _: False)).outcome.transcript
    state = {"question": "Why?", "turns": whole[:turns], "round": max(turns - 4, 0) // 6, "said": 1}
    outcome = debate(probes="each_round").outcome(state, "budget")
    assert (outcome.reason, outcome.answer, len(outcome.transcript)) == ("budget", None, turns)


def test_the_outcome_of_nothing_is_empty() -> None:
    outcome = debate().outcome({}, "cancelled")
    assert (outcome.reason, outcome.transcript, outcome.seats) == ("cancelled", [], ["ada", "bo", "cy"])


def test_cancelling_ends_a_round_that_runs_at_once() -> None:
    from maieutic.backends import Endpoints, LLMReply, in_memory
    from maieutic.backends.types import TextSink

    class Slow:
        waiting = 0
        all_wait = asyncio.Event()

        async def complete(self, request: LLMRequest, on_text: TextSink | None = None) -> LLMReply:
            self.waiting += 1
            if self.waiting == 3:
                self.all_wait.set()
            try:
                await asyncio.sleep(60)
            finally:
                self.waiting -= 1
            raise AssertionError

        async def aclose(self) -> None:
            pass

    async def cancelled() -> int:
        slow = Slow()
        async with in_memory(Endpoints({"scripted": slow})) as place:
            task = asyncio.create_task(debate(order="simultaneous").perform("Why?", at=place))
            await slow.all_wait.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        return slow.waiting

    assert asyncio.run(cancelled()) == 0
