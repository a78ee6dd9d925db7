"""`maieutic tutor`: a lesson, with a model or the person at the terminal as the student."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from maieutic.cli.options import RunOptions, Talk, pass_talk, run_options
from maieutic.errors import UsageError

if TYPE_CHECKING:
    from maieutic.cli.kept import Kept
    from maieutic.graphs import GraphSpec

__all__ = ["tutor"]

_CONCEPT_FILES = frozenset((".yaml", ".yml", ".json"))


@click.command()
@click.argument("concepts", required=False, type=click.Path(path_type=Path))
@click.option(
    "--context",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Teach from a text, Markdown, PDF or saved web page, or a folder of them; the teacher finds the concepts.",
)
@click.option(
    "--student",
    metavar="MODEL",
    help="Who is taught: a model, or person/terminal for you (the default if you sit at a terminal).",
)
@click.option(
    "--save",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Keep what is believed of the student; the next lesson with this file goes on from there, with forgetting.",
)
@click.option(
    "-t", "--turns", type=click.IntRange(1, 1000), default=20, show_default=True, metavar="N", help="Most exchanges."
)
@click.option(
    "--mastered",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.9,
    show_default=True,
    metavar="P",
    help="From which mastery on a concept counts as known.",
)
@click.option("--confidence", is_flag=True, help="Ask the person, too, how sure it is of each answer.")
@click.option("--why", is_flag=True, help="Tell with each move of the teacher why it was chosen.")
@run_options
@pass_talk
def tutor(talk: Talk, /, options: RunOptions, concepts: Path | None, **chosen: Any) -> None:
    """Teach a student what it is ready to learn.

    \b
      maieutic tutor fractions.yaml                        (you are the student; answer, ask, or type stop)
      maieutic tutor fractions.yaml --save me.json         (go on next week: what you may have forgotten is asked again)
      maieutic tutor --context notes.pdf -m openai/gpt-5-mini
      maieutic tutor fractions.yaml --student sim/student --why

    CONCEPTS is a file of concepts and exercises (docs/student-model.md). The student model decides each move of the
    teacher: ask, set an exercise, hint, explain, show an example.
    """
    from maieutic.cli.kept import Keeper
    from maieutic.cli.prepare import changed, inputs_for, launch
    from maieutic.runs import Graph

    kept = _kept(chosen["save"], concepts) if chosen["save"] else None
    spec = changed(_spec(options, concepts, kept, chosen, quiet=talk.quiet), options)
    graph = Graph(spec)
    log = kept.log_now() if kept else []
    inputs = inputs_for(graph, options.given)
    if log:
        inputs["log"] = log
    keeper = Keeper(chosen["save"], kept, log) if kept and not options.replay else None
    going_on = f" --save {chosen['save']}" if keeper else ""
    launch(graph, inputs, options, talk, also=[keeper] if keeper else [], reasons=chosen["why"], going_on=going_on)


def _spec(
    options: RunOptions, concepts: Path | None, kept: Kept | None, chosen: Mapping[str, Any], *, quiet: bool
) -> GraphSpec:
    """The graph file that says what was typed."""
    from io import StringIO

    from ruamel.yaml import YAML

    from maieutic.cli.debate_file import default_model
    from maieutic.graphs.load import load_text

    what = _matter(concepts, chosen["context"], kept)
    models = dict(options.model)
    if unknown := set(models) - {"*", "teacher", "Teacher"}:
        raise UsageError(f"--model {min(unknown)}=…: in a lesson only the teacher is named; the student by --student")
    default = default_model(os.environ, offline=options.offline, doing="teach")
    teacher = models.get("Teacher") or models.get("teacher") or models.get("*") or default.model or "sim/teacher"
    if not models and not quiet:
        click.secho(default.why, err=True, fg="yellow")
        if default.model is None:
            click.secho("They can explain only what stands in their small world (docs/simulated-minds.md).", err=True)
    at_terminal = sys.stdin.isatty() and sys.stderr.isatty()
    student = chosen["student"] or ("person/terminal" if at_terminal else "sim/student")
    raw = {
        "version": 1,
        "name": "tutor",
        "models": {"teacher": {"model": teacher}, "student": {"model": student}},
        "agents": {
            "Teacher": {"role": "teacher", "model": "teacher"},
            "Student": {"role": "student", "model": "student"},
        },
        "use": "tutor",
        "with": {
            "teacher": "Teacher",
            "student": "Student",
            "turns": chosen["turns"],
            "mastered": chosen["mastered"],
            **({"confidence": True} if chosen["confidence"] else {}),
            **what,
        },
    }
    text = StringIO()
    YAML().dump(raw, text)
    return load_text(text.getvalue(), "tutor")


def _kept(path: Path, concepts: Path | None) -> Kept:
    """What is kept of the student, told in the terms of the concept file that is taught now."""
    from maieutic.cli.kept import Kept
    from maieutic.memory.student.files import load_concepts

    folder = path.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise UsageError(
            f"--save {path}: the folder {folder} {'cannot be written to' if folder.is_dir() else 'is not there'}"
        )
    kept = Kept.read(path)
    if concepts is None or concepts.suffix.lower() not in _CONCEPT_FILES or not kept.log:
        return kept
    told = kept.told_of(load_concepts(concepts))
    if not any(one["kind"] != "waited" for one in told.log):
        taught = ", ".join(kept.concepts.get("concepts", ()))
        raise UsageError(
            f"--save {path}: this student was taught {taught}, nothing of which is in {concepts}; keep the new lesson "
            "in another file"
        )
    if lost := len(kept.log) - len(told.log):
        many = "1 observation is" if lost == 1 else f"{lost} observations are"
        click.secho(f"{path}: {many} left out: {concepts} no longer has the concepts", err=True, fg="yellow")
    return told


def _matter(concepts: Path | None, context: Path | None, kept: Kept | None) -> dict[str, Any]:
    """What is taught: the concepts named, else those saved, and the context."""
    from maieutic.files.documents import read_document
    from maieutic.memory.student.files import load_concepts

    if concepts is not None and concepts.suffix.lower() not in _CONCEPT_FILES:
        raise UsageError(f"{concepts} is no concept file (.yaml); to teach from a document: --context {concepts}")
    what: dict[str, Any] = {}
    if concepts is not None:
        load_concepts(concepts)  # what is wrong with it is best told of the file itself
        what["concepts"] = str(concepts.resolve())
    elif kept is not None and kept.concepts:
        what["concepts"] = kept.concepts
    if context is not None:
        read_document(context)
        what["source"] = str(context.resolve())
    if not what:
        raise UsageError(
            "there is nothing to teach: name a concept file (maieutic tutor fractions.yaml) or a document "
            "(maieutic tutor --context notes.pdf)"
        )
    return what
