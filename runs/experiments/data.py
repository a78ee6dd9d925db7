"""Data sets, read row by row and never held whole: JSONL, CSV, Parquet, the bundled questions, the Hugging Face hub."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from maieutic.errors import ExperimentFileError, UsageError
from maieutic.files.problems import did_you_mean
from maieutic.runs.experiments.items import SampleItem
from maieutic.runs.experiments.spec import DataSpec

__all__ = ["ENDINGS", "DataSet", "Row"]

_BATCH = 512
_LONGEST_FIELD = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a data set.

    Attributes:
        where: File and line, or name and number, for messages.
        values: By column.
    """

    where: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DataSet:
    """The items of an experiment; iterating reads them anew.

    Attributes:
        spec: Where they come from, and which columns say what.
        home: The folder from which a file's path starts.
        inputs: The names of all conditions' inputs, the needed ones mapped to True.
        given: Items that are handed over, in place of a file: mappings of columns, or items.
    """

    spec: DataSpec
    home: Path
    inputs: Mapping[str, bool]
    given: Iterable[Mapping[str, Any] | SampleItem] | None = None

    def __iter__(self) -> Iterator[SampleItem]:
        number = 0
        for number, row in enumerate(islice(self._rows(), self.spec.limit), 1):
            yield self._made(number, row)
        if not number:
            raise ExperimentFileError(
                "data: where: no row has such values"
                if self.spec.where
                else "the data set has no items (those that are given as an iterator can be read once)"
            )

    def _made(self, number: int, row: Row | SampleItem) -> SampleItem:
        return row if isinstance(row, SampleItem) else self._item(number, row)

    @property
    def signature(self) -> str | None:
        """What tells whether the data set has changed, without reading it; None where nothing tells."""
        spec = self.spec.model_dump_json(exclude_unset=True)
        if self.given is None and self.spec.file is not None:
            status = (self.home / self.spec.file).stat()
            return f"{spec} {status.st_size} {status.st_mtime_ns} {sorted(self.inputs)}"
        if self.given is None and self.spec.bundled is not None:
            return f"{spec} {sorted(self.inputs)}"
        return None

    def _rows(self) -> Iterator[Row | SampleItem]:
        if self.given is not None:
            return (
                each if isinstance(each, SampleItem) else Row(f"item {number}", each)
                for number, each in enumerate(self.given, 1)
            )
        rows = self._all_rows()
        if not self.spec.where:
            return rows
        given = {c: v if isinstance(v, list) else [v] for c, v in self.spec.where.items()}
        wanted = {column: {_text(value) for value in values} for column, values in given.items()}
        return (row for row in rows if all(_text(_column(row, c, "where")) in values for c, values in wanted.items()))

    def _all_rows(self) -> Iterator[Row]:
        spec = self.spec
        if spec.file is None:
            return _bundled() if spec.bundled is not None else _hub(spec)
        path = self.home / spec.file
        rows = ENDINGS[path.suffix.lower()](path)
        if path.suffix.lower() not in _CELLS:
            return rows
        inputs = spec.inputs if isinstance(spec.inputs, Mapping) else {}
        several = {"options", "aliases", spec.options, spec.aliases, inputs.get("options")}
        return (Row(row.where, {c: _several(v) if c in several else v for c, v in row.values.items()}) for row in rows)

    def _item(self, number: int, row: Row) -> SampleItem:
        spec, values = self.spec, row.values
        inputs = self._inputs(row)
        target = spec.target or next((c for c in ("target", "answer") if c in values and c not in inputs), None)
        columns = self._columns(row)
        options = _answers(_named(row, "options", spec.options or columns.get("options"), self.inputs))
        if options and "options" in self.inputs:
            inputs["options"] = list(options)
        name = _named(row, "id", spec.id, self.inputs)
        taken = {"id", "aliases", "options", "family", "group", target} | set(inputs)
        taken |= {spec.id, spec.aliases, spec.options, spec.family, spec.group} | set(columns.values())
        accepted = () if target is None else _answers(_column(row, target, "target"))
        return SampleItem(
            id=str(number) if name is None or name == "" else str(name),
            inputs=inputs,
            target=(*accepted, *_answers(_named(row, "aliases", spec.aliases, self.inputs))),
            options=options,
            family=_text(_named(row, "family", spec.family, self.inputs)),
            group=_text(_named(row, "group", spec.group, self.inputs)),
            data=_plain({c: v for c, v in values.items() if c not in taken}, row),
        )

    def _columns(self, row: Row) -> dict[str, str]:
        """Inputs with the columns that they come from."""
        given = self.spec.inputs
        if given is None:
            return {name: name for name in self.inputs if name in row.values}
        return dict(given) if isinstance(given, Mapping) else {name: name for name in given}

    def _inputs(self, row: Row) -> dict[str, Any]:
        columns = self._columns(row)
        for name in columns:
            if name not in self.inputs:
                raise ExperimentFileError(
                    f"data: inputs: no condition has an input {name!r}; {did_you_mean(name, self.inputs)}"
                )
        missing = [name for name, needed in self.inputs.items() if needed and name not in columns]
        if missing:
            raise ExperimentFileError(
                f"{row.where}: there is no column {missing[0]!r}, which the conditions need as an input; the columns "
                f"are {', '.join(row.values)}. Say which it is: data: {{inputs: {{{missing[0]}: COLUMN}}}}"
            )
        found = _plain({name: _column(row, column, "inputs") for name, column in columns.items()}, row)
        for name, value in found.items():
            if value is None and self.inputs[name]:
                raise ExperimentFileError(
                    f"{row.where}: the column {columns[name]!r} is empty (null), and the conditions need it as an input"
                )
        return found


