"""`maieutic tutor`: taught from a concept file or a document, saved and taken up again."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result

from maieutic.cli.kept import Kept
from maieutic.memory.student import ConceptGraph, InterventionPolicy, Observation, StudentModel

Maieutic = Callable[..., Result]
SKY = Path(__file__).parents[2] / "examples/concepts/sky.yaml"
NOTES = """# The sky
A star gets its energy by fusing hydrogen into helium. Blue stars are hotter than red stars. The Sun is a star.
Sunlight takes about eight minutes to reach the Earth. Mercury is the planet nearest to the Sun.
Jupiter is the largest planet of the solar system. The Moon shines because it reflects the light of the Sun.
"""


def test_a_lesson_with_a_simulated_student_says_why(maieutic: Maieutic) -> None:
    done = maieutic("tutor", str(SKY), "--student", "sim/student", "--turns", "6", "--why")
    assert done.exit_code == 0, done.stderr
    assert "simulated minds teach" in done.stderr
    assert "can explain only what stands in their small world" in done.stderr
    assert "why try: mastery of stars is" in done.stderr
    assert "->" in done.stdout
    quiet = maieutic("tutor", str(SKY), "--student", "sim/student", "--turns", "6")
    assert "why" not in quiet.stderr


def test_a_lesson_takes_inputs(maieutic: Maieutic) -> None:
    lesson = ("tutor", str(SKY), "--student", "sim/student", "--turns", "1", "--json")
    done = maieutic(*lesson, "-i", "question=the night sky")
    opening = json.loads(done.stdout)["outcome"]["transcript"][0]["content"]
    assert opening.startswith("This is a lesson about the night sky.")
    assert "-i topic=…: tutor has no such input; it takes question, log" in maieutic(*lesson, "-i", "topic=x").stderr


def test_a_lesson_from_a_document(maieutic: Maieutic) -> None:
    Path("notes.md").write_text(NOTES, "utf-8")
    done = maieutic("tutor", "--context", "notes.md", "--turns", "3", "--json")
    assert done.exit_code == 0, done.stderr
    assert set(json.loads(done.stdout)["outcome"]["mastery"]) >= {"stars", "the Sun"}


def test_a_saved_student_is_taken_up_again_with_forgetting(maieutic: Maieutic) -> None:
    first = maieutic("tutor", str(SKY), "--student", "sim/student", "--turns", "8", "--save", "me.json", "--json")
    after = json.loads(first.stdout)["outcome"]["mastery"]
    kept = json.loads(Path("me.json").read_text("utf-8"))
    kept["saved"] = (datetime.now(UTC) - timedelta(days=7)).isoformat()
    Path("me.json").write_text(json.dumps(kept), "utf-8")
    again = maieutic("tutor", "--student", "sim/student", "--turns", "1", "--save", "me.json", "--json")
    assert again.exit_code == 0, again.stderr
    before = json.loads(again.stdout)["outcome"]["before"]
    best = max(after, key=lambda name: after[name])
    assert 0.5 * after[best] < before[best] < after[best]
    waited = [o for o in json.loads(Path("me.json").read_text("utf-8"))["log"] if o["kind"] == "waited"]
    assert 6.9 < waited[0]["days"] < 7.1


def test_the_person_at_the_terminal_is_taught(maieutic: Maieutic) -> None:
    Path("sums.yaml").write_text(
        "version: 1\nname: sums\nconcepts: {sums: {prior: 0.4}}\n"
        "items: {s: {question: 1 + 1?, answer: 2, concepts: [sums]}}\n",
        "utf-8",
    )
    typed = "\n3\n0.9\nWhat is a sum?\nstop\n"  # Enter alone is no answer
    done = maieutic(
        "tutor", "sums.yaml", "--student", "person/terminal", "--confidence", "--save", "me.json", typed=typed
    )
    assert done.exit_code == 0, done.stderr
    assert "Question:" in done.stderr
    assert done.stderr.count("How sure are you of that?") == 1, "neither of a question nor of a farewell"
    kinds = [o["kind"] for o in json.loads(Path("me.json").read_text("utf-8"))["log"]]
    assert kinds == ["answered", "explained", "asked", "explained"]


def test_wrong_input_says_what_to_do(maieutic: Maieutic) -> None:
    nothing = maieutic("tutor")
    assert "there is nothing to teach: name a concept file" in nothing.stderr
    Path("notes.md").write_text(NOTES, "utf-8")
    swapped = maieutic("tutor", "notes.md")
    assert "to teach from a document: --context notes.md" in swapped.stderr
    missing = maieutic("tutor", "nowhere.yaml")
    assert "nowhere.yaml: the file cannot be read: No such file" in missing.stderr
    Path("bad.yaml").write_text("version: 1\nname: x\nconcepts:\n  a: {neds: [b]}\n", "utf-8")
    broken = maieutic("tutor", "bad.yaml")
    assert "bad.yaml:4:7: unknown key 'neds'" in broken.stderr
    Path("me.json").write_text("{}", "utf-8")
    strange = maieutic("tutor", str(SKY), "--save", "me.json")
    assert "--save me.json: this is no student model" in strange.stderr
    other = maieutic("tutor", str(SKY), "-m", "judge=sim/judge")
    assert "in a lesson only the teacher is named" in other.stderr
    for done in (nothing, swapped, missing, broken, strange, other):
        assert done.exit_code == 2


def test_days_are_counted_from_when_it_was_saved() -> None:
    then = datetime(2026, 1, 1, tzinfo=UTC)
    saved = Kept(log=[{"kind": "asked", "concepts": ["a"]}], when=then)
    assert saved.log_now(then + timedelta(hours=36))[-1] == {"kind": "waited", "days": 1.5}
    assert saved.log_now(then) == saved.log


def sums(**items: str) -> str:
    """A concept file with one item for each concept that is named."""
    named = "".join(f"  {item}: {{question: '{item}?', answer: x, concepts: [{of}]}}\n" for item, of in items.items())
    concepts = "".join(f"  {of}:\n" for of in dict.fromkeys(items.values()))
    return f"version: 1\nname: sums\nconcepts:\n{concepts}items:\n{named}"


def kept(*log: dict[str, object], concepts: str) -> None:
    observed = [Observation.model_validate(one) for one in log]
    StudentModel.of(ConceptGraph.load(concepts), observed).save("me.json")


def test_what_was_observed_of_a_removed_item_counts_for_its_concept(maieutic: Maieutic) -> None:
    Path("old.yaml").write_text(sums(a="adding", b="adding", c="carrying"), "utf-8")
    Path("new.yaml").write_text(sums(b="adding", d="dividing"), "utf-8")
    kept(
        {"kind": "answered", "item": "a", "correct": True},
        {"kind": "answered", "item": "c", "correct": True},
        {"kind": "explained", "item": "b"},
        concepts="old.yaml",
    )
    lesson = ("--student", "sim/student", "--turns", "1", "--save", "me.json", "--json")
    done = maieutic("tutor", "new.yaml", *lesson)
    assert done.exit_code == 0, done.stderr
    assert "me.json: 1 observation is left out: new.yaml no longer has the concepts" in done.stderr
    log = json.loads(Path("me.json").read_text("utf-8"))["log"]
    assert log[0] == {"kind": "answered", "concepts": ["adding"], "correct": True}
    assert log[1] == {"kind": "explained", "item": "b"}
    assert json.loads(done.stdout)["outcome"]["before"]["adding"] > 0.9


def test_a_student_of_something_else_is_not_overwritten(maieutic: Maieutic) -> None:
    Path("old.yaml").write_text(sums(a="adding"), "utf-8")
    Path("other.yaml").write_text(sums(b="boating"), "utf-8")
    kept({"kind": "answered", "item": "a", "correct": True}, concepts="old.yaml")
    before = Path("me.json").read_text("utf-8")
    done = maieutic("tutor", "other.yaml", "--student", "sim/student", "--save", "me.json")
    assert done.exit_code == 2
    assert "taught adding, nothing of which is in other.yaml; keep the new lesson in another file" in done.stderr
    assert Path("me.json").read_text("utf-8") == before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"log": [{"kind": "zap"}]}, "kind: Input should be 'answered'"),
        ({"log": 3}, "not iterable"),
        ({"concepts": {"a": {"needs": {"b": 1}}}}, "'a' needs 'b', which was never added"),
        ({"saved": "yesterday"}, "'saved' is the time as in"),
    ],
)
def test_a_saved_student_that_was_damaged_is_refused(maieutic: Maieutic, change: dict[str, object], said: str) -> None:
    Path("sums.yaml").write_text(sums(a="adding"), "utf-8")
    kept({"kind": "answered", "item": "a", "correct": True}, concepts="sums.yaml")
    Path("me.json").write_text(json.dumps({**json.loads(Path("me.json").read_text("utf-8")), **change}), "utf-8")
    done = maieutic("tutor", "sums.yaml", "--student", "sim/student", "--save", "me.json")
    assert done.exit_code == 2
    assert "--save me.json: " in done.stderr
    assert said in done.stderr


def test_a_saved_student_is_a_student_model_and_the_reverse(maieutic: Maieutic) -> None:
    lesson = ("tutor", str(SKY), "--student", "sim/student", "--turns", "4", "--save", "me.json", "--json")
    first = maieutic(*lesson)
    model = StudentModel.load("me.json")
    after = json.loads(first.stdout)["outcome"]["mastery"]
    assert {name: model.mastery(name) for name in model.concepts} == pytest.approx(after)

    other = StudentModel(ConceptGraph.load(SKY), policy=InterventionPolicy(0.4))
    other.answered("sun-kind", choice="a planet")
    other.save("other.json")
    again = maieutic("tutor", "--student", "sim/student", "--turns", "1", "--save", "other.json", "--json")
    assert json.loads(again.stdout)["outcome"]["before"]["sun"] == pytest.approx(other.mastery("sun"), abs=1e-4)
    taken_up = StudentModel.load("other.json")
    assert taken_up.log[0].kind == "answered"
    assert taken_up.policy.budget == 0.4


def test_a_saved_student_is_an_input_of_a_graph(maieutic: Maieutic) -> None:
    maieutic("tutor", str(SKY), "--student", "sim/student", "--turns", "4", "--save", "me.json")
    Path("look.yaml").write_text(
        f"version: 1\nname: look\nstudent_model: {{graph: {SKY}, input: true}}\n"
        "models: {m: sim/student}\nagents: {bob: {role: student, model: m}}\n"
        "state: {known: {type: float, default: 0.0}}\n"
        "graph:\n  start: look\n  nodes:\n    look: {set: {known: student.mastery('stars')}, next: ask}\n"
        "    ask: {agent: bob, does: ask, observe: {asked: \"'stars'\"}, next: end}\n",
        "utf-8",
    )
    done = maieutic("run", "look.yaml", "-i", "student=@me.json", "--json")
    assert done.exit_code == 0, done.stderr
    known = json.loads(done.stdout)["outcome"]["state"]["known"]
    assert known == pytest.approx(StudentModel.load("me.json").mastery("stars"))


def test_a_student_without_a_log_cannot_be_taken_up(maieutic: Maieutic) -> None:
    StudentModel(ConceptGraph.load(SKY), keep_log=False).save("me.json")
    done = maieutic("tutor", str(SKY), "--student", "sim/student", "--save", "me.json")
    assert done.exit_code == 2
    assert "me.json: what was observed of this student was not kept (keep_log=False)" in done.stderr


def test_where_nothing_can_be_saved_is_said_before_the_lesson(maieutic: Maieutic) -> None:
    done = maieutic("tutor", str(SKY), "--student", "sim/student", "--save", "nowhere/me.json")
    assert done.exit_code == 2
    assert "--save nowhere/me.json: the folder nowhere is not there" in done.stderr
    assert "Teacher:" not in done.stderr


def test_a_lesson_comes_to_a_table_and_no_answer(maieutic: Maieutic) -> None:
    done = maieutic("tutor", str(SKY), "--student", "sim/student", "--turns", "1")
    assert "Results:" in done.stdout
    assert "no answer" not in done.stdout


def test_a_resumed_lesson_goes_on_in_the_saved_student(maieutic: Maieutic) -> None:
    whole = maieutic("tutor", str(SKY), "--student", "sim/student", "--turns", "6", "--save", "whole.json")
    assert whole.exit_code == 0, whole.stderr
    lesson = ("tutor", str(SKY), "--student", "sim/student", "--turns", "6", "--save", "me.json")
    stopped = maieutic(*lesson, "--budget", "3 calls")
    assert "--save me.json" in stopped.stderr.splitlines()[-1], "the way to go on is told with the file"
    before = log_of("me.json")
    again = maieutic("resume", "last", "--budget", "100 calls", "--save", "me.json")
    assert again.exit_code == 0, again.stderr
    assert len(log_of("me.json")) > len(before)
    assert log_of("me.json") == log_of("whole.json")


def test_a_lesson_that_waits_says_how_to_keep_what_comes(maieutic: Maieutic) -> None:
    done = maieutic("tutor", str(SKY), "--student", "person/terminal", "--save", "me.json", typed="")
    assert done.exit_code == 4
    assert done.stderr.splitlines()[-1] == "Keep what comes of it, too, with: --save me.json"


def test_a_resumed_lesson_does_not_undo_a_later_one(maieutic: Maieutic) -> None:
    lesson = ("tutor", str(SKY), "--student", "sim/student", "--save", "me.json")
    assert maieutic(*lesson, "--turns", "6", "--budget", "3 calls").exit_code != 0
    first = json.loads(maieutic("runs", "list", "--json").stdout)[0]["id"]
    assert maieutic(*lesson, "--turns", "2").exit_code == 0
    later = log_of("me.json")
    again = maieutic("resume", first, "--budget", "100 calls", "--save", "me.json")
    assert "another lesson was kept there since this one stopped" in again.stderr
    assert log_of("me.json") == later


def log_of(path: str) -> list[dict[str, object]]:
    log: list[dict[str, object]] = json.loads(Path(path).read_text("utf-8"))["log"]
    return log
