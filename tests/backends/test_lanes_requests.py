"""What goes over the wire, what a reply costs, and what is not imported before it must be."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from maieutic.backends import LLMRequest, ModelSpec, Price, Usage, prices_as_of
from maieutic.backends.library import library, part
from maieutic.backends.litellm_backend import LiteLLMBackend
from maieutic.backends.prices import cost, map_price
from maieutic.backends.providers import sends_schema
from maieutic.backends.thoughts import ThoughtFilter
from maieutic.backends.wire import response_format, wire_messages, wire_params
from maieutic.memory.address import Address
from maieutic.memory.transcript import Message

roles = st.sampled_from(("system", "user", "assistant"))
words = st.text(alphabet="ab \n", max_size=5)
dialogues = st.lists(st.builds(Message, roles, words), max_size=8)


def test_equal_roles_in_a_row_are_joined_and_blank_messages_left_out() -> None:
    asked = [
        Message("system", "Be kind."),
        Message("user", "Ada: yes"),
        Message("user", "Bo: no"),
        Message("assistant", " "),
        Message("user", "You?"),
    ]
    assert wire_messages(asked) == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Ada: yes\n\nBo: no\n\nYou?"},
    ]


def test_a_system_message_further_down_speaks_as_the_user() -> None:
    wired = wire_messages([Message("user", "Hi."), Message("assistant", "Hello."), Message("system", "Be brief.")])
    assert [w["role"] for w in wired] == ["user", "assistant", "user"]


def test_a_lone_system_message_is_sent_as_the_users() -> None:
    assert wire_messages([Message("system", "Say hi.")]) == [{"role": "user", "content": "Say hi."}]


@given(dialogues)
def test_roles_alternate_and_no_message_is_blank(dialogue: list[Message]) -> None:
    wired = wire_messages(dialogue)
    assert all(a["role"] != b["role"] for a, b in pairwise(wired))
    assert all(w["content"].strip() for w in wired)
    assert all(w["role"] != "system" for w in wired[1:])


@given(dialogues, dialogues)
def test_a_growing_dialogue_keeps_its_beginning_on_the_wire(dialogue: list[Message], more: list[Message]) -> None:
    before, after = wire_messages(dialogue), wire_messages([*dialogue, *more])
    if len(before) > 1:
        assert after[: len(before) - 1] == before[:-1]
        assert after[len(before) - 1]["content"].startswith(before[-1]["content"])


class Inner(BaseModel):
    default: int = 3


class Outer(BaseModel):
    type: Literal["a", "b"] = "a"
    parts: list[Inner] = []
    note: str | None = None


class Open(BaseModel):
    scores: dict[str, float]


def test_a_schema_is_closed_and_requires_everything() -> None:
    wanted = response_format(Outer)["json_schema"]
    assert (wanted["name"], wanted["strict"]) == ("Outer", True)
    assert wanted["schema"]["required"] == ["type", "parts", "note"]
    assert wanted["schema"]["additionalProperties"] is False
    assert wanted["schema"]["$defs"]["Inner"]["required"] == ["default"]
    assert "default" not in wanted["schema"]["properties"]["type"]


def test_a_schema_with_an_open_map_is_not_called_strict() -> None:
    assert response_format(Open)["json_schema"]["strict"] is False


def asked(**how: Any) -> LLMRequest:
    spec = ModelSpec.model_validate({"model": "openai/x", **how.pop("spec", {})})
    return LLMRequest(spec, (Message("user", "Hi."),), Address("r"), **how)


def test_a_request_goes_before_its_model() -> None:
    request = asked(spec={"temperature": 0.1, "max_tokens": 5, "stop": ["a"]}, temperature=0.9, max_tokens=7, stop=())
    assert wire_params(request, schema=False, stream=False) == {"temperature": 0.9, "max_tokens": 7}


def test_samples_of_a_seeded_model_differ() -> None:
    seeds = [wire_params(asked(spec={"seed": 7}, sample=n), schema=False, stream=False)["seed"] for n in range(3)]
    assert seeds == [7, 8, 9]


def test_a_stream_asks_for_its_usage() -> None:
    assert wire_params(asked(), schema=False, stream=True) == {
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_a_schema_is_sent_where_it_is_enforced() -> None:
    told = {
        "hosted_vllm/q": True,
        "openai/gpt-4o": True,
        "openai/unknown": False,
        "sim/debater": False,
        "tiny/student": False,
    }
    assert {model: sends_schema(ModelSpec(model=model)) for model in told} == told
    assert sends_schema(ModelSpec(model="openai/unknown", structured="native"))
    assert not sends_schema(ModelSpec(model="openai/gpt-4o", structured="prompt"))


@given(st.text(alphabet="ab\n ", max_size=6), st.text(alphabet="cd", max_size=6), st.lists(st.integers(1, 4)))
def test_thought_is_parted_from_text_wherever_the_stream_is_cut(thought: str, text: str, cuts: list[int]) -> None:
    whole = f"<think>{thought}</think>\n{text}"
    pieces, rest = [], whole
    for cut in cuts:
        pieces.append(rest[:cut])
        rest = rest[cut:]
    sieve = ThoughtFilter()
    told = "".join(sieve.feed(piece) for piece in [*pieces, rest]) + sieve.finish()
    assert (told.strip(), sieve.thought) == (text, thought.strip())


@given(st.lists(st.text(alphabet="<think>ab ", min_size=1, max_size=3)))
def test_text_without_a_leading_thought_passes_untouched(pieces: list[str]) -> None:
    whole = "".join(pieces)
    if whole.lstrip().startswith("<think>"):
        return
    sieve = ThoughtFilter()
    assert "".join(sieve.feed(piece) for piece in pieces) + sieve.finish() == whole


def test_a_thought_that_never_closes_leaves_no_text() -> None:
    sieve = ThoughtFilter()
    assert sieve.feed("<think>Hm, ") + sieve.feed("well") + sieve.finish() == ""
    assert sieve.thought == "Hm, well"


def test_the_users_own_price_goes_before_the_map_and_cached_tokens_apart() -> None:
    own = Price(input=1.0, output=2.0, cached_input=0.1)
    usage = Usage(prompt=1_000_000, completion=500_000, cached=400_000)
    assert cost("gpt-4o", "openai", usage, None, own) == pytest.approx(0.6 + 0.04 + 1.0)


def test_the_map_knows_known_models_and_no_others() -> None:
    known = map_price("openai/gpt-4o")
    assert known is not None
    assert known.cached_input is not None
    assert known.cached_input < known.input < known.output
    assert cost("gpt-4o", "openai", Usage(1_000_000, 0, 0), None, None) == pytest.approx(known.input)
    assert map_price("hosted_vllm/Qwen3-4B") is None
    assert map_price("nowhere/x") is None
    assert LiteLLMBackend().price(ModelSpec(model="openai/gpt-4o")) == known
    assert prices_as_of().startswith("litellm ")


@pytest.mark.parametrize("model", ["openai/gpt-4o", "anthropic/claude-sonnet-4-5", "gemini/gemini-2.5-pro"])
def test_our_price_of_a_reply_is_litellms(model: str) -> None:
    details = {"cached_tokens": 1000}
    reported = part("types.utils").Usage(prompt_tokens=300_000, completion_tokens=100, prompt_tokens_details=details)
    provider, _, name = model.partition("/")
    theirs = sum(library().cost_per_token(model=name, custom_llm_provider=provider, usage_object=reported))
    assert cost(name, provider, Usage(300_000, 100, 1000), reported, None) == pytest.approx(theirs)


def test_nothing_imports_litellm_before_the_first_call() -> None:
    code = """
import os, sys
import maieutic.backends as b
b.LiteLLMBackend(), b.probe, b.prices_as_of()
from maieutic.backends.providers import sends_schema
assert not sends_schema(b.ModelSpec(model="sim/debater"))
assert sends_schema(b.ModelSpec(model="hosted_vllm/q"))
assert "litellm" not in sys.modules and "aiohttp" not in sys.modules
before = dict(os.environ)
from maieutic.backends.library import library
library()
assert dict(os.environ) == before
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
