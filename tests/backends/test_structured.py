"""Typed replies: as enforced, taken out of surrounding text, or after one repair turn."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, RootModel

from maieutic.backends import LLMReply, LLMRequest, ModelSpec, TextDelta, TextSink, Usage
from maieutic.backends.ledger import Ledger
from maieutic.backends.structured import Structured, instructed, unwrap
from maieutic.errors import ReplyError
from maieutic.memory import Address, Message


class Verdict(BaseModel):
    winner: str
    margin: int = Field(ge=0, le=10)
    clear: bool = True


QUESTION = Message("user", "Who won?")
REQUEST = LLMRequest(ModelSpec(model="openai/x"), (QUESTION,), Address("run") / "judge", output=Verdict, agent="judge")
GOOD = '{"winner": "ada", "margin": 3}'


class Says:
    """The layers below: each call says the next text, at a price."""

    def __init__(self, *texts: str, usd: float | None = 0.01, finish: str = "stop") -> None:
        self.texts = list(texts)
        self.requests: list[LLMRequest] = []
        self.usd = usd
        self.finish = finish

    async def __call__(self, request: LLMRequest, on_text: TextSink | None = None) -> LLMReply:
        self.requests.append(request)
        text = self.texts.pop(0)
        if on_text is not None:
            on_text(TextDelta(text))
        usage = Usage(prompt=10, completion=5)
        return LLMReply(text, "x-2026", usage, self.usd, seconds=1.0, structure="native", finish=self.finish)


def ask(says: Says, on_text: TextSink | None = None, ledger: Ledger | None = None) -> LLMReply:
    return asyncio.run(Structured(says, ledger or Ledger())(REQUEST, on_text))


def test_a_reply_in_the_right_form_is_native() -> None:
    ledger = Ledger()
    reply = ask(Says(GOOD), ledger=ledger)
    assert reply.data == Verdict(winner="ada", margin=3)
    assert reply.structure == "native"
    assert ledger.total.structure == {"native": 1}


def test_plain_text_requests_pass_untouched() -> None:
    says = Says("Ada.")
    plain = LLMRequest(ModelSpec(model="openai/x"), (QUESTION,), Address("run") / "judge")
    reply = asyncio.run(Structured(says, Ledger())(plain))
    assert reply.data is None


@pytest.mark.parametrize(
    "text",
    [
        f"```json\n{GOOD}\n```",
        f"Here is my verdict:\n```\n{GOOD}\n```\nI hope it's clear.",
        f"It's Ada's win: {GOOD} — as {{said}}.",
        f'<think>Perhaps {{"winner": "bo", "margin": 1}}? No.</think>{GOOD}',
        f"{GOOD}\nAgain: {GOOD}",
        '{"winner": "ada", "margin": "3", "clear": "yes"} ',
        'Verdict: {"winner": "ada", "margin": "3", "clear": "true"}',
    ],
)
def test_an_object_in_a_fence_or_in_prose_is_unwrapped(text: str) -> None:
    says = Says(text)
    assert ask(says).data == Verdict(winner="ada", margin=3)
    assert len(says.requests) == 1


def test_a_fenced_list_is_unwrapped_too() -> None:
    class Names(RootModel[list[str]]):
        pass

    request = LLMRequest(REQUEST.model, (QUESTION,), REQUEST.address, output=Names)
    reply = asyncio.run(Structured(Says('```json\n["ada", "bo"]\n```'), Ledger())(request))
    assert reply.data == Names(["ada", "bo"])


@pytest.mark.parametrize(
    "text",
    [
        "Ada won.",
        "",
        '{"winner": "ada", "margin": 3} or {"winner": "bo", "margin": 3}',
        '{"winner": "ada", "margin": 3',
        "{'winner': 'ada', 'margin': 3}",
        '```json\n{"winner": "ada", "margin": 3}\n```\n```json\n{"winner": "bo", "margin": 3}\n```',
    ],
)
def test_what_is_not_beyond_doubt_is_never_guessed(text: str) -> None:
    assert unwrap(text) is None


def test_one_repair_turn_quotes_the_problem_and_sums_the_cost() -> None:
    ledger = Ledger()
    says = Says('{"winner": "ada", "margin": 11}', GOOD)
    reply = ask(says, ledger=ledger)
    assert (reply.data, reply.structure) == (Verdict(winner="ada", margin=3), "repaired")
    assert (reply.usage, reply.usd, reply.seconds) == (Usage(20, 10), 0.02, 2.0)
    assert ledger.total.structure == {"repaired": 1}
    repair = says.requests[1]
    assert repair.address == REQUEST.address / "repair"
    assert repair.messages[:2] == (QUESTION, Message("assistant", '{"winner": "ada", "margin": 11}'))
    assert "- margin: Input should be less than or equal to 10" in repair.messages[2].content
    assert '"maximum": 10' in repair.messages[2].content


def test_a_repair_at_an_unknown_price_costs_an_unknown_sum() -> None:
    assert ask(Says("hm", GOOD, usd=None)).usd is None


def test_a_repaired_stream_begins_anew() -> None:
    pieces: list[TextDelta] = []
    ask(Says("hm", GOOD), on_text=pieces.append)
    assert pieces == [TextDelta("hm"), TextDelta("", restart=True), TextDelta(GOOD)]


def test_after_a_failed_repair_the_error_says_what_was_wrong_and_what_to_do() -> None:
    ledger = Ledger()
    says = Says("Ada, clearly.", '{"winner": "ada"}', finish="length")
    with pytest.raises(ReplyError) as caught:
        ask(says, ledger=ledger)
    assert caught.value.text == '{"winner": "ada"}'
    assert str(caught.value) == (
        "x-2026 (asked by judge at run/0/0/judge) did not answer in the form Verdict, not even after a repair turn:\n"
        "- margin: Field required\n"
        'It said: \'{"winner": "ada"}\'\n'
        "Use a model or endpoint that enforces JSON schemas (`maieutic doctor` tells), or a simpler output. "
        "The reply was cut at its token limit: raise `max_tokens`."
    )
    assert ledger.total.structure == {}


def test_the_schema_in_words_stands_at_the_end_of_the_last_user_message() -> None:
    asked = instructed(REQUEST, Verdict)
    assert len(asked.messages) == 1
    assert asked.messages[0].content.startswith("Who won?\n\nReply with one JSON object and nothing else")
    assert json.loads(asked.messages[0].content.partition("schema:\n\n")[2]) == Verdict.model_json_schema()


def test_the_schema_in_words_makes_a_user_message_where_none_is_last() -> None:
    turns = (QUESTION, Message("assistant", "Let me see."))
    asked = instructed(LLMRequest(REQUEST.model, turns, REQUEST.address, output=Verdict), Verdict)
    assert asked.messages[:2] == turns
    assert asked.messages[2].role == "user"


PROSE = st.text(st.characters(exclude_characters="{}<>", exclude_categories=["Cs"]), max_size=60)
NOISE = st.text('{}[]"\\`:,\n abj1', max_size=200)


@given(NOISE)
def test_unwrapping_never_throws_and_never_invents(text: str) -> None:
    found = unwrap(text)
    assert found is None or (found in text and isinstance(json.loads(found), dict | list))


@given(PROSE, st.dictionaries(st.text(max_size=8), st.text(max_size=8) | st.integers(-9, 9) | st.booleans()), PROSE)
def test_a_single_object_is_found_in_any_prose(before: str, value: dict[str, str | int | bool], after: str) -> None:
    assert unwrap(f"{before}{json.dumps(value)}{after}") == json.dumps(value)


@pytest.mark.parametrize(
    "text",
    [
        lambda n: "{" * n,
        lambda n: "{}" * n,
        lambda n: '{"a":' * n,
        lambda n: '{"' + '\\"' * n,
        lambda n: "{" + '"' * n,
        lambda n: '{"a":' * n + "1" + "}" * n,
        lambda n: "```json\n" * n,
        lambda n: "<think>" * n + "</think>" * n,
    ],
)
def test_time_is_linear_on_hostile_text(text: Callable[[int], str]) -> None:
    began = time.process_time()
    unwrap(text(200_000))
    assert time.process_time() - began < 3.0
