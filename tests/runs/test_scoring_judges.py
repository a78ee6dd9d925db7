"""LLM judges: rubrics, pairs in both orders, goals; judged once, and scored again without a call."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from maieutic.backends import Budget, Endpoints, LLMRequest, ScriptedModel, in_memory
from maieutic.backends.scripted import Line
from maieutic.errors import BudgetExceeded, ModelError, UsageError
from maieutic.memory import RunRecord, Transcript, Turn
from maieutic.runs import Workspace
from maieutic.runs.experiments import Result, Results
from maieutic.runs.scoring import (
    Judged,
    PairScorer,
    Pairwise,
    RecordedRun,
    Rescored,
    SampleItem,
    Score,
    Scorer,
    score_again,
    scorer_from,
)
from maieutic.runs.scoring.goals import Goal, TurnMark, settle

ITEM = SampleItem("q1", {"question": "Capital of France?"}, ("Paris",))
SAID = Transcript(
    (Turn("moderator", "Begin."), Turn("ada", "Lyon?"), Turn("bo", "No, Paris."), Turn("ada", "private", kind="probe"))
)


def judged(
    given: Mapping[str, Any],
    lines: Sequence[Line] | Mapping[str, Sequence[Line]] | Callable[[LLMRequest], Line],
    *runs: RecordedRun,
) -> tuple[Score, list[LLMRequest]]:
    scorer = scorer_from({"models": "scripted/judge", **given})
    script = ScriptedModel(lines)

    async def go() -> Score:
        async with in_memory(Endpoints({"scripted": script})) as place:
            if isinstance(scorer, PairScorer):
                return await scorer.compare(runs[0], runs[1], ITEM, place)
            assert isinstance(scorer, Scorer)
            return await scorer.score(runs[0], ITEM, place)

    score = asyncio.run(go())
    script.close()
    return score, script.requests


RUBRIC = {"use": "judge", "rubric": "Is it right?"}


def test_a_mark_is_its_place_on_the_scale() -> None:
    score, [request] = judged(RUBRIC, [{"reason": "Right.", "mark": 4}], RecordedRun("r", "Paris"))
    assert score.value == 0.75
    assert score.why == "Right."
    assert score.data["marks"] == {"judge1": {"reason": "Right.", "mark": 4}}
    read = request.messages[-1].content
    assert "Question: Capital of France?" in read
    assert "Right answer: Paris" in read
    assert "Draft: Paris" in read
    assert "Rubric: Is it right?" in read


def test_judges_and_criteria_count_the_same() -> None:
    given = {
        **RUBRIC,
        "rubric": {"right": "Is it?", "clear": "Is it?"},
        "models": ["scripted/a", "scripted/b"],
        "low": 0,
        "high": 10,
    }
    marks = {"judge1": [{"reason": "", "right": 10, "clear": 0}], "judge2": [{"reason": "So.", "right": 5, "clear": 9}]}
    score, _ = judged(given, marks, RecordedRun("r", "Paris"))
    assert score.value == pytest.approx(0.6)
    assert score.why == "So."


def test_a_judge_reads_the_dialogue_only_if_it_shall_and_never_what_was_off_the_record() -> None:
    run = RecordedRun("r", "Paris", turns=SAID)
    _, [short] = judged({**RUBRIC, "reference": False}, [{"reason": "", "mark": 1}], run)
    assert "Lyon?" not in short.messages[-1].content
    assert "Right answer" not in short.messages[-1].content
    _, [long] = judged({**RUBRIC, "reads": "dialogue"}, [{"reason": "", "mark": 1}], run)
    assert "ada: Lyon?\n\nbo: No, Paris." in long.messages[-1].content
    assert "private" not in long.messages[-1].content
    assert "Begin." not in long.messages[-1].content


def test_a_judge_that_fails_is_left_out_and_none_left_is_no_score() -> None:
    two = {**RUBRIC, "models": ["scripted/a", "scripted/b"]}
    broken = ModelError("down", kind="auth")
    score, _ = judged(two, {"judge1": [broken], "judge2": [{"reason": "", "mark": 5}]}, RecordedRun("r", "x"))
    assert score.value == 1.0
    assert score.data["failed"]["judge1"]["kind"] == "auth"
    assert "down" in score.data["failed"]["judge1"]["message"]
    score, _ = judged(RUBRIC, [broken], RecordedRun("r", "x"))
    assert score.value is None
    assert score.why == "no judge could tell (auth)"


def test_judges_need_a_place() -> None:
    with pytest.raises(UsageError, match="'judge' asks models; give it a place"):
        asyncio.run(Judged(models=["scripted/a"], rubric="r").score(RecordedRun("r", "x"), ITEM, None))


PAIR = {"use": "pairwise", "against": "single", "rubric": "Which is right?"}


def preferring(word: str) -> Callable[[LLMRequest], Line]:
    """A judge that prefers the one with the word in it, wherever it stands."""

    def say(request: LLMRequest) -> Line:
        first = request.messages[-1].content.split("Second:")[0]
        return {"reason": "", "better": "first" if word in first.split("First:")[1] else "second"}

    return say


def test_who_is_preferred_in_both_orders_wins() -> None:
    runs = RecordedRun("r", "Paris it is"), RecordedRun("s", "Lyon")
    score, requests = judged(PAIR, preferring("Paris it is"), *runs)
    assert score.value == 1.0
    assert len(requests) == 2
    assert judged(PAIR, preferring("Lyon"), *runs)[0].value == 0.0


def test_a_judge_that_prefers_a_place_prefers_nobody() -> None:
    runs = RecordedRun("r", "Paris"), RecordedRun("s", "Lyon")
    score, _ = judged(PAIR, lambda request: {"reason": "", "better": "first"}, *runs)
    assert score.value == 0.5
    assert score.data["votes"]["judge1"] == {"points": 0.5, "steady": False, "straight": "first", "swapped": "first"}
    assert score.why.endswith("(1 turned with the order)")


def test_the_same_twice_is_judged_by_nobody() -> None:
    score, requests = judged(PAIR, [], RecordedRun("r", "Paris"), RecordedRun("s", "Paris"))
    assert (score.value, requests) == (0.5, [])


def mark(turn: int, *, new: bool = False, ok: bool = True, cause: Any = "none") -> TurnMark:
    return TurnMark(turn=turn, new_goal=new, goal=f"g{turn}", success=ok, cause=cause)


def test_a_goal_succeeds_only_if_all_its_turns_do_and_has_the_cause_of_the_earliest_failure() -> None:
    one = [mark(1), mark(2, ok=False, cause="E4"), mark(3, ok=False, cause="E1"), mark(4, new=True)]
    assert settle([one]).goals == (Goal("g1", (1, 2, 3), False, "E4"), Goal("g4", (4,), True))


def test_a_majority_of_judges_decides_each_turn() -> None:
    a = [mark(1, ok=False, cause="E1"), mark(2, new=True, ok=False, cause="E3")]
    b = [mark(1, ok=False, cause="E2"), mark(2, new=True)]
    c = [mark(1, ok=False, cause="E4"), mark(2)]
    settled = settle([a, b, c])
    assert settled.goals == (Goal("g1", (1,), False, "unsettled"), Goal("g2", (2,), True))
    assert settled.unsettled == (1,)


def test_two_judges_left_who_disagree_leave_a_failure_for_a_person() -> None:
    settled = settle([[mark(1)], [mark(1, ok=False, cause="E5")]])
    assert settled.goals == (Goal("g1", (1,), False, "E5"),)
    assert settled.unsettled == (1,)


def test_goals_are_found_in_any_transcript() -> None:
    said = {"turns": [mark(1, ok=False, cause="E3").model_dump(), mark(2, new=True).model_dump()]}
    score, [request] = judged({"use": "goals"}, [said], RecordedRun("r", "Paris", turns=SAID))
    assert score.value == 0.5
    assert score.why == "1 of 2 goals reached"
    assert score.data["goals"][0] == {"goal": "g1", "turns": [1], "success": False, "cause": "E3"}
    assert "moderator: Begin.\n\n[1] ada: Lyon?\n\n[2] bo: No, Paris." in request.messages[-1].content
    only, [request] = judged(
        {"use": "goals", "speakers": ["bo"]}, [{"turns": [mark(1).model_dump()]}], RecordedRun("r", turns=SAID)
    )
    assert "\n\nada: Lyon?\n\n[1] bo" in request.messages[-1].content
    assert only.value == 1.0


def test_a_judge_that_skips_a_turn_is_asked_again() -> None:
    wrong = {"turns": [mark(2).model_dump(), mark(1).model_dump()]}
    right = {"turns": [mark(1).model_dump(), mark(2).model_dump()]}
    score, requests = judged({"use": "goals"}, [wrong, right], RecordedRun("r", turns=SAID))
    assert score.value == 1.0
    assert len(requests) == 2


def test_nobody_assessed_is_no_score() -> None:
    assert judged({"use": "goals"}, [], RecordedRun("r"))[0] == Score(None, "there is no turn to assess")


# -- scoring again --------------------------------------------------------------------------------------------------

ANSWERS = {("single", "q1"): "Lyon", ("debate", "q1"): "Paris", ("single", "q2"): "Rome", ("debate", "q2"): "Rome"}
ITEMS = [ITEM, SampleItem("q2", {"question": "Capital of Italy?"}, ("Rome",))]


def an_experiment(workspace: Workspace) -> Results:
    """Two conditions, two items, as their runs stand in the journal."""
    results = []
    for (condition, item), answer in ANSWERS.items():
        run = f"{condition}-{item}"
        if not workspace.journal.holds(run):
            workspace.journal.begin(RunRecord(run, condition, 0.0, "debate"))
            outcome = {"answer": answer, "outcome": {"transcript": [{"speaker": "ada", "content": answer}]}}
            workspace.journal.finish(run, status="done", reason="answered", outcome=outcome)
        results.append(Result("exp", condition, item, 0, 0, run, "done", answer=answer, scores={"old": 0.5}))
    results.append(Result("exp", "single", "q1", 1, 0, "single-q1-1", "failed"))
    return Results.of(results, ITEMS)


def again(
    store: Path, given: Sequence[Mapping[str, Any] | str], lines: Any = (), budget: Budget | None = None
) -> tuple[Rescored, dict[tuple[str, str], Result], ScriptedModel]:
    script = ScriptedModel(lines)

    async def go() -> tuple[Rescored, dict[tuple[str, str], Result]]:
        async with Workspace(store, backends={"scripted": script}) as workspace:
            results = an_experiment(workspace)
            scorers = [scorer_from({"models": "scripted/judge", **g} if isinstance(g, Mapping) else g) for g in given]
            done = await score_again(results, scorers, workspace, budget=budget)
            return done, {(r.condition, r.item): r for r in results if r.status == "done"}

    done, results = asyncio.run(go())
    script.close()
    return done, results, script


def test_runs_are_scored_again_and_other_scores_stay(tmp_path: Path) -> None:
    done, results, script = again(tmp_path / "j.db", ["exact_match"])
    assert {key: result.scores for key, result in results.items()} == {
        ("single", "q1"): {"old": 0.5, "exact_match": 0.0},
        ("debate", "q1"): {"old": 0.5, "exact_match": 1.0},
        ("single", "q2"): {"old": 0.5, "exact_match": 1.0},
        ("debate", "q2"): {"old": 0.5, "exact_match": 1.0},
    }
    assert results["single", "q1"].extra["scores"]["exact_match"]["why"] == "read as 'lyon'"
    assert (done.scored, done.skipped, done.calls, script.requests) == (4, 1, 0, [])


def by_answer(request: LLMRequest) -> Line:
    return {"reason": "", "mark": 5 if "Draft: Rome" in request.messages[-1].content else 1}


def test_a_judgement_is_paid_for_once(tmp_path: Path) -> None:
    first, results, _ = again(tmp_path / "j.db", [RUBRIC], by_answer)
    assert first.calls == 4
    assert results["single", "q2"].scores["judge"] == 1.0
    assert results["debate", "q1"].scores["judge"] == 0.0
    second, same, script = again(tmp_path / "j.db", [RUBRIC], [])
    assert (second.calls, script.requests) == (0, [])
    assert same == results


def test_another_rubric_is_judged_anew(tmp_path: Path) -> None:
    again(tmp_path / "j.db", [RUBRIC], by_answer)
    done, _, _ = again(tmp_path / "j.db", [{**RUBRIC, "rubric": "Is it short?"}], by_answer)
    assert done.calls == 4


def test_a_budget_ends_judging_and_it_goes_on_later(tmp_path: Path) -> None:
    with pytest.raises(BudgetExceeded):
        again(tmp_path / "j.db", [RUBRIC], by_answer, Budget(calls=2))
    done, _, _ = again(tmp_path / "j.db", [RUBRIC], by_answer)
    assert done.calls == 2


def test_pairs_are_of_the_same_item(tmp_path: Path) -> None:
    done, results, script = again(tmp_path / "j.db", [PAIR], preferring("Paris"))
    assert results["debate", "q1"].scores["pairwise"] == 1.0
    assert results["debate", "q2"].scores["pairwise"] == 0.5  # the same answer: nobody is asked
    assert "pairwise" not in results["single", "q1"].scores
    assert done.calls == len(script.requests) == 2


def test_an_unknown_condition_to_compare_with_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no condition 'singel' to compare with; there are: single, debate"):
        again(tmp_path / "j.db", [{**PAIR, "against": "singel"}])


def test_what_could_not_be_told_is_counted_with_its_why(tmp_path: Path) -> None:
    done, _, _ = again(tmp_path / "j.db", ["numeric"])
    assert done.unscored == {
        "numeric": {"the target 'Paris' is not one number": 2, "the target 'Rome' is not one number": 2}
    }


def test_pairs_are_scorers_of_their_own_kind() -> None:
    assert isinstance(scorer_from({**PAIR, "models": "sim/critic"}), Pairwise)


def test_what_judges_met_is_told_once_for_all_runs(tmp_path: Path) -> None:
    done, results, _ = again(tmp_path / "j.db", [RUBRIC], lambda request: ModelError("no key", kind="auth"))
    assert done.unscored == {"judge": {"no judge could tell (auth)": 4}}
    assert "no key" in done.failures["judge"]
    assert results["debate", "q1"].scores["judge"] is None
    later, _, _ = again(tmp_path / "j.db", [RUBRIC], by_answer)
    assert (later.calls, later.unscored) == (4, {})  # what failed is asked again
