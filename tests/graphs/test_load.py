"""Loading: files and texts, the environment, secrets, subgraphs, and what a host brings along."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from maieutic.agents import Agent, Verb
from maieutic.backends.models import SecretRef
from maieutic.errors import GraphFileError
from maieutic.graphs.load import checked, load_spec, load_text
from maieutic.graphs.nodes import AgentNode, ElseRoute, SubgraphNode, UseNode, WhenRoute
from maieutic.graphs.spec import AgentSpec, GraphBody, GraphSpec, StateField
from maieutic.protocols.base import CallPlan, Outcome, Params, Protocol

TUTOR = """# yaml-language-server: $schema=./maieutic.schema.json
version: 1
name: fractions-tutor
description: A teacher explains when the critic finds fault.

models:
  strong: {model: openai/gpt-5-mini, temperature: 0.2}
  local:  {model: hosted_vllm/Qwen3-4B, api_base: "${env:VLLM_URL}", api_key: {secret: VLLM_KEY}, max_concurrency: 64}
  novice: {model: sim/student, knows: 0.3, seed: 7}

agents:
  teacher: {role: teacher, model: local, prompt_file: prompts/teacher.md.j2}
  student: {role: student, model: novice}
  critic:  {role: critic,  model: strong, output: {ok: bool, problem: str}}

state:
  question: {type: str, input: true}
  answer:   {type: str, default: ""}
  review:   {type: critic.output, default: null}
  tries:    {type: int, default: 0, merge: add}

graph:
  start: attempt
  nodes:
    attempt:
      agent: student
      does: answer
      reads: [question]
      writes: {answer: reply.text, tries: 1}
      next: review
    review:
      agent: critic
      does: review
      reads: [question, answer]
      writes: {review: reply}
      routes:
        - when: review.ok
          to: end
        - when: tries < 3
          to: explain
        - else: settle
    explain:
      agent: teacher
      does: explain
      next: attempt
    settle:
      use: debate
      with: {debaters: [student, teacher], judge: critic, rounds: 2, first_round: blind}
      in:  {question: question}
      out: {answer: outcome.answer}
      next: end

limits: {usd: 0.50, tokens: 200k, seconds: 300, steps: 60, on_exceed: stop}
"""
PART = """version: 1
name: part
models: {m: sim/student}
agents: {learner: {role: student, model: m}}
state:
  question: {type: str, input: true}
  answer: {type: str, default: ""}
graph:
  start: ask
  nodes:
    ask: {agent: learner, does: answer, reads: [question], writes: {answer: reply.text}, next: end}
"""


def graph(nodes: str, *, state: str = "", more: str = "") -> str:
    return (
        "version: 1\nname: g\nmodels: {m: sim/student}\nagents: {learner: {role: student, model: m}}\n"
        f"state:\n  question: {{type: str, input: true}}\n{state}graph:\n  start: a\n  nodes:\n{nodes}{more}"
    )


def refused(text: str, **given: Any) -> str:
    with pytest.raises(GraphFileError) as caught:
        load_text(text, **given)
    return str(caught.value)


@pytest.fixture
def tutor(tmp_path: Path) -> Path:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "teacher.md.j2").write_text(
        "You are {{ name }}. {braces} need no escape.", encoding="utf-8"
    )
    path = tmp_path / "tutor.yaml"
    path.write_text(TUTOR, encoding="utf-8")
    return path


def test_the_example_of_the_format_loads(tutor: Path) -> None:
    spec = load_spec(tutor, env={"VLLM_URL": "http://localhost:8000/v1"})
    assert spec.name == "fractions-tutor"
    assert spec.models["local"].api_base == "http://localhost:8000/v1"
    assert spec.models["local"].api_key == SecretRef(secret="VLLM_KEY")
    assert spec.models["novice"].params == {"knows": 0.3}
    assert spec.limits.tokens == 200_000
    assert spec.graph is not None
    settle = spec.graph.nodes["settle"]
    assert isinstance(settle, UseNode)
    assert settle.params["debaters"] == ["student", "teacher"]
    assert spec.origin.home == tutor.parent


def test_a_file_may_be_nothing_but_a_protocol() -> None:
    spec = load_text(
        "version: 1\nname: cars\nmodels: {a: sim/debater, b: {model: sim/debater, seed: 2}, j: sim/judge}\n"
        "agents:\n  ada: {role: debater, model: a}\n  bo: {role: debater, model: b}\n  judge: {role: judge, model: j}\n"
        "use: debate\nwith: {debaters: [ada, bo], judge: judge, rounds: 3, decide: judge, first_round: blind}\n"
    )
    assert spec.use == "debate"
    assert spec.graph is None


def test_text_and_path_load_alike(tmp_path: Path) -> None:
    path = tmp_path / "part.yaml"
    path.write_text(PART, encoding="utf-8")
    assert load_spec(path) == load_spec(str(path)) == load_spec(PART)
    assert load_spec(PART).origin.file == "<string>"


def test_problems_of_a_text_are_in_string() -> None:
    assert refused("version: 3\nname: a\n").startswith("<string>:1:10: version 3 is not known")


def test_the_environment_has_defaults() -> None:
    text = PART.replace("m: sim/student", 'm: {model: "${env:KIND:-sim/student}"}').replace(
        "name: part", 'name: part\ndescription: "${env:A}-${env:B:-}"'
    )
    assert load_text(text, env={"A": "x"}).models["m"].model == "sim/student"
    assert load_text(text, env={"A": "x"}).description == "x-"
    assert load_text(text, env={"A": "x", "KIND": "sim/teacher", "B": "y"}).models["m"].model == "sim/teacher"


def test_what_the_environment_says_is_not_read_again() -> None:
    text = PART.replace("name: part", 'name: part\ndescription: "${env:A}"')
    assert load_text(text, env={"A": "${env:B}", "B": "no"}).description == "${env:B}"


def test_a_secret_is_read_when_used_and_not_before(tutor: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_KEY", "very-secret")
    monkeypatch.setenv("VLLM_URL", "http://localhost")
    assert "very-secret" not in repr(load_spec(tutor))


def test_keys_that_begin_with_x_are_the_authors_own() -> None:
    spec = load_text("x-who: &who {role: student, model: m}\n" + PART.replace("{role: student, model: m}", "*who"))
    assert spec.agents["learner"].role == "student"
    assert "unknown key 'x-me'" in refused(PART.replace("{role: student,", "{x-me: 1, role: student,"))


def test_a_subgraph_is_found_beside_its_file(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "part.yaml").write_text(PART, encoding="utf-8")
    (tmp_path / "whole.yaml").write_text(
        graph(
            "    a:\n      graph: parts/part.yaml\n      in: {question: question}\n      out: {best: outcome.answer}\n"
            "      models: {m: m}\n      agents: {learner: learner}\n      next: end\n",
            state="  best: {type: str, default: ''}\n",
        ),
        encoding="utf-8",
    )
    spec = load_spec(tmp_path / "whole.yaml")
    assert spec.graph is not None
    assert isinstance(spec.graph.nodes["a"], SubgraphNode)
    below = spec.origin.subgraphs["parts/part.yaml"]
    assert below.name == "part"
    assert below.origin.home == tmp_path / "parts"


def test_a_ring_of_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for own, other in (("one", "two"), ("two", "one")):
        ask = "    a: {agent: learner, does: answer, reads: [question], next: b}\n"
        text = graph(f"{ask}    b: {{graph: {other}.yaml, in: {{question: question}}, next: end}}\n")
        Path(f"{own}.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(GraphFileError, match=r"two\.yaml:11:16: this graph file contains itself"):
        load_spec(Path("one.yaml"))


class Tutor(Agent):
    role = "tutor"
    verbs = {"drill": Verb("drill", needs=("topic",))}  # noqa: RUF012
    templates = {"drill": "Drill the student on {{ topic }}."}  # noqa: RUF012


class QuizParams(Params):
    rounds: int = 1


class QuizOutcome(Outcome):
    score: float = 0.0


class Quiz(Protocol[QuizParams, QuizOutcome]):
    """A protocol of the host's."""

    name = "quiz"
    params_model = QuizParams
    outcome_model = QuizOutcome

    def build(self) -> Any:
        raise NotImplementedError

    def outcome(self, state: Any, reason: str | None = None) -> QuizOutcome:
        raise NotImplementedError

    def plan(self) -> CallPlan:
        return CallPlan({"x": (self.params.rounds, self.params.rounds)})


