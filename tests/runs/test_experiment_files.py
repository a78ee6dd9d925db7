"""Experiment files: what they may say, where each mistake is told, and what editors know of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import maieutic as mt
from maieutic.errors import ExperimentFileError
from maieutic.runs.experiments import schema

VALIDATOR = pytest.importorskip("jsonschema").Draft202012Validator
TOP = """version: 1
name: case
data: {bundled: questions}
models: {m: sim/debater, j: sim/judge}
agents:
  ada: {role: debater, model: m}
  bo: {role: debater, model: m}
  june: {role: judge, model: j}
"""
DEBATE = "conditions:\n  debate: {use: debate, with: {debaters: [ada, bo], judge: june}}\n"
GRAPH = """version: 1
name: one
models: {m: {model: sim/debater, seed: 4}, n: sim/judge}
agents: {ada: {role: debater, model: m}, bo: {role: debater, model: m}, june: {role: judge, model: n}}
use: debate
with: {debaters: [ada, bo], judge: june, rounds: 2}
"""


def names(text: str) -> list[str]:
    return [condition.name for condition in mt.load_experiment(text).conditions]


def problems(text: str) -> list[str]:
    with pytest.raises(ExperimentFileError) as found:
        mt.load_experiment(text)
    return [problem.headline for problem in found.value.problems]


def test_every_combination_of_what_varies_is_a_condition() -> None:
    vary = "vary: {models: {judge: [sim/judge, {model: sim/judge, seed: 2}]}}\n"
    own = DEBATE.replace("}}\n", "}, vary: {with: {rounds: [1, 3], first_round: {blind: blind, open: open}}}}\n")
    assert names(TOP + own) == [f"debate[rounds={n},first_round={how}]" for n in (1, 3) for how in ("blind", "open")]
    assert names(TOP + vary + DEBATE) == ["debate[judge=judge#1]", "debate[judge=judge#2]"]


def test_models_are_named_by_what_stands_after_the_slash() -> None:
    text = TOP + DEBATE + 'vary: {models: {"*": [openai/gpt-5, openai/gpt-5-mini]}}\n'
    assert names(text) == ["debate[gpt-5]", "debate[gpt-5-mini]"]
    cast = mt.load_experiment(text).conditions[1].program.cast
    assert {agent.model.model for agent in cast.values()} == {"openai/gpt-5-mini"}


def test_a_condition_changes_a_graph_file(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(GRAPH)
    file = tmp_path / "experiment.yaml"
    condition = (
        "graph: one.yaml, models: {judge: {model: sim/judge, seed: 3}}, with: {rounds: 5}, set: {limits.calls: 99}"
    )
    file.write_text(f"{TOP}conditions:\n  one: {{{condition}}}\n")
    (one,) = mt.load_experiment(file).conditions
    spec: Any = one.program.spec  # type: ignore[attr-defined]
    assert spec.params["rounds"] == 5
    assert spec.limits.calls == 99
    assert one.program.cast["june"].model.seed == 3
    assert one.at(0) is one.program
    assert one.at(1).cast["ada"].model.seed not in (None, 4)


def test_a_condition_is_another_when_what_it_asks_is_another(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(
        GRAPH.replace("{role: judge, model: n}", "{role: judge, model: n, prompt_file: p.md}")
    )
    file = tmp_path / "experiment.yaml"
    file.write_text(TOP + "conditions: {one: {graph: one.yaml}}\n")

    def digest() -> str:
        return mt.load_experiment(file).conditions[0].arm().digest

    (tmp_path / "p.md").write_text("You judge.")
    first = digest()
    assert digest() == first
    (tmp_path / "p.md").write_text("You judge well.")
    assert digest() != first
    (tmp_path / "p.md").write_text("You judge.")
    (tmp_path / "one.yaml").write_text(
        (tmp_path / "one.yaml").read_text().replace("n: sim/judge", "n: {model: sim/judge, timeout: 5}")
    )
    assert digest() == first, "how a model is reached is no part of it"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (TOP, "<string>:1:1: the file needs the key 'conditions'; write conditions: {NAME: {graph: FILE}} or"),
        (TOP + DEBATE + "repeat: 3\n", "<string>:11:1: unknown key 'repeat' in the file; did you mean 'repeats'?"),
        (TOP + DEBATE + "repeats: three\n", "<string>:11:10: a whole number is expected here, not 'three'"),
        (TOP + DEBATE + "repeats: 0\n", "<string>:11:10: 0 must be greater than or equal to 1"),
        (TOP + DEBATE + "scorers: [exact]\n", "<string>:11:11: unknown scorer 'exact'; did you mean 'exact_match'?"),
        (
            TOP + DEBATE + "scorers: [f1, {use: numeric, relativ: 1}]\n",
            "<string>:11:15: the scorer 'numeric' has no setting 'relativ'; did you mean 'relative'?",
        ),
        (TOP + DEBATE + "scorers: [{use: judge}]\n", "the scorer 'judge' needs models: {use: judge, models: …}"),
        (
            TOP + DEBATE + "scorers: [{use: pairwise, models: sim/judge, rubric: r, against: x}]\n",
            "<string>:11:10: there is no condition 'x' to compare with; there are: debate",
        ),
        (TOP + DEBATE + "budget: {usb: 3}\n", "<string>:11:10: unknown key 'usb' in budget; did you mean 'usd'?"),
        (TOP + DEBATE + "vary: {with: {rounds: 3}}\n", "<string>:11:23: several values are expected here, not 3"),
        (TOP + DEBATE.replace("debate, with", "debaet, with"), "<string>:10:17: unknown protocol 'debaet'"),
        (TOP + DEBATE.replace("judge: june", "judgs: june"), "debate has no parameter 'judgs'"),
        (TOP + DEBATE.replace("june}", "jane}"), "there is no agent 'jane'"),
        (
            TOP + "conditions: {one: {use: single_call, with: {agent: jane}}}\n",
            "there is no agent 'jane' to play the agent; did you mean 'june'?",
        ),
        (TOP.replace("{bundled: questions}", "{bundled: questions, split: x}") + DEBATE, ":3:28: split is a matter of"),
        (TOP + "conditions: {one: {}}\n", "<string>:9:14: condition 'one' does not say what is run"),
        (TOP + "conditions: {one: {graph: no.yaml}}\n", "<string>:9:27: no.yaml: the file cannot be read"),
        (TOP + DEBATE.replace("use", "inputs: {tone: terse}, use"), "<string>:10:21: debate has no input 'tone'"),
        (TOP + DEBATE.replace("use", "set: {limit.calls: 3}, use"), "<string>:10:3: limit.calls: there is no 'limit'"),
        (TOP + DEBATE.replace("use", "models: {jude: sim/judge}, use"), "no agent, role or model is called 'jude'"),
        (TOP.replace("{bundled: questions}", "{}") + DEBATE, "<string>:3:1: data does not say where the items are"),
        (TOP.replace("{bundled: questions}", "no.jsonl") + DEBATE, "<string>:3:7: there is no file 'no.jsonl'"),
        (TOP.replace("{bundled: questions}", "{file: x.docx}") + DEBATE, "'x.docx' is no data set; it ends in .csv"),
        (TOP.replace("bundled", "bundle") + DEBATE, "<string>:3:8: unknown key 'bundle' in data"),
    ],
)  # fmt: skip
def test_every_mistake_is_told_at_its_place(text: str, wanted: str) -> None:
    found = problems(text)
    assert any(wanted in headline for headline in found), found


def test_all_mistakes_are_told_at_once_those_of_graph_files_in_their_files(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(GRAPH.replace("rounds: 2", "roundz: 2"))
    file = tmp_path / "experiment.yaml"
    file.write_text(TOP + "conditions: {one: {graph: one.yaml}}\nscorers: [exact]\nseeds: 3\n")
    with pytest.raises(ExperimentFileError) as found:
        mt.load_experiment(file)
    told = [problem.headline for problem in found.value.problems]
    assert [line.partition(": ")[0].removeprefix(f"{tmp_path}/") for line in told] == [
        "experiment.yaml:10:11",
        "experiment.yaml:11:1",
        "one.yaml:6:42",
    ]


def test_the_environment_stands_in_for_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUDGE", "sim/judge")
    assert names(TOP.replace("sim/judge", '"${env:JUDGE}"') + DEBATE) == ["debate"]
    told = problems(TOP.replace("sim/judge", '"${env:NOBODY}"') + DEBATE)
    assert any("the environment variable NOBODY is not set" in headline for headline in told)


GOOD = (
    TOP + DEBATE,
    TOP + DEBATE + "vary: {with: {rounds: [1, 2]}}\nrepeats: 2\nbudget: {usd: 1, tokens: 2M}\nx-mine: {a: 1}\n",
    TOP + DEBATE + "scorers: [f1, {use: numeric, relative: 0.1}]\n",
    TOP.replace("{bundled: questions}", "questions.jsonl") + "conditions: {a: {graph: a.yaml, set: {limits.usd: 1}}}\n",
    TOP + "conditions: {a: {use: debate, with: {debaters: [ada, bo]}, vary: {models: {a: {x: sim/debater}}}}}\n",
)
BAD = (
    TOP,
    TOP + DEBATE + "repeats: 0\n",
    TOP + DEBATE + "repeat: 3\n",
    TOP + "conditions: {a: {}}\n",
    TOP + DEBATE.replace("debate, with", "debaet, with"),
    TOP + DEBATE.replace("judge: june", "judgs: june"),
    TOP.replace("bundled", "bundle") + DEBATE,
)


@pytest.mark.parametrize("text", GOOD)
def test_the_schema_for_editors_accepts_what_loads(text: str) -> None:
    VALIDATOR(schema()).validate(yaml.safe_load(text))


@pytest.mark.parametrize("text", BAD)
def test_the_schema_for_editors_refuses_what_is_wrong_with_a_key(text: str) -> None:
    assert list(VALIDATOR(schema()).iter_errors(yaml.safe_load(text)))
