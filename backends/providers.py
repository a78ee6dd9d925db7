"""How LiteLLM's provider descriptions are read: who serves a model, and a call in that provider's own words."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import orjson

from maieutic.backends.failures import Endpoint, failure
from maieutic.backends.families import SELF_HOSTED, SEPARABLE, key_variables
from maieutic.backends.library import library, part
from maieutic.backends.models import ModelSpec
from maieutic.errors import UsageError

__all__ = ["HttpCall", "Target", "prepare", "sends_schema", "target_of", "unlisted_params"]


@dataclass(frozen=True, slots=True)
class Target:
    """A model as LiteLLM sees it.

    Attributes:
        model: The name without the provider.
        provider: LiteLLM's name of the provider.
        api_base: The endpoint's address, or None if LiteLLM finds it.
        key: The key, or None where none is needed or LiteLLM finds other credentials.
        separable: Whether the provider can be called over our own connection.
    """

    model: str
    provider: str
    api_base: str | None
    key: str | None = field(repr=False)
    separable: bool
    endpoint: Endpoint


def target_of(spec: ModelSpec) -> Target:
    """Find out who serves a model, where, and with which key.

    Raises:
        ModelError: "auth" if a key is missing, "bad_request" if LiteLLM knows no such provider.
    """
    model, provider, base = _provider_of(spec.model, spec.api_base)
    variables = key_variables(spec, provider)
    key = next((os.environ[name].strip() for name in variables if os.environ.get(name, "").strip()), None)
    if key is None and spec.api_key is None:
        _, _, key, _ = library().get_llm_provider(spec.model, api_base=spec.api_base)
    base = _base(provider, spec.api_base or base)
    endpoint = Endpoint(spec.model, base or provider, variables, key)
    if key is None and (spec.api_key is not None or (provider in SEPARABLE and provider not in SELF_HOSTED)):
        raise failure(endpoint, "auth", "no API key was found")
    if key is not None and not (key.isascii() and key.isprintable()):
        raise failure(endpoint, "auth", "the API key holds characters that no key has, such as a line break")
    if base is None and provider in SELF_HOSTED:
        raise failure(endpoint, "bad_request", "it is not known where the server is; give the model an `api_base`")
    separable = provider in SEPARABLE and base is not None and not _speaks_responses(model, provider)
    return Target(model, provider, base, key, separable, endpoint)


@lru_cache(maxsize=1024)
def _provider_of(model: str, api_base: str | None) -> tuple[str, str, str | None]:
    """The model's bare name, the provider, and the address. LiteLLM takes half a millisecond to tell."""
    lib = library()
    try:
        name, provider, _, base = lib.get_llm_provider(model, api_base=api_base)
    except lib.exceptions.BadRequestError:
        unknown = Endpoint(model, api_base or "no endpoint", ())
        what = "LiteLLM knows no provider of this name; write provider/model, for example openai/gpt-5-mini"
        raise failure(unknown, "bad_request", what) from None
    return name, provider, base


_BASES: Mapping[str, tuple[tuple[str, ...], str | None]] = {
    "anthropic": (("ANTHROPIC_API_BASE", "ANTHROPIC_BASE_URL"), "https://api.anthropic.com"),
    "gemini": (("GEMINI_API_BASE",), "https://generativelanguage.googleapis.com/v1beta"),
    "hosted_vllm": (("HOSTED_VLLM_API_BASE",), None),
    "openai": (("OPENAI_BASE_URL", "OPENAI_API_BASE"), "https://api.openai.com/v1"),
    "openrouter": (("OPENROUTER_API_BASE",), "https://openrouter.ai/api/v1"),
}


def _base(provider: str, given: str | None) -> str | None:
    """The endpoint's address in the form that LiteLLM completes, whatever the user wrote."""
    if given is None and provider in _BASES:
        variables, usual = _BASES[provider]
        given = next((os.environ[name] for name in variables if os.environ.get(name)), usual)
    if given is None:
        return None
    given = given.rstrip("/")
    return given.removesuffix("/v1/messages").removesuffix("/v1") if provider == "anthropic" else given


@lru_cache(maxsize=1024)
def _speaks_responses(model: str, provider: str) -> bool:
    """Whether LiteLLM would send this model's chats to OpenAI's other interface."""
    if provider != "openai":
        return False
    info, _ = part("main").responses_api_bridge_check(model, provider)
    return bool(info.get("mode") == "responses")


