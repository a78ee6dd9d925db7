"""What an experiment would take, and what it came to, in columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from maieutic.cli.scene import money, quantity
from maieutic.cli.tables import columns

if TYPE_CHECKING:
    from maieutic.runs.experiments import Experiment, ExperimentRun
    from maieutic.runs.experiments.execution import Outlook
    from maieutic.runs.experiments.store import Counts

__all__ = ["judges_calls", "means", "outlook_json", "outlook_table", "results_table"]


def means(done: ExperimentRun) -> tuple[dict[str, dict[str, float | None]], bool]:
    """Mean scores by condition, read once; whether simulated minds answered."""
    sums: dict[str, dict[str, list[float]]] = {}
    simulated = False
    for result in done.results:
        simulated = simulated or result.simulated
        for name, value in result.scores.items():
            kept = sums.setdefault(result.condition, {}).setdefault(name, [])
            if value is not None:
                kept[:] = [kept[0] + value, kept[1] + 1] if kept else [value, 1]
    return {c: {n: s[0] / s[1] if s else None for n, s in by.items()} for c, by in sums.items()}, simulated


def results_table(counts: Counts, found: Mapping[str, Mapping[str, float | None]]) -> str:
    """What every condition came to."""
    scorers = list(dict.fromkeys(name for by in found.values() for name in by))
    rows = []
    for name, tally in counts.items():
        n = max(1, tally.over)
        cost = (
            "unknown"
            if tally.unpriced and tally.unpriced == tally.over
            else money(tally.usd) + "+?" * bool(tally.unpriced)
        )
        scores = [found.get(name, {}).get(scorer) for scorer in scorers]
        rows.append(
            (
                *(name, f"{tally.done}/{tally.planned}", str(tally.failed), str(tally.stopped)),
                *("" if score is None else f"{score:.3f}" for score in scores),
                *(f"{tally.calls / n:.1f}", quantity(tally.tokens / n), cost),
            )
        )
    head = ("condition", "done", "failed", "stopped", *scorers, "calls each", "tokens each", "cost")
    return columns(head, rows, right=range(1, len(head)))


def judges_calls(experiment: Experiment) -> dict[str, int]:
    """How many calls a scorer that asks models makes for each dialogue, by scorer."""
    judges = (scorer for scorer in experiment.scorers if scorer.needs != "nothing")
    return {judge.name: len(getattr(judge, "models", ())) * (1 + (judge.needs == "pairs")) for judge in judges}


def outlook_json(name: str, outlook: Sequence[Outlook], judges: Mapping[str, int]) -> dict[str, Any]:
    """What would be run, plain JSON; pairs are (least, most)."""
    told = [
        {
            **{"condition": o.condition, "dialogues": o.planned, "over": o.over, "calls": o.calls},
            **{"tokens": o.tokens, "usd": o.usd, "unpriced": o.each.unpriced},
        }
        for o in outlook
    ]
    return {"experiment": name, "conditions": told, "judgements_each": dict(judges)}


def outlook_table(name: str, outlook: Sequence[Outlook], judges: Mapping[str, int]) -> str:
    """What would be run."""
    rows = [*(_planned(o.condition, [o]) for o in outlook), _planned("together", outlook)]
    head = ("condition", "dialogues", "computed", "calls", "tokens", "cost")
    notes = [
        "Calls, tokens and cost are of what is not computed yet. Calls are counted, tokens and cost estimated from "
        "typical lengths. Nothing was called."
    ]
    if unpriced := dict.fromkeys(model for o in outlook for model in o.each.unpriced):
        notes.append(f"No price is known for {', '.join(unpriced)}: the cost leaves it out.")
    if judges:
        each = ", ".join(f"{scorer} {calls}" for scorer, calls in judges.items())
        notes.append(f"Calls of judges come on top, for each dialogue: {each}.")
    return "\n".join((f"Plan of {name}", "", columns(head, rows, right=range(1, 6)), "", *notes))


def _planned(name: str, part: Sequence[Outlook]) -> tuple[str, ...]:
    def span(pairs: Sequence[tuple[float, float]], how: Callable[[float], str]) -> str:
        low, high = (how(sum(pair[i] for pair in pairs)) for i in (0, 1))
        return low if low == high else f"{low}–{high}"

    cost = span([o.usd for o in part], money)
    if any(o.each.unpriced for o in part):
        cost = f"{cost}+?" if any(any(o.usd) for o in part) else "unknown"
    return (
        *(name, str(sum(o.planned for o in part)), str(sum(o.over for o in part))),
        *(span([o.calls for o in part], quantity), span([o.tokens for o in part], quantity), cost),
    )
