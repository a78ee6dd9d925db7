"""What must hold between the parts of a graph file before anything runs; every fault is noted at its place."""

from __future__ import annotations

from maieutic.graphs.checks.budget import check_budget
from maieutic.graphs.checks.flow import check_flow
from maieutic.graphs.checks.models import check_models
from maieutic.graphs.checks.names import check_names
from maieutic.graphs.checks.scene import Scene
from maieutic.graphs.checks.student import check_student
from maieutic.graphs.checks.uses import check_uses
from maieutic.graphs.checks.values import check_values

__all__ = ["Scene", "check"]


def check(scene: Scene) -> None:
    """Note everything that is wrong with a file on its sheet."""
    check_names(scene)
    check_models(scene)
    check_uses(scene)
    check_flow(scene)
    check_values(scene)
    check_student(scene)
    if not scene.sheet.problems:
        check_budget(scene)
