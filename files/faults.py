"""From pydantic's errors to problems of a file: where each stands, what is wrong in plain words, and what was meant.

Unknown keys are mended in a copy of the data, so that one reading reports everything that is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from maieutic.files.problems import did_you_mean
from maieutic.files.sheet import Path, Sheet

__all__ = ["Dialect", "Fault", "checked", "shown"]

M = TypeVar("M", bound=BaseModel)
Owner = tuple[str, type[BaseModel] | None]

_WORDS = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "list_type": "a list",
    "tuple_type": "a list",
    "int_parsing": "a whole number",
    "float_parsing": "a number",
    "bool_parsing": "true or false",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "string_too_short": "a text that is not empty",
    "finite_number": "a finite number",
}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one kind of file is spoken of.

    Attributes:
        owner: How to call the mapping at a location of pydantic's, and its model.
        own: Tells a fault of this kind of file alone, and returns whether it was mended; None leaves it to `Fault`.
        tags: Parts of pydantic's locations that are marks of a union's members, and no keys of the file.
        words: What is expected, by pydantic's kind of error, beside the usual.
        examples: What to do about a missing key, by key.
        drops: Whether a wrong value of a key that may be missing is left out, so that the checks of meaning still run.
    """

    owner: Callable[[tuple[str | int, ...]], Owner]
    own: Callable[[Fault], bool | None] | None = None
    tags: Collection[str] = ()
    words: Mapping[str, str] = field(default_factory=dict)
    examples: Mapping[str, str] = field(default_factory=dict)
    drops: bool = False


def checked(model: type[M], sheet: Sheet, raw: Any, dialect: Dialect) -> M | None:
    """The model that a file's data say, all faults noted on the sheet; None if they cannot be passed over.

    Args:
        model: A model with strict fields.
        sheet: The file.
        raw: Its data, which are changed: what is mended is mended here.
        dialect: How its faults are told.
    """
    for _ in range(8):  # mending one fault can uncover another, inside a key that was renamed
        try:
            return model.model_validate(raw, by_alias=True, by_name=False)
        except ValidationError as failed:
            errors = failed.errors(include_url=False)
        # An unknown key may be the misspelt one that another error misses: those first, then look again.
        strangers = [error for error in errors if error["type"] == "extra_forbidden"]
        if not all([Fault(sheet, raw, error, dialect).note() for error in strangers or errors]):
            return None
    return None


