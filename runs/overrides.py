"""Changing a graph file's settings from outside: `--model`, `--set`, `--budget`."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from maieutic.errors import UsageError
from maieutic.graphs import GraphSpec
from maieutic.graphs.load import load_text
from maieutic.graphs.spec import Limits, count

__all__ = ["limits_from_text", "override", "value_from_text"]


def override(
    spec: GraphSpec,
    *,
    models: Mapping[str, str | Mapping[str, Any]] | None = None,
    settings: Mapping[str, Any] | None = None,
    limits: Limits | None = None,
) -> GraphSpec:
    """The same spec with other models, settings and limits, checked again as a whole.

    Args:
        spec: What to change.
        models: A LiteLLM model string (or a model with settings, as under `models`) by agent, role or name under
            `models`; "*" is every agent. An agent's own wins over its role's, and that over "*".
        settings: New values by dotted path: "with.rounds", "models.strong.temperature", "limits.usd", "seed".
        limits: Limits that replace those of the file; `settings` can change them again.

    Raises:
        UsageError: A name or path is unknown.
        GraphFileError: The changed file is not valid.
    """
    raw = spec.model_dump(mode="json", by_alias=True, exclude_unset=True)
    for who, model in sorted((models or {}).items(), key=lambda pair: (pair[0] in spec.agents, pair[0] != "*")):
        _set_model(raw, who, model)
    if limits is not None:
        raw["limits"] = limits.model_dump(mode="json", exclude_unset=True)
    for path, value in (settings or {}).items():
        _set(raw, path, value)
    text = StringIO()
    YAML().dump(raw, text)
    return load_text(text.getvalue(), f"{spec.origin.file} (changed)", home=spec.origin.home)


def _set_model(raw: dict[str, Any], who: str, model: str | Mapping[str, Any]) -> None:
    told = {"model": model} if isinstance(model, str) else dict(model)
    if who in raw.get("models", {}) and who not in raw.get("agents", {}):
        raw["models"][who] = told
        return
    agents: dict[str, Any] = raw.get("agents", {})
    chosen = [n for n, a in agents.items() if who in ("*", n, a.get("role", "agent")) and a.get("role") != "person"]
    if not chosen:
        known = sorted({*agents, *(a.get("role", "agent") for a in agents.values()), *raw.get("models", {})})
        raise UsageError(f"--model {who}=…: no agent, role or model is called {who!r}; there are: {', '.join(known)}")
    for name in chosen:
        raw["models"][f"{name}_model"] = dict(told)
        agents[name]["model"] = f"{name}_model"
    used = {name for a in agents.values() for name in _named(a.get("model"))} | {
        raw.get("limits", {}).get("degrade_to")
    }
    raw["models"] = {n: m for n, m in raw["models"].items() if n in used}


def _named(model: Any) -> list[Any]:
    """The names under `models` that an agent's model has: its own, or those of its router's pool."""
    pool = model.get("pool") if isinstance(model, dict) else [model]
    return pool if isinstance(pool, list) else []


def _set(raw: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    here: Any = raw
    for depth, step in enumerate(parents):
        if not isinstance(here, dict):
            raise UsageError(f"--set {path}: {'.'.join(parents[:depth])} holds no settings")
        if step not in here and depth == 0 and step not in GraphSpec.model_fields and step != "with":
            raise UsageError(f"--set {path}: there is no {step!r}{_meant(step, [*GraphSpec.model_fields, 'with'])}")
        if step in here or depth == 0 or parents[0] == "with":
            here = here.setdefault(step, {})
        else:
            raise UsageError(f"--set {path}: there is no {step!r} in {'.'.join(parents[:depth])}{_meant(step, here)}")
    if not isinstance(here, dict):
        raise UsageError(f"--set {path}: {'.'.join(parents)} holds no settings")
    here[last] = value


def _meant(word: str, known: Any) -> str:
    close = get_close_matches(word, list(known), 1)
    return f"; did you mean {close[0]!r}?" if close else f"; there are: {', '.join(sorted(map(str, known)))}"


def value_from_text(text: str) -> Any:
    """What a value typed on a command line means: YAML, so that 3 is a number, [a, b] a list, and most text itself."""
    try:
        return YAML(typ="safe", pure=True).load(text) if text.strip() else text
    except YAMLError:
        return text


def limits_from_text(text: str, base: Limits) -> Limits:
    """Limits as typed after `--budget`: "0.50" (US dollars), "200k tokens", "100 calls", "60s", "50 steps".

    Several are joined by commas.

    Raises:
        UsageError: It cannot be read.
    """
    found: dict[str, Any] = {}
    for part in text.split(","):
        amount = part.strip().lower().removeprefix("$")
        for unit, name in _UNITS.items():
            if amount.endswith(unit):
                amount, key = amount.removesuffix(unit).strip(), name
                break
        else:
            key = "usd"
        try:
            found[key] = float(amount) if key in ("usd", "seconds") else count(amount)
            base = base.model_copy(update=Limits.model_validate({key: found[key]}).model_dump(include={key}))
        except ValueError as error:
            raise UsageError(
                f"--budget {text!r}: {part.strip()!r} is not a limit; write 0.50 (US dollars), 200k tokens, 100 calls, "
                "60s or 50 steps, several joined by commas"
            ) from error
    return Limits.model_validate({**base.model_dump(exclude_unset=True), **found})


_UNITS = {unit: unit for unit in ("usd", "tokens", "calls", "steps", "seconds")} | {"$": "usd", "s": "seconds"}
