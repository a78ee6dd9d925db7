"""`model: {router: …}`: an agent whose model is chosen anew for each call."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import Discriminator, Field, Tag

from maieutic.errors import FileError, UsageError
from maieutic.files.problems import did_you_mean
from maieutic.graphs.nodes import Name, Strict

if TYPE_CHECKING:
    from collections.abc import Callable

    from maieutic.backends.models import ModelSpec
    from maieutic.graphs.checks.scene import Scene
    from maieutic.protocols.routing.routed import RoutedModel
    from maieutic.protocols.routing.routers import Router

__all__ = ["ModelChoice", "RoutedSpec", "check_routed", "chooser_of"]

_OF_BANDIT = ("per_usd", "per_second", "explore", "floor")


def _pool_kind(raw: Any) -> str:
    return "<list>" if isinstance(raw, list | tuple) else "<text>"


class RoutedSpec(Strict):
    """A model that a router chooses for each call.

    Attributes:
        router: bandit, cheapest, largest, random, elo, knn, classifier or factorisation.
        pool: Names under `models`, or a pool file (`maieutic route`), relative to the graph file.
        state: What the router has learned: a file from `maieutic route train`, relative to the graph file.
        family: The task family of what the agent is asked.
        per_usd, per_second: Quality given up for one US dollar, for one second (bandit).
        explore: The share of decisions that may be made to learn (bandit).
        floor: A candidate expected to be worse than this is not chosen (bandit).
    """

    router: Annotated[str, Field(min_length=1)]
    pool: Annotated[
        Annotated[list[Name], Tag("<list>"), Field(min_length=1)] | Annotated[str, Tag("<text>"), Field(min_length=1)],
        Discriminator(_pool_kind),
    ]
    state: str | None = None
    family: str = ""
    per_usd: Annotated[float | None, Field(ge=0)] = None
    per_second: Annotated[float | None, Field(ge=0)] = None
    explore: Annotated[float | None, Field(ge=0, le=1)] = None
    floor: Annotated[float | None, Field(ge=0, le=1)] = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names under `models` that it uses."""
        return tuple(self.pool) if isinstance(self.pool, list) else ()

    @property
    def settings(self) -> dict[str, float]:
        """What is said here for the bandit alone."""
        return {name: value for name in _OF_BANDIT if (value := getattr(self, name)) is not None}


def _model_kind(raw: Any) -> str:
    return "<router>" if isinstance(raw, Mapping | RoutedSpec) else "<text>"


ModelChoice: TypeAlias = Annotated[
    Annotated[str, Tag("<text>")] | Annotated[RoutedSpec, Tag("<router>")], Discriminator(_model_kind)
]
"""An agent's model: a name under `models`, or a router that chooses."""


def chooser_of(
    routed: RoutedSpec,
    home: Path,
    model: Callable[[str], ModelSpec],
    placed: Callable[[ModelSpec], ModelSpec],
) -> RoutedModel:
    """What chooses the model of an agent's calls.

    Args:
        routed: What the file says.
        home: The folder from which its paths start.
        model: The model of a name under `models`.
        placed: Puts a model of a pool file into the graph file's world.

    Raises:
        UsageError: The router, the pool or what it has learned cannot be used.
        FileError: The pool file is not valid.
    """
    from maieutic.protocols.routing.pool import Pool
    from maieutic.protocols.routing.routed import RoutedModel

    if isinstance(routed.pool, str):
        told = Pool.load(home / routed.pool)
        pool = Pool(candidates=tuple(c.model_copy(update={"model": placed(c.model)}) for c in told.each()))
    else:
        pool = Pool.model_validate({name: {"model": model(name)} for name in routed.pool})
    return RoutedModel(router_of(routed, home), pool, family=routed.family)


def router_of(routed: RoutedSpec, home: Path) -> Router:
    """The router that the file names, with what it has learned and the file's own settings.

    Raises:
        UsageError: There is no such router, its state cannot be read, or it needs one and has none.
    """
    from maieutic.protocols.routing.routers.bandit import Bandit
    from maieutic.protocols.routing.routers.catalogue import TAUGHT, load_router, router_named

    router = router_named(routed.router) if routed.state is None else load_router(home / routed.state)
    if router.name != routed.router:
        raise UsageError(f"{routed.state} keeps a router {router.name!r}, and the file says {routed.router!r}")
    if routed.state is None and router.name in TAUGHT:
        raise UsageError(
            f"router {routed.router!r} decides by what it has learned; train it (maieutic route train "
            f"--router {routed.router} …) and name the file: state: FILE.json"
        )
    if routed.settings and not isinstance(router, Bandit):
        raise UsageError(f"{', '.join(routed.settings)} belongs to the bandit; {routed.router} has no settings")
    return router.changed(**routed.settings) if isinstance(router, Bandit) else router


def check_routed(scene: Scene, at: tuple[str, ...], routed: RoutedSpec) -> None:
    """Note an unknown router or model, a pool or a state that cannot be used."""
    from maieutic.protocols.routing.routers.catalogue import ROUTERS

    if routed.router not in ROUTERS:
        scene.wrong((*at, "router"), f"unknown router {routed.router!r}", did_you_mean(routed.router, ROUTERS))
        return
    for n, name in enumerate(routed.names):
        if name not in scene.spec.models:
            scene.doubt.add("models")
            scene.wrong((*at, "pool", n), f"unknown model {name!r}", did_you_mean(name, scene.spec.models))
    if len({name.casefold() for name in routed.names}) < len(routed.names):
        scene.wrong((*at, "pool"), "the pool names a model twice; case does not count")
    if isinstance(routed.pool, str):
        _check_pool(scene, at, routed.pool)
    try:
        router_of(routed, scene.spec.origin.home)
    except UsageError as error:
        scene.wrong((*at, "router" if routed.state is None else "state"), str(error))


def _check_pool(scene: Scene, at: tuple[str, ...], pool: str) -> None:
    from maieutic.protocols.routing.pool import Pool

    try:
        Pool.load(scene.spec.origin.home / pool)
    except FileError as error:
        if not (scene.spec.origin.home / pool).exists():
            hint = "the path starts at the graph file's folder; names under models stand in a list: [a, b]"
            scene.wrong((*at, "pool"), f"there is no pool file {pool!r}", hint)
        else:
            scene.sheet.problems += error.problems
