"""Plain tables, as they are printed by `runs list`, `--dry-run`, `runs show --ledger` and `doctor`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from maieutic.cli.scene import clean, money, quantity

if TYPE_CHECKING:
    from maieutic.runs import Estimate

__all__ = ["columns", "ledger_table", "plan_table", "shortened"]


def columns(head: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[int] = ()) -> str:
    """Rows in columns two spaces apart, without lines: readable for people and for `awk`.

    Args:
        head: The columns' names.
        rows: The cells.
        right: Numbers of the columns that are aligned at the right.
    """
    cells = [list(head), *([clean(str(cell)).replace("\n", " ") for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    )


def shortened(text: str, most: int) -> str:
    """One line of at most so many characters."""
    line = " ".join(clean(text).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def plan_table(name: str, plan: Estimate) -> str:
    """The plan of a run that has not begun."""
    rows = [
        (
            line.agent,
            line.model,
            _span(line.calls),
            _span(line.tokens),
            "unknown" if line.usd is None else _price(line.usd),
        )
        for line in plan.agents
    ]
    unknown = [line.usd is None for line in plan.agents]
    cost = "unknown" if unknown and all(unknown) else _price(plan.usd) + "+?" * any(unknown)
    rows.append(("together", "", _span(plan.calls), _span(plan.tokens), cost))
    table = columns(("agent", "model", "calls", "tokens", "cost"), rows, right=(2, 3, 4))
    notes = ["Calls are counted; tokens and cost are estimates from typical lengths. Nothing was called."]
    if plan.unpriced:
        notes.append(f"No price is known for {', '.join(plan.unpriced)}: the cost leaves it out.")
    return "\n".join((f"Plan of {name}", "", table, "", *notes))


def _span(pair: tuple[int, int]) -> str:
    low, high = pair
    return quantity(low) if low == high else f"{quantity(low)}–{quantity(high)}"


def _price(pair: tuple[float, float]) -> str:
    low, high = money(pair[0]), money(pair[1])
    return low if low == high else f"{low}–{high}"


def ledger_table(ledger: Mapping[str, Any]) -> str:
    """What a run took, by agent and by model, from `Ledger.to_json()`."""
    rows: list[Sequence[str]] = []
    for group in ("by_agent", "by_model"):
        rows += [_tally(name or "(nobody)", tally) for name, tally in ledger.get(group, {}).items()]
    rows.append(_tally("together", ledger.get("total", {})))
    head = ("who", "calls", "attempts", "failed", "prompt", "cached", "reply", "reasoning", "cost", "seconds")
    return columns(head, rows, right=range(1, 10))


def _tally(name: str, tally: Mapping[str, Any]) -> Sequence[str]:
    unknown = tally.get("unknown_price", 0)
    cost = (
        "unknown" if unknown and unknown == tally.get("calls") else money(tally.get("usd", 0.0)) + "+?" * bool(unknown)
    )
    failed = ", ".join(f"{count} {kind}" for kind, count in (tally.get("failed") or {}).items())
    numbers = [str(tally.get(key, 0)) for key in ("calls", "attempts")]
    tokens = [quantity(tally.get(key, 0)) for key in ("prompt", "cached", "completion", "reasoning")]
    return (name, *numbers, failed or "0", *tokens, cost, f"{tally.get('seconds', 0.0):.1f}")
