"""Asking candidates: each reads one sub-query and nothing else, and a failure is something to read, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zlib import crc32

from maieutic.backends.types import LLMReply, LLMRequest
from maieutic.errors import ModelError
from maieutic.memory import Event, Message
from maieutic.protocols.router_r1.outcome import Called, EpisodeFlag
from maieutic.protocols.router_r1.params import RouterR1Params
from maieutic.protocols.router_r1.wording import correction, expert_prompt, information, query_prompt, shortened
from maieutic.protocols.routing.pool import Candidate, Pool
from maieutic.protocols.routing.tags import Route

if TYPE_CHECKING:
    from maieutic.backends.place import Place

__all__ = ["asked", "consult", "environment", "refused"]


async def consult(route: Route, pool: Pool, params: RouterR1Params, round_: int, at: Place) -> Called:
    """What comes of one route; nobody is asked if it is not sound.

    Raises:
        BudgetExceeded, ReplayMiss, UsageError: See maieutic.errors. A model's failure is no error here.
    """
    if not route.sound:
        return refused(route, pool, params, round_)
    candidate = pool.the(route.name)
    came = await _ask(candidate, route.query, params, at)
    common = {"round": round_, "name": candidate.name, "model": candidate.model.model, "query": route.query}
    flags: list[EpisodeFlag] = list(route.flags)
    if isinstance(came, str):
        text = "None"
        if params.on_malformed == "explain":
            text = correction(["call_failed"], name=candidate.name, kind=came)
        return Called(**common, observation=text, flags=[*flags, "call_failed"])
    return _answered(came, candidate, params, common, flags)


def _answered(
    reply: LLMReply, candidate: Candidate, params: RouterR1Params, common: dict[str, Any], flags: list[EpisodeFlag]
) -> Called:
    text, cut = shortened(reply.text.strip(), params.observation_tokens)
    disarmed = params.tags.disarmed(text)
    price = candidate.known_price
    known = price is not None and reply.usage.completion is not None
    cost = price.output * reply.usage.completion if known else None  # type: ignore[union-attr, operator]
    raised: list[tuple[EpisodeFlag, bool]] = [
        ("observation_cut", cut),
        ("tags_in_reply", disarmed != text),
        ("unknown_cost", cost is None),
    ]
    return Called(
        **common,
        reply=reply.text.strip(),
        observation=disarmed,
        prompt=reply.usage.prompt,
        completion=reply.usage.completion,
        usd=reply.usd,
        cost=cost,
        seconds=reply.seconds,
        flags=[*flags, *(flag for flag, is_so in raised if is_so)],
    )


def refused(route: Route, pool: Pool, params: RouterR1Params, round_: int) -> Called:
    """A route that nobody is asked about, and what the router reads instead.

    By the paper's code that is the word None after an unknown name, and nothing after anything else.
    """
    if params.on_malformed == "explain":
        text = correction(route.flags, name=route.name, names=pool.names)
    else:
        text = "None" if route.flags[0] == "unknown_model" else ""
    observation = params.tags.disarmed(text)
    return Called(round=round_, name=route.name, query=route.query, observation=observation, flags=list(route.flags))


async def _ask(candidate: Candidate, query: str, params: RouterR1Params, at: Place) -> LLMReply | str:
    """The candidate's reply, or the kind of its failure.

    A failure is journaled like a reply: a run that is taken up again must read what it read before.
    """
    request = asked(candidate, query, params, at)
    came: list[LLMReply] = []

    async def once() -> str | None:
        try:
            came.append(await at.gateway.complete(request))
        except ModelError as error:
            return error.kind
        return None

    at.emit(Event("asking", request.address.local, {"agent": candidate.name, "verb": "consult"}))
    what = {"model": candidate.model.model, "query": query}
    failed = await at.gateway.effect(at.address / "came", "routed", what, once)
    if failed is not None:
        return str(failed)
    return came[0] if came else await at.gateway.complete(request)


def asked(candidate: Candidate, query: str, params: RouterR1Params, at: Place) -> LLMRequest:
    """The request by which a candidate is asked."""
    model = candidate.priced
    if at.seed and model.seed is None:
        model = model.model_copy(update={"seed": crc32(f"{at.seed}/{candidate.name}".encode())})
    return LLMRequest(
        model=model,
        messages=(
            Message("system", expert_prompt(candidate.name, params.expert_tokens)),
            Message("user", query_prompt(query)),
        ),
        address=at.address / candidate.name,
        temperature=params.expert_temperature,
        max_tokens=params.expert_tokens,
        agent=candidate.name,
    )


def environment(calls: list[Called], params: RouterR1Params) -> str:
    """What the router reads after its routes: a block of information each, with the name if there are several."""
    several = len(calls) > 1
    texts = [f"{call.name}: {call.observation}" if several and call.name else call.observation for call in calls]
    shown = [information(params.tags, text) for call, text in zip(calls, texts, strict=True) if call.observation]
    return "".join(shown).replace("\n\n\n\n", "\n\n")
