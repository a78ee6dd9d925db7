"""`maieutic report`: what an experiment came to."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from maieutic.cli.options import Talk, json_option, pass_talk, store_option, talk_options
from maieutic.cli.scene import clean
from maieutic.cli.tables import columns
from maieutic.errors import UsageError
from maieutic.wording import amount

if TYPE_CHECKING:
    from maieutic.runs.experiments.results import Results
    from maieutic.runs.reports import Columns
    from maieutic.runs.statistics import Summary
    from maieutic.runs.statistics.goal_rates import GoalSuccess

__all__ = ["report"]

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("experiment")
@click.option(
    "--html",
    type=click.Path(path_type=Path),
    metavar="PLACE",
    help="A page with pictures (PLACE ends in .html), or a folder that has a page for each dialogue as well.",
)
@click.option("--plot", type=_FILE, metavar="FILE", help="Draw scores, and scores over cost (.svg, .png, .pdf).")
@click.option("--csv", type=_FILE, metavar="FILE", help="A row for each dialogue.")
@click.option("--parquet", type=_FILE, metavar="FILE", help="The same as Parquet.")
@click.option("--against", metavar="CONDITION", help="Compare all others with this one only (default: every pair).")
@click.option("-s", "--scorer", "scorers", multiple=True, metavar="NAME", help="Only these scores. Repeatable.")
@click.option(
    "--cost",
    type=click.Choice(["calls", "tokens", "usd", "seconds"]),
    help="What scores are weighed with (default: money if it is known, else tokens, else calls).",
)
@click.option(
    "--failed",
    type=click.Choice(["out", "zero"]),
    default="out",
    show_default=True,
    help="What a run without a score counts that ended before its time: nothing, or 0.",
)
@click.option(
    "--correction",
    type=click.Choice(["holm", "bh", "none"]),
    default="holm",
    show_default=True,
    help="Of the p-values of several comparisons.",
)
@click.option("--test", type=click.Choice(["mcnemar", "permutation", "wilcoxon"]), help="Instead of the one that fits.")
@click.option("--detect", type=float, metavar="X", help="Say how many items are needed to see a difference of X.")
@click.option(
    "--dialogues", type=click.IntRange(0), default=1000, show_default=True, help="How many get a page in a folder."
)
@click.option("--seed", type=int, default=0, metavar="N", help="Of bootstraps and permutations.")
@store_option
@json_option
@talk_options
@pass_talk
def report(
    talk: Talk,
    /,
    experiment: str,
    *,
    html: Path | None,
    plot: Path | None,
    csv: Path | None,
    parquet: Path | None,
    detect: float | None,
    dialogues: int,
    store: Path | str,
    as_json: bool,
    **chosen: Any,
) -> None:
    """Say what EXPERIMENT came to: scores with intervals, costs, differences, and what the same cost buys otherwise.

    \b
      maieutic report debate-pays --against single
      maieutic report debate-pays --html report --parquet results.parquet
      maieutic report debate-pays --detect 0.05

    It may be asked at any time: what is finished so far is told.
    """
    from maieutic.runs.experiments.experiment import results_of
    from maieutic.runs.reports import goals_of
    from maieutic.runs.statistics import Settings, summarise

    results = results_of(store, experiment)
    summary = summarise(results, Settings(**chosen))
    plans = dict(_plans(results, summary, detect)) if detect is not None else {}
    goals = goals_of(results) if html is not None or not as_json else {}
    if as_json:
        click.echo(json.dumps({**summary.to_json(), **({"plans": plans} if plans else {})}, ensure_ascii=False))
    else:
        click.echo("\n".join(_lines(summary, goals)))
        if detect is not None:
            click.echo(_planned(plans, detect))
    for line in _written(
        results, summary, goals, store, html=html, plot=plot, csv=csv, parquet=parquet, dialogues=dialogues
    ):
        if not talk.quiet:
            click.echo(line, err=True)


def _lines(summary: Summary, goals: Mapping[str, GoalSuccess]) -> Iterator[str]:
    """The report for a terminal, or a pipe."""
    from maieutic.runs.reports.pages import (
        agreed,
        comparison_columns,
        family_columns,
        goal_columns,
        match_columns,
        score_columns,
    )
    from maieutic.runs.reports.words import LABELS, facts, method

    yield f"{clean(summary.experiment)}: {facts(summary)}{' [simulated]' if summary.simulated else ''}"
    yield from _table("", score_columns(summary))
    for name in summary.scorers:
        yield from _table(f"Differences, {name}", comparison_columns(summary, name))
        yield from _table(
            f"For the same {LABELS[summary.settings.cost or 'calls']}, {name}", match_columns(summary, name)
        )
        yield from _table(f"By family, {name}", family_columns(summary, name))
        if summary.agreement.get(name):
            yield f"\nHow far the judges of {name} agree (Krippendorff's α): {agreed(summary.agreement[name])}"
    yield from _table("Goals", goal_columns(goals))
    yield ""
    yield from method(summary)


def _table(title: str, told: Columns) -> Iterator[str]:
    if not told.rows:
        return
    yield f"\n{title}" if title else ""
    yield columns(told.head, told.rows, right=told.numbers)


def _plans(results: Results, summary: Summary, difference: float) -> Iterator[tuple[str, Any]]:
    """How many items each comparison needs by the first scorer, or why that cannot be told."""
    from maieutic.runs.statistics import plan_from, samples_of

    scorer = next(iter(summary.scorers), None)
    if scorer is None:
        return
    samples = samples_of(results)
    failed = summary.settings.failed
    values = {name: sample.column(scorer, failed=failed).by_item for name, sample in samples.items()}
    for found in summary.comparisons:
        if found.scorer == scorer:
            try:
                plan: Any = asdict(plan_from(values[found.first], values[found.second], difference))
            except UsageError as error:
                plan = {"error": str(error)}
            yield f"{found.first} − {found.second}", {"scorer": scorer, **plan}


def _planned(plans: Mapping[str, Mapping[str, Any]], difference: float) -> str:
    if not plans:
        return "\nNothing is compared, so nothing can be planned."
    rows = [
        (name, f"{plan['items']:,}", f"{plan['repeats']}", f"{plan['spread']:.3f}")
        if "error" not in plan
        else (name, "–", "–", plan["error"])
        for name, plan in plans.items()
    ]
    scorer = next(iter(plans.values()))["scorer"]
    table = columns(("conditions", "items", "repeats", "spread"), rows, right=(1, 2, 3))
    return f"\nItems that find a difference of {difference:g} by {scorer} 4 times of 5 (p < 0.05)\n{table}"


def _written(
    results: Results,
    summary: Summary,
    goals: Mapping[str, GoalSuccess],
    store: Path | str,
    *,
    html: Path | None,
    plot: Path | None,
    csv: Path | None,
    parquet: Path | None,
    dialogues: int,
) -> Iterator[str]:
    """Write the files that are asked for, and say so."""
    from maieutic.runs.reports import write_csv, write_parquet

    if plot is not None:
        yield f"Drawn in {_drawn(summary, plot)}."
    if csv is not None:
        yield f"Wrote {amount(write_csv(results, summary.scorers, csv), 'row')} to {csv}."
    if parquet is not None:
        yield f"Wrote {amount(write_parquet(results, summary.scorers, parquet), 'row')} to {parquet}."
    if html is not None:
        yield f"Wrote {_html(results, summary, goals, store, html, dialogues=dialogues)}."


def _drawn(summary: Summary, plot: Path) -> Path:
    from maieutic.files.plotting import save
    from maieutic.runs.reports.pictures import summary_picture

    if not summary.scorers:
        raise UsageError(f"--plot {plot}: nothing was scored yet")
    return save(summary_picture(summary, summary.scorers[0]), plot)


def _html(
    results: Results,
    summary: Summary,
    goals: Mapping[str, GoalSuccess],
    store: Path | str,
    html: Path,
    *,
    dialogues: int,
) -> Path:
    from maieutic.cli.recorded import opened
    from maieutic.runs.reports import write_page, write_site

    read = getattr(results.source, "spec", None)
    spec = read(results.experiment) if read is not None else None
    if html.suffix.lower() in (".html", ".htm"):
        return write_page(summary, html, spec=spec, goals=goals)
    if html.is_file():
        raise UsageError(f"--html {html} is a file; name a folder, or a page that ends in .html")
    with opened(store) as journal:
        return write_site(results, summary, html, journal=journal, spec=spec, goals=goals, dialogues=dialogues)