def sends_schema(model: ModelSpec) -> bool:
    """Whether a typed request to this model carries its JSON schema, for the endpoint to enforce.

    For `structured: auto` that is what LiteLLM's table says, and yes for a self-hosted vLLM; a model LiteLLM does not
    know gets no schema. Simulated and third-party models, which are no business of LiteLLM's, are answered without it.
    """
    if model.structured != "auto":
        return model.structured == "native"
    if model.provider in ("sim", "tiny", "scripted"):
        return False
    return model.provider == "hosted_vllm" or _table_says_schema(model.model)


@lru_cache(maxsize=1024)
def _table_says_schema(model: str) -> bool:
    return bool(library().supports_response_schema(model=model))


@dataclass(frozen=True, slots=True)
class HttpCall:
    """One call in the provider's own words.

    Attributes:
        url, headers, body: What to send; they may hold the key.
        stream: Whether the endpoint was asked for a stream.
        read: Turns a whole body, the same parsed, and the response's headers into LiteLLM's response object.
        read_event: Turns one event of a stream into LiteLLM's chunk object, or None.
    """

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    stream: bool
    read: Callable[[bytes, dict[str, Any], Mapping[str, str]], Any] = field(repr=False)
    read_event: Callable[[dict[str, Any]], Any] = field(repr=False)


class _Silent:
    """What LiteLLM's transforms log to."""

    def __init__(self) -> None:
        self.optional_params: dict[str, Any] = {}
        self.model_call_details: dict[str, Any] = {}

    def pre_call(self, *args: Any, **kwargs: Any) -> None:
        """Log nothing."""

    def post_call(self, *args: Any, **kwargs: Any) -> None:
        """Log nothing."""


def prepare(
    target: Target, messages: list[dict[str, str]], params: Mapping[str, Any], extra: Mapping[str, Any]
) -> HttpCall:
    """Write a call in the provider's format.

    Args:
        target: Who answers; must be separable.
        messages: What it reads, as OpenAI writes messages.
        params: Parameters under OpenAI's names; those the model does not know are dropped.
        extra: Further fields of the body, as the provider names them.
    """
    if not target.separable or target.api_base is None:
        raise UsageError(
            f"{target.endpoint.model}: the provider {target.provider!r} cannot be called over maieutic's own "
            "connection; set the model's `lane` to auto or acompletion"
        )
    optional = _optional_params(target, params)
    json_mode = bool(optional.pop("json_mode", False))
    stream = not optional.pop("fake_stream", False) and bool(params.get("stream"))
    if not stream:
        optional.pop("stream", None)
        optional.pop("stream_options", None)
    optional["extra_body"] = {**optional.get("extra_body", {}), **extra}
    config = _config(target.model, target.provider)
    write = _WRITERS.get(target.provider, _write_openai)
    url, headers, body = write(target, config, messages, optional, stream)
    further = optional.pop("extra_body", {})
    if target.provider != "gemini":  # whose transform merges them, field by field
        body.update(further)
    return HttpCall(
        url,
        headers,
        orjson.dumps(body),
        stream,
        _reader(target, config, messages, optional, json_mode),
        _event_reader(target, config, json_mode) if stream else lambda _: None,
    )


def _optional_params(target: Target, params: Mapping[str, Any]) -> dict[str, Any]:
    asked = orjson.dumps(params, option=orjson.OPT_SORT_KEYS)
    optional: dict[str, Any] = orjson.loads(_mapped_params(target.model, target.provider, asked))
    return optional


@lru_cache(maxsize=1024)
def _mapped_params(model: str, provider: str, params: bytes) -> bytes:
    """Parameters under the provider's names, as JSON: LiteLLM takes long to map them."""
    optional = library().utils.get_optional_params(
        model=model,
        custom_llm_provider=provider,
        drop_params=True,
        allowed_openai_params=unlisted_params(provider),
        **orjson.loads(params),
    )
    return orjson.dumps(optional)


def unlisted_params(provider: str) -> list[str] | None:
    """Parameters that LiteLLM maps for this provider, but forgets to list."""
    return ["top_logprobs"] if provider == "gemini" else None


@lru_cache(maxsize=1024)
def _config(model: str, provider: str) -> Any:
    """LiteLLM's description of the provider; it keeps nothing of a call."""
    manager = library().utils.ProviderConfigManager
    return manager.get_provider_chat_config(model, library().LlmProviders(provider))


_Written = tuple[str, Mapping[str, str], dict[str, Any]]


