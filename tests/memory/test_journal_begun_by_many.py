"""A new file that several processes open at the same moment."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from maieutic.memory.database import connect, prepare
from maieutic.runs.experiments.tables import connect as connect_experiments

AT_ONCE, FILES = 4, 150


def journal(path: Path) -> sqlite3.Connection:
    db = connect(path, busy_timeout=30)
    prepare(db, path)
    return db


@pytest.mark.parametrize("opened", [journal, connect_experiments])
def test_all_that_open_a_new_file_at_once_find_it_whole(
    tmp_path: Path, opened: Callable[[Path], sqlite3.Connection]
) -> None:
    ready = Barrier(AT_ONCE)

    def open_all() -> list[int]:
        found = []
        for number in range(FILES):
            ready.wait(30)
            db = opened(tmp_path / f"{number}.db")
            found.append(db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
            db.close()
        return found

    with ThreadPoolExecutor(AT_ONCE) as pool:
        tables = {count for each in [pool.submit(open_all) for _ in range(AT_ONCE)] for count in each.result(60)}
    assert len(tables) == 1
    assert tables != {0}
