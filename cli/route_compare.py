"""`maieutic route compare`: routers beside one another on a data set."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from maieutic.cli.budgets import budget_of
from maieutic.cli.options import json_option, store_option, talk_options
from maieutic.cli.route import embedding_option, made, pool_option, weigh_options
from maieutic.errors import UsageError
from maieutic.wording import amount

if TYPE_CHECKING:
    from maieutic.backends.place import Place
    from maieutic.protocols.base import Protocol
    from maieutic.protocols.routing.pool import Pool
    from maieutic.protocols.routing.routers.asking import Question
    from maieutic.protocols.routing.routers.comparison import Comparison, Measured
    from maieutic.protocols.routing.routers.episodes import Episode
    from maieutic.protocols.routing.routers.records import RoutingRecord

__all__ = ["compare"]

BUNDLED = "bundled"
"""Instead of a file: the questions of the simulated minds' world."""
_FILE = click.Path(dir_okay=False, path_type=Path)
_SEVERAL = ("router_r1", "decompose", "cascade")


@click.command()
@pool_option
@click.option(
    "--data",
    metavar="FILE",
    help='Questions, JSONL: {"question": …, "answer": …, "family": …}; or `bundled`. Every candidate is asked once.',
)
@click.option(
    "--records", type=_FILE, metavar="FILE", help="Answers recorded before, instead of --data: nothing is asked."
)
@click.option("--save", type=_FILE, metavar="FILE", help="Keep the records of --data, for --records and `route train`.")
@click.option("--router", "routers", multiple=True, metavar="NAME", help="Which routers (default: all). Repeatable.")
@click.option("--prompted", metavar="MODEL", help="Also a model that is asked whom to choose, once for each question.")
@click.option(
    "--router-r1", metavar="MODEL", help="Also Router-R1 with this model as its router, question by question."
)
@click.option("--decompose", metavar="MODEL", help="Also a model that splits each question and routes the parts.")
@click.option(
    "--cascade", is_flag=True, help="Also a cascade through the pool, the cheapest first, that checks itself."
)
@click.option(
    "--score", type=click.Choice(["em", "f1"]), default="em", show_default=True, help="Exact match, or words in common."
)
@click.option("--folds", type=click.IntRange(2), default=5, show_default=True, metavar="N", help="Parts of the data.")
@click.option("--seed", type=int, default=0, metavar="N", help="Of the parts, of chance and of the intervals.")
@click.option("--plot", type=_FILE, metavar="FILE", help="Draw quality over cost (.svg, .png, .pdf).")
@click.option("--run", "run_id", metavar="ID", help="Go on with an evaluation that was broken off, by its id.")
@click.option("--budget", metavar="LIMITS", help='What --data may spend, such as "0.50" (US dollars) or "200k tokens".')
@click.option("--offline", is_flag=True, help="Refuse every model that needs the network.")
@embedding_option
@weigh_options
@store_option
@json_option
@talk_options
def compare(as_json: bool, plot: Path | None, **chosen: Any) -> None:
    """Compare routers with one another, with each single model, and with the best for each question.

    Each part of the data is routed by what was learned from the other parts. Every candidate answers every question
    once; routers that choose once are judged by those answers, so no call is repeated. Those that ask several times
    (Router-R1, decomposition, a cascade) work every question through, and all their calls are counted. Intervals are
    95 %, by bootstrap over questions; `front` says in which share of the resampled sets nothing else is cheaper and
    better.
    """
    from maieutic.cli.plotting import check_picture
    from maieutic.protocols.routing.pool import Pool

    if (chosen["data"] is None) == (chosen["records"] is None):
        raise UsageError("name questions (--data FILE) or answers recorded before (--records FILE), one of the two")
    for name in _SEVERAL:
        if chosen[name] and chosen["data"] is None:
            option = name.replace("_", "-")
            raise UsageError(f"--{option} works every question through, and --records asks nobody; name --data FILE")
    if plot is not None:
        check_picture(plot)
    pool = Pool.load(chosen["pool_file"])
    found = asyncio.run(_compared(pool, chosen))
    if plot is not None:
        click.echo(f"Drawn in {found.plot(plot)}", err=True)
    click.echo(found.model_dump_json() if as_json else _table(found))
    if not as_json:
        click.echo(_notes(found), err=True)


async def _compared(pool: Pool, chosen: Mapping[str, Any]) -> Comparison:
    """Ask what is to be asked, within a run, and compare."""
    from maieutic.protocols.routing.routers.comparison import Answered, compare, cross_fitted
    from maieutic.protocols.routing.routers.episodes import played, prompted
    from maieutic.protocols.routing.routers.harvest import keep, kept
    from maieutic.protocols.routing.routers.spending import TradeOff
    from maieutic.runs import Workspace

    weigh = TradeOff(per_usd=chosen["per_usd"], per_second=chosen["per_second"])
    store = chosen["store"] if chosen["data"] is not None else None
    questions, names, protocols = (
        _questions(chosen["data"]),
        _routers(chosen["routers"], pool),
        _protocols(pool, chosen),
    )
    _check(questions, chosen)
    async with Workspace(store, offline=chosen["offline"]) as workspace:
        budget = budget_of(chosen["budget"], "an evaluation")
        async with workspace.place("route compare", run_id=chosen["run_id"], seed=chosen["seed"], budget=budget) as at:
            records = await _records(questions, pool, at, chosen)
            if questions and at.address.run not in {record.run for record in kept(workspace.journal)}:
                await keep(workspace.journal, at.address.run, records)
            answered = Answered.of(records, pool, await _vectors(records, at, chosen))
            ways: dict[str, Sequence[int]] = {}
            for name in names:
                fresh = lambda name=name: made(name, chosen, embedding=chosen["embedding"])  # noqa: E731
                ways[name] = cross_fitted(answered, pool, fresh, folds=chosen["folds"], seed=chosen["seed"])
            episodes: dict[str, Sequence[Episode]] = {}
            if model := chosen["prompted"]:
                episodes[f"prompted {model}"] = await prompted(model, answered, pool, at)
            for name, protocol in protocols.items():
                episodes[name] = await played(protocol, questions, pool, at, score=chosen["score"])
    return compare(answered, ways, weigh, folds=chosen["folds"], seed=chosen["seed"], episodes=episodes)


