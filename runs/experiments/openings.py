"""How many dialogues of an experiment are open at a time, and which is opened next."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from maieutic.runs.program import models_of

if TYPE_CHECKING:
    from maieutic.backends import Endpoints
    from maieutic.runs.experiments.conditions import Condition
    from maieutic.runs.experiments.store import Unit

__all__ = ["Openings"]

_WITHOUT_LIMITS = 32
"""Dialogues that are open where no endpoint limits them: persons answer, or nobody."""
_CLAIM = 512
"""Units that are claimed at a time, at most."""


class Openings:
    """The units that one process has claimed and not begun.

    As many dialogues are open as the endpoints have slots, and a quarter more: while one is between two calls, another
    one's call waits already. More would change nothing for the endpoints, which answer the oldest dialogues first.

    Units are opened in the order in which the store hands them out, so that all conditions advance together, until the
    store has no more: the last ones, as many as are open at a time, are opened longest first. So no long dialogue is
    left to run by itself at the end.

    Args:
        conditions: By name.
        endpoints: Whose limits count.
        fixed: How many are open, whatever the limits.
        in_order: Whether the last ones are opened in the store's order, too.
    """

    def __init__(
        self,
        conditions: Mapping[str, Condition],
        endpoints: Endpoints,
        fixed: int | None = None,
        *,
        in_order: bool = False,
    ) -> None:
        self._fixed = fixed
        self._in_order = in_order
        self._limiters = endpoints.limiters(m for c in conditions.values() for m in models_of(c.program))
        self._calls = {name: condition.program.plan().most for name, condition in conditions.items()}
        self._ahead: deque[Unit] = deque()
        self._last = False

    @property
    def most(self) -> int:
        """How many may be open now; it follows the endpoints' limits as they adapt."""
        if self._fixed is not None:
            return self._fixed
        slots = sum(limiter.limit for limiter in self._limiters) or _WITHOUT_LIMITS
        return slots + max(1, slots // 4)

    def missing(self, open_now: int, *, waited: bool) -> int:
        """How many units to claim before the next is taken.

        Those that are still to come are looked over, some at a time, so that other workers have their share of them.

        Args:
            open_now: Dialogues that are open.
            waited: Whether a unit had to wait until another one was done. Before that, no more are claimed than are
                opened at once.
        """
        window = min(_CLAIM, self.most)
        some = max(2, window // 8)
        now = 0 if self._ahead else max(1, min(_CLAIM, self.most - open_now))
        more = waited and not self._last and len(self._ahead) + some <= window
        return now + some * more

    def add(self, units: Sequence[Unit], *, last: bool) -> None:
        """Take in what was claimed; `last` if the store has no more for now."""
        self._ahead.extend(units)
        self._last = last
        if last and not self._in_order:
            self._ahead = deque(sorted(self._ahead, key=lambda unit: -self._calls[unit.condition]))

    def next(self) -> Unit | None:
        """The unit to be opened now, if there is one."""
        return self._ahead.popleft() if self._ahead else None
