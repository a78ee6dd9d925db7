"""A PostgreSQL server of one's own for tests: Debian's binaries, a folder that goes away, a port of this machine."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maieutic.errors import MaieuticError

__all__ = ["PostgresServer", "binaries", "serving"]

_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/local/bin")
_STARTING = 60.0
_SETTINGS = ("-c", "max_connections=60", "-c", "shared_buffers=32MB")
_HASTY = ("-c", "fsync=off")
"""The machine does not fail in a test, and a server that is killed loses nothing without it."""


def binaries() -> Path | None:
    """The folder with `initdb` and `postgres`, of the newest version there is; None if none is installed."""
    found = [
        folder
        for pattern in _PLACES
        for folder in Path("/").glob(pattern.lstrip("/"))
        if (folder / "initdb").exists() and (folder / "postgres").exists()
    ]
    on_path = shutil.which("initdb")
    if not found and on_path and shutil.which("postgres"):
        return Path(on_path).resolve().parent
    return max(found, key=_version, default=None)


@dataclass(slots=True)
class PostgresServer:
    """A server that runs.

    Attributes:
        port: On 127.0.0.1, where everybody is let in as "postgres".
        folder: Its files.
    """

    port: int
    folder: Path
    _bin: Path
    _settings: tuple[str, ...] = _SETTINGS
    _process: subprocess.Popen[bytes] | None = None
    _made: int = 0

    def fresh(self) -> str:
        """The address of a database that nobody has used."""
        import psycopg

        self._made += 1
        name = f"fresh_{self._made}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as db:
            db.execute(f"CREATE DATABASE {name}".encode())
        return self.url(name)

    def drop(self, url: str) -> None:
        """Delete a database that `fresh` made, whoever is connected to it."""
        import psycopg

        with psycopg.connect(self.url("postgres"), autocommit=True) as db:
            db.execute(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)".encode())

    def url(self, database: str) -> str:
        """The address of a database."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def cut(self, database: str | None = None) -> int:
        """Break all connections to a database (or to all) as an administrator would; how many there were."""
        import psycopg

        with psycopg.connect(self.url("postgres"), autocommit=True) as db:
            return len(
                db.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                    "AND backend_type = 'client backend' AND (%s::text IS NULL OR datname = %s)",
                    (database, database),
                ).fetchall()
            )

    def start(self) -> None:
        """Start it, and wait until it answers.

        Raises:
            MaieuticError: It does not; the message has its log.
        """
        log = self.folder / "log"
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [
                    *(str(self._bin / "postgres"), "-D", str(self.folder / "data"), "-p", str(self.port)),
                    *("-h", "127.0.0.1", "-k", str(self.folder), *self._settings),
                ],
                stdout=out,
                stderr=out,
                start_new_session=True,
                **_unprivileged(),
            )
        until = time.monotonic() + _STARTING
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                raise MaieuticError(f"PostgreSQL did not start: {log.read_text('utf-8', 'replace')[-1000:]}")
            time.sleep(0.05)

    def stop(self, *, at_once: bool = False) -> None:
        """Stop it: connections are closed, or with `at_once` it dies as in a crash."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT if at_once else signal.SIGINT)
            self._process.wait(timeout=_STARTING)
            self._process = None

    def _answers(self) -> bool:
        import psycopg

        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


@contextlib.contextmanager
def serving(*, durable: bool = False) -> Iterator[PostgresServer]:
    """A server as long as the block lasts.

    Args:
        durable: Whether every commit is on the disk; tests need not wait for that, measurements do.

    Raises:
        MaieuticError: There are no binaries, or it does not start.
    """
    found = binaries()
    if found is None:
        raise MaieuticError("There is no PostgreSQL here; install it: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="maieutic-postgres-"))
    server = PostgresServer(_free_port(), folder, found, _SETTINGS if durable else _SETTINGS + _HASTY)
    try:
        owner = _unprivileged()
        if owner:
            shutil.chown(folder, owner["user"], owner["group"])
        done = subprocess.run(
            [str(found / "initdb"), "-D", str(folder / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N"],
            capture_output=True,
            check=False,
            cwd=folder,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            **owner,
        )
        if done.returncode:
            raise MaieuticError(f"PostgreSQL cannot make a cluster: {done.stderr.decode('utf-8', 'replace')}")
        server.start()
        yield server
    finally:
        server.stop(at_once=True)
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged() -> dict[str, Any]:
    """As whom to start it: PostgreSQL refuses root, who gives way to the user that Debian made for it, or to nobody."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return {}
    import pwd

    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    user = names.get("postgres") or names.get("nobody")
    return {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _version(folder: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", str(folder)))
