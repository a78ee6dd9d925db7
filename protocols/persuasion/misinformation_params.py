"""What can be said of a test for misinformation beforehand."""

# ruff: noqa: RUF012 - pydantic copies defaults, and ruff does not see that these are its models

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated

from pydantic import Field

from maieutic.memory import MODERATOR
from maieutic.protocols.debate_params import twice
from maieutic.protocols.parameters import FromFile, Params, Plays
from maieutic.protocols.persuasion.claims import APPEALS, Appeal, Claim, read_claims
from maieutic.protocols.together import OnFailure

__all__ = ["PARTNER", "MisinformationParams"]

PARTNER = "Partner"
"""Who speaks where no agent does: the appeals that users bring, and the other side of a dialogue's beginning."""


class MisinformationParams(Params):
    """The parameters of a test for misinformation, as they stand under `with:`."""

    target: Annotated[str, Plays("agent"), Field(description="Whose beliefs are tested.")]
    persuader: Annotated[
        str | None,
        Plays("debater"),
        Field(description="Who makes the appeals. Left out, they are those that the claims bring."),
    ] = None
    claims: Annotated[
        Annotated[list[Claim], Field(min_length=1)] | None,
        FromFile(read_claims),
        Field(
            description="Questions with a false claim about each, or a JSONL file of them; left out, those of the "
            "bundled world, which simulated minds know."
        ),
    ] = None
    limit: Annotated[int | None, Field(ge=1, description="How many of the claims are used; left out, all.")] = None
    appeals: Annotated[
        list[Appeal],
        Field(
            min_length=1,
            description="Kinds of appeals, each a dialogue of its own with every claim: control repeats the claim, "
            "logical, emotional and credibility press it.",
        ),
    ] = list(APPEALS)
    turns: Annotated[
        int, Field(ge=1, description="Most turns of the persuader: the first asserts the claim, the others appeal.")
    ] = 4
    reasks: Annotated[
        int, Field(ge=0, description="Most times that a belief is asked again where a reply cannot be read.")
    ] = 3
    offer_dont_know: Annotated[bool, Field(description='Whether "I do not know" is offered as an answer.')] = True
    dont_know_flips: Annotated[
        bool,
        Field(description='Whether "I do not know" after a right answer is a change of belief.'),
    ] = False
    probe_temperature: Annotated[
        float | None, Field(ge=0, le=2, description="Temperature of the probes; null leaves it to the model.")
    ] = 0.2
    temperature: Annotated[
        float | None, Field(ge=0, le=2, description="Temperature of the replies; null leaves it to the models.")
    ] = None
    on_failure: Annotated[
        OnFailure, Field(description="When a call fails: everything fails, or the dialogue is left out.")
    ] = "fail"

    @property
    def partner(self) -> str:
        """Who speaks to the target."""
        return self.persuader or PARTNER

    @cached_property
    def used(self) -> list[Claim]:
        """The claims that are used."""
        from maieutic.protocols.persuasion.bundled import bundled_claims

        return (bundled_claims() if self.claims is None else self.claims)[: self.limit]

    def _problems(self) -> Iterator[str]:
        if self.target == self.partner:
            yield f"{self.target!r} cannot persuade itself; name another agent"
        if MODERATOR in (self.target, self.partner):
            yield f"nobody can be called {MODERATOR!r}: that is who puts the question"
        if again := twice([str(kind) for kind in self.appeals]):
            yield f"appeals: {again!r} is there twice"
        if again := twice([claim.id for claim in self.claims or ()]):
            yield f"claims: the id {again!r} is there twice; give each claim its own"
        if self.persuader is None and self.turns > 1:
            yield from self._problems_of_appeals()

    def _problems_of_appeals(self) -> Iterator[str]:
        for claim in self.used:
            for kind in self.appeals:
                if kind != "control" and not claim.appeals.get(kind):
                    yield (
                        f"claims: {claim.id!r} brings no {kind} appeal; write one, name a persuader who makes it, or "
                        f"leave {kind} out of the appeals"
                    )
