"""`maieutic doctor`: whether models can be used, and what they can do."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from maieutic.cli.options import json_option, talk_options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maieutic.backends import ModelSpec
    from maieutic.backends.doctor import Diagnosis

__all__ = ["doctor"]

_MARKS = {True: ("ok", "green"), False: ("no", "red"), None: ("--", "yellow")}


@click.command()
@click.argument("targets", nargs=-1, metavar="[MODEL|FILE]…")
@click.option("--api-base", metavar="URL", help="Where the model is reached, if not at its provider.")
@json_option
@talk_options
def doctor(targets: tuple[str, ...], api_base: str | None, as_json: bool) -> None:
    """Try models with a few short calls: reachable, key, schema, log-probabilities, streaming.

    \b
      maieutic doctor openai/gpt-5-mini
      maieutic doctor hosted_vllm/Qwen3-4B --api-base http://localhost:8000/v1
      maieutic doctor tutor.yaml                  all models of a graph file
      maieutic doctor                             what is installed, and which keys are there

    Exits with 1 if a model cannot be used.
    """
    if not targets:
        _installation(as_json=as_json)
        return
    models = _models(targets, api_base)
    found = asyncio.run(_probe(models))
    if as_json:
        from dataclasses import asdict

        told = [{"name": name, **asdict(one), "usable": one.usable} for name, one in found.items()]
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        for name, one in found.items():
            _show(name, one)
    sys.exit(0 if all(one.usable for one in found.values()) else 1)


def _models(targets: tuple[str, ...], api_base: str | None) -> dict[str, ModelSpec]:
    """The models to try, by the name under which they are shown."""
    from maieutic.backends import ModelSpec
    from maieutic.errors import UsageError

    models: dict[str, ModelSpec] = {}
    for target in targets:
        if target.endswith((".yaml", ".yml")) or Path(target).is_file():
            from maieutic.graphs import load_spec

            if not Path(target).is_file():
                raise UsageError(f"There is no file {target}.")
            models |= {f"{name} ({spec.model})": spec for name, spec in load_spec(Path(target)).models.items()}
        else:
            models[target] = ModelSpec(model=target, api_base=api_base)
    people = [name for name, spec in models.items() if spec.provider == "person"]
    return {name: spec for name, spec in models.items() if name not in people}


async def _probe(models: Mapping[str, ModelSpec]) -> dict[str, Diagnosis]:
    from maieutic.backends import Endpoints
    from maieutic.backends.doctor import probe

    async with Endpoints() as endpoints:
        return {name: await probe(spec, endpoints.backend(spec)) for name, spec in models.items()}


def _show(name: str, found: Diagnosis) -> None:
    click.secho(name, bold=True)
    for check in found.checks:
        mark, colour = _MARKS[check.ok]
        click.echo(f"  {click.style(mark, fg=colour)}  {check.name:<10} {check.detail}")
        if check.fix and not check.ok:
            click.echo(f"      {'':<10} → {check.fix}")


def _installation(*, as_json: bool) -> None:
    """What is installed, and which keys are there; no key is shown."""
    import os
    import platform
    from importlib.metadata import PackageNotFoundError, version

    from maieutic.cli.debate_file import default_model

    def installed(package: str) -> str:
        try:
            return version(package)
        except PackageNotFoundError:
            return "missing"

    told: dict[str, Any] = {
        "python": platform.python_version(),
        **{package: installed(package) for package in ("maieutic", "langgraph", "litellm", "pydantic")},
        "keys": sorted(name for name, value in os.environ.items() if name.endswith("_API_KEY") and value),
        "debate": default_model(os.environ, offline=False).why,
    }
    if as_json:
        click.echo(json.dumps(told))
        return
    for name, value in told.items():
        shown = (", ".join(value) or "no *_API_KEY is set") if isinstance(value, list) else value
        click.echo(f"{name:<10} {shown}")
