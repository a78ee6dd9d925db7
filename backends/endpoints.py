"""Where models are reached: the backend of each provider, and one limiter and circuit breaker per endpoint."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self, cast

from maieutic.backends.breaker import Breaker
from maieutic.backends.layers import Layer, marked
from maieutic.backends.limiter import Limiter
from maieutic.backends.models import ModelSpec, Price
from maieutic.backends.replicas import Health
from maieutic.backends.structured import instructed
from maieutic.backends.types import Backend, LLMReply, LLMRequest, TextSink
from maieutic.errors import UsageError

__all__ = ["ENTRY_POINTS", "Endpoint", "Endpoints", "dispatching", "limited", "readied"]

ENTRY_POINTS = "maieutic.backends"
"""Entry-point group of third-party backends: the name is a provider prefix, the value makes a backend when called."""

OFFLINE = frozenset({"sim", "scripted", "person", "tiny"})
"""Provider prefixes that need no network."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What all calls to one address with one key share."""

    limiter: Limiter
    breaker: Breaker


class Endpoints:
    """The backends and endpoints that the runs of one host share. Nothing of it is process-wide; close it when done.

    The limits it keeps belong to one event loop at a time: give each thread that runs a loop its own.

    Args:
        backends: Backends by provider prefix ("openai", "sim", …), before all others; "" is for bare model names.
            Without one: "sim", "tiny" and "person" are built in, then come entry points of the group
            `maieutic.backends`, then LiteLLM, each made when first needed.
        clock: Seconds, monotonic.
        sleep: How to wait.
    """

    def __init__(
        self,
        backends: Mapping[str, Backend] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.health = Health(clock=clock)
        self.clock = clock
        self.sleep = sleep
        self._backends: dict[str, Backend] = dict(backends or {})
        self._litellm: Backend | None = None
        self._endpoints: dict[tuple[str, str | None, str | None], Endpoint] = {}
        self._begun = 0
        self._alone: set[Hashable] = set()

    def begun(self) -> int:
        """Note that a dialogue begins, and tell its age: how many began here before it.

        Calls of a dialogue that began earlier are answered first where calls have to wait.
        """
        self._begun += 1
        return self._begun - 1

    def backend(self, model: ModelSpec) -> Backend:
        """The backend that answers for this model.

        Raises:
            UsageError: The model is scripted and no script was given.
        """
        backend = self._backends.get(model.provider)
        if backend is None:
            backend = self._backends[model.provider] = self._made(model)
        return backend

    def endpoint(self, model: ModelSpec) -> Endpoint:
        """The limiter and the breaker of this model's endpoint, shared by all models with the same address and key.

        Of models that share one but differ in `max_concurrency`, the smallest number holds for all, from the first call
        of that model on.
        """
        address = model.api_base.rstrip("/") if model.api_base else None
        # A bare name ("gpt-5-mini") does not tell its provider before LiteLLM is there: it stands for itself.
        key = (model.provider or model.model, address, model.api_key.secret if model.api_key else None)
        endpoint = self._endpoints.get(key)
        if endpoint is None:
            name = model.api_base or model.provider or model.model
            endpoint = self._endpoints[key] = Endpoint(
                Limiter(model.max_concurrency, clock=self.clock, sleep=self.sleep), Breaker(name, clock=self.clock)
            )
        if model.max_concurrency < endpoint.limiter.maximum:
            endpoint.limiter.narrow(model.max_concurrency)
        return endpoint

    def limiters(self, models: Iterable[ModelSpec]) -> list[Limiter]:
        """Those of the endpoints of these models, replicas included, each once; persons have none."""
        addresses = [
            model.model_copy(update={"api_base": address}) if model.replicas else model
            for model in models
            for address in model.replicas or (model.api_base,)
            if model.provider != "person"
        ]
        found = [self.endpoint(model).limiter for model in addresses]
        return list({id(limiter): limiter for limiter in found}.values())

    def price(self, model: ModelSpec) -> Price | None:
        """What the model costs, by its own settings or as its backend knows; None if unknown."""
        if model.price is not None:
            return model.price
        told = getattr(self.backend(model), "price", None)
        return cast("Price | None", told(model)) if told is not None else None

    def sends_schema(self, model: ModelSpec) -> bool:
        """Whether the model's backend is trusted to make a typed reply fit by itself, without words in the prompt."""
        told = getattr(self.backend(model), "sends_schema", None)
        return bool(told(model)) if told is not None else model.structured != "prompt"

    def shares(self, model: ModelSpec) -> bool:
        """Whether several samples of a request to this model are asked for in one: as its backend knows, else not."""
        told = getattr(self.backend(model), "shares", None)
        return told is not None and _place(model) not in self._alone and bool(told(model))

    def alone(self, model: ModelSpec) -> None:
        """Note that this model's endpoint gives one reply to a request, however many are asked for."""
        self._alone.add(_place(model))

    async def aclose(self) -> None:
        """Release the connections of all backends; the first error is raised after all were closed."""
        errors: list[Exception] = []
        for backend in {id(b): b for b in (*self._backends.values(), self._litellm) if b is not None}.values():
            try:
                await backend.aclose()
            except Exception as error:
                errors.append(error)
        if errors:
            raise errors[0]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self.aclose()
        except UsageError:
            if error is None:  # lines left in a script would hide what really went wrong
                raise

    def _made(self, model: ModelSpec) -> Backend:
        match model.provider:
            case "sim":
                from maieutic.backends.sim import SimBackend

                return SimBackend()
            case "tiny":
                from maieutic.backends.tiny import TinyBackend

                return TinyBackend()
            case "person":
                from maieutic.backends.person import PersonBackend

                return PersonBackend()
            case "scripted":
                raise UsageError(
                    f"The model {model.model!r} has no script. Give one: "
                    'Endpoints({"scripted": ScriptedModel(["first line", "second line"])}).'
                )
        return _plugged_in(model.provider) or self._by_litellm()

    def _by_litellm(self) -> Backend:
        if self._litellm is None:
            from maieutic.backends.litellm_backend import LiteLLMBackend

            self._litellm = LiteLLMBackend()
        return self._litellm


def _plugged_in(provider: str) -> Backend | None:
    from importlib.metadata import entry_points

    for entry in entry_points(group=ENTRY_POINTS, name=provider):
        return cast("Backend", entry.load()())
    return None


def _place(model: ModelSpec) -> Hashable:
    return model.model, model.api_base, model.replicas


def limited(inner: Layer, endpoints: Endpoints, age: int) -> Layer:
    """Keep each attempt within its endpoint's limits, and away from an endpoint that is down.

    Args:
        inner: What makes an attempt.
        endpoints: Those of the host.
        age: The run's (see `Endpoints.begun`).
    """

    async def attempt(request: LLMRequest, on_text: TextSink | None = None) -> LLMReply:
        endpoint = endpoints.endpoint(request.model)
        async with endpoint.limiter.slot(age):
            with endpoint.breaker.watch():
                return await inner(request, on_text)

    return attempt


def readied(inner: Layer, endpoints: Endpoints) -> Layer:
    """Let a backend get ready before anything is asked of it, its prices included.

    LiteLLM takes seconds to import; a backend with a coroutine `ready` does such things in a thread, so that neither
    other calls nor a cancellation have to wait.
    """

    async def ask(request: LLMRequest, on_text: TextSink | None = None) -> LLMReply:
        ready = getattr(endpoints.backend(request.model), "ready", None)
        if ready is not None:
            await ready()
        return await inner(request, on_text)

    return ask


def dispatching(endpoints: Endpoints, *, offline: bool) -> Layer:
    """The innermost layer: ask the model's backend, with the schema in words where the endpoint takes none."""

    async def ask(request: LLMRequest, on_text: TextSink | None = None) -> LLMReply:
        if offline and (request.model.provider not in OFFLINE or request.model.api_base or request.model.replicas):
            raise UsageError(
                f"{request.model.model!r} (asked by {request.agent or 'nobody in particular'} at {request.address}) "
                "needs the network, and this run is offline. Use a simulated mind instead (sim/debater, …), or leave "
                "out `--offline` (`offline=False`)."
            )
        backend = endpoints.backend(request.model)
        if request.output is None:
            return await backend.complete(request, on_text)
        sent = endpoints.sends_schema(request.model)
        reply = await backend.complete(request if sent else instructed(request, request.output), on_text)
        return marked(reply, structure="native" if sent else "unwrapped")

    return ask