def test_a_host_brings_roles_protocols_and_tools() -> None:
    text = graph(
        "    a: {agent: learner, does: drill, reads: {topic: question}, next: b}\n"
        "    b: {use: quiz, with: {rounds: 4}, in: {question: question}, out: {score: outcome.score}, next: c}\n"
        "    c: {tool: look_up, with: {what: question}, writes: {found: result}, next: end}\n",
        state="  score: {type: float, default: 0}\n  found: {type: any, default: null}\n",
    ).replace("role: student", "role: tutor")
    own: dict[str, Any] = {"roles": {"tutor": Tutor}, "protocols": {"quiz": Quiz}}
    assert load_text(text, **own, tools=["look_up"]).name == "g"
    message = refused(text)
    for line in ("unknown role 'tutor'", "unknown protocol 'quiz'", "unknown tool 'look_up'"):
        assert line in message
    assert "unknown tool 'look_up'; did you mean 'lookup'?" in refused(text, **own, tools=["lookup"])
    assert "calls: 4 is too small: the cheapest way through takes 5" in refused(
        text + "limits: {calls: 4}\n", **own, tools=["look_up"]
    )


def test_a_graph_built_in_python_is_checked_on_the_file_it_would_write() -> None:
    ask = AgentNode(
        agent="learner",
        does="answer",
        reads=["question"],
        writes={"answer": "reply.text"},  # type: ignore[dict-item]
        routes=[WhenRoute(when="answr != ''", to="end"), ElseRoute(otherwise="end")],  # type: ignore[arg-type]
    )
    spec = GraphSpec(
        version=1,
        name="built",
        models={"m": "sim/student"},  # type: ignore[dict-item]
        agents={"learner": AgentSpec(role="student", model="m")},
        state={"question": StateField(type="str", input=True), "answer": StateField(type="str", default="")},
        graph=GraphBody(start="ask", nodes={"ask": ask}),
    )
    with pytest.raises(GraphFileError, match=r"<python>:\d+:\d+: unknown name 'answr'; did you mean 'answer'"):
        checked(spec)
    routes = [WhenRoute(when="answer != ''", to="end"), ElseRoute(otherwise="end")]  # type: ignore[arg-type]
    nodes: Any = {"ask": ask.model_copy(update={"routes": routes})}
    good = spec.model_copy(update={"graph": GraphBody(start="ask", nodes=nodes)})
    assert checked(good) == good


def test_loading_a_file_imports_no_model_library(tmp_path: Path) -> None:
    (tmp_path / "part.yaml").write_text(PART, encoding="utf-8")
    code = (
        "import sys, maieutic.graphs\n"
        "assert not {'langgraph', 'litellm', 'networkx', 'ruamel.yaml'} & set(sys.modules), 'import'\n"
        "from maieutic.graphs import load_spec\n"
        f"load_spec({str(tmp_path / 'part.yaml')!r})\n"
        "assert not {'langgraph', 'litellm', 'networkx'} & set(sys.modules), 'load'\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
