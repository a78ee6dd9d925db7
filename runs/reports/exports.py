"""Results as a table in a file, a row for each dialogue: CSV or Parquet, written as they are read."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maieutic.errors import UsageError

if TYPE_CHECKING:
    from maieutic.runs.experiments.results import Result

__all__ = ["COLUMNS", "row_of", "write_csv", "write_parquet"]

COLUMNS = (
    "experiment", "condition", "item", "repeat", "seed", "run_id", "status", "reason", "answer", "target", "calls",
    "tokens_in", "tokens_out", "usd", "seconds", "error", "group", "family", "simulated",
)  # fmt: skip
"""What stands in a row beside `score.NAME` for each scorer."""
_PAGE = 1000


def row_of(result: Result, scorers: Sequence[str]) -> dict[str, Any]:
    """A result as one row; what is unknown is None, and what no encoding has (lone surrogates) is a question mark."""
    row = {name: _encodable(getattr(result, name)) for name in COLUMNS}
    row["target"] = [_encodable(text) for text in result.target]
    return row | {f"score.{name}": result.scores.get(name) for name in scorers}


def _encodable(value: Any) -> Any:
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else value


def write_csv(results: Iterable[Result], scorers: Sequence[str], path: Path | str) -> int:
    """Write a CSV file (UTF-8, with a head; unknown is empty, a target is a JSON array); how many rows it has.

    Raises:
        UsageError: The file cannot be written.
    """
    path = Path(path)
    count = 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            out = csv.DictWriter(file, [*COLUMNS, *(f"score.{name}" for name in scorers)])
            out.writeheader()
            for result in results:
                row = row_of(result, scorers)
                out.writerow({**row, "target": json.dumps(row["target"], ensure_ascii=False)})
                count += 1
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}.") from error
    return count


def write_parquet(results: Iterable[Result], scorers: Sequence[str], path: Path | str) -> int:
    """Write a Parquet file; how many rows it has.

    Raises:
        UsageError: pyarrow is not installed, or the file cannot be written.
    """
    try:
        import pyarrow as pa  # type: ignore[import-untyped]
        import pyarrow.parquet as pq  # type: ignore[import-untyped]
    except ImportError as error:
        raise UsageError("Parquet needs pyarrow. Install it with: pip install 'maieutic[experiments]'") from error
    kinds: dict[str, Any] = dict.fromkeys(COLUMNS, pa.string())
    kinds |= dict.fromkeys(("repeat", "seed", "calls", "tokens_in", "tokens_out"), pa.int64())
    kinds |= {"usd": pa.float64(), "seconds": pa.float64(), "simulated": pa.bool_(), "target": pa.list_(pa.string())}
    schema = pa.schema([*kinds.items(), *((f"score.{name}", pa.float64()) for name in scorers)])
    path = Path(path)
    count = 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with pq.ParquetWriter(path, schema) as out:
            for page in _pages(iter(results)):
                out.write_table(pa.Table.from_pylist([row_of(result, scorers) for result in page], schema=schema))
                count += len(page)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}.") from error
    return count


def _pages(results: Iterator[Result]) -> Iterator[list[Result]]:
    while page := list(islice(results, _PAGE)):
        yield page
