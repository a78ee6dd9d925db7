"""What the baselines share: an agent that answers by itself, and the two kinds of answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from maieutic.agents import Agent, Prompt, among
from maieutic.agents.replies import Position, Solution
from maieutic.errors import UsageError
from maieutic.protocols.parameters import Params

__all__ = ["Kind", "SolvingParams", "alone", "answer_of", "form_of", "one_line", "prompt", "reply_form"]

Kind = Literal["closed", "open"]
"""A short answer, equal or not to another; or a text that stands for itself."""


class SolvingParams(Params):
    """The parameters that all baselines have."""

    answers: Annotated[
        Kind,
        Field(description="closed: a short answer that can be compared; open: a whole text, in the model's own form."),
    ] = "closed"
    options: Annotated[
        list[str], Field(description="The possible answers of a closed question, if they are known. Also an input.")
    ] = []  # noqa: RUF012 - pydantic copies defaults

    def _problems(self) -> Iterator[str]:
        if self.answers == "open" and self.options:
            yield "options: an open answer is not one of several; leave out the options, or answers: open"

    def options_of(self, state: Mapping[str, Any]) -> list[str]:
        """The options of a run: those given as an input, else the parameter's.

        Raises:
            UsageError: Options are given where answers are open.
        """
        given = state.get("options") or self.options
        if given and self.answers == "open":
            raise UsageError("an open answer is not one of several; leave out the options, or answers: open")
        return list(given)


def reply_form(kind: Kind, options: Sequence[str], *, reasoning: bool = True) -> type[BaseModel] | None:
    """The typed reply of an answer: a closed one in a form, with its reasoning before it; an open one as it is."""
    if kind == "open":
        return None
    return among(Solution if reasoning else Position, options)


def form_of(kind: Kind, question: str, options: Sequence[str]) -> dict[str, Any]:
    """What every prompt of a baseline may use."""
    return {"question": question, "options": list(options), "open": kind == "open"}


def answer_of(turn: Mapping[str, Any]) -> str:
    """The answer that a turn gives, as plain JSON: that of its form, else all of it."""
    data = turn.get("data") or {}
    return str(data["answer"] if "answer" in data else turn["content"]).strip()


def alone(agent: Agent) -> Agent:
    """The agent's model and persona without its role and stance: it reads nothing but what it is asked."""
    return Agent(agent.name, agent.model, persona=agent.persona).routed(agent.chooser)


def one_line(text: str, most: int = 72) -> str:
    """A text in one line of at most so many characters, for tables."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


@cache
def prompt(name: str) -> Prompt:
    """One of the baselines' prompts."""
    return Prompt.load(Path(__file__).parent.parent / "prompts" / "baselines" / f"{name}.md.j2")
