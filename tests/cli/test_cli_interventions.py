"""`maieutic run` of a budget file: the table, the picture, and what is said before anything is paid for."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Maieutic = Callable[..., Result]
EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def budget(here: Path) -> str:
    shutil.copytree(EXAMPLES / "concepts", here / "concepts")
    (here / "graphs").mkdir()
    shutil.copy(EXAMPLES / "graphs/budget-curve.yaml", here / "graphs")
    return "graphs/budget-curve.yaml"


def test_a_run_prints_its_table_and_draws_its_picture(maieutic: Maieutic, budget: str) -> None:
    done = maieutic("run", budget, "--plot", "pictures/curve.svg", "--set", "with.resamples=50")
    assert done.exit_code == 0, done.output
    assert "Answer: with 20 % of 62 items explained" in done.stdout
    assert "Results:\n  62 items judged, 42 observed beforehand" in done.stdout
    assert "Drawn in pictures/curve.svg" in done.stderr
    assert Path("pictures/curve.svg").read_text("utf-8").count("oracle") == 1
    shown = maieutic("runs", "show", "last")
    assert "62 items judged, 42 observed beforehand" in shown.stdout, "the store keeps the table"
    again = maieutic("replay", "last", "--json")
    told = json.loads(again.stdout.splitlines()[-1])
    assert len(told["outcome"]["records"]) == 62
    assert told["table"].startswith("62 items judged")


def test_the_plan_is_exact_and_its_calls_do_not_read_one_another(maieutic: Maieutic, budget: str) -> None:
    told = json.loads(maieutic("run", budget, "--dry-run", "--json").stdout)
    assert told["calls"] == [374, 374]
    assert told["tokens"][1] < 374 * 1000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--plot", "curve.gif"), "--plot curve.gif: pictures are written as svg, png, pdf, not as 'gif'"),
        (("--plot", "curve"), "not as a file without an ending"),
        (("--plot", "concepts/sky.yaml/curve.svg"), "the folder cannot be made"),
    ],
)
def test_what_cannot_be_drawn_is_said_before_the_run(
    maieutic: Maieutic, budget: str, arguments: tuple[str, ...], message: str
) -> None:
    done = maieutic("run", budget, *arguments)
    assert done.exit_code == 2
    assert message in done.stderr.replace("\n", " ")
    assert not Path(".maieutic").exists(), "nothing was run"


def test_a_debate_has_no_picture(maieutic: Maieutic, here: Path) -> None:
    shutil.copy(EXAMPLES / "graphs/should-cities-ban-cars.yaml", here)
    done = maieutic("run", "should-cities-ban-cars.yaml", "-i", "question=Should it?", "--plot", "curve.svg")
    assert done.exit_code == 2
    assert "what should-cities-ban-cars comes to has no picture; leave it out" in done.stderr.replace("\n", " ")
