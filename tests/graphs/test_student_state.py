"""A student model is what was observed: in branches, nested graphs, hosts' checkpoints, and runs taken up again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, TypedDict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langgraph.checkpoint.memory import MemorySaver
from langgraph.graph import END, START, StateGraph
from pydantic import Field

import maieutic as mt
from maieutic.backends import Endpoints, LLMRequest, Place, ScriptedModel, standalone
from maieutic.errors import GraphFileError, ModelError, UsageError
from maieutic.graphs import Graph, load_graph
from maieutic.graphs.load import load_text
from maieutic.graphs.pupils import Pupils
from maieutic.graphs.write import to_yaml
from maieutic.memory.student import ConceptGraph, Item, Observation, StudentModel
from maieutic.memory.student.decisions import Decisions
from maieutic.testing.plays import play

CONCEPTS = """version: 1
concepts:
  division: {prior: 0.7}
  fractions: {needs: [division], prior: 0.6}
items:
  halves: {question: What is 1/2 + 1/3?, answer: 5/6, concepts: [fractions]}
  thirds: {question: What is 1/3 of 9?, answer: 3, concepts: [division]}
"""
QUIZ = """
version: 1
name: quiz
models: {m: scripted/x}
agents:
  student: {role: student, model: m, output: {answer: str}}
  teacher: {role: teacher, model: m}
student_model: {graph: concepts.yaml, budget: 0.5, input: true}
state:
  questions: {type: "list[str]", default: [halves, thirds, halves, halves, thirds, halves]}
  n: {type: int, default: 0}
graph:
  start: attempt
  nodes:
    attempt:
      agent: student
      does: answer
      reads: {question: "questions[n]"}
      observe: {item: "questions[n]", answer: reply.answer}
      routes:
        - when: student.should_intervene(questions[n])
          to: explain
        - else: onward
    explain:
      agent: teacher
      does: explain
      reads: {question: "questions[n]"}
      observe: {explained: "questions[n]"}
      next: onward
    onward:
      set: {n: n + 1}
      routes:
        - when: n < len(questions)
          to: attempt
        - else: end
