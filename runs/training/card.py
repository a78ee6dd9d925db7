"""The data card of an export: what the rows are, how many, where they come from and what was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from maieutic.errors import UsageError
from maieutic.runs.training.sources import Source
from maieutic.wording import amount

if TYPE_CHECKING:
    from maieutic.runs.exporting import Exported, Selection

__all__ = ["card_of", "write_card"]

_NAMED = 20
_COLUMNS = {
    "sft": "`messages`: what an agent read and said. The first `copied` of them stand in an earlier row: mask them.",
    "dpo": "`prompt`, `chosen`, `rejected`: two replies to the same turn. The prompt tells no stance.",
    "kto": "`prompt`, `completion`, `label`; `label_from` says by what: the reply's own answer, or a score of its run.",
    "prm": "`prompt`, `completions`, `labels`: a dialogue's turns, right or not. The first `copied` of them stand in "
    "an earlier row: mask them.",
    "grpo": "`prompt`, and columns for reward functions; of the recorded episode `completion`, `reward`, `segments`: "
    "those whose `train` is false are the environment's words: mask them.",
    "verl": "`data_source`, `prompt`, `ability`, `reward_model`, `extra_info`.",
}


def card_of(found: Exported, selection: Selection, paths: Sequence[Path]) -> str:
    """The card as Markdown."""
    return "\n".join(_lines(found, selection, paths)) + "\n"


def write_card(found: Exported, selection: Selection, path: Path, paths: Sequence[Path]) -> Path:
    """Write the card: CARD.md in a folder of files; beside a file, with .card.md in place of its ending.

    Args:
        found: What was exported.
        selection: What of it.
        path: The file or folder that was asked for.
        paths: The files that were written.

    Raises:
        UsageError: It cannot be written.
    """
    place = path / "CARD.md" if path.is_dir() else path.with_suffix(".card.md")
    try:
        place.write_text(card_of(found, selection, paths), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {place}: {error.strerror}") from error
    return place


def _lines(found: Exported, selection: Selection, paths: Sequence[Path]) -> Iterator[str]:
    yield from (f"# {paths[0].stem if len(paths) == 1 else paths[0].parent.name}", "")
    yield f"Exported by maieutic for `{found.to}`, a row for each {found.what}."
    yield f"Columns: {_COLUMNS[found.to]}"
    if found.simulated:
        yield from ("", "**Simulated**: replies come from simulated minds, not from a language model.")
    yield from ("", "## Counts", "", "| split | rows |", "|---|---|")
    yield from (f"| {split} | {len(rows)} |" for split, rows in found.rows.items())
    yield from ("", f"Kept of what was found: {_counts(found.kept, found.found)}.")
    yield from ("", "A task (a question, or a group of the data set) lies in one split as a whole.")
    yield from ("", "## Provenance", "")
    yield f"- {amount(len(found.sources), 'run')}: {_some(source.record.id for source in found.sources)}"
    experiments = Counter(_experiment(source) for source in found.sources if source.result is not None)
    yield from (f"- experiment {name}: {amount(count, 'run')}" for name, count in experiments.items())
    programs = Counter(source.record.name for source in found.sources)
    yield f"- programs: {_told(programs)}"
    yield f"- models, by calls: {_told(_models(found.sources)) or 'unknown'}"
    yield from ("", "## Filters", "")
    yield from (f"- {line}" for line in _filters(found, selection))
    yield from ("", "## Licence", "")
    yield "Not set: it depends on the data set and on the terms of the models that spoke, and is yours to state."


def _filters(found: Exported, selection: Selection) -> Iterator[str]:
    if selection.agents:
        yield f"only {', '.join(selection.agents)}"
    scorer = selection.scorer or "the first score that a run has"
    if found.to == "kto":
        yield f"a run is good from {selection.good_from:g} on, by {scorer}"
    elif selection.min_score is not None:
        yield f"runs that score at least {selection.min_score:g}, by {scorer}"
    if found.what == "pair":
        rules = ", ".join(f"{name}={value}" for name, value in selection.rules.model_dump().items())
        yield f"pairs: variant {selection.variant}, {'all of one size' if selection.trim else 'not trimmed'}; {rules}"
    yield from (f"left out: {amount(count, 'run')}, {why}" for why, count in found.left_out.items())
    yield "left out: replies that went wrong while they were generated"


def _experiment(source: Source) -> str:
    assert source.result is not None
    return f"{source.result.experiment}, condition {source.result.condition}"


def _models(sources: Iterable[Source]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for source in sources:
        by_model: Mapping[str, Mapping[str, int]] = (source.record.outcome or {}).get("ledger", {}).get("by_model", {})
        for name, tally in by_model.items():
            counts[name] += tally.get("calls", 0)
    return counts


def _counts(kept: Mapping[str, int], found: Mapping[str, int]) -> str:
    return ", ".join(f"{kept.get(kind, 0)} of {count} {kind}" for kind, count in found.items())


def _told(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({count})" for name, count in counts.items())


def _some(names: Iterable[str]) -> str:
    every = list(names)
    return ", ".join(every[:_NAMED]) + (f" and {len(every) - _NAMED} more" if len(every) > _NAMED else "")
