"""What the tiny models can do: `python -m maieutic.backends.tiny.measure` prints the model card's table."""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Sequence
from math import sqrt
from pathlib import Path

from maieutic.backends.tiny.arithmetic import GAP, Problem, answer_in, hint, items, steps_in, wrong_steps
from maieutic.backends.tiny.catalogue import WEIGHTS, loaded, names
from maieutic.backends.tiny.generate import Prompt, generate
from maieutic.memory.transcript import Message

__all__ = ["Share", "conditions", "main", "problems"]

_TOGETHER = 64


class Share:
    """A share of questions that were answered right, with its standard error.

    Attributes:
        share: 0 to 1; not a number if there was no question.
        error: Its standard error (binomial).
        n: How many questions.
    """

    def __init__(self, right: Sequence[bool]) -> None:
        self.n = len(right)
        self.share = sum(right) / self.n if right else float("nan")
        self.error = sqrt(self.share * (1 - self.share) / self.n) if right else float("nan")

    def __str__(self) -> str:
        return f"{self.share:.3f} ± {self.error:.3f}" if self.n else "–"


def problems(n: int, seed: int) -> list[Problem]:
    """Questions kept out of training, of two to five operations in turn: those of `items`."""
    return [Problem.all_in(item["question"])[0] for item in items(n, seed)]


def said(folder: Path, problems: Sequence[Problem], hints: Sequence[Sequence[str]]) -> list[str]:
    """What a model answers, each question with the hint beside it."""
    model = loaded(folder)
    prompts = [
        Prompt(model.tokens.chat([Message("user", f"{problem.question}{hint(tuple(steps))} Explain.")]), most=100)
        for problem, steps in zip(problems, hints, strict=True)
    ]
    groups = (prompts[at : at + _TOGETHER] for at in range(0, len(prompts), _TOGETHER))
    return [reply.text for group in groups for reply in generate(model.network, model.tokens, group)]


def conditions(student: Path, teacher: Path, asked: Sequence[Problem]) -> dict[str, list[bool]]:
    """Which questions a student answers right alone, with a teacher's steps, its own, all of them, and wrong ones."""
    rng = random.Random("wrong hints")
    nothing: list[Sequence[str]] = [()] * len(asked)
    alone = said(student, asked, nothing)
    taught = said(teacher, asked, nothing)
    wrong = [wrong_steps(problem, rng) for problem in asked]
    hints: dict[str, list[Sequence[str]]] = {
        "alone": nothing,
        "reads the teacher's steps but the last": [_but_last(steps_in(text)) for text in taught],
        "reads its own steps but the last": [_but_last(steps_in(text)) for text in alone],
        "reads all true steps": [problem.steps for problem in asked],
        "reads wrong steps but the last": [_but_last(steps) for steps in wrong],
    }
    return {name: _right(asked, said(student, asked, given)) for name, given in hints.items()}


def _but_last(steps: Sequence[str]) -> Sequence[str]:
    return steps[:-1] or steps


def _right(asked: Sequence[Problem], texts: Sequence[str]) -> list[bool]:
    return [answer_in(text) == str(problem.answer) for problem, text in zip(asked, texts, strict=True)]


_PARTS: dict[str, Callable[[Problem], bool]] = {
    "all": lambda problem: True,
    "no step of the gap": lambda problem: not GAP & set(problem.concepts),
    "a step of the gap": lambda problem: bool(GAP & set(problem.concepts)),
    "the last step of the gap": lambda problem: problem.operations[-1].concept in GAP,
}


def main() -> None:
    """Print the table of each model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", type=Path, help="folders of weights; left out, all that ship")
    parser.add_argument("--teacher", type=Path, default=WEIGHTS / "teacher")
    parser.add_argument("-n", type=int, default=600, help="how many questions (600)")
    parser.add_argument("--seed", type=int, default=1, help="which questions (1)")
    given = parser.parse_args()
    asked = problems(given.n, given.seed)
    for folder in given.models or [WEIGHTS / name for name in names()]:
        print(f"\n| {folder.name} | {' | '.join(_PARTS)} |\n|---|{'---|' * len(_PARTS)}")  # noqa: T201
        for name, right in conditions(folder, given.teacher, asked).items():
            shares = [Share([r for r, p in zip(right, asked, strict=True) if of(p)]) for of in _PARTS.values()]
            print(f"| {name} | {' | '.join(map(str, shares))} |", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
