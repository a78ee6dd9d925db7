"""`maieutic debate`: from a question to a judged outcome."""

from __future__ import annotations

import os
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from maieutic.cli.options import Pair, RunOptions, Talk, pass_talk, run_options

if TYPE_CHECKING:
    from maieutic.graphs import GraphSpec

__all__ = ["debate"]

ORDERS = ("in_turn", "reversed", "alternating", "simultaneous", "random")
RULES = ("judge", "majority", "supermajority", "unanimity", "ranked", "approval", "confidence_weighted")


CONDITIONS = ("agreement", "stable", "judge", "rounds")


def _ways(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> list[str | list[str]]:
    """The ways to end early, as they stand under `stop:`."""
    ways: list[str | list[str]] = []
    for way in value:
        conditions = way.split("+")
        if wrong := [condition for condition in conditions if condition not in CONDITIONS]:
            raise click.BadParameter(f"{wrong[0]!r} is not one of {', '.join(CONDITIONS)}; join several with +")
        ways.append(conditions if len(conditions) > 1 else way)
    return ways


@click.command()
@click.argument("question", required=False)
@click.option(
    "-n", "--debaters", type=click.IntRange(2), default=2, show_default=True, metavar="N", help="How many debate."
)
@click.option("-r", "--rounds", type=click.IntRange(1), default=3, show_default=True, metavar="N", help="Most rounds.")
@click.option("--options", "answers", metavar="A,B,…", help="The possible answers, if they are known.")
@click.option("--stance", type=Pair(), multiple=True, metavar="NAME=ANSWER", help="What a debater must defend.")
@click.option("--persona", type=Pair(), multiple=True, metavar="NAME=TEXT", help="Who an agent is, in a sentence.")
@click.option("--judge/--no-judge", default=None, help="Whether there is a judge (default: unless there is a jury).")
@click.option("--jury", type=click.IntRange(0), default=0, metavar="N", help="Jurors who decide by vote.")
@click.option("--decide", type=click.Choice(RULES), help="How the answer is found (default: judge, jury or majority).")
@click.option("--tie", type=click.Choice(("another_round", "judge", "first", "none")), help="What happens at a tie.")
@click.option("--order", type=click.Choice(ORDERS), default="in_turn", show_default=True, help="Who speaks when.")
@click.option(
    "--first-round",
    type=click.Choice(("blind", "open")),
    default="blind",
    show_default=True,
    help="Whether all speak once before they read the others.",
)
@click.option(
    "--visible",
    type=click.Choice(("all", "last_round", "own_and_last")),
    default="all",
    show_default=True,
    help="How much of the debate a debater reads.",
)
@click.option(
    "--stop",
    multiple=True,
    callback=_ways,
    metavar="WHEN",
    help="End early on: agreement, stable, judge, or several at once (stable+judge). Repeatable.",
)
@click.option(
    "--probes",
    type=click.Choice(("each_round", "ends", "never")),
    default="each_round",
    show_default=True,
    help="When debaters say off the record where they stand; each time is a call.",
)
@click.option("--baseline", is_flag=True, help="Also run self-consistency with as many calls, and report both.")
@click.option("--swap", is_flag=True, help="Run every order of the debaters, and report how the outcome depends on it.")
@click.option(
    "--save", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write the debate as a graph file."
)
@run_options
@pass_talk
def debate(talk: Talk, /, options: RunOptions, question: str | None, **chosen: Any) -> None:
    """Debate QUESTION, and decide.

    \b
      maieutic debate "Should cities ban cars?"
      maieutic debate "Tea or coffee?" -m openai/gpt-5-mini -m judge=gemini/gemini-2.5-flash
      maieutic debate "Is 1 a prime?" --options yes,no -n 3 --no-judge --decide majority
      maieutic debate "Tea or coffee?" -m Bo=person/terminal               (you are Bo)

    Debaters are called Ada, Bo, Cy, …; the judge is called Judge, jurors Juror1, Juror2, …. Without a model named and
    without an API key in the environment, simulated minds debate.
    """
    from maieutic.cli.prepare import changed, inputs_for, launch
    from maieutic.runs import Graph

    spec = changed(_spec(options, chosen, quiet=talk.quiet), options)
    if chosen["save"]:
        _save(spec, chosen["save"])
    graph = Graph(spec)
    inputs = inputs_for(graph, options.given, question)
    if chosen["swap"]:
        from maieutic.cli.swap import swap

        swap(graph, inputs, options, talk)
    launch(graph, inputs, options, talk)


def _spec(options: RunOptions, chosen: dict[str, Any], *, quiet: bool) -> GraphSpec:
    """The graph file that says what was typed."""
    from ruamel.yaml import YAML

    from maieutic.cli.debate_file import DebateFile, default_model
    from maieutic.graphs.load import load_text

    judge = chosen["judge"] if chosen["judge"] is not None else chosen["jury"] == 0
    file = DebateFile(chosen["debaters"], judge, chosen["jury"], _params(chosen))
    models = dict(options.model)
    default = default_model(os.environ, offline=options.offline)
    raw = file.raw(models, default.model, seed=options.seed or 0)
    if "*" not in models and not quiet and any(name not in models for name in raw["agents"]):
        click.secho(default.why, err=True, fg="yellow")
    text = StringIO()
    YAML().dump(raw, text)
    return load_text(text.getvalue(), "debate")


def _params(chosen: dict[str, Any]) -> dict[str, Any]:
    """What stands under `with:`, but for the cast; defaults of the file are left out."""
    params: dict[str, Any] = {name: chosen[name] for name in ("rounds", "first_round")}
    usual = {"order": "in_turn", "visible": "all", "probes": "each_round", "decide": None, "tie": None}
    params |= {name: chosen[name] for name, default in usual.items() if chosen[name] != default}
    if chosen["answers"]:
        params["options"] = [answer.strip() for answer in chosen["answers"].split(",") if answer.strip()]
    if chosen["stance"]:
        params["stances"] = dict(chosen["stance"])
    if chosen["persona"]:
        params["personas"] = dict(chosen["persona"])
    if chosen["stop"]:
        params["stop"] = chosen["stop"]
    if chosen["baseline"]:
        params["baseline"] = "self_consistency"
    return params


def _save(spec: GraphSpec, path: Path) -> None:
    from maieutic.errors import UsageError
    from maieutic.graphs import to_yaml

    try:
        path.write_text(to_yaml(spec), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--save {path}: the file cannot be written: {error.strerror or error}") from error
    click.echo(f"Wrote {path}; run it with: maieutic run {path} -i question=…", err=True)
