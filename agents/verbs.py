"""What an agent can do, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from maieutic.agents.balance import Weighed
from maieutic.backends.types import LLMReply

__all__ = ["Reply", "Verb"]


@dataclass(frozen=True, slots=True)
class Verb:
    """One thing that a role can do.

    Attributes:
        name: As it stands after `does:` in a graph file; also the name of its prompt file.
        needs: Names of the inputs it cannot do without.
        takes: Names of the inputs it can use.
        output: The typed reply, or None for plain text.
        kind: "probe" if it is off the record by nature.
    """

    name: str
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    output: type[BaseModel] | None = None
    kind: Literal["say", "probe"] = "say"

    @property
    def inputs(self) -> tuple[str, ...]:
        """All inputs it knows, the needed ones first."""
        return self.needs + self.takes


@dataclass(frozen=True, slots=True)
class Reply:
    """What an agent answered: in words, as data if the verb is typed, the call behind it, what it weighed before."""

    text: str
    data: BaseModel | None
    call: LLMReply
    weighed: Weighed | None = None
