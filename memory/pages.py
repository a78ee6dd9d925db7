"""Rows straight from the pages of an SQLite file: what SQLite itself cannot reach once an inner page is broken.

The layout is that of https://www.sqlite.org/fileformat2.html, sections 1.6 (B-tree pages) and 2.1 (record format).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

__all__ = ["PAGE", "scan"]

PAGE = 4096
"""Bytes of a page, SQLite's default and so that of every journal."""

_LEAF = 13  # type of a page that holds rows
_WHOLE = PAGE - 35  # a row up to this size stays on its page
_LEAST = (PAGE - 12) * 32 // 255 - 23  # at least so much of a larger one does
_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}  # serial type: bytes


def scan(path: Path, columns: int) -> Iterator[tuple[Any, ...]]:
    """Every row with so many columns on any readable page; the first column is the row's number.

    Rows that were deleted may turn up as well, until a VACUUM has taken their pages.
    """
    with path.open("rb") as file:
        pages = path.stat().st_size // PAGE
        for number in range(1, pages):
            file.seek(number * PAGE)
            page = file.read(PAGE)
            if page[0] == _LEAF:
                yield from _rows(file, page, columns)


def _rows(file: BinaryIO, page: bytes, columns: int) -> Iterator[tuple[Any, ...]]:
    cells = min(int.from_bytes(page[3:5], "big"), (PAGE - 8) // 2)
    for start in struct.unpack(f">{cells}H", page[8 : 8 + 2 * cells]):
        try:
            size, at = _varint(page, start)
            number, at = _varint(page, at)
            row = _record(_payload(file, page, at, size), columns)
        except (IndexError, ValueError, struct.error):
            continue  # not a row, or no longer one
        if row is not None:
            yield (number, *row[1:])


def _payload(file: BinaryIO, page: bytes, at: int, size: int) -> bytes:
    """A row's bytes, those on its overflow pages included."""
    if size <= _WHOLE:
        return page[at : at + size]
    here = _LEAST + (size - _LEAST) % (PAGE - 4)
    here = here if here <= _WHOLE else _LEAST
    parts, left = [page[at : at + here]], size - here
    following = int.from_bytes(page[at + here : at + here + 4], "big")
    while left > 0:
        if not following:
            raise ValueError("the row breaks off")
        file.seek((following - 1) * PAGE)
        more = file.read(PAGE)
        if len(more) < PAGE:
            raise ValueError("the row breaks off")
        following = int.from_bytes(more[:4], "big")
        parts.append(more[4 : 4 + left])
        left -= PAGE - 4
    return b"".join(parts)


def _record(payload: bytes, columns: int) -> list[Any] | None:
    """The values of a row, or None if it has another number of columns."""
    end, at = _varint(payload, 0)
    types = []
    while at < end:
        kind, at = _varint(payload, at)
        types.append(kind)
    if len(types) != columns:
        return None
    values = []
    for kind in types:
        value, at = _value(payload, at, kind)
        values.append(value)
    if at > len(payload):
        raise ValueError("the row breaks off")
    return values


def _value(payload: bytes, at: int, kind: int) -> tuple[Any, int]:
    if kind == 0:
        return None, at
    if kind in _INTEGERS:
        end = at + _INTEGERS[kind]
        return int.from_bytes(payload[at:end], "big", signed=True), end
    if kind == 7:
        return struct.unpack(">d", payload[at : at + 8])[0], at + 8
    if kind in (8, 9):
        return kind - 8, at
    if kind < 12:
        raise ValueError("no such type")
    end = at + (kind - 12) // 2
    raw = payload[at:end]
    return (raw.decode() if kind % 2 else raw), end


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of one to nine bytes, and where it ends."""
    value = 0
    for place in range(at, at + 8):
        value = value << 7 | data[place] & 0x7F
        if data[place] < 0x80:
            return value, place + 1
    return value << 8 | data[at + 8], at + 9
