"""The tiny models that there are, and their loading."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from maieutic.backends.models import ModelSpec
from maieutic.errors import ModelError

if TYPE_CHECKING:
    from maieutic.backends.tiny.network import Network
    from maieutic.backends.tiny.tokens import Tokens

__all__ = ["WEIGHTS", "Loaded", "folder_of", "loaded", "names"]

WEIGHTS = Path(__file__).parent / "weights"
"""One folder for each model, in the Hugging Face format: transformers and vLLM take it as it is."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model that is ready to answer."""

    network: Network
    tokens: Tokens


def names() -> list[str]:
    """The tiny models by name: "student", "teacher", …."""
    return sorted(config.parent.name for config in WEIGHTS.glob("*/config.json"))


def folder_of(model: ModelSpec) -> Path:
    """Where a model's weights are: `params: {weights: FOLDER}`, or the folder that ships under its name.

    Raises:
        ModelError: There is no such model or folder, or another parameter was given; the message says what there is.
    """
    given = dict(model.params)
    own = given.pop("weights", None)
    if given:
        raise _refused(f"{model.model}: unknown parameter {min(given)!r}; a tiny model has only: weights")
    folder = WEIGHTS / model.model.partition("/")[2] if own is None else Path(str(own))
    if (folder / "config.json").is_file():
        return folder
    if own is not None:
        raise _refused(f"{model.model}: there is no model in the folder {own} (config.json, model.safetensors, …)")
    near = difflib.get_close_matches(folder.name, names(), n=1)
    meant = f"; did you mean {f'tiny/{near[0]}'!r}?" if near else ""
    raise _refused(
        f"there is no tiny model {model.model!r}{meant}; there are: {', '.join(f'tiny/{name}' for name in names())}"
    )


@lru_cache(maxsize=16)
def loaded(folder: Path) -> Loaded:
    """The model in a folder, loaded once in a process.

    Raises:
        ModelError: What lies there is no model of this kind.
    """
    from safetensors import SafetensorError

    from maieutic.backends.tiny.network import Network
    from maieutic.backends.tiny.tokens import Tokens

    try:
        return Loaded(Network(folder), Tokens(folder))
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise _refused(
            f"the folder {folder} does not hold a model as maieutic.backends.tiny.train makes it "
            f"({type(error).__name__}: {error})"
        ) from error


def _refused(message: str) -> ModelError:
    return ModelError(message, kind="bad_request")
