"""Decision 3 of the architecture: what an agent reads before an instruction only grows at its end, in every protocol.

Then a serving engine's prefix cache has computed every earlier token; benchmarks/prefix_cache.py measures that. The
instruction, which is the last message, comes and goes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import maieutic as mt
from maieutic.backends import Endpoints, LLMReply, LLMRequest, in_memory
from maieutic.backends.sim import SimBackend, load_world
from maieutic.backends.sim.curriculum import curriculum
from maieutic.memory import Message
from maieutic.protocols.base import Protocol
from maieutic.protocols.routing import Candidate, Pool
from maieutic.testing.staged import play

few = settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow], phases=[Phase.generate])
Read = tuple[Message, ...]
TEXT = "\n".join(fact.says for fact in list(load_world().facts.values())[:12])
FOUR = [item for item in curriculum().items.values() if len(item.options) == 4]
ITEMS = [item.model_copy(update={"distractors": {}}) for item in FOUR[:10]]


class Recorder(SimBackend):
    """Simulated minds, and every request that they were sent."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[LLMRequest] = []

    async def complete(self, request: LLMRequest, on_text: Any = None) -> LLMReply:
        self.requests.append(request)
        return await super().complete(request, on_text)


def requests_of(program: Protocol[Any, Any], question: str | None = "Why?", *, seed: int = 0, **inputs: Any) -> Any:
    recorder = Recorder()
    given = inputs if question is None else {"question": question, **inputs}

    async def run() -> Any:
        async with in_memory(Endpoints({"sim": recorder}), seed) as place:
            return await program.perform(at=place, **given)

    outcome = asyncio.run(run())
    return outcome, recorder.requests


def read_in(requests: Sequence[LLMRequest]) -> list[Read]:
    """What was read before the instruction, call by call."""
    return [request.messages[:-1] for request in requests]


def assert_grows(requests: Sequence[LLMRequest], dialogue: Callable[[LLMRequest], Hashable]) -> None:
    """In each dialogue, whatever an agent reads begins with all that it read before; at least once there is more."""
    views: dict[Hashable, list[Read]] = {}
    for request in requests:
        views.setdefault((request.agent, dialogue(request)), []).append(request.messages[:-1])
    for who, reads in views.items():
        for before, now in pairwise(reads):
            assert now[: len(before)] == before, who
    assert any(len(reads[-1]) > len(reads[0]) for reads in views.values())


def one(_: LLMRequest) -> Hashable:
    """All calls are of one dialogue."""
    return None


def debaters(count: int) -> list[mt.Debater]:
    return [mt.Debater(name, {"model": "sim/debater", "seed": n}) for n, name in enumerate(("Ada", "Bo", "Cy")[:count])]


@few
@given(
    st.integers(0, 99),
    st.integers(2, 3),
    st.sampled_from(["in_turn", "reversed", "alternating", "simultaneous", "random"]),
    st.sampled_from(["open", "blind"]),
    st.sampled_from(["each_round", "ends", "never"]),
    st.booleans(),
    st.booleans(),
)
def test_a_debaters_and_a_judges_view(
    seed: int, count: int, order: Any, first_round: Any, probes: Any, balanced: bool, shared_first: bool
) -> None:
    cast = [agent.balanced() if balanced else agent for agent in debaters(count)]
    judge = mt.Judge("June", "sim/judge")
    program = mt.Debate(
        cast,
        judge=judge,
        rounds=3,
        order=order,
        first_round=first_round,
        probes=probes,
        shared_first=shared_first,
        options=["yes", "no"],
    )
    _, requests = requests_of(program, "Should cities ban cars?", seed=seed)
    said = [r for r in requests if ".weigh" not in r.address.path[-1]]  # it weighs what nobody is told
    assert_grows(said, one)


def test_a_window_over_the_debate_is_told_to_give_that_up() -> None:
    program = mt.Debate(debaters(2), rounds=3, visible="last_round", options=["yes", "no"])
    _, requests = requests_of(program)
    with pytest.raises(AssertionError):
        assert_grows(requests, one)


