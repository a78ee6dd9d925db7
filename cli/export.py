"""`maieutic export`: recorded runs as training data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from maieutic.cli.options import Talk, json_option, pass_talk, store_option, talk_options
from maieutic.errors import UsageError

if TYPE_CHECKING:
    from maieutic.memory import Journal
    from maieutic.protocols.persuasion.pairs_rows import Split, Variant
    from maieutic.runs.exporting import Exported, Format, Selection
    from maieutic.runs.training import Source

__all__ = ["export"]

FORMATS = ("sft", "dpo", "kto", "prm", "grpo", "verl")
VARIANTS = ("combined", "accept", "resist", "all")
ALL = "all"
"""Instead of ids: every run of the journal that has something to export."""


class Shares(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """Three shares, as in 70/15/15."""

    name = "train/validation/test"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, float]:
        """The shares by split."""
        parts = str(value).split("/")
        try:
            numbers = [float(part) for part in parts]
        except ValueError:
            numbers = []
        if len(numbers) != 3 or min(numbers) < 0 or abs(sum(numbers) - 100) > 1e-6:
            self.fail(f"{value!r} is not three shares that add up to 100, as in 70/15/15", param, ctx)
        return {name: share / 100 for name, share in zip(("train", "validation", "test"), numbers, strict=True)}


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="RUN…")
@click.option("--to", type=click.Choice(FORMATS), required=True, help="For what.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="A file that ends in .jsonl or .parquet, or a folder: then a file for each split.",
)
@click.option("--condition", "conditions", multiple=True, metavar="NAME", help="Of experiments, only this. Repeatable.")
@click.option("--agent", "agents", multiple=True, metavar="NAME", help="Only what this agent said. Repeatable.")
@click.option("--scorer", metavar="NAME", help="The score that counts; the first that a run has if left out.")
@click.option("--min-score", type=float, help="Only runs that score at least that; for kto, from where a run is good.")
@click.option("--variant", type=click.Choice(VARIANTS), default="combined", show_default=True, help="Which pairs.")
@click.option("--no-trim", is_flag=True, help="Keep all pairs of a kind; else all variants have the same size.")
@click.option(
    "--gap",
    type=click.FloatRange(0, 1),
    default=0.25,
    show_default=True,
    help="How much worse the rejected reply's sub-tree must score, as a share of the chosen one's.",
)
@click.option("--any-children", is_flag=True, help="Also pairs of replies that were answered differently often.")
@click.option("--per-turn", type=click.IntRange(1), help="Most pairs of one turn, the widest gaps first.")
@click.option("--splits", type=Shares(), default="70/15/15", show_default=True, help="Questions by split, in percent.")
@store_option
@json_option
@talk_options
@pass_talk
def export(
    talk: Talk,
    /,
    names: tuple[str, ...],
    *,
    to: Format,
    output: Path,
    conditions: tuple[str, ...],
    store: Path | str,
    as_json: bool,
    **chosen: Any,
) -> None:
    """Write recorded runs as training data. RUN is a run's id, the beginning of one, an experiment, `last`, or `all`.

    \b
      sft    conversations of each agent as it read them
      dpo    preference pairs from dialogue trees
      kto    single replies, labelled good or bad
      prm    dialogues in steps, each right or not
      grpo   routing episodes with rewards and masks
      verl   routing episodes, or preference pairs, as rows of verl

    A question lies in one split as a whole. A data card is written beside the rows. What runs cannot be exported as is
    an error that says what they can.
    """
    from maieutic.cli.recorded import opened
    from maieutic.runs.exporting import exported, written
    from maieutic.runs.training import write_card

    selection = _selection(**chosen)
    with opened(store) as journal:
        found = exported(_sources(journal, store, names, conditions, to), to, selection)
    paths = written(found, output)
    card = write_card(found, selection, output, paths)
    if as_json:
        told = {**found.to_json(), "files": [str(path) for path in paths], "card": str(card)}
        click.echo(json.dumps(told, ensure_ascii=False))
    elif not talk.quiet:
        click.echo(_summary(found, selection.variant, paths, card), err=True)


def _selection(
    *,
    agents: tuple[str, ...],
    scorer: str | None,
    min_score: float | None,
    variant: Variant,
    no_trim: bool,
    gap: float,
    any_children: bool,
    per_turn: int | None,
    splits: Mapping[Split, float],
) -> Selection:
    from maieutic.protocols.persuasion.pairs import PairRules
    from maieutic.runs.exporting import Selection

    rules = PairRules(gap=gap, same_children=not any_children, most_per_turn=per_turn)
    return Selection(variant, not no_trim, rules, splits, agents=agents, scorer=scorer, min_score=min_score)


def _sources(
    journal: Journal, store: Path | str, names: tuple[str, ...], conditions: tuple[str, ...], to: Format
) -> list[Source]:
    """The runs of those names, each once."""
    from maieutic.cli.recorded import find
    from maieutic.runs.experiments.store import is_there, store_at
    from maieutic.runs.exporting import exportable
    from maieutic.runs.training import of_runs

    if names == (ALL,):
        able = [source for source in of_runs(journal, journal.runs()[::-1], store) if exportable(source, to)]
        if not able and to in ("dpo", "verl"):
            raise UsageError("no run of this journal has a dialogue tree; grow one with persuasion_tree")
        return _of(able, conditions)
    experiments: Any = store_at(store) if is_there(store) else None
    known = () if experiments is None else experiments.names()
    single = {name: find(journal, name) for name in names if name not in known or journal.holds(name)}
    runs = {source.record.id: source for source in of_runs(journal, list(single.values()), store)}
    found: dict[str, Source] = {}
    for name in names:
        new = [runs[single[name].id]] if name in single else _experiment(journal, store, name, conditions)
        found |= {source.record.id: source for source in new}
    return _of(found.values(), conditions)


def _experiment(journal: Journal, store: Path | str, name: str, conditions: tuple[str, ...]) -> Iterator[Source]:
    from maieutic.runs.experiments.experiment import results_of
    from maieutic.runs.training import of_experiment

    results = results_of(store, name)
    if missing := [each for each in conditions if each not in results.conditions]:
        raise UsageError(f"there is no condition {missing[0]!r}; {name} has: {', '.join(results.conditions)}")
    for part in [results.where(condition=each) for each in conditions] or [results]:
        yield from of_experiment(journal, part)


def _of(sources: Iterable[Source], conditions: tuple[str, ...]) -> list[Source]:
    """Those of the conditions, if any are named."""
    kept = [each for each in sources if not conditions or (each.result and each.result.condition in conditions)]
    if not kept:
        raise UsageError(f"no run to export{' of ' + ' or '.join(conditions) if conditions else ''}")
    return kept


def _summary(found: Exported, variant: str, paths: Sequence[Path], card: Path) -> str:
    from maieutic.wording import amount

    total = amount(sum(found.found.values()), found.what)
    trees = f"{amount(found.trees, 'tree')} of " if found.trees else ""
    kinds = ", ".join(f"{count} {kind}" for kind, count in found.found.items())
    kept = ", ".join(f"{count} {kind}" for kind, count in found.kept.items() if count)
    splits = ", ".join(f"{split} {len(rows)}" for split, rows in found.rows.items())
    which = f"{variant}; {splits}" if found.what == "pair" else splits
    out = "".join(f"\nLeft out {amount(count, 'run')}: {why}." for why, count in found.left_out.items())
    told = " [simulated]" if found.simulated else ""
    return (
        f"{total} in {trees}{amount(found.runs, 'run')} ({kinds}){told}{out}\n"
        f"Wrote {kept} ({which}) to {', '.join(map(str, paths))}. What it is stands in {card}."
    )
