"""A student learns a text by asking a teacher who has it, and a quiz after every turn shows what it has learned.

Three ways to choose the question are compared: freely, by what the student says it is least sure of, and as a student
model advises. Runs offline; the teacher writes the quiz. Give the agents real models and nothing else changes.
"""

import tempfile
from pathlib import Path

import maieutic as mt
from maieutic.protocols.interact import InteractOutcome

TEXT = Path(__file__).parent / "texts" / "the-sky.md"

tom = mt.Teacher("Tom", {"model": "sim/teacher", "seed": 1, "knows": 0.3})
lea = mt.Student("Lea", {"model": "sim/student", "seed": 5, "knows": 0.2, "noise": 1.0})
lesson = mt.Interact(
    tom,
    lea,
    source=TEXT,
    topic="astronomy",
    turns=5,
    question_choice=["free", "self_estimate", "student_model"],
)


def main() -> None:
    low, most = lesson.plan().fewest, lesson.plan().most
    print(f"{low} to {most} calls")
    run = lesson.run_sync({}, seed=1)
    outcome = run.outcome
    assert isinstance(outcome, InteractOutcome)
    for turn in outcome.transcript:
        if turn.get("data", {}).get("arm") == "interaction.Tom.student_model" and turn.get("kind", "say") == "say":
            print(f"{turn['speaker']}: {turn['content']}")
    print(f"\n{outcome.table()}")
    cold = outcome.curve("interaction", choice="student_model")
    print("Right after each turn:", " ".join(f"{point.accuracy:.2f}" for point in cold.points))
    with tempfile.TemporaryDirectory() as folder:
        print("Drawn:", outcome.plot(Path(folder) / "curve.svg").name)


if __name__ == "__main__":
    main()
