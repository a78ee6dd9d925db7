"""How likely a model finds each of a few labels as its answer."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maieutic.backends import (
    Endpoints,
    Gateway,
    LabelProbabilities,
    LLMReply,
    LLMRequest,
    ModelSpec,
    ScriptedModel,
    TokenLogprob,
)
from maieutic.backends.labels import from_logprobs
from maieutic.errors import ModelError, ReplyError, UsageError
from maieutic.memory import Address, Message
from maieutic.memory.entries import RunRecord
from maieutic.memory.journal import Journal
from maieutic.testing import LoopbackServer

REQUEST = LLMRequest(ModelSpec(model="scripted/x"), (Message("user", "Yes or no?"),), Address("run") / "ask")


def token(text: str, **top: float) -> TokenLogprob:
    return TokenLogprob(text, math.log(top.get(text, 0.9)), {t: math.log(p) for t, p in top.items()})


def estimate(model: ScriptedModel, labels: list[str], samples: int = 4, times: int = 1) -> LabelProbabilities:
    """`times` executions of the same run."""

    async def scenario() -> LabelProbabilities:
        with Journal.open(None) as journal:
            journal.begin(RunRecord("run", "run", 0.0, "test"))
            async with Endpoints({"scripted": model}) as endpoints:
                for _ in range(times):
                    found = await Gateway(endpoints, journal).label_probabilities(REQUEST, labels, samples=samples)
        return found

    return asyncio.run(scenario())


def reply(*tokens: TokenLogprob) -> LLMReply:
    return LLMReply("".join(t.token for t in tokens), "x", logprobs=tokens)


def test_spellings_of_a_label_add_up_at_the_answer_position() -> None:
    model = ScriptedModel([reply(token("Yes", **{"Yes": 0.5, " yes": 0.1, "YES": 0.1, "No": 0.1, "Well": 0.2}))])
    found = estimate(model, ["yes", "no"])
    assert found.source == "logprobs"
    assert found.probabilities == pytest.approx({"yes": 7 / 8, "no": 1 / 8})
    assert found.mass == pytest.approx(0.8)
    assert model.requests[0].logprobs == 20


def test_words_before_the_answer_are_passed_over() -> None:
    tokens = (token("Answer"), token(":"), token(" B", **{" B": 0.75, " A": 0.25}), token("."))
    found = from_logprobs(tokens, ["A", "B"])
    assert found is not None
    assert found.probabilities == pytest.approx({"A": 0.25, "B": 0.75})


def test_a_label_of_several_tokens_is_known_by_its_beginning() -> None:
    found = from_logprobs([token("irre", irre=0.6, relevant=0.3)], ["relevant", "irrelevant"])
    assert found is not None
    assert found.probabilities == pytest.approx({"relevant": 1 / 3, "irrelevant": 2 / 3})


def test_a_word_that_only_begins_like_a_label_is_not_the_answer() -> None:
    tokens = (token("I"), token(" think"), token(" it"), token(" is"), token(" France", **{" France": 0.9, " It": 0.1}))
    found = from_logprobs(tokens, ["Italy", "France"])
    assert found is not None
    assert found.probabilities == pytest.approx({"Italy": 0.1, "France": 0.9})
    cut = from_logprobs([token("It", It=0.8, France=0.2)], ["Italy", "France"])
    assert cut is not None
    assert cut.probabilities == pytest.approx({"Italy": 0.8, "France": 0.2})
    marked = from_logprobs([token("ĠNew"), token("ĠYork")], ["New York", "Rome"])
    assert marked is not None
    assert marked.probabilities["New York"] == 1.0


def test_numbers_that_are_no_log_probabilities_do_no_harm() -> None:
    assert from_logprobs([TokenLogprob("yes", math.nan, {"no": math.nan})], ["yes", "no"]) is None
    found = from_logprobs([TokenLogprob("yes", 1000.0, {"no": -math.inf})], ["yes", "no"])
    assert found == LabelProbabilities({"yes": 1.0, "no": 0.0}, "logprobs", 1.0)


def test_labels_that_begin_alike_are_sampled_instead() -> None:
    model = ScriptedModel([reply(token("un", un=0.9)), "unsure", "unlikely", "unlikely", "Unlikely."])
    found = estimate(model, ["unlikely", "unsure"])
    assert (found.source, found.probabilities) == ("samples", {"unlikely": 0.75, "unsure": 0.25})


def test_without_log_probabilities_independent_samples_are_counted() -> None:
    model = ScriptedModel(["yes", "Yes.", "no", "I say yes", "who knows"])
    found = estimate(model, ["yes", "no"])
    assert found == LabelProbabilities({"yes": 2 / 3, "no": 1 / 3}, "samples", 0.75)
    assert [r.sample for r in model.requests[1:]] == [0, 1, 2, 3]
    assert {r.temperature for r in model.requests[1:]} == {1.0}
    assert len({r.address for r in model.requests}) == 5


def test_an_endpoint_that_refuses_log_probabilities_is_sampled_and_a_resumed_run_does_not_ask_it_again() -> None:
    refused = ModelError("logprobs are not supported", kind="bad_request", status=400)
    found = estimate(ScriptedModel([refused, "yes", "yes", "no", "no"]), ["yes", "no"], times=3)
    assert (found.source, found.probabilities) == ("samples", {"yes": 0.5, "no": 0.5})


def test_other_failures_are_not_hidden() -> None:
    with pytest.raises(ModelError, match="no key"):
        estimate(ScriptedModel([ModelError("no key", kind="auth")]), ["yes", "no"])


def test_samples_that_fail_raise_their_own_error() -> None:
    refused = ModelError("no key", kind="auth")
    with pytest.raises(ModelError, match="no key"):
        estimate(ScriptedModel(lambda request: "?" if request.logprobs else refused), ["yes", "no"])


def over_http(setting: str, **server: Any) -> tuple[LabelProbabilities | ModelError, list[bool]]:
    """What comes out, and of each request whether it asked for log-probabilities."""

    async def scenario() -> tuple[LabelProbabilities | ModelError, list[bool]]:
        async with LoopbackServer(lambda request: "yes", **server) as loopback, Endpoints() as endpoints:
            with Journal.open(None) as journal:
                journal.begin(RunRecord("run", "run", 0.0, "test"))
                spec = ModelSpec.model_validate(
                    {"model": "hosted_vllm/m", "api_base": loopback.base("openai"), "logprobs": setting}
                )
                found: LabelProbabilities | ModelError
                try:
                    request = replace(REQUEST, model=spec)
                    found = await Gateway(endpoints, journal).label_probabilities(request, ["yes", "no"], samples=4)
                except ModelError as error:
                    found = error
                return found, ["logprobs" in request.params for request in loopback.received.requests]

    return asyncio.run(scenario())


@pytest.mark.parametrize(
    ("setting", "given", "source", "asked"),
    [
        ("auto", True, "logprobs", [True]),
        ("auto", False, "samples", [True, False]),
        ("auto", "refuse", "samples", [True, False]),
        ("required", True, "logprobs", [True]),
        ("never", True, "samples", [False]),
        ("never", "refuse", "samples", [False]),
    ],
)
def test_a_models_setting_says_where_probabilities_come_from(
    setting: str, given: Any, source: str, asked: list[bool]
) -> None:
    found, requests = over_http(setting, logprobs=given)
    assert isinstance(found, LabelProbabilities)
    assert (found.source, requests) == (source, asked), "the samples are bought in one request"


@pytest.mark.parametrize(
    ("given", "words"), [(False, "gives no log-probabilities;"), ("refuse", "refuses to give log-probabilities (")]
)
def test_where_they_are_required_an_endpoint_without_them_is_an_error_that_says_so(given: Any, words: str) -> None:
    found, requests = over_http("required", logprobs=given)
    assert isinstance(found, ModelError)
    assert requests == [True]
    assert str(found).startswith("hosted_vllm/m at http://127.0.0.1:")
    assert words in str(found)
    assert "`logprobs: required`" in str(found)
    assert "run/0/0/ask" in str(found)


def test_what_was_recorded_answers_whatever_the_setting_is_now() -> None:
    async def scenario() -> list[str]:
        model = ScriptedModel([reply(token("yes", yes=0.9, no=0.1))])
        with Journal.open(None) as journal:
            journal.begin(RunRecord("run", "run", 0.0, "test"))
            async with Endpoints({"scripted": model}) as endpoints:
                return [
                    (await Gateway(endpoints, journal).label_probabilities(request, ["yes", "no"])).source
                    for request in (
                        REQUEST,
                        replace(REQUEST, model=REQUEST.model.model_copy(update={"logprobs": "never"})),
                    )
                ]

    assert asyncio.run(scenario()) == ["logprobs", "logprobs"]


def test_replies_that_name_no_label_or_both_do_not_count() -> None:
    with pytest.raises(
        ReplyError, match=r"None of 2 replies of scripted/x at run/0/0/ask named exactly one of the label"
    ):
        estimate(ScriptedModel(["hm", "yes or no", "hm"]), ["yes", "no"], samples=2)


@pytest.mark.parametrize("labels", [["yes"], ["yes", "Yes"], ["yes", " "], []])
def test_labels_must_differ(labels: list[str]) -> None:
    with pytest.raises(UsageError, match="different"):
        estimate(ScriptedModel([]), labels)


@given(
    st.dictionaries(
        st.sampled_from(["a", " A", "b", "B.", "c", "Hm", "(a", "\n"]), st.floats(1e-6, 0.2), min_size=1, max_size=8
    )
)
def test_probabilities_sum_to_one_and_the_mass_to_at_most_one(top: Mapping[str, float]) -> None:
    first = next(iter(top))
    found = from_logprobs([token(first, **top)], ["a", "b", "c"])
    if found is not None:
        assert sum(found.probabilities.values()) == pytest.approx(1.0)
        assert 0.0 < found.mass <= 1.0
