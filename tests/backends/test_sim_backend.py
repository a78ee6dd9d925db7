"""Simulated minds as a backend: what they read, what they return, and that they are the same everywhere."""

import asyncio
import json
import math
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import date
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from maieutic.agents.replies import Approval, Choice, Enough, Position, Ranking, Review, Verdict, among
from maieutic.backends.labels import from_logprobs
from maieutic.backends.models import ModelSpec
from maieutic.backends.sim import SimBackend
from maieutic.backends.types import LLMReply, LLMRequest, TextDelta
from maieutic.errors import ModelError
from maieutic.memory.address import Address
from maieutic.memory.transcript import Message

MINDS = ("debater", "judge", "student", "teacher", "critic", "router", "expert")
CARS = "Question: Should cities ban cars?"


def ask(
    *contents: str,
    model: str = "sim/debater",
    output: type[BaseModel] | None = None,
    told: list[TextDelta] | None = None,
    system: str = "You are Ada, taking part in a debate.",
    request: dict[str, Any] | None = None,
    **params: Any,
) -> LLMReply:
    messages = (Message("system", system), *(Message("user", content) for content in contents))
    spec = ModelSpec.model_validate({"model": model, **params})
    asked = LLMRequest(spec, messages, Address("run"), output=output, **(request or {}))
    return asyncio.run(SimBackend().complete(asked, told.append if told is not None else None))


def test_a_reply_is_labelled_as_simulated_and_costs_nothing() -> None:
    reply = ask(CARS, "It is your turn.")
    assert reply.simulated
    assert reply.usd == 0.0
    assert reply.model == "sim/debater"
    assert reply.usage.completion == math.ceil(len(reply.text.split()) * 4 / 3)
    assert reply.finish == "stop"


def test_the_same_request_has_the_same_reply_in_another_process() -> None:
    code = (
        "import asyncio\n"
        "from maieutic.backends.sim import SimBackend\n"
        "from maieutic.backends import LLMRequest, ModelSpec\n"
        "from maieutic.memory import Address, Message\n"
        "m = (Message('system', 'You are Ada, taking part in a debate.'), Message('user', 'Question: Should cities ban "
        "cars?'), Message('user', 'It is your turn.'))\n"
        "r = LLMRequest(ModelSpec.model_validate({'model': 'sim/debater', 'seed': 5}), m, Address('run'))\n"
        "print(asyncio.run(SimBackend().complete(r)).text)"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": salt}, capture_output=True, text=True, check=True
        ).stdout.strip()
        for salt in ("1", "2")
    }
    assert texts == {ask(CARS, "It is your turn.", seed=5).text}


def test_it_reads_neither_the_address_nor_the_agents_name() -> None:
    replies = {
        ask(CARS, "It is your turn.", seed=3, request={"agent": agent}).text for agent in ("", "ada", "the judge")
    }
    assert len(replies) == 1


def test_minds_without_a_seed_differ_by_the_name_in_their_prompt() -> None:
    names = ("Ada", "Bo", "Cleo", "Dan", "Eva", "Finn", "Gus", "Hana")
    said = {ask(CARS, "It is your turn.", system=f"You are {name}, taking part in a debate.").text for name in names}
    assert len(said) > 4
    assert any(text.startswith("I say yes") for text in said)
    assert any(text.startswith("I say no") for text in said)


def test_text_is_told_as_it_comes() -> None:
    told: list[TextDelta] = []
    reply = ask(CARS, "It is your turn.", told=told)
    assert "".join(delta.text for delta in told) == reply.text
    assert len(told) == len(reply.text.split())


def test_stop_strings_and_token_limits_are_kept() -> None:
    whole = ask(CARS, "It is your turn.")
    assert ask(CARS, "It is your turn.", stop=["."]).text == whole.text.partition(".")[0]
    short = ask(CARS, "It is your turn.", max_tokens=8)
    assert short.finish == "length"
    assert whole.text.startswith(short.text)
    assert (short.usage.completion or 0) <= 8


def test_label_probabilities_equal_the_belief() -> None:
    label = ask(CARS, "Answer with one word only.", seed=4, request={"logprobs": 20})
    assert label.text in ("yes", "no")
    read = from_logprobs(label.logprobs or (), ("yes", "no"))
    position = ask(CARS, "Off the record: which answer?", seed=4, output=Position)
    stated = json.loads(position.text)
    assert read is not None
    assert read.probabilities[stated["answer"]] == pytest.approx(stated["confidence"], abs=1e-3)
    assert sum(read.probabilities.values()) == pytest.approx(1)


def test_a_letter_is_answered_where_a_letter_is_asked_for() -> None:
    asked = "Which planet is the hottest?\nA) Mercury\nB) Venus\nC) Mars\nAnswer with the letter only."
    reply = ask(asked, model="sim/expert", skill=1.0, slip=0.1, request={"logprobs": 5, "temperature": 0.0})
    assert reply.text == "B"
    read = from_logprobs(reply.logprobs or (), ("A", "B", "C"))
    assert read is not None
    assert read.probabilities == pytest.approx({"A": 0.05, "B": 0.9, "C": 0.05})


