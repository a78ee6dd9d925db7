"""Whom to explain what, measured with real language models of half a megabyte, without key or network.

    python examples/real_networks.py [curve.svg]

The student was never taught five of 25 arithmetic operations. The teacher may explain a question, all steps but the
last; a student model that sees nothing but the student's answers to other questions chooses which. Every ranker is
judged on the same answers: each question is answered once alone and once explained.
"""

import sys

import maieutic as mt
from maieutic.backends.tiny import arithmetic


def main(picture: str | None = None, judged: int = 600, observed: int = 200) -> None:
    questions = [mt.Item(**item) for item in arithmetic.items(judged + observed, seed=1)]
    interventions = mt.Interventions(
        mt.Teacher("Tea", "tiny/teacher"),
        mt.Student("Stu", "tiny/student"),
        questions[:judged],
        practice=questions[judged:],
        estimators=["student_model"],
        rankers=["random", "student_confidence", "expected_utility", "oracle"],
    )
    outcome = interventions.run_sync().outcome
    print(outcome.table())
    if picture:
        print(f"\nThe picture is in {outcome.plot(picture)}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
