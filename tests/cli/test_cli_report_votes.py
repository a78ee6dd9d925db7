"""What a run's report says of votes: who voted for what in a debate; counted samples stand in the outcome's table."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from maieutic.cli.app import app

HEAD = (
    "version: 1\nname: asked\nmodels: {m: {model: sim/student, knows: 0.1, seed: 1, temperature: 1.0}}\n"
    "agents: {ann: {model: m}}\n"
)


@pytest.mark.parametrize("protocol", ["self_consistency", "agent_forest"])
def test_samples_that_were_counted_are_shown_as_a_table(tmp_path: Path, protocol: str) -> None:
    graph = tmp_path / "asked.yaml"
    graph.write_text(HEAD + f"use: {protocol}\nwith: {{agents: [ann], samples: 9}}\n", "utf-8")
    store = str(tmp_path / "runs.db")
    asked = ["run", str(graph), "-i", "question=Which planet is the hottest?", "--store", store]
    done = CliRunner().invoke(app, asked, catch_exceptions=False)
    assert done.exit_code == 0
    assert "Decided by: votes " in done.stdout
    table = done.stdout.partition("Results:\n")[2].splitlines()
    counts = [int(line.split()[0]) for line in table if line.split()[0].isdigit()]
    assert sum(counts) == 9
    assert len(counts) > 1
    assert counts == sorted(counts, reverse=True)


def test_a_refinement_shows_every_draft(tmp_path: Path) -> None:
    graph = tmp_path / "refined.yaml"
    graph.write_text(HEAD + "use: self_refine\nwith: {agent: ann}\n", "utf-8")
    asked = ["run", str(graph), "-i", "question=Which planet is the hottest?", "--store", str(tmp_path / "runs.db")]
    done = CliRunner().invoke(app, asked, catch_exceptions=False)
    assert "Decided by: the critic was content with the first draft" in done.stdout
    assert "critic: can stand" in done.stdout
