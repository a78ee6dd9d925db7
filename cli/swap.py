"""`maieutic debate --swap`: the same debate under every order of the seats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from maieutic.cli.options import RunOptions, Talk
from maieutic.cli.tables import columns
from maieutic.errors import UsageError
from maieutic.wording import amount

if TYPE_CHECKING:
    from maieutic.runs import Graph, Run, Workspace

__all__ = ["swap"]


def swap(graph: Graph, inputs: Mapping[str, Any], options: RunOptions, talk: Talk) -> NoReturn:
    """Run every order one after another, within one budget, and show how the outcome depends on it.

    Raises:
        UsageError: An option does not go with it.
    """
    from maieutic.cli.perform import Performance, perform
    from maieutic.cli.scene import headline
    from maieutic.runs.program import simulated
    from maieutic.runs.result import new_id

    if options.replay or options.record or options.dry_run:
        raise UsageError(
            "--swap makes several runs; --record, --replay and --dry-run are for one. Leave one of them out."
        )
    seed = options.seed if options.seed is not None else graph.spec.seed or 0
    base, fake = new_id(), simulated(graph)

    async def act(workspace: Workspace, told: dict[str, Any]) -> Mapping[str, Any]:
        return {**await _orders(workspace, graph, inputs, base, {**told, "seed": seed}), "simulated": fake}

    perform(
        Performance(
            act,
            headline(graph.spec, inputs, simulated=fake),
            f"{base}-1",
            talk,
            store=options.store,
            as_json=options.as_json,
            pace=options.pace,
            offline=options.offline,
            cache=options.cache,
            report=_report,
        )
    )


async def _orders(
    workspace: Workspace, graph: Graph, inputs: Mapping[str, Any], base: str, told: dict[str, Any]
) -> Mapping[str, Any]:
    """The order effects, or if a run ended before its time, that run; and the ids of the runs that are done."""
    from maieutic.protocols.order_effects import order_effects, seat_orders
    from maieutic.runs import Graph, override
    from maieutic.runs.budgets import budget_of

    orders, budget = seat_orders(graph.spec.params["debaters"], seed=told["seed"]), budget_of(graph)
    runs: list[Run] = []
    for number, seats in enumerate(orders.orders, 1):
        ordered = Graph(override(graph.spec, settings={"with.debaters": list(seats)}))
        run = await workspace.run(ordered, inputs, run_id=f"{base}-{number}", budget=budget, **told)
        if run.ending:
            return {**run.to_json(), "runs": [done.id for done in runs]}
        runs.append(run)
    effects = order_effects([run.outcome for run in runs], note=orders.note)  # type: ignore[misc]
    ids = [run.id for run in runs]
    return {"status": "done", "name": graph.name, "runs": ids, "order_effects": effects.model_dump(mode="json")}


def _report(result: Mapping[str, Any]) -> str:
    effects = result.get("order_effects")
    if effects is None:
        from maieutic.cli.report import plain_report

        return plain_report(result)
    orders = effects["orders"]
    rows = [
        (", ".join(o["seats"]), o["answer"] or "none", o["decided_by"], ", ".join(o["winners"]) or "nobody", run)
        for o, run in zip(orders, result["runs"], strict=True)
    ]
    lines = [columns(("seats", "answer", "decided by", "held it before", "run"), rows), ""]
    share = f"{effects['changed']:.0%} of {amount(len(orders), 'order')}"
    lines.append(f"Answers that differ from the most frequent one: {share}")
    for number, wins in enumerate(effects["seat_wins"], 1):
        if wins is not None:
            lines.append(f"Seat {number} wins {wins:.0%}")
    lines += [f"{name} wins {wins:.0%}" for name, wins in effects["debater_wins"].items() if wins is not None]
    if effects.get("note"):
        lines.append(f"Note: {effects['note']}")
    if result.get("simulated"):
        lines.append("Note: simulated minds, not a language model")
    return "\n".join(lines)