limits: {steps: 60}
"""
ANSWERS = {
    "attempt#1": "5",
    "attempt#2": "3",
    "attempt#3": "5/6",
    "attempt#4": "1",
    "attempt#5": "2",
    "attempt#6": "5/6",
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "concepts.yaml").write_text(CONCEPTS)
    (tmp_path / "quiz.yaml").write_text(QUIZ)
    return tmp_path


def answering(request: LLMRequest) -> Any:
    node = request.address.path[-2]
    return {"answer": ANSWERS[node]} if node in ANSWERS else "Because."


def path_of(run: mt.Run) -> list[tuple[str, str]]:
    return [(edge["source"], edge["target"]) for edge in run.edges]


def test_a_run_that_was_killed_decides_as_it_did_before(home: Path) -> None:
    undisturbed = play(home / "quiz.yaml", answering).run
    asked: list[str] = []

    def dying(request: LLMRequest) -> Any:
        if len(asked) == 4:
            raise ModelError("gone", kind="server")
        asked.append("/".join(request.address.path))
        return answering(request)

    async def twice() -> tuple[mt.Run, mt.Run]:
        async with mt.Workspace(home / "store", backends={"scripted": ScriptedModel(dying)}) as place:
            first = await place.run(load_graph(home / "quiz.yaml"), {}, run_id="quiz")
        async with mt.Workspace(home / "store", backends={"scripted": ScriptedModel(answering)}) as place:
            return first, await place.resume("quiz")

    first, resumed = asyncio.run(twice())
    assert first.status == "failed"
    assert 0 < len(first.to_json()["outcome"]["student"]["log"]) < len(resumed.to_json()["outcome"]["student"]["log"])
    assert path_of(resumed)[: len(first.edges)] == path_of(first)
    assert resumed.edges == undisturbed.edges
    assert resumed.to_json()["outcome"]["student"] == undisturbed.to_json()["outcome"]["student"]
    assert resumed.ledger.total.from_journal == 4


def test_a_fork_knows_what_was_observed_before_it(home: Path) -> None:
    def other(request: LLMRequest) -> Any:
        return {"answer": "5/6"} if request.model.model == "scripted/better" and request.output else answering(request)

    async def run() -> tuple[mt.Run, mt.Run]:
        async with mt.Workspace(backends={"scripted": ScriptedModel(other)}) as place:
            first = await place.run(load_graph(home / "quiz.yaml"), {}, run_id="quiz")
            return first, await place.fork("quiz", turn=4, models={"student": "scripted/better"})

    first, branch = asyncio.run(run())
    old, new = (one.to_json()["outcome"]["student"]["log"] for one in (first, branch))
    assert old[:3] == new[:3]
    assert old != new
    again = StudentModel.of(ConceptGraph.load(home / "concepts.yaml"), map(Observation.model_validate, new))
    assert branch.to_json()["outcome"]["student"]["mastery"] == {c: again.mastery(c) for c in ("division", "fractions")}


def config() -> Any:
    return {"configurable": {"thread_id": "t"}}


def place(script: Any) -> Place:
    return standalone(Endpoints({"scripted": ScriptedModel(script)}))


def test_a_hosts_checkpointer_keeps_plain_json_and_resumes_the_same_decisions(home: Path) -> None:
    whole = play(home / "quiz.yaml", answering).run

    async def stepwise() -> tuple[list[Any], Any]:
        saver, saved = MemorySaver(), []
        state: Any = {}
        for step in range(40):
            # Every step with a graph loaded anew: nothing but the checkpoint is remembered.
            compiled = load_graph(home / "quiz.yaml").build().compile(checkpointer=saver, interrupt_before="*")
            state = await compiled.ainvoke({} if step == 0 else None, config(), context=place(answering))
            found = await compiled.aget_state(config())
            saved.append(found.values)
            if step and not found.next:
                break
        return saved, state

    saved, state = asyncio.run(stepwise())
    assert json.loads(json.dumps(saved)) == saved
    assert len(saved) > 10
    assert state["student"] == whole.to_json()["outcome"]["student"]["log"]


class Host(TypedDict, total=False):
    student: list[Any]


def test_a_host_can_hand_in_what_was_observed_and_gets_it_all_back(home: Path) -> None:
    before = [{"kind": "answered", "item": "halves", "correct": True}, {"kind": "waited", "days": 7}]

    async def inside() -> Any:
        host: Any = StateGraph(Host, context_schema=Place)
        host.add_node("quiz", load_graph(home / "quiz.yaml").compiled)
        host.add_edge(START, "quiz")
        host.add_edge("quiz", END)
        return await host.compile().ainvoke({"student": before}, context=place(answering))

    state = asyncio.run(inside())
    assert state["student"][:2] == before
    assert len(state["student"]) > 8


def test_a_run_can_begin_with_a_saved_student_model(home: Path) -> None:
    played = play(home / "quiz.yaml", answering)
    assert played.graph.pupils is not None
    saved = played.graph.pupils.model(played.run.outcome.student["log"]).to_json()
    later = play(home / "quiz.yaml", answering, {"student": json.loads(json.dumps(saved))})
    assert later.run.outcome.student["log"][: len(saved["log"])] == saved["log"]
    assert later.run.outcome.student["mastery"] != played.run.outcome.student["mastery"]


@pytest.mark.parametrize(
    ("student", "message"),
    [
        ("Ann", "the input 'student': a list of observations is expected, or a saved student model, not 'Ann'"),
        (
            [{"kind": "answered", "item": "halfs", "correct": True}],
            "the input 'student': the student model knows no item 'halfs'; did you mean 'halves'?",
        ),
        (
            [{"kind": "waited"}],
            "the input 'student': observation 1 is not valid: Value error, an observation of the kind 'waited' needs",
        ),
    ],
)
def test_what_is_handed_in_is_checked(home: Path, student: Any, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        play(home / "quiz.yaml", answering, {"student": student})
    assert message in str(caught.value)


def test_a_graph_takes_no_student_unless_it_says_so(home: Path) -> None:
    (home / "quiz.yaml").write_text(QUIZ.replace(", input: true", ""))
    with pytest.raises(UsageError, match="quiz has no input 'student'"):
        play(home / "quiz.yaml", answering, {"student": []})


SIDE_BY_SIDE = """
version: 1
name: sides
models: {m: scripted/x}
agents: {ann: {role: student, model: m, output: {answer: str}}}
student_model: {graph: concepts.yaml}
state:
  questions: {type: "list[str]", default: [halves, thirds, halves]}
