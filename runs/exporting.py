"""Recorded runs as training data: what is found in them, which of it, and the rows of a training library."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from maieutic.errors import UsageError
from maieutic.files.rows import ENDINGS, write_rows
from maieutic.memory import RunRecord
from maieutic.protocols.persuasion.pairs import PairRules
from maieutic.protocols.persuasion.pairs_rows import PAIR_ROWS, SPLITS, Split, Variant, split_of
from maieutic.protocols.routing.rollouts import trl_row, verl_row
from maieutic.runs.training.pairs import kinds, paired, pairs_in
from maieutic.runs.training.replies import branches_of
from maieutic.runs.training.rows import ROWS, with_origin
from maieutic.runs.training.sources import Source, trees_in
from maieutic.wording import amount

__all__ = [
    "Exported",
    "Format",
    "Selection",
    "exportable",
    "exported",
    "pairs_in",
    "trees_in",
    "written",
]

Format = Literal["sft", "dpo", "kto", "prm", "grpo", "verl"]
_NEEDS: Mapping[Format, str] = {
    "sft": "replies of models in a dialogue, of runs that did not fail",
    "dpo": "dialogue trees whose right answers are known",
    "kto": "replies whose speaker's answer can be marked, or runs with a score: known right answers, or an experiment",
    "prm": "turns whose answer can be marked: known right answers, and trees, or debates that probe positions",
    "grpo": "routing episodes (runs of router_r1)",
    "verl": "routing episodes (runs of router_r1), or dialogue trees whose right answers are known",
}
_LOOKED_AT = 20
_GOOD_FROM = 0.5
"""From which score on a run is good, in `kto`, if that is not said."""
_WHAT: Mapping[Format, str] = {"sft": "conversation", "kto": "labelled turn", "prm": "dialogue", "grpo": "episode"}


@dataclass(frozen=True, slots=True)
class Selection:
    """What of the runs is exported.

    Attributes:
        variant: Which pairs (see `chosen_for`).
        trim: Whether all variants have the same size.
        rules: Which siblings of a tree make a pair.
        shares: The shares of the splits; a question lies in one split as a whole.
        salt: Another one deals the questions to the splits anew.
        agents: Only what these agents said; everybody if empty.
        scorer: The score that counts; the first that a run has, if left out.
        min_score: Only runs whose score is at least that; runs without one are left out. In `kto` no run is left out:
            from this score on (0.5 if left out) a run is good.
    """

    variant: Variant = "combined"
    trim: bool = True
    rules: PairRules = field(default_factory=PairRules)
    shares: Mapping[Split, float] = field(default_factory=lambda: dict(SPLITS))
    salt: str = ""
    agents: tuple[str, ...] = ()
    scorer: str | None = None
    min_score: float | None = None

    @property
    def good_from(self) -> float:
        """From which score on a run is good, in `kto`."""
        return _GOOD_FROM if self.min_score is None else self.min_score


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export came to.

    Attributes:
        rows: The rows by split, in the order of the runs.
        found: How many rows there could be, by kind, before any was left out: pairs by what they teach, conversations
            and replies by agent, dialogues, episodes.
        kept: How many of them the rows hold.
        runs, trees: How many there were.
        simulated: Whether simulated minds spoke in any of it.
        to: The format.
        sources: The runs that were read.
        left_out: How many runs were left out, by why.
    """

    rows: Mapping[Split, list[dict[str, Any]]]
    found: Mapping[str, int]
    kept: Mapping[str, int]
    runs: int
    trees: int
    simulated: bool
    to: Format = "dpo"
    sources: tuple[Source, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def what(self) -> str:
        """What a row is, in one word."""
        return _WHAT.get(self.to) or ("pair" if self.trees else "episode")

    def to_json(self) -> dict[str, Any]:
        """Plain JSON: the counts."""
        return {
            "to": self.to,
            "runs": self.runs,
            "trees": self.trees,
            "found": dict(self.found),
            "kept": dict(self.kept),
            "left_out": dict(self.left_out),
            "rows": {split: len(rows) for split, rows in self.rows.items()},
            "simulated": self.simulated,
        }


def exported(runs: Iterable[RunRecord | Source], to: Format, selection: Selection | None = None) -> Exported:
    """The rows of recorded runs.

    Args:
        runs: The runs; what is said in them is read from the journal that a `Source` knows.
        to: The format.
        selection: What of them; the defaults of `Selection` if left out.

    Raises:
        UsageError: There is nothing to export; it is said what the runs can be exported as.
    """
    selection = selection or Selection()
    sources = [run if isinstance(run, Source) else Source(run) for run in runs]
    kept, left_out = _good(sources, to, selection)
    episodes = [source for source in kept if source.episode is not None]
    trees = sum(1 for source in kept for _ in trees_in(source.record))
    if to == "verl" and episodes and trees:
        raise UsageError("verl rows come from routing episodes or from dialogue trees: export the two apart")
    pairs = to == "dpo" or (to == "verl" and not episodes)
    if selection.agents and not pairs and to not in ("sft", "kto"):
        raise UsageError(f"rows of {to} are not one agent's alone: leave out --agent")
    made, found = _pairs(kept, to, selection) if pairs else _others(kept, to, selection)
    rows: dict[Split, list[dict[str, Any]]] = {split: [] for split in selection.shares}
    for source, task, _, row in made:
        split = split_of(task, selection.shares, salt=selection.salt)
        rows[split].append(with_origin(row, source, split, selection.scorer))
    counts = Counter(kind for _, _, kind, _ in made)
    simulated = any(source.record.simulated for source, *_ in made)
    told = {kind: counts[kind] for kind in found}
    return Exported(rows, found, told, len(sources), trees, simulated, to, tuple(sources), left_out)


def exportable(source: Source, to: Format) -> bool:
    """Whether a run has what a format is made of; whether a row comes of it, the selection decides."""
    if to == "dpo" or (to == "verl" and source.episode is None):
        return any(trees_in(source.record))
    return not source.broken and _can([source], to)


def written(found: Exported, path: Path) -> list[Path]:
    """Write the rows: to one file (.jsonl, .parquet) with a column of splits, or into a folder, a file for each split.

    What an earlier export left in them is replaced, the file of a split that has no rows any more included.

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
    for split in SPLITS:
        if not found.rows.get(split):
            (path / f"{split}.jsonl").unlink(missing_ok=True)
    return [write_rows(rows, path / f"{split}.jsonl") for split, rows in found.rows.items() if rows]


def _good(sources: Sequence[Source], to: Format, chosen: Selection) -> tuple[list[Source], dict[str, int]]:
    """The runs that count, and why how many do not."""
    names = list(dict.fromkeys(name for source in sources for name in source.scores))
    if chosen.scorer is not None and chosen.scorer not in names:
        there = f"there are: {', '.join(names)}" if names else "no run has any (experiments are scored)"
        raise UsageError(f"no run has a score {chosen.scorer!r}; {there}")
    kept: list[Source] = []
    left_out: Counter[str] = Counter()
    for source in sources:
        score = source.score(chosen.scorer)[1]
        if to != "dpo" and source.broken:
            left_out["failed or never ended"] += 1
        elif to == "kto" or chosen.min_score is None or (score is not None and score >= chosen.min_score):
            kept.append(source)
        else:
            left_out["no score" if score is None else f"scored below {chosen.min_score:g}"] += 1
    if sources and not kept:
        told = ", ".join(f"{count} {why}" for why, count in left_out.items())
        raise UsageError(f"nothing is left of {amount(len(sources), 'run')}: {told}")
    return kept, dict(left_out)


Made = tuple[Source, str, str, dict[str, Any]]
"""A row, where it comes from, what lies in one split with it, and its kind."""


def _pairs(sources: Sequence[Source], to: Format, chosen: Selection) -> tuple[list[Made], dict[str, int]]:
    try:
        found, kept = paired(
            sources,
            chosen.rules,
            agents=chosen.agents,
            variant=chosen.variant,
            trim=chosen.trim,
            shares=chosen.shares,
            salt=chosen.salt,
        )
    except UsageError as error:
        raise UsageError(f"{error}{_instead(sources, to, chosen)}") from None
    make = PAIR_ROWS[to]
    split = {pair.id: split_of(pair.task, chosen.shares, salt=chosen.salt) for _, pair in kept}
    return [(source, pair.task, pair.kind, make(pair, split[pair.id])) for source, pair in kept], kinds(found)


def _others(sources: Sequence[Source], to: Format, chosen: Selection) -> tuple[list[Made], dict[str, int]]:
    made = list(_rows(sources, to, chosen))
    if not made:
        names = ", ".join(source.record.id for source in sources[:3]) + (", …" if len(sources) > 3 else "")
        by = f" of {' or '.join(chosen.agents)}" if chosen.agents else ""
        raise UsageError(
            f"nothing{by} in {names or 'no runs'} can be exported as {to}, which needs {_NEEDS[to]}"
            + _instead(sources, to, chosen)
        )
    return made, dict(Counter(kind for _, _, kind, _ in made))


def _rows(sources: Iterable[Source], to: Format, chosen: Selection) -> Iterator[Made]:
    for source in sources:
        if to in ROWS:
            more: dict[str, Any] = {"scorer": chosen.scorer, "good_from": chosen.good_from} if to == "kto" else {}
            for kind, row in ROWS[to](source, chosen.agents, **more):
                yield source, source.task, kind, row
        elif source.episode is not None:
            yield source, source.task, "episodes", (trl_row if to == "grpo" else verl_row)(source.episode)


def _instead(sources: Sequence[Source], to: Format, chosen: Selection) -> str:
    """What else the runs, the first of them, can be exported as; or who speaks in them, if agents were chosen."""
    few = sources[:_LOOKED_AT]
    if chosen.agents:
        speakers = {reply.speaker: None for source in few for branch in branches_of(source) for reply in branch}
        return f"; in them speak: {', '.join(speakers)}" if speakers else ""
    others = [name for name in _NEEDS if name != to and not {to, name} <= PAIR_ROWS.keys()]
    able = [name for name in others if _can(few, name)]
    return f"; they can be exported as: {', '.join(able)}" if able else ""


def _can(sources: Sequence[Source], to: Format) -> bool:
    if to in ROWS or (to != "dpo" and any(source.episode is not None for source in sources)):
        return next(_rows(sources, to, Selection()), None) is not None
    return to in PAIR_ROWS and any(pairs_in(source) for source in sources)