class Fault:
    """One error of pydantic, told as a problem of the file.

    Attributes:
        sheet: The file.
        raw: Its data, in which a fault is mended.
        error, kind, loc: What pydantic says.
        path: Where it is meant, in the file.
    """

    def __init__(self, sheet: Sheet, raw: Any, error: ErrorDetails, dialect: Dialect) -> None:
        self.sheet = sheet
        self.raw = raw
        self.dialect = dialect
        self.error = error
        self.kind = error["type"]
        self.loc = error["loc"]
        self.is_key = self.loc[-1:] == ("[key]",) and self.kind != "extra_forbidden"
        inner = self.loc[:-1] if self.is_key or self.kind == "extra_forbidden" else self.loc
        kept = self.loc[-1:] if self.kind == "extra_forbidden" else ()
        self.path: Path = (*(p for p in inner if p not in dialect.tags), *kept)

    def note(self) -> bool:
        """Note the problem; whether it could be mended in the raw data."""
        return self._told() or (self.dialect.drops and self._dropped())

    def _told(self) -> bool:
        if self.dialect.own is not None and (mended := self.dialect.own(self)) is not None:
            return mended
        ways: dict[str, Callable[[], bool]] = {
            "extra_forbidden": self._unknown_key,
            "missing": self._missing,
            "too_short": self._too_short,
            "string_pattern_mismatch": self._bad_name,
            "literal_error": self._not_one_of,
        }
        return ways.get(self.kind, self._other)()

    def wrong(self, message: str, hint: str = "", *, key: bool = False) -> bool:
        """Note a problem that cannot be mended."""
        self.sheet.wrong(self.path, message, hint, key=key)
        return False

    def holder(self) -> Any:
        """The mapping or list in the raw data that holds what is wrong."""
        holder: Any = self.raw
        for step in self.path[:-1]:
            holder = holder[step]
        return holder

    def _unknown_key(self) -> bool:
        key = str(self.path[-1])
        where, model = self.dialect.owner(self.loc[:-1])
        holder = self.holder()
        known = [info.alias or name for name, info in model.model_fields.items()] if model else []
        hint = did_you_mean(key, (k for k in known if k not in holder))
        self.wrong(f"unknown key {key!r} in {where}", hint, key=True)
        value = holder.pop(key)
        if hint.startswith("did you mean"):
            meant = hint.split("'")[1]
            holder[meant] = value
            self._rename(key, meant)
        return True

    def _rename(self, key: str, meant: str) -> None:
        """Let the place of the misspelt key answer for the one that was meant."""
        node = self.sheet.node(self.path[:-1])
        if node is not None and meant not in node.entries:
            node.entries[meant] = node.entries[key]

    def _dropped(self) -> bool:
        if self.is_key or self.kind in ("missing", "model_type") or not isinstance(self.path[-1], str):
            return False
        untagged = tuple(part for part in self.loc if part not in self.dialect.tags)
        _, model = self.dialect.owner(untagged[:-1])
        info = model.model_fields.get(self.path[-1]) if model else None
        if info is not None and info.is_required():
            return False
        self.holder().pop(self.path[-1], None)
        return True

    def _missing(self) -> bool:
        key, self.path = self.path[-1], self.path[:-1]
        where, _ = self.dialect.owner(self.loc[:-1])
        return self.wrong(f"{where} needs the key {key!r}", self.dialect.examples.get(str(key), ""), key=True)

    def _too_short(self) -> bool:
        fewest, actual = self.error["ctx"]["min_length"], self.error["ctx"]["actual_length"]
        return self.wrong(f"at least {fewest} entr{'y is' if fewest == 1 else 'ies are'} expected here, not {actual}")

    def _bad_name(self) -> bool:
        place = self.sheet.place(self.path, key=self.is_key)
        if any((problem.line, problem.column) == (place.line, place.column) for problem in self.sheet.problems):
            return False
        allowed = "letters, digits and _" if "-" not in self.error["ctx"]["pattern"] else "letters, digits, _ and -"
        message = f"{shown(self.error['input'])} is not a name"
        return self.wrong(message, f"a name has {allowed}, and begins with a letter or _", key=self.is_key)

    def _not_one_of(self) -> bool:
        given, where = self.error["input"], self.path[-1]
        if where == "version":
            return self.wrong(f"version {shown(given)} is not known", "this maieutic reads version: 1")
        known = [part.strip(" '") for part in self.error["ctx"]["expected"].replace(" or ", ",").split(",")]
        hint = did_you_mean(given, known) if isinstance(given, str) else f"there are: {', '.join(known)}"
        return self.wrong(f"unknown {where} {shown(given)}", hint)

    def _other(self) -> bool:
        given = self.error["input"]
        expected = self.dialect.words.get(self.kind) or _WORDS.get(self.kind)
        if expected is None:
            return self.wrong(_sentence(self.error["msg"], given), key=self.is_key)
        two_faced = isinstance(given, str) and given.lower() in ("yes", "no", "on", "off")
        hint = "yes, no, on and off are texts" if self.kind == "bool_type" and two_faced else ""
        return self.wrong(f"{expected} is expected here, not {shown(given)}", hint, key=self.is_key)


def _sentence(message: str, given: Any) -> str:
    for old, new in (("Input should be ", "must be "), ("Value should be ", "must be "), ("Value error, ", "")):
        message = message.replace(old, new)
    return f"{shown(given)} {message}" if message.startswith("must") else message[:1].lower() + message[1:]


def shown(value: Any) -> str:
    """A value as a message shows it, shortened."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list" if value else "an empty list"
    words = {None: "null", True: "true", False: "false"}
    if value is None or isinstance(value, bool):
        return words[value]
    return repr(value) if len(repr(value)) <= 40 else f"{repr(value)[:39]}…"
