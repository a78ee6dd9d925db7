"""Changing a file from outside: models, settings, limits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maieutic.errors import GraphFileError, UsageError
from maieutic.graphs import GraphSpec, load_spec
from maieutic.graphs.spec import Limits
from maieutic.runs import limits_from_text, override, value_from_text

FILE = """
version: 1
name: cars
models:
  strong: {model: openai/gpt-5, temperature: 0.2}
  weak: {model: openai/gpt-5-mini, max_tokens: 300}
agents:
  ada: {role: debater, model: strong}
  bo: {role: debater, model: weak}
  eve: {role: person}
  june: {role: judge, model: strong}
use: debate
with: {debaters: [ada, bo, eve], judge: june, rounds: 2}
limits: {usd: 0.5}
"""


@pytest.fixture(scope="module")
def spec() -> GraphSpec:
    return load_spec(FILE)


def models(spec: GraphSpec) -> dict[str, str | None]:
    return {
        name: spec.models[agent.model].model if isinstance(agent.model, str) else None
        for name, agent in spec.agents.items()
    }


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"ada": "x/new"}, {"ada": "x/new"}),
        ({"debater": "x/new"}, {"ada": "x/new", "bo": "x/new"}),
        ({"*": "x/new"}, {"ada": "x/new", "bo": "x/new", "june": "x/new"}),
        ({"weak": "x/new"}, {"bo": "x/new"}),
        ({"*": "x/all", "debater": "x/role", "bo": "x/own"}, {"ada": "x/role", "bo": "x/own", "june": "x/all"}),
        ({"bo": "x/own", "*": "x/all"}, {"ada": "x/all", "bo": "x/own", "june": "x/all"}),
    ],
)
def test_an_agents_own_model_wins_over_its_roles_and_that_over_all(
    spec: GraphSpec, changes: dict[str, str], expected: dict[str, str]
) -> None:
    assert models(override(spec, models=changes)) == {**models(spec), **expected}


def test_a_person_is_never_replaced_by_a_model(spec: GraphSpec) -> None:
    assert override(spec, models={"*": "x/new"}).agents["eve"].model is None
    with pytest.raises(UsageError, match="no agent, role or model is called 'eve'"):
        override(spec, models={"eve": "x/new"})


def test_unknown_names_are_told_with_those_there_are(spec: GraphSpec) -> None:
    with pytest.raises(UsageError, match=r"--model judje=…: .*'judje'; there are: ada, bo, .*judge, june, .*strong"):
        override(spec, models={"judje": "x/new"})


@pytest.mark.parametrize(
    ("path", "value", "read"),
    [
        ("with.rounds", 5, lambda s: s.params["rounds"]),
        ("with.stances.ada", "yes", lambda s: s.params["stances"]["ada"]),
        ("models.strong.temperature", 1.5, lambda s: s.models["strong"].temperature),
        ("agents.ada.persona", "A cyclist.", lambda s: s.agents["ada"].persona),
        ("limits.tokens", 9000, lambda s: s.limits.tokens),
        ("seed", 7, lambda s: s.seed),
    ],
)
def test_a_setting_is_changed_by_its_path_and_nothing_else(spec: GraphSpec, path: str, value: Any, read: Any) -> None:
    changed = override(spec, settings={path: value})
    assert read(changed) == value
    assert read(spec) != value if path != "with.stances.ada" else "stances" not in spec.params
    assert models(changed) == models(spec)


@pytest.mark.parametrize(
    ("path", "value", "error", "message"),
    [
        ("whit.rounds", 5, UsageError, r"--set whit\.rounds: there is no 'whit'; did you mean 'with'\?"),
        ("models.storng.temperature", 1, UsageError, r"no 'storng' in models; did you mean 'strong'\?"),
        ("name.first", "x", UsageError, r"--set name\.first: name holds no settings"),
        ("with.rounds.more", 1, UsageError, r"with\.rounds holds no settings"),
        ("with.ruonds", 5, GraphFileError, "did you mean 'rounds'"),
        ("with.rounds", 0, GraphFileError, "rounds"),
        ("models.strong.temperature", 9, GraphFileError, "temperature"),
        ("limits.on_exceed", "explode", GraphFileError, "on_exceed"),
    ],
)
def test_a_wrong_setting_is_told(spec: GraphSpec, path: str, value: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        override(spec, settings={path: value})


def test_limits_replace_the_files_and_settings_change_them_again(spec: GraphSpec) -> None:
    changed = override(spec, limits=Limits(tokens=50_000), settings={"limits.calls": 30})
    assert (changed.limits.usd, changed.limits.tokens, changed.limits.calls) == (None, 50_000, 30)
    assert spec.limits == Limits(usd=0.5)


def test_relative_paths_still_start_at_the_file(tmp_path: Path) -> None:
    (tmp_path / "brief.md.j2").write_text("You are {{ name }}.")
    text = FILE.replace("ada: {role: debater,", "ada: {role: debater, prompt_file: brief.md.j2,")
    (tmp_path / "cars.yaml").write_text(text)
    changed = override(load_spec(tmp_path / "cars.yaml"), settings={"with.rounds": 1})
    assert changed.origin.home == tmp_path
    assert changed.agents["ada"].prompt_file == "brief.md.j2"


# -- as typed -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("0.5", 0.5),
        ("true", True),
        ("null", None),
        ("[a, b]", ["a", "b"]),
        ("{a: 1}", {"a": 1}),
        ("yes, we can", "yes, we can"),
        ("Should it: really?", {"Should it": "really?"}),
        ("[unclosed", "[unclosed"),
        ("*nobody", "*nobody"),
        ("", ""),
        ("  ", "  "),
    ],
)
def test_a_value_means_what_it_would_in_the_file(text: str, value: Any) -> None:
    assert value_from_text(text) == value


@given(st.text(max_size=30))
def test_any_text_has_a_value(text: str) -> None:
    value_from_text(text)


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("0.50", Limits(usd=0.5)),
        ("$2", Limits(usd=2)),
        ("3 USD", Limits(usd=3)),
        ("200k tokens", Limits(tokens=200_000)),
        ("1.5M tokens", Limits(tokens=1_500_000)),
        ("100 calls", Limits(calls=100)),
        ("60s", Limits(seconds=60)),
        ("90 seconds", Limits(seconds=90)),
        ("50 steps", Limits(steps=50)),
        ("0.5, 100 calls,60s", Limits(usd=0.5, calls=100, seconds=60)),
    ],
)
def test_limits_are_typed_as_one_says_them(text: str, limits: Limits) -> None:
    assert limits_from_text(text, Limits()) == limits


def test_typed_limits_change_only_what_they_name() -> None:
    base = Limits(usd=1, calls=50, on_exceed="pause")
    assert limits_from_text("80 calls", base) == Limits(usd=1, calls=80, on_exceed="pause")


@pytest.mark.parametrize("text", ["much", "0", "-1", "0 calls", "", "5,", "nan", "inf", "calls", "10 cells"])
def test_what_is_no_limit_is_told_with_what_is(text: str) -> None:
    with pytest.raises(UsageError, match=r"is not a limit; write 0\.50"):
        limits_from_text(text, Limits())
