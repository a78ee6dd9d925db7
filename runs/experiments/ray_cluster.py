"""Joining a Ray cluster, or starting one here; Ray is imported when it is used."""

from __future__ import annotations

import importlib
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from maieutic.errors import UsageError
from maieutic.memory.databases import is_url

__all__ = ["ALIKE", "LOCAL", "check_reach", "hosts", "joined", "processors"]

LOCAL, AUTO = "local", "auto"
"""In place of an address: Ray is started here, for this execution; the Ray that runs on this machine already."""
ALIKE = "Every machine needs the same Python, Ray and maieutic, and the files that the experiment names."

_OBJECTS = 100 * 2**20
"""Bytes of shared memory that a Ray of our own sets aside; nothing large passes through it."""
_KNOCK = 5.0
"""Seconds in which a cluster has to answer."""


@contextmanager
def joined(address: str, workers: int | None) -> Iterator[Any]:
    """The library `ray`, connected; a program that is connected already stays so.

    Args:
        address: "local"; "auto", the Ray that runs on this machine already; or a cluster's HOST:PORT or ray://HOST:PORT.
        workers: For how many there has to be room, where Ray is started here.

    Raises:
        UsageError: Ray is not installed, does not start, or is not at the address.
    """
    try:
        ray: Any = importlib.import_module("ray")
    except ImportError as error:
        raise UsageError("Ray is not installed. Install it with: pip install 'maieutic[ray]'") from error
    if address not in (LOCAL, AUTO):
        _knock(address)
    if ray.is_initialized():
        yield ray
        return
    _connect(ray, address, workers)
    try:
        yield ray
    finally:
        ray.shutdown()


def _connect(ray: Any, address: str, workers: int | None) -> None:
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address == LOCAL:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # else it would report to its makers
        quiet |= {"num_cpus": workers, "include_dashboard": False, "object_store_memory": _OBJECTS}
    try:
        ray.init(address=address, **quiet)
    except Exception as error:
        what = "Ray does not start" if address == LOCAL else f"The Ray cluster at {address!r} cannot be joined"
        raise UsageError(f"{what}: {error}. {ALIKE} Without --ray the experiment runs in this process.") from error


def _knock(address: str) -> None:
    """See first whether anybody is there: Ray itself takes minutes to tell, and ends the process."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not (colon and host and port.isdecimal()):
        raise UsageError(
            f"{address!r} is no address of a Ray cluster; write HOST:PORT, ray://HOST:PORT, auto (the one that runs on "
            "this machine) or local (one of its own)."
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_KNOCK).close()
    except (OSError, OverflowError) as error:
        raise UsageError(
            f"Nothing answers at {address!r} ({error}). `ray status` on the cluster's head tells its address; "
            "`ray start --head` starts one."
        ) from error


def check_reach(store: str, hosts: set[str]) -> None:
    """Refuse a file where workers may be on other machines.

    Args:
        store: The journal's file or address.
        hosts: The names of the cluster's machines.

    Raises:
        UsageError: It is a file, and not all of them are this machine.
    """
    others = sorted(hosts - {socket.gethostname()})
    if others and not is_url(store):
        raise UsageError(
            f"The store {store} is a file, and the Ray cluster has other machines than this one ({', '.join(others)}). "
            "Name a PostgreSQL database that they all reach: --store postgresql://…"
        )


def hosts(ray: Any) -> set[str]:
    """The names of the cluster's machines."""
    return {node["NodeManagerHostname"] for node in ray.nodes() if node["Alive"]}


def processors(ray: Any) -> int:
    """How many the cluster has."""
    return max(1, int(ray.cluster_resources().get("CPU", 1)))