graph:
  start: both
  nodes:
    both:
      parallel:
        slow: {tool: slow, observe: {item: "'halves'", correct: result}}
        fast: {tool: fast, observe: [{waited: 1}, {item: "'thirds'", correct: result}]}
      next: each
    each:
      map: questions
      as: q
      do: {agent: ann, does: answer, reads: {question: q}, observe: {item: q, answer: reply.answer}}
      next: end
"""


def test_branches_and_items_are_observed_in_the_files_order_whoever_is_ready_first(home: Path) -> None:
    (home / "sides.yaml").write_text(SIDE_BY_SIDE)
    ready: list[str] = []

    async def slow() -> bool:
        await asyncio.sleep(0.02)
        ready.append("slow")
        return True

    async def fast() -> bool:
        ready.append("fast")
        return True

    played = play(home / "sides.yaml", lambda request: {"answer": "3"}, tools={"slow": slow, "fast": fast})
    assert ready == ["fast", "slow"]
    assert played.run.outcome.student["log"] == [
        {"kind": "answered", "item": "halves", "correct": True},
        {"kind": "waited", "days": 1.0},
        {"kind": "answered", "item": "thirds", "correct": True},
        {"kind": "answered", "item": "halves", "correct": False},
        {"kind": "answered", "item": "thirds", "correct": True},
        {"kind": "answered", "item": "halves", "correct": False},
    ]


OUTER = """
version: 1
name: outer
models: {m: scripted/x}
agents: {student: {role: student, model: m, output: {answer: str}}}
student_model: {graph: concepts.yaml}
state:
  parts: {type: "list[str]", default: [halves, thirds]}
graph:
  start: ask
  nodes:
    ask: {agent: student, does: answer, observe: {item: "'halves'", answer: reply.answer}, next: each}
    each:
      map: parts
      as: part
      do:
        graph: inner.yaml
        in: {question: part, student: student.log}
        observe: {log: outcome.student.new}
      next: end
"""
INNER = """
version: 1
name: inner
models: {m: scripted/x}
agents: {student: {role: student, model: m, output: {answer: str}}}
student_model: {graph: concepts.yaml, input: true}
state:
  question: {type: str, input: true}
graph:
  start: ask
  nodes:
    ask: {agent: student, does: answer, reads: [question], observe: {item: question, answer: reply.answer}, next: end}
"""


def test_a_nested_graph_shares_the_student_if_both_files_say_so(home: Path) -> None:
    (home / "outer.yaml").write_text(OUTER)
    (home / "inner.yaml").write_text(INNER)
    played = play(home / "outer.yaml", lambda request: {"answer": "3"})
    assert [(one["item"], one["correct"]) for one in played.run.outcome.student["log"]] == [
        ("halves", False),
        ("halves", False),
        ("thirds", True),
    ], "what was handed in is not counted again, though one of the new observations equals it"


def test_a_nested_graph_keeps_its_student_to_itself_otherwise(home: Path) -> None:
    (home / "inner.yaml").write_text(INNER)
    (home / "outer.yaml").write_text(
        OUTER.replace(", student: student.log", "").replace("        observe: {log: outcome.student.new}\n", "")
    )
    played = play(home / "outer.yaml", lambda request: {"answer": "3"})
    assert [one["item"] for one in played.run.outcome.student["log"]] == ["halves"]


def test_a_nested_graph_that_takes_no_student_is_told_where_to_say_so(home: Path) -> None:
    (home / "outer.yaml").write_text(OUTER)
    (home / "inner.yaml").write_text(INNER.replace(", input: true}\nstate", "}\nstate"))
    with pytest.raises(
        GraphFileError, match=r"inner.yaml has no input 'student'; add student_model: \{input: true\} there"
    ):
        load_graph(home / "outer.yaml")


def test_a_tool_can_say_what_it_observed(home: Path) -> None:
    text = """
