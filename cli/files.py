"""`maieutic validate`, `graph`, `explain`, `schema`, `new`: graph files without running them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from maieutic.cli.kinds import kind_of
from maieutic.cli.options import json_option, store_option, talk_options
from maieutic.errors import FileError, MaieuticError, UsageError

if TYPE_CHECKING:
    from maieutic.runs import Graph

__all__ = ["explain", "graph", "new", "schema", "validate"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OUTPUT = click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where to (default: stdout).",
)


_QUESTIONS = {
    "debate": "Should cities ban cars?",
    "graph": "From what does a star get its energy?",
    "lesson": "From what does a star get its energy?",
}


@click.command()
@click.argument("files", type=_FILE, nargs=-1, required=True, metavar="FILE…")
@json_option
@talk_options
def validate(files: tuple[Path, ...], as_json: bool) -> None:
    """Check graph files, concept files and files of items: every problem of every file, with its place."""
    from maieutic.cli.exit_codes import USAGE

    told = [_checked(file) for file in files]
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        for one in told:
            if one["ok"]:
                click.echo(f"{one['file']}: ok ({one['summary']})")
            else:
                click.echo(one["error"], err=True)
    sys.exit(0 if all(one["ok"] for one in told) else USAGE)


def _checked(file: Path) -> dict[str, Any]:
    try:
        summary = {"concepts": _of_concepts, "items": _of_items, "graph": _of_graph, "experiment": _of_experiment}[
            kind_of(file)
        ](file)
    except MaieuticError as error:
        problems = error.problems if isinstance(error, FileError) else ()
        places = [{"file": p.file, "line": p.line, "column": p.column, "message": p.headline} for p in problems]
        return {"file": str(file), "ok": False, "error": str(error), "problems": places}
    return {"file": str(file), "ok": True, "summary": summary}


def _of_concepts(file: Path) -> str:
    from maieutic.memory.student.files import load_concepts
    from maieutic.wording import amount

    concepts = load_concepts(file)
    edges = concepts.graph.number_of_edges()
    name = concepts.graph.graph.get("name", file.stem)
    return f"{name}: {amount(len(concepts), 'concept')}, {amount(edges, 'edge')}, {amount(len(concepts.items), 'item')}"


def _of_items(file: Path) -> str:
    from maieutic.memory.student.item_files import load_items
    from maieutic.wording import amount

    return amount(len(load_items(file)), "item")


def _of_experiment(file: Path) -> str:
    from maieutic.runs.experiments import load_experiment
    from maieutic.wording import amount

    experiment = load_experiment(file)
    return f"{experiment.name}: {amount(len(experiment.conditions), 'condition')}, repeats: {experiment.repeats}"


def _of_graph(file: Path) -> str:
    from maieutic.graphs import Graph, load_spec
    from maieutic.wording import amount

    loaded = Graph(load_spec(file))
    spec = loaded.spec
    what = spec.use if spec.use else amount(len(spec.graph.nodes), "node") if spec.graph else "nothing"
    return f"{spec.name}: {what}, {amount(len(loaded.cast), 'agent')}"


@click.command()
@click.argument("file", type=_FILE)
@click.option(
    "--format", "format_", type=click.Choice(("mermaid", "svg")), help="Default: by --output's ending, else mermaid."
)
@click.option("--run", "run_id", metavar="RUN", help="Show the path that this run took, and why.")
@click.option(
    "--student", type=_FILE, metavar="FILE", help="Colour concepts by what a student knows (kept by tutor --save)."
)
@_OUTPUT
@store_option
@talk_options
def graph(
    file: Path, *, format_: str | None, run_id: str | None, student: Path | None, output: Path | None, store: Path | str
) -> None:
    """Draw the graph in FILE as Mermaid or SVG; the concepts of a concept file as SVG.

    \b
      maieutic graph tutor.yaml                        Mermaid, for Markdown pages
      maieutic graph tutor.yaml -o tutor.svg
      maieutic graph tutor.yaml --run last -o path.svg
      maieutic graph concepts.yaml --student me.json -o me.svg
    """
    from maieutic.graphs import mermaid, svg

    if kind_of(file) == "concepts":
        _write(_map(file, student, format_, run_id), output)
        return
    if student is not None:
        raise UsageError(f"--student colours the concepts of a concept file, and {file} is a graph file")
    drawn, edges = _loaded(file), _edges(store, run_id)
    if format_ is None:
        ending = output.suffix.lower() if output is not None else ""
        if ending in (".png", ".pdf", ".jpg", ".jpeg"):
            raise UsageError(
                f"{output}: drawings are made as SVG or Mermaid; write to a file that ends in .svg or .mmd."
            )
        format_ = "svg" if ending == ".svg" else "mermaid"
    if format_ == "svg":
        _write(svg(drawn, edges=edges), output)
    else:
        _write(mermaid(drawn, edges), output)


def _map(file: Path, student: Path | None, format_: str | None, run_id: str | None) -> str:
    """The concepts of a file, coloured by what is believed of a student if one is given."""
    from maieutic.memory.student import StudentModel
    from maieutic.memory.student.concept_map import concept_map
    from maieutic.memory.student.files import load_concepts

    if format_ == "mermaid" or run_id is not None:
        raise UsageError(f"{file} holds concepts: they are drawn as SVG only, and no run has a path through them")
    concepts = load_concepts(file)
    if student is None:
        return concept_map(concepts)
    from maieutic.cli.kept import Kept
    from maieutic.memory.student import Observation

    log = Kept.read(student, "--student").told_of(concepts).log_now()
    return concept_map(StudentModel.of(concepts, [Observation.model_validate(one) for one in log]))


def _edges(store: Path | str, run_id: str | None) -> list[dict[str, Any]]:
    from maieutic.cli.recorded import find, opened

    if run_id is None:
        return []
    with opened(store) as journal:
        record = find(journal, run_id)
    return list((record.outcome or {}).get("edges") or [])


@click.command()
@click.argument("file", type=_FILE)
@click.argument("node")
@talk_options
def explain(file: Path, node: str) -> None:
    """Say what NODE of the graph in FILE reads, writes and does, and where it can go."""
    from maieutic.graphs import explain as explained

    click.echo(explained(_loaded(file), node))


@click.command()
@click.option("--concepts", "of_concepts", is_flag=True, help="Of concept files, not of graph files.")
@click.option("--experiments", "of_experiments", is_flag=True, help="Of experiment files, not of graph files.")
@_OUTPUT
@talk_options
def schema(of_concepts: bool, of_experiments: bool, output: Path | None) -> None:
    """Write the JSON Schema of graph files (or of concept or experiment files), for editors.

    \b
      maieutic schema -o maieutic.schema.json
    and at the top of a graph file:
      # yaml-language-server: $schema=./maieutic.schema.json
    """
    if of_concepts and of_experiments:
        raise UsageError("--concepts and --experiments are two schemas; write one at a time")
    if of_experiments:
        from maieutic.runs.experiments import schema as made
    elif of_concepts:
        from maieutic.memory.student.entries import concept_schema as made
    else:
        from maieutic.graphs import json_schema as made
    _write(json.dumps(made(), indent=2), output)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--kind", type=click.Choice(tuple(_QUESTIONS)), default="debate", show_default=True, help="Of what.")
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@talk_options
def new(file: Path, kind: str, force: bool) -> None:
    """Write a commented graph file to start from."""
    from importlib.resources import files

    if file.exists() and not force:
        raise UsageError(f"{file} is there already; --force replaces it.")
    text = (files("maieutic.cli") / "starters" / f"{kind}.yaml").read_text(encoding="utf-8")
    _write(text.replace("FILE", str(file)), file)
    click.echo(f'Try it: maieutic run {file} -i question="{_QUESTIONS[kind]}"', err=True)


def _loaded(file: Path) -> Graph:
    from maieutic.graphs import load_spec
    from maieutic.runs import Graph

    return Graph(load_spec(file))


def _write(text: str, output: Path | None) -> None:
    text = text.rstrip("\n")
    if output is None:
        click.echo(text)
        return
    try:
        output.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror or error}") from error
    click.echo(f"Wrote {output}.", err=True)
