"""Forward-backward over many two-state chains at once, and the expected counts that EM needs of them.

A chain is one student and one concept; its state is whether the student knows the concept. An event of a chain may show
an answer (which depends on the state) and then move the state: an explanation or an answer may teach, a wait may make
forget. Baum, Petrie, Soules and Weiss, "A maximization technique occurring in the statistical analysis of probabilistic
functions of Markov chains", Annals of Mathematical Statistics 41, 1970.

Events lie in one flat array, step by step over all chains, the longest chain first: the chains that have a t-th event
are always the first n_t, so that a step is a handful of operations on slices and nothing is padded.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["Chains", "Counts", "Paths", "Rates"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Rates:
    """The parameters of all concepts, one array each, [concept]; `forget` is per day."""

    prior: Floats
    slip: Floats
    guess: Floats
    learn: Floats
    learn_practice: Floats
    forget: Floats
    helped: Floats

    def with_(self, **changed: Floats) -> Self:
        """A copy with some parameters changed."""
        return replace(self, **changed)

    def arrays(self) -> dict[str, Floats]:
        """Name -> array."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


@dataclass(slots=True)
class Chains:
    """Events of all chains, flat, in the order told above.

    Attributes:
        row_concept, row_student: Whose chain, [chain].
        sizes: How many chains have a t-th event, [step], never rising.
        concept: The concept of each event, [event], as all that follow.
        shown: Whether an answer was given; `right` whether it was right.
        right: See `shown`.
        with_help: Whether the answer was given with an explanation of this concept at hand.
        slip_share, slip_rest: The answer's slip is slip_share times the concept's plus slip_rest: share 1 and rest 0
            for an item of one concept, share 0 for an item with a slip of its own. An item of several concepts slips
            with the mean of theirs, so the others' part is in the rest: a plug-in.
        guess_share, guess_rest: The same for guessing.
        others: Chance that all other concepts that the item needs were known or helped: a plug-in.
        taught: 1 where an explanation teaches, else 0; `practised` 1 where an answer does.
        practised: See `taught`.
        ready: How ready the student was for the explanation, 0 to 1: a plug-in.
        days: Days of a wait, else 0.
    """

    row_concept: Ints
    row_student: Ints
    sizes: Ints
    concept: Ints
    shown: NDArray[np.bool_]
    right: NDArray[np.bool_]
    with_help: NDArray[np.bool_]
    slip_share: Floats
    slip_rest: Floats
    guess_share: Floats
    guess_rest: Floats
    taught: Floats
    practised: Floats
    days: Floats
    others: Floats = field(init=False)
    ready: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.others = np.ones(len(self.concept))
        self.ready = np.ones(len(self.concept))

    def steps(self) -> list[slice]:
        """Where the events of each step lie."""
        ends = np.cumsum(self.sizes)
        return [slice(int(end - size), int(end)) for end, size in zip(ends, self.sizes, strict=True)]


@dataclass(frozen=True, slots=True)
class Counts:
    """How often something happened that could have, in expectation: [concept] each."""

    happened: Floats
    possible: Floats

    @classmethod
    def of(cls, concept: Ints, count: int, happened: Floats, possible: Floats) -> Self:
        """Sum events by concept."""
        return cls(*(np.bincount(concept, each, count).astype(np.float64) for each in (happened, possible)))


