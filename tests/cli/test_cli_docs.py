"""The tables of docs/command-line.md are what the commands say of themselves.

`MAIEUTIC_WRITE_DOCS=1 pytest tests/cli/test_cli_docs.py` writes them anew.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import click

from maieutic.cli.app import VERBS, app
from maieutic.cli.exit_codes import MEANINGS

PAGE = Path(__file__).parents[2] / "docs" / "command-line.md"
PART = re.compile(r"(<!-- (\S+(?: \S+)*) -->\n).*?(<!-- end -->)", re.DOTALL)


def commands() -> Iterator[tuple[str, click.Command]]:
    context = click.Context(app)
    for name in VERBS:
        command = app.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            for inner in command.list_commands(context):
                found = command.get_command(context, inner)
                assert found is not None
                yield f"{name} {inner}", found
        else:
            yield name, command


def table(command: click.Command) -> str:
    context = click.Context(command, info_name=command.name)
    rows = ["| option | meaning |", "|---|---|"]
    for parameter in command.params:
        record = parameter.get_help_record(context) if isinstance(parameter, click.Option) else None
        if record is not None and parameter.name not in ("verbose", "quiet"):
            option, meaning = (part.replace("|", "\\|") for part in record)
            rows.append(f"| `{option}` | {meaning} |")
    return "\n".join(rows) + "\n"


def parts() -> dict[str, str]:
    codes = "".join(f"| {code} | {meaning} |\n" for code, meaning in MEANINGS.items())
    return {name: table(command) for name, command in commands()} | {
        "exit codes": f"| code | meaning |\n|---|---|\n{codes}"
    }


def test_the_page_has_every_option_of_every_command() -> None:
    told = parts()
    text = PAGE.read_text(encoding="utf-8")
    written = PART.sub(lambda found: f"{found[1]}{told[found[2]]}{found[3]}", text)
    if os.environ.get("MAIEUTIC_WRITE_DOCS"):
        PAGE.write_text(written, encoding="utf-8")
    assert {found[1] for found in PART.findall(text)} == set(told)
    assert PAGE.read_text(encoding="utf-8") == written


def test_every_command_and_option_says_what_it_is_for() -> None:
    for name, command in commands():
        assert command.get_short_help_str(), name
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"{name} {parameter.name}"
