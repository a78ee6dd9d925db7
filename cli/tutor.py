"""`maieutic tutor`: a lesson, with a model or the person at the terminal as the student."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from maieutic.cli.options import RunOptions, Talk, pass_talk, run_options
from maieutic.errors import StudentModelError, UsageError
from maieutic.memory import Event

if TYPE_CHECKING:
    from maieutic.graphs import GraphSpec
    from maieutic.memory.student import ConceptGraph

__all__ = ["tutor"]

_DAY = 86_400
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
    from maieutic.cli.prepare import changed, inputs_for, launch
    from maieutic.runs import Graph

    saved = _saved(chosen["save"], concepts) if chosen["save"] else None
    spec = changed(_spec(options, concepts, saved, chosen, quiet=talk.quiet), options)
    graph = Graph(spec)
    log = saved.log_now() if saved else []
    inputs = inputs_for(graph, options.given)
    if log:
        inputs["log"] = log
    keeper = Keeper(chosen["save"], saved.concepts, log) if saved and not options.replay else None
    going_on = f" --save {chosen['save']}" if keeper else ""
    launch(graph, inputs, options, talk, also=[keeper] if keeper else [], reasons=chosen["why"], going_on=going_on)


def _spec(
    options: RunOptions, concepts: Path | None, saved: Saved | None, chosen: Mapping[str, Any], *, quiet: bool
) -> GraphSpec:
    """The graph file that says what was typed."""
    from io import StringIO

    from ruamel.yaml import YAML

    from maieutic.cli.debate_file import default_model
    from maieutic.graphs.load import load_text

    what = _matter(concepts, chosen["context"], saved)
    models = dict(options.model)
    if unknown := set(models) - {"*", "teacher", "Teacher"}:
        raise UsageError(f"--model {min(unknown)}=…: in a lesson only the teacher is named; the student by --student")
    default = default_model(os.environ, offline=options.offline, doing="teach")
    teacher = models.get("Teacher") or models.get("teacher") or models.get("*") or default.model or "sim/teacher"
    if not models and not quiet:
        click.secho(default.why, err=True, fg="yellow")
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


def _saved(path: Path, concepts: Path | None) -> Saved:
    """What is kept of the student, told in the terms of the concept file that is taught now."""
    from maieutic.memory.student.files import load_concepts

    folder = path.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise UsageError(
            f"--save {path}: the folder {folder} {'cannot be written to' if folder.is_dir() else 'is not there'}"
        )
    saved = Saved.read(path)
    if concepts is None or concepts.suffix.lower() not in _CONCEPT_FILES or not saved.log:
        return saved
    told = saved.told_of(load_concepts(concepts))
    if not any(one["kind"] != "waited" for one in told.log):
        taught = ", ".join(saved.concepts.get("concepts", ()))
        raise UsageError(
            f"--save {path}: this student was taught {taught}, nothing of which is in {concepts}; keep the new lesson "
            "in another file"
        )
    if lost := len(saved.log) - len(told.log):
        many = "1 observation is" if lost == 1 else f"{lost} observations are"
        click.secho(f"{path}: {many} left out: {concepts} no longer has the concepts", err=True, fg="yellow")
    return told


def _matter(concepts: Path | None, context: Path | None, saved: Saved | None) -> dict[str, Any]:
    """What is taught: the concepts named, else those saved, and the context."""
    from maieutic.files.documents import read_document
    from maieutic.memory.student.files import load_concepts

    if concepts is not None and concepts.suffix.lower() not in _CONCEPT_FILES:
        raise UsageError(f"{concepts} is no concept file (.yaml); to teach from a document: --context {concepts}")
    what: dict[str, Any] = {}
    if concepts is not None:
        load_concepts(concepts)  # what is wrong with it is best told of the file itself
        what["concepts"] = str(concepts.resolve())
    elif saved is not None and saved.concepts:
        what["concepts"] = saved.concepts
    if context is not None:
        read_document(context)
        what["source"] = str(context.resolve())
    if not what:
        raise UsageError(
            "there is nothing to teach: name a concept file (maieutic tutor fractions.yaml) or a document "
            "(maieutic tutor --context notes.pdf)"
        )
    return what


@dataclass(frozen=True, slots=True)
class Saved:
    """What was kept of a student.

    Attributes:
        concepts: What there was to learn, as JSON.
        log: What was observed of the student.
        when: When that was.
    """

    concepts: dict[str, Any] = field(default_factory=dict)
    log: list[dict[str, Any]] = field(default_factory=list)
    when: datetime | None = None

    @classmethod
    def read(cls, path: Path) -> Saved:
        """What a file keeps; nothing if it is not there yet.

        Raises:
            UsageError: The file is none that `--save` wrote.
        """
        from pydantic import ValidationError

        from maieutic.memory.student import ConceptGraph, Observation
        from maieutic.memory.student.concepts import first_of

        try:
            raw = json.loads(path.read_text("utf-8"))
            concepts, when = dict(raw["concepts"]), datetime.fromisoformat(raw["saved"])
            log = [Observation.model_validate(one).to_json() for one in raw["log"]]
            if concepts:
                ConceptGraph.from_json(concepts)
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError, KeyError, TypeError, StudentModelError) as error:
            said = first_of(error) if isinstance(error, ValidationError) else error
            raise UsageError(f"--save {path}: this is no student that maieutic saved ({said})") from error
        return cls(concepts, log, when if when.tzinfo else when.replace(tzinfo=UTC))

    def told_of(self, concepts: ConceptGraph) -> Saved:
        """The same, told in the terms of other concepts.

        What was observed of an item that is no longer there was observed of the concepts that it needed; what was
        observed of concepts that are no longer there is left out.
        """
        needed = {name: entry.get("concepts", []) for name, entry in self.concepts.get("items", {}).items()}
        told = (_told(one, concepts, needed) for one in self.log)
        return replace(self, log=[one for one in told if one is not None])

    def log_now(self, now: datetime | None = None) -> list[dict[str, Any]]:
        """The log with the days that have passed since at its end."""
        passed = ((now or datetime.now(UTC)) - self.when).total_seconds() / _DAY if self.when else 0.0
        days = round(passed, 4)
        return [*self.log, {"kind": "waited", "days": days}] if days > 0 else self.log


def _told(one: dict[str, Any], concepts: ConceptGraph, needed: Mapping[str, Sequence[str]]) -> dict[str, Any] | None:
    """An observation in the terms of these concepts, or None if it cannot be told in them."""
    item = one.get("item")
    if one["kind"] == "waited" or item in concepts.items:
        return one
    about = one.get("concepts", ()) if item is None else needed.get(item, ())
    if not about or any(name not in concepts for name in about):
        return None
    if item is None:
        return one
    if one["kind"] == "answered" and "correct" not in one:
        return None
    return {**{key: value for key, value in one.items() if key not in ("item", "choice")}, "concepts": list(about)}


class Keeper:
    """Writes what is observed of the student, each time something is: a lesson that is broken off loses nothing.

    Args:
        path: Where to.
        concepts: What there is to learn, as JSON, as far as it is known.
        log: What was observed before the lesson.
        resumed: Whether the lesson is taken up, so that it tells again what the file has already.
    """

    def __init__(
        self, path: Path, concepts: dict[str, Any], log: Sequence[dict[str, Any]], *, resumed: bool = False
    ) -> None:
        self._path = path
        self._concepts = concepts
        self._log = list(log)
        self._resumed = resumed

    def __call__(self, event: Event) -> None:
        """Keep what a turn brought."""
        data = event.data.get("data") or {} if event.kind == "turn" else {}
        self._concepts = data.get("concepts") or self._concepts
        self._log += data.get("observed") or []
        if (data.get("concepts") or data.get("observed")) and not (self._resumed and self._is_kept()):
            self._write()

    def _is_kept(self) -> bool:
        """Whether the file has what a resumed lesson tells again.

        Raises:
            UsageError: The file has gone another way since.
        """
        kept = Saved.read(self._path).log
        if self._log[: len(kept)] != kept[: len(self._log)]:
            raise UsageError(
                f"--save {self._path}: another lesson was kept there since this one stopped; go on without --save, or "
                f"begin the next lesson: maieutic tutor --save {self._path}"
            )
        return len(kept) >= len(self._log)

    def _write(self) -> None:
        kept = {"saved": datetime.now(UTC).isoformat(), "concepts": self._concepts, "log": self._log}
        beside = self._path.with_name(f"{self._path.name}.new")
        beside.write_text(json.dumps(kept, ensure_ascii=False), "utf-8")
        beside.replace(self._path)
