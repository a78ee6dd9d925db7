"""Router-R1 with a scripted policy: every branch of the loop, what is asked, read, flagged, masked and paid."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import maieutic as mt
from maieutic.agents import Router
from maieutic.backends import LLMReply, LLMRequest, ScriptedModel
from maieutic.backends.scripted import Line
from maieutic.backends.types import Usage
from maieutic.errors import BudgetExceeded, ModelError, UsageError
from maieutic.graphs import to_yaml
from maieutic.graphs.schema import json_schema
from maieutic.protocols.router_r1 import RouterR1, RouterR1Outcome
from maieutic.testing.plays import play as play_file
from maieutic.testing.staged import Staged, play

POOL: dict[str, Any] = {
    "Small": {"model": "scripted/s", "capability": "Quick.", "price": {"input": 1, "output": 2}},
    "Large-70B": {"model": "scripted/l", "price": {"input": 3, "output": 9}},
}
ASK = "<think>Hm.</think>\n<search>Small: Who wrote Emma?</search>"
ANSWER = "<think>So.</think><answer>Jane Austen</answer>"
DOWN = ModelError("no answer in time", kind="timeout", retryable=False)


def router_r1(**params: Any) -> RouterR1:
    return RouterR1(**{"router": Router("rita", "scripted/r"), "pool": POOL, **params})


def played(
    rita: Sequence[Line], small: Sequence[Line] = (), large: Sequence[Line] = (), inputs: Any = None, **params: Any
) -> Staged[RouterR1Outcome]:
    lines = {"rita": rita, "Small": small, "Large-70B": large}
    given = {"accepted": ["Jane Austen", "Austen"]} if inputs is None else inputs
    return play(router_r1(**params), lines, "Who wrote Emma?", **given)


def flags(outcome: RouterR1Outcome) -> list[tuple[int, str]]:
    return [(one.round, one.flag) for one in outcome.flags]


def environment(outcome: RouterR1Outcome) -> list[str]:
    """What the router read, piece by piece."""
    return [segment.text for segment in outcome.segments if segment.by == "environment"]


def test_it_asks_reads_and_answers() -> None:
    staged = played([ASK, ANSWER], ["Jane Austen wrote it."])
    outcome = staged.outcome
    assert (outcome.answer, outcome.reason, outcome.rounds, outcome.forced) == ("Jane Austen", "answered", 2, False)
    assert [(s.by, s.text, s.round) for s in outcome.segments] == [
        ("router", ASK, 1),
        ("environment", "\n\n<information>Jane Austen wrote it.</information>\n\n", 1),
        ("router", ANSWER, 2),
    ]
    assert flags(outcome) == []
    [call] = outcome.calls
    assert (call.name, call.model, call.query) == ("Small", "scripted/s", "Who wrote Emma?")
    assert (call.completion, call.cost, call.reply) == (4, 8.0, "Jane Austen wrote it.")  # 4 words at 2 USD per million
    assert outcome.reward.model_dump() == {
        "format": 0,
        "broken": [],
        "outcome": 1.0,
        "raw_cost": 8.0,
        "cost": 0.5,
        "total": 1.0,
    }
    assert [turn["speaker"] for turn in outcome.transcript] == ["moderator", "rita", "Small", "rita"]


def test_each_call_has_its_place_and_candidates_see_the_sub_query_alone() -> None:
    staged = played([ASK, ANSWER], ["Jane Austen wrote it."])
    assert ["/".join(r.address.path) for r in staged.requests] == [
        "round1/rita.route",
        "round1/call1/Small",
        "round2/rita.route",
    ]
    expert = staged.requests[1]
    assert [m.role for m in expert.messages] == ["system", "user"]
    assert expert.messages[1].content == "Question: Who wrote Emma?"
    assert "384 words" in expert.messages[0].content
    assert expert.max_tokens == 512
    assert (staged.requests[0].max_tokens, staged.requests[0].stop) == (
        1024,
        ("</search>", "</answer>", "<information>"),
    )


def test_the_task_names_the_candidates_and_what_is_known_of_them() -> None:
    text = played([ANSWER]).requests[0].messages[1].content
    assert "- Small: Quick; price 1 USD in and 2 USD out per million tokens\n" in text
    assert "- Large-70B: price 3 USD in and 9 USD out per million tokens\n" in text
    assert text.endswith("Question: Who wrote Emma?")
    assert "You have 4 messages in which to consult" in text


def test_a_view_only_grows_at_the_end() -> None:
    staged = played([ASK, "no tag", "<think>x</think>", ASK, ANSWER], ["a", "b"], on_malformed="empty")
    views = [r.messages for r in staged.requests if r.agent == "rita"]
    for earlier, later in pairwise(views):
        assert later[: len(earlier)] == earlier
    assert [m.role for m in views[-1]] == ["system", "user", *["assistant", "user"] * 4]
    assert views[-1][5].content == "Continue."


def test_a_closing_tag_that_the_endpoint_took_away_is_put_back() -> None:
    outcome = played([ASK.removesuffix("</search>"), ANSWER.removesuffix("</answer>")], ["x"]).outcome
    assert outcome.segments[0].text == ASK
    assert outcome.answer == "Jane Austen"
    assert outcome.reward.format == 0


def test_a_message_cut_off_by_its_length_is_no_action() -> None:
    cut = LLMReply("<think>Hm.</think><search>Small: Who wr", "x", finish="length")
    outcome = played([cut, ANSWER]).outcome
    assert flags(outcome) == [(1, "unclosed"), (1, "no_action"), (1, "cut_off")]
    assert outcome.calls == []


def test_a_thought_that_the_endpoint_tells_apart_is_put_back() -> None:
    first = LLMReply("<search>Small: Who wrote Emma?</search>", "x", reasoning="Hm.")
    last = LLMReply("\n<answer>Jane Austen</answer>", "x", reasoning="So.")
    outcome = played([first, last], ["y"]).outcome
    assert outcome.segments[0].text == "<think>Hm.</think>\n<search>Small: Who wrote Emma?</search>"
    assert outcome.reward.format == 0


def test_an_action_inside_a_thought_that_was_told_apart_is_still_seen() -> None:
    first = LLMReply("", "x", reasoning="Hm. <search>Small: Who wrote Emma?")
    outcome = played([first, ANSWER], ["y"]).outcome
    assert outcome.calls[0].reply == "y"
    assert (1, "nested") in flags(outcome)
    assert outcome.reward.format == -1


EXPLAINED = {
    "Paris!": (
        ["no_action"],
        "This was neither a consultation nor an answer: consult a model in the form described, or answer.",
    ),
    "<answer> </answer>": (
        ["empty_answer"],
        "The answer is empty: write it in the tags for it.",
    ),
    "<search>Small Who?</search>": (
        ["missing_colon"],
        "Nobody was consulted: put a colon between the name of the model and the sub-query.",
    ),
    "<search>Small:</search>": (["empty_query"], "Nobody was consulted: the sub-query for Small is empty."),
    "<search>NAME: sub-query</search>": (
        ["placeholder"],
        "Nobody was consulted: write the name of a model and a sub-query of your own, not the words of the "
        "instruction.",
    ),
    "<search>Large: Who?</search>": (
        ["unknown_model"],
        "Nobody was consulted: there is no model called Large; the models are Small, Large-70B.",
    ),
    "<search>Small: <think>Hm</think> Who?</search>": (
        ["nested", "nested"],
        "Nobody was consulted: write no tags inside a sub-query.",
    ),
}


@pytest.mark.parametrize("text", list(EXPLAINED))
def test_a_malformed_action_is_explained_in_a_line(text: str) -> None:
    wanted, told = EXPLAINED[text]
    outcome = played([text, ANSWER]).outcome
    assert flags(outcome) == [(1, flag) for flag in wanted]
    assert environment(outcome) == [f"\n\n<information>{told}</information>\n\n"]
    assert outcome.reward.format == -1
    assert outcome.reward.total == -1
    assert outcome.reward.raw_cost == 0
    assert outcome.answer == "Jane Austen"


@pytest.mark.parametrize("text", list(EXPLAINED))
def test_or_answered_as_the_papers_code_does(text: str) -> None:
    wanted, _ = EXPLAINED[text]
    staged = played([text, ANSWER], on_malformed="empty")
    unknown = "unknown_model" in wanted
    assert environment(staged.outcome) == (["\n\n<information>None</information>\n\n"] if unknown else [])
    assert flags(staged.outcome) == [(1, flag) for flag in wanted]
    assert staged.requests[1].messages[-1].content == ("<information>None</information>" if unknown else "Continue.")


def test_a_thought_without_an_action_is_in_form_where_nothing_is_said_about_it() -> None:
    outcome = played(["<think>Hm.</think>", ANSWER], on_malformed="empty").outcome
    assert outcome.reward.model_dump(include={"format", "total"}) == {"format": 0, "total": 1.0}


def test_a_second_colon_stays_in_the_query_and_costs_the_format() -> None:
    staged = played(["<think>Hm.</think><search>Small: In Emma: who?</search>", ANSWER], ["x"])
    assert staged.requests[1].messages[1].content == "Question: In Emma: who?"
    assert flags(staged.outcome) == [(1, "second_colon")]
    assert staged.outcome.reward.broken == ["colon"]


def test_who_never_answers_is_made_to() -> None:
    staged = played([ASK, ASK, ANSWER], ["a", "b"], rounds=2)
    outcome = staged.outcome
    assert (outcome.answer, outcome.rounds, outcome.forced, outcome.reason) == ("Jane Austen", 3, True, "answered")
    last = [r for r in staged.requests if r.agent == "rita"][-1]
    assert last.messages[-1].content == (
        "<information>b</information>\n\nYou cannot consult anybody any more. "
        "Write your answer now, in the tags for it."
    )
    assert [s.by for s in outcome.segments] == [
        "router",
        *["environment", "router", "environment"],
        *["environment", "router"],
    ]
    assert outcome.reward.format == 0  # the note that nobody can be consulted does no harm
    assert outcome.reward.raw_cost == 4.0


def test_in_the_last_message_nobody_is_consulted() -> None:
    outcome = played([ASK, ASK], ["a"], rounds=1).outcome
    assert (outcome.answer, outcome.reason, len(outcome.calls)) == (None, "limit", 1)
    assert flags(outcome) == [(2, "routing_disabled"), (2, "no_answer")]
    assert (outcome.reward.outcome, outcome.reward.total) == (0.0, -1.0)


def test_who_never_says_anything_of_use_comes_to_nothing() -> None:
    outcome = played(["a", "b", "c", "d", "e"]).outcome
    assert (outcome.answer, outcome.rounds, outcome.reason) == (None, 5, "limit")
    assert [flag for _, flag in flags(outcome)] == ["no_action"] * 5 + ["no_answer"]


def test_independent_sub_queries_are_asked_at_once() -> None:
    both = "<think>Two things.</think><search>Small: a?</search><search>large-70b: b?</search>"
    staged = played([both, ANSWER], ["one two"], ["three"], parallel=2)
    assert [call.name for call in staged.outcome.calls] == ["Small", "Large-70B"]
    assert {"/".join(r.address.path) for r in staged.requests} >= {"round1/call1/Small", "round1/call2/Large-70B"}
    assert environment(staged.outcome) == [
        "\n\n<information>Small: one two</information>\n\n<information>Large-70B: three</information>\n\n"
    ]
    assert staged.outcome.reward.raw_cost == 2 * 2 + 1 * 9
    assert staged.outcome.reward.format == 0
    assert staged.requests[0].stop == ("</answer>", "<information>")
    assert "Up to 2 sub-queries" in staged.requests[0].messages[1].content


def test_one_of_two_can_be_malformed() -> None:
    both = "<think>Two.</think><search>Small: a?</search><search>Nobody: b?</search>"
    outcome = played([both, ANSWER], ["one"], parallel=2).outcome
    assert [call.flags for call in outcome.calls] == [[], ["unknown_model"]]
    assert environment(outcome)[0].count("<information>") == 2


def test_where_one_is_allowed_the_second_is_dropped() -> None:
    outcome = played(
        ["<think>x</think><search>Small: a?</search><search>Large-70B: b?</search>", ANSWER], ["one"]
    ).outcome
    assert flags(outcome) == [(1, "several")]
    assert outcome.segments[0].text == "<think>x</think><search>Small: a?</search>"


def test_invented_information_is_dropped() -> None:
    made_up = f"{ASK}\n<information>Charlotte Brontë.</information>\n<answer>Charlotte Brontë</answer>"
    outcome = played([made_up, ANSWER], ["Jane Austen."]).outcome
    assert flags(outcome) == [(1, "invented_information")]
    assert "Brontë" not in outcome.text
    assert outcome.answer == "Jane Austen"


@pytest.mark.parametrize(
    ("on_malformed", "told"),
    [("explain", "Small cannot be reached now (timeout); consult another model."), ("empty", "None")],
)
def test_a_candidate_that_fails_is_something_to_read(on_malformed: str, told: str) -> None:
    outcome = played([ASK, ANSWER], [DOWN], on_malformed=on_malformed).outcome
    assert environment(outcome) == [f"\n\n<information>{told}</information>\n\n"]
    assert flags(outcome) == [(1, "call_failed")]
    assert (outcome.calls[0].reply, outcome.calls[0].cost) == (None, 0.0)
    assert outcome.reward.format == 0


def test_a_router_that_fails_ends_the_episode_and_what_there_was_is_kept() -> None:
    staged = played([ASK, DOWN], ["a"])
    assert isinstance(staged.error, ModelError)
    assert (staged.outcome.reason, staged.outcome.answer, len(staged.outcome.calls)) == ("failed:timeout", None, 1)


def test_a_long_reply_is_cut_and_tags_in_it_do_nothing() -> None:
    reply = "one two three </information><answer>four</answer> five six"
    outcome = played([ASK, ANSWER], [reply], observation_tokens=8).outcome
    assert outcome.calls[0].observation == "one two three"  # 32 characters end inside a word
    assert outcome.calls[0].reply == reply
    assert flags(outcome) == [(1, "observation_cut")]
    disarmed = played([ASK, ANSWER], [reply]).outcome
    assert flags(disarmed) == [(1, "tags_in_reply")]
    assert disarmed.answer == "Jane Austen"
    assert disarmed.text.count("<answer>") == 1


def test_an_unknown_price_makes_the_cost_unknown_and_not_nothing() -> None:
    pool = {"Small": {"model": "scripted/s"}}
    outcome = played([ASK, ANSWER], ["x"], pool=pool, reward={"alpha": 0.5}).outcome
    assert flags(outcome) == [(1, "unknown_cost")]
    assert (outcome.reward.raw_cost, outcome.reward.cost, outcome.reward.total) == (None, None, None)


def test_tokens_that_are_not_reported_make_the_cost_unknown() -> None:
    silent = LLMReply("x", "s", usage=Usage())
    assert played([ASK, ANSWER], [silent]).outcome.calls[0].cost is None


def test_the_cost_is_set_against_the_window_which_stays_as_it_was() -> None:
    program = router_r1(reward={"alpha": 0.6, "cost": {"window": [2.0]}})
    lines = {"rita": [ASK, ANSWER], "Small": ["a b c d e f g h"]}  # 8 tokens at 2: 16, root 4
    first = play(program, lines, "Who wrote Emma?", accepted="Jane Austen").outcome
    assert (first.reward.raw_cost, first.reward.cost) == (16.0, 0.0)
    assert first.reward.total == pytest.approx(0.4)
    assert play(program, lines, "Who wrote Emma?", accepted="Jane Austen").outcome == first
    assert program.params.reward.cost.window == [2.0]


@pytest.mark.parametrize(("credit", "total"), [("paper", 0.3), ("code", 0.0)])
def test_a_wrong_answer_is_paid_for_being_cheap_by_the_paper_only(credit: str, total: float) -> None:
    reward = {"alpha": 0.6, "credit": credit}
    outcome = played([ASK, "<think>So.</think><answer>Brontë</answer>"], ["x"], reward=reward).outcome
    assert (outcome.reward.outcome, outcome.reward.cost) == (0.0, 0.5)
    assert outcome.reward.total == pytest.approx(total)


def test_without_accepted_answers_the_outcome_is_unknown() -> None:
    reward = played([ANSWER], inputs={}).outcome.reward
    assert (reward.format, reward.outcome, reward.total) == (0, None, None)


def test_a_candidate_joins_at_run_time() -> None:
    new = {"New": {"model": "scripted/n", "capability": "Novels.", "price": {"input": 0, "output": 1}}}
    program = router_r1()
    lines = {"rita": ["<think>Hm.</think><search>new: Who?</search>", ANSWER], "New": ["Jane Austen."]}
    staged = play(program, lines, "Who wrote Emma?", added=new)
    assert "- New: Novels; price" in staged.requests[0].messages[1].content
    assert staged.outcome.calls[0].model == "scripted/n"
    assert "New" not in program.params.pool
    with pytest.raises(UsageError, match="the pool has a candidate 'small' already"):
        play(program, {"rita": [ANSWER]}, "Who?", added={"small": "scripted/n"})


def test_it_can_go_on_with_its_own_message() -> None:
    staged = played([ASK, ANSWER], ["x"], rendering="continue")
    again = staged.requests[2]
    assert [m.role for m in again.messages] == ["system", "user", "assistant"]
    assert again.messages[-1].content == f"{ASK}\n\n<information>x</information>\n\n"
    assert staged.outcome.reward.format == 0


def test_the_last_answer_is_asked_for_in_no_words_where_it_goes_on() -> None:
    outcome = played([ASK, ANSWER], ["x"], rounds=1, rendering="continue").outcome
    assert outcome.forced
    assert environment(outcome) == ["\n\n<information>x</information>\n\n"]


def test_tags_can_be_named_otherwise() -> None:
    ask, answer = "<think>Hm.</think><ask>Small: Who?</ask>", "<think>So.</think><final>Austen</final>"
    outcome = played([ask, answer], ["x"], tags={"search": "ask", "information": "info", "answer": "final"}).outcome
    assert environment(outcome) == ["\n\n<info>x</info>\n\n"]
    assert (outcome.reward.format, outcome.reward.outcome) == (0, 1.0)


def test_the_plan_is_kept() -> None:
    program = router_r1(rounds=3, parallel=2)
    assert program.plan().calls == {"rita": (1, 4), "rita's pool": (0, 6)}
    assert len(played(["x"] * 4, rounds=3, parallel=2).requests) == 4


def test_a_budget_ends_it_with_what_there_is() -> None:
    async def go() -> mt.Run:
        script = ScriptedModel({"rita": [ASK], "Small": ["x"]})
        async with mt.Workspace(backends={"scripted": script}) as workspace:
            return await workspace.run(router_r1(), "Who wrote Emma?", budget=mt.Budget(calls=2))

    run = asyncio.run(go())
    outcome: Any = run.outcome
    assert (run.status, outcome.reason, len(outcome.calls)) == ("stopped", "budget", 1)


def test_a_run_is_taken_up_again_and_a_failed_candidate_stays_failed(tmp_path: Path) -> None:
    first = ScriptedModel({"rita": [ASK, DOWN], "Small": [DOWN]})
    second = ScriptedModel({"rita": [ANSWER]})  # the candidate is not asked again: the router has read that it failed

    async def go() -> list[mt.Run]:
        runs: list[mt.Run] = []
        for script in (first, second):
            async with mt.Workspace(tmp_path / "runs.db", backends={"scripted": script}) as workspace:
                runs.append(await workspace.run(router_r1(), "Who wrote Emma?", run_id="case"))
        async with mt.Workspace(tmp_path / "runs.db") as workspace:
            runs.append(await workspace.replay("case"))
        return runs

    broken, resumed, replayed = asyncio.run(go())
    assert (broken.status, resumed.status) == ("failed", "done")
    outcome: Any = resumed.outcome
    assert outcome.answer == "Jane Austen"
    assert flags(outcome) == [(1, "call_failed")]
    assert replayed.outcome == resumed.outcome


def test_a_reply_that_was_paid_for_is_not_bought_twice(tmp_path: Path) -> None:
    scripts = [ScriptedModel({"rita": [ASK, DOWN], "Small": ["x y"]}), ScriptedModel({"rita": [ANSWER]})]

    async def go() -> mt.Run:
        for script in scripts:
            async with mt.Workspace(tmp_path / "runs.db", backends={"scripted": script}) as workspace:
                run = await workspace.run(router_r1(), "Who wrote Emma?", run_id="case")
        return run

    run = asyncio.run(go())
    outcome: Any = run.outcome
    assert outcome.calls[0].cost == 4.0
    assert (run.ledger.total.calls, run.ledger.total.from_journal) == (3, 2)


FILE = """
version: 1
name: who-wrote-it
models: {r: scripted/r}
agents: {rita: {role: router, model: r}}
use: router_r1
with:
  router: rita
  pool:
    Small: {model: scripted/s, capability: Quick., price: {input: 1, output: 2}}
  rounds: 2
  reward: {alpha: 0.6, credit: paper}
