"""An application that debates its customers' questions: one is watched live, broken off, and taken up again for free.

Runs offline with simulated minds. Put LiteLLM model strings in their place and nothing else changes.
Run it:  python examples/embed_as_library.py [STORE]
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from contextlib import aclosing
from pathlib import Path

import maieutic as mt

QUESTION = "Should schools ban phones?"
DEBATE = mt.Debate(
    [
        mt.Debater("Ada", {"model": "sim/debater", "seed": 4}, persona="You teach mathematics."),
        mt.Debater("Bo", {"model": "sim/debater", "seed": 5}, persona="You are a parent."),
    ],
    judge=mt.Judge("June", "sim/judge"),
    rounds=2,
)


async def watch(workspace: mt.Workspace, case: str, patience: int) -> None:
    """Show a case's words as they come, for so many turns; then the customer closes the window."""
    async with aclosing(workspace.stream(DEBATE, QUESTION, run_id=case)) as events:
        async for event in events:
            if isinstance(event, mt.Run):
                print(f"=> {event.answer} ({event.reason})")
            elif event.kind == "text":
                print(event.data["text"], end="", flush=True)
            elif event.kind == "turn" and event.data["speaker"] in ("Ada", "Bo") and "kind" not in event.data:
                print(f"\n   ({event.data['speaker']}, round {event.data['round']})")
                patience -= 1
                if patience == 0:
                    return


async def take_up(workspace: mt.Workspace, case: str) -> mt.Run:
    """Finish a case by its number: what the store has of it is not paid for twice."""
    print(f"The store says: {workspace.journal.run(case).status}.")
    run = await workspace.run(DEBATE, QUESTION, run_id=case)
    total = run.ledger.total
    print(f"Answer: {run.answer}, after {total.calls} calls, {total.from_journal} of them answered by the journal.")
    return run.raise_for_status()


async def main(store: Path) -> None:
    async with mt.Workspace(store, offline=True) as workspace:
        print("--- A customer watches for three turns, and closes the window.")
        await watch(workspace, "case-17", patience=3)
    async with mt.Workspace(store, offline=True) as workspace:  # another process, another day
        print("--- The case is taken up again.")
        run = await take_up(workspace, "case-17")
        print("--- What if Bo had been an expert, from his second turn on?")
        forked = await workspace.fork(run.id, turn=4, models={"Bo": "sim/expert"})
        kept = forked.ledger.total.from_journal
        print(f"Answer: {forked.answer}, {kept} of {forked.ledger.total.calls} calls answered by the journal.")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(folder) / "cases.db"))
