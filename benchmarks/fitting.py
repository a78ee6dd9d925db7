"""Fitting beside pyBKT, on the same simulated logs: error of the parameters, held-out predictions, and time.

    python benchmarks/fitting.py

Needs pyBKT in an environment of its own, because pyBKT 1.4.3 does not run with the newest numpy and scikit-learn:

    pip install maieutic 'pyBKT==1.4.3' 'numpy<2.4' 'scikit-learn<1.8'

Measured in November 2026 (pyBKT 1.4.3 with parallel=False, both in one process; 3 sets of logs, 2 starts; seconds as
a ratio of medians within one run; learn is learning from practice, nothing was explained; as many students held out):

                                    RMSE prior  learn  guess   slip   held-out log-loss    AUC    ECE   seconds
    500 students, 6 concepts, 8 answers each
        maieutic                         0.028  0.029  0.031  0.008              0.4877  0.768  0.006     1.0 x
        without priors (strength=0)      0.036  0.043  0.071  0.009              0.4877  0.768  0.006     1.2 x
        pyBKT                            0.031  0.035  0.039  0.009              0.4877  0.768  0.006      45 x
        the true parameters                                                      0.4873  0.769  0.007
    50 students, 6 concepts, 5 answers each
        maieutic                         0.130  0.063  0.075  0.036              0.5364  0.745  0.032     1.0 x
        without priors (strength=0)      0.129  0.059  0.086  0.031              0.5370  0.744  0.032     1.7 x
        pyBKT                            0.141  0.060  0.076  0.038              0.5379  0.743  0.033      17 x
        the true parameters                                                      0.5317  0.748  0.023
    500 students, 6 concepts, 8 answers each, each concept needing the one before it (weight 0.8)
        maieutic                         0.082  0.018  0.017  0.009              0.5106  0.789  0.008     1.0 x
        pyBKT                                   0.018  0.018  0.009              0.5128  0.787  0.009      27 x
        the true parameters                                                      0.5105  0.790  0.008

pyBKT knows no prerequisites; its prior is what is known on the whole, and is not compared where ours is what is known
given the prerequisites. Without priors, guess and learning err more at the same held-out log-loss: the
answers hardly tell such parameters apart.
"""

import argparse
import importlib
import math
import random
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from maieutic.memory.student.calibration import Calibration, auc
from maieutic.memory.student.concepts import ConceptGraph
from maieutic.memory.student.fitting import fit, predictions
from maieutic.memory.student.items import Item
from maieutic.memory.student.observations import Observation
from maieutic.memory.student.simulate import simulate

Logs = Mapping[str, Sequence[Observation]]
Results = dict[str, list[float]]
PARAMETERS = {"prior": "prior", "learn_practice": "learns", "guess": "guesses", "slip": "slips"}
"""Our names of the parameters and pyBKT's."""
INSTALL = "pip install maieutic 'pyBKT==1.4.3' 'numpy<2.4' 'scikit-learn<1.8'"


def truth(concepts: int, weight: float, seed: int) -> ConceptGraph:
    """Concepts with random parameters, practised and never explained; each needs the one before it if weight is > 0."""
    rng = random.Random(seed)
    graph = ConceptGraph([Item(id=f"q{k}", concepts=(f"c{k}",)) for k in range(concepts)])
    for k in range(concepts):
        graph.add(
            f"c{k}",
            needs={f"c{k - 1}": weight} if k and weight else {},
            prior=rng.uniform(0.2, 0.8),
            learn_practice=rng.uniform(0.05, 0.4),
            guess=rng.uniform(0.05, 0.35),
            slip=rng.uniform(0.02, 0.25),
        )
    return graph


def untold(graph: ConceptGraph) -> ConceptGraph:
    """The same items and prerequisites, every parameter at its default."""
    blank = ConceptGraph(graph.items.values())
    for name in graph:
        blank.add(name, needs=graph.needs(name))
    return blank


def table(logs: Logs, graph: ConceptGraph) -> Any:
    """Logs as pyBKT wants them: a data frame, one row for each answer."""
    rows = [
        (student, graph.items[str(each.item)].concepts[0], int(bool(each.correct)))
        for student, log in logs.items()
        for each in log
    ]
    return importlib.import_module("pandas").DataFrame(rows, columns=["user_id", "skill_name", "correct"])


def parameters_of(model: Any) -> dict[str, dict[str, float]]:
    """pyBKT's parameters, concept -> our name -> value."""
    values = model.params()["value"]
    concepts = {skill for skill, *_ in values.index}
    return {
        concept: {ours: float(values[concept, theirs, "default"]) for ours, theirs in PARAMETERS.items()}
        for concept in concepts
    }


