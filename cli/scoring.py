"""`maieutic score`: an experiment's dialogues scored again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from maieutic.cli.budgets import budget_of
from maieutic.cli.options import Talk, elsewhere, json_option, pass_talk, store_option, talk_options
from maieutic.cli.scene import money
from maieutic.cli.tables import shortened
from maieutic.errors import UsageError
from maieutic.wording import amount

if TYPE_CHECKING:
    from maieutic.runs.scoring import PairScorer, Rescored, Scorer

__all__ = ["score"]


@click.command()
@click.argument("experiment")
@click.option(
    "-s",
    "--scorer",
    "given",
    multiple=True,
    metavar="SCORER",
    help="exact_match, or with settings '{use: numeric, relative: 0.01}'. Repeatable; the experiment's if left out.",
)
@click.option(
    "-f",
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Take the scorers of an experiment file.",
)
@click.option("--condition", "conditions", multiple=True, metavar="NAME", help="Only this condition. Repeatable.")
@click.option("--budget", metavar="LIMITS", help='What judges may spend, such as "0.50" (US dollars) or "200k tokens".')
@click.option("--offline", is_flag=True, help="Refuse every judge that needs the network.")
@store_option
@json_option
@talk_options
@pass_talk
def score(
    talk: Talk,
    /,
    experiment: str,
    *,
    given: tuple[str, ...],
    file: Path | None,
    conditions: tuple[str, ...],
    budget: str | None,
    offline: bool,
    store: Path | str,
    as_json: bool,
) -> None:
    """Score the dialogues of EXPERIMENT again; nothing is run.

    \b
      maieutic score debate-pays -s f1 -s '{use: numeric, relative: 0.01}'
      maieutic score debate-pays -s '{use: judge, models: openai/gpt-5-mini, rubric: "Is it right and clear?"}'

    A scorer that needs no model costs no call. What judges said is in the journal: a judgement is paid for once, and
    scoring that was broken off goes on where it stopped. Scores of other scorers stay as they are.
    """
    if given and file is not None:
        raise UsageError("name scorers (--scorer) or a file that lists them (--file), one of the two")
    chosen: dict[str, Any] = {
        "given": given,
        "file": file,
        "conditions": conditions,
        "budget": budget,
        "offline": offline,
    }
    done = asyncio.run(_scored(store, experiment, **chosen))
    if as_json:
        click.echo(json.dumps({"experiment": experiment, **asdict(done)}))
        return
    click.echo(_told(done))
    if not talk.quiet:
        click.echo(f"See what came of it with: maieutic report {experiment}{elsewhere(store)}", err=True)


async def _scored(
    store: Path | str,
    experiment: str,
    *,
    given: Sequence[str],
    file: Path | None,
    conditions: Sequence[str],
    budget: str | None,
    offline: bool,
) -> Rescored:
    from maieutic.runs import Workspace
    from maieutic.runs.experiments.experiment import results_of
    from maieutic.runs.scoring import score_again

    results = results_of(store, experiment)
    scorers = _scorers(results.source, experiment, given, file)
    if missing := [name for name in conditions if name not in results.conditions]:
        raise UsageError(f"there is no condition {missing[0]!r}; {experiment} has: {', '.join(results.conditions)}")
    parts = [results.where(condition=name) for name in conditions] or [results]
    limits = budget_of(budget, "scoring")
    whole: Rescored | None = None
    async with Workspace(store, offline=offline) as workspace:
        for part in parts:
            done = await score_again(part, scorers, workspace, budget=limits)
            whole = done if whole is None else whole + done
    assert whole is not None
    return whole


def _scorers(source: Any, experiment: str, given: Sequence[str], file: Path | None) -> tuple[Scorer | PairScorer, ...]:
    """The scorers that are asked for, else those of the file, else those that the experiment was run with."""
    from maieutic.runs.experiments.experiment import load_experiment
    from maieutic.runs.scoring import scorers_from

    if file is not None:
        return tuple(load_experiment(file).scorers)
    if given:
        return scorers_from([_read(text) for text in given])
    spec: Mapping[str, Any] = source.spec(experiment)
    known = spec.get("scorers") or ["exact_match"]
    return scorers_from([known] if isinstance(known, str) else known)


def _read(text: str) -> str | dict[str, Any]:
    """A scorer's name, or its settings as a YAML mapping in one line.

    Raises:
        UsageError: It is neither.
    """
    if not text.lstrip().startswith("{"):
        return text.strip()
    import yaml

    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        said = getattr(error, "problem", None) or error
        raise UsageError(f"--scorer {text!r} is no YAML mapping: {said}") from error
    return {str(name): value for name, value in found.items()}


def _told(done: Rescored) -> str:
    lines = [f"Scored {amount(done.scored, 'dialogue')}."]
    if done.calls:
        lines[0] += (
            f" Judges: {amount(done.calls, 'call')}, {'price unknown' if done.usd is None else money(done.usd)}."
        )
    if done.skipped:
        lines.append(f"Left out {amount(done.skipped, 'dialogue')} without an answer or a recorded run.")
    for name, whys in done.unscored.items():
        lines.append(f"{name} could not tell about {amount(sum(whys.values()), 'dialogue')}:")
        lines += [f"  {count}  {shortened(why, 200)}" for why, count in whys.items()]
    for name, message in done.failures.items():
        lines.append(f"The first judge of {name} that failed: {shortened(message, 400)}")
    return "\n".join(lines)
