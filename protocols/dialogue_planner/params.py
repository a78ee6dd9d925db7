"""The parameters of planned dialogues."""

# ruff: noqa: RUF012 - pydantic copies defaults, and ruff does not see that these are its models

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from maieutic.protocols.base import Params, Plays

__all__ = ["DialoguePlannerParams", "Rewards", "Standing"]

Standing = Literal["worse", "same", "better", "solved"]
"""Where a dialogue stands, as the critic sees it."""


class Rewards(BaseModel):
    """What it is worth where a dialogue stands. The defaults are DPDP's for emotional support (ESConv)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    worse: Annotated[float, Field(description="It got worse.")] = -1.0
    same: Annotated[float, Field(description="Nothing changed.")] = -0.5
    better: Annotated[float, Field(description="It got better.")] = 0.1
    solved: Annotated[float, Field(description="The goal is reached; the dialogue ends.")] = 1.0


class DialoguePlannerParams(Params):
    """The parameters of a planned dialogue. The defaults are DPDP's (ACL 2024) where it has one."""

    system: Annotated[str, Plays("agent"), Field(description="Who plans and begins.")]
    user: Annotated[str, Plays("agent"), Field(description="Whom it speaks with: an agent, or a person.")]
    critic: Annotated[str, Plays("critic"), Field(description="Who says where the dialogue stands.")]
    imagined: Annotated[
        str | None,
        Plays("agent"),
        Field(description="Who speaks for the user while a turn is planned; the user itself."),
    ] = None
    policy: Annotated[
        str | None, Plays("agent"), Field(description="Whose probabilities of the acts count; the system's own.")
    ] = None
    acts: Annotated[
        dict[str, Annotated[str, Field(min_length=1)]],
        Field(min_length=1, description="What the system may do in a turn: what each act is, by its name."),
    ]
    goal: Annotated[
        str, Field(description="What the system wants to reach; the policy, system and critic read it.")
    ] = ""
    turns: Annotated[int, Field(ge=1, le=100, description="Most turns of the system.")] = 8
    planned: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="About which share of the turns is planned: those in which the policy's two best acts lie "
            "closest. 1: all; 0: none.",
        ),
    ] = 0.5
    gaps: Annotated[
        list[Annotated[float, Field(ge=0, le=1)]],
        Field(description="Gaps of former dialogues (their outcome's `gaps`) with which the first ones are compared."),
    ] = []
    simulations: Annotated[int, Field(ge=1, le=10_000, description="Simulations for one planned turn.")] = 10
    c: Annotated[float, Field(ge=0, description="PUCT: how much the policy counts against what was found.")] = 1.0
    rewards: Annotated[Rewards, Field(description="What it is worth where the dialogue stands.")] = Rewards()
    assessments: Annotated[
        int, Field(ge=1, le=100, description="How often the critic is asked about one turn; rewards are averaged.")
    ] = 1
    samples: Annotated[
        int, Field(ge=1, le=100, description="Samples of the policy where its endpoint gives no log-probabilities.")
    ] = 10

    def _problems(self) -> Iterator[str]:
        if self.system == self.user:
            yield f"system and user are both {self.system!r}; a dialogue needs two"
        folded = [act.casefold() for act in self.acts]
        if len(set(folded)) < len(folded):
            yield "two acts have the same name; give each its own"