def seconds(work: Callable[[], Any]) -> tuple[Any, float]:
    """What the work gives, and how long it took."""
    began = time.perf_counter()
    return work(), time.perf_counter() - began


def squares(found: Callable[[str, str], float], graph: ConceptGraph) -> Results:
    """Squared errors by parameter."""
    return {
        name: [(found(concept, name) - getattr(graph.concept(concept), name)) ** 2 for concept in graph]
        for name in PARAMETERS
    }


def scored(predicted: Sequence[float], observed: Sequence[bool]) -> Results:
    """Scores of predictions."""
    whole = Calibration.of(predicted, observed)
    return {"log-loss": [whole.log_loss], "AUC": [auc(predicted, observed)], "ECE": [whole.ece]}


def with_maieutic(graph: ConceptGraph, train: Logs, test: Logs, starts: int, strength: float) -> Results:
    """What our fit is worth."""
    found, took = seconds(lambda: fit(untold(graph), train, restarts=starts - 1, strength=strength, held_out=0))
    wrong = squares(lambda concept, name: float(getattr(found.concepts.concept(concept), name)), graph)
    return {"seconds": [took], **wrong, **scored(*predictions(found.concepts, test.values()))}


def with_pybkt(graph: ConceptGraph, train: Logs, test: Logs, starts: int, seed: int) -> Results:
    """What pyBKT's fit is worth; on one processor, as ours."""
    data, unseen = table(train, graph), table(test, graph)
    model = importlib.import_module("pyBKT.models").Model(seed=seed, num_fits=starts, parallel=False)
    _, took = seconds(lambda: model.fit(data=data))
    told = parameters_of(model)
    if graph.graph.number_of_edges():
        told = {c: {**each, "prior": math.nan} for c, each in told.items()}  # its prior is not given prerequisites
    predicted = model.predict(data=unseen)
    scores = scored(list(predicted["correct_predictions"].clip(0, 1)), [bool(each) for each in predicted["correct"]])
    return {"seconds": [took], **squares(lambda concept, name: told[concept][name], graph), **scores}


def trial(graph: ConceptGraph, students: int, length: int, starts: int, seed: int) -> dict[str, Results]:
    """One set of logs: what each way of fitting makes of it; the students of the second half are held out."""
    logs = simulate(graph, students=2 * students, length=length, explain=0, seed=seed)
    names = list(logs)
    train, test = {n: logs[n] for n in names[:students]}, {n: logs[n] for n in names[students:]}
    return {
        "maieutic": with_maieutic(graph, train, test, starts, 2.0),
        "maieutic, maximum likelihood": with_maieutic(graph, train, test, starts, 0.0),
        "pyBKT": with_pybkt(graph, train, test, starts, seed),
        "the truth": scored(*predictions(graph, test.values())),
        "defaults": scored(*predictions(untold(graph), test.values())),
    }


def report(trials: Sequence[dict[str, Results]]) -> None:
    """Root mean squared errors over all concepts and trials, mean scores, and the time as a ratio to ours."""
    columns = [*PARAMETERS, "log-loss", "AUC", "ECE", "seconds"]
    print(f"{'':30}" + "".join(f"{'RMSE ' + name[:5] if name in PARAMETERS else name:>12}" for name in columns))
    base = statistics.median(each["maieutic"]["seconds"][0] for each in trials)
    for label in trials[0]:
        cells = []
        for name in columns:
            values = [value for each in trials for value in each[label].get(name, []) if not math.isnan(value)]
            if not values:
                cells.append(f"{'':>12}")
            elif name == "seconds":
                cells.append(f"{f'{statistics.median(values) / base:.1f} x':>12}")
            else:
                mean = statistics.fmean(values)
                cells.append(f"{mean**0.5 if name in PARAMETERS else mean:12.4f}")
        print(f"{label:30}" + "".join(cells))
    print(f"{'':30}(1 x is {base:.2f} s here)")


def main() -> None:
    """Read the arguments and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=3, help="sets of logs of each kind")
    parser.add_argument("--concepts", type=int, default=6)
    parser.add_argument("--starts", type=int, default=2, help="starts of EM")
    options = parser.parse_args()
    try:
        importlib.import_module("pyBKT.models")
    except ImportError:
        sys.exit(f"pyBKT is not installed; in an environment of its own: {INSTALL}")
    for students, each, weight in ((500, 8, 0.0), (50, 5, 0.0), (500, 8, 0.8)):
        kind = f"each concept needs the one before it, weight {weight}" if weight else "no prerequisites"
        print(f"\n{students} students, {options.concepts} concepts, {each} answers each, {kind}")
        graphs = [truth(options.concepts, weight, seed) for seed in range(options.trials)]
        length = each * options.concepts
        report([trial(g, students, length, options.starts, seed) for seed, g in enumerate(graphs)])


if __name__ == "__main__":
    main()
