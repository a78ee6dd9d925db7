"""`maieutic route pool`: what a router is told of the candidates, with what this project has measured."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from maieutic.cli.options import json_option, store_option, talk_options
from maieutic.cli.route import pool_option, recorded

if TYPE_CHECKING:
    from maieutic.protocols.routing.pool import Latency, Pool

__all__ = ["pool"]

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@pool_option
@click.option("--data", type=_FILE, metavar="FILE", help="Routing records, JSONL (default: the store's).")
@click.option("-o", "--output", type=_FILE, metavar="FILE.yaml", help="Write the pool with what was measured.")
@store_option
@json_option
@talk_options
def pool(pool_file: Path, output: Path | None, as_json: bool, **chosen: Any) -> None:
    """Say what a router is told of the candidates, with what was measured filled in.

    Latency is that of all replies in the store's runs; simulated minds take no time and are not counted. Past
    performance is the mean quality of the records by task family: of rated runs, of evaluations, or of --data.
    """
    from maieutic.protocols.routing.pool import Pool, performed

    records = [record for record in recorded(chosen) if record.family]
    given = Pool.load(pool_file)
    performance = performed((record.model, record.family, record.quality) for record in records)
    rounded = {name: {family: round(mean, 4) for family, mean in told.items()} for name, told in performance.items()}
    found = given.updated(latency=_latency(chosen["store"], given), performance=rounded)
    if output is not None:
        _write(found, output)
    if as_json:
        click.echo(json.dumps(found.model_dump(mode="json"), ensure_ascii=False))
        return
    for name, description in found.described().items():
        click.echo(f"{name}: {description}" if description else name)


def _latency(store: Path | str, given: Pool) -> Mapping[str, Latency]:
    """By candidate or by model string, over all runs of the store; an agent bears a candidate's name as it can."""
    from maieutic.cli.recorded import opened
    from maieutic.protocols.routing.pool import measured
    from maieutic.protocols.routing.routers.asking import slug

    if isinstance(store, Path) and not store.exists():
        return {}
    with opened(store) as journal:
        found = measured(entry for run in journal.runs() for entry in journal.entries(run.id, kind="model"))
    return found | {name: found[slug(name)] for name in given.names if name not in found and slug(name) in found}


def _write(found: Pool, path: Path) -> None:
    from maieutic.errors import UsageError
    from maieutic.files.writing import written

    try:
        path.write_text(written(found.model_dump(mode="json")), "utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
    click.echo(f"Written to {path}.", err=True)
