"""Dialogue trees: who resists and who accepts, in every way in which a short dialogue can go, and what sharing saves.

One debater knows most of the world's facts, the other guesses. Every turn is spoken in several stances; common
beginnings are paid for once. Then the same budget is spent in four orders, and one branch is spoken by another model.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import maieutic as mt
from maieutic.protocols.trees import compared

QUESTION = {"question": "From what does a star get its energy?", "accepted": ["nuclear fusion"]}


def tree(**params: Any) -> mt.PersuasionTree:
    ada = mt.Debater("ada", {"model": "sim/debater", "knows": 0.9, "seed": 1})
    bo = mt.Debater("bo", {"model": "sim/debater", "knows": 0.0, "seed": 4})
    return mt.PersuasionTree([ada, bo], first="logical", **params)


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with mt.Workspace(Path(folder) / "runs.db") as workspace:
            run = await workspace.run(tree(), QUESTION)
            print(run.outcome.table())

            print("\nThe same reply in two stances, where it mattered most:")
            for pair in sorted(compared(run.outcome.tree), key=lambda pair: -pair.gap)[:2]:
                for node in (pair.better, pair.worse):
                    print(f"  {node.id} {node.stance}: {node.answers[node.speaker]}, sub-tree {node.scores.subtree:g}")

            print("\nEight turns in four orders:")
            for order in ("breadth", "depth", "best", "mcts"):
                bound = {"simulations": 8} if order == "mcts" else {"nodes": 8}
                outcome = (await workspace.run(tree(order=order, **bound), QUESTION)).outcome
                print(f"  {order:8}{outcome.calls} calls, {outcome.calls_apart} apart; deepest {outcome.tree.depth}")

            fork = await workspace.fork(run.id, node="0.1.2", models={"bo": "sim/debater"})
            taken = fork.ledger.total.from_journal
            print(f"\nForked at 0.1.2: {taken} of {fork.ledger.total.calls} replies are as they were.")


asyncio.run(main())
