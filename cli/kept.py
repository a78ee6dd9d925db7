"""The student that `maieutic tutor --save` keeps, in a file as `StudentModel.save` writes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maieutic.errors import StudentModelError, UsageError
from maieutic.memory import Event

if TYPE_CHECKING:
    from maieutic.memory.student import ConceptGraph, InterventionPolicy

__all__ = ["Keeper", "Kept"]

_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Kept:
    """What was kept of a student.

    Attributes:
        concepts: What there was to learn, with its items, as JSON.
        log: What was observed of the student.
        policy: When to intervene, as it was saved.
        when: When that was.
    """

    concepts: dict[str, Any] = field(default_factory=dict)
    log: list[dict[str, Any]] = field(default_factory=list)
    policy: InterventionPolicy | None = None
    when: datetime | None = None

    @classmethod
    def read(cls, path: Path, option: str = "--save") -> Kept:
        """What a file keeps; nothing if it is not there yet. `option` is what it was named by.

        Raises:
            UsageError: It holds no student model, or one without what was observed.
        """
        from maieutic.memory.student.saving import load_dated

        if not path.exists():
            return cls()
        try:
            model, when = load_dated(path)
        except StudentModelError as error:
            raise UsageError(f"{option} {error}") from error
        if not model.keep_log:
            raise UsageError(
                f"{option} {path}: what was observed of this student was not kept (keep_log=False), and a lesson goes "
                "on from that; keep the lesson in another file"
            )
        items = {
            item.id: item.model_dump(mode="json", exclude_defaults=True, exclude={"id"})
            for item in model.items.values()
        }
        concepts = {**model.concepts.to_json(), "items": items}
        return cls(concepts, [one.to_json() for one in model.log], model.policy, when)

    def told_of(self, concepts: ConceptGraph) -> Kept:
        """The same, told in the terms of other concepts.

        What was observed of an item that is no longer there was observed of the concepts that it needed; what was
        observed of concepts that are no longer there is left out.
        """
        needed = {name: entry.get("concepts", []) for name, entry in self.concepts.get("items", {}).items()}
        told = (_told(one, concepts, needed) for one in self.log)
        return replace(self, concepts=concepts.to_json(), log=[one for one in told if one is not None])

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
        kept: What the file has.
        log: What was observed before the lesson.
        resumed: Whether the lesson is taken up, so that it tells again what the file has already.
    """

    def __init__(self, path: Path, kept: Kept, log: Sequence[dict[str, Any]], *, resumed: bool = False) -> None:
        self._path = path
        self._concepts = kept.concepts
        self._policy = kept.policy
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
        kept = Kept.read(self._path).log
        if self._log[: len(kept)] != kept[: len(self._log)]:
            raise UsageError(
                f"--save {self._path}: another lesson was kept there since this one stopped; go on without --save, or "
                f"begin the next lesson: maieutic tutor --save {self._path}"
            )
        return len(kept) >= len(self._log)

    def _write(self) -> None:
        from maieutic.memory.student import ConceptGraph, Observation, StudentModel

        observed = [Observation.model_validate(one) for one in self._log]
        StudentModel.of(ConceptGraph.from_json(self._concepts), observed, policy=self._policy).save(self._path)
