"""What an endpoint really can do, found out by asking it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from pydantic import BaseModel, ValidationError

from maieutic.backends.models import ModelSpec
from maieutic.backends.types import Backend, LLMReply, LLMRequest, TextDelta
from maieutic.backends.vllm import Told, told_by
from maieutic.errors import ModelError
from maieutic.memory.address import Address
from maieutic.memory.transcript import Message

__all__ = ["Check", "Diagnosis", "probe"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was tried.

    Attributes:
        name: "reachable", "key", "model", "schema", "logprobs", "streaming", "usage" or "samples"; of a vLLM also
            "version", "serves", "caching" and "metrics".
        ok: Whether it works; None if it could not be tried.
        detail: What was seen, in one line.
        fix: What to do about it, in one line; empty if nothing.
    """

    name: str
    ok: bool | None
    detail: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What came out for one model.

    Attributes:
        model: The model string.
        checks: In the order they build on one another.
        settings: What to set for the model (see ModelSpec) after what was found, by name; without what it has already.
    """

    model: str
    checks: tuple[Check, ...]
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def usable(self) -> bool:
        """Whether the model answers at all; the rest has ways around it."""
        return all(self[name].ok for name in _ESSENTIAL)

    def __getitem__(self, name: str) -> Check:
        return next(check for check in self.checks if check.name == name)


LONGEST = 1024
"""Most tokens of a probe's reply: a reasoning model thinks first."""

_ESSENTIAL = ("reachable", "key", "model")
_CAPABILITIES = ("schema", "logprobs", "streaming", "usage", "samples")


