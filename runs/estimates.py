"""What a run would take, before it is run: `--dry-run`."""

from __future__ import annotations

from dataclasses import dataclass

from maieutic.backends import Endpoints, ModelSpec
from maieutic.runs.program import Program

__all__ = ["AgentEstimate", "Estimate", "estimate"]

PROMPT_TOKENS = 400
"""Tokens that an agent reads at its first call: system prompt, question, instruction."""
REPLY_TOKENS = 150
"""Tokens of a reply, unless the model's `max_tokens` is less; each reply is read again at the next call."""

_LATER = ModelSpec(model="chosen when it runs")
"""The model of calls that a plan counts under no agent's name: a router chooses it."""


@dataclass(frozen=True, slots=True)
class AgentEstimate:
    """One agent's share.

    Attributes:
        agent, model: Names.
        calls: (fewest, most).
        tokens: (fewest, most), prompt and completion together.
        usd: (least, most) US dollars, or None if the model's price is unknown.
    """

    agent: str
    model: str
    calls: tuple[int, int]
    tokens: tuple[int, int]
    usd: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Estimate:
    """A run's calls, which are known, and its tokens and money, which are guessed from typical lengths.

    Attributes:
        agents: One line an agent.
    """

    agents: tuple[AgentEstimate, ...]

    @property
    def calls(self) -> tuple[int, int]:
        """(fewest, most) calls."""
        return sum(a.calls[0] for a in self.agents), sum(a.calls[1] for a in self.agents)

    @property
    def tokens(self) -> tuple[int, int]:
        """(fewest, most) tokens."""
        return sum(a.tokens[0] for a in self.agents), sum(a.tokens[1] for a in self.agents)

    @property
    def usd(self) -> tuple[float, float]:
        """(least, most) US dollars of the models whose price is known."""
        known = [a.usd for a in self.agents if a.usd is not None]
        return sum(low for low, _ in known), sum(high for _, high in known)

    @property
    def unpriced(self) -> tuple[str, ...]:
        """Models whose price is unknown."""
        return tuple(dict.fromkeys(a.model for a in self.agents if a.usd is None))


def estimate(program: Program, endpoints: Endpoints) -> Estimate:
    """Estimate a program's calls, tokens and money without calling a model.

    An agent's n-th call is taken to read `PROMPT_TOKENS` and n times the replies of everybody, and to write one reply;
    where calls are apart (see CallPlan), to read one reply.
    """
    plan = program.plan()
    speakers = 0 if plan.apart else max(1, len(plan.calls))
    lines = []
    for name, (low, high) in plan.calls.items():
        model = program.cast[name].model if name in program.cast else _LATER
        spent = [_tokens(model, calls, speakers) for calls in (low, high)]
        price = None if model is _LATER or model.provider in ("sim", "person") else endpoints.price(model)
        if model.provider in ("sim", "person"):
            usd: tuple[float, float] | None = (0.0, 0.0)
        else:
            usd = (
                None if price is None else tuple((p * price.input + c * price.output) / 1e6 for p, c in spent)  # type: ignore[assignment]
            )
        lines.append(AgentEstimate(name, model.model, (low, high), (sum(spent[0]), sum(spent[1])), usd))
    return Estimate(tuple(lines))


def _tokens(model: ModelSpec, calls: int, speakers: int) -> tuple[int, int]:
    """(prompt, completion) tokens of so many calls, in a dialogue of so many speakers or, with none, apart."""
    reply = min(model.max_tokens or REPLY_TOKENS, REPLY_TOKENS)
    read = speakers * reply * calls * (calls - 1) // 2 if speakers else calls * reply
    return calls * PROMPT_TOKENS + read, calls * reply
