"""Preference pairs of recorded trees: which there are, which are kept, and what is told when there are none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from maieutic.errors import UsageError
from maieutic.memory import RunRecord
from maieutic.protocols.persuasion.pairs import Pair, PairRules, mined
from maieutic.protocols.persuasion.pairs_rows import Split, Variant, chosen_for
from maieutic.protocols.trees.tree import Tree
from maieutic.runs.training.sources import Source, trees_in
from maieutic.wording import amount

__all__ = ["kinds", "paired", "pairs_in"]


def pairs_in(run: RunRecord | Source, rules: PairRules | None = None) -> list[Pair]:
    """The preference pairs of all trees of a run."""
    source = run if isinstance(run, Source) else Source(run)
    record, group = source.record, source.item.group if source.item is not None else ""
    found = list(trees_in(record))
    pairs: list[Pair] = []
    for path, tree in found:
        at = path if len(found) > 1 else ""
        pairs += mined(tree, rules, run=record.id, tree_at=at, simulated=record.simulated, group=group)
    return pairs


def paired(
    sources: Sequence[Source],
    rules: PairRules,
    *,
    agents: Sequence[str],
    variant: Variant,
    trim: bool,
    shares: Mapping[Split, float],
    salt: str,
) -> tuple[list[Pair], list[tuple[Source, Pair]]]:
    """All pairs, and those that are kept with the runs that they come from.

    Raises:
        UsageError: There are none: no run has a tree, no tree has right answers, no siblings are a pair, none is kept.
    """
    trees = [tree for source in sources for _, tree in trees_in(source.record)]
    found = [(source, pair) for source in sources for pair in pairs_in(source, rules)]
    found = [(source, pair) for source, pair in found if not agents or pair.speaker in agents]
    pairs = [pair for _, pair in found]
    _expected(sources, trees, pairs, rules, agents)
    kept = {pair.id for pair in chosen_for(variant, pairs, trim=trim, shares=shares, salt=salt)}
    if not kept:
        raise UsageError(_nothing_left(kinds(pairs), variant, trim=trim))
    return pairs, [(source, pair) for source, pair in found if pair.id in kept]


def kinds(pairs: Sequence[Pair]) -> dict[str, int]:
    """How many pairs there are of each kind."""
    counts = Counter(pair.kind for pair in pairs)
    return {"resist": counts["resist"], "accept": counts["accept"]}


def _expected(
    sources: Sequence[Source], trees: Sequence[Tree], pairs: Sequence[Pair], rules: PairRules, agents: Sequence[str]
) -> None:
    names = ", ".join(source.record.id for source in sources[:3]) + (", …" if len(sources) > 3 else "")
    if not trees:
        raise UsageError(
            f"no dialogue tree in {names or 'no runs'}; preference pairs come from runs of persuasion_tree, "
            "finished or cut short"
        )
    if not any(tree.accepted for tree in trees):
        raise UsageError(
            f"the {amount(len(trees), 'tree')} in {names} know no right answers, so no reply is better than another; "
            "give the input `accepted` when growing them"
        )
    if not pairs:
        by = f" of {' or '.join(agents)}" if agents else ""
        raise UsageError(
            f"no pairs{by} in {amount(len(trees), 'tree')} ({names}): no two siblings differ by more than "
            f"{rules.gap:g} such that one keeps or takes over a right answer and the other does not; try a "
            "smaller --gap, or --any-children"
        )


def _nothing_left(found: Mapping[str, int], variant: Variant, *, trim: bool) -> str:
    lacking = [kind for kind, count in found.items() if not count]
    told = ", ".join(f"{count} {kind}" for kind, count in found.items())
    if lacking and (variant == lacking[0] or variant == "combined" or trim):
        why = f"none teaches to {lacking[0]}, and the variant {variant}"
        why += " is of that kind" if variant == lacking[0] else " has the size of the smaller kind"
        return f"no pair is left of {told}: {why}; take more runs, another --variant, or all of them (--variant all)"
    return (
        f"no pair is left of {told}: no split has enough of both kinds for the variant {variant}; take more "
        "runs, or leave out the trimming (--no-trim)"
    )
