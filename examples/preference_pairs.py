"""Preference pairs from dialogue trees, and a balanced debater that needs no training.

    python examples/preference_pairs.py

Two simulated debaters grow a tree about each of twelve questions, once with the strong one as the persuader and once
with the weak one. Where a reply keeps a right answer or takes one over, and its sibling does not, the two make a
preference pair. Then the same two debate: as they are, and balanced.
"""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

import maieutic as mt
from maieutic.protocols.persuasion import bundled_items
from maieutic.runs.exporting import Selection, exported, written

MIND = {"model": "sim/debater", "credulity": 1.0, "conformity": 1.0}
STRONG, WEAK = {**MIND, "knows": 0.9, "seed": 1}, {**MIND, "knows": 0.3, "seed": 2}


async def main(folder: Path) -> None:
    """Grow the trees, export the pairs, debate in both orders."""
    async with mt.Workspace(folder / "journal.db") as workspace:
        for item in bundled_items()[:12]:
            for minds in ((STRONG, WEAK), (WEAK, STRONG)):
                ada, bo = (mt.Debater(name, mind) for name, mind in zip(("Ada", "Bo"), minds, strict=True))
                inputs = {"question": item.question, "options": list(item.options), "accepted": [item.answer]}
                await workspace.run(mt.PersuasionTree([ada, bo]), inputs)
        pairs = exported(workspace.journal.runs(), "dpo", Selection("all"))
        print(f"{pairs.trees} trees, pairs: {dict(pairs.found)}")
        [path] = written(pairs, folder / "pairs.jsonl")
        print(f"{sum(map(len, pairs.rows.values()))} rows for TRL's DPOTrainer in {path.name}")
        for balanced in (False, True):
            team = [mt.Agent("Strong", STRONG), mt.Agent("Weak", WEAK)]
            team = [agent.balanced() for agent in team] if balanced else team
            run = await workspace.run(mt.TeamDebate(team, limit=30), {})
            ahead, behind = run.outcome.pairing("Strong", "Weak"), run.outcome.pairing("Weak", "Strong")
            print(
                f"{'balanced' if balanced else 'as they are'}: accuracy {ahead.team:.2f} with the strong one first, "
                f"{behind.team:.2f} with the weak one first; {run.outcome.calls} calls"
            )


with TemporaryDirectory() as name:
    asyncio.run(main(Path(name)))
