"""What a step does when its turn comes: an agent speaks, a person is asked, a tool is called, state is set.

An act is given the place where it stands, the values of the state and the dialogue so far; it returns what it writes
and what was said. It changes nothing itself, so that acts can run side by side.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

import orjson
from pydantic import BaseModel, create_model

from maieutic.agents import Agent, Prompt, among
from maieutic.errors import MaieuticError
from maieutic.graphs.failing import Formula, Spot, StepFailed
from maieutic.memory import Transcript, Turn
from maieutic.protocols.base import heard

if TYPE_CHECKING:
    from maieutic.backends.place import Place

__all__ = ["Act", "AgentAct", "Done", "Formulas", "PersonAct", "SetAct", "ToolAct", "evaluated"]

Values = Mapping[str, Any]
Dialogue = Sequence[Mapping[str, Any]]
Formulas = Mapping[str, Formula]
"""Expressions by the name that their value gets."""

_EMPTY = Transcript()


@dataclass(frozen=True, slots=True)
class Done:
    """What an act came to.

    Attributes:
        writes: State fields and what is written to them, in order.
        turns: What was said, as plain JSON, already told to the run.
        result: What the act's own expressions can name: `reply`, `outcome` or `result`.
        observed: What the student model is to be told, as plain JSON, in order.
    """

    writes: tuple[tuple[str, Any], ...] = ()
    turns: tuple[dict[str, Any], ...] = ()
    result: Mapping[str, Any] = field(default_factory=dict)
    observed: tuple[dict[str, Any], ...] = ()


class Act(Protocol):
    """Something that a node can do."""

    async def __call__(self, at: Place, values: Values, dialogue: Dialogue) -> Done:
        """Do it at a place in the run, knowing the state and the dialogue so far."""
        ...


def evaluated(formulas: Formulas, values: Values) -> dict[str, Any]:
    """The values of expressions by name.

    Raises:
        StepFailed: One of them does not fit the values.
    """
    return {name: formula.value(values) for name, formula in formulas.items()}


def _done(writes: Formulas, values: Values, result: Mapping[str, Any], turns: Sequence[dict[str, Any]] = ()) -> Done:
    return Done(tuple(evaluated(writes, {**values, **result}).items()), tuple(turns), result)


@dataclass(frozen=True, slots=True)
class AgentAct:
    """An agent does one of its verbs."""

    agent: Agent
    verb: str
    reads: Formulas
    writes: Formulas
    audience: frozenset[str] | None = None
    kind: Literal["say", "probe"] = "say"
    sees: bool = True
    output: type[BaseModel] | None = None

    async def __call__(self, at: Place, values: Values, dialogue: Dialogue) -> Done:
        """Read, ask the model once, speak, write."""
        given = evaluated(self.reads, values)
        seen = Transcript.of(dialogue) if self.sees else _EMPTY
        reply = await self.agent.do(self.verb, at, seen, output=self._output(given), **given)
        turn = replace(self.agent.turn(reply, kind=self.kind), audience=self.audience)
        turns = heard(at, [turn])
        return _done(self.writes, values, {"reply": {"text": reply.text, **turn.data}}, turns)

    def _output(self, given: Mapping[str, Any]) -> type[BaseModel] | None:
        """The typed reply; the role's own is limited to the options it is given."""
        own = self.agent.verb(self.verb).output
        if self.output is not None or self.agent.output is not None or own is None:
            return self.output
        return among(own, [str(option) for option in given.get("options") or given.get("pool") or ()])


@dataclass(frozen=True, slots=True)
class PersonAct:
    """A person is asked."""

    person: Agent
    ask: Prompt
    writes: Formulas
    choices: tuple[str, ...] = ()
    kind: Literal["say", "probe"] = "say"

    async def __call__(self, at: Place, values: Values, dialogue: Dialogue) -> Done:
        """Ask, wait for the answer, write."""
        given: dict[str, Any] = {"instruction": self.ask.render(values), "options": list(self.choices)}
        output = _one_of(self.choices) if self.choices else None
        reply = await self.person.do("say", at, Transcript.of(dialogue), output=output, **given)
        text = reply.text if reply.data is None else str(reply.data.model_dump()["choice"])
        turns = heard(at, [Turn(self.person.name, text, kind=self.kind)])
        return _done(self.writes, values, {"reply": {"text": text}}, turns)


def _one_of(choices: tuple[str, ...]) -> type[BaseModel]:
    choice: Any = Literal[choices]
    return create_model("Choice", choice=(choice, ...))


@dataclass(frozen=True, slots=True)
class ToolAct:
    """A tool is called; the journal keeps what it returned."""

    name: str
    tool: Callable[..., Any]
    arguments: Formulas
    writes: Formulas
    spot: Spot

    async def __call__(self, at: Place, values: Values, dialogue: Dialogue) -> Done:
        """Call it once, however often the run is resumed."""
        arguments = evaluated(self.arguments, values)
        here = at / self.name
        inputs = {"tool": self.name, "arguments": arguments}
        result = await at.gateway.effect(here.address, "tool", inputs, lambda: self._call(arguments))
        return _done(self.writes, values, {"result": result})

    async def _call(self, arguments: Mapping[str, Any]) -> Any:
        try:
            if inspect.iscoroutinefunction(self.tool):
                result = await self.tool(**arguments)
            else:
                result = await asyncio.to_thread(self.tool, **arguments)
                if inspect.isawaitable(result):
                    result = await result
            return _plain(result)
        except MaieuticError:
            raise
        except Exception as error:
            message = f"{self.spot}: the tool {self.name!r} failed: {type(error).__name__}: {error}"
            raise StepFailed(message, kind="tool") from error


def _plain(result: Any) -> Any:
    """The result as the plain JSON that the journal and the state keep."""
    plain = result.model_dump(mode="json") if isinstance(result, BaseModel) else result
    return orjson.loads(orjson.dumps(plain))


@dataclass(frozen=True, slots=True)
class SetAct:
    """State is written and nobody is asked."""

    writes: Formulas

    async def __call__(self, at: Place, values: Values, dialogue: Dialogue) -> Done:
        """Write."""
        return _done(self.writes, values, {})
