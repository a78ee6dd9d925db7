"""Names of workers, which say where they live, so that others on the same machine see at once when one has died."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from pathlib import Path

__all__ = ["is_dead", "worker_name"]


def worker_name() -> str:
    """A name for a worker in this process: host, process, when the process began, and something random."""
    pid = os.getpid()
    return f"{socket.gethostname()}:{pid}:{_begun(pid)}:{secrets.token_hex(4)}"


def is_dead(name: str) -> bool:
    """Whether a worker's process has certainly ended. Of one on another machine nothing can be told but its lease."""
    host, _, rest = name.rpartition(":")[0].partition(":")
    pid, _, begun = rest.partition(":")
    if host != socket.gethostname() or not pid.isdecimal() or sys.platform == "win32":
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return begun != _begun(int(pid))


def _begun(pid: int) -> str:
    """When a process began, in the kernel's ticks; empty where the system does not say."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
