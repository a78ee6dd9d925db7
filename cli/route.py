"""`maieutic route`: which model of a pool should answer, and why; routers trained and compared."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from maieutic.cli.options import json_option, store_option, talk_options
from maieutic.errors import UsageError

if TYPE_CHECKING:
    from maieutic.protocols.routing.pool import Pool
    from maieutic.protocols.routing.routers import Decision, Router, RoutingRecord

__all__ = ["route"]

_FILE = click.Path(dir_okay=False, path_type=Path)
_ROUTERS = "bandit, cheapest, largest, random, elo, knn, classifier, factorisation"


class _Route(click.Group):
    """A group whose first word may also be the question itself."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take what is no verb for a question to decide."""
        own = {name for option in self.get_params(ctx) for name in option.opts}
        first = next((arg for arg in args if arg not in own), None)
        if first is not None and first not in self.list_commands(ctx):
            args = ["decide", *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs, in the order of their use."""
        return [*self.commands, "pool", "compare"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb of that name; two have modules of their own."""
        if cmd_name == "compare":
            from maieutic.cli.route_compare import compare

            return compare
        if cmd_name == "pool":
            from maieutic.cli.route_pool import pool

            return pool
        return super().get_command(ctx, cmd_name)


pool_option = click.option(
    "--pool", "pool_file", type=_FILE, required=True, metavar="FILE", help="The candidates: NAME: {model: …, price: …}."
)
weighing = (
    click.option(
        "--per-usd", type=click.FloatRange(0), default=0.0, metavar="Q", help="Quality given up for one US dollar."
    ),
    click.option(
        "--per-second", type=click.FloatRange(0), default=0.0, metavar="Q", help="Quality given up for one second."
    ),
    click.option(
        "--floor", type=click.FloatRange(0, 1), default=0.0, metavar="Q", help="Least quality to be expected (bandit)."
    ),
)


def weigh_options(command: Any) -> Any:
    """--per-usd, --per-second, --floor."""
    for option in reversed(weighing):
        command = option(command)
    return command


@click.group(cls=_Route)
@talk_options
def route() -> None:
    """Decide which model of a pool should answer, and say why; train and compare routers.

    \b
      maieutic route "How many moons has Mars?" --pool pool.yaml            (decides; no candidate is called)
      maieutic route train --pool pool.yaml --data runs.jsonl -o router.json
      maieutic route compare --pool pool.yaml --data questions.jsonl --plot plane.svg
      maieutic route rate last 0.8 --pool pool.yaml                         (the bandit learns from rated runs)
      maieutic route pool --pool pool.yaml                                  (what is known of the candidates)
    """


@route.command()
@click.argument("question")
@pool_option
@click.option(
    "--router",
    default="bandit",
    show_default=True,
    metavar="NAME|FILE|MODEL",
    help=f"One of {_ROUTERS}; a file from `route train`; or a model that is asked (openai/gpt-5-mini, sim/router).",
)
@click.option("--family", default="", metavar="NAME", help="The question's task family, if you know it.")
@click.option("--data", type=_FILE, metavar="FILE", help="Records to learn from first (default: the store's).")
@click.option(
    "--explore", type=click.FloatRange(0, 1), default=0.0, metavar="SHARE", help="May try in order to learn (bandit)."
)
@click.option("--seed", type=int, default=0, metavar="N", help="Of what is drawn at random.")
@weigh_options
@store_option
@json_option
@talk_options
def decide(question: str, as_json: bool, **chosen: Any) -> None:
    """Say who should answer QUESTION, and why. No candidate is called."""
    from maieutic.backends import in_memory
    from maieutic.protocols.routing.pool import Pool
    from maieutic.protocols.routing.routers.base import Query
    from maieutic.protocols.routing.routers.choosing import choose

    if not question.strip():
        raise UsageError("the question is empty; say what is to be routed")
    pool = Pool.load(chosen["pool_file"])
    router = _router(chosen, pool)

    async def go() -> Decision:
        async with in_memory(seed=chosen["seed"]) as at:
            return await choose(router, Query(question, chosen["family"]), pool, at)

    decision = asyncio.run(go())
    if as_json:
        click.echo(json.dumps(decision.to_json(), ensure_ascii=False))
        return
    click.secho(decision.name, bold=True)
    for reason in decision.reasons:
        click.echo(f"  {reason}")


def recorded(chosen: Mapping[str, Any]) -> list[RoutingRecord]:
    """The records of `--data`, else those that rated runs and evaluations have left in the store.

    Raises:
        UsageError: The file cannot be read or is none of records.
    """
    from maieutic.cli.recorded import opened
    from maieutic.protocols.routing.routers.harvest import kept
    from maieutic.protocols.routing.routers.records import read_records

    if chosen["data"] is not None:
        return read_records(chosen["data"])
    if isinstance(chosen["store"], Path) and not chosen["store"].exists():
        return []
    with opened(chosen["store"]) as journal:
        return kept(journal)


def _router(chosen: dict[str, Any], pool: Pool) -> Any:
    """The router of `--router`: from a file, a prompted model, or by name and taught from records."""
    from maieutic.protocols.routing.routers.catalogue import ROUTERS, TAUGHT, load_router

    name = str(chosen["router"])
    if name not in ROUTERS and Path(name).suffix == ".json":
        return load_router(name)
    if name not in ROUTERS and "/" in name:
        from maieutic.agents import Router as PromptedRouter

        return PromptedRouter("router", name)
    router = made(name, chosen, explore=chosen["explore"])
    records = [record for record in recorded(chosen) if record.model in pool]
    if records:
        router.fit(records)
    elif name in TAUGHT:
        raise UsageError(
            f"the router {name!r} decides by what it has learned, and there is nothing to learn from: give it records "
            f"(--data FILE), or train it (maieutic route train --router {name} …)"
        )
    return router


def made(name: str, chosen: Mapping[str, Any], *, explore: float = 0.0, embedding: str | None = None) -> Router:
    """A router as the options say, which has learned nothing yet.

    Args:
        name: Of the catalogue.
        chosen: What was typed: per_usd, per_second, floor.
        explore: The share of decisions that a bandit may make to learn.
        embedding: The model whose embeddings questions are compared by; their words if left out.
    """
    from maieutic.protocols.routing.routers.catalogue import router_named

    options: dict[str, Any] = {}
    if name == "bandit":
        weigh = {"per_usd": chosen["per_usd"], "per_second": chosen["per_second"]}
        options["settings"] = {"trade_off": weigh, "floor": chosen["floor"], "explore": explore}
    if embedding is not None and name in ("bandit", "knn", "classifier", "factorisation"):
        options["embedding"] = embedding
    return router_named(name, **options)


embedding_option = click.option(
    "--embedding", metavar="MODEL", help="Compare questions by this model's embeddings instead of their words."
)


@route.command()
@pool_option
@click.option("--data", type=_FILE, metavar="FILE", help="Routing records, JSONL (default: the store's).")
@click.option("--router", default="bandit", show_default=True, metavar="NAME", help=f"One of {_ROUTERS}.")
@click.option("-o", "--output", type=_FILE, required=True, metavar="FILE.json", help="Where the router is kept.")
@click.option(
    "--explore",
    type=click.FloatRange(0, 1),
    default=0.1,
    show_default=True,
    metavar="SHARE",
    help="The most decisions that may be made to learn, once it is used (bandit).",
)
@embedding_option
@weigh_options
@store_option
@talk_options
def train(output: Path, router: str, **chosen: Any) -> None:
    """Train a router on recorded answers and keep it in a file.

    Without --data it learns from what is in the store: rated runs (`route rate`) and evaluations (`route compare`).
    A record is one line: {"question": …, "model": …, "quality": 0 to 1, "family": …, "usd": …, "seconds": …}.
    """
    from maieutic.backends import in_memory
    from maieutic.memory.databases import shown
    from maieutic.protocols.routing.pool import Pool
    from maieutic.protocols.routing.routers.catalogue import save_router
    from maieutic.protocols.routing.routers.choosing import vectors_of
    from maieutic.wording import amount

    pool = Pool.load(chosen["pool_file"])
    records = [record for record in recorded(chosen) if record.model in pool]
    if not records:
        where = chosen["data"] or f"the store {shown(chosen['store'])}"
        raise UsageError(
            f"{where} has no record of any candidate of the pool ({', '.join(pool.names)}); "
            "rate a routed run (maieutic route rate), evaluate (maieutic route compare), or give records: --data FILE"
        )
    taught = made(router, chosen, explore=chosen["explore"], embedding=chosen["embedding"])

    async def vectors() -> Any:
        async with in_memory() as at:
            return await vectors_of(taught.embedding, [record.question for record in records], at)

    taught.fit(records, asyncio.run(vectors()))
    save_router(taught, output)
    click.echo(_learned(pool, records))
    click.echo(f"Trained {router} on {amount(len(records), 'record')}; kept in {output}.", err=True)


def _learned(pool: Pool, records: Sequence[RoutingRecord]) -> str:
    from maieutic.cli.tables import columns

    rows = []
    for candidate in pool.each():
        mine = [record for record in records if record.key == candidate.key]
        quality = f"{sum(r.quality for r in mine) / len(mine):.3f}" if mine else "-"
        usd, seconds = ([getattr(r, name) for r in mine] for name in ("usd", "seconds"))
        rows.append((candidate.name, str(len(mine)), quality, _mean(usd), _mean(seconds)))
    return columns(("candidate", "records", "quality", "usd", "seconds"), rows, right=(1, 2, 3, 4))


def _mean(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{sum(known) / len(known):.3g}" if known else "unknown"


@route.command()
@click.argument("run")
@click.argument("quality", type=click.FloatRange(0, 1))
@pool_option
@click.option("--agent", default="", metavar="NAME", help="Rate the calls of this agent only.")
@store_option
@talk_options
def rate(run: str, quality: float, pool_file: Path, agent: str, store: Path | str) -> None:
    """Say how good the outcome of RUN was, from 0 to 1; the bandit learns from every routed call in it.

    RUN is a run's id, the beginning of one, or `last`.
    """
    from maieutic.cli.recorded import find, opened
    from maieutic.protocols.routing.pool import Pool
    from maieutic.protocols.routing.routers.harvest import keep, routed_calls
    from maieutic.wording import amount

    pool = Pool.load(pool_file)
    with opened(store) as journal:
        record = find(journal, run)
        found = routed_calls(journal.entries(record.id), pool, quality, record.id, agent)
        if not found:
            by = f" of {agent}" if agent else ""
            raise UsageError(f"in run {record.id} no call{by} was routed to a candidate of this pool")
        asyncio.run(keep(journal, record.id, found, agent))
    click.echo(f"{amount(len(found), 'routed call')} of run {record.id} rated {quality:g}.")
