"""Acts side by side: different ones (`parallel`), or one for every item of a list (`map`)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from maieutic.errors import MaieuticError
from maieutic.graphs.acts import Act, Done, Formulas, evaluated
from maieutic.graphs.failing import Formula

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from maieutic.backends.place import Place

__all__ = ["MapAct", "ParallelAct"]


@dataclass(frozen=True, slots=True)
class ParallelAct:
    """Branches that all read the state as it was before, and join.

    Their writes, turns and observations keep the file's order.
    """

    branches: Mapping[str, Act]

    async def __call__(self, at: Place, values: Mapping[str, Any], dialogue: Sequence[Mapping[str, Any]]) -> Done:
        """Run all branches to their end, then fail with the first error in the file's order, if there is one."""
        done = await _all([partial(act, at / name, values, dialogue) for name, act in self.branches.items()])
        return _joined(done)


@dataclass(frozen=True, slots=True)
class MapAct:
    """One act for every item of a list; the limits of the endpoints decide how many are in flight."""

    over: Formula
    item: str
    act: Act
    collect: Formulas

    async def __call__(self, at: Place, values: Mapping[str, Any], dialogue: Sequence[Mapping[str, Any]]) -> Done:
        """Run all items to their end, then fail with the first error in the list's order, if there is one."""
        items = self.over.value(values)
        if not isinstance(items, list):
            raise self.over.failure("a map needs a list", {self.over.expression.text: items})
        seen = [{**values, self.item: item} for item in items]
        done = await _all([partial(self.act, at / f"item{i}", one, dialogue) for i, one in enumerate(seen)])
        joined = _joined(done)
        rows = [evaluated(self.collect, {**one, **act.result}) for one, act in zip(seen, done, strict=True)]
        collected = tuple((name, [row[name] for row in rows]) for name in self.collect)
        return replace(joined, writes=(*joined.writes, *collected))


def _joined(done: Sequence[Done]) -> Done:
    return Done(
        writes=tuple(write for one in done for write in one.writes),
        turns=tuple(turn for one in done for turn in one.turns),
        observed=tuple(seen for one in done for seen in one.observed),
    )


async def _all(acts: Sequence[Callable[[], Awaitable[Done]]]) -> list[Done]:
    """The results of acts that run at once.

    One that fails does not end the others: their calls are under way and paid for, and once they are in the journal a
    resumed run has them. Cancelling from outside ends them all.
    """
    results: list[Done | Exception] = [Done()] * len(acts)

    async def attempt(index: int, act: Callable[[], Awaitable[Done]]) -> None:
        try:
            results[index] = await act()
        except Exception as error:
            results[index] = error

    async with asyncio.TaskGroup() as group:
        for index, act in enumerate(acts):
            group.create_task(attempt(index, act))
    errors = [result for result in results if isinstance(result, Exception)]
    if errors:
        raise next((error for error in errors if isinstance(error, MaieuticError)), errors[0])
    return [result for result in results if isinstance(result, Done)]
