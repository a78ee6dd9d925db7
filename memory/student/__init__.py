"""The Theory-of-Mind student model: what a teacher believes that a student knows, and thinks it knows.

    concepts = ConceptGraph()
    concepts.add("division")
    concepts.add("fractions", needs={"division": 0.9}, misconceptions={"adds": "1/2 + 1/3 = 2/5"})
    student = StudentModel(concepts, items=[Item(id="q1", concepts=("fractions",))])
    student.answered("q1", correct=True)
    student.mastery("fractions"), student.predict("q1").utility, student.zone(), student.why("fractions")

The model. A concept c is, in the student, in a state K_c: known, unknown, or one of its misconceptions m. Besides,
the student thinks that it knows c (J_c = 1) or that it does not (J_c = 0).

- At first: P(K0_c known | its prerequisites) = prior_c * prod over prerequisites p that are not known of (1 - w_pc),
  with w_pc the weight of the edge p -> c. What is not known is m with chance share_m, else unknown.
- What it thinks: P(J_c = 1 | K_c) = aware (known), overconfident (unknown), believed_m (holds m); drawn again
  whenever K_c changes.
- Explanation: not known -> known with chance learn_c * readiness_c; readiness_c = prod over prerequisites p of (1 -
  w_pc * P(p not known now)). Answering: not known -> known with chance learn_practice_c. d days: known -> unknown
  with chance 1 - (1 - forget_c)^d.
- An answer to an item i with concepts C_i: P(right) = guess_i + (1 - slip_i - guess_i) * prod over c in C_i of u_c,
  where u_c = 1 if c is known; if not, helped_c with an explanation of i at hand that covers c, else 0. slip_i and
  guess_i are the item's own, or 1 / options for the guess, or the means of its concepts'. A wrong answer: each
  misconception held, in the order of C_i, leads to its distractor with chance pull_m; if none does, all wrong answers
  are as likely.
- A question about concepts: chance 0.1 if J = 1 for all of them, else 0.5. A stated confidence r, 0 to 1: density 0.2
  + 1.6 r if J = 1 for all of them, else 1.8 - 1.6 r.

With one concept per item and no prerequisites this is Bayesian Knowledge Tracing (Corbett and Anderson, User Modeling
and User-Adapted Interaction 4, 1995) with forgetting by the day; the items are those of DINA models (Junker and
Sijtsma, Applied Psychological Measurement 25, 2001).

How it is inferred. Given K0_c, concept c is a hidden Markov chain, filtered exactly (`tracing`). What the
observations say about K0_c goes as evidence into belief propagation over the prerequisites (`structure`; Pearl 1988;
Elidan, McGraw and Koller 2006), and the belief now is the mixture of both.

- Exact: everything, where the prerequisites without their directions form a forest and every sign is about one
  concept, up to readiness: an explanation works on all that could be the case with the mean readiness, a plug-in.
- Approximate: loops in the prerequisites; and signs about several concepts. Those are weighed on the joint
  distribution of the item's concepts (`clusters`), and of the result each concept's own distribution is kept, not how
  they hang together (the factored filter of Boyen and Koller, UAI 1998). One such sign is exact on a forest, if its
  concepts are near to each other or independent; of many, repeated ones count for too much.
- Beyond 200 concepts: an observation works out 24 concepts besides its own at most, and passes on no change below
  0.0003; the rest comes with the next ones. That moves mastery by 1e-4 on average, 1e-3 at most (2,000 concepts with
  three prerequisites each, 6,000 observations).

Absolute error of mastery against enumeration, random graphs of 6 concepts, lessons of 20 observations of all kinds,
over 200 students (`python benchmarks/student_model.py`): forests and one concept an item 3e-16 on average, 1e-13 at
most; loops and one concept 4e-4, 0.03; forests and up to three concepts 5e-3, 0.3; loops and up to three 6e-3, 0.5.

Nothing here calls a model, reads a clock or draws a random number.
"""

from typing import TYPE_CHECKING, Any

from maieutic.lazy import lazily

if TYPE_CHECKING:
    from maieutic.memory.student.concepts import Concept, ConceptGraph, Misconception
    from maieutic.memory.student.decisions import Decision, Decisions
    from maieutic.memory.student.items import Item
    from maieutic.memory.student.model import Prediction, StudentModel
    from maieutic.memory.student.observations import Observation
    from maieutic.memory.student.policy import InterventionPolicy
    from maieutic.memory.student.reasons import Reason

_find = lazily(
    __name__,
    {
        "concepts": ("Concept", "ConceptGraph", "Misconception"),
        "decisions": ("Decision", "Decisions"),
        "items": ("Item",),
        "model": ("Prediction", "StudentModel"),
        "observations": ("Observation",),
        "policy": ("InterventionPolicy",),
        "reasons": ("Reason",),
    },
)

__all__ = [
    "Concept",
    "ConceptGraph",
    "Decision",
    "Decisions",
    "InterventionPolicy",
    "Item",
    "Misconception",
    "Observation",
    "Prediction",
    "Reason",
    "StudentModel",
]


def __getattr__(name: str) -> Any:
    return _find(name)


def __dir__() -> list[str]:
    return list(__all__)
