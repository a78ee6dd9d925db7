"""Options that several verbs share, and what they come to."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

__all__ = [
    "STORE",
    "Pair",
    "RunOptions",
    "Talk",
    "elsewhere",
    "json_option",
    "pass_talk",
    "run_options",
    "store_option",
    "talk_options",
    "watch_options",
]

Command = TypeVar("Command", bound=Callable[..., Any])

if TYPE_CHECKING:
    PairType = click.ParamType[tuple[str, str]]
    StoreBase = click.ParamType[Path | str]
else:
    PairType = StoreBase = click.ParamType  # not generic before click 8.4

STORE = ".maieutic/journal.db"


class StoreType(StoreBase):
    """A store: a journal's file, or the address of a PostgreSQL database, which stays a text."""

    name = "store"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path | str:
        """The file or the address."""
        text = str(value)
        if text.startswith(("postgresql://", "postgres://")):
            return text
        if "://" in text:
            self.fail(f"{text.partition('://')[0]!r} stores are not known; name a file, or postgresql://…", param, ctx)
        path: Path = click.Path(dir_okay=False, path_type=Path).convert(value, param, ctx)
        return path


def elsewhere(store: Path | str | None) -> str:
    """How a command goes on that has to name the store: empty for the usual one; never with a password."""
    from maieutic.memory.databases import shown

    return "" if store is None or store == Path(STORE) else f" --store {shown(store)}"


@dataclass(slots=True)
class Talk:
    """How much is told, set before or after the verb.

    Attributes:
        verbose: Tell every call and route, and show tracebacks.
        quiet: Tell no progress.
    """

    verbose: bool = False
    quiet: bool = False


pass_talk = click.make_pass_decorator(Talk, ensure=True)


def talk_options(command: Command) -> Command:
    """-v and -q."""

    def told(ctx: click.Context, param: click.Parameter, value: bool) -> None:
        if value:
            setattr(ctx.ensure_object(Talk), str(param.name), True)

    for name, text in (
        ("quiet", "Tell no progress; the result only."),
        ("verbose", "Tell more; tracebacks of errors."),
    ):
        command = click.option(f"-{name[0]}", f"--{name}", is_flag=True, expose_value=False, callback=told, help=text)(
            command
        )
    return command


class Pair(PairType):
    """NAME=VALUE. From an environment variable, one pair a line."""

    name = "name=value"
    envvar_list_splitter = "\n"

    def __init__(self, bare: str | None = None) -> None:
        self.bare = bare

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """The name and the value; a value without a name goes by the name `bare`, if there is one."""
        if isinstance(value, tuple):
            return value[0], value[1]
        name, equals, rest = str(value).partition("=")
        if self.bare is not None and (not equals or "/" in name):  # a model string may have an = of its own
            return self.bare, str(value).strip()
        if not equals or not name.strip():
            self.fail(f"{value!r} is not of the form NAME=VALUE", param, ctx)
        if self.bare is not None and not rest.strip():
            self.fail(f"{value!r} names no model", param, ctx)
        return name.strip(), rest.strip()


store_option = click.option(
    "--store",
    type=StoreType(),
    metavar="FILE|URL",
    default=STORE,
    show_default=True,
    envvar="MAIEUTIC_STORE",
    help="The journal that keeps every run: a file, or postgresql://….",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object (or array) instead of text.")


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What `run` and `debate` have in common; each field is an option of the same name.

    Attributes:
        given, model, settings: Pairs as typed after -i, --model and --set.
    """

    given: tuple[tuple[str, str], ...]
    model: tuple[tuple[str, str], ...]
    settings: tuple[tuple[str, str], ...]
    seed: int | None
    budget: str | None
    store: Path | str
    record: Path | None
    replay: Path | None
    offline: bool
    cache: bool
    dry_run: bool
    as_json: bool
    pace: float


_FILE = click.Path(dir_okay=False, path_type=Path)
_CASSETTE = click.Path(exists=True, dir_okay=False, path_type=Path)

pace_option = click.option(
    "--pace",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="SECONDS",
    help="Wait so long after each turn, to read along (in a terminal only).",
)

_RUN = (
    click.option(
        "-i",
        "--input",
        "given",
        type=Pair(),
        multiple=True,
        metavar="NAME=VALUE",
        help="An input of the graph; NAME=@FILE reads it from a file. Repeatable.",
    ),
    click.option(
        "-m",
        "--model",
        type=Pair(bare="*"),
        multiple=True,
        metavar="[WHO=]MODEL",
        help="A LiteLLM model for all agents, or for one agent or role (judge=openai/gpt-5-mini). Repeatable.",
    ),
    click.option(
        "--set",
        "settings",
        type=Pair(),
        multiple=True,
        metavar="PATH=VALUE",
        help="Change a setting of the file, such as with.rounds=2 or limits.usd=0.1. Repeatable.",
    ),
    click.option("--seed", type=int, metavar="N", help="Of everything drawn at random (default: the file's, else 0)."),
    click.option("--budget", metavar="LIMITS", help='Such as "0.50" (US dollars), "200k tokens", "100 calls,60s".'),
    store_option,
    click.option("--record", type=_FILE, metavar="FILE", help="Also write the run to a cassette, one readable file."),
    click.option("--replay", type=_CASSETTE, metavar="FILE", help="Let a cassette answer; no model is called."),
    click.option("--offline", is_flag=True, help="Refuse every model that needs the network."),
    click.option("--cache", is_flag=True, help="Let recorded replies to the same requests answer, of whatever run."),
    click.option("--dry-run", is_flag=True, help="Show the plan with calls and an estimate of cost; call nothing."),
    json_option,
    pace_option,
)


def run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Everything in RunOptions, given to the command as `options`."""
    names = [field.name for field in fields(RunOptions)]

    @functools.wraps(command)
    def collected(**values: Any) -> Any:
        options = RunOptions(**{name: values.pop(name) for name in names})
        return command(options=options, **values)

    return cast("Callable[..., Any]", _all(_RUN)(talk_options(collected)))


def watch_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What `resume`, `replay` and `fork` have in common."""
    return cast("Callable[..., Any]", _all((store_option, json_option, pace_option))(talk_options(command)))


def _all(options: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate
