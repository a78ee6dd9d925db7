"""What the file says of simulated minds and their world, and of tiny models."""

from __future__ import annotations

import re
from typing import Any

from pydantic import ValidationError

from maieutic.backends.models import ModelSpec
from maieutic.errors import UsageError
from maieutic.files.problems import Problem, did_you_mean
from maieutic.graphs.checks.scene import Scene

__all__ = ["check_models"]


def check_models(scene: Scene) -> None:
    """Note models in the process that there are not, parameters that they have not, and a world that is not sound."""
    for name, model in scene.spec.models.items():
        if model.provider == "sim":
            _check_mind(scene, name, model)
        elif model.provider == "tiny":
            _check_tiny(scene, name, model)
    world = scene.spec.world
    if world is not None and _is_file(scene, world):
        from maieutic.backends.sim import load_world

        try:
            load_world(str(scene.spec.origin.home / world))
        except UsageError as error:
            scene.sheet.problems += [
                _in_world(str(scene.spec.origin.home / world), line) for line in str(error).split("\n")
            ]


def _in_world(file: str, line: str) -> Problem:
    """What the world's reader said about a place of its file."""
    found = re.fullmatch(r".*?:(\d+):(\d+): (.*)", line)
    if found is None:
        return Problem(file, 0, 0, 0, line)
    row, column = int(found[1]), int(found[2])
    return Problem(file, row, column, column + 1, found[3])


def _is_file(scene: Scene, world: str) -> bool:
    try:
        found = (scene.spec.origin.home / world).is_file()
    except ValueError:  # a null character
        found = False
    if not found:
        scene.wrong(("world",), f"there is no world file {world!r}", "the path starts at the graph file's folder")
    return found


def _check_mind(scene: Scene, name: str, model: ModelSpec) -> None:
    from maieutic.backends.sim import MINDS

    kind = model.model.partition("/")[2]
    if kind not in MINDS:
        hint = did_you_mean(model.model, [f"sim/{mind}" for mind in MINDS])
        scene.wrong(("models", name, "model"), f"there is no simulated mind {model.model!r}", hint)
        return
    try:
        MINDS[kind].model_validate(model.params)
    except ValidationError as failed:
        known = sorted({*MINDS[kind].model_fields, *ModelSpec.model_fields})
        for error in failed.errors(include_url=False):
            _wrong_parameter(scene, name, error, known)


def _check_tiny(scene: Scene, name: str, model: ModelSpec) -> None:
    from maieutic.backends.tiny import names

    known = [f"tiny/{one}" for one in names()]
    served = model.api_base is not None or model.replicas
    if "weights" not in model.params and not served and model.model not in known:
        hint = did_you_mean(model.model, known, otherwise=f"there are: {', '.join(known)}")
        scene.wrong(("models", name, "model"), f"there is no tiny model {model.model!r}", hint)


def _wrong_parameter(scene: Scene, name: str, error: Any, known: list[str]) -> None:
    inside = scene.sheet.node(("models", name, "params", *error["loc"][:1])) is not None
    path = ("models", name, *(("params",) if inside else ()), *error["loc"])
    parameter = str(error["loc"][0]) if error["loc"] else ""
    if error["type"] == "extra_forbidden":
        hint = did_you_mean(parameter, known, otherwise="see maieutic.backends.sim.MindParams for those there are")
        scene.wrong(path, f"a simulated mind has no parameter {parameter!r}", hint, key=True)
    else:
        scene.wrong(path, f"{parameter}: {error['msg'][:1].lower()}{error['msg'][1:]}")
