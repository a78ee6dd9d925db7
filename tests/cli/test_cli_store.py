"""`--store`: a file, or the address of a PostgreSQL database, whose password is never shown."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from maieutic.cli.app import app


def maieutic(*arguments: str, store: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"MAIEUTIC_STORE": store}, catch_exceptions=False)


def test_runs_are_kept_in_postgresql_and_taken_up_from_there(database: str) -> None:
    store = database.replace("postgres@", "postgres:very-secret@")
    first = maieutic("debate", "Should cities ban cars?", "--rounds", "1", "--json", store=store)
    assert first.exit_code == 0
    told = json.loads(first.stdout)
    assert told["status"] == "done"
    again = maieutic("resume", "last", "--json", store=store)
    assert json.loads(again.stdout)["answer"] == told["answer"]
    ledger = json.loads(again.stdout)["ledger"]["total"]
    assert ledger["from_journal"] == ledger["calls"]
    shown = maieutic("runs", "show", "last", store=store)
    assert "Answer: " in shown.stdout
    assert maieutic("runs", "prune", "--keep", "0", store=store).exit_code == 0
    empty = maieutic("runs", "list", store=store)
    assert f"No runs in {database} yet." in empty.stderr
    for result in (first, again, shown, empty):
        assert "secret" not in result.output + result.stderr


@pytest.mark.parametrize(
    ("store", "arguments", "code", "message"),
    [
        ("mysql://x/y", ["runs", "list"], 2, "'mysql' stores are not known; name a file, or postgresql://"),
        ("postgresql://u:secret@127.0.0.1:1/x", ["runs", "list"], 1, "postgresql://u@127.0.0.1:1/x cannot be opened"),
        ("postgresql://u:secret@h/x", ["runs", "repair"], 2, "postgresql://u@h/x is PostgreSQL's to repair"),
    ],
)
def test_stores_that_cannot_be_used_are_told(store: str, arguments: list[str], code: int, message: str) -> None:
    done = maieutic(*arguments, store=store)
    assert done.exit_code == code
    assert message in " ".join(done.stderr.split())
    assert "secret" not in done.stderr
