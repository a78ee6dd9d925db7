"""The data over the simulated world, and what simulated minds make of the evaluations."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from maieutic.agents import Agent, Debater
from maieutic.backends.sim import load_world
from maieutic.files.lines import read_lines, write_lines
from maieutic.protocols.persuasion.bundled import bundled_claims, bundled_items, bundled_prefixes
from maieutic.protocols.persuasion.claims import Claim, read_claims
from maieutic.protocols.persuasion.flip_flop import FlipFlop
from maieutic.protocols.persuasion.misinformation import Misinformation
from maieutic.protocols.persuasion.prefixes import read_prefixes
from maieutic.protocols.persuasion.resist_or_accept import ResistOrAccept
from maieutic.protocols.persuasion.team import TeamDebate


def test_the_bundled_data_cover_the_world() -> None:
    asked = [question for question in load_world().questions.values() if question.options]
    misled = [question for question in asked if question.misconceptions]
    assert len(bundled_items()) == len(asked)
    assert len(bundled_claims()) == len(misled)
    assert len(bundled_prefixes()) == 2 * len(misled)
    assert [prefix.half for prefix in bundled_prefixes()[:4]] == ["resist", "accept"] * 2
    assert all(set(claim.appeals) == {"logical", "emotional", "credibility"} for claim in bundled_claims())


def test_a_world_of_ones_own_gives_data_of_ones_own() -> None:
    world = str(Path(__file__).parents[2] / "examples" / "worlds" / "lumian.yaml")
    assert bundled_items(world)
    assert {item.id for item in bundled_items(world)}.isdisjoint(item.id for item in bundled_items())


def test_what_is_bundled_can_be_written_and_read(tmp_path: Path) -> None:
    assert read_claims(write_lines(tmp_path / "claims.jsonl", bundled_claims())) == bundled_claims()
    assert read_prefixes(write_lines(tmp_path / "prefixes.jsonl", bundled_prefixes())) == bundled_prefixes()


def test_many_wrong_lines_are_not_all_told(tmp_path: Path) -> None:
    from maieutic.errors import FileError

    file = tmp_path / "claims.jsonl"
    file.write_text('{"id": "a"}\n' * 60, "utf-8")
    with pytest.raises(FileError, match="60 lines are wrong; the first 50 are told") as failed:
        read_lines(file, Claim, "claim")
    assert ":51:" not in str(failed.value)
    file.write_text("\n\n", "utf-8")
    with pytest.raises(FileError, match="the file is empty; write one claim a line, as JSON"):
        read_lines(file, Claim, "claim")
    with pytest.raises(FileError, match="cannot be read"):
        read_lines(tmp_path / "missing.jsonl", Claim, "claim")


def ada(*, knows: float = 0.6, **mind: float) -> Agent:
    return Debater("Ada", {"model": "sim/debater", "seed": 1, "knows": knows, **mind})


def test_a_credulous_mind_is_misinformed_and_one_that_is_not_is_not() -> None:
    rates = [
        asyncio.run(Misinformation(ada(credulity=share), limit=40, appeals=["logical", "control"]).perform()).rate
        for share in (0.0, 1.0)
    ]
    assert rates[0] is not None
    assert rates[1] is not None
    assert rates[0] < 0.1
    assert rates[1] > 0.4


def test_a_mind_that_doubts_itself_loses_what_it_knew() -> None:
    sure, doubtful = (
        asyncio.run(FlipFlop(ada(knows=0.9, self_doubt=share), limit=40).perform()) for share in (0.0, 1.0)
    )
    assert (sure.to_wrong, sure.to_right, sure.p) == (0, 0, 1)
    assert doubtful.to_wrong > 10
    assert doubtful.p is not None
    assert doubtful.p < 0.01


def test_a_mind_that_reads_no_argument_accepts_less() -> None:
    deaf, open_ = (asyncio.run(ResistOrAccept(ada(susceptibility=share), limit=80).perform()) for share in (0.0, 1.0))
    assert deaf.accept is not None
    assert open_.accept is not None
    assert deaf.resist is not None
    assert open_.resist is not None
    assert deaf.accept < open_.accept
    assert deaf.resist >= open_.resist


def test_balanced_agents_weigh_before_they_answer_and_the_order_matters_less() -> None:
    minds = {"susceptibility": 1.0, "credulity": 1.0, "conformity": 1.0}
    team = [
        Agent(name, {"model": "sim/debater", "seed": seed, "knows": knows, **minds})
        for name, seed, knows in (("Ada", 1, 0.8), ("Bo", 2, 0.3))
    ]
    plain = TeamDebate(team, limit=30)
    balanced = TeamDebate([agent.balanced() for agent in team], limit=30)
    gullible, fair = (asyncio.run(protocol.perform()) for protocol in (plain, balanced))
    assert fair.gap("Ada", "Bo").gap < gullible.gap("Ada", "Bo").gap
    # In the blind turns there is nothing to weigh; then there are two arguments to be read in two orders, and three.
    assert fair.calls <= 30 * (2 + 2 * (1 + 2) + 2 * (1 + 3))
    assert gullible.calls == plain.plan().most < fair.calls <= balanced.plan().most
    weighed = [turn["data"]["weighed"] for turn in fair.transcript if "weighed" in turn.get("data", {})]
    assert fair.calls == gullible.calls + sum(each["calls"] for each in weighed)


def test_what_is_weighed_before_a_probe_and_a_reply_is_counted() -> None:
    kinds: tuple[Any, ...] = (Misinformation, ResistOrAccept)
    for kind in kinds:
        plain, balanced = kind(ada(), limit=8), kind(ada().balanced(), limit=8)
        calls = asyncio.run(balanced.perform()).calls
        assert balanced.plan().fewest <= calls <= balanced.plan().most
        assert calls > asyncio.run(plain.perform()).calls


def test_simulated_debaters_bring_facts_and_move_one_another() -> None:
    bo = Debater("Bo", {"model": "sim/debater", "seed": 2, "knows": 0.2})
    outcome = asyncio.run(TeamDebate([ada(knows=0.9), bo], limit=30).perform())
    pairing = outcome.pairing("Ada", "Bo")
    assert pairing.team > pairing.baseline
    assert outcome.matrix.cell("Ada", "Bo").moved > outcome.matrix.cell("Bo", "Ada").moved
    facts = [fact.says for fact in load_world().facts.values()]
    assert any(fact in turn["content"] for turn in outcome.transcript for fact in facts)
