"""The `maieutic` command and its verbs."""

from __future__ import annotations

import os
import sys
import traceback
from difflib import get_close_matches
from importlib import import_module
from typing import Any

import click

from maieutic.cli.exit_codes import CANCELLED, MEANINGS, of_error
from maieutic.cli.options import Talk, talk_options
from maieutic.errors import MaieuticError

__all__ = ["App", "app"]

VERBS = {
    "debate": "debate",
    "tutor": "tutor",
    "route": "route",
    "run": "running",
    "eval": "eval",
    "resume": "running",
    "replay": "running",
    "fork": "running",
    "new": "files",
    "validate": "files",
    "graph": "files",
    "explain": "files",
    "schema": "files",
    "runs": "history",
    "export": "export",
    "score": "scoring",
    "report": "reporting",
    "doctor": "doctor",
}
"""Every verb and the module of `maieutic.cli` that has it, in the order of `--help`."""

EPILOG = "\b\nExit codes:\n" + "\n".join(f"  {code:>3}  {meaning}" for code, meaning in MEANINGS.items())


class Failure(click.ClickException):
    """An error of ours as a user reads it: the message on stderr, and the exit code that says what kind it is."""

    def __init__(self, error: MaieuticError) -> None:
        super().__init__(str(error))
        self._error = error

    @property
    def exit_code(self) -> int:  # type: ignore[override]
        """See maieutic.cli.exit_codes."""
        return of_error(self._error)

    def show(self, file: Any = None) -> None:
        """Write the message."""
        colour = _colour()
        click.secho("Error: ", fg="red", bold=True, nl=False, err=True, file=file, color=colour)
        click.echo(self.message, err=True, file=file, color=colour)


def _colour() -> bool | None:
    """Whether to write in colour: never if NO_COLOR is set or TERM is dumb, else as the stream allows."""
    return False if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" else None


class App(click.Group):
    """A group whose verbs are imported when they are needed, and that turns errors into messages and exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs, in the order in which one comes to need them."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb of that name."""
        if cmd_name not in VERBS:
            return None
        module = import_module(f"maieutic.cli.{VERBS[cmd_name]}")
        return getattr(module, cmd_name)  # type: ignore[no-any-return]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb that is meant; for one that is not there, the nearest."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            if close := get_close_matches(args[0], VERBS, 1):
                raise click.UsageError(f"No such command {args[0]!r}; did you mean {close[0]!r}?", ctx) from error
            raise

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb."""
        ctx.color = _colour()
        try:
            return super().invoke(ctx)
        except MaieuticError as error:
            if ctx.ensure_object(Talk).verbose:
                traceback.print_exc()
            raise Failure(error) from error
        except KeyboardInterrupt:
            click.echo("Cancelled.", err=True)
            ctx.exit(CANCELLED)
        except BrokenPipeError:
            # The reader of our pipe has gone (`maieutic runs list | head`): nothing is left to say, not even at exit.
            sys.stderr.close()
            ctx.exit(0)
        except OSError as error:
            if ctx.ensure_object(Talk).verbose:
                traceback.print_exc()
            raise click.ClickException(str(error)) from error


def _version(ctx: click.Context, param: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"maieutic {version('maieutic')}")
        ctx.exit()


@click.group(
    cls=App,
    epilog=EPILOG,
    context_settings={
        "auto_envvar_prefix": "MAIEUTIC",
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
    },
)
@talk_options
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Say the version.")
def app() -> None:
    """Agents that debate, teach and route along LangGraph state machines, over any LiteLLM model.

    Start with:  maieutic debate "Should cities ban cars?"

    Every option is also an environment variable: --rounds of debate is MAIEUTIC_DEBATE_ROUNDS.
    """
