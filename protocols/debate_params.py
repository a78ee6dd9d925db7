"""What can be said of a debate beforehand."""

# ruff: noqa: RUF012 - pydantic copies defaults, and ruff does not see that these are its models

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from maieutic.memory import MODERATOR
from maieutic.memory.answers import normal
from maieutic.protocols.base import Params, Plays
from maieutic.protocols.decisions import Rule
from maieutic.protocols.ordering import Order
from maieutic.protocols.stopping import Condition, Stop
from maieutic.protocols.together import OnFailure
from maieutic.protocols.visibility import Visible

__all__ = ["DebateParams", "Decide", "Tie", "twice"]

Decide = Literal["judge", "majority", "supermajority", "unanimity", "ranked", "approval", "confidence_weighted"]
Tie = Literal["another_round", "judge", "first", "none"]


def _stop_as_list(raw: Any) -> Any:
    if isinstance(raw, Stop):
        return raw.to_json()
    return [raw] if isinstance(raw, str) else raw


class DebateParams(Params):
    """The parameters of a debate, as they stand under `with:`."""

    debaters: Annotated[
        list[str], Plays("debater"), Field(min_length=2, description="Who debates, in the order of their seats.")
    ]
    judge: Annotated[
        str | None, Plays("judge"), Field(description="Who decides, breaks ties, or says when it is enough.")
    ] = None
    jury: Annotated[
        list[str], Plays("judge"), Field(description="Judges who decide by vote, each without knowing the others'.")
    ] = []
    stances: Annotated[
        dict[str, str], Field(description="The answer that a debater is told to defend, by its name.")
    ] = {}
    personas: Annotated[dict[str, str], Field(description="Who an agent is, in a sentence, by its name.")] = {}
    options: Annotated[
        list[str], Field(description="The possible answers, if they are known. Also an input of the debate.")
    ] = []
    rounds: Annotated[int, Field(ge=1, description="Most rounds; in one round every debater speaks once.")] = 3
    order: Annotated[
        Order,
        Field(
            description="Who speaks when: in_turn and reversed by seat, alternating (reversed in every second round), "
            "simultaneous (nobody has read the others' turns of the round), random (drawn for each round, by the seed)."
        ),
    ] = "in_turn"
    first_round: Annotated[
        Literal["open", "blind"],
        Field(description="blind: in the first round everybody speaks before reading the others."),
    ] = "open"
    visible: Annotated[
        Visible,
        Field(
            description="What a debater reads: everything; the last round; or its own turns and the last round. "
            "Anything but `all` gives up the serving engine's prefix cache."
        ),
    ] = "all"
    decide: Annotated[
        Decide | None,
        Field(
            description="How the answer is found. Left out: by the judge or jury if there is one, else by majority. "
            "Votes are the jury's if there is one, else the debaters'."
        ),
    ] = None
    supermajority: Annotated[
        float, Field(gt=0.5, le=1, description="The share of votes that `decide: supermajority` needs.")
    ] = 2 / 3
    tie: Annotated[
        Tie | None,
        Field(
            description="When the rule gives no single answer: one more round (once), the judge, the leading answer "
            "that was named first, or none. Left out: the judge if there is one, else none."
        ),
    ] = None
    stop: Annotated[
        list[Condition | list[Condition]],
        BeforeValidator(_stop_as_list, json_schema_input_type=Condition | list[Condition | list[Condition]]),
        Field(
            min_length=1,
            description="What ends the debate before its last round: any of the conditions listed; a list within the "
            "list names conditions that must hold together. agreement: all hold one answer; stable: nobody changed its "
            "answer in the round; judge: the judge has heard enough; rounds: only the number of rounds.",
        ),
    ] = ["rounds"]
    keep_minority: Annotated[bool, Field(description="Whether the outcome reports the answers not chosen.")] = True
    probes: Annotated[
        Literal["each_round", "ends", "never"],
        Field(description="When the debaters are asked for their position, off the record. Each asking is a call."),
    ] = "each_round"
    baseline: Annotated[
        Literal["none", "self_consistency"],
        Field(description="What runs beside the debate with as many calls as the debate made."),
    ] = "none"
    on_failure: Annotated[
        OnFailure,
        Field(description="When a debater's or juror's model fails: the debate fails, or goes on without that turn."),
    ] = "fail"
    brief: Annotated[
        str | None,
        Field(
            description="Template of the opening that everybody reads, instead of the bundled one; it may use "
            "question, options, debaters and rounds."
        ),
    ] = None

    shared_first: Annotated[
        bool,
        Field(
            description="Whether the opening stands before who each of them is. An engine with a prefix cache then "
            "computes a long question once for all, and not once for each."
        ),
    ] = False

    @property
    def stopping(self) -> Stop:
        """The stop rule as a value."""
        return Stop.from_json(self.stop)

    @property
    def rule(self) -> Decide:
        """How the answer is found, the default filled in; a jury under `judge` votes by majority."""
        if self.jury and self.decide in (None, "judge"):
            return "majority"
        return self.decide or ("judge" if self.judge else "majority")

    @property
    def vote_rule(self) -> Rule:
        """The rule by which votes are counted; meaningless where a single judge decides."""
        return "majority" if self.rule == "judge" else self.rule

    @property
    def on_tie(self) -> Tie:
        """What happens at a tie, the default filled in."""
        return self.tie or ("judge" if self.judge and self.rule != "judge" else "none")

    @property
    def debaters_vote(self) -> bool:
        """Whether the debaters' own positions decide."""
        return not self.jury and self.rule != "judge"

    def _problems(self) -> Iterator[str]:
        yield from self._problems_of_cast()
        yield from self._problems_of_rules()
        known = {*self.debaters, *self.jury, *filter(None, [self.judge])}
        for name in self.stances:
            if name not in self.debaters:
                yield f"stances: {name!r} is not a debater; debaters: {', '.join(self.debaters)}"
        for name in self.personas:
            if name not in known:
                yield f"personas: {name!r} takes no part; who does: {', '.join(sorted(known))}"
        if len(self.options) == 1:
            yield "options: one option leaves nothing to debate; give two or more, or none"
        if again := twice([normal(option) for option in self.options]):
            yield f"options: {again!r} is there twice (case, articles and punctuation do not count)"

    def _problems_of_cast(self) -> Iterator[str]:
        for field, names in (("debaters", self.debaters), ("jury", self.jury)):
            if again := twice(names):
                yield f"{field}: {again!r} is there twice; every seat needs an agent of its own"
        if MODERATOR in (*self.debaters, *self.jury, self.judge):
            yield f"nobody can be called {MODERATOR!r}: that is who puts the question"
        bench = [*self.jury, *filter(None, [self.judge])]
        if both := next((name for name in bench if name in self.debaters), None):
            yield f"{both!r} cannot be a debater and a judge at once; name another agent"
        if self.judge in self.jury:
            yield f"{self.judge!r} is the judge and in the jury; leave it out of one of them"

    def _problems_of_rules(self) -> Iterator[str]:
        if self.decide == "judge" and not (self.judge or self.jury):
            yield "decide: judge needs a judge or a jury; name one, or decide by majority"
        if self.jury and self.rule in ("ranked", "approval"):
            yield f"decide: {self.rule} is a vote of the debaters; leave out the jury, or decide by majority"
        if self.tie == "judge" and not self.judge:
            yield "tie: judge needs a judge; name one, or choose another_round, first or none"
        if "judge" in self.stopping.conditions and not self.judge:
            yield "stop: judge needs a judge; name one, or stop on agreement"
        watched = sorted(self.stopping.conditions & {"agreement", "stable"})
        if watched and self.probes != "each_round":
            yield f"stop: {watched[0]} needs the positions after each round; set probes to each_round"


def twice(names: Sequence[str]) -> str | None:
    """The first name that is there a second time, or None."""
    return next((name for i, name in enumerate(names) if name in names[:i]), None)
