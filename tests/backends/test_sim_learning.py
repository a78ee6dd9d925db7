"""How simulated students learn from what they read, and how simulated teachers, critics, routers and experts act."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from maieutic.agents import Agent
from maieutic.agents.replies import Choice, Position, Review, among
from maieutic.agents.roles import Critic, Router, Student, Teacher
from maieutic.backends import in_memory
from maieutic.backends.models import ModelSpec
from maieutic.backends.sim import Question, SimBackend, load_world
from maieutic.backends.types import LLMRequest
from maieutic.memory.address import Address
from maieutic.memory.transcript import Message, Transcript, Turn

WORLD = load_world()
QUESTIONS = list(WORLD.questions.values())
NOTHING = Transcript()
LARGER = WORLD.questions["which-larger"]
FACT = WORLD.facts["fraction-larger"].says
TIDES = WORLD.questions["tides"]
MISLEAD = "Question: {{ question }}\nPlay a teacher that misleads: explain how one gets to a wrong answer."


def complete(agent: Agent, verb: str, transcript: Transcript = NOTHING, output: Any = None, **given: Any) -> Any:
    request = LLMRequest(agent.model, agent.messages(verb, transcript, given), Address("run"), output=output)
    reply = asyncio.run(SimBackend().complete(request))
    return reply.text if output is None else json.loads(reply.text)


def spec(mind: str, params: Mapping[str, Any]) -> ModelSpec:
    return ModelSpec.model_validate({"model": f"sim/{mind}", **params})


def student(**params: Any) -> Student:
    return Student("Sam", spec("student", {"seed": 7, **params}))


def teacher(**params: Any) -> Teacher:
    return Teacher("Tina", spec("teacher", {"seed": 1, **params}))


def answers(who: Student, question: Question, *heard: str, **given: Any) -> str:
    transcript = Transcript(tuple(Turn("Tina", text) for text in heard))
    options = list(question.options)
    text: str = complete(who, "answer", transcript, question=question.text, options=options, **given)
    return text.rpartition("Answer: ")[2]


def accuracy(who: Student, *heard: str) -> float:
    return sum(q.answered_by(answers(who, q, *heard)) for q in QUESTIONS) / len(QUESTIONS)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 1.0])
def test_a_student_knows_the_share_that_it_is_said_to_know(share: float) -> None:
    who = student(knows=share, guess=0.0, misconceptions=0.0)
    assert accuracy(who) == pytest.approx(share, abs=0.12)


def test_whoever_knows_a_concept_mostly_knows_its_prerequisites() -> None:
    from maieutic.backends.sim.knowledge import knowledge
    from maieutic.backends.sim.reading import world_key

    with_: list[bool] = []
    without: list[bool] = []
    for seed in range(40):
        known = knowledge(world_key(WORLD), f"seed {seed}", 0.4)
        has_sun = sum(WORLD.facts[f].concept == "planet" for f in known) >= 4
        (with_ if "eclipse-solar" in known else without).append(has_sun)
    assert sum(with_) / len(with_) > sum(without) / len(without)


def test_student_changes_answer_only_when_explained() -> None:
    who = student(knows=0.0, learn=1.0)
    before = answers(who, LARGER)
    assert not LARGER.answered_by(before)
    assert answers(who, LARGER, "Think about it once more.", "Are you sure?") == before
    assert LARGER.answered_by(answers(who, LARGER, f"Remember this: {FACT}"))
    assert LARGER.answered_by(answers(who, LARGER, hint=FACT))


def test_a_student_that_reads_nothing_learns_nothing() -> None:
    who = student(knows=0.3, learn=1.0)
    chat = ["Good morning, let us begin.", "The weather is nice today."] * 10
    assert accuracy(who, *chat) == accuracy(who)


def test_a_denied_fact_and_its_own_words_teach_nothing() -> None:
    who = student(knows=0.0, learn=1.0)
    assert not LARGER.answered_by(answers(who, LARGER, f"It is not true that {FACT[0].lower()}{FACT[1:]}"))
    own = Transcript((Turn("Sam", FACT),))
    said = complete(who, "answer", own, question=LARGER.text)
    assert not LARGER.answered_by(said.rpartition("Answer: ")[2])


def test_a_planted_leak_of_the_teachers_document_raises_accuracy() -> None:
    document = " ".join(fact.says for fact in WORLD.facts.values())
    who = student(knows=0.2)
    kept = Transcript((Turn("Tina", document, audience=frozenset({"Tina"})),))
    leaked = Transcript((Turn("Tina", document),))

    def score(transcript: Transcript) -> int:
        said = [(q, complete(who, "answer", transcript, question=q.text, options=list(q.options))) for q in QUESTIONS]
        return sum(q.answered_by(text.rpartition("Answer: ")[2]) for q, text in said)

    assert score(kept) == score(Transcript())
    assert score(leaked) > score(kept) + 0.4 * len(QUESTIONS)


def test_without_prerequisites_less_is_learned() -> None:
    needed = [q for q in QUESTIONS if WORLD.concepts[WORLD.facts[q.needs[0]].concept].needs]
    prepared = unprepared = 0
    for seed in range(5):
        who = student(knows=0.0, seed=seed, misconceptions=0.0, guess=0.0)
        for question in needed[:25]:
            facts = [WORLD.facts[f].says for f in question.needs]
            concepts = {c for f in question.needs for c in WORLD.concepts[WORLD.facts[f].concept].needs}
            before = [WORLD.facts[f].says for c in concepts for f in WORLD.facts_of[c]]
            unprepared += question.answered_by(answers(who, question, *facts))
            prepared += question.answered_by(answers(who, question, *before, *facts))
    assert prepared > 1.15 * unprepared


def test_what_was_read_is_forgotten_turn_by_turn_and_refreshed_by_reading() -> None:
    def remembered(later: int, *again: str) -> int:
        chat = ["Well."] * later
        who = [student(knows=0.0, learn=1.0, forget=0.1, seed=seed, misconceptions=0, guess=0) for seed in range(60)]
        return sum(LARGER.answered_by(answers(s, LARGER, FACT, *chat, *again)) for s in who)

    assert remembered(0) == 60
    assert remembered(0) > remembered(5) > remembered(25)
    assert remembered(25, FACT) == 60


def test_slips_guesses_and_confidence_are_the_students_own() -> None:
    full = student(knows=1.0, slip=0.2)
    assert accuracy(full) == pytest.approx(0.8, abs=0.1)
    options = [q for q in QUESTIONS if q.options]
    guessing = student(knows=0.0, misconceptions=0.0)
    hits = sum(q.answered_by(answers(guessing, q)) for q in options) / len(options)
    assert hits == pytest.approx(0.25, abs=0.12)
    exam: dict[str, Any] = {"question": LARGER.text, "options": ["1/3", "1/4"]}
    sober = complete(student(knows=0.0, misconceptions=0.0), "answer", output=Position, **exam)["confidence"]
    bold = complete(
        student(knows=0.0, misconceptions=0.0, confidence_bias=0.3), "answer", output=Position, **exam
    )["confidence"]  # fmt: skip
    assert bold == pytest.approx(min(1.0, sober + 0.3))


def test_a_gap_is_filled_by_a_misconception_first() -> None:
    wrong = [q for q in QUESTIONS if q.misconceptions]
    who = student(knows=0.0, misconceptions=1.0)
    assert all(answers(who, q) in q.misconceptions for q in wrong)


def test_a_mind_that_does_not_know_believes_what_it_is_told_as_far_as_it_is_susceptible() -> None:
    trusting = student(knows=0.0, susceptibility=1.0, misconceptions=0.0)
    wary = student(knows=0.0, susceptibility=0.0, misconceptions=0.0)
    assert answers(trusting, WORLD.questions["hottest-star"], "The answer is an orange star.") == "an orange star"
    quiet = answers(wary, WORLD.questions["hottest-star"])
    assert answers(wary, WORLD.questions["hottest-star"], "The answer is an orange star.") == quiet


def test_a_students_question_is_answered_until_it_knows() -> None:
    who, guide = student(knows=0.0, learn=1.0), teacher()
    transcript = Transcript()
    asked = []
    for _ in range(12):
        question = complete(who, "ask", transcript, topic="astronomy")
        asked.append(question)
        transcript += [Turn("Sam", question)]
        transcript += [Turn("Tina", complete(guide, "answer", transcript, question=question))]
    assert "stars" in asked[0]
    assert asked[-1] == "Is there anything about this that I have missed?"
    said = complete(who, "answer", transcript, question=TIDES.text)
    assert TIDES.answered_by(said.rpartition("Answer: ")[2])


def test_a_teacher_explains_by_facts_of_the_prerequisites_and_does_not_give_the_answer_away() -> None:
    question = WORLD.questions["half-third"]
    said = complete(teacher(), "explain", question=question.text)
    assert all(WORLD.facts[fact].says in said for fact in question.needs)
    assert WORLD.facts["fraction-parts"].says in said
    assert question.answer not in said


def test_a_hint_is_one_fact_that_nobody_has_named_yet() -> None:
    question = WORLD.questions["half-third"]
    first = complete(teacher(), "hint", question=question.text)
    second = complete(teacher(), "hint", Transcript((Turn("Tina", first),)), question=question.text)
    assert [first, second] == [WORLD.facts[fact].says for fact in question.needs[:2]]


def test_a_misleading_teacher_misleads() -> None:
    who = student(knows=0.0, misconceptions=0.0, susceptibility=1.0)
    question = WORLD.questions["largest-ocean"]
    said = complete(teacher(misleading=1.0), "explain", question=question.text)
    assert said == question.misconceptions["the Atlantic"]
    assert not question.answered_by(answers(who, question, said))


def test_what_was_said_about_an_earlier_question_is_no_answer_to_this_one() -> None:
    who = student(knows=0.0, susceptibility=1.0, misconceptions=0.0)
    star, ocean = WORLD.questions["hottest-star"], WORLD.questions["largest-ocean"]
    lesson = (Turn("moderator", f"Question: {ocean.text}"), Turn("Tina", "The answer is an orange star."))

    def answered(*turns: Turn) -> str:
        given = {"question": star.text, "options": list(star.options)}
        said: str = complete(who, "answer", Transcript(turns), **given)
        return said.rpartition("Answer: ")[2]

    assert answered(*lesson) == answered(lesson[0])
    assert answered(lesson[0], Turn("moderator", f"Question: {star.text}"), lesson[1]) == "an orange star"


def test_only_a_deferring_student_is_talked_out_of_what_it_knows() -> None:
    question = WORLD.questions["largest-ocean"]
    wrong = question.misconceptions["the Atlantic"]
    assert question.answered_by(answers(student(knows=1.0), question, wrong))
    assert answers(student(knows=1.0, deference=1.0), question, wrong) == "the Atlantic"
    assert question.answered_by(answers(student(knows=1.0, deference=1.0), question))


def test_a_teacher_misleads_when_it_is_asked_to() -> None:
    question = WORLD.questions["largest-ocean"]
    asked = Teacher("Tina", spec("teacher", {"seed": 1}), prompts={"explain": MISLEAD})
    assert complete(asked, "explain", question=question.text) == question.misconceptions["the Atlantic"]
    assert complete(teacher(), "explain", question=question.text) != complete(asked, "explain", question=question.text)


def test_a_teacher_asks_what_was_not_asked_yet() -> None:
    first = complete(teacher(), "ask", topic="fractions")
    second = complete(teacher(), "ask", Transcript((Turn("Tina", first),)), topic="fractions")
    assert WORLD.question_like(first)
    assert WORLD.question_like(second)
    assert first != second


@pytest.mark.parametrize(
    ("draft", "knows", "ok"), [("It is 2/5.", 1.0, False), ("5/6", 1.0, True), ("It is 2/5.", 0.0, True)]
)
def test_a_critic_finds_a_fault_only_where_it_knows_better(draft: str, knows: float, ok: bool) -> None:
    question = WORLD.questions["half-third"]
    critic = Critic("Cora", spec("critic", {"knows": knows}))
    review = complete(critic, "review", output=Review, question=question.text, answer=draft)
    assert review["ok"] is ok
    assert bool(review["problem"]) is not ok


def test_a_router_chooses_by_subject_and_then_by_price() -> None:
    pool = {"astro": "an astronomy expert, expensive", "bio": "a biology expert", "gen": "a cheap generalist"}

    def chosen(question: str, pool: Mapping[str, str]) -> str:
        form = among(Choice, list(pool))
        reply = complete(Router("Rob", "sim/router"), "decide", output=form, question=question, pool=dict(pool))
        return str(reply["choice"])

    assert chosen(TIDES.text, pool) == "astro"
    assert chosen(WORLD.questions["whale-class"].text, pool) == "bio"
    assert chosen("What is 2 + 2?", {"a": "expensive", "b": "cheap"}) == "b"


def test_an_expert_knows_its_own_topics() -> None:
    expert = Student("Ed", spec("expert", {"skills": {"astronomy": 1.0}, "skill": 0.0, "knows": 0.0, "guess": 0.0}))
    for question in QUESTIONS:
        if not question.options:
            right = question.answered_by(answers(expert, question))
            assert right is (WORLD.topic_of(question) == "astronomy"), question.text


def test_knowledge_does_not_depend_on_the_prompts_words() -> None:
    spec_ = spec("student", {"seed": 7, "knows": 0.5})
    for question in QUESTIONS[:40]:
        bare = LLMRequest(spec_, (Message("user", question.text),), Address("run"))
        text = asyncio.run(SimBackend().complete(bare)).text
        wide = LLMRequest(spec_, (Message("system", "Be brief."), Message("user", question.text)), Address("run"))
        assert asyncio.run(SimBackend().complete(wide)).text == text


def test_a_critic_judges_the_answer_that_a_longer_draft_states() -> None:
    critic = Critic("Cy", "sim/critic")
    question = "From what does a star get its energy?"

    async def ok(draft: str) -> bool:
        async with in_memory() as at:
            found = (await critic.review(draft, at, question=question)).data
            assert isinstance(found, Review)
            return found.ok

    assert asyncio.run(ok("I have thought about it.\nAnswer: nuclear fusion"))
    assert not asyncio.run(ok("I have thought about it.\nAnswer: burning coal"))
