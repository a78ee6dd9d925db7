"""From what was typed to what is run: the changed file, its inputs, the run."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from maieutic.cli.options import RunOptions, Talk
from maieutic.errors import UsageError
from maieutic.memory import Emit

if TYPE_CHECKING:
    from maieutic.cli.perform import Act
    from maieutic.graphs import GraphSpec
    from maieutic.runs import Graph, Workspace

__all__ = ["changed", "inputs_for", "launch"]


def changed(spec: GraphSpec, options: RunOptions, *, models: Mapping[str, str] | None = None) -> GraphSpec:
    """The file with --model, --set and --budget applied.

    Raises:
        UsageError, GraphFileError: Something named is not there, or does not fit.
    """
    from maieutic.runs import limits_from_text, override, value_from_text

    settings = {path: value_from_text(text) for path, text in options.settings}
    limits = limits_from_text(options.budget, spec.limits) if options.budget else None
    if not (models or settings or limits):
        return spec
    return override(spec, models=models, settings=settings, limits=limits)


def inputs_for(graph: Graph, given: tuple[tuple[str, str], ...], question: str | None = None) -> dict[str, Any]:
    """The inputs as the graph's declared types have them; missing ones are asked for, if somebody is there.

    Args:
        graph: Whose inputs.
        given: As typed after -i.
        question: The question, word for word, if it was typed as an argument.

    Raises:
        UsageError: An input is unknown, twice there or a file cannot be read, or one is missing and nobody is there.
    """
    inputs = {name: _value(graph, name, text) for name, text in given}
    if question is not None:
        if "question" in inputs:
            raise UsageError(
                f"There are two questions: {question!r}, and the one of -i question=…; leave one of them out."
            )
        inputs = {"question": question, **inputs}
    for name in inputs:
        if name not in graph.inputs:
            raise UsageError(
                f"-i {name}=…: {graph.name} has no such input; it takes {', '.join(graph.inputs) or 'none'}"
            )
    missing = [name for name, needed in graph.inputs.items() if needed and name not in inputs]
    if missing and not (sys.stdin.isatty() and sys.stderr.isatty()):
        lines = "".join(f"\n  -i {name}=…   {_about(graph, name)}" for name in missing)
        raise UsageError(f"{graph.name} needs {'an input' if len(missing) == 1 else 'inputs'}:{lines}")
    for name in missing:
        about = _about(graph, name)
        inputs[name] = _value(graph, name, click.prompt(f"{name} ({about})" if about else name, err=True))
    return inputs


def _about(graph: Graph, name: str) -> str:
    declared = graph.spec.state.get(name)
    if declared is None:
        return ""
    kind = declared.type if isinstance(declared.type, str) else " | ".join(declared.type)
    return f"{kind}: {declared.description}" if declared.description else kind


def _value(graph: Graph, name: str, text: str) -> Any:
    from maieutic.runs import value_from_text

    if text.startswith("@"):
        try:
            text = Path(text[1:]).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"-i {name}={text}: the file cannot be read: {error}") from error
    declared = graph.spec.state.get(name)
    wordy = name in ("question", "topic") if declared is None else declared.type in ("str", "str?")
    return text if wordy else value_from_text(text)


def launch(
    graph: Graph,
    inputs: Mapping[str, Any],
    options: RunOptions,
    talk: Talk,
    *,
    also: Sequence[Emit] = (),
    reasons: bool = False,
    going_on: str = "",
) -> NoReturn:
    """Run a graph as the options say: for real, from a cassette, or not at all (--dry-run).

    Args:
        graph, inputs: What is run.
        options, talk: What was typed.
        also: Others who are told of every event.
        reasons: Whether it is told why a speaker did what it did, where that is known.
        going_on: Options with which the run is to be resumed.
    """
    from maieutic.cli.people import people_in
    from maieutic.cli.perform import Performance, perform
    from maieutic.cli.scene import headline
    from maieutic.runs.program import simulated
    from maieutic.runs.result import new_id

    if options.dry_run:
        _dry_run(graph, options)
    if options.record:
        _check_folder(options.record)
    run_id = new_id()
    seats = people_in(graph)
    perform(
        Performance(
            _act(graph, inputs, options, run_id),
            replace(headline(graph.spec, inputs, simulated=simulated(graph)), reasons=reasons),
            run_id,
            talk,
            store=None if options.replay else options.store,
            as_json=options.as_json,
            pace=options.pace,
            record=options.record,
            offline=options.offline,
            cache=options.cache,
            seat=seats[0] if len(seats) == 1 else None,
            also=also,
            going_on=going_on,
        )
    )


def _act(graph: Graph, inputs: Mapping[str, Any], options: RunOptions, run_id: str) -> Act:
    """The run, with the models or with a cassette in their place."""
    seed = options.seed if options.seed is not None else graph.spec.seed or 0

    async def act(workspace: Workspace, told: dict[str, Any]) -> Mapping[str, Any]:
        if options.replay is None:
            run = await workspace.run(graph, inputs, run_id=run_id, seed=seed, **told)
        else:
            recorded = workspace.journal.import_(options.replay)
            run = await workspace.run(graph, inputs, run_id=recorded, seed=seed, replay="only", **told)
        return run.to_json()

    return act


def _check_folder(cassette: Path) -> None:
    """Make the folder of a cassette, and say now what would go wrong after the run is paid for."""
    import os

    try:
        cassette.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--record {cassette}: the folder cannot be made: {error.strerror or error}") from error
    if not os.access(cassette.parent, os.W_OK):
        raise UsageError(f"--record {cassette}: the folder cannot be written to")


def _dry_run(graph: Graph, options: RunOptions) -> NoReturn:
    import json
    from dataclasses import asdict

    from maieutic.backends import Endpoints
    from maieutic.cli.tables import plan_table
    from maieutic.runs import estimate

    plan = estimate(graph, Endpoints())
    if options.as_json:
        agents = [asdict(agent) for agent in plan.agents]
        whole = {"calls": plan.calls, "tokens": plan.tokens, "usd": plan.usd, "unpriced": plan.unpriced}
        click.echo(json.dumps({"name": graph.name, "agents": agents, **whole}))
    else:
        click.echo(plan_table(graph.name, plan))
    sys.exit(0)
