"""The page on simulated minds tells the truth: every snippet is valid, every parameter stands in its table."""

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from maieutic.backends.models import ModelSpec
from maieutic.backends.sim import MINDS, MindParams, load_world
from maieutic.backends.sim.params import params_of

PAGE = (Path(__file__).parents[2] / "docs" / "simulated-minds.md").read_text("utf-8")
SNIPPETS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_the_example_world_is_sound(tmp_path: Path) -> None:
    path = tmp_path / "kitchen.yaml"
    path.write_text(next(s for s in SNIPPETS if s.startswith("name: kitchen")), encoding="utf-8")
    world = load_world(str(path))
    assert {question.kind for question in world.questions.values()} == {"multiple_choice", "short_answer"}


def test_every_model_on_the_page_is_accepted() -> None:
    models = [m for s in SNIPPETS for m in (YAML(typ="safe").load(s).get("models") or {}).values()]
    assert len(models) == 4
    for model in models:
        params_of(ModelSpec.model_validate(model))


@pytest.mark.parametrize("name", sorted(MindParams.model_fields))
def test_every_parameter_is_in_the_table_with_its_default(name: str) -> None:
    row = re.search(rf"^\| `{name}` \| (.*?) \|", PAGE, re.MULTILINE)
    assert row is not None
    default = MindParams.model_fields[name].default
    if isinstance(default, float):
        assert float(row[1]) == default


@pytest.mark.parametrize("kind", sorted(MINDS))
def test_every_mind_is_on_the_page_with_its_own_defaults(kind: str) -> None:
    row = re.search(rf"^\| `sim/{kind}` \|.*\|(.*)\|$", PAGE, re.MULTILINE)
    assert row is not None
    told = {name: float(value) for name, value in re.findall(r"`(\w+): ([\d.]+)`", row[1])}
    fields = MINDS[kind].model_fields
    assert told == {n: f.default for n, f in fields.items() if f.default != MindParams.model_fields[n].default}