def _check(questions: Sequence[Question], chosen: Mapping[str, Any]) -> None:
    """What would go wrong after the answers were paid for is said before.

    Raises:
        UsageError: There are more parts than questions, or there is no folder for the records.
    """
    if questions and chosen["folds"] > len(questions):
        raise UsageError(f"{amount(len(questions), 'question')} cannot be split into {chosen['folds']} parts")
    save = chosen["save"]
    if save is not None and not save.parent.is_dir():
        raise UsageError(f"--save: there is no folder {save.parent}")


def _questions(data: str | None) -> list[Question]:
    from maieutic.protocols.routing.routers.asking import bundled_questions, read_questions

    if data is None:
        return []
    return bundled_questions() if data == BUNDLED else read_questions(data)


async def _records(
    questions: Sequence[Question], pool: Pool, at: Place, chosen: Mapping[str, Any]
) -> list[RoutingRecord]:
    from maieutic.protocols.routing.routers.asking import ask_all
    from maieutic.protocols.routing.routers.records import read_records, write_records

    if chosen["records"] is not None:
        return [record for record in read_records(chosen["records"]) if record.model in pool]
    each = f"{amount(len(questions), 'question')} for {amount(len(pool), 'candidate')}"
    click.echo(f"Run {at.address.run}: {each}.", err=True)
    records = await ask_all(pool, questions, at, score=chosen["score"], run=at.address.run)
    if chosen["save"] is not None:
        write_records(chosen["save"], records)
        click.echo(f"Answers kept in {chosen['save']}.", err=True)
    return records


def _protocols(pool: Pool, chosen: Mapping[str, Any]) -> dict[str, Protocol[Any, Any]]:
    """Those that work a question through, as they are called in the table."""
    from maieutic.agents import Agent, Router
    from maieutic.protocols.decompose_and_route import DecomposeAndRoute
    from maieutic.protocols.router_r1 import RouterR1
    from maieutic.protocols.routing.routers.episodes import cascade_of

    found: dict[str, Protocol[Any, Any]] = {}
    if model := chosen["router_r1"]:
        found[f"router-r1 {model}"] = RouterR1(router=Router("router", model), pool=pool)
    if model := chosen["decompose"]:
        found[f"decompose {model}"] = DecomposeAndRoute(Agent("planner", model), pool=pool)
    if chosen["cascade"]:
        found["cascade"] = cascade_of(pool)
    return found


async def _vectors(records: Sequence[RoutingRecord], at: Place, chosen: Mapping[str, Any]) -> Any:
    from maieutic.protocols.routing.routers.choosing import vectors_of

    if chosen["embedding"] and chosen["offline"]:
        raise UsageError("--embedding asks a model over the network, and --offline refuses that; leave out one of them")
    return await vectors_of(chosen["embedding"] or "", [record.question for record in records], at)


def _routers(named: Sequence[str], pool: Pool) -> list[str]:
    """The routers asked for; by default all that can learn and choose here.

    Raises:
        UsageError: One is unknown, or cannot choose from this pool whatever it learns.
    """
    import random
    from importlib.util import find_spec

    from maieutic.protocols.routing.routers.base import Query
    from maieutic.protocols.routing.routers.catalogue import ROUTERS, router_named

    left_out = {} if find_spec("sklearn") else {"classifier": "it needs scikit-learn (pip install 'maieutic[routing]')"}
    for name in ("cheapest", "largest"):
        try:
            router_named(name).decide(Query("?"), pool, random.Random(0))
        except UsageError as error:
            if name in named:
                raise
            left_out[name] = str(error)
    if named:
        for name in named:
            router_named(name)
        return list(dict.fromkeys(named))
    for name, why in left_out.items():
        click.echo(f"{name} is left out: {why}.", err=True)
    return [name for name in ROUTERS if name not in left_out]


def _table(found: Comparison) -> str:
    from maieutic.cli.tables import columns

    rows = [
        (
            row.name,
            _shown(row.quality),
            _shown(row.usd, 1000),
            _shown(row.seconds),
            _shown(row.utility),
            _shown(row.regret),
            "" if row.front_share is None else f"{'yes' if row.front else 'no'} {row.front_share:.2f}",
        )
        for row in found.rows
    ]
    head = ("router", "quality", "usd/1000", "seconds", "utility", "regret", "front")
    return columns(head, rows)


def _shown(measured: Measured | None, factor: float = 1.0) -> str:
    if measured is None:
        return "unknown"
    value, low, high = (factor * x for x in (measured.value, measured.low, measured.high))
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"


def _notes(found: Comparison) -> str:
    weigh = found.trade_off
    parts = [f"{found.questions} questions in {found.folds} parts"]
    if found.left_out:
        parts.append(f"{found.left_out} left out that not every candidate answered")
    if weigh.per_usd or weigh.per_second:
        parts.append(f"utility = quality - {weigh.per_usd:g} per USD - {weigh.per_second:g} per second")
    if found.simulated:
        parts.append("simulated minds, priced as the pool says")
    return "; ".join(parts) + "."
