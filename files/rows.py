"""Rows of data in files that training libraries read: a JSON object a line, or Parquet."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from maieutic.errors import UsageError

__all__ = ["ENDINGS", "write_rows"]

ENDINGS = (".jsonl", ".parquet")
"""What the name of a file of rows ends in."""


def write_rows(rows: Iterable[dict[str, Any]], path: Path | str) -> Path:
    """Write rows to a file: .jsonl (one row a line), or .parquet where pyarrow is installed.

    Raises:
        UsageError: The ending is another, pyarrow is not installed, or the file cannot be written.
    """
    path = Path(path)
    if path.suffix not in ENDINGS:
        raise UsageError(f"cannot write rows to {path}: the name must end in {' or '.join(ENDINGS)}")
    try:
        if path.suffix == ".parquet":
            _write_parquet(list(rows), path)
        else:
            with path.open("w", encoding="utf-8") as file:
                for row in rows:
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")
    except OSError as error:
        raise UsageError(f"cannot write rows to {path}: {error.strerror}") from error
    return path


def _write_parquet(rows: list[dict[str, Any]], path: Path) -> None:
    try:
        import pyarrow as pa  # type: ignore[import-not-found, import-untyped, unused-ignore]
        import pyarrow.parquet as pq  # type: ignore[import-not-found, import-untyped, unused-ignore]
    except ImportError:
        raise UsageError(
            f"cannot write {path}: parquet needs pyarrow; install it (`pip install pyarrow`), or write a .jsonl file"
        ) from None
    pq.write_table(pa.Table.from_pylist(rows), path)
