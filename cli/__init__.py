"""The command line, a thin skin over the public API: what a command does, a library user can do in a few lines.

Nothing heavy is imported before a command needs it; a test guards `maieutic --help`, `validate` and an offline debate.
"""

from __future__ import annotations

import gc

__all__ = ["main"]

_YOUNG = 20_000
"""New objects after which the garbage collector looks for young garbage. Python's 700 are too few where hundreds of
dialogues wait: each look walks all that they hold, and finds nothing."""


def main() -> None:
    """The `maieutic` command: run what the command line asks for and exit with its code."""
    from maieutic.cli.app import app

    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])
    app(prog_name="maieutic")
