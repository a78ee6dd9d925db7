"""`maieutic debate`, in a pipe and without a network."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

QUESTION = "Should cities ban cars?"


Maieutic = Callable[..., Result]


def test_a_debate_without_a_key_is_simulated_and_says_so_in_one_line(maieutic: Maieutic) -> None:
    done = maieutic("debate", QUESTION)
    assert done.exit_code == 0, done.output
    first = done.stderr.splitlines()[0]
    assert first == "No API key set: simulated minds debate. A real model: --model openai/gpt-5-mini"
    assert "Answer: " in done.stdout
    assert "simulated" in done.stdout
    assert "Round 3 of 3" in done.stderr
    assert "Round" not in done.stdout  # progress is not a result


def test_the_outcome_tells_positions_decision_and_cost(maieutic: Maieutic) -> None:
    done = maieutic("debate", QUESTION, "-q")
    assert "Decided by: judge (Judge, " in done.stdout
    assert "Positions:\n  Ada  " in done.stdout
    assert "Spent: 15 calls" in done.stdout
    assert done.stderr == ""


def test_json_is_one_object_on_stdout(maieutic: Maieutic) -> None:
    done = maieutic("debate", QUESTION, "--json")
    told = json.loads(done.stdout)
    assert told["simulated"] is True
    assert told["status"] == "done"
    assert told["outcome"]["seats"] == ["Ada", "Bo"]
    assert told["ledger"]["total"]["calls"] == 15
    assert f"run {told['id']}: {QUESTION}" in done.stderr


def test_the_same_seed_gives_the_same_debate(maieutic: Maieutic) -> None:
    one, two = (json.loads(maieutic("debate", QUESTION, "--json", "--seed", "4").stdout) for _ in range(2))
    assert one["outcome"] == two["outcome"]
    other = json.loads(maieutic("debate", QUESTION, "--json", "--seed", "5").stdout)
    assert other["outcome"]["transcript"] != one["outcome"]["transcript"]


def test_simulated_debaters_start_on_two_sides(maieutic: Maieutic) -> None:
    told = json.loads(maieutic("debate", "Tea or coffee?", "--json").stdout)
    first = {held[0]["answer"] for held in told["outcome"]["positions"].values()}
    assert len(first) == 2


def test_options_reach_the_graph_file_and_the_file_runs_the_same(maieutic: Maieutic) -> None:
    chosen = ["--debaters", "3", "--rounds", "2", "--options", "yes,no", "--no-judge", "--decide", "majority"]
    chosen += ["--stance", "Cy=no", "--persona", "Ada=An economist.", "--order", "simultaneous", "--stop", "stable"]
    done = maieutic("debate", QUESTION, *chosen, "--save", "cars.yaml", "--json")
    assert done.exit_code == 0, done.output
    saved = Path("cars.yaml").read_text()
    for part in (
        "rounds: 2",
        "order: simultaneous",
        "stop: [stable]",
        "first_round: blind",
        "Cy: no",
        "decide: majority",
    ):
        assert part.replace("Cy: no", "Cy: ") in saved
    again = maieutic("run", "cars.yaml", "-i", f"question={QUESTION}", "--json")
    assert json.loads(again.stdout)["outcome"] == json.loads(done.stdout)["outcome"]


def test_a_jury_decides_unless_a_judge_is_asked_for_as_well(maieutic: Maieutic) -> None:
    alone = json.loads(maieutic("debate", QUESTION, "--jury", "3", "--rounds", "1", "--json").stdout)
    assert [given["judge"] for given in alone["outcome"]["jury"]] == ["Juror1", "Juror2", "Juror3"]
    assert alone["outcome"]["verdict"] is None
    assert "jury" in alone["outcome"]["decided_by"]
    both = maieutic("debate", QUESTION, "--jury", "2", "--judge", "--rounds", "1", "--dry-run")
    assert "Judge" in both.stdout


def test_swap_shows_how_the_outcome_depends_on_the_seats(maieutic: Maieutic) -> None:
    done = maieutic("debate", "Tea or coffee?", "--rounds", "1", "--swap", "-q")
    assert done.exit_code == 0, done.output
    assert "Ada, Bo" in done.stdout
    assert "Bo, Ada" in done.stdout
    assert "of 2 orders" in done.stdout
    assert "simulated" in done.stdout
    told = json.loads(maieutic("debate", "Tea or coffee?", "--rounds", "1", "--swap", "--json").stdout)
    assert len(told["runs"]) == len(told["order_effects"]["orders"]) == 2


def test_a_question_may_begin_with_an_at_sign(maieutic: Maieutic) -> None:
    done = maieutic("debate", "@ or #?", "--rounds", "1", "--json")
    assert "Question: @ or #?" in json.loads(done.stdout)["outcome"]["transcript"][0]["content"]


def test_swap_shares_one_budget(maieutic: Maieutic) -> None:
    done = maieutic("debate", QUESTION, "--rounds", "1", "--swap", "--budget", "8 calls", "--json")
    assert done.exit_code == 3
    told = json.loads(done.stdout)
    assert len(told["runs"]) == 1
    assert told["id"].endswith("-2")
    assert f"maieutic resume {told['id']} --budget" in done.stderr


def test_the_baseline_is_reported_beside_the_debate(maieutic: Maieutic) -> None:
    done = maieutic("debate", QUESTION, "--rounds", "1", "--baseline", "-q")
    assert "Baseline: self-consistency with " in done.stdout


def test_a_dry_run_calls_nothing(maieutic: Maieutic) -> None:
    done = maieutic("debate", QUESTION, "--dry-run", "--rounds", "2")
    assert done.exit_code == 0
    assert "Judge" in done.stdout
    assert "Nothing was called." in done.stdout
    assert not Path(".maieutic").exists()
    told = json.loads(maieutic("debate", QUESTION, "--dry-run", "--json").stdout)
    assert told["calls"] == [15, 15]


def test_a_budget_ends_the_debate_with_what_there_is(maieutic: Maieutic) -> None:
    done = maieutic("debate", QUESTION, "--budget", "3k tokens")
    assert done.exit_code == 3
    assert "Ended: stopped (budget)" in done.stdout
    assert "maieutic resume " in done.stderr


def test_a_model_can_be_given_by_name_by_role_or_to_all(maieutic: Maieutic) -> None:
    who = ["-m", "sim/debater", "-m", "judge=sim/judge", "--model", "Bo=sim/expert"]
    done = maieutic("debate", QUESTION, "--rounds", "1", *who, "--dry-run", "--json")
    models = {agent["agent"]: agent["model"] for agent in json.loads(done.stdout)["agents"]}
    assert models == {"Ada": "sim/debater", "Bo": "sim/expert", "Judge": "sim/judge"}


def test_a_key_in_the_environment_chooses_that_provider(maieutic: Maieutic) -> None:
    done = maieutic("debate", QUESTION, "--dry-run", "--save", "f.yaml", env={"ANTHROPIC_API_KEY": "k"})
    assert "ANTHROPIC_API_KEY is set: anthropic/" in done.stderr
    assert "anthropic/" in Path("f.yaml").read_text()
    offline = maieutic("debate", QUESTION, "--dry-run", "--offline", env={"ANTHROPIC_API_KEY": "k"})
    assert "Offline: simulated minds debate" in offline.stderr
    assert "sim/debater" in offline.stdout
    named = maieutic("debate", QUESTION, "--dry-run", env={"ANTHROPIC_API_KEY": "k", "MAIEUTIC_MODEL": "sim/expert"})
    assert "MAIEUTIC_MODEL is set: sim/expert will debate." in named.stderr


def test_every_option_is_an_environment_variable(maieutic: Maieutic) -> None:
    done = maieutic("debate", QUESTION, "--json", env={"MAIEUTIC_DEBATE_ROUNDS": "1", "MAIEUTIC_STORE": "else.db"})
    assert json.loads(done.stdout)["outcome"]["rounds"] == 1
    assert Path("else.db").exists()


def test_quiet_and_verbose_stand_before_or_after_the_verb(maieutic: Maieutic) -> None:
    before = maieutic("-q", "debate", QUESTION, "--rounds", "1")
    after = maieutic("debate", QUESTION, "--rounds", "1", "-q")
    assert before.stderr == after.stderr == ""
    loud = maieutic("-v", "debate", QUESTION, "--rounds", "1")
    assert "· Ada asked sim/debater: " in loud.stderr


def test_what_a_model_says_cannot_steer_the_terminal(maieutic: Maieutic) -> None:
    done = maieutic("debate", "Tea \x1b[31mor\x07 coffee?", "--rounds", "1")
    assert "\x1b" not in done.output
    assert "\x07" not in done.output


def test_you_can_debate_yourself(maieutic: Maieutic) -> None:
    words = "no\n0.9\nCars carry the sick.\nno\n0.8\n"
    done = maieutic("debate", QUESTION, "--rounds", "1", "--model", "Bo=person/terminal", "--json", typed=words)
    assert done.exit_code == 0, done.output
    said = [t for t in json.loads(done.stdout)["outcome"]["transcript"] if t["speaker"] == "Bo"]
    assert [t["content"] for t in said if t.get("kind") != "probe"] == ["Cars carry the sick."]


def test_a_person_is_not_shown_what_only_others_may_know(maieutic: Maieutic) -> None:
    words = "no\n0.9\nCars carry the sick.\nno\n0.8\n"
    done = maieutic("debate", QUESTION, "--rounds", "1", "--model", "Bo=person/terminal", typed=words)
    assert "Ada stands at" not in done.stderr  # off the record
    assert done.stderr.index("Bo: Cars carry the sick.") < done.stderr.index("Ada: ")  # a blind round


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["debate"], "debate needs an input:\n  -i question=…"),
        (["debate", QUESTION, "--debaters", "1"], "1 is not in the range x>=2"),
        (["debate", QUESTION, "--rounds", "many"], "'many' is not a valid integer"),
        (["debate", QUESTION, "--order", "clockwise"], "'clockwise' is not one of 'in_turn'"),
        (["debate", QUESTION, "--options", "yes"], "one option leaves nothing to debate"),
        (["debate", QUESTION, "--stance", "Zed=yes"], "'Zed' is not a debater"),
        (["debate", QUESTION, "--stance", "yes"], "'yes' is not of the form NAME=VALUE"),
        (["debate", QUESTION, "--model", "Zed=sim/debater"], "nobody here is called 'Zed'; there are: debater, judge"),
        (["debate", QUESTION, "--model", "sim/nobody"], "there is no simulated mind 'sim/nobody'"),
        (["debate", QUESTION, "--stop", "never"], "'never' is not one of agreement, stable, judge, rounds"),
        (["debate", QUESTION, "--no-judge", "--decide", "judge"], "decide: judge needs a judge"),
        (["debate", QUESTION, "--budget", "5 calls"], "5 is too small: the cheapest way through takes 15"),
        (["debate", QUESTION, "--budget", "lots"], "'lots' is not a limit; write 0.50"),
        (["debate", QUESTION, "--set", "with.rouns=2"], "rouns"),
        (["debate", QUESTION, "--set", "wth.rounds=2"], "did you mean 'with'?"),
        (["debate", QUESTION, "-i", "speed=3"], "has no such input; it takes question, options"),
        (["debate", QUESTION, "-i", "question=Tea?"], "There are two questions"),
        (["debate", " "], "the question must be a text with something in it"),
        (["debate", QUESTION, "--model", "Ada="], "'Ada=' names no model"),
        (["debate", QUESTION, "-i", "options=@nowhere.txt"], "the file cannot be read"),
        (["debate", QUESTION, "--swap", "--dry-run"], "--swap makes several runs"),
        (["debate", QUESTION, "--save", "nowhere/x.yaml"], "the file cannot be written"),
        (["debate", QUESTION, "--replay", "nowhere.jsonl"], "does not exist"),
        (["debate", QUESTION, "--record", "/dev/null/tea.jsonl"], "the folder cannot be made"),
        (
            ["debate", QUESTION, "--offline", "--model", "openai/gpt-5-mini"],
            "needs the network, and this run is offline",
        ),
        (["debat", QUESTION], "No such command 'debat'; did you mean 'debate'?"),
    ],
)
def test_wrong_usage_exits_with_2_and_says_what_to_do(maieutic: Maieutic, words: list[str], message: str) -> None:
    done = maieutic(*words)
    assert message in " ".join(done.stderr.split()) or message in done.stderr
    assert done.exit_code == 2
    assert "Traceback" not in done.output


def test_tracebacks_are_shown_on_demand_only(maieutic: Maieutic) -> None:
    assert "Traceback" in maieutic("-v", "debate", QUESTION, "--options", "yes").stderr
