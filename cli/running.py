"""`maieutic run`, `resume`, `replay`, `fork`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from maieutic.cli.kinds import kind_of
from maieutic.cli.options import Pair, RunOptions, Talk, pass_talk, run_options, watch_options
from maieutic.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maieutic.runs import Workspace

__all__ = ["fork", "replay", "resume", "run"]

_GRAPH_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=_GRAPH_FILE)
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Draw what it came to.")
@run_options
@pass_talk
def run(talk: Talk, /, options: RunOptions, file: Path, plot: Path | None) -> None:
    """Run the graph in FILE.

    \b
      maieutic run tutor.yaml -i question="What is 3/4 + 1/8?"
      maieutic run tutor.yaml -i question=@question.txt --model teacher=openai/gpt-5-mini --budget 0.50
      maieutic run budget.yaml --plot curve.svg

    Inputs that are missing are asked for in a terminal, and are an error in a pipe.
    """
    from maieutic.cli.plotting import drawer
    from maieutic.cli.prepare import changed, inputs_for, launch
    from maieutic.graphs import load_spec
    from maieutic.runs import Graph

    if kind_of(file) == "experiment":
        raise UsageError(f"{file} is an experiment file; run it with: maieutic eval {file}")
    graph = Graph(changed(load_spec(file), options, models=dict(options.model)))
    also = () if plot is None else (drawer(graph, plot),)
    launch(graph, inputs_for(graph, options.given), options, talk, also=also)


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option("--budget", metavar="LIMITS", help='New limits, such as "1.00" or "500k tokens".')
@click.option(
    "--answer", type=Pair(), multiple=True, metavar="ADDRESS=TEXT", help="A person's answer, by the address asked for."
)
@click.option(
    "--save",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Of a lesson: go on keeping what is believed of the student in the file of `maieutic tutor --save`.",
)
@watch_options
@pass_talk
def resume(
    talk: Talk, /, run_id: str, budget: str | None, answer: tuple[tuple[str, str], ...], save: Path | None, **shown: Any
) -> None:
    """Take RUN up where it stopped: what it has is not paid for again.

    RUN is a run's id, the beginning of one, or `last`.
    """
    from maieutic.cli.kept import Keeper, Kept
    from maieutic.cli.recorded import again, recorded
    from maieutic.runs import limits_from_text

    record, definition = recorded(shown["store"], run_id)
    kept = [Keeper(save, Kept.read(save), definition.inputs.get("log") or [], resumed=True)] if save else []
    limits = limits_from_text(budget, definition.program().spec.limits) if budget else None

    async def act(workspace: Workspace, told: dict[str, Any]) -> Mapping[str, Any]:
        return (await workspace.resume(record.id, limits=limits, **told)).to_json()

    going_on = f" --save {save}" if save else ""
    again(act, record, definition, talk, answers=dict(answer), also=kept, going_on=going_on, **shown)


@click.command()
@click.argument("source", metavar="RUN|CASSETTE")
@watch_options
@pass_talk
def replay(talk: Talk, /, source: str, **shown: Any) -> None:
    """Run RUN (or a cassette file) again with its recorded replies; no model is called and nothing is written.

    RUN is a run's id, the beginning of one, or `last`. Exits with 5 if something was not recorded.
    """
    from maieutic.cli.recorded import again, recorded, recorded_on

    cassette = Path(source) if Path(source).is_file() else None
    record, definition = recorded_on(cassette) if cassette else recorded(shown["store"], source)

    async def act(workspace: Workspace, told: dict[str, Any]) -> Mapping[str, Any]:
        name = workspace.journal.import_(cassette) if cassette else record.id
        return (await workspace.replay(name, **told)).to_json()

    if cassette:
        shown["store"] = None
    again(act, record, definition, talk, **shown)


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option("--turn", type=click.IntRange(1), help="The first turn that is spoken anew, from 1.")
@click.option("--node", metavar="ID", help="Of a tree: the node that is spoken anew, with all below it (0.1.2).")
@click.option("-m", "--model", type=Pair(bare="*"), multiple=True, metavar="[WHO=]MODEL", help="Another model.")
@click.option("--set", "settings", type=Pair(), multiple=True, metavar="PATH=VALUE", help="Another setting.")
@watch_options
@pass_talk
def fork(
    talk: Talk,
    /,
    run_id: str,
    *,
    turn: int | None,
    node: str | None,
    model: tuple[tuple[str, str], ...],
    settings: tuple[tuple[str, str], ...],
    **shown: Any,
) -> None:
    """Branch off from RUN at a turn or a tree's node, with other models or settings; what was said before stays.

    RUN is a run's id, the beginning of one, or `last`; `maieutic runs show RUN` numbers its turns.
    """
    from maieutic.cli.recorded import again, recorded
    from maieutic.runs import value_from_text
    from maieutic.runs.result import new_id

    if (turn is None) == (node is None):
        raise click.UsageError("Give --turn or --node: where the fork begins.")
    record, definition = recorded(shown["store"], run_id)
    branch = new_id()

    async def act(workspace: Workspace, told: dict[str, Any]) -> Mapping[str, Any]:
        run = await workspace.fork(
            record.id,
            turn=turn,
            node=node,
            models=dict(model),
            settings={path: value_from_text(text) for path, text in settings},
            new_run_id=branch,
            **told,
        )
        return run.to_json()

    again(act, record, definition, talk, run_id=branch, **shown)
