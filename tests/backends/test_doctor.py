"""The doctor finds out what an endpoint really does, whatever it claims."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import aclosing
from types import MappingProxyType
from typing import Any

import pytest

from maieutic.backends import Diagnosis, LiteLLMBackend, ModelSpec, probe
from maieutic.testing import LoopbackServer, ParsedRequest, faults


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "key-for-tests")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "key-for-tests")


def diagnose(
    model: str = "openai/some-model", settings: Mapping[str, Any] = MappingProxyType({}), **server: Any
) -> Diagnosis:
    async def scenario() -> Diagnosis:
        async with LoopbackServer(**server) as loopback, aclosing(LiteLLMBackend()) as backend:
            base = loopback.base("anthropic" if model.startswith("anthropic") else "openai")
            given = {"structured": "prompt", "timeout": 0.5, **settings}
            return await probe(ModelSpec(model=model, api_base=base, **given), backend)

    return asyncio.run(scenario())


def outcome(found: Diagnosis) -> dict[str, bool | None]:
    return {check.name: check.ok for check in found.checks}


WELL = dict.fromkeys(("reachable", "key", "model", "schema", "logprobs", "streaming", "usage", "samples"), True)
UNTRIED = dict.fromkeys(("schema", "logprobs", "streaming", "usage", "samples"))


@pytest.mark.parametrize("model", ["openai/some-model", "hosted_vllm/some-model"])
def test_an_endpoint_that_can_do_everything_is_well(model: str) -> None:
    found = diagnose(model)
    assert outcome(found) == WELL
    assert found.usable
    assert not any(check.fix for check in found.checks)


def test_an_endpoint_without_log_probabilities_is_usable() -> None:
    found = diagnose("anthropic/claude-sonnet-4-5")
    assert outcome(found) == {**WELL, "logprobs": False, "samples": False}
    assert found.usable


def test_a_schema_that_is_ignored_with_http_200_is_caught() -> None:
    found = diagnose(schema="ignore")
    assert outcome(found) == {**WELL, "schema": False}
    assert found["schema"].detail.startswith("ignored: the schema was accepted")
    assert found["schema"].fix == "set `structured: prompt` for this model"


def test_json_that_does_not_fit_the_schema_is_not_enforcement() -> None:
    found = diagnose(schema="ignore", reply=lambda request: '{"seal": "plain", "count": 1}')
    assert found["schema"].ok is False


def test_a_schema_that_is_refused_is_told_apart() -> None:
    found = diagnose(schema="refuse")
    assert outcome(found) == {**WELL, "schema": False}
    assert found["schema"].detail.startswith("refused: ")


def test_log_probabilities_that_do_not_come_are_missed() -> None:
    assert outcome(diagnose(logprobs=False)) == {**WELL, "logprobs": False}


@pytest.mark.parametrize("choices", ["ignore", "refuse"])
def test_samples_that_do_not_come_together_are_told(choices: str) -> None:
    found = diagnose(choices=choices)
    assert outcome(found) == {**WELL, "samples": False}
    assert found["samples"].detail.startswith("two replies" if choices == "ignore" else "refused: ")


@pytest.mark.parametrize(
    ("model", "given", "server", "settings"),
    [
        ("hosted_vllm/m", {"structured": "auto"}, {}, {}),
        ("hosted_vllm/m", {"structured": "prompt"}, {}, {"structured": "native"}),
        ("hosted_vllm/m", {"structured": "auto"}, {"schema": "ignore"}, {"structured": "prompt"}),
        ("hosted_vllm/m", {"structured": "prompt"}, {"schema": "ignore"}, {}),
        ("openai/m", {"structured": "auto"}, {}, {"structured": "native"}),
        ("openai/m", {"structured": "auto"}, {"schema": "refuse"}, {}),
        ("hosted_vllm/m", {"structured": "native"}, {"logprobs": False}, {"logprobs": "never"}),
        ("hosted_vllm/m", {"structured": "native"}, {"logprobs": "refuse"}, {"logprobs": "never"}),
        ("hosted_vllm/m", {"structured": "native", "logprobs": "never"}, {"logprobs": False}, {}),
        ("hosted_vllm/m", {"structured": "native"}, {"choices": "ignore"}, {"samples": "apart"}),
        ("hosted_vllm/m", {"structured": "native", "samples": "apart"}, {"choices": "ignore"}, {}),
        ("lm_studio/m", {"structured": "native"}, {}, {"samples": "together"}),
        ("lm_studio/m", {"structured": "native"}, {"choices": "ignore"}, {}),
        ("lm_studio/m", {"structured": "native", "seed": 1}, {}, {}),
        ("anthropic/claude-sonnet-4-5", {"structured": "auto"}, {}, {"logprobs": "never"}),
        (
            "hosted_vllm/m",
            {"structured": "auto"},
            {"schema": "ignore", "logprobs": False, "choices": "refuse"},
            {"structured": "prompt", "logprobs": "never", "samples": "apart"},
        ),
    ],
)
def test_what_was_found_leads_to_settings(
    model: str, given: dict[str, Any], server: dict[str, Any], settings: dict[str, str]
) -> None:
    assert diagnose(model, given, **server).settings == settings


def test_with_the_settings_that_it_tells_nothing_is_left_to_set() -> None:
    server = {"schema": "ignore", "logprobs": False, "choices": "refuse"}
    told = diagnose("hosted_vllm/m", {"structured": "auto"}, **server).settings
    assert diagnose("hosted_vllm/m", told, **server).settings == {}


def test_a_reply_in_one_piece_is_no_stream() -> None:
    assert outcome(diagnose(streams=False)) == {**WELL, "streaming": False}


def test_a_stream_without_token_counts_is_told() -> None:
    assert outcome(diagnose(stream_usage=False)) == {**WELL, "usage": False}


def test_a_stream_that_breaks_is_told() -> None:
    found = diagnose(faults=[None, None, None, faults.cut_body()])
    assert outcome(found) == {**WELL, "streaming": False, "usage": None}


def test_a_refused_key_ends_the_probe_with_what_to_do() -> None:
    found = diagnose(keys={"another"})
    assert outcome(found) == {"reachable": True, "key": False, "model": None, **UNTRIED}
    assert not found.usable
    assert "OPENAI_API_KEY" in found["key"].detail


def test_a_missing_key_is_found_without_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    assert outcome(diagnose()) == {"reachable": None, "key": False, "model": None, **UNTRIED}


def test_an_unknown_model_is_told_apart_from_an_unreachable_place() -> None:
    assert outcome(diagnose(models={"other"})) == {"reachable": True, "key": True, "model": False, **UNTRIED}


def test_an_address_where_nobody_listens_is_unreachable() -> None:
    async def scenario() -> Diagnosis:
        async with aclosing(LiteLLMBackend()) as backend:
            return await probe(ModelSpec(model="hosted_vllm/q", api_base="http://127.0.0.1:9/v1"), backend)

    gone = asyncio.run(scenario())
    assert outcome(gone) == {"reachable": False, "key": None, "model": None, **UNTRIED}
    assert "/v1" in gone["reachable"].fix


@pytest.mark.parametrize("fault", [faults.slow(5), faults.drop()], ids=["slow", "dropped"])
def test_an_endpoint_that_does_not_answer_is_unreachable(fault: faults.Fault) -> None:
    assert diagnose(faults=[fault])["reachable"].ok is False


def test_an_overloaded_endpoint_is_not_blamed_on_the_settings() -> None:
    assert diagnose(faults=[faults.status(503)])["model"].fix.startswith("try again later")
    assert diagnose(faults=[faults.status(400)])["model"].fix.startswith("correct the model's settings")


def test_the_schema_probe_never_names_its_schema_in_words() -> None:
    seen: list[ParsedRequest] = []

    def reply(request: ParsedRequest) -> str:
        seen.append(request)
        return "ready"

    diagnose(reply=reply)
    with_schema = [request for request in seen if request.schema is not None]
    assert len(with_schema) == 1
    assert "seal" not in with_schema[0].text


def test_a_provider_that_does_not_exist_is_not_called_reachable() -> None:
    found = diagnose("nosuchprovider/x")
    assert (found["reachable"].ok, found["key"].ok, found["model"].ok) == (None, None, False)
    assert "knows no provider" in found["model"].detail


def vllm(**other: str) -> dict[str, str]:
    models = {"data": [{"id": "qwen", "max_model_len": 4096}]}
    metrics = 'vllm:cache_config_info{block_size="16",enable_prefix_caching="True"} 1.0\n'
    return {"/version": '{"version": "0.33.1"}', "/v1/models": json.dumps(models), "/metrics": metrics, **other}


def test_a_vllm_tells_version_names_context_and_cache() -> None:
    found = diagnose("hosted_vllm/qwen", pages=vllm())
    assert found["version"].detail == "vLLM 0.33.1"
    assert found["serves"].detail == "qwen (4096 tokens)"
    assert found["caching"].detail == "prefixes are kept"
    assert outcome(found) == WELL | dict.fromkeys(("version", "serves", "caching", "metrics"), True)


def test_what_a_vllm_lacks_is_told_with_what_to_change() -> None:
    off = 'vllm:cache_config_info{enable_prefix_caching="False"} 1.0'
    found = diagnose("hosted_vllm/llama", pages=vllm(**{"/metrics": off}))
    assert (found["serves"].ok, found["caching"].ok) == (False, False)
    assert found["serves"].fix == "use one of these names instead of llama"
    assert found["caching"].fix == "start vLLM without --no-enable-prefix-caching"
    named = diagnose("hosted_vllm/llama", models={"qwen"}, pages=vllm())
    assert (named.usable, named.settings) == (False, {"model": "hosted_vllm/qwen"})
    hidden = diagnose("hosted_vllm/qwen", pages={name: text for name, text in vllm().items() if name != "/metrics"})
    assert (hidden["metrics"].ok, hidden["caching"].ok) == (False, None)
    assert "/metrics" in hidden["metrics"].fix


@pytest.mark.parametrize("page", ["", "[]", "{", '{"data": 5}', '{"data": [5, {"id": "qwen"}]}', "null"])
def test_odd_pages_of_a_vllm_are_no_mishap(page: str) -> None:
    found = diagnose("hosted_vllm/qwen", pages=vllm(**{"/v1/models": page, "/metrics": page, "/version": page}))
    assert found.usable


def test_a_probe_fits_the_context() -> None:
    seen: list[ParsedRequest] = []

    def reply(request: ParsedRequest) -> str:
        seen.append(request)
        return "ready"

    short = json.dumps({"data": [{"id": "qwen", "max_model_len": 512}]})
    diagnose("hosted_vllm/qwen", reply=reply, pages=vllm(**{"/v1/models": short}))
    assert {request.max_tokens for request in seen} == {256}
