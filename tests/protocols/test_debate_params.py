"""What cannot be asked of a debate, and what the message says."""

import asyncio
from typing import Any

import pytest
from pydantic import ValidationError

from maieutic.agents import Debater, Judge
from maieutic.errors import PromptError, UsageError
from maieutic.protocols import Debate
from maieutic.protocols.debate_params import DebateParams

ADA, BO, JUNE = Debater("ada", "sim/debater"), Debater("bo", "sim/debater"), Judge("june", "sim/judge")
TWO = {"debaters": ["ada", "bo"]}


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"debaters": ["ada"]}, "at least 2 items"),
        ({"debaters": ["ada", "ada"]}, "debaters: 'ada' is there twice"),
        ({**TWO, "judge": "ada"}, "'ada' cannot be a debater and a judge at once"),
        ({**TWO, "judge": "june", "jury": ["june", "jim"]}, "'june' is the judge and in the jury"),
        ({"debaters": ["ada", "moderator"]}, "nobody can be called 'moderator'"),
        ({**TWO, "decide": "judge"}, "decide: judge needs a judge or a jury"),
        ({**TWO, "tie": "judge"}, "tie: judge needs a judge"),
        ({**TWO, "stop": ["judge"]}, "stop: judge needs a judge"),
        ({**TWO, "stop": ["agreement"], "probes": "never"}, "stop: agreement needs the positions after each round"),
        ({**TWO, "stop": [["stable"]], "probes": "ends"}, "stop: stable needs the positions after each round"),
        ({**TWO, "jury": ["jim"], "decide": "ranked"}, "decide: ranked is a vote of the debaters"),
        ({**TWO, "stances": {"cy": "yes"}}, "stances: 'cy' is not a debater; debaters: ada, bo"),
        ({**TWO, "personas": {"cy": "Tall."}}, "personas: 'cy' takes no part; who does: ada, bo"),
        ({**TWO, "options": ["yes"]}, "options: one option leaves nothing to debate"),
        ({**TWO, "options": ["yes", "Yes."]}, "options: 'yes' is there twice"),
        ({**TWO, "rounds": 0}, "greater than or equal to 1"),
        ({**TWO, "rounds": "3"}, "valid integer"),
        ({**TWO, "stop": []}, "at least 1 item"),
        ({**TWO, "order": "clockwise"}, "in_turn"),
        ({**TWO, "supermajority": 0.5}, "greater than 0.5"),
        ({**TWO, "round": 2}, "Extra inputs"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message.replace("(", r"\(")):
        DebateParams.model_validate(params)


@pytest.mark.parametrize(
    ("params", "rule", "tie"),
    [
        ({}, "majority", "none"),
        ({"judge": "june"}, "judge", "none"),
        ({"jury": ["jim", "jo"]}, "majority", "none"),
        ({"jury": ["jim", "jo"], "judge": "june"}, "majority", "judge"),
        ({"judge": "june", "decide": "majority"}, "majority", "judge"),
        ({"jury": ["jim", "jo"], "decide": "unanimity", "tie": "first"}, "unanimity", "first"),
    ],
)
def test_what_is_left_out_follows_from_the_bench(params: dict[str, Any], rule: str, tie: str) -> None:
    chosen = DebateParams.model_validate({**TWO, **params})
    assert (chosen.rule, chosen.on_tie) == (rule, tie)


def test_a_stop_rule_may_be_a_single_name() -> None:
    assert DebateParams.model_validate({**TWO, "stop": "agreement"}).stop == ["agreement"]


def test_the_schema_knows_both_forms_of_a_stop_rule() -> None:
    forms = DebateParams.model_json_schema()["properties"]["stop"]["anyOf"]
    assert {form["type"] for form in forms} == {"string", "array"}


def test_every_parameter_is_described_in_the_schema() -> None:
    schema = DebateParams.model_json_schema()
    assert all("description" in field for field in schema["properties"].values())
    assert schema["additionalProperties"] is False


def test_in_python_a_misfit_is_a_usage_error_that_names_the_parameter() -> None:
    with pytest.raises(UsageError, match=r"^debate: rounds: Input should be greater than or equal to 1$"):
        Debate([ADA, BO], rounds=0)
    with pytest.raises(UsageError, match=r"^debate: tie: judge needs a judge"):
        Debate([ADA, BO], tie="judge")
    with pytest.raises(UsageError, match="debaters: 'ada' is there twice; every seat needs an agent of its own"):
        Debate([ADA, Debater("ada", "sim/debater", persona="Another one.")])


def test_an_agent_that_is_not_in_the_cast_is_named() -> None:
    params = DebateParams(debaters=["ada", "bob"], judge="june")
    with pytest.raises(UsageError, match="there is no agent 'bob' to play the debater; agents: ada, bo, june"):
        Debate.of({"ada": ADA, "bo": BO, "june": JUNE}, params)


def test_an_opening_with_an_unknown_variable_is_refused_before_anybody_speaks() -> None:
    with pytest.raises(PromptError, match="brief: unknown variable topic"):
        Debate([ADA, BO], brief="{{ topic }}")


def test_a_person_is_not_sampled_for_the_baseline() -> None:
    with pytest.raises(UsageError, match="'bo' is a person; leave out the baseline"):
        Debate([ADA, Debater("bo", "person/terminal")], baseline="self_consistency")


@pytest.mark.parametrize("options", [["yes"], ["yes", "YES"], "yes", [1, 2]])
def test_options_given_with_the_question_are_checked(options: Any) -> None:
    with pytest.raises(UsageError, match="debate: options must be"):
        asyncio.run(Debate([ADA, BO]).perform("Why?", options=options))
