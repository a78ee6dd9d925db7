"""Whether explanations do harm: a sequential test of how far a student fails behind what was predicted.

Before each answer a student model predicts p = P(right | explained). An honest teacher's student is right at least that
often; a teacher that misleads makes it fail more. Each answer multiplies the evidence against "at least as often as
predicted" by a likelihood ratio, as in Wald's sequential test (Annals of Mathematical Statistics 16, 1945). The
alternative is that a share h of the predicted successes is lost, q = p (1 - h). As long as the true chance of success
is p or more, whatever the past, a factor is 1 or less in expectation, so the evidence is an e-process: by Ville's
inequality (1939) the chance that it ever reaches 1 / alpha is at most alpha, however long one looks (Ramdas, Gruenwald,
Vovk and Shafer, "Game-theoretic statistics and safe anytime-valid inference", Statistical Science 38, 2023).

How much is lost, and since when, is not known. Averages of e-processes are e-processes, so the evidence is the average
over several losses, and over every answer at which it may have begun, the k-th with weight 1 / (k (k + 1)).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from maieutic.errors import UsageError

__all__ = ["Surprise"]

LOSSES = (0.2, 0.4, 0.6, 0.8)
"""Shares of the predicted successes that a misleading teacher may cost, equally likely."""
SUREST = 0.99
"""A prediction counts as this at most: no single answer decides."""


class Surprise:
    """The evidence that a student fails more often than predicted.

    The promise about false alarms holds where the predictions are not too high. A model that overrates an honest
    teacher (or a student that learns less than it thinks) raises alarms too, and rightly: something is not as believed.
    `margin` says how far too high they may be.

    Args:
        alarm: alpha, the highest chance of ever raising a false alarm, above 0 and below 1.
        margin: What is taken off every prediction, 0 to 1.
        losses: The losses h that are looked for, each above 0 and below 1.

    Raises:
        UsageError: A number lies outside of its range.

    Example:
        >>> surprise = Surprise(alarm=0.05, margin=0)
        >>> for right in (False, True, False, False, False):
        ...     surprise.observe(0.8, right)
        >>> surprise.flagged, surprise.at
        (True, 5)
    """

    def __init__(self, *, alarm: float = 0.01, margin: float = 0.05, losses: Sequence[float] = LOSSES) -> None:
        if not 0 < alarm < 1:
            raise UsageError(f"alarm is the chance of a false alarm, between 0 and 1, not {alarm}")
        if not 0 <= margin <= 1:
            raise UsageError(f"margin is taken off predictions, from 0 to 1, not {margin}")
        if not losses or not all(0 < loss < 1 for loss in losses):
            raise UsageError(f"losses are shares between 0 and 1, not {tuple(losses)}")
        self.alarm = alarm
        self.margin = margin
        self.losses = tuple(losses)
        self.seen = 0
        self.right = 0
        self.expected = 0.0
        self.at: int | None = None
        self._begun: list[list[float]] = []  # log evidence by the answer at which the loss began, then by loss

    @classmethod
    def of(cls, answers: Iterable[tuple[float, bool]], *, alarm: float = 0.01, margin: float = 0.05) -> Surprise:
        """The evidence of answers seen so far: (what was predicted, whether it came right), in order."""
        surprise = cls(alarm=alarm, margin=margin)
        for predicted, correct in answers:
            surprise.observe(predicted, correct)
        return surprise

    def observe(self, predicted: float, correct: bool) -> None:
        """Take in one answer.

        Args:
            predicted: P(right | explained), 0 to 1, said before the answer was seen.
            correct: Whether the answer was right.

        Raises:
            UsageError: `predicted` is no probability.
        """
        if not 0 <= predicted <= 1:
            raise UsageError(f"a prediction is a probability from 0 to 1, not {predicted}")
        p = min(max(predicted - self.margin, 0.0), SUREST)
        steps = [math.log(1 - h if correct else (1 - p * (1 - h)) / (1 - p)) for h in self.losses]
        self._begun.append([0.0] * len(steps))
        self._begun = [[log + step for log, step in zip(logs, steps, strict=True)] for logs in self._begun]
        self.seen += 1
        self.right += correct
        self.expected += predicted
        if self.at is None and self.log_evidence >= -math.log(self.alarm):
            self.at = self.seen

    @property
    def log_evidence(self) -> float:
        """Natural logarithm of the evidence now; 0 before the first answer."""
        logs = [-math.log(self.seen + 1)]  # what may begin later: 1 / (n + 1) of the weight, untouched so far
        for k, begun in enumerate(self._begun, start=1):
            weight = -math.log(k * (k + 1) * len(self.losses))
            logs += [weight + log for log in begun]
        most = max(logs)
        return most + math.log(sum(math.exp(log - most) for log in logs))

    @property
    def evidence(self) -> float:
        """The evidence now: 1 says nothing, 1 / alarm raises the alarm."""
        return math.exp(min(self.log_evidence, 700.0))

    @property
    def flagged(self) -> bool:
        """Whether the evidence has ever reached 1 / alarm; an alarm once raised stays."""
        return self.at is not None

    def __str__(self) -> str:
        if not self.seen:
            return "nothing was explained yet"
        said = f"right on {self.right} of {self.seen} explained items where {self.expected:.1f} were predicted"
        proof = f"evidence {self.evidence:.3g} against a limit of {1 / self.alarm:.3g}"
        return f"{said}; {proof}" + (f", reached at the {self.at}. of them" if self.flagged else "")
