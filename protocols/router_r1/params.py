"""The parameters of Router-R1."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from maieutic.protocols.base import FromFile, Params, Plays
from maieutic.protocols.routing.pool import Pool
from maieutic.protocols.routing.reward import RouterReward
from maieutic.protocols.routing.tags import Tags

__all__ = ["Rendering", "RouterR1Params"]

Rendering = Literal["auto", "continue", "turns"]
"""How the router reads its own words again.

- continue: as the beginning of its own message, which it goes on with. Of a self-hosted vLLM this asks
  `continue_final_message`; elsewhere the last message is the assistant's, which some providers take as a beginning.
- turns: as messages of its own, each followed by a user's message with the information.
- auto: continue for `hosted_vllm/…`, turns for all others.
"""


class RouterR1Params(Params):
    """The parameters of Router-R1. Defaults are the paper's where it has one, except for `on_malformed`."""

    router: Annotated[str, Plays("router"), Field(description="Who thinks, routes and answers.")]
    pool: Annotated[
        Pool, FromFile(Pool.load), Field(description="The candidates, by name: models with their descriptors.")
    ]
    rounds: Annotated[int, Field(ge=1, le=50, description="Messages before the last, forced answer.")] = 4
    parallel: Annotated[
        int, Field(ge=1, le=16, description="Sub-queries that one message may route; all are asked at once.")
    ] = 1
    style: Annotated[
        Literal["tags", "tools"], Field(description="Whether it acts by tags in its text or by native tool calls.")
    ] = "tags"
    rendering: Annotated[
        Rendering, Field(description="Whether it goes on with its own message, or reads turns. For tags.")
    ] = "auto"
    tags: Annotated[Tags, Field(description="The names of the tags.")] = Tags()
    on_malformed: Annotated[
        Literal["empty", "explain"],
        Field(description="What it reads after a malformed action: what the paper's code says, or what was wrong."),
    ] = "explain"
    observation_tokens: Annotated[
        int, Field(ge=1, description="Most tokens of one reply that it reads; estimated by words and characters.")
    ] = 600
    max_tokens: Annotated[int, Field(ge=1, description="Most tokens of one message of the router.")] = 1024
    expert_tokens: Annotated[int, Field(ge=1, description="Most tokens of a candidate's reply.")] = 512
    temperature: Annotated[
        float | None, Field(ge=0, le=2, description="The router's; its model's own if left out. The paper has 1.")
    ] = None
    expert_temperature: Annotated[
        float | None, Field(ge=0, le=2, description="The candidates'; their own if left out. The paper has 0.")
    ] = None
    reward: Annotated[
        RouterReward, Field(description="How episodes are scored; an episode leaves its window as it was.")
    ] = Field(default_factory=RouterReward)

    @model_validator(mode="after")
    def _can_score(self) -> RouterR1Params:
        if self.reward.outcome.metric == "own" and self.reward.outcome.scorer is None:
            raise ValueError("reward: the metric is 'own' and there is no scorer; give it in Python as scorer=")
        return self
