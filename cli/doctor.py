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
@click.option("--endpoint", metavar="NAME", help="Of a file's models only this one.")
@json_option
@talk_options
def doctor(targets: tuple[str, ...], api_base: str | None, endpoint: str | None, as_json: bool) -> None:
    """Try models with a few short calls: reachable, key, schema, log-probabilities, streaming, samples.

    \b
      maieutic doctor openai/gpt-5-mini
      maieutic doctor hosted_vllm/Qwen3-4B --api-base http://localhost:8000/v1
      maieutic doctor tutor.yaml                  all models of a graph file
      maieutic doctor tutor.yaml --endpoint local the one that the file calls local
      maieutic doctor                             what is installed, and which keys are there

    Exits with 1 if a model cannot be used.
    """
    if not targets:
        _installation(as_json=as_json)
        return
    models = _models(targets, api_base, endpoint)
    found = asyncio.run(_probe(models))
    if as_json:
        from dataclasses import asdict

        told = [{"name": name, **asdict(one), "usable": one.usable} for name, one in found.items()]
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        for name, one in found.items():
            _show(name, one)
    sys.exit(0 if all(one.usable for one in found.values()) else 1)


def _models(targets: tuple[str, ...], api_base: str | None, endpoint: str | None) -> dict[str, ModelSpec]:
    """The models to try, by the name under which they are shown; each replica by itself."""
    from maieutic.backends import ModelSpec
    from maieutic.errors import UsageError

    models: dict[str, ModelSpec] = {}
    for target in targets:
        if _is_file(target):
            from maieutic.files.problems import did_you_mean
            from maieutic.graphs import load_spec

            if not Path(target).is_file():
                raise UsageError(f"There is no file {target}.")
            named = load_spec(Path(target)).models
            if endpoint is not None and endpoint not in named:
                hint = did_you_mean(endpoint, named)
                raise UsageError(f"{target} has no model {endpoint!r}{f'; {hint}' if hint else ''}")
            chosen = named if endpoint is None else {endpoint: named[endpoint]}
            models |= {f"{name} ({spec.model})": spec for name, spec in chosen.items()}
        else:
            models[target] = ModelSpec(model=target, api_base=api_base)
    if endpoint is not None and not any(map(_is_file, targets)):
        raise UsageError("--endpoint names a model of a graph file: maieutic doctor FILE --endpoint NAME")
    return {
        shown: one for name, spec in models.items() if spec.provider != "person" for shown, one in _each(name, spec)
    }


def _is_file(target: str) -> bool:
    """Whether a graph file is meant, and not a model."""
    return target.endswith((".yaml", ".yml")) or Path(target).is_file()


def _each(name: str, spec: ModelSpec) -> list[tuple[str, ModelSpec]]:
    """The model, or each of its replicas."""
    if not spec.replicas:
        return [(name, spec)]
    return [(f"{name} at {at}", spec.model_copy(update={"api_base": at, "replicas": ()})) for at in spec.replicas]


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
    if found.settings:
        told = ", ".join(f"{name}: {value}" for name, value in found.settings.items())
        click.echo(f"  {click.style('→', bold=True)}   {'set':<10} {{{told}}}")


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
