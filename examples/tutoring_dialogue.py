"""A lesson about the sky: the student model chooses each move of the teacher, and says why. A week later it asks again.

    python examples/tutoring_dialogue.py

The student is a simulated mind; `maieutic tutor examples/concepts/sky.yaml` puts you in its place.
"""

from pathlib import Path

import maieutic as mt

SKY = Path(__file__).parent / "concepts/sky.yaml"


def main() -> None:
    teacher = mt.Teacher("Ann", "sim/teacher")
    student = mt.Student("Bob", {"model": "sim/student", "knows": 0.2, "seed": 3})
    lesson = mt.Tutor(teacher=teacher, student=student, concepts=SKY, turns=25).run_sync("the sky").outcome

    for turn in lesson.transcript:
        said = " / ".join(turn["content"].splitlines())
        print(f"{turn['speaker']}: {said}")
        for reason in turn.get("data", {}).get("why", []):
            print(f"    because {reason}")
    print("\nMastery before -> after")
    print(lesson.table())

    bob = mt.StudentModel.from_json(lesson.student)
    best = max(lesson.mastery, key=lambda concept: lesson.mastery[concept])
    bob.waited(days=7)
    print(f"\nA week later, {best}: {lesson.mastery[best]:.2f} -> {bob.mastery(best):.2f}")
    print(f"Ready to be learned: {', '.join(bob.zone()) or 'nothing'}")


if __name__ == "__main__":
    main()
