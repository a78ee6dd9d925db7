"""INTERACT on a script: the student asks for fact t at turn t, so that every curve is known beforehand."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import maieutic as mt
from maieutic.agents import Student, Teacher
from maieutic.backends import LLMRequest, ScriptedModel
from maieutic.errors import ModelError, UsageError
from maieutic.memory import Transcript, Turn
from maieutic.memory.student.items import Item
from maieutic.protocols.interact import Interact, InteractOutcome
from maieutic.protocols.interact.params import Material
from maieutic.testing import LoopbackServer, ParsedRequest
from maieutic.testing.staged import Staged, play

TOM, ANN = Teacher("tom", "scripted/t"), Teacher("ann", "scripted/t")
LEA, MAX = Student("lea", "scripted/s"), Student("max", "scripted/s")
PLANTS = ("ash", "birch", "cedar", "date", "elm", "fir", "ginkgo", "hazel", "ivy")
FACTS = {plant: f"The leaf of the {plant} is called {plant}leaf." for plant in PLANTS}
TEXT = " ".join(FACTS.values())
QUIZ = [
    Item(
        id=plant,
        question=f"What is the leaf of the {plant} called?",
        options=(f"{plant}leaf", f"{plant}ling", f"{plant}ette", f"{plant}ory"),
        answer=f"{plant}leaf",
        concepts=(plant,),
    )
    for plant in PLANTS
]
NINTHS = [n / 9 for n in range(10)]


def say(agent: str, messages: Sequence[Any], known: Mapping[str, set[str]]) -> Any:
    """What everybody says, by what it reads. A student knows what was said to it, and what it `known` beforehand.

    It looks at the whole text, because real endpoints are sent neighbouring messages as one.
    """
    text = "\n".join(message.content for message in messages)
    if "This is a test." in text:
        item = next(item for item in QUIZ if f"Question: {item.question}" in text)
        right = FACTS[item.id] in text or item.id in known.get(agent, ())
        wrong = next(option for option in item.options if option != item.answer)
        return {"answer": item.answer if right else wrong, "confidence": 0.9 if right else 0.2}
    if "How sure are you" in text or "Which parts of the topic" in text:
        return {"estimates": [{"about": p, "confidence": 0.9 if FACTS[p] in text else 0.3} for p in reversed(PLANTS)]}
    if "Write a test" in text:
        return {"questions": [written(item, level=1 + at // 3) for at, item in enumerate(QUIZ)]}
    if "Write a lesson" in text:
        return f"{FACTS['ash']} {FACTS['birch']}"
    if "Ask your teacher" in text:
        told = re.findall(r"^Ask about: (\w+)$", text, re.MULTILINE)
        asked = sum(message.role == "assistant" for message in messages)
        return f"What about the {told[0] if told else PLANTS[asked]}?"
    plant = re.findall(r"about the (\w+)\?", text)[-1]
    return FACTS[plant] if FACTS[plant] in text else "The text does not say."


def written(item: Item, *, level: int) -> dict[str, Any]:
    return {
        "question": item.question,
        "options": list(item.options),
        "answer": item.answer,
        "level": level,
        "concept": item.id,
    }


def lesson(**params: Any) -> Interact:
    return Interact(
        **{"teacher": TOM, "student": LEA, "context": TEXT, "quiz": QUIZ, "turns": 5, "topic": "leaves", **params}
    )


def played(protocol: Interact, known: Mapping[str, set[str]] | None = None, **options: Any) -> Staged[InteractOutcome]:
    return play(protocol, lambda request: say(request.agent, request.messages, known or {}), "leaves", **options)


def right(outcome: InteractOutcome, condition: Any, **which: Any) -> list[int]:
    """How many of the questions were answered right at each quiz."""
    return [sum(point.marks) for point in outcome.curve(condition, **which).points]


# -- the curve ------------------------------------------------------------------------------------------------------


def test_the_curve_is_known_when_fact_t_is_asked_at_turn_t() -> None:
    outcome = played(lesson()).outcome
    assert right(outcome, "nothing") == [0]
    assert right(outcome, "lesson") == [2]
    assert right(outcome, "interaction") == [0, 1, 2, 3, 4, 5]
    assert right(outcome, "lesson_interaction") == [2, 2, 2, 3, 4, 5]
    assert right(outcome, "teacher_bound") == [9]
    curve = outcome.curve("interaction")
    assert [point.accuracy for point in curve.points] == NINTHS[:6]
    assert (curve.initial, curve.final, curve.gain) == (0, 5 / 9, 5 / 9)
    assert outcome.recovery(curve) == pytest.approx(5 / 9)
    assert outcome.reason == "answered"
    assert outcome.answer == "interaction: 0.00 to 0.56 right in 5 turns"
    assert (outcome.turns, outcome.unanswered, len(outcome.quiz)) == (5, 0, 9)


def test_every_turn_of_every_condition_is_on_record_with_its_audience() -> None:
    transcript = Transcript.of(played(lesson(turns=1)).outcome.transcript)
    said = [
        (turn.speaker, turn.content, sorted(turn.audience or ()), turn.data.get("arm"))
        for turn in transcript
        if turn.kind == "say" and turn.speaker != "moderator"
    ]
    assert said == [
        ("tom", f"{FACTS['ash']} {FACTS['birch']}", ["lea"], "lesson.tom"),
        ("lea", "What about the ash?", ["tom"], "interaction.tom.free"),
        ("lea", "What about the ash?", ["tom"], "lesson_interaction.tom.free"),
        ("tom", FACTS["ash"], ["lea"], "interaction.tom.free"),
        ("tom", FACTS["ash"], ["lea"], "lesson_interaction.tom.free"),
    ]
    material, opening = [turn for turn in transcript if turn.speaker == "moderator"]
    assert (TEXT in material.content, material.audience) == (True, frozenset({"tom"}))
    assert (TEXT in opening.content, opening.audience) == (False, frozenset({"lea"}))
    quizzes = [turn for turn in transcript if "item" in turn.data]
    assert len(quizzes) == 9 * (3 + 2), "nothing, lesson and teacher once, both dialogues after their turn"
    assert all(turn.kind == "probe" for turn in quizzes)


def test_the_quiz_never_reaches_the_history() -> None:
    """The exact messages of the third question and the third answer, after three quizzes of nine questions each."""
    staged = played(lesson(conditions=["interaction"], turns=3))
    at = ("standalone", "turn3", "interaction.tom.free")
    ask, answer = (next(r for r in staged.requests if r.address.path[-2:] == (at[2], step) and at[1] in r.address.path)
                   for step in ("lea.ask", "tom.answer"))  # fmt: skip
    opening = next(t.content for t in Transcript.of(staged.outcome.transcript) if t.audience == frozenset({"lea"}))
    material = next(t.content for t in Transcript.of(staged.outcome.transcript) if t.speaker == "moderator")
    assert [(m.role, m.content) for m in ask.messages[1:-1]] == [
        ("user", opening),
        ("assistant", "What about the ash?"),
        ("user", f"tom: {FACTS['ash']}"),
        ("assistant", "What about the birch?"),
        ("user", f"tom: {FACTS['birch']}"),
    ]
    assert [(m.role, m.content) for m in answer.messages[1:-1]] == [
        ("user", material),
        ("user", "lea: What about the ash?"),
        ("assistant", FACTS["ash"]),
        ("user", "lea: What about the birch?"),
        ("assistant", FACTS["birch"]),
        ("user", "lea: What about the cedar?"),
    ]
    for request in staged.requests:
        *read, last = request.messages
        assert not any("This is a test" in m.content or "leaf of the ash called?" in m.content for m in read)
        assert ("This is a test" in last.content) == request.address.path[-1].endswith(".exam")


def test_the_view_only_grows_at_its_end_so_that_a_prefix_cache_serves_it() -> None:
    staged = played(lesson(conditions=["interaction"], turns=4))
    views = [r.messages[:-1] for r in staged.requests if r.agent == "lea"]
    longest = max(views, key=len)
    assert all(view == longest[: len(view)] for view in views)


class Leaky(Interact):
    """A privacy leak, planted: the text has no audience."""

    def material(self, texts: Sequence[Material]) -> Turn:
        return Turn("moderator", super().material(texts).content)


def test_a_planted_leak_of_the_text_shows_in_the_curve() -> None:
    sound = played(lesson(conditions=["interaction", "teacher_bound"])).outcome
    leaky = played(
        Leaky(TOM, LEA, context=TEXT, quiz=QUIZ, conditions=["interaction", "teacher_bound"], turns=5)
    ).outcome
    bound = right(sound, "teacher_bound")[0]
    assert right(sound, "interaction")[0] == 0
    assert right(leaky, "interaction") == [bound] * 6, "who reads the text knows all from the first quiz on"


# -- conditions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "curve", "asked"),
    [
        ("nothing", [0], {"lea.exam": 9}),
        ("lesson", [2], {"tom.lesson": 1, "lea.exam": 9}),
        ("interaction", [0, 1, 2], {"lea.exam": 27, "lea.ask": 2, "tom.answer": 2}),
        ("lesson_interaction", [2, 2, 2], {"tom.lesson": 1, "lea.exam": 27, "lea.ask": 2, "tom.answer": 2}),
        ("teacher_bound", [9], {"tom.exam": 9}),
    ],
)
def test_each_condition_alone(condition: str, curve: list[int], asked: dict[str, int]) -> None:
    protocol = lesson(conditions=[condition], turns=2)
    staged = played(protocol)
    assert right(staged.outcome, condition) == curve
    assert Counter(staged.asked) == asked
    assert staged.outcome.calls == sum(asked.values())
    by_agent = Counter(request.agent for request in staged.requests)
    assert protocol.plan().calls == {name: (n, n) for name, n in by_agent.items()}, "the plan is exact"


def test_the_quiz_may_be_taken_at_both_ends_only() -> None:
    protocol = lesson(conditions=["interaction"], quiz_every="end")
    staged = played(protocol)
    curve = staged.outcome.curve("interaction")
    assert [point.turn for point in curve.points] == [0, 5]
    assert (curve.initial, curve.final) == (0, 5 / 9)
    assert protocol.plan().most == len(staged.requests) == 18 + 10


def test_teachers_are_compared_on_the_same_quiz() -> None:
    def by_teacher(request: LLMRequest) -> Any:
        if request.agent == "ann" and request.address.path[-1] == "ann.answer":
            return "I cannot say."
        return say(request.agent, request.messages, {})

    outcome = play(lesson(teacher=[TOM, ANN], turns=2), by_teacher, "leaves").outcome
    assert right(outcome, "interaction", teacher="tom") == [0, 1, 2]
    assert right(outcome, "interaction", teacher="ann") == [0, 0, 0]
    assert "interaction (ann)" in outcome.table()
    with pytest.raises(UsageError, match=r"there is no such curve; there are: nothing, lesson \(tom\)"):
        outcome.curve("interaction", teacher="bob")


def test_a_text_may_come_with_the_inputs() -> None:
    protocol = Interact(TOM, LEA, quiz=QUIZ, conditions=["interaction"], turns=2)
    assert right(played(protocol, context=TEXT).outcome, "interaction") == [0, 1, 2]


def test_without_teacher_and_with_a_quiz_no_text_is_needed() -> None:
    assert right(played(Interact(TOM, LEA, quiz=QUIZ, conditions=["nothing"])).outcome, "nothing") == [0]


# -- the quiz -------------------------------------------------------------------------------------------------------


def test_a_quiz_is_written_by_the_examiner_who_alone_reads_the_text_besides_the_teacher() -> None:
    staged = played(lesson(quiz=None, examiner=ANN, conditions=["interaction"], turns=1))
    request = staged.requests[0]
    assert request.address.path[-1] == "ann.examine"
    assert TEXT in request.messages[1].content
    assert "3 multiple-choice questions on each of 3 levels" in request.messages[-1].content
    assert request.output is not None
    assert request.output.model_json_schema()["properties"]["questions"]["maxItems"] == 9
    quiz = staged.outcome.quiz
    assert [each.level for each in quiz] == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert [each.item.concepts for each in quiz] == [(plant,) for plant in PLANTS]
    assert right(staged.outcome, "interaction") == [0, 1]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"answer": "oakleaf"}, "'oakleaf' of .* is not among its options"),
        ({"options": ["ashleaf", "The Ashleaf", "x"]}, "two options of .* say the same"),
        ({"question": " "}, "the question is empty"),
        ({"level": 4}, "level"),
    ],
)
def test_an_unsound_question_is_sent_back_with_the_reason(change: dict[str, Any], problem: str) -> None:
    bad = {"questions": [{**written(QUIZ[0], level=1), **change}]}

    def answer(request: LLMRequest) -> Any:
        if request.address.path[-1] == "repair":
            return {"questions": [written(item, level=1) for item in QUIZ]}
        return bad if request.address.path[-1] == "tom.examine" else say(request.agent, request.messages, {})

    staged = play(lesson(quiz=None, conditions=["nothing"]), answer, "leaves")
    repair = next(r for r in staged.requests if r.address.path[-1] == "repair")
    assert re.search(problem, repair.messages[-1].content)
    assert len(staged.outcome.quiz) == 9


def test_options_are_shuffled_by_the_seed_and_stay_as_they_are() -> None:
    first, again, other = (played(lesson(turns=2), seed=seed) for seed in (1, 1, 2))
    orders = [[each.item.options for each in staged.outcome.quiz] for staged in (first, again, other)]
    assert orders[0] == orders[1] != orders[2]
    assert {options.index(options[0]) for options in orders[0]} == {0}
    places = Counter(each.item.options.index(str(each.item.answer)) for each in first.outcome.quiz)
    assert len(places) > 1, "the right answer does not stand first everywhere"
    instructions = (request.messages[-1].content for request in first.requests)
    shown = {text for text in instructions if "leaf of the ash called?" in text}
    assert len(shown) == 1, "one question reads the same at every quiz"
    assert right(other.outcome, "interaction") == [0, 1, 2]


def test_all_questions_of_a_quiz_are_asked_at_once_at_addresses_of_their_own() -> None:
    inside: list[int] = []
    waiting = 0

    class Slow(ScriptedModel):
        async def complete(self, request: LLMRequest, on_text: Any = None) -> Any:
            nonlocal waiting
            waiting += 1
            await asyncio.sleep(0)
            inside.append(waiting)
            reply = await super().complete(request, on_text)
            waiting -= 1
            return reply

    script = Slow(lambda request: say(request.agent, request.messages, {}))

    async def go() -> None:
        async with mt.Workspace(backends={"scripted": script}) as workspace:
            await workspace.run(lesson(conditions=["interaction"], turns=1), {})

    asyncio.run(go())
    assert max(inside) == 9
    exams = ["/".join(r.address.path) for r in script.requests if r.address.path[-1] == "lea.exam"]
    assert len(set(exams)) == len(exams) == 18
    assert "quiz1/interaction.tom.free/ivy/lea.exam" in exams


def test_off_the_record_models_are_as_cold_as_the_quiz_wants_them() -> None:
    warm = mt.ModelSpec(model="scripted/s", temperature=1.0)
    tom, lea = Teacher("tom", warm), Student("lea", warm)
    for wanted, told in ((0.0, 0.0), (None, None)):
        staged = played(lesson(teacher=tom, student=lea, turns=1, quiz_temperature=wanted))
        assert {r.temperature for r in staged.requests if r.address.path[-1].endswith("exam")} == {told}
        assert {r.temperature for r in staged.requests if not r.address.path[-1].endswith("exam")} == {None}


def test_short_answers_are_marked_by_what_they_say() -> None:
    quiz = [Item(id="ash", question=QUIZ[0].question, answer="Ashleaf", aliases=("leaf of ash",))]
    outcome = played(lesson(quiz=quiz, conditions=["interaction"], turns=1)).outcome
    assert right(outcome, "interaction") == [0, 1]


# -- the closed-book filter -----------------------------------------------------------------------------------------


def test_the_filter_drops_exactly_what_is_known_without_the_text() -> None:
    known = {"lea": {"birch", "fir"}}
    staged = played(lesson(closed_book_filter=True, turns=2), known)
    assert [each.id for each in staged.outcome.dropped] == ["birch", "fir"]
    assert [each.item.id for each in staged.outcome.quiz] == [p for p in PLANTS if p not in known["lea"]]
    assert right(staged.outcome, "interaction") == [0, 1, 1], "birch was asked for in vain"
    assert "7 questions, 2 more dropped" in staged.outcome.table()
    closed = [r for r in staged.requests if "closed_book" in r.address.path]
    assert len(closed) == 9
    assert all(len(r.messages) == 2 for r in closed), "the system prompt and the question, nothing of the lesson"


def test_somebody_else_may_be_the_filter() -> None:
    known = {"max": {"ash"}, "lea": {"birch"}}
    outcome = played(lesson(closed_book_filter=True, filter_by=MAX, turns=1), known).outcome
    assert [each.id for each in outcome.dropped] == ["ash"]
    assert right(outcome, "nothing") == [1]


def test_a_run_whose_questions_are_all_dropped_says_so() -> None:
    staged = played(lesson(closed_book_filter=True), {"lea": set(PLANTS)})
    assert (staged.outcome.reason, staged.outcome.quiz, len(staged.outcome.dropped)) == ("limit", [], 9)
    assert Counter(staged.asked) == {"lea.exam": 9}
    assert staged.outcome.table().startswith("No quiz was taken: all 9 questions were answered right without the text")
    low, most = lesson(closed_book_filter=True).plan().calls["lea"]
    assert low == 9 < most


def test_a_filter_that_was_cut_short_does_not_say_that_all_questions_are_known() -> None:
    staged = play(lesson(closed_book_filter=True), failing("closed_book/elm/lea.exam", BROKEN), "leaves")
    assert staged.outcome.table() == "No quiz was taken."

    def known(request: LLMRequest) -> Any:
        down = "elm" in request.address.path
        return BROKEN if down else say(request.agent, request.messages, {"lea": {*PLANTS}})

    staged = play(lesson(closed_book_filter=True), known, "leaves")
    assert [each.id for each in staged.outcome.dropped] == [plant for plant in PLANTS if plant != "elm"]
    assert staged.outcome.table() == "No quiz was taken."


# -- borrowed dialogues ---------------------------------------------------------------------------------------------


def test_a_borrowed_dialogue_is_read_in_place_of_ones_own(tmp_path: Path) -> None:
    other = played(lesson(student=Student("max", "scripted/s"), turns=3, conditions=["interaction"])).outcome
    file = tmp_path / "dialogue.json"
    file.write_text(json.dumps(other.model_dump(mode="json")))
    exchanges = [{"question": f"What about the {p}?", "answer": FACTS[p]} for p in PLANTS[:3]]
    for borrowed in (other, other.transcript, exchanges, str(file)):
        protocol = lesson(borrowed=borrowed, conditions=["nothing", "borrowed"], turns=5)
        staged = played(protocol)
        assert right(staged.outcome, "borrowed") == [0, 1, 2, 3]
        assert Counter(staged.asked) == {"lea.exam": 36}
        assert protocol.plan().most == staged.outcome.calls == 36
    last = next(r for r in staged.requests if "quiz2" in r.address.path)
    assert [m.content for m in last.messages[2:-1]] == [
        "another_student: What about the ash?",
        f"their_teacher: {FACTS['ash']}",
        "another_student: What about the birch?",
        f"their_teacher: {FACTS['birch']}",
    ]


def test_a_short_borrowed_dialogue_counts_its_own_turns_however_seldom_the_quiz_is_taken() -> None:
    exchanges = [{"question": "And the ivy?", "answer": FACTS["ivy"]}]
    params = {"borrowed": exchanges, "conditions": ["borrowed", "interaction"], "turns": 5}
    outcome = played(lesson(quiz_every="end", **params)).outcome
    assert [[point.turn for point in curve.points] for curve in outcome.curves] == [[0, 1], [0, 5]]
    assert outcome.answer == "borrowed: 0.00 to 0.11 right in 1 turn"


def test_a_lesson_is_no_part_of_a_borrowed_dialogue() -> None:
    exchanges = [{"question": f"And the {p}?", "answer": FACTS[p]} for p in ("ivy", "elm")]
    outcome = played(lesson(turns=2, conditions=["lesson", "borrowed"], borrowed=exchanges)).outcome
    assert [each.model_dump() for each in lesson(borrowed=outcome).params.borrowed] == exchanges
    ada = Teacher("interaction", "scripted/t")
    own = played(lesson(teacher=ada, turns=1)).outcome
    assert [each.question for each in lesson(borrowed=own).params.borrowed] == ["What about the ash?"]
    only = played(lesson(conditions=["lesson"])).outcome
    with pytest.raises(UsageError, match="the dialogue has no question with an answer"):
        lesson(borrowed=only)


@pytest.mark.parametrize("given", [5, True, {"transcript": 5}])
def test_what_is_no_dialogue_is_refused_with_the_reason(given: object) -> None:
    with pytest.raises(UsageError, match="borrowed: this is no dialogue; give a list of questions and answers"):
        lesson(borrowed=given)


def test_a_borrowed_dialogue_stands_beside_the_students_own() -> None:
    exchanges = [{"question": "And the ivy?", "answer": FACTS["ivy"]}]
    outcome = played(lesson(borrowed=exchanges, turns=2)).outcome
    assert right(outcome, "borrowed") == [0, 1]
    assert right(outcome, "interaction") == [0, 1, 2]


# -- how the question is chosen -------------------------------------------------------------------------------------


def test_a_student_asks_about_what_it_is_least_sure_of() -> None:
    staged = played(lesson(question_choice="self_estimate", conditions=["interaction"], turns=3))
    asked = [turn["content"] for turn in staged.outcome.transcript if turn.get("data", {}).get("about")]
    assert asked == [f"What about the {plant}?" for plant in ("ivy", "hazel", "ginkgo")]
    estimates = [r for r in staged.requests if r.address.path[-1] == "lea.estimate"]
    assert len(estimates) == 3
    assert "- ash" not in estimates[0].messages[-1].content, "it is not told what the quiz is about"
    assert not any("0.30" in m.content for r in staged.requests for m in r.messages), "estimates are off the record"


def test_a_student_model_follows_the_dialogue_and_advises() -> None:
    protocol = lesson(question_choice=["free", "student_model"], conditions=["interaction"], turns=4)
    staged = played(protocol)
    told = [turn["data"]["about"] for turn in staged.outcome.transcript if turn.get("data", {}).get("about")]
    assert len(set(told)) == 4, "what was explained is not asked for again"
    assert right(staged.outcome, "interaction", choice="student_model") == [0, 1, 2, 3, 4]
    assert right(staged.outcome, "interaction", choice="free") == [0, 1, 2, 3, 4]
    estimate = next(r for r in staged.requests if r.address.path[-1] == "lea.estimate")
    assert "- ash\n- birch\n" in estimate.messages[-1].content
    assert protocol.plan().most == len(staged.requests)


def test_a_student_model_goes_by_prerequisites_where_a_file_tells_them(tmp_path: Path) -> None:
    lines = [f"  {p}: {{needs: [{', '.join(PLANTS[i + 1 : i + 2])}], prior: 0.1}}" for i, p in enumerate(PLANTS)]
    file = tmp_path / "plants.yaml"
    file.write_text("version: 1\nconcepts:\n" + "\n".join(lines) + "\n")
    staged = played(lesson(question_choice="student_model", concepts=str(file), conditions=["interaction"], turns=2))
    told = [turn["data"]["about"] for turn in staged.outcome.transcript if turn.get("data", {}).get("about")]
    assert told[0] == "ivy", "what everything else needs comes first"


def test_the_syllabus_is_shown_where_it_is_wished() -> None:
    for syllabus in (False, True):
        staged = played(lesson(conditions=["interaction"], turns=1, syllabus=syllabus))
        ask = next(r for r in staged.requests if r.address.path[-1] == "lea.ask")
        assert ("Topic: leaves (ash, birch, cedar" in ask.messages[1].content) is syllabus
        assert ("Topic: leaves (ash, birch, cedar" in ask.messages[-1].content) is syllabus


# -- failures, resuming, real endpoints -----------------------------------------------------------------------------


def failing(at: str, error: Exception) -> Any:
    def answer(request: LLMRequest) -> Any:
        return error if "/".join(request.address.path) == at else say(request.agent, request.messages, {})

    return answer


BROKEN = ModelError("the endpoint is down", kind="bad_request")


def test_an_answer_that_fails_ends_the_run_with_what_was_finished() -> None:
    script = failing("quiz2/interaction.tom.free/elm/lea.exam", BROKEN)
    staged = play(lesson(conditions=["interaction"]), script, "leaves")
    assert staged.error is not None
    assert staged.outcome.reason == "failed:bad_request"
    assert right(staged.outcome, "interaction") == [0, 1], "the unfinished quiz is no point of the curve"
    assert staged.outcome.turns == 2
    kept = [t for t in staged.outcome.transcript if t.get("round") == 2 and "item" in t.get("data", {})]
    assert len(kept) == 8, "the other answers of that quiz are kept"


def test_an_answer_that_fails_may_count_as_not_given() -> None:
    script = failing("quiz2/interaction.tom.free/ash/lea.exam", BROKEN)
    outcome = play(lesson(conditions=["interaction"], turns=2, on_failure="skip"), script, "leaves").outcome
    assert right(outcome, "interaction") == [0, 1, 1]
    assert outcome.unanswered == 1
    assert "1 answer failed and counts as wrong" in outcome.table()
    assert outcome.calls == 30


def test_a_dialogue_that_fails_ends_the_run_whatever_is_said_of_the_quiz() -> None:
    script = failing("turn2/interaction.tom.free/tom.answer", BROKEN)
    staged = play(lesson(conditions=["interaction"], on_failure="skip"), script, "leaves")
    assert staged.outcome.reason == "failed:bad_request"
    assert right(staged.outcome, "interaction") == [0, 1]


def test_a_run_is_taken_up_again_where_it_broke_and_pays_for_nothing_twice(tmp_path: Path) -> None:
    left = 40

    def dying(request: LLMRequest) -> Any:
        nonlocal left
        left -= 1
        return BROKEN if left < 0 else say(request.agent, request.messages, {})

    whole = played(lesson()).outcome
    scripts = [ScriptedModel(dying), ScriptedModel(lambda r: say(r.agent, r.messages, {}))]

    async def go() -> tuple[mt.Run, mt.Run]:
        runs = []
        for script in scripts:
            async with mt.Workspace(tmp_path / "runs.db", backends={"scripted": script}) as workspace:
                runs.append(await workspace.run(lesson(), "leaves", run_id="lesson"))
        return runs[0], runs[1]

    broken, resumed = asyncio.run(go())
    assert (broken.status, resumed.status) == ("failed", "done")
    assert resumed.outcome == whole
    assert 40 + len(scripts[1].requests) == lesson().plan().most == whole.calls


@pytest.mark.parametrize("schema", ["enforce", "ignore", "refuse"])
@pytest.mark.parametrize("logprobs", [True, False], ids=["logprobs", "no logprobs"])
def test_the_same_lesson_over_http(schema: Any, logprobs: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test")

    def reply(request: ParsedRequest) -> str:
        who = "tom" if "You are tom" in request.messages[0].content else "lea"
        said = say(who, request.messages, {})
        if isinstance(said, str) or request.schema is not None:
            return said if isinstance(said, str) else json.dumps(said)
        return f"Here it is:\n```json\n{json.dumps(said)}\n```"

    async def go() -> tuple[mt.Run, int]:
        async with LoopbackServer(reply, schema=schema, logprobs=logprobs) as server, mt.Workspace() as workspace:
            model = mt.ModelSpec.model_validate({
                "model": "openai/tiny",
                "api_base": server.base("openai"),
                "structured": "native" if schema == "enforce" else "prompt" if schema == "refuse" else "auto",
            })  # fmt: skip
            run = await workspace.run(
                lesson(teacher=Teacher("tom", model), student=Student("lea", model), turns=2, quiz=None), "leaves"
            )
            return run, server.received.total

    run, _ = asyncio.run(go())
    assert run.status == "done", run.error
    assert isinstance(run.outcome, InteractOutcome)
    assert right(run.outcome, "interaction") == [0, 1, 2]
    assert right(run.outcome, "teacher_bound") == [9]
    assert run.ledger.total.calls == run.outcome.calls


# -- what is drawn and printed --------------------------------------------------------------------------------------


def test_the_table_and_the_picture_show_every_condition(tmp_path: Path) -> None:
    outcome = played(lesson()).outcome
    rows = [row.split("  ")[0] for row in outcome.table().splitlines()]
    named = ["nothing", "lesson", "interaction", "lesson and interaction", "teacher with the text"]
    assert rows == ["condition", *named, "9 questions"]
    line = next(row for row in outcome.table().splitlines() if row.startswith("interaction"))
    assert line.split()[:5] == ["interaction", "0.00", "0.56", "0.27-0.81", "+0.56"]
    picture = outcome.plot(tmp_path / "curve.svg").read_text("utf-8")
    assert all(word in picture for word in ("turns", "lesson and interaction", "teacher with the text"))
    with pytest.raises(UsageError, match="no quiz was taken"):
        InteractOutcome().plot(tmp_path / "empty.svg")
