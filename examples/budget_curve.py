"""A teacher that can explain only a share of the questions: which ones? With real language models, tiny ones.

The student never learned some operations of arithmetic modulo 10. The networkx student model sees only which of the 60
practice questions it got right, and must find out what it lacks. Every judged question is answered alone and explained
once; all budgets and all ways to choose come from that.

    python examples/budget_curve.py [curve.svg]
"""

import asyncio
import sys

import maieutic as mt
from maieutic.backends.tiny.arithmetic import items
from maieutic.protocols.interventions import InterventionsOutcome


async def main() -> None:
    """Compare five ways to choose."""
    choosing = mt.Interventions(
        mt.Teacher("Tess", "tiny/teacher"),
        mt.Student("Sam", "tiny/student"),
        items(200, seed=1),
        practice=0.3,
        estimators=["student_model"],
        rankers=["random", "teacher_confidence", "student_confidence", "expected_utility", "oracle"],
    )
    run = await choosing.run()
    outcome = run.outcome
    print(run.answer, outcome.table(), sep="\n\n")

    assert isinstance(outcome, InterventionsOutcome)
    curve = outcome.curve("expected_utility:student_model")
    if curve and (at := curve.at(0.2)):
        better = at.beyond_random
        print(
            f"\nAt 20 % better than random by {better.value:.3f}, 95 % interval {better.low:.3f} to {better.high:.3f}."
        )
    print(f"{run.ledger.total.calls} calls, none of them twice.")
    if sys.argv[1:]:
        print(f"Drawn in {outcome.plot(sys.argv[1])}")


if __name__ == "__main__":
    asyncio.run(main())
