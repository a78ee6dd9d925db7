"""What tests of several rooms share: a real PostgreSQL server, one for the whole session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from maieutic.testing.postgres import PostgresServer, binaries, serving


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server of the session's own."""
    if binaries() is None:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql); nothing else is needed")
    with serving() as server:
        yield server


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[str]:
    """The address of a database that nobody has used."""
    url = postgres.fresh()
    yield url
    postgres.drop(url)
