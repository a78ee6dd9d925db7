"""The experiments among the examples load, and a part of each runs offline."""

from pathlib import Path

import pytest

import maieutic as mt

FILES = sorted((Path(__file__).parents[2] / "examples" / "experiments").glob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_an_example_experiment_runs(file: Path, tmp_path: Path) -> None:
    experiment = mt.load_experiment(file)
    run = experiment.run_sync(tmp_path / "journal.db", limit=2, offline=True)
    assert run.status == "done"
    assert run.total.done == 2 * len(experiment.conditions) * experiment.repeats
    assert all(value is not None for result in run.results for value in result.scores.values())