class Paths:
    """The chains under given rates.

    Attributes:
        evidence: P(all events of a chain | not known, known at its start), up to a factor, [2, chain].
        log_scale: The sum of the logarithms of those factors.
        before: P(known before the event | the chain's events so far), [event]; after `forward`.
    """

    def __init__(self, chains: Chains, rates: Rates) -> None:
        self.chains = chains
        self.rates = rates
        self._all_known()
        learn = chains.taught * chains.ready * rates.learn[chains.concept]
        self.learns = learn + chains.practised * rates.learn_practice[chains.concept]
        self.forgets = -np.expm1(np.log1p(-rates.forget[chains.concept]) * chains.days)
        self._backward()

    def _all_known(self) -> None:
        """The chances of the answers as they came, whether the concept is known or not."""
        chains, rates = self.chains, self.rates
        self.slip = chains.slip_share * rates.slip[chains.concept] + chains.slip_rest
        self.guess = chains.guess_share * rates.guess[chains.concept] + chains.guess_rest
        self.complete = np.stack([chains.with_help * rates.helped[chains.concept] * chains.others, chains.others])
        right = self.guess + (1 - self.slip - self.guess) * self.complete
        self.shows = np.where(chains.shown, np.where(chains.right, right, 1 - right), 1.0)

    def _backward(self) -> None:
        rows = len(self.chains.row_concept)
        behind = np.ones((2, rows))
        self.after = np.empty((2, len(self.chains.concept)))
        self.log_scale = 0.0
        for step in reversed(self.chains.steps()):
            part = behind[:, : step.stop - step.start]
            self.after[:, step] = part
            gain = part[1] - part[0]
            part[0] += self.learns[step] * gain
            part[1] -= self.forgets[step] * gain
            part *= self.shows[:, step]
            most = part.max(axis=0)
            part /= most
            self.log_scale += float(np.log(most).sum())
        self.evidence = behind

    def forward(self, known: Floats) -> None:
        """Walk the chains from P(known at the start), [chain], which may hold other chains' evidence."""
        events = len(self.chains.concept)
        self.before, self.known, self.learnt, self.forgot = (np.empty(events) for _ in range(4))
        state = known.copy()
        for step in self.chains.steps():
            part = state[: step.stop - step.start]
            self.before[step] = part
            yes, no = part * self.shows[1, step], (1 - part) * self.shows[0, step]
            after, learns, forgets = self.after[:, step], self.learns[step], self.forgets[step]
            learnt, forgot = no * learns * after[1], yes * forgets * after[0]
            kept = yes * (1 - forgets) * after[1]
            whole = learnt + forgot + kept + no * (1 - learns) * after[0]
            self.known[step] = (forgot + kept) / whole
            self.learnt[step] = learnt / whole
            self.forgot[step] = forgot / whole
            part[:] = (yes * (1 - forgets) + no * learns) / (yes + no)

    def counts(self) -> dict[str, Counts]:
        """What EM's M-step needs, by parameter; after `forward`.

        Hidden variables besides the states make each M-step a ratio: that all needed concepts were there (or helped),
        whose slip or guess it was where an item needs several, being ready before learning, the moment of forgetting.
        """
        chains, unknown = self.chains, 1 - self.known
        concept, count = chains.concept, len(self.rates.prior)
        chance = np.where(chains.right, 1 - self.slip, self.slip)
        given = self.complete * chance / self.shows  # P(all there | state, answer)
        right, wrong = chains.right, ~chains.right
        complete = np.where(chains.shown, unknown * given[0] + self.known * given[1], 0.0)
        lacking = np.where(chains.shown, 1 - complete, 0.0)
        slipped, kept = _own(chains.slip_share, self.rates.slip[concept], self.slip)
        guessed, missed = _own(chains.guess_share, self.rates.guess[concept], self.guess)
        helped = self.rates.helped[concept]
        spare = helped * (1 - chains.others) / np.maximum(1 - helped * chains.others, 1e-12)
        with_help = unknown * chains.with_help * chains.shown
        rate, learn = chains.ready, self.rates.learn[concept]
        idle = rate * (1 - learn) / np.maximum(1 - rate * learn, 1e-12)  # P(was ready | did not learn)
        found = {
            "slip": (complete * wrong * slipped, complete * np.where(wrong, slipped, kept)),
            "guess": (lacking * right * guessed, lacking * np.where(right, guessed, missed)),
            "helped": (with_help * (given[0] + (1 - given[0]) * spare), with_help),
            "learn": (chains.taught * self.learnt, chains.taught * (self.learnt + (unknown - self.learnt) * idle)),
            "learn_practice": (chains.practised * self.learnt, chains.practised * unknown),
            "forget": (self.forgot, self._days_at_risk()),
        }
        return {name: Counts.of(concept, count, *pair) for name, pair in found.items()}

    def _days_at_risk(self) -> Floats:
        """Days during which a student knew and could forget: up to the moment where it did, in expectation."""
        days = self.chains.days
        hazard = np.maximum(-np.log1p(-self.rates.forget[self.chains.concept]), 1e-12)
        reach = np.maximum(hazard * days, 1e-12)
        until = days * (1 / reach - 1 / np.expm1(reach))  # mean of an exponential that is cut off at `days`
        return np.asarray((self.known - self.forgot) * days + self.forgot * until, dtype=np.float64)


def _own(share: Floats, own: Floats, mixed: Floats) -> tuple[Floats, Floats]:
    """P(this concept's rate was the one that counted | it happened), and the same if it did not."""
    return share * own / np.maximum(mixed, 1e-12), share * (1 - own) / np.maximum(1 - mixed, 1e-12)