@few
@given(
    st.integers(0, 99),
    st.integers(1, 2),
    st.sampled_from(["free", "self_estimate", "student_model"]),
    st.booleans(),
    st.sampled_from(["turn", "end"]),
    st.booleans(),
)
def test_a_teachers_and_a_students_view_of_each_lesson(
    seed: int, teachers: int, choice: Any, syllabus: bool, quiz_every: Any, shared_first: bool
) -> None:
    program = mt.Interact(
        [mt.Teacher(name, "sim/teacher") for name in ("Ann", "Dan")[:teachers]],
        mt.Student("Bo", "sim/student"),
        examiner=mt.Teacher("Eve", "sim/teacher"),
        context=TEXT,
        topic="the world",
        turns=3,
        question_choice=[choice],
        syllabus=syllabus,
        quiz_every=quiz_every,
        shared_first=shared_first,
    )
    outcome, requests = requests_of(program, seed=seed)
    grown = [curve for curve in outcome.curves if curve.condition in ("interaction", "lesson_interaction")]
    assert grown
    for curve in grown:
        arm = f"{curve.condition}.{curve.teacher}.{curve.choice}"
        root = "nothing" if curve.condition == "interaction" else f"lesson.{curve.teacher}"
        of_arm = [r for r in requests if {arm, root} & set(r.address.path)]
        assert {arm} & {part for r in of_arm for part in r.address.path}
        assert_grows(of_arm, one)


@few
@given(st.integers(0, 99), st.booleans())
def test_an_intervention_run_reads_nothing_but_its_item_behind_what_all_items_share(seed: int, knows: bool) -> None:
    """The instruction, the last message, holds the item; before it stand the explanation, or the demonstrations."""
    program = mt.Interventions(
        mt.Teacher("Ann", "sim/teacher"),
        mt.Student("Bo", "sim/student"),
        ITEMS,
        estimators=["few_shot"],
        teacher_knows_answers=knows,
        confidence="measured",
        seed=seed,
    )
    outcome, requests = requests_of(program, seed=seed)
    explanations = {f"Ann: {record.explanation}" for record in (*outcome.records, *outcome.practice)}
    for agent in ("Ann", "Bo"):
        reads = read_in([r for r in requests if r.agent == agent])
        assert len({read[0] for read in reads}) == 1  # the system prompt
        behind = {read[1:] for read in reads}
        assert all(len(rest) <= 1 for rest in behind)
        shared = {rest[0].content for rest in behind if rest} - explanations
        assert len(shared) == (2 if agent == "Ann" else 0)  # the demonstrations, alone and explained


@few
@given(st.integers(0, 99), st.sampled_from([0.3, 1.0]))
def test_a_students_view_under_each_rule_as_items_go_by(seed: int, budget: float) -> None:
    program = mt.OnlineInterventions(
        teacher=mt.Teacher("Ann", "sim/teacher"), student=mt.Student("Bo", "sim/student"), items=ITEMS, budget=budget
    )
    _, requests = requests_of(program, None, seed=seed)
    led = [r for r in requests if r.agent == "Bo" and "rehearsal" not in r.address.path]
    assert_grows(led, lambda request: request.address.path[-2])


@few
@given(st.integers(0, 99), st.sampled_from(["blind", "open"]), st.sampled_from(["line", "position"]))
def test_a_speakers_view_along_every_branch_of_a_tree(seed: int, first_round: Any, answers: Any) -> None:
    program = mt.PersuasionTree(debaters(2), turns=4, stop="never", first_round=first_round, answers=answers)
    outcome, requests = requests_of(program, seed=seed, accepted=["yes"], options=["yes", "no"])
    read = {request.address.local: request.messages[:-1] for request in requests}
    before: list[Read] = []
    for leaf in outcome.tree.leaves():
        for name in ("Ada", "Bo"):
            own = [node for node in outcome.tree.path(leaf.id) if node.id and node.turn.speaker == name]
            before = [read[node.address] for node in own]
            assert len(before) == 2
            assert before[1][: len(before[0])] == before[0]
            assert before[1][len(before[0])] == Message("assistant", own[0].turn.content)