version: 1
name: exam
student_model: {graph: concepts.yaml}
graph:
  start: exam
  nodes:
    exam: {tool: exam, observe: {log: result.seen}, next: end}
"""
    (home / "exam.yaml").write_text(text)
    seen = [{"kind": "answered", "item": "halves", "correct": True}]
    assert play(home / "exam.yaml", tools={"exam": lambda: {"seen": seen}}).run.outcome.student["log"] == seen


class ExamParams(mt.Params):
    """It has none."""


class ExamOutcome(mt.Outcome):
    """An outcome whose field `student` is nothing but its own."""

    student: str = ""
    observed: list[dict[str, Any]] = Field(default_factory=list)


class Exam(mt.Protocol[ExamParams, ExamOutcome]):
    """Observes one wrong answer more than it was told of."""

    name = "exam"
    params_model = ExamParams
    outcome_model = ExamOutcome
    inputs: ClassVar[Mapping[str, bool]] = {"log": True}

    def build(self) -> StateGraph[Any, Place, Any, Any]:
        graph: Any = StateGraph(ExamState, context_schema=Place)
        graph.add_node("look", lambda state: {"seen": [{**state["log"][-1], "correct": False}]})
        graph.add_edge(START, "look")
        graph.add_edge("look", END)
        return graph  # type: ignore[no-any-return]

    def outcome(self, state: Mapping[str, Any], reason: str | None = None) -> ExamOutcome:
        return ExamOutcome(student="Ann", observed=list(state.get("seen") or ()))

    def plan(self) -> mt.CallPlan:
        return mt.CallPlan()


class ExamState(TypedDict, total=False):
    log: list[dict[str, Any]]
    seen: list[dict[str, Any]]


def test_a_protocol_takes_and_gives_observations_as_its_inputs_and_outcome(home: Path) -> None:
    text = """
version: 1
name: exams
models: {m: scripted/x}
agents: {student: {role: student, model: m, output: {answer: str}}}
student_model: {graph: concepts.yaml}
state: {who: {type: str, default: ""}}
graph:
  start: ask
  nodes:
    ask: {agent: student, does: answer, observe: {item: "'halves'", answer: reply.answer}, next: exam}
    exam:
      use: exam
      in: {log: student.log}
      out: {who: outcome.student}
      observe: {log: outcome.observed}
      next: end
