"""Recorded runs as training data: what is found in them, which of it, and the rows of a training library."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from maieutic.errors import UsageError
from maieutic.files.rows import ENDINGS, write_rows
from maieutic.memory import RunRecord
from maieutic.protocols.persuasion.pairs import Pair, PairRules, mined
from maieutic.protocols.persuasion.pairs_rows import PAIR_ROWS, SPLITS, Split, Variant, chosen_for, split_of
from maieutic.protocols.trees.tree import Tree

__all__ = ["TRAINING_FORMATS", "Exported", "Selection", "exported", "pairs_in", "trees_in", "written"]

Format = Literal["dpo", "verl"]
TRAINING_FORMATS: Mapping[Format, str] = {
    "dpo": "preference pairs from dialogue trees, as TRL's DPOTrainer reads them",
    "verl": "the same as rows of verl, with the right answers as ground truth",
}
"""What runs can be exported as, and from what."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What of the runs is exported.

    Attributes:
        variant: Which pairs (see `chosen_for`).
        trim: Whether all variants have the same size.
        rules: Which siblings of a tree make a pair.
        shares: The shares of the splits; a question lies in one split as a whole.
        salt: Another one deals the questions to the splits anew.
    """

    variant: Variant = "combined"
    trim: bool = True
    rules: PairRules = field(default_factory=PairRules)
    shares: Mapping[Split, float] = field(default_factory=lambda: dict(SPLITS))
    salt: str = ""


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export came to.

    Attributes:
        rows: The rows by split, in the order of the runs.
        found: How many pairs there were, by kind, before any was left out.
        kept: How many of them the rows hold.
        runs, trees: How many there were.
        simulated: Whether simulated minds spoke in any of it.
    """

    rows: Mapping[Split, list[dict[str, Any]]]
    found: Mapping[str, int]
    kept: Mapping[str, int]
    runs: int
    trees: int
    simulated: bool

    def to_json(self) -> dict[str, Any]:
        """Plain JSON: the counts."""
        return {
            "runs": self.runs,
            "trees": self.trees,
            "found": dict(self.found),
            "kept": dict(self.kept),
            "rows": {split: len(rows) for split, rows in self.rows.items()},
            "simulated": self.simulated,
        }


def exported(records: Sequence[RunRecord], to: Format, selection: Selection | None = None) -> Exported:
    """The rows of recorded runs.

    Args:
        records: The runs.
        to: The format.
        selection: What of them; the defaults of `Selection` if left out.

    Raises:
        UsageError: There is nothing to export: no run has a tree, no tree has right answers, no siblings are a pair.
    """
    selection = selection or Selection()
    trees = [tree for record in records for _, tree in trees_in(record)]
    pairs = [pair for record in records for pair in pairs_in(record, selection.rules)]
    _expected(records, trees, pairs, selection)
    shares, salt = selection.shares, selection.salt
    kept = chosen_for(selection.variant, pairs, trim=selection.trim, shares=shares, salt=salt)
    found = _kinds(pairs)
    if not kept:
        raise UsageError(_nothing_left(found, selection))
    rows: dict[Split, list[dict[str, Any]]] = {split: [] for split in shares}
    make: Callable[[Pair, Split], dict[str, Any]] = PAIR_ROWS[to]
    for pair in kept:
        split = split_of(pair.question, shares, salt=salt)
        rows[split].append(make(pair, split))
    return Exported(rows, found, _kinds(kept), len(records), len(trees), any(pair.simulated for pair in kept))


def pairs_in(record: RunRecord, rules: PairRules | None = None) -> list[Pair]:
    """The preference pairs of all trees of a run."""
    found = list(trees_in(record))
    pairs: list[Pair] = []
    for path, tree in found:
        at = path if len(found) > 1 else ""
        pairs += mined(tree, rules, run=record.id, tree_at=at, simulated=record.simulated)
    return pairs


def trees_in(record: RunRecord) -> Iterator[tuple[str, Tree]]:
    """The dialogue trees in a run's outcome, with the keys under which they stand there, joined by dots."""
    outcome = (record.outcome or {}).get("outcome")
    for path, raw in _trees(outcome, ()):
        yield ".".join(path), Tree.from_json(raw)


def written(found: Exported, path: Path) -> list[Path]:
    """Write the rows: to one file (.jsonl, .parquet) with a column of splits, or into a folder, a file for each split.

    Raises:
        UsageError: The name ends in something else, or it cannot be written.
    """
    if path.suffix in ENDINGS:
        return [write_rows((row for rows in found.rows.values() for row in rows), path)]
    if path.suffix and not path.is_dir():
        raise UsageError(f"cannot write {path}: name a file that ends in {' or '.join(ENDINGS)}, or a folder")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make the folder {path}: {error.strerror}") from error
    return [write_rows(rows, path / f"{split}.jsonl") for split, rows in found.rows.items() if rows]


def _trees(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    if isinstance(value, Mapping):
        if path and path[-1] == "tree" and {"question", "nodes"} <= value.keys():
            yield path, value
            return
        for key, each in value.items():
            yield from _trees(each, (*path, str(key)))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _trees(each, (*path, str(number)))


def _expected(records: Sequence[RunRecord], trees: Sequence[Tree], pairs: Sequence[Pair], chosen: Selection) -> None:
    names = ", ".join(record.id for record in records[:3]) + (", …" if len(records) > 3 else "")
    if not trees:
        raise UsageError(
            f"no dialogue tree in {names or 'no runs'}; preference pairs come from runs of persuasion_tree, "
            "finished or cut short"
        )
    if not any(tree.accepted for tree in trees):
        raise UsageError(
            f"the {_many(len(trees), 'tree')} in {names} know no right answers, so no reply is better than another; "
            "give the input `accepted` when growing them"
        )
    if not pairs:
        raise UsageError(
            f"no pairs in {_many(len(trees), 'tree')} ({names}): no two siblings differ by more than "
            f"{chosen.rules.gap:g} such that one keeps or takes over a right answer and the other does not; try a "
            "smaller --gap, or --any-children"
        )


def _nothing_left(found: Mapping[str, int], chosen: Selection) -> str:
    lacking = [kind for kind, count in found.items() if not count]
    told = ", ".join(f"{count} {kind}" for kind, count in found.items())
    if lacking and (chosen.variant == lacking[0] or chosen.variant == "combined" or chosen.trim):
        why = f"none teaches to {lacking[0]}, and the variant {chosen.variant}"
        why += " is of that kind" if chosen.variant == lacking[0] else " has the size of the smaller kind"
        return f"no pair is left of {told}: {why}; take more runs, another --variant, or all of them (--variant all)"
    return (
        f"no pair is left of {told}: no split has enough of both kinds for the variant {chosen.variant}; take more "
        "runs, or leave out the trimming (--no-trim)"
    )


def _kinds(pairs: Sequence[Pair]) -> dict[str, int]:
    counts = Counter(pair.kind for pair in pairs)
    return {"resist": counts["resist"], "accept": counts["accept"]}


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
