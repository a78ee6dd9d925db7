"""The stable address of one effect: where in a run it happened, never when."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

__all__ = ["Address"]


@dataclass(frozen=True, slots=True)
class Address:
    """A place in a run, made of the run, the item, the repeat and the path of steps below them.

    A step of the path is a node and its visit (``review#2``) or a call inside it (``ada.argue``); a protocol used
    as a node nests its own steps. Two executions of the same graph give every effect the same address, whatever
    the timing, and that is what lets a journal answer for a model.

    Attributes:
        run: The run's id.
        item: The data item's id ("0" for a single run).
        repeat: Which repeat of the item, from 0.
        path: The steps, outermost first.
    """

    run: str
    item: str = "0"
    repeat: int = 0
    path: tuple[str, ...] = ()

    def __truediv__(self, step: str) -> Address:
        return Address(self.run, self.item, self.repeat, (*self.path, step))

    @property
    def local(self) -> str:
        """The address within its run, as the journal stores it: ``item/repeat/step/step``."""
        return "/".join((_quoted(self.item, ""), str(self.repeat), *(_quoted(step, "#.:,=+@") for step in self.path)))

    def __str__(self) -> str:
        return f"{self.run}/{self.local}"


# The steps of a protocol are few, and every call asks for its address several times.
_quoted = lru_cache(maxsize=4096)(quote)
