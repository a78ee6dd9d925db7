"""A debate as typed on a command line, written as the graph file that says the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from maieutic.errors import UsageError

__all__ = ["NAMES", "DebateFile", "Default", "default_model"]

NAMES = ("Ada", "Bo", "Cy", "Di", "Ed", "Flo", "Gus", "Hal", "Ivy", "Jo")

_KEYS = {
    "OPENAI_API_KEY": "openai/gpt-5-mini",
    "ANTHROPIC_API_KEY": "anthropic/claude-haiku-4-5",
    "GEMINI_API_KEY": "gemini/gemini-2.5-flash",
    "MISTRAL_API_KEY": "mistral/mistral-small-latest",
    "GROQ_API_KEY": "groq/llama-3.3-70b-versatile",
    "DEEPSEEK_API_KEY": "deepseek/deepseek-chat",
    "OPENROUTER_API_KEY": "openrouter/openai/gpt-5-mini",
}
"""Which small model debates when only a provider's key is there and no model is named."""


LEANS = (1.0, -1.0, 0.0)
"""Where simulated debaters lean before any argument (see MindParams.lean): apart, for a debate needs two sides."""


@dataclass(frozen=True, slots=True)
class Default:
    """The model that is used where none is named.

    Attributes:
        model: A LiteLLM string, or None for simulated minds.
        why: One line for the user.
    """

    model: str | None
    why: str


def default_model(environment: Mapping[str, str], *, offline: bool, doing: str = "debate") -> Default:
    """The model for agents without one: MAIEUTIC_MODEL, else a small one of a provider whose key is there, or none.

    Args:
        environment: The environment's variables.
        offline: Whether simulated minds are wanted.
        doing: What the models do, for the message.
    """
    if offline:
        return Default(None, f"Offline: simulated minds {doing}, not a language model.")
    if named := environment.get("MAIEUTIC_MODEL"):
        return Default(named, f"MAIEUTIC_MODEL is set: {named} will {doing}.")
    for key, model in _KEYS.items():
        if environment.get(key):
            return Default(model, f"{key} is set: {model} will {doing}. Another: --model NAME; simulated: --offline")
    return Default(None, f"No API key set: simulated minds {doing}. A real model: --model openai/gpt-5-mini")


@dataclass(frozen=True, slots=True)
class DebateFile:
    """Who debates and how; `text` is the file.

    Attributes:
        debaters: How many debaters, from 2.
        judge: Whether there is a judge.
        jury: How many jurors.
        params: Parameters of the debate (see DebateParams), but for the cast.
    """

    debaters: int = 2
    judge: bool = True
    jury: int = 0
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def seats(self) -> list[str]:
        """Names of the debaters."""
        more = (f"Debater{n}" for n in range(len(NAMES) + 1, self.debaters + 1))
        return [*NAMES[: self.debaters], *more]

    @property
    def jurors(self) -> list[str]:
        """Names of the jurors."""
        return [f"Juror{n}" for n in range(1, self.jury + 1)]

    def raw(self, models: Mapping[str, str], default: str | None, *, seed: int = 0) -> dict[str, Any]:
        """The file as plain data.

        Args:
            models: Models by agent, by role, or under "*" for all.
            default: The model where none is named; None takes simulated minds, each with a seed of its own.
            seed: Of the simulated minds: another seed, other minds.

        Raises:
            UsageError: `models` names nobody who takes part.
        """
        roles = {**dict.fromkeys(self.seats, "debater"), **dict.fromkeys(self._bench, "judge")}
        if unknown := [who for who in models if who not in {"*", *roles, *roles.values()}]:
            known = ", ".join(dict.fromkeys((*roles.values(), *roles)))
            raise UsageError(f"--model {unknown[0]}=…: nobody here is called {unknown[0]!r}; there are: {known}")
        named: dict[str, dict[str, Any]] = {}
        agents = {}
        for number, (name, role) in enumerate(roles.items(), 1):
            chosen = models.get(name) or models.get(role) or models.get("*") or default
            spec = {"model": chosen} if chosen else _simulated(role, number, seed)
            agents[name] = {"role": role, "model": _entry(named, name.lower(), spec)}
        cast: dict[str, Any] = {"debaters": self.seats}
        if self.judge:
            cast["judge"] = "Judge"
        if self.jurors:
            cast["jury"] = self.jurors
        with_ = {**cast, **self.params}
        return {"version": 1, "name": "debate", "models": named, "agents": agents, "use": "debate", "with": with_}

    @property
    def _bench(self) -> Sequence[str]:
        return [*(["Judge"] if self.judge else []), *self.jurors]


def _simulated(role: str, number: int, seed: int) -> dict[str, Any]:
    """A simulated mind unlike the others."""
    lean = LEANS[(number - 1) % len(LEANS)] if role == "debater" else 0.0
    return {"model": f"sim/{role}", "seed": 100 * seed + number, **({"lean": lean} if lean else {})}


def _entry(named: dict[str, dict[str, Any]], name: str, spec: dict[str, Any]) -> str:
    """The name of a model in the file; agents with the same model share it."""
    for known, other in named.items():
        if other == spec:
            return known
    named[name] = spec
    return name
