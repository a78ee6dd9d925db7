"""Trainers of TRL take a step on what is exported, with one of the project's tiny networks.

Run where TRL is installed; CONTRIBUTING.md says how.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import maieutic as mt
from maieutic.backends.tiny.catalogue import WEIGHTS
from maieutic.memory import Journal
from maieutic.protocols.routing import Pool
from maieutic.runs.exporting import Format, Selection, exported, written
from maieutic.runs.training import of_runs
from maieutic.testing.engine import long_context

pytestmark = [pytest.mark.trl, pytest.mark.timeout(600)]

trl: Any = pytest.importorskip("trl")

RIGHT = {"question": "How many planets move around the Sun?", "accepted": ["8", "eight"]}
SCHOOL = Path(__file__).parents[2] / "examples/pools/school.yaml"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dialogue tree and a routing episode about the same question."""
    path = tmp_path_factory.mktemp("runs") / "journal.db"
    ada = mt.Debater("Ada", {"model": "sim/debater", "knows": 1.0, "seed": 1})
    bo = mt.Debater("Bo", {"model": "sim/debater", "knows": 0.0, "misconceptions": 1.0, "seed": 2})
    rita = mt.Router("Rita", {"model": "sim/router", "knows": 0.0, "seed": 7})

    async def go() -> None:
        async with mt.Workspace(path) as workspace:
            await workspace.run(mt.PersuasionTree([ada, bo], first="logical"), RIGHT, run_id="tree")
            await workspace.run(mt.RouterR1(router=rita, pool=Pool.load(SCHOOL)), RIGHT, run_id="episode")

    asyncio.run(go())
    return path


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return long_context(WEIGHTS / "assistant", tmp_path_factory.mktemp("models") / "long", 4096)


def rows(store: Path, to: Format, run: str, folder: Path) -> Any:
    datasets: Any = pytest.importorskip("datasets")

    with Journal.open(store) as journal:
        found = exported(of_runs(journal, [journal.run(run)]), to, Selection("all"))
    [path] = written(found, folder / f"{to}.jsonl")
    return datasets.load_dataset("json", data_files=str(path), cache_dir=str(folder / "cache"))["train"]


def trained(trainer: Any) -> float:
    """The loss after one step; the network has changed by it."""
    before = {name: weights.detach().clone() for name, weights in trainer.model.named_parameters()}
    result = trainer.train()
    assert any((weights != before[name]).any() for name, weights in trainer.model.named_parameters())
    loss: float = result.training_loss
    return loss


def settings(folder: Path, **more: Any) -> dict[str, Any]:
    return {"output_dir": str(folder / "out"), "max_steps": 1, "per_device_train_batch_size": 2, "learning_rate": 0.01,
            "use_cpu": True, "bf16": False, "report_to": [], "save_strategy": "no", **more}  # fmt: skip


TRAINERS: dict[Format, Callable[[Path, Any, Path], Any]] = {
    "sft": lambda model, data, folder: trl.SFTTrainer(
        model=str(model), train_dataset=data, args=trl.SFTConfig(**settings(folder, max_length=2048))
    ),
    "dpo": lambda model, data, folder: trl.DPOTrainer(
        model=str(model), train_dataset=data, args=trl.DPOConfig(**settings(folder, max_length=2048))
    ),
    "kto": lambda model, data, folder: trl.KTOTrainer(
        model=str(model), train_dataset=data, args=trl.KTOConfig(**settings(folder, max_length=2048))
    ),
}


@pytest.mark.parametrize("to", TRAINERS)
def test_a_trainer_takes_a_step_on_the_rows_of_a_tree(store: Path, network: Path, tmp_path: Path, to: Format) -> None:
    trainer = TRAINERS[to](network, rows(store, to, "tree", tmp_path), tmp_path)
    assert math.isfinite(trained(trainer))


def test_grpo_calls_a_reward_function_with_the_columns_of_an_episode(
    store: Path, network: Path, tmp_path: Path
) -> None:
    data = rows(store, "grpo", "episode", tmp_path)
    seen: list[Any] = []

    def reward(completions: list[Any], answers: list[list[str]], **_: Any) -> list[float]:
        seen.extend(answers)
        return [float(number) for number, _ in enumerate(completions)]

    config = trl.GRPOConfig(**settings(tmp_path, num_generations=2, max_completion_length=8))
    trained(trl.GRPOTrainer(model=str(network), reward_funcs=reward, train_dataset=data, args=config))
    assert seen
    assert all(answers == ["8", "eight"] for answers in seen)


def test_the_copied_beginning_of_a_conversation_is_what_an_earlier_row_trained_on(store: Path, tmp_path: Path) -> None:
    found = list(rows(store, "sft", "tree", tmp_path))
    before = {json.dumps(row["messages"][: n + 1]) for row in found for n in range(len(row["messages"]))}
    copied = [row for row in found if row["copied"]]
    assert copied
    assert all(json.dumps(row["messages"][: row["copied"]]) in before for row in copied)
