"""The parameters of protocols, and marks on them: which name agents, which may be written as the path of a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationInfo,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from maieutic.agents import Prompt
from maieutic.errors import MaieuticError, PromptError

__all__ = ["FromFile", "Params", "Plays", "named_agents", "template"]


@dataclass(frozen=True, slots=True)
class Plays:
    """Marks a parameter that names agents: `debaters: Annotated[list[str], Plays("debater")]`.

    The agents named there act in that role; an agent of another role is cast in it under its own name, model and
    persona (`Agent.playing`).
    """

    role: str


@dataclass(frozen=True, slots=True)
class FromFile:
    """Marks a parameter that may be the path of a file: `items: Annotated[list[Item], FromFile(load_items)]`.

    A text is taken for a path, relative to the graph file's folder (in Python to the working directory), and what the
    file holds takes its place. Anything else is the value itself.

    Attributes:
        read: Reads the file; a MaieuticError that it raises is shown at the parameter.
    """

    read: Callable[[Path], Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_before_validator_function(self._given, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string", "description": "The path of a file."}, handler(schema)]}

    def _given(self, value: Any, info: ValidationInfo[Any]) -> Any:
        if not isinstance(value, str | Path):
            return value
        try:
            return self.read(Path((info.context or {}).get("home", "")) / value)
        except MaieuticError as error:
            raise ValueError(str(error)) from error


def template(*variables: str) -> AfterValidator:
    """Marks a text parameter as a template that may use these variables: `Annotated[str, template("question")]`."""

    def checked(text: str) -> str:
        try:
            Prompt(text, "this prompt").check(variables)
        except PromptError as error:
            raise ValueError(str(error)) from error
        return text

    return AfterValidator(checked)


class Params(BaseModel):
    """Base of all protocols' parameters: strict, documented, part of the JSON Schema of graph files."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if problem := next(self._problems(), None):
            raise ValueError(problem)
        return self

    def _problems(self) -> Iterator[str]:
        """What does not fit together, each in a sentence; the first is told. A protocol overrides it."""
        yield from ()


def named_agents(params: Params) -> list[tuple[str, str]]:
    """(role, agent name) for every agent that the parameters name, in order."""
    found: list[tuple[str, str]] = []
    for name, info in type(params).model_fields.items():
        for mark in info.metadata:
            if isinstance(mark, Plays):
                value = getattr(params, name)
                names = [value] if isinstance(value, str) else list(value or ())
                found += [(mark.role, n) for n in names]
    return found