def _write_openai(
    target: Target, config: Any, messages: list[dict[str, str]], optional: dict[str, Any], stream: bool
) -> _Written:
    place = {"model": target.model, "optional_params": optional, "litellm_params": {"api_base": target.api_base}}
    headers = config.validate_environment(
        headers={}, messages=messages, api_key=target.key, api_base=target.api_base, **place
    )
    url = config.get_complete_url(api_base=target.api_base, api_key=target.key, stream=stream, **place)
    body = config.transform_request(messages=messages, headers=headers, **place)
    if stream:
        body["stream"] = True
    body.pop("extra_body", None)
    return url, headers, body


def _write_anthropic(
    target: Target, config: Any, messages: list[dict[str, str]], optional: dict[str, Any], stream: bool
) -> _Written:
    optional.pop("stream", None)
    place = {"model": target.model, "messages": messages, "litellm_params": {}}
    asked = {**optional, "is_vertex_request": False}
    headers = config.validate_environment(
        headers={}, api_key=target.key, api_base=target.api_base, optional_params=asked, **place
    )
    body = config.transform_request(headers=headers, optional_params=asked, **place)
    headers, body = part("anthropic_beta_headers_manager").update_request_with_filtered_beta(
        headers=headers, request_data=body, provider=target.provider
    )
    body.pop("extra_body", None)
    if stream:
        body["stream"] = True
    return f"{target.api_base}/v1/messages", headers, body


def _write_gemini(
    target: Target, config: Any, messages: list[dict[str, str]], optional: dict[str, Any], stream: bool
) -> _Written:
    optional.pop("stream", None)
    gemini = part("llms.vertex_ai.gemini.transformation")
    body = gemini.transform_request_body(
        messages=messages,
        model=target.model,
        optional_params=optional,
        custom_llm_provider="gemini",
        litellm_params={},
        cached_content=None,
    )
    verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
    headers = {"Content-Type": "application/json", "x-goog-api-key": target.key or ""}
    return f"{target.api_base}/models/{target.model}:{verb}", headers, dict(body)


_WRITERS: Mapping[str, Callable[[Target, Any, list[dict[str, str]], dict[str, Any], bool], _Written]] = {
    "anthropic": _write_anthropic,
    "gemini": _write_gemini,
}


class _Response:
    """As much of an httpx response as LiteLLM's transforms look at, around a body that is parsed already."""

    status_code = 200

    def __init__(self, body: bytes, parsed: dict[str, Any], headers: Mapping[str, str]) -> None:
        self.content = body
        self.headers = headers
        self._parsed = parsed

    @property
    def text(self) -> str:
        """The body."""
        return self.content.decode(errors="replace")

    def json(self) -> dict[str, Any]:
        """The body, parsed."""
        return self._parsed


def _reader(
    target: Target, config: Any, messages: list[dict[str, str]], optional: dict[str, Any], json_mode: bool
) -> Callable[[bytes, dict[str, Any], Mapping[str, str]], Any]:
    def read(body: bytes, parsed: dict[str, Any], headers: Mapping[str, str]) -> Any:
        return config.transform_response(
            model=target.model,
            raw_response=_Response(body, parsed, headers),
            model_response=library().ModelResponse(),
            logging_obj=_Silent(),
            request_data={},
            messages=messages,
            optional_params=optional,
            litellm_params={},
            encoding=None,
            json_mode=json_mode,
        )

    return read


def _event_reader(target: Target, config: Any, json_mode: bool) -> Callable[[dict[str, Any]], Any]:
    common: dict[str, Any] = {"streaming_response": iter(()), "sync_stream": True}
    if target.provider == "gemini":
        module = "llms.vertex_ai.gemini.vertex_and_google_ai_studio_gemini"
        iterator = part(module).ModelResponseIterator(logging_obj=_Silent(), **common)
        return _only_told_finish(iterator.chunk_parser)
    if target.provider == "anthropic":
        module = "llms.anthropic.chat.handler"
        iterator = part(module).ModelResponseIterator(json_mode=json_mode, **common)
    else:
        iterator = config.get_model_response_iterator(json_mode=json_mode, **common)
    read: Callable[[dict[str, Any]], Any] = iterator.chunk_parser
    return read


def _only_told_finish(read: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    """Gemini's events, without the finish that LiteLLM adds to those that have none: it would hide a cut stream."""

    def read_event(event: dict[str, Any]) -> Any:
        chunk = read(event)
        if chunk is not None and not any("finishReason" in c for c in event.get("candidates") or ()):
            for choice in chunk.choices:
                choice.finish_reason = None
        return chunk

    return read_event
