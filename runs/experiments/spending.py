"""One budget for a whole experiment, held exactly while thousands of its dialogues are in flight."""

from __future__ import annotations

import math

from maieutic.backends import Budget
from maieutic.backends.budget import Limit, Spend
from maieutic.errors import BudgetExceeded
from maieutic.runs.experiments.spec import BudgetSpec
from maieutic.runs.experiments.store import Counts

__all__ = ["Purse", "Within", "shares"]


class Purse(Budget):
    """The experiment's budget: what its finished dialogues took is spent already.

    Args:
        limits: Of the experiment.
        counts: How far it is.

    Attributes:
        refused: Why a call was refused; empty as long as none was.
        limit: The limit that the first refused call met.
    """

    def __init__(self, limits: BudgetSpec, counts: Counts) -> None:
        super().__init__(usd=limits.usd, tokens=limits.tokens, calls=limits.calls, seconds=limits.seconds)
        for tally in counts.values():
            self.spent += Spend(tally.usd, tally.tokens, tally.calls)
        self.refused = ""
        self.limit: Limit | None = None

    def refuse(self, limit: Limit) -> BudgetExceeded:
        """The error that a call meets which does not fit any more; the first of them is kept as `refused`."""
        whole = {
            "usd": f"${self.usd or 0:g}, of which ${self.spent.usd:.4g} are spent",
            "tokens": f"{self.tokens} tokens, of which {self.spent.tokens} are spent",
            "calls": f"{self.calls} calls, of which {self.spent.calls} are made",
            "seconds": f"{self.seconds or 0:g} seconds, which are over",
        }
        self.limit = self.limit or limit
        self.refused = self.refused or (
            f"The experiment's budget is {whole[limit]}. What there is is kept; raise the budget and run the "
            "experiment again: it goes on where it stopped."
        )
        return BudgetExceeded(self.refused, limit=limit)


def shares(purse: Purse, workers: int) -> list[BudgetSpec]:
    """What is left of a budget in as many equal parts as there are workers, or in fewer if it is too little for that.

    Empty if nothing is left; then `purse.limit` says of what.
    """
    left: dict[Limit, float | None] = {
        "usd": None if purse.usd is None else purse.usd - purse.spent.usd,
        "tokens": None if purse.tokens is None else purse.tokens - purse.spent.tokens,
        "calls": None if purse.calls is None else purse.calls - purse.spent.calls,
    }
    for limit, amount in left.items():
        if amount is not None and amount <= 0:
            purse.refuse(limit)
            return []
    parts = min(workers, int(left["tokens"] or workers), int(left["calls"] or workers))
    return [
        BudgetSpec(
            usd=None if left["usd"] is None else left["usd"] / parts,
            tokens=_part(left["tokens"], parts, n),
            calls=_part(left["calls"], parts, n),
            seconds=purse.seconds,
        )
        for n in range(parts)
    ]


def _part(amount: float | None, parts: int, n: int) -> int | None:
    """The n-th of so many parts of a number, none of which differs from another by more than one."""
    return None if amount is None else int(amount) // parts + (n < int(amount) % parts)


class Within(Budget):
    """The budget of one dialogue within the experiment's: a call is made if it fits into both.

    Args:
        own: The dialogue's own limits, if its graph has any.
        purse: The experiment's.

    Attributes:
        refused: Whether the experiment's budget refused a call of this dialogue.
    """

    def __init__(self, own: Budget | None, purse: Purse) -> None:
        own = own or Budget()
        super().__init__(
            # With a limit in US dollars, however high, calls are priced before they are made.
            usd=math.inf if own.usd is None and purse.usd is not None else own.usd,
            tokens=own.tokens,
            calls=own.calls,
            seconds=own.seconds,
            on_exceed=own.on_exceed,
            degrade_to=own.degrade_to,
            reply_tokens=own.reply_tokens,
        )
        self._purse = purse
        self.refused = False

    def start(self) -> None:
        """Start both clocks."""
        super().start()
        self._purse.start()

    def charge(self, actual: Spend) -> None:
        """Book in both."""
        super().charge(actual)
        self._purse.charge(actual)

    async def reserve(self, bound: Spend) -> Limit | None:
        """Reserve in both, or in none.

        Raises:
            BudgetExceeded: It does not fit into the experiment's.
        """
        limit = await self._purse.reserve(bound)
        if limit is not None:
            self.refused = True
            raise self._purse.refuse(limit)
        try:
            own = await super().reserve(bound)
        except BaseException:
            self._purse.settle(bound, Spend())
            raise
        if own is not None and self.on_exceed != "warn":
            self._purse.settle(bound, Spend())
        return own

    def settle(self, bound: Spend, actual: Spend) -> None:
        """Book in both."""
        super().settle(bound, actual)
        self._purse.settle(bound, actual)
