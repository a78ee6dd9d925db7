"""`maieutic export`: recorded runs as training data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from maieutic.cli.options import Talk, json_option, pass_talk, store_option, talk_options
from maieutic.errors import UsageError

if TYPE_CHECKING:
    from maieutic.memory import Journal, RunRecord
    from maieutic.runs.exporting import Exported

__all__ = ["export"]

FORMATS = ("dpo", "verl")
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
@click.argument("run_ids", nargs=-1, required=True, metavar="RUN…")
@click.option("--to", type=click.Choice(FORMATS), required=True, help="For what.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="A file that ends in .jsonl or .parquet, or a folder: then a file for each split.",
)
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
@click.option("--splits", type=Shares(), default="70/15/15", show_default=True, help="Questions by split, in percent.")
@store_option
@json_option
@talk_options
@pass_talk
def export(
    talk: Talk,
    run_ids: tuple[str, ...],
    *,
    to: str,
    output: Path,
    variant: str,
    no_trim: bool,
    gap: float,
    any_children: bool,
    splits: dict[str, float],
    store: Path | str,
    as_json: bool,
) -> None:
    """Write recorded runs as training data. RUN is a run's id, the beginning of one, `last`, or `all`.

    \b
      dpo    preference pairs from dialogue trees, for TRL's DPOTrainer
      verl   the same as rows of verl

    A pair is two replies to the same turn, of which one keeps a right answer (resist) or takes over one (accept) and
    the other does not. The instruction in its prompt tells no stance. A question lies in one split as a whole.
    """
    from maieutic.cli.recorded import opened
    from maieutic.protocols.persuasion.pairs import PairRules
    from maieutic.runs.exporting import Selection, exported, written

    rules = PairRules(gap=gap, same_children=not any_children)
    selection = Selection(variant, not no_trim, rules, splits)  # type: ignore[arg-type]
    with opened(store) as journal:
        found = exported(_chosen(journal, run_ids), to, selection)  # type: ignore[arg-type]
    paths = [str(path) for path in written(found, output)]
    if as_json:
        click.echo(json.dumps({**found.to_json(), "files": paths}, ensure_ascii=False))
    elif not talk.quiet:
        click.echo(_summary(found, variant, paths), err=True)


def _chosen(journal: Journal, names: tuple[str, ...]) -> list[RunRecord]:
    """The runs of those names, each once."""
    from maieutic.cli.recorded import find
    from maieutic.runs.exporting import trees_in

    if names == (ALL,):
        records = [record for record in journal.runs() if any(trees_in(record))]
        if not records:
            raise UsageError("no run of this journal has a dialogue tree; grow one with persuasion_tree")
        return records[::-1]
    found = {record.id: record for record in (find(journal, name) for name in names)}
    return list(found.values())


def _summary(found: Exported, variant: str, paths: list[str]) -> str:
    from maieutic.cli.scene import amount

    kinds = ", ".join(f"{count} {kind}" for kind, count in found.found.items())
    kept = ", ".join(f"{count} {kind}" for kind, count in found.kept.items() if count)
    splits = ", ".join(f"{split} {len(rows)}" for split, rows in found.rows.items())
    told = " [simulated]" if found.simulated else ""
    return (
        f"{amount(sum(found.found.values()), 'pair')} in {amount(found.trees, 'tree')} of {amount(found.runs, 'run')} "
        f"({kinds}){told}\nWrote {kept} ({variant}; {splits}) to {', '.join(paths)}."
    )