def _column(row: Row, column: str, key: str) -> Any:
    if column not in row.values:
        hint = did_you_mean(column, row.values)
        raise ExperimentFileError(f"{row.where}: data: {key}: there is no column {column!r}; {hint}")
    return row.values[column]


def _named(row: Row, key: str, column: str | None, inputs: Collection[str]) -> Any:
    """The value of a column that the file names, or of one that has the usual name and is nobody's input."""
    if column is not None:
        return _column(row, column, key)
    return row.values.get(key) if key == "options" or key not in inputs else None


def _answers(value: Any) -> tuple[str, ...]:
    """Answers; a JSON list of texts is several of them, and "[0, 1]" is one."""
    found = _listed(value)
    return _texts(found if found and all(isinstance(each, str) for each in found) else value)


def _texts(value: Any) -> tuple[str, ...]:
    """One text, or a list of them."""
    if value is None or value == "":
        return ()
    if isinstance(value, list | tuple):
        return tuple(_text(each) for each in value)
    return (_text(value),)


def _several(cell: str) -> Any:
    """Several texts in one cell: a JSON list, or texts with | between them."""
    return (_listed(cell) or [part.strip() for part in cell.split("|")]) if cell.strip() else cell


def _listed(value: Any) -> list[Any] | None:
    """The list that a text is in JSON; None if it is none."""
    if not isinstance(value, str) or not value.lstrip().startswith("["):
        return None
    try:
        found = json.loads(value)
    except ValueError:
        return None
    return found if isinstance(found, list) else None


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _plain(values: dict[str, Any], row: Row) -> dict[str, Any]:
    try:
        return dict(json.loads(json.dumps(values, allow_nan=True, default=_as_json)))
    except (TypeError, ValueError) as error:
        raise ExperimentFileError(f"{row.where}: a value is no plain JSON: {error}") from error


