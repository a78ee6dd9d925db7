"""Debates between simulated minds: what the parameters of the minds do to the outcome."""

import asyncio
import subprocess
import sys
from typing import Any

from maieutic.agents import Debater, Judge
from maieutic.backends import in_memory
from maieutic.protocols import Debate, DebateOutcome

QUESTION = "Should cities ban cars?"


def debated(susceptibility: float, seed: int, **params: Any) -> DebateOutcome:
    minds = [{"model": "sim/debater", "seed": 3 * seed + i, "susceptibility": susceptibility} for i in range(3)]
    debaters = [Debater(name, mind) for name, mind in zip(("Ada", "Bo", "Cy"), minds, strict=True)]
    return asyncio.run(Debate(debaters, judge=Judge("June", "sim/judge"), **params).perform(QUESTION))


def test_minds_that_cannot_be_moved_do_not_move_and_others_do() -> None:
    assert not any(debated(0.0, seed).influence for seed in range(6))
    assert any(debated(1.0, seed).influence for seed in range(6))


def test_a_debate_is_the_same_each_time_it_is_run() -> None:
    assert debated(0.6, 1, order="random") == debated(0.6, 1, order="random")


def test_an_assigned_side_is_argued_for() -> None:
    outcome = debated(0.5, 1, stances={"Ada": "no", "Bo": "yes"}, rounds=1)
    said = {
        turn["speaker"]: turn["content"] for turn in outcome.transcript if turn.get("round") == 1 and "kind" not in turn
    }
    assert "no" in said["Ada"].split(".")[0].lower()
    assert "yes" in said["Bo"].split(".")[0].lower()


def test_every_rule_comes_to_an_end_with_simulated_minds() -> None:
    rules = ("judge", "majority", "supermajority", "unanimity", "ranked", "approval", "confidence_weighted")
    for rule in rules:
        outcome = debated(0.6, 2, decide=rule, options=["yes", "no", "perhaps"], rounds=2, baseline="self_consistency")
        assert outcome.answer in ("yes", "no", "perhaps"), rule
        assert outcome.baseline is not None
        assert outcome.baseline.calls == outcome.calls


def test_an_offline_debate_imports_no_litellm_and_the_protocols_no_langgraph() -> None:
    code = """
import asyncio, sys
from maieutic.agents import Debater, Judge
from maieutic.protocols import Debate
debate = Debate([Debater("Ada", "sim/debater"), Debater("Bo", "sim/debater")], judge=Judge("June", "sim/judge"))
assert "langgraph" not in sys.modules
asyncio.run(debate.perform("Should cities ban cars?"))
print("litellm" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_place_decides_where_a_debate_is_told() -> None:
    async def told() -> set[str]:
        places: set[str] = set()
        async with in_memory(emit=lambda event: places.add(event.at)) as at:
            await Debate([Debater("Ada", "sim/debater"), Debater("Bo", "sim/debater")], rounds=1).perform(
                QUESTION, at=at / "x"
            )
        return places

    assert {place.split("/")[2] for place in asyncio.run(told())} == {"x"}