@few
@given(st.integers(0, 99))
def test_a_tutors_and_its_students_view(seed: int) -> None:
    program = mt.Tutor(
        teacher=mt.Teacher("Ann", "sim/teacher"),
        student=mt.Student("Bo", {"model": "sim/student", "seed": seed}),
        concepts=curriculum(),
        context=TEXT,
        turns=6,
    )
    _, requests = requests_of(program, "the world", seed=seed)
    assert_grows([r for r in requests if not r.address.path[-1].endswith(".review")], one)


@pytest.mark.parametrize("rendering", ["continue", "turns"])
def test_a_router_reads_its_own_words_again_where_it_wrote_them(rendering: Any) -> None:
    pool = Pool(candidates=[Candidate(name="Poly", model=mt.ModelSpec(model="sim/expert"))])
    program = mt.RouterR1(
        router=mt.Router("Rita", {"model": "sim/router", "knows": 0.0}), pool=pool, rounds=3, rendering=rendering
    )
    _, requests = requests_of(program, "From what does a star get its energy?")
    texts = ["\n".join(m.content for m in r.messages) for r in requests if r.agent == "Rita"]
    assert len(texts) > 1
    assert all(now.startswith(before) for before, now in pairwise(texts))


def test_who_drafts_and_who_reviews() -> None:
    def say(request: LLMRequest) -> Any:
        if request.agent == "Cora":
            return {"problem": "Too short.", "ok": False}
        return {"reasoning": "So it is.", "answer": "fusion", "confidence": 0.5}

    staged = play(mt.SelfRefine(mt.Agent("Ann", "scripted/a"), critic=mt.Critic("Cora", "scripted/c"), rounds=3), say)
    assert_grows(staged.requests, one)


def opened(requests: Sequence[LLMRequest], agent: str) -> str:
    """How everything begins that an agent reads: its first message, with which all its calls begin."""
    (first,) = {request.messages[0] for request in requests if request.agent == agent}
    assert first.role == "system"
    return first.content


def test_a_shared_question_stands_before_who_reads_it_and_nothing_else_is_different() -> None:
    def say(request: LLMRequest) -> Any:
        return {"answer": "yes", "reason": "So.", "confidence": 0.5} if request.output else f"{request.address.local}!"

    def debate(shared_first: bool) -> Any:
        cast, judge = [mt.Debater(name, "scripted/d") for name in ("Ada", "Bo", "Cy")], mt.Judge("June", "scripted/j")
        return play(mt.Debate(cast, judge=judge, rounds=2, options=["yes", "no"], shared_first=shared_first), say)

    plain, staged = debate(False), debate(True)
    brief = str(staged.outcome.transcript[0]["content"])
    for agent in ("Ada", "Bo", "Cy", "June"):
        assert opened(staged.requests, agent) == f"{brief}\n\n{opened(plain.requests, agent)}"
    for now, then in zip(staged.requests, plain.requests, strict=True):
        assert then.messages[1] == Message("user", brief)
        assert now.messages[1:] == then.messages[2:]
    assert staged.outcome.answer == plain.outcome.answer == "yes"


def test_a_shared_text_stands_before_its_readers_and_nobody_else_reads_it() -> None:
    def lesson(shared_first: bool) -> Any:
        teachers = [mt.Teacher(name, "sim/teacher") for name in ("Ann", "Dan")]
        eve = mt.Teacher("Eve", "sim/teacher")
        student = mt.Student("Bo", "sim/student")
        return requests_of(
            mt.Interact(teachers, student, examiner=eve, context=TEXT, turns=2, shared_first=shared_first)
        )

    (plain, before), (outcome, requests) = lesson(False), lesson(True)
    material = str(outcome.transcript[0]["content"])
    assert TEXT in material
    for agent in ("Ann", "Dan", "Eve"):
        assert opened(requests, agent) == f"{material}\n\n{opened(before, agent)}"
    assert opened(requests, "Bo") == opened(before, "Bo")
    assert not any(TEXT in message.content for r in requests if r.agent == "Bo" for message in r.messages)
    for taught in (plain, outcome):  # simulated teachers find the text in either place
        said = " ".join(turn["content"] for turn in taught.transcript if turn["speaker"] in ("Ann", "Dan"))
        assert any(fact in said for fact in TEXT.splitlines())
