"""A teacher that can explain only a share of the questions: which ones? And how good is a rule of one's own?

    python examples/budget_curve.py [curve.svg]

A simulated student answers 110 questions of the school world alone and explained; 73 others were watched beforehand,
and from those the networkx student model predicts where explaining pays. One student tells few rankers apart, as the
intervals say; benchmarks/interventions.py asks twenty, and real_networks.py asks a real network 600 questions.
"""

import asyncio
import sys

import maieutic as mt
from maieutic.backends.sim.curriculum import curriculum
from maieutic.protocols.interventions import InterventionsOutcome, Outcomes, Ranking, Record


def deepest(record: Record) -> float:
    """A rule of one's own: first the questions whose concepts stand on the most others."""
    return sum(len(SCHOOL.needs(concept)) for concept in record.concepts)


async def main() -> None:
    """Compare the rankers, then the rule of one's own with one of them."""
    choosing = mt.Interventions(
        mt.Teacher("Tess", "sim/teacher"),
        mt.Student("Sam", {"model": "sim/student", "knows": 0.5, "slip": 0.05, "learn": 0.7, "seed": 4}),
        list(SCHOOL.items.values()),
        concepts=SCHOOL,
        practice=0.4,
        estimators=["student_model", "combined"],
    )
    run = await choosing.run()
    outcome = run.outcome
    print(run.answer, outcome.table(), sep="\n\n")

    assert isinstance(outcome, InterventionsOutcome)
    records = outcome.records
    known = Outcomes([r.alone.correct for r in records], [r.explained.correct for r in records])
    mine = Ranking(known, [deepest(record) for record in records])
    model = Ranking(known, [record.estimates["student_model"].utility for record in records])
    print(f"\nDeepest first at 20 %: {mine.accuracy(0.2)}; the student model beats it by {model.beyond(mine, 0.2)}.")
    print(f"{run.ledger.total.calls} calls, none of them twice.")
    if sys.argv[1:]:
        print(f"Drawn in {outcome.plot(sys.argv[1])}")


SCHOOL = curriculum()

if __name__ == "__main__":
    asyncio.run(main())
