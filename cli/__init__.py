"""The command line, a thin skin over the public API: what a command does, a library user can do in a few lines.

Nothing heavy is imported before a command needs it; a test guards `maieutic --help`, `validate` and an offline debate.
"""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """The `maieutic` command: run what the command line asks for and exit with its code."""
    from maieutic.cli.app import app

    app(prog_name="maieutic")