"""
    (home / "exams.yaml").write_text(text)
    played = play(home / "exams.yaml", lambda request: {"answer": "5/6"}, protocols={"exam": Exam})
    assert [one["correct"] for one in played.run.outcome.student["log"]] == [True, False]
    assert played.state == {"who": "Ann"}


def test_a_file_written_again_says_the_same(home: Path) -> None:
    spec = load_graph(home / "quiz.yaml").spec
    again = load_text(to_yaml(spec), home=home)
    assert again == spec
    assert again.origin.concepts == spec.origin.concepts
    assert to_yaml(again) == to_yaml(spec)


def test_concepts_can_stand_in_the_graph_file(home: Path) -> None:
    inline = json.dumps(
        {
            "concepts": {"division": {}, "fractions": {"needs": ["division"]}},
            "items": {"halves": {"answer": "5/6", "concepts": ["fractions"]}},
            "budget": 0.5,
            "input": True,
        }
    )
    text = QUIZ.replace("{graph: concepts.yaml, budget: 0.5, input: true}", inline).replace("thirds", "halves")
    spec = load_text(text)
    assert spec.origin.concepts is not None
    assert list(spec.origin.concepts.items) == ["halves"]
    assert load_text(to_yaml(spec)) == spec


observations = st.one_of(
    st.builds(
        Observation,
        kind=st.just("answered"),
        item=st.sampled_from(["halves", "thirds"]),
        correct=st.booleans(),
        confidence=st.none() | st.sampled_from([0.1, 0.9]),
    ),
    st.builds(Observation, kind=st.just("explained"), concepts=st.sampled_from([("fractions",), ("division",)])),
    st.builds(Observation, kind=st.just("waited"), days=st.sampled_from([0.0, 1.0, 30.0])),
)


@settings(deadline=None, max_examples=40)
@given(st.lists(observations, max_size=12), st.lists(st.integers(0, 12), max_size=12), st.data())
def test_answers_do_not_depend_on_what_was_asked_before(
    log: list[Observation], lengths: list[int], data: st.DataObject
) -> None:
    """Runs that go on, begin anew or go back, in any order, over the same models at hand."""
    concepts = ConceptGraph(
        [
            Item(id=name, concepts=(needs,), answer="1")
            for name, needs in (("halves", "fractions"), ("thirds", "division"))
        ]
    )
    concepts.add("division", prior=0.7)
    concepts.add("fractions", needs=["division"])
    pupils = Pupils(concepts, 0.5)
    plain = [one.to_json() for one in log]
    for length in lengths:
        other = data.draw(st.booleans())
        seen = log[:length] if not other else log[length:]
        pupil = pupils.at([one.to_json() for one in seen])
        fresh = Decisions(StudentModel(concepts), 0.5)
        for one in seen:
            fresh.observe(one)
        assert pupil.ask("mastery", ["fractions"]).value == fresh.model.mastery("fractions")
        assert pupil.ask("should_intervene", ["halves"]).value == fresh.decide("halves").intervene
        assert pupil.log == (plain[:length] if not other else plain[length:])


def test_more_runs_at_once_than_models_are_kept(home: Path) -> None:
    graph = load_graph(home / "quiz.yaml")

    async def many() -> list[Any]:
        async with mt.Workspace(backends={"scripted": ScriptedModel(answering)}) as place:
            runs = await asyncio.gather(*(place.run(graph, {}) for _ in range(80)))
        return [run.to_json()["outcome"]["student"] for run in runs]

    found = asyncio.run(many())
    assert all(one == found[0] for one in found)


def test_a_graph_needs_its_concepts_loaded_with_it(home: Path) -> None:
    spec = load_graph(home / "quiz.yaml").spec
    with pytest.raises(UsageError, match="the concepts were not loaded with it; use load_spec"):
        Graph(type(spec).model_validate(spec.model_dump(by_alias=True)))


SKETCH = """
version: 1
name: fractions-tutor
description: A teacher explains only when the student model says it pays.

models:
  strong: {model: openai/gpt-5-mini, temperature: 0.2}
  local:  {model: hosted_vllm/Qwen3-4B, api_base: "${env:VLLM_URL}", api_key: {secret: VLLM_KEY}, max_concurrency: 64}
  novice: {model: sim/student, knows: 0.3, seed: 7}

agents:
  teacher: {role: teacher, model: strong, prompt_file: prompts/teacher.md.j2}
  student: {role: student, model: novice}
  critic:  {role: critic,  model: local, output: {ok: bool, problem: str}}

state:
  question: {type: str, input: true}
  answer:   {type: str, default: ""}
  review:   {type: critic.output, default: null}
  tries:    {type: int, default: 0, merge: add}

student_model: {graph: concepts.yaml, budget: 0.4}

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
      observe: {item: question, correct: review.ok}
      routes:
        - when: review.ok
          to: end
        - when: tries < 3 and student.should_intervene(question)
          to: explain
        - else: settle
    explain:
      agent: teacher
      does: explain
      reads: [question]
      observe: {explained: question}
      next: attempt
    settle:
      use: debate
      with: {debaters: [student, teacher], judge: critic, rounds: 2, first_round: blind}
      in:  {question: question}
      out: {answer: outcome.answer}
      next: end

limits: {usd: 0.50, tokens: 200k, seconds: 300, steps: 60, on_exceed: stop}
"""


def test_the_first_design_of_graph_files_loads_with_what_the_model_is_told(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLLM_URL", "http://localhost:8000")
    (home / "prompts").mkdir()
    (home / "prompts" / "teacher.md.j2").write_text("You are {{ name }}.\n")
    (home / "tutor.yaml").write_text(SKETCH)
    graph = load_graph(home / "tutor.yaml")
    assert graph.plan().fewest == 2
    (home / "tutor.yaml").write_text(
        SKETCH.replace("      observe: {explained: question}\n", "").replace(
            "      observe: {item: question, correct: review.ok}\n", ""
        )
    )
    with pytest.raises(GraphFileError, match="the student model is asked, but nothing is ever observed"):
        load_graph(home / "tutor.yaml")
