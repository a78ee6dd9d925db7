"""What an agent needs of something that chooses its model for each call, and what it tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from maieutic.backends.models import ModelSpec
from maieutic.memory import Message, Transcript

if TYPE_CHECKING:
    from maieutic.backends.place import Place

__all__ = ["ModelChooser", "subject"]


class ModelChooser(Protocol):
    """Chooses an agent's model anew for each call; `maieutic.protocols.routing.routed.RoutedModel` is one."""

    @property
    def stand_in(self) -> ModelSpec:
        """The model that stands for all in estimates."""
        ...

    @property
    def models(self) -> tuple[ModelSpec, ...]:
        """All models that it may choose."""
        ...

    @property
    def described(self) -> str:
        """In words: who chooses, and from whom."""
        ...

    async def choose(self, question: str, at: Place) -> ModelSpec:
        """The model for one call at this place, by what the call is about."""
        ...


def subject(given: Mapping[str, Any], transcript: Transcript, messages: Sequence[Message]) -> str:
    """What a call is about: its question, topic or instruction, else how the dialogue began, else its last message."""
    for name in ("question", "topic", "instruction"):
        if text := str(given.get(name) or "").strip():
            return text
    return next((turn.content for turn in transcript if turn.kind == "say"), messages[-1].content)
