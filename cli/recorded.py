"""Runs that are in a store already, or on a cassette."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from maieutic.cli.options import Talk
from maieutic.errors import UsageError

if TYPE_CHECKING:
    from maieutic.cli.perform import Act
    from maieutic.memory import Emit, Journal, RunRecord
    from maieutic.runs import Definition

__all__ = ["again", "find", "opened", "recorded", "recorded_on"]

LAST = "last"
"""Instead of an id: the newest run."""


def opened(store: Path | str) -> Journal:
    """The journal of a store that is there.

    Raises:
        UsageError: It is not; a reader must not make an empty one.
        JournalError: It cannot be read.
    """
    from maieutic.memory import Journal

    if isinstance(store, Path) and not store.exists():
        raise UsageError(
            f"There is no journal {store} here yet; runs are kept once there are some (--store names another)."
        )
    return Journal.open(store)


def find(journal: Journal, name: str) -> RunRecord:
    """The run of that id, or that an id begins so, or the newest if the name is `last`.

    Raises:
        UsageError: There is none, or several.
    """
    if name != LAST:
        return journal.run(name)
    newest = next(iter(journal.runs(1)), None)
    if newest is None:
        raise UsageError("This journal has no runs yet.")
    return newest


def recorded(store: Path | str, name: str) -> tuple[RunRecord, Definition]:
    """A run and how to do it again.

    Raises:
        UsageError: There is no such run, or no graph file can describe it.
    """
    from maieutic.runs import Definition

    with opened(store) as journal:
        record = find(journal, name)
    return record, Definition.of(record)


def recorded_on(cassette: Path) -> tuple[RunRecord, Definition]:
    """The same of a cassette.

    Raises:
        JournalError: It cannot be read.
    """
    from maieutic.memory import Journal
    from maieutic.runs import Definition

    with Journal.open(None) as journal:
        record = journal.run(journal.import_(cassette))
    return record, Definition.of(record)


def again(
    act: Act,
    record: RunRecord,
    definition: Definition,
    talk: Talk,
    *,
    store: Path | str | None,
    as_json: bool,
    pace: float,
    run_id: str | None = None,
    answers: Mapping[str, str] | None = None,
    also: Sequence[Emit] = (),
    going_on: str = "",
) -> NoReturn:
    """Perform something with a recorded run."""
    from maieutic.cli.people import people_in
    from maieutic.cli.perform import Performance, perform
    from maieutic.cli.scene import headline

    program: Any = definition.program()
    seats = people_in(program)
    perform(
        Performance(
            act,
            headline(program.spec, definition.inputs, simulated=record.simulated),
            run_id or record.id,
            talk,
            store=store,
            as_json=as_json,
            pace=pace,
            answers=answers or {},
            seat=seats[0] if len(seats) == 1 else None,
            also=also,
            going_on=going_on,
        )
    )
