"""`--plot FILE`: draw what a run came to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from maieutic.errors import UsageError
from maieutic.memory import Emit, Event
from maieutic.protocols.base import Outcome

if TYPE_CHECKING:
    from maieutic.graphs import Graph

__all__ = ["check_picture", "drawer"]


def drawer(graph: Graph, path: Path) -> Emit:
    """A listener that draws the outcome when the run tells it.

    What would go wrong after the run is paid for is said now, as far as it can be known.

    Raises:
        UsageError: The graph's outcome has no picture, the file's ending is none of a picture, matplotlib is missing,
            or the folder cannot be made.
    """
    model = graph.protocol.outcome_model if graph.protocol else Outcome
    if model.plot is Outcome.plot:
        raise UsageError(f"--plot: what {graph.name} comes to has no picture; leave it out")
    check_picture(path)
    command = click.get_current_context()

    def say(words: str, colour: str | None = None) -> None:
        """At the command's end: what is said while the terminal shows a run's progress is wiped out with it."""
        command.call_on_close(lambda: click.secho(words, err=True, fg=colour))

    def draw(event: Event) -> None:
        if event.kind != "outcome":
            return
        try:
            written = model.model_validate(event.data["outcome"]).plot(path)
        except UsageError as error:
            say(f"--plot {path}: {error}", "yellow")
        else:
            say(f"Drawn in {written}")

    return draw


def check_picture(path: Path) -> None:
    """Draw nothing, to see that it can be drawn.

    Raises:
        UsageError: It cannot: another ending, no matplotlib, or a folder that cannot be made.
    """
    from maieutic.files.plotting import drawn, figure

    try:
        drawn(figure()[0], path.suffix.lower().lstrip("."))
        path.parent.mkdir(parents=True, exist_ok=True)
    except UsageError as error:
        raise UsageError(f"--plot {path}: {error}") from error
    except OSError as error:
        raise UsageError(f"--plot {path}: the folder cannot be made: {error.strerror or error}") from error