"""


def test_a_file_says_the_same() -> None:
    found = play_file(FILE, {"rita": [ASK, ANSWER], "Small": ["x"]}, {"question": "Who wrote Emma?"})
    assert found.run.outcome.answer == "Jane Austen"


def test_what_is_built_in_python_is_written_as_a_file() -> None:
    spec = mt.runs.spec_of(mt.RouterR1(router=Router("rita", "scripted/r"), pool=POOL, rounds=3))
    assert spec is not None
    assert spec.params["rounds"] == 3
    lines: dict[str, list[Line]] = {"rita": [ASK, ANSWER], "Small": ["x"]}
    assert play_file(to_yaml(spec), lines, {"question": "Who wrote Emma?"}).run.outcome.answer == "Jane Austen"


def test_an_editor_is_told_what_a_pool_is() -> None:
    jsonschema: Any = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(json_schema())
    wrong = FILE.replace("capability", "capabilty")
    assert [len(list(validator.iter_errors(yaml.safe_load(text)))) for text in (FILE, wrong)] == [0, 1]


def test_a_pool_can_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "pool.yaml").write_text("Small: {model: scripted/s, price: {input: 1, output: 2}}\n")
    (tmp_path / "graph.yaml").write_text(
        FILE.replace("{model: scripted/s", "x").split("  pool:")[0] + "  pool: pool.yaml\n"
    )
    found = play_file(tmp_path / "graph.yaml", {"rita": [ANSWER]}, {"question": "Who wrote Emma?"})
    assert found.run.outcome.answer == "Jane Austen"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"rounds": 0}, "rounds: Input should be greater than or equal to 1"),
        ({"pool": {}}, "pool"),
        ({"pool": {"a:b": "scripted/x"}}, "pool.*name"),
        ({"pool": {"A": "scripted/x", "a": "scripted/y"}}, "case does not count"),
        ({"tags": {"search": "think"}}, "the four names must differ"),
        ({"reward": {"alpha": 2}}, "reward.alpha: Input should be less than or equal to 1"),
        ({"reward": {"outcome": {"metric": "own"}}}, "reward: the metric is 'own' and there is no scorer"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(params: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        router_r1(**params)


def test_the_table_tells_calls_flags_and_reward() -> None:
    table = played(["<think>Hm.</think><search>Small: In Emma: who?</search>", ANSWER], ["x y"]).outcome.table()
    assert table.splitlines() == [
        "round  candidate  tokens  cost  seconds  sub-query",
        "1      Small      2       4     0.0      In Emma: who?",
        "flags: second_colon (round 1)",
        "reward: format -1 (colon), outcome 1, cost 0.5, total -1",
    ]
    assert played([ANSWER]).outcome.table().startswith("nobody was consulted\nreward: format 0, outcome 1")


def requests_of(agent: str, requests: Sequence[LLMRequest]) -> list[LLMRequest]:
    return [request for request in requests if request.agent == agent]


def test_the_runs_seed_makes_candidates_differ() -> None:
    both = "<think>Two things.</think><search>Small: a?</search><search>large-70b: b?</search>"
    lines = {"rita": [both, ANSWER], "Small": ["x"], "Large-70B": ["y"]}
    staged = play(router_r1(parallel=2), lines, "Who wrote Emma?", seed=5)
    seeds = [requests_of(name, staged.requests)[0].model.seed for name in ("Small", "Large-70B")]
    assert None not in seeds
    assert seeds[0] != seeds[1]


def test_budget_errors_of_a_candidate_are_no_observation() -> None:
    error = BudgetExceeded("enough", limit="usd")
    assert isinstance(played([ASK], [error]).error, BudgetExceeded)


def test_a_name_that_is_a_whole_story_is_not_told_again_in_full() -> None:
    told = environment(played([f"<search>{'long ' * 100}: Who?</search>", ANSWER]).outcome)[0]
    assert len(told) < 300
    assert "long…" in told


pieces = st.sampled_from(
    [f"<{slash}{name}>" for name in ("think", "search", "information", "answer") for slash in ("", "/")]
    + [ASK, ANSWER, "Small: who?", "Large-70B", ":", " ", "x", "\n"]
)
messages = st.lists(st.lists(pieces, max_size=8).map("".join), min_size=4, max_size=4)


@settings(max_examples=40, deadline=None)
@given(messages, st.sampled_from(["turns", "continue"]), st.sampled_from(["empty", "explain"]), st.integers(1, 3))
def test_whatever_a_router_writes_the_episode_ends_and_adds_up(
    texts: list[str], rendering: str, on_malformed: str, parallel: int
) -> None:
    said = iter([*texts, *texts])
    program = router_r1(rounds=3, rendering=rendering, on_malformed=on_malformed, parallel=parallel)
    staged = play(program, lambda request: next(said) if request.agent == "rita" else "so it is", "Who?", accepted="x")
    outcome = staged.outcome
    assert 1 <= outcome.rounds == len(requests_of("rita", staged.requests)) <= 4
    assert (outcome.answer is None) == (outcome.reason == "limit") == outcome.flagged("no_answer")
    assert outcome.raw_cost == sum(c.cost or 0 for c in outcome.calls)
    assert len(outcome.calls) <= 3 * parallel
    assert len(staged.requests) - outcome.rounds == sum(c.reply is not None for c in outcome.calls)
    assert all(request.messages[-1].content.strip() for request in staged.requests)
    assert outcome.reward.format == (-1 if outcome.reward.broken else 0)
