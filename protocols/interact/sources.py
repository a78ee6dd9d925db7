"""What a run is given in files: the user's own quiz, and another student's dialogue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from maieutic.errors import FileError, UsageError
from maieutic.memory import MODERATOR
from maieutic.memory.student.items import Item

__all__ = ["Exchange", "read_dialogue", "read_items"]

_OWN = ("interaction", "lesson_interaction")
_BORROWED = "borrowed"


class Exchange(BaseModel):
    """One turn of a dialogue: a question and its answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    question: Annotated[str, Field(description="What the student asked.")]
    answer: Annotated[str, Field(description="What the teacher answered.")]


_EXCHANGES = TypeAdapter(list[Exchange])


def read_items(path: Path) -> list[Item]:
    """The items of a file (see `maieutic.memory.student.item_files`), networkx being imported only now."""
    from maieutic.memory.student.item_files import load_items

    return load_items(path)


def read_dialogue(given: Any) -> list[dict[str, str]]:
    """A dialogue as exchanges.

    Args:
        given: Exchanges; turns (`speaker`, `content`); an outcome with a transcript; or the path of a JSON or YAML file
            with any of these, such as `maieutic runs export --format json` writes. Of a run that compared several
            dialogues, the first one from a cold start is taken.

    Raises:
        UsageError: There is no such file, or nothing in it is a dialogue.
        FileError: The file is not valid.
    """
    where = ""
    if isinstance(given, str | Path):
        where, given = f"{given}: ", _parsed(Path(given))
    raw = _listed(given, where)
    if raw and all(isinstance(each, Mapping) and "speaker" in each for each in raw):
        raw = _exchanges(raw)
    try:
        found = _EXCHANGES.validate_python(raw)
    except ValidationError as error:
        raise UsageError(f"{where}this is no dialogue: {_first(error)}") from error
    if given and not found:
        raise UsageError(f"{where}the dialogue has no question with an answer")
    return [exchange.model_dump() for exchange in found]


def _listed(given: Any, where: str) -> list[Any]:
    """The turns or exchanges themselves, as plain data, out of whatever holds them."""
    if isinstance(given, BaseModel):
        given = given.model_dump(mode="json")
    while isinstance(given, Mapping):
        inner = next((given[key] for key in ("transcript", "outcome", "turns", "dialogue") if given.get(key)), None)
        if inner is None:
            raise UsageError(f"{where}no dialogue was found; give a list of turns, or a run's outcome")
        given = inner
    if not isinstance(given, list | tuple | None):
        raise UsageError(f"{where}this is no dialogue; give a list of questions and answers, or a run's outcome")
    return [each.model_dump() if isinstance(each, BaseModel) else each for each in given or ()]


def _exchanges(turns: Iterable[Mapping[str, Any]]) -> list[Any]:
    """Questions and answers by turns: whoever speaks first asks. Of several dialogues in one, the first.

    A student's own dialogue comes before one that it borrowed; a lesson is no dialogue.
    """
    said = [turn for turn in turns if turn.get("kind", "say") == "say" and turn["speaker"] != MODERATOR]
    arms = list(dict.fromkeys(_arm(turn) for turn in said))
    dialogues = [arm for arm in arms if arm.partition(".")[0] in _OWN] or [arm for arm in arms if arm == _BORROWED]
    if any(arms):
        said = [turn for turn in said if _arm(turn) in dialogues[:1]]
    words = [str(turn["content"]) for turn in said]
    return [{"question": q, "answer": a} for q, a in zip(words[::2], words[1::2], strict=False)]


def _arm(turn: Mapping[str, Any]) -> str:
    return str((turn.get("data") or {}).get("arm") or "")


def _parsed(path: Path) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
    except (UnicodeDecodeError, YAMLError) as error:
        raise FileError(f"{path} is neither YAML nor JSON in UTF-8: {error}") from error


def _first(error: ValidationError) -> str:
    problem = error.errors(include_url=False)[0]
    where = ".".join(map(str, problem["loc"]))
    return f"{where}: {problem['msg']}" if where else problem["msg"]