async def probe(model: ModelSpec, backend: Backend) -> Diagnosis:
    """Try a model with five short requests, without retries.

    Args:
        model: The model. What it says of `structured`, `logprobs` and `samples` is set aside: all are tried.
        backend: What reaches it.

    Nothing is raised for an endpoint that fails; that is the diagnosis.
    """
    told = await _told(model, backend)
    settings = _checks(model, told) if told else ()
    if told and (context := told.contexts.get(model.model.partition("/")[2])):
        # A prompt and the longest reply that is asked for must fit together.
        model = model.model_copy(update={"max_tokens": min(model.max_tokens or LONGEST, context // 2)})
    essential = await _answers(model, backend)
    if not all(check.ok for check in essential):
        untried = (Check(name, None, "not tried: the model does not answer") for name in _CAPABILITIES)
        return Diagnosis(model.model, (*essential, *settings, *untried), _renamed(model, told))
    capabilities = (
        await _schema(model, backend),
        await _logprobs(model, backend),
        *await _streaming(model, backend),
        await _samples(model, backend),
    )
    found = {check.name: check.ok for check in capabilities}
    return Diagnosis(model.model, (*essential, *settings, *capabilities), _settings(model, backend, found))


def _renamed(model: ModelSpec, told: Told | None) -> Mapping[str, str]:
    """The name to set where the server has one model only, under another name."""
    names = list(told.contexts) if told else []
    wrong = len(names) == 1 and names[0] != model.model.partition("/")[2]
    return {"model": f"{model.provider}/{names[0]}"} if wrong else {}


def _settings(model: ModelSpec, backend: Backend, found: Mapping[str, bool | None]) -> Mapping[str, str]:
    """What would otherwise be asked of the endpoint in vain, or is left unused."""
    sends, shares = getattr(backend, "sends_schema", None), getattr(backend, "shares", None)
    settings = {}
    if sends is not None and found["schema"] is not None and found["schema"] != sends(model):
        settings["structured"] = "native" if found["schema"] else "prompt"
    if found["logprobs"] is False and model.logprobs != "never":
        settings["logprobs"] = "never"
    if shares is not None and found["samples"] is False and shares(model):
        settings["samples"] = "apart"
    if shares is not None and found["samples"] and not shares(model) and model.seed is None:
        settings["samples"] = "together"
    return settings


async def _told(model: ModelSpec, backend: Backend) -> Told | None:
    """What a vLLM tells of itself; None of another provider, or where it is not known where to ask."""
    from maieutic.backends.providers import target_of

    if model.provider != "hosted_vllm":
        return None
    ready = getattr(backend, "ready", None)
    if ready is not None:
        await ready()
    try:
        target = target_of(model)
    except ModelError:
        return None
    return await told_by(target.api_base, target.key) if target.api_base else None


def _checks(model: ModelSpec, told: Told) -> Sequence[Check]:
    """The settings of a vLLM that matter for dialogues."""
    if told.version is None and not told.metrics:
        return ()  # another server that speaks its protocol
    name = model.model.partition("/")[2]
    served = ", ".join(f"{each} ({length or '?'} tokens)" for each, length in told.contexts.items())
    metrics = "see that nothing between you and the server hides /metrics; the measurements of a vLLM's cache need it"
    return (
        Check("version", told.version is not None, f"vLLM {told.version}" if told.version else "not told"),
        Check("serves", name in told.contexts, served or "nothing", f"use one of these names instead of {name}"),
        Check("caching", told.caching, _CACHING[told.caching], "start vLLM without --no-enable-prefix-caching"),
        Check("metrics", told.metrics, "told at /metrics" if told.metrics else "not told at /metrics", metrics),
    )


_CACHING = {True: "prefixes are kept", False: "prefixes are not kept: each turn is read anew", None: "not told"}


async def _answers(model: ModelSpec, backend: Backend) -> Sequence[Check]:
    try:
        reply = await backend.complete(_request(model, "Answer with one word: ready"))
    except ModelError as error:
        return _why_not(error)
    return (
        Check("reachable", True, f"answered in {reply.seconds:.2f} s"),
        Check("key", True, "accepted"),
        Check("model", True, f"{reply.model} answered"),
    )


def _why_not(error: ModelError) -> Sequence[Check]:
    told = str(error)
    if error.kind == "auth":
        where = error.status is not None or None
        reached = Check("reachable", where, "it answered" if where else "not tried without a key")
        fix = "set the variable, or name another one with `api_key: {secret: NAME}`"
        return (reached, Check("key", False, told, fix), _untried("model"))
    if error.kind in ("connection", "timeout"):
        fix = "start the server, or correct api_base (for OpenAI-compatible servers it usually ends in /v1)"
        return (Check("reachable", False, told, fix), _untried("key"), _untried("model"))
    if error.status is None and not error.retryable:
        fix = "correct the model string, or say where its server is: api_base in the file, --api-base here"
        return (_untried("reachable"), _untried("key"), Check("model", False, told, fix))
    reached, key = Check("reachable", True, "it answered"), Check("key", True, "not refused")
    if error.kind == "not_found":
        fix = "correct the model's name after the provider prefix, or api_base"
    elif error.retryable:
        fix = "try again later: the endpoint is overloaded or broken"
    else:
        fix = "correct the model's settings, as the message says"
    return (reached, key, Check("model", False, told, fix))


def _untried(name: str) -> Check:
    return Check(name, None, "not tried")


class Enforced(BaseModel):
    """What the schema probe asks for, while its words ask for something else. The value cannot be guessed."""

    seal: Literal["amber-otter-seven"]
    count: int


async def _schema(model: ModelSpec, backend: Backend) -> Check:
    fix = "set `structured: prompt` for this model"
    said = "Answer with the single word plain. Do not write JSON, braces or quotation marks."
    try:
        reply = await backend.complete(_request(model.model_copy(update={"structured": "native"}), said, Enforced))
    except ModelError as error:
        return Check("schema", False, f"refused: {error}", fix)
    try:
        Enforced.model_validate_json(reply.text)
    except ValidationError:
        return Check("schema", False, f"ignored: the schema was accepted, the reply was {_short(reply.text)}", fix)
    return Check("schema", True, "enforced: the schema won over contradicting words")


async def _logprobs(model: ModelSpec, backend: Backend) -> Check:
    fix = "set `logprobs: never`: probabilities of labels are counted over samples, without asking in vain first"
    try:
        reply = await backend.complete(_request(model, "Answer with one word: ready", logprobs=2))
    except ModelError as error:
        return Check("logprobs", False, f"refused: {error}", fix)
    if not reply.logprobs:
        return Check("logprobs", False, "asked for, not given", fix)
    if not any(token.top for token in reply.logprobs):
        return Check("logprobs", False, "given, but without alternatives", fix)
    return Check("logprobs", True, f"given for {len(reply.logprobs)} tokens, with alternatives")


async def _streaming(model: ModelSpec, backend: Backend) -> Sequence[Check]:
    pieces: list[TextDelta] = []
    try:
        reply = await backend.complete(_request(model, "Write the numbers from one to ten in words."), pieces.append)
    except ModelError as error:
        fix = "run without live text (`--quiet` or a pipe)"
        return (Check("streaming", False, str(error), fix), _untried("usage"))
    return (_streamed(pieces), _used(reply))


def _streamed(pieces: Sequence[TextDelta]) -> Check:
    if len(pieces) > 1:
        return Check("streaming", True, f"the reply came in {len(pieces)} pieces")
    return Check("streaming", False, "the reply came in one piece", "none needed: text just appears later")


def _used(reply: LLMReply) -> Check:
    if reply.usage.total is not None:
        return Check("usage", True, f"{reply.usage.total} tokens reported with the stream")
    fix = "token budgets will not see streamed replies of this model: limit calls instead, or run without live text"
    return Check("usage", False, "no token counts came with the stream", fix)


async def _samples(model: ModelSpec, backend: Backend) -> Check:
    if getattr(backend, "shares", None) is None:
        return Check("samples", None, "not tried: samples are asked for one by one here")
    fix = "none needed: samples are asked for one by one, which reads the prompt each time"
    request = replace(_request(model, "Name a colour in one word."), n=2, temperature=1.0)
    try:
        reply = await backend.complete(request)
    except ModelError as error:
        return Check("samples", False, f"refused: {error}", fix)
    if not reply.more:
        return Check("samples", False, "two replies were asked for in one request, one came", fix)
    return Check("samples", True, "two replies to one request")


def _request(
    model: ModelSpec, said: str, output: type[BaseModel] | None = None, *, logprobs: int | None = None
) -> LLMRequest:
    place = Address("doctor")
    message = Message("user", said)
    return LLMRequest(
        model, (message,), place, output=output, logprobs=logprobs, max_tokens=model.max_tokens or LONGEST
    )


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:60]}…")