def test_samples_at_temperature_one_are_drawn_from_the_belief() -> None:
    stated = json.loads(ask(CARS, "Off the record: which answer?", seed=4, output=Position).text)
    drawn = [
        ask(CARS, "Answer with one word only.", seed=4, request={"sample": n, "temperature": 1.0}).text
        for n in range(400)
    ]
    assert drawn.count(stated["answer"]) / 400 == pytest.approx(stated["confidence"], abs=0.08)


def test_log_probabilities_of_a_typed_reply_join_to_its_text() -> None:
    reply = ask(CARS, "Which answer?", output=Position, request={"logprobs": 5})
    assert "".join(token.token for token in reply.logprobs or ()) == reply.text
    assert any({"yes", "no"} <= set(token.top) for token in reply.logprobs or ())


def test_an_unknown_mind_or_parameter_is_refused_with_a_suggestion() -> None:
    with pytest.raises(ModelError, match=r"no simulated mind 'sim/debator'; did you mean 'debater'\?.*sim/teacher"):
        ask(CARS, model="sim/debator")
    with pytest.raises(ModelError, match=r"unknown parameter 'stubborness'; did you mean 'stubbornness'\?.*: .*lean"):
        ask(CARS, stubborness=1)
    with pytest.raises(ModelError, match=r"sim/debater: knows: Input should be less than or equal to 1 \(given: 3\)"):
        ask(CARS, knows=3)


class Colour(Enum):
    red = "red"
    blue = "blue"


class Leaf(BaseModel):
    weight: Annotated[int, Field(ge=1, le=5)]
    note: str | None


class Odd(BaseModel):
    """Fields that no mind has heard of."""

    colour: Colour
    leaf: Leaf
    leaves: Annotated[list[Leaf], Field(min_length=2, max_length=3)]
    when: date
    share: Annotated[float, Field(gt=0, lt=1)]
    name: Annotated[str, Field(min_length=3, max_length=8)]
    flag: bool
    either: int | str
    table: dict[str, int]
    pair: tuple[int, str]
    fixed: Literal["one"] = "one"


class Tree(BaseModel):
    label: str
    children: list["Tree"] = []


FORMS: tuple[type[BaseModel], ...] = (
    Position, Verdict, Enough, Ranking, Approval, Review, Choice, Odd, Tree,
    among(Position, ("yes", "no")), among(Verdict, ("a b", "c")), among(Ranking, ("x", "y", "z")),
    among(Approval, ("x", "y")), among(Choice, ("ada", "bo")),
)  # fmt: skip

_LINES = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [CARS, "Ada: I say yes.", "Options:\n- yes\n- no", "Question: Tabs or spaces?", "Answer: 3/5", "Hint: ",
         "Question: Which planet is nearest to the Sun?", "Explain to the student.", "Ask the student one question.",
         "Ask your teacher one question.", "Give the student one hint.", "Draft: Mercury\nReview the draft.", "or?",
         "Candidates:\n- a: cheap\n- b: strong", "Off the record", "Should ?", "Question: Or or or?", "Topic: the Sun",
         "You are , a judge", "Argue for this answer: maybe", "Mercury is the planet nearest to the Sun."]
    ),
)  # fmt: skip
_MESSAGES = st.lists(
    st.builds(Message, st.sampled_from(("system", "user", "assistant")), st.lists(_LINES, max_size=3).map("\n".join)),
    max_size=6,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(MINDS), _MESSAGES, st.sampled_from((None, *FORMS)), st.sampled_from((None, 0.0, 1.0)))
def test_any_messages_and_any_form_have_a_valid_reply(
    mind: str, messages: Sequence[Message], form: type[BaseModel] | None, temperature: float | None
) -> None:
    request = LLMRequest(
        ModelSpec.model_validate(f"sim/{mind}"),
        tuple(messages),
        Address("run"),
        output=form,
        temperature=temperature,
        logprobs=3,
    )
    reply = asyncio.run(SimBackend().complete(request))
    assert "".join(token.token for token in reply.logprobs or ()) == reply.text
    if form is None:
        assert reply.text.strip()
    else:
        form.model_validate_json(reply.text)


@pytest.mark.parametrize(
    "text",
    ["I say " * 20_000, "Answer:" + " " * 100_000 + "x", "**" * 50_000, "a, " * 20_000 + "or b?", "You are " * 20_000,
     "Should " + "we " * 20_000 + "?", "Options:\n" + "- a\n" * 20_000, "\n" * 100_000 + "?", "the answer to " * 9_000],
)  # fmt: skip
def test_no_text_makes_reading_slow(text: str) -> None:
    start = time.process_time()
    ask(text, "It is your turn.", system=text)
    assert time.process_time() - start < 3


def test_a_dialogue_of_a_thousand_turns_is_read_in_linear_time() -> None:
    def seconds(turns: int) -> float:
        said = [
            f"{('Ada', 'Bo')[i % 2]}: I say yes. Turn {turns} {i} costs money. " + "word " * 40 for i in range(turns)
        ]
        start = time.process_time()
        ask(CARS, *said, "It is your turn.", seed=1)
        return time.process_time() - start

    ask(CARS, "It is your turn.")
    assert seconds(1000) < 25 * seconds(100) + 0.5