def _as_json(value: Any) -> Any:
    """What Parquet and the hub have beyond JSON: dates and decimals as texts, arrays as lists; no bytes."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, bytes):
        raise TypeError("bytes")
    return str(value)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            yield from enumerate(file, 1)
    except UnicodeDecodeError as error:
        raise ExperimentFileError(f"{path}: the file is not UTF-8 text ({error.reason}); save it as UTF-8") from error
    except OSError as error:
        raise ExperimentFileError(f"{path} cannot be read: {error.strerror or error}") from error


def _jsonl(path: Path) -> Iterator[Row]:
    empty = True
    for number, line in _lines(path):
        if not line.strip():
            continue
        empty = False
        try:
            values = json.loads(line)
        except ValueError as error:
            where = f"{path}:{number}:{getattr(error, 'colno', 1)}"
            raise ExperimentFileError(f"{where}: this line is no JSON: {getattr(error, 'msg', error)}") from error
        if not isinstance(values, dict):
            raise ExperimentFileError(f'{path}:{number}: a line is a JSON object, {{"question": …, "answer": …}}')
        yield Row(f"{path}:{number}", values)
    if empty:
        raise ExperimentFileError(f"{path} has no items")


def _table(path: Path, delimiter: str) -> Iterator[Row]:
    csv.field_size_limit(_LONGEST_FIELD)
    reader = csv.reader((line for _, line in _lines(path)), delimiter=delimiter, strict=True)
    try:
        head = next(reader, None)
        if not head:
            raise ExperimentFileError(f"{path} has no items; the first line names the columns")
        for twice in [name for name in head if head.count(name) > 1]:
            raise ExperimentFileError(f"{path}:1: the column {twice!r} stands there twice")
        for cells in reader:
            if not any(cells):
                continue
            if len(cells) != len(head):
                raise ExperimentFileError(
                    f"{path}:{reader.line_num}: this row has {len(cells)} cells, and there are {len(head)} columns "
                    f"({', '.join(head)}); a cell with {delimiter!r} in it needs quotes"
                )
            yield Row(f"{path}:{reader.line_num}", dict(zip(head, cells, strict=True)))
    except csv.Error as error:
        raise ExperimentFileError(f"{path}:{reader.line_num}: this is no CSV: {error}") from error


def _csv(path: Path) -> Iterator[Row]:
    return _table(path, ",")


def _tsv(path: Path) -> Iterator[Row]:
    return _table(path, "\t")


def _parquet(path: Path) -> Iterator[Row]:
    try:
        import pyarrow as pa  # type: ignore[import-untyped]
        import pyarrow.parquet as pq  # type: ignore[import-untyped]
    except ImportError as error:
        raise UsageError(f"{path}: Parquet needs pyarrow: pip install 'maieutic[experiments]'") from error
    number = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_BATCH):
                for values in batch.to_pylist():
                    number += 1
                    yield Row(f"{path}, row {number}", values)
    except (pa.ArrowException, OSError) as error:
        raise ExperimentFileError(f"{path} cannot be read as Parquet: {error}") from error
    if not number:
        raise ExperimentFileError(f"{path} has no items")


ENDINGS: Mapping[str, Callable[[Path], Iterator[Row]]] = {
    ".jsonl": _jsonl,
    ".ndjson": _jsonl,
    ".csv": _csv,
    ".tsv": _tsv,
    ".parquet": _parquet,
}
"""How a data set is read, by the end of its file's name."""
_CELLS = frozenset((".csv", ".tsv"))
"""Of these, the tables of texts."""


def _bundled() -> Iterator[Row]:
    from maieutic.protocols.routing.routers.asking import bundled_questions

    for number, question in enumerate(bundled_questions(), 1):
        target, *aliases = question.answer
        values = {"question": question.question, "target": target, "aliases": aliases, "family": question.family}
        yield Row(f"bundled questions, {number}", {**values, "options": question.options})


def _hub(spec: DataSpec) -> Iterator[Row]:
    try:
        import datasets  # type: ignore[import-untyped]
    except ImportError as error:
        raise UsageError("data: hub: needs the library datasets: pip install 'maieutic[hub]'") from error
    assert spec.hub is not None
    where = f"{spec.hub}[{spec.split or 'train'}]"
    try:
        rows = datasets.load_dataset(
            spec.hub, spec.config, split=spec.split or "train", revision=spec.revision, streaming=True
        )
        for number, values in enumerate(rows, 1):
            yield Row(f"{where}, row {number}", values)
    except (OSError, ValueError, ImportError, datasets.exceptions.DatasetsError) as error:
        raise UsageError(f"data: hub: {where} cannot be read: {error}") from error
