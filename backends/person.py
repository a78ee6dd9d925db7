"""A person as a backend: somebody at a terminal, in a form, or who answers tomorrow."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin

import orjson
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from maieutic.backends.types import LLMReply, LLMRequest, TextDelta, TextSink, Usage
from maieutic.backends.wire import proper_text
from maieutic.errors import UsageError, WaitingForPerson

__all__ = ["Ask", "AskedField", "PersonBackend"]

_TRIES = 3
"""How often a field is asked for when the answer does not fit, before it is left out or, if it is needed, the whole
reply counts as malformed."""


@dataclass(frozen=True, slots=True)
class AskedField:
    """One field of a typed reply, as a person is asked for it.

    Attributes:
        name: Its name.
        type: Its type in a word or two ("str", "bool", "int | None", …).
        description: What it means, or empty.
        choices: The values it may take, or empty if any value of its type will do.
        required: Whether an empty answer will not do.
    """

    name: str
    type: str
    description: str = ""
    choices: tuple[str, ...] = ()
    required: bool = True


Ask = Callable[[str, AskedField | None], Awaitable[str]]
"""Puts a question to the person and returns the answer; with a field, the question is for that field of a reply."""


class PersonBackend:
    """Asks a person what a model would be asked: the last message it would read.

    Args:
        ask: Puts one question. Without it, or when it raises EOFError because nobody is there, a question that
            `answers` does not cover raises WaitingForPerson.
        answers: Answers given beforehand, by `Address.local`: text, or for a typed reply JSON (or, where it has a
            single field, that field's value).
    """

    def __init__(self, ask: Ask | None = None, answers: Mapping[str, str] | None = None) -> None:
        self._ask = ask
        self._answers = dict(answers or {})

    def sends_schema(self, model: object) -> bool:
        """People are asked field by field and need no schema."""
        return True

    async def complete(self, request: LLMRequest, on_text: TextSink | None = None) -> LLMReply:
        """Ask, or take the answer given beforehand.

        Raises:
            WaitingForPerson: There is neither an answer nor anybody to ask.
            UsageError: The answer given beforehand does not fit. Nothing is recorded, so another can be given.
        """
        question = request.messages[-1].content if request.messages else ""
        given = self._answers.get(request.address.local)
        if given is not None:
            given = proper_text(given)
            text = given if request.output is None else _as_json(given, request.output, request.address.local)
        else:
            text = await self._answer(request, question)
        if on_text is not None:
            on_text(TextDelta(text))
        usage = Usage(prompt=0, completion=0, cached=0, reasoning=0)
        return LLMReply(text=text, model=request.model.model, usage=usage, usd=0.0)

    async def _answer(self, request: LLMRequest, question: str) -> str:
        if self._ask is not None:
            try:
                if request.output is None:
                    return proper_text(await self._ask(question, None))
                return await _fill_in(self._ask, question, request.output)
            except EOFError:  # the person has gone, or never was there
                pass
        raise WaitingForPerson(_waiting(request, question), address=request.address.local, question=question)

    async def aclose(self) -> None:
        """Nothing to release."""


async def _fill_in(ask: Ask, question: str, output: type[BaseModel]) -> str:
    """The JSON of a typed reply, asked for field by field; the question stands before the first."""
    values: dict[str, Any] = {}
    for name, info in output.model_fields.items():
        field = _asked(name, info)
        value, given = await _ask_field(ask, question, field, info)
        if given:
            values[info.alias or name] = value
        question = ""
    return orjson.dumps(values).decode()


async def _ask_field(ask: Ask, question: str, field: AskedField, info: FieldInfo) -> tuple[Any, bool]:
    """The field's value as plain JSON, and whether one was given at all."""
    bounded: Any = Annotated[info.annotation, info]
    adapter: TypeAdapter[Any] = TypeAdapter(bounded)
    said = ""
    for _ in range(_TRIES):
        said = proper_text(await ask(question, field)).strip()
        if not said and not field.required:
            return None, False
        try:
            return adapter.dump_python(_value(said, adapter), mode="json"), True
        except ValidationError as error:
            question = f"{said!r} will not do: {error.errors(include_url=False)[0]['msg']}."
    return (said, True) if field.required else (None, False)


def _value(said: str, adapter: TypeAdapter[Any]) -> Any:
    """The value that the words mean: themselves, or what they are as JSON (lists, null)."""
    try:
        return adapter.validate_python(said)
    except ValidationError as error:
        try:
            return adapter.validate_json(said)
        except ValidationError:
            raise error from None


def _asked(name: str, info: FieldInfo) -> AskedField:
    kind = info.annotation
    choices = tuple(map(str, get_args(kind))) if str(get_origin(kind)) == "typing.Literal" else ()
    shown = kind.__name__ if isinstance(kind, type) and get_origin(kind) is None else str(kind).replace("typing.", "")
    return AskedField(name, shown, info.description or "", choices, info.is_required())


def _as_json(given: str, output: type[BaseModel], at: str) -> str:
    """An answer given beforehand as the JSON of a typed reply."""
    try:
        return output.model_validate_json(given).model_dump_json(by_alias=True)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
    if len(output.model_fields) == 1:
        (name, info), *_ = output.model_fields.items()
        bounded: Any = Annotated[info.annotation, info]
        adapter: TypeAdapter[Any] = TypeAdapter(bounded)
        try:
            value = adapter.dump_python(_value(given, adapter), mode="json")
            return orjson.dumps({info.alias or name: value}).decode()
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]
    field = ".".join(map(str, problem["loc"]))
    raise UsageError(
        f"the answer {given!r} at {at} will not do: {f'{field}: ' if field else ''}{problem['msg']}. "
        f"Give it as '{at}={_form(output)}'."
    )


def _form(output: type[BaseModel] | None) -> str:
    """How an answer given beforehand is written."""
    if output is None or len(output.model_fields) == 1:
        return "…"
    return "{" + ", ".join(f'"{info.alias or name}": …' for name, info in output.model_fields.items()) + "}"


def _waiting(request: LLMRequest, question: str) -> str:
    at = request.address.local
    return (
        f"{request.agent or 'A person'} is asked at {at}, and nobody is there to answer: {question}\n"
        f"Answer with `maieutic resume {request.address.run} --answer '{at}={_form(request.output)}'`."
    )
