"""Every router by name, and routers from files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from maieutic.errors import UsageError
from maieutic.files.problems import did_you_mean
from maieutic.protocols.routing.routers.bandit import Bandit
from maieutic.protocols.routing.routers.base import Router
from maieutic.protocols.routing.routers.classifier import Classifier
from maieutic.protocols.routing.routers.factorisation import Factorisation
from maieutic.protocols.routing.routers.neighbours import Neighbours
from maieutic.protocols.routing.routers.ratings import Elo
from maieutic.protocols.routing.routers.simple import Cheapest, Largest, Random

__all__ = ["ROUTERS", "TAUGHT", "load_router", "router_from_json", "router_named", "save_router"]

ROUTERS: Mapping[str, type[Router]] = {
    kind.name: kind for kind in (Bandit, Cheapest, Largest, Random, Elo, Neighbours, Classifier, Factorisation)
}
"""The routers that decide without asking a model, ours first."""
TAUGHT = frozenset({"elo", "knn", "classifier", "factorisation"})
"""Those that cannot decide before they were trained (the bandit can: it begins by trying)."""


def router_named(name: str, **options: Any) -> Router:
    """A router that has learned nothing yet.

    Args:
        name: Of ROUTERS.
        **options: Arguments of its class.

    Raises:
        UsageError: There is no such router, or it has no such option.
    """
    if name not in ROUTERS:
        hint = did_you_mean(name, ROUTERS, otherwise=f"there are: {', '.join(ROUTERS)}")
        raise UsageError(f"there is no router {name!r}; {hint}")
    try:
        return ROUTERS[name](**options)
    except TypeError as error:
        raise UsageError(f"router {name!r}: {str(error).partition('() ')[2] or error}") from error


def router_from_json(raw: Mapping[str, Any]) -> Router:
    """The router whose state this is.

    Raises:
        UsageError: It is no router's state, or of another version.
    """
    name = raw.get("router") if isinstance(raw, Mapping) else None
    if not isinstance(name, str) or name not in ROUTERS:
        raise UsageError(f"this is no router's state; it names router {name!r}, and there are: {', '.join(ROUTERS)}")
    try:
        return ROUTERS[name].from_json(raw)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"the state of router {name!r} is damaged ({error}); train it anew") from error


def load_router(path: Path | str) -> Router:
    """The router that a file keeps.

    Raises:
        UsageError: The file cannot be read or keeps no router.
    """
    try:
        raw = json.loads(Path(path).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read as a router: {getattr(error, 'strerror', None) or error}") from error
    try:
        return router_from_json(raw)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error


def save_router(router: Router, path: Path | str) -> None:
    """Write a router to a file; a file that is there is replaced as a whole.

    Raises:
        UsageError: The file cannot be written.
    """
    path = Path(path)
    beside = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(router.to_json(), ensure_ascii=False), "utf-8")
        beside.replace(path)
    except OSError as error:
        raise UsageError(f"the router cannot be kept in {path}: {error.strerror}") from error
