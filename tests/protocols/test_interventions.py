"""Interventions under a budget with scripted agents: what is asked, who reads what, and what comes of it."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from maieutic.agents import Student, Teacher
from maieutic.backends import LLMRequest
from maieutic.errors import ModelError, UsageError
from maieutic.memory.student import ConceptGraph, Item
from maieutic.protocols.interventions.outcome import InterventionsOutcome
from maieutic.protocols.interventions.protocol import Interventions
from maieutic.testing.staged import Staged, play

TESS, SAM = Teacher("Tess", "scripted/t"), Student("Sam", "scripted/s")
OPTIONS = ("red", "green", "blue")


def item(name: str, concept: str = "colour", *, options: tuple[str, ...] = OPTIONS) -> Item:
    return Item(
        id=name, question=f"Which colour is {name}?", answer="red", options=options, concepts=(concept,), guess=0.1
    )


def named(request: LLMRequest, items: list[Item]) -> Item:
    """The item that a request is about: the last one whose question stands in its last message."""
    asked = request.messages[-1].content
    return next(each for each in items if each.question in asked)


def scripted(
    items: list[Item],
    alone: dict[str, int],
    explained: dict[str, int],
    simulated: Callable[[Item, bool], str] = lambda item, explained: "A",
) -> Callable[[LLMRequest], Any]:
    """A student that answers items right (1) or wrong (0) as told, and a teacher that knows all."""

    def say(request: LLMRequest) -> Any:
        about = named(request, items)
        last = request.address.path[-1]
        if last == "Tess.explain":
            return f"Because of {about.id}."
        if last == "Tess.answer":
            return {"reasoning": "I know.", "answer": "red", "confidence": 0.9}
        if "weigh" in "/".join(request.address.path[-2:]):
            return simulated(about, "explained" in request.address.path)
        read = [m.content for m in request.messages[1:-1]]
        right = explained[about.id] if read else alone[about.id]
        said = {"answer": "red" if right else "blue", "confidence": 0.8 if right else 0.4}
        return said if read else {"reasoning": "Hm.", **said}

    return say


def staged(
    items: list[Item], alone: dict[str, int], explained: dict[str, int], **params: Any
) -> tuple[Interventions, Staged[InterventionsOutcome]]:
    simulated = params.pop("simulated", lambda item, explained: "A")
    given = {"estimators": ["student_model"], "practice": 0.0, "resamples": 20, **params}
    protocol = Interventions(TESS, SAM, items, **given)
    practice = protocol.params.practice if isinstance(protocol.params.practice, list) else []
    return protocol, play(protocol, scripted([*items, *practice], alone, explained, simulated))


SIX = [item(name) for name in "abcdef"]
ALONE = dict(zip("abcdef", (0, 1, 0, 1, 0, 1), strict=True))
EXPLAINED = dict(zip("abcdef", (1, 1, 0, 0, 1, 1), strict=True))


def test_every_item_is_answered_alone_and_explained_and_all_budgets_come_from_that() -> None:
    _, done = staged(SIX, ALONE, EXPLAINED)
    outcome = done.outcome
    assert {r.item: (r.alone.correct, r.explained.correct) for r in outcome.records} == {
        name: (bool(ALONE[name]), bool(EXPLAINED[name])) for name in "abcdef"
    }
    assert outcome.alone is not None
    assert outcome.explained is not None
    assert [outcome.alone.value, outcome.explained.value] == pytest.approx([3 / 6, 4 / 6])
    oracle, random = outcome.curve("oracle"), outcome.curve("random")
    assert oracle is not None
    assert random is not None
    assert [p.accuracy.value for p in oracle.points] == pytest.approx([3 / 6, 4.2 / 6, 5 / 6, 5 / 6, 5 / 6, 4 / 6])
    assert [p.accuracy.value for p in random.points] == pytest.approx([0.5 + b / 6 for b in (0, 0.2, 0.4, 0.6, 0.8, 1)])
    assert outcome.reason == "answered"


def test_calls_are_counted_exactly_and_none_is_repeated() -> None:
    protocol, done = staged(SIX, ALONE, EXPLAINED)
    places = ["/".join(request.address.path) for request in done.requests]
    assert len(places) == len(set(places))
    assert Counter(request.agent for request in done.requests) == {"Tess": 12, "Sam": 12}
    assert protocol.plan().calls == {"Tess": (12, 12), "Sam": (12, 12)}
    assert sorted(p for p in places if "/a/" in p) == [
        "items/a/alone/Sam.answer",
        "items/a/explained/Sam.answer",
        "items/a/explanation/Tess.explain",
        "items/a/teacher/Tess.answer",
    ]


@pytest.mark.parametrize(
    ("params", "calls"),
    [
        ({"rankers": ["random"]}, {"Tess": (6, 6), "Sam": (12, 12)}),
        ({"rankers": ["random"], "explanations": "given"}, {"Tess": (0, 0), "Sam": (12, 12)}),
        ({"practice": 0.5}, {"Tess": (6 + 3, 6 + 3), "Sam": (12, 12)}),
        ({"practice": 0.5, "teacher_knows_answers": False}, {"Tess": (12, 12), "Sam": (12, 12)}),
        ({"confidence": "measured", "samples": 2}, {"Tess": (12 + 6, 12 + 18), "Sam": (12 + 12, 12 + 36)}),
        (
            {"practice": 0.5, "estimators": ["few_shot", "combined"], "shots": 2, "samples": 2},
            {"Tess": (9 + 2 * (3 + 1), 9 + 2 * (3 + 1) * 3), "Sam": (12, 12)},
        ),
        ({"practice": 0.5, "estimators": ["few_shot"], "shots": 2, "samples": 2}, {"Tess": (15, 27), "Sam": (12, 12)}),
    ],
)
def test_the_plan_says_how_many_calls_there_will_be(params: dict[str, Any], calls: dict[str, tuple[int, int]]) -> None:
    items = [each.model_copy(update={"explanation": "Look."}) for each in SIX]
    protocol, done = staged(items, ALONE, EXPLAINED, **params)
    assert protocol.plan().calls == calls
    made = Counter(request.agent for request in done.requests)
    for agent, (_, most) in calls.items():
        assert made[agent] == most, "a scripted model gives no log-probabilities, so all samples are taken"


def test_without_options_confidence_is_measured_by_asking_again() -> None:
    items = [item(name, options=()) for name in "ab"]
    protocol, done = staged(items, ALONE, EXPLAINED, confidence="measured", samples=3)
    assert protocol.plan().calls == {"Tess": (4 + 6, 4 + 6), "Sam": (4 + 12, 4 + 12)}
    assert Counter(request.agent for request in done.requests) == {"Tess": 10, "Sam": 16}
    first = done.outcome.records[0]
    assert (first.alone.source, first.alone.confidence, first.alone.margin, first.alone.right) == ("samples", 1, 1, 0)
    assert first.explained.right == 1


def test_alone_the_student_reads_nothing_of_the_teacher_and_explained_only_the_explanation() -> None:
    _, done = staged(SIX, ALONE, EXPLAINED)
    for request in done.requests:
        if request.agent == "Sam":
            about = named(request, SIX)
            said = [m.content for m in request.messages[1:-1]]
            alone = "alone" in request.address.path
            assert said == ([] if alone else [f"Tess: Because of {about.id}."])
            whole = "\n".join(m.content for m in request.messages)
            assert ("Because of" in whole) != alone
            others = [each for each in SIX if each.id != about.id]
            assert not any(other.question in whole for other in others)


def test_explained_the_student_does_not_reason_for_itself() -> None:
    _, done = staged(SIX[:1], ALONE, EXPLAINED)
    fields = {
        request.address.path[-2]: sorted(request.output.model_fields)
        for request in done.requests
        if request.output is not None and request.agent == "Sam"
    }
    assert fields == {"alone": ["answer", "confidence", "reasoning"], "explained": ["answer", "confidence"]}


def test_what_the_teacher_knows_never_reaches_the_student() -> None:
    secret = [
        Item(id=n, question=f"What is {n}?", answer=f"SECRET-{n}", concepts=("c",), explanation="Think.") for n in "ab"
    ]
    _, done = staged(secret, ALONE, EXPLAINED)
    for request in done.requests:
        whole = "\n".join(m.content for m in request.messages)
        told = request.address.path[-1] == "Tess.explain"
        assert ("SECRET" in whole) == told


def test_a_teacher_that_does_not_know_the_answers_is_not_told_them() -> None:
    secret = [Item(id=n, question=f"What is {n}?", answer=f"SECRET-{n}", concepts=("c",)) for n in "abcd"]
    _, done = staged(secret, ALONE, EXPLAINED, teacher_knows_answers=False, practice=0.5)
    assert not any("SECRET" in m.content for request in done.requests for m in request.messages)
    for record in (*done.outcome.records, *done.outcome.practice):
        assert record.target == "red", "the teacher's own answer stands for the right one"
        assert not record.alone.correct
        assert record.alone.agrees == (record.alone.answer == "red")


def test_few_shot_shows_the_students_own_answers_and_asks_what_it_says_next() -> None:
    practice = [item(name) for name in "wxyz"]
    alone = {**ALONE, "w": 1, "x": 0, "y": 0, "z": 0}
    explained = {**EXPLAINED, "w": 1, "x": 1, "y": 1, "z": 0}

    def simulated(about: Item, after: bool) -> str:
        right = (EXPLAINED if after else ALONE)[about.id]
        return "A" if right else "C"

    params: dict[str, Any] = {"estimators": ["few_shot"], "practice": practice, "shots": 3, "samples": 1}
    _, done = staged(SIX, alone, explained, simulated=simulated, **params)
    asked = [request for request in done.requests if "few_shot" in request.address.path]
    for request in asked:
        shown, instruction = (m.content for m in request.messages[1:])
        after = "explained" in request.address.path
        assert instruction.startswith(f"Question: {named(request, SIX).question}")
        assert shown.count("The student said:") == 3
        assert ("Explanation: Because of w." in shown) == after
        assert "Which colour is w?\nA. red\nB. green\nC. blue\nRight: red\n" in shown
        assert ("Because of" in instruction) == after
        for letter, right in (("A", 1), ("C", 0)):
            wanted = (explained if after else alone)["w"] == right
            part = shown.partition("Which colour is w?")[2].partition("The student said: ")[2]
            assert part.startswith(letter) == wanted
    estimates = {
        r.item: (r.estimates["few_shot"].alone, r.estimates["few_shot"].explained) for r in done.outcome.records
    }
    assert estimates == {name: (ALONE[name], EXPLAINED[name]) for name in "abcdef"}
    best, mine = done.outcome.curve("oracle"), done.outcome.curve("expected_utility:few_shot")
    assert best is not None
    assert mine is not None
    assert [p.accuracy for p in mine.points] == [p.accuracy for p in best.points], (
        "a perfect mental model is the oracle"
    )


def test_open_questions_are_simulated_as_right_or_wrong() -> None:
    items = [item(name, options=()) for name in "ab"]
    practice = [item(name, options=()) for name in "wx"]
    told = {"alone": {**ALONE, "w": 1, "x": 0}, "explained": {**EXPLAINED, "w": 1, "x": 1}}
    _, done = staged(
        items,
        told["alone"],
        told["explained"],
        simulated=lambda about, after: "right" if after else "wrong",
        estimators=["few_shot"],
        practice=practice,
        samples=1,
    )
    assert {r.estimates["few_shot"].utility for r in done.outcome.records} == {1.0}
    shown = next(r for r in done.requests if "few_shot" in r.address.path).messages[1].content
    assert "The student said: red (right)" in shown
    assert "The student said: blue (wrong)" in shown


def test_an_item_that_fails_is_left_out_and_counted() -> None:
    lines = scripted(SIX, ALONE, EXPLAINED)

    def say(request: LLMRequest) -> Any:
        broken = request.address.path[-1] == "Tess.explain" and named(request, SIX).id == "c"
        return ModelError("no words", kind="content_filter") if broken else lines(request)

    protocol = Interventions(TESS, SAM, SIX, practice=0.0, estimators=["student_model"], resamples=10)
    outcome = play(protocol, say).outcome
    assert [r.item for r in outcome.records] == ["a", "b", "d", "e", "f"]
    assert [(s["agent"], s["act"], s["kind"]) for s in outcome.skipped] == [("item c", "be answered", "content_filter")]
    strict = Interventions(TESS, SAM, SIX, practice=0.0, estimators=["student_model"], resamples=10, on_failure="fail")
    done = play(strict, say)
    assert isinstance(done.error, ModelError)
    assert len(done.outcome.records) == 5, "what was finished is kept"


def test_where_a_simulation_fails_the_usual_stands_in_and_is_counted() -> None:
    practice = [item(name) for name in "wx"]
    lines = scripted(
        [*SIX, *practice], {**ALONE, "w": 1, "x": 0}, {**EXPLAINED, "w": 1, "x": 1}, lambda about, after: "A"
    )

    def say(request: LLMRequest) -> Any:
        broken = "few_shot" in request.address.path and named(request, SIX).id == "c"
        return "no idea" if broken else lines(request)

    protocol = Interventions(TESS, SAM, SIX, practice=practice, estimators=["few_shot"], resamples=10, samples=2)
    outcome = play(protocol, say).outcome
    by_item = {r.item: r.estimates["few_shot"] for r in outcome.records}
    assert (by_item["c"].alone, by_item["c"].explained) == (2 / 4, 3 / 4)
    assert [s["act"] for s in outcome.skipped] == ["be predicted by few_shot"]


def test_an_estimator_that_predicts_nothing_is_left_out_with_its_rankers() -> None:
    lines = scripted(SIX, ALONE, EXPLAINED, lambda about, after: "no idea")
    protocol = Interventions(TESS, SAM, SIX, practice=0.0, estimators=["few_shot", "student_model"], resamples=10)
    outcome = play(protocol, lines).outcome
    assert "expected_utility:few_shot" in outcome.left_out
    assert outcome.curve("expected_utility:student_model") is not None
    assert "Left out: expected_utility:few_shot, because few_shot predicted nothing" in outcome.table()
    alone = Interventions(TESS, SAM, SIX, practice=0.0, rankers=["expected_utility:few_shot"], resamples=0)
    told = play(alone, lines).outcome.table()
    assert "few_shot predicted nothing" in told, "even where no ranker is left"
    assert "No intervals" in told


def test_the_student_model_finds_what_practice_showed() -> None:
    concepts = ConceptGraph()
    for name in ("warm", "cold"):
        concepts.add(name)
    practice = [item(f"w{i}", "warm") for i in range(4)] + [item(f"c{i}", "cold") for i in range(4)]
    items = [item("w", "warm"), item("c", "cold")]
    alone = {each.id: int(each.id[0] == "w") for each in (*practice, *items)}
    _, done = staged(items, alone, dict.fromkeys(alone, 1), practice=practice, concepts=concepts)
    warm, cold = (record.estimates["student_model"] for record in done.outcome.records)
    assert warm.alone > 0.8 > 0.3 > cold.alone
    assert cold.utility > 0.4 > warm.utility
    quality = {(q.estimator, q.condition): q for q in done.outcome.quality}
    assert quality["student_model", "alone"].brier < 0.1


def test_the_outcome_tells_itself() -> None:
    _, done = staged(SIX, ALONE, EXPLAINED)
    told = done.outcome.table()
    assert "6 items judged, 0 observed beforehand" in told
    assert "oracle *" in told
    assert "Share of the oracle's gain" in told
    assert "student_model, alone" in told
    assert done.outcome.answer is not None
    assert done.outcome.answer.startswith("with 20 % of 6 items explained, accuracy is ")
    assert "0.533 at random, 0.700 at best (0.500 with none, 0.667 with all)" in done.outcome.answer


def test_the_picture_is_written(tmp_path: Any) -> None:
    _, done = staged(SIX, ALONE, EXPLAINED)
    written = done.outcome.plot(tmp_path / "pictures" / "curve.svg").read_text("utf-8")
    for words in ("random", "oracle", "student least sure", "accuracy of the student", "6 items"):
        assert words in written
    with pytest.raises(UsageError, match="needs items that were judged and two or more budgets"):
        InterventionsOutcome().plot(tmp_path / "nothing.svg")


def test_who_names_no_letter_is_taken_by_its_word() -> None:
    protocol = Interventions(
        TESS,
        SAM,
        SIX[:2],
        practice=0.0,
        estimators=["student_model"],
        confidence="measured",
        samples=1,
        resamples=10,
        rankers=["random", "true_pre", "student_confidence"],
    )
    lines = scripted(SIX, ALONE, EXPLAINED, lambda about, after: "Well." if about.id == "a" else "A")
    outcome = play(protocol, lines).outcome
    told = {r.item: (r.alone.source, r.alone.confidence) for r in outcome.records}
    assert told == {"a": ("stated", 0.4), "b": ("samples", 1.0)}
    assert list(outcome.left_out) == ["true_pre"]
