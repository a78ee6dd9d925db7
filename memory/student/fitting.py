"""Fitting the student model's parameters to logged answers, and what the fit is worth on students it never saw.

EM over one two-state chain per student and concept (Baum-Welch), started at what the structure of prerequisites says:
exact for items of one concept and prerequisites that form a polytree, where each step raises the penalised
log-likelihood or leaves it. Approximate are
    items of several concepts: each concept's chain sees the answer with the others' chances of being known plugged in,
        as they were just before it (the noisy-AND's responsibilities, factored): the answer counts once in each;
    explanations of what has prerequisites: the student's readiness is plugged in likewise;
    loops among prerequisites: loopy belief propagation.
Plug-ins are refreshed between rounds of EM; within a round the objective, then a composite likelihood, never falls.

What is not used: which wrong option was chosen, stated confidence, and questions. Left as they are: edge weights,
misconceptions, awareness, and every parameter of which the log says nothing.

Identifiability (Beck and Chang, "Identifiability: a fundamental problem of student modeling", UM 2007): the same
answers can be told by different parameters, one of them with known and unknown exchanged. Bounds keep slip + guess
below 1, and slip and guess where a right answer is a sign of knowing (Baker, Corbett and Aleven, "More accurate
student modeling through contextual estimation of slip and guess probabilities", ITS 2008).
Beta priors draw every parameter to the value that it had, with the weight of `strength` observations, so that small
logs do not run to a border.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import networkx as nx
import numpy as np

from maieutic.errors import StudentModelError, UsageError
from maieutic.files.problems import did_you_mean
from maieutic.memory.student.calibration import Calibration
from maieutic.memory.student.concepts import ConceptGraph
from maieutic.memory.student.fitting_em import BOUNDS, Plan, Rounds, expectation_maximisation
from maieutic.memory.student.fitting_logs import Questions, compile_logs
from maieutic.memory.student.items import Item
from maieutic.memory.student.observations import Observation

__all__ = ["BOUNDS", "Fit", "fit", "predictions"]

FITTED = tuple(BOUNDS)


@dataclass(frozen=True, slots=True)
class Fit:
    """A fit, and what it is worth.

    Attributes:
        concepts: The concepts with the fitted parameters.
        fitted_on: Names of the students whose logs were fitted.
        held_out: Names of the students that it was tried on.
        objectives: The penalised log-likelihood in nats after each step of EM, one tuple for each round of plug-ins; it
            falls within none. It cannot be compared between rounds.
        converged: Whether the last round ended because nothing was left to gain.
        after: What the fitted model's predictions were worth on the held-out students, each made before the answer was
            seen; None if nobody was held out or none of them answered.
        before: The same for the model as it was given.
        base_rate: The same for each item's share of right answers among the others, (right + 1) / (answers + 2).
    """

    concepts: ConceptGraph
    fitted_on: tuple[str, ...]
    held_out: tuple[str, ...]
    objectives: tuple[tuple[float, ...], ...]
    converged: bool
    after: Calibration | None
    before: Calibration | None
    base_rate: Calibration | None

    def __str__(self) -> str:
        ended = "converged" if self.converged else "stopped before it converged"
        lines = [f"fitted on {len(self.fitted_on)} students in {sum(map(len, self.objectives))} steps, {ended}"]
        if self.after and self.before and self.base_rate:
            lines += [
                f"on {len(self.held_out)} other students:",
                f"  fitted          {self.after}",
                f"  as it was       {self.before}",
                f"  items' averages {self.base_rate}",
            ]
        return "\n".join(lines)


def fit(
    concepts: ConceptGraph,
    logs: Mapping[str, Sequence[Observation]],
    items: Iterable[Item] = (),
    *,
    parameters: Sequence[str] = FITTED,
    tied: Sequence[str] = (),
    bounds: Mapping[str, tuple[float, float]] | None = None,
    strength: float = 2.0,
    restarts: int = 2,
    tol: float = 1e-7,
    held_out: float = 0.2,
    seed: int = 0,
) -> Fit:
    """Fit a student model to what students answered.

    Args:
        concepts: The concepts; their parameters are where the fit starts and what the priors draw to. Not changed.
        logs: What was observed of each student, in order, by the student's name.
        items: Items that the logs name, besides the concepts' own.
        parameters: Which to fit, of prior, slip, guess, learn, learn_practice, forget, helped.
        tied: Which of them are one and the same for all concepts.
        bounds: Lowest and highest value by parameter, 0 < low < high < 1, in place of BOUNDS.
        strength: Weight of the Beta priors in observations, 0 or more (for `forget`, in days); 0 is maximum likelihood.
        restarts: Further starts at random; the best end is taken.
        tol: EM ends when a step gains less than this many nats per answer.
        held_out: Share of the students that are kept apart for trying the fit, 0 to below 1.
        seed: Draws the held-out students and the restarts; the same seed gives the same fit.

    Raises:
        StudentModelError: Logs without answers, an item or a concept that is not there, an answer of which nobody
            knows whether it was right.
        UsageError: A parameter or a bound that cannot be, or bounds that allow slip + guess >= 1.
    """
    concepts.check()
    if strength < 0 or restarts < 0 or tol <= 0:
        raise UsageError("strength and restarts are 0 or more, and tol is above 0")
    limits = _limits((*parameters, *tied), bounds)
    plan = Plan(tuple(dict.fromkeys(parameters)), frozenset(tied), limits, strength, restarts, tol, seed)
    known = {**concepts.items, **{item.id: item for item in items}}
    fitted_on, apart = _parted(sorted(logs), held_out, seed)
    train, test = [logs[name] for name in fitted_on], [logs[name] for name in apart]
    fitted, rounds = _fitted(concepts, known, train, test, plan)
    scores = _scores(concepts, fitted, known, train, test)
    return Fit(fitted, tuple(fitted_on), tuple(apart), rounds.objectives, rounds.converged, *scores)


def _fitted(
    concepts: ConceptGraph,
    items: Mapping[str, Item],
    train: Sequence[Sequence[Observation]],
    test: Sequence[Sequence[Observation]],
    plan: Plan,
) -> tuple[ConceptGraph, Rounds]:
    order = list(nx.lexicographical_topological_sort(concepts.graph))
    position = {name: number for number, name in enumerate(order)}
    needs = [{position[p]: weight for p, weight in concepts.needs(name).items()} for name in order]
    questions = Questions(concepts, items, order)
    compile_logs(test, questions, needs)  # complains before the work rather than after it
    compiled = compile_logs(train, questions, needs)
    if not compiled.answers:
        raise StudentModelError("the logs hold no answers to fit to; give observations of the kind 'answered'")
    given = {name: np.array([getattr(concepts.concept(c), name) for c in order]) for name in BOUNDS}
    rounds = expectation_maximisation(compiled, given, needs, plan)
    return _changed(concepts, order, rounds), rounds


def predictions(
    concepts: ConceptGraph, logs: Iterable[Sequence[Observation]], items: Iterable[Item] = ()
) -> tuple[list[float], list[bool]]:
    """What a student model predicts before each answer of the logs, replayed, and whether the answer was right.

    The prediction is P(right | alone), or P(right | explained) where the answer was given with an explanation at hand.

    Raises:
        StudentModelError: As `fit`.
    """
    from maieutic.memory.student.model import StudentModel

    known = {**concepts.items, **{item.id: item for item in items}}
    fresh = StudentModel(concepts, items=list(known.values()), keep_log=False)
    questions = Questions(concepts, known, list(concepts))
    predicted: list[float] = []
    observed: list[bool] = []
    for log in logs:
        model = fresh.copy()
        for observation in log:
            if observation.kind == "answered":
                question = questions.of(observation)
                expected = model.predict(question.item)
                predicted.append(expected.explained if observation.with_explanation else expected.alone)
                observed.append(questions.right(observation))
            model.observe(observation)
    return predicted, observed


def _limits(names: Iterable[str], bounds: Mapping[str, tuple[float, float]] | None) -> dict[str, tuple[float, float]]:
    """The bounds of every parameter, checked; `names` are all that the caller named."""
    for name in (*names, *(bounds or ())):
        if name not in BOUNDS:
            raise UsageError(f"{name!r} is no parameter that can be fitted; {did_you_mean(name, BOUNDS)}")
    limits = {**BOUNDS, **(bounds or {})}
    for name, (low, high) in limits.items():
        if not 0 < low < high < 1:
            raise UsageError(f"the bounds of {name!r} are {low} and {high}; give 0 < low < high < 1")
    if limits["slip"][1] + limits["guess"][1] >= 1:
        raise UsageError(
            f"slip up to {limits['slip'][1]:g} and guess up to {limits['guess'][1]:g} allow slip + guess >= 1, where a "
            "right answer is a sign of not knowing and the fit cannot tell known from unknown; lower one of the bounds"
        )
    return limits


def _parted(names: Sequence[str], share: float, seed: int) -> tuple[list[str], list[str]]:
    if not 0 <= share < 1:
        raise UsageError(f"the share of held-out students is {share}; give 0 or more and less than 1")
    count = min(max(round(share * len(names)), 1), len(names) - 1) if share and len(names) > 1 else 0
    apart = set(random.Random(seed).sample(names, count))
    return [name for name in names if name not in apart], [name for name in names if name in apart]


def _changed(concepts: ConceptGraph, order: Sequence[str], rounds: Rounds) -> ConceptGraph:
    graph = concepts.to_networkx()
    for parameter, values in rounds.rates.items():
        for number, name in enumerate(order):
            if rounds.informed[parameter][number]:
                graph.nodes[name][parameter] = float(values[number])
    return ConceptGraph.from_networkx(graph, concepts.items.values())


def _scores(
    before: ConceptGraph,
    after: ConceptGraph,
    items: Mapping[str, Item],
    train: Sequence[Sequence[Observation]],
    test: Sequence[Sequence[Observation]],
) -> tuple[Calibration | None, Calibration | None, Calibration | None]:
    pool = list(items.values())
    if not any(each.kind == "answered" for log in test for each in log):
        return None, None, None
    predicted, observed = predictions(after, test, pool)
    given, _ = predictions(before, test, pool)
    rates = _base_rates(before, items, train, test)
    return Calibration.of(predicted, observed), Calibration.of(given, observed), Calibration.of(rates, observed)


def _base_rates(
    concepts: ConceptGraph,
    items: Mapping[str, Item],
    train: Sequence[Sequence[Observation]],
    test: Sequence[Sequence[Observation]],
) -> list[float]:
    """Each held-out answer's item's share of right answers in the other students' logs."""
    questions = Questions(concepts, items, list(concepts))
    right: dict[object, int] = {}
    seen: dict[object, int] = {}
    for observation in (each for log in train for each in log if each.kind == "answered"):
        about = observation.item or observation.concepts
        seen[about] = seen.get(about, 0) + 1
        right[about] = right.get(about, 0) + questions.right(observation)
    asked = [each.item or each.concepts for log in test for each in log if each.kind == "answered"]
    return [(right.get(about, 0) + 1) / (seen.get(about, 0) + 2) for about in asked]
