"""Fit the student model's parameters to what students answered, and see what that is worth on students it never saw.

    python examples/fit_a_student_model.py [reliability.svg]

The logs are simulated, so the truth is known. With logs of your own, a log is a list of Observation per student. A path
as argument gets the reliability diagram (needs matplotlib: pip install 'maieutic[plots]').
"""

import sys

from maieutic.files.plotting import GREY, figure, save
from maieutic.memory.student import ConceptGraph, Item
from maieutic.memory.student.calibration import Calibration
from maieutic.memory.student.fitting import fit
from maieutic.memory.student.simulate import simulate


def course() -> ConceptGraph:
    """Three concepts, each needing the one before it, with four items each; all parameters at their defaults."""
    names = ("division", "fractions", "percentages")
    concepts = ConceptGraph([Item(id=f"{name} {k}", concepts=(name,)) for name in names for k in range(1, 5)])
    concepts.add("division")
    concepts.add("fractions", needs={"division": 0.9})
    concepts.add("percentages", needs={"fractions": 0.7})
    return concepts


def class_as_it_is() -> ConceptGraph:
    """The truth about a class, which nobody knows."""
    truth = course()
    truth.add("division", prior=0.8, slip=0.05, guess=0.1, learn=0.8)
    truth.add("fractions", needs={"division": 0.9}, prior=0.4, slip=0.15, guess=0.3, learn=0.3)
    truth.add("percentages", needs={"fractions": 0.7}, prior=0.2, slip=0.1, guess=0.25, learn=0.5)
    return truth


def diagram(path: str, before: Calibration, after: Calibration) -> None:
    """How often answers came right, by how likely they were said to."""
    picture, (panel,) = figure(width=5.0)
    panel.plot([0, 1], [0, 1], color=GREY, linestyle="--")
    for label, marker, found in (("defaults", "s", before), ("fitted", "o", after)):
        bins = [b for b in found.bins if b.n >= 20]  # fewer answers say too little for a point
        panel.plot([b.predicted for b in bins], [b.observed for b in bins], marker=marker, label=label)
    panel.set(xlabel="predicted chance of a right answer", ylabel="share of right answers")
    panel.set_title("Students that were not fitted")
    panel.legend(frameon=False)
    save(picture, path)


def main() -> None:
    truth = class_as_it_is()
    logs = simulate(truth, students=250, length=24, explain=0.3, seed=7)
    found = fit(course(), logs, seed=7)
    print(found)
    print(f"\n{'':14}{'prior':>16}{'slip':>16}{'guess':>16}{'learn':>16}\n{'':14}" + f"{'true   fitted':>16}" * 4)
    for name in truth:
        pairs = [(getattr(truth.concept(name), p), getattr(found.concepts.concept(name), p)) for p in PARAMETERS]
        print(f"{name:14}" + "".join(f"{true:9.2f}   {fitted:4.2f}" for true, fitted in pairs))
    if len(sys.argv) > 1 and found.before and found.after:
        diagram(sys.argv[1], found.before, found.after)
        print(f"\nThe reliability diagram is in {sys.argv[1]}.")


PARAMETERS = ("prior", "slip", "guess", "learn")

if __name__ == "__main__":
    main()
