"""The items that a student model knows, found by id or by question, compiled when they are first used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from maieutic.errors import StudentModelError
from maieutic.files.problems import did_you_mean
from maieutic.memory.student.answering import Question
from maieutic.memory.student.items import Item
from maieutic.memory.student.tracing import Chain

__all__ = ["Library"]


class Library:
    """Items by id and by question.

    Args:
        where: Position of each concept.
        chains: The concepts' chains, by position.
    """

    def __init__(self, where: Mapping[str, int], chains: Sequence[Chain]) -> None:
        self._where = where
        self._chains = chains
        self.items: dict[str, Item] = {}
        self._questions: dict[str, Question] = {}
        self._ids: dict[str, str] = {}  # by question, in normal form
        self._needing: dict[int, list[Question]] = {}
        self._plain: dict[tuple[str, ...], Question] = {}

    def copy(self) -> Library:
        """An independent library of the same items."""
        other = Library(self._where, self._chains)
        other.items, other._ids = self.items.copy(), self._ids.copy()
        other._questions = self._questions.copy()
        other._needing = {concept: list(questions) for concept, questions in self._needing.items()}
        other._plain = self._plain  # depends on the concepts alone
        return other

    def add(self, item: Item) -> None:
        """Make an item known; nothing happens if it is.

        Raises:
            StudentModelError: Another item has its id, or it names what is not there.
        """
        known = self.items.get(item.id)
        if known is not None:
            if known != item:
                raise StudentModelError(f"there are two different items {item.id!r}; give one of them another id")
            return
        question = Question(item, self._where, self._chains)
        self.items[item.id] = item
        self._questions[item.id] = question
        if item.question:
            self._ids.setdefault(_form(item.question), item.id)
        for concept in question.concepts:
            self._needing.setdefault(concept, []).append(question)

    def question(self, item: str | Item) -> Question:
        """An item by its id or by its question (case and space do not count), or given as it is.

        Raises:
            StudentModelError: There is no such item, or it names what is not there.
        """
        if isinstance(item, Item):
            known = self._questions.get(item.id)
            return known if known is not None and known.item == item else Question(item, self._where, self._chains)
        found = self._questions.get(item) or self._questions.get(self._ids.get(_form(item), ""))
        if found is None:
            raise StudentModelError(f"there is no item {item!r}; {did_you_mean(item, self.items)}")
        return found

    def needing(self, concept: int) -> Sequence[Question]:
        """The items that need a concept."""
        return self._needing.get(concept, ())

    def plain(self, concepts: tuple[str, ...]) -> Question:
        """An open question that needs these concepts.

        Raises:
            StudentModelError: There is no such concept.
        """
        if concepts not in self._plain:
            for name in concepts:
                if name not in self._where:
                    raise StudentModelError(f"there is no concept {name!r}; {did_you_mean(name, self._where)}")
            item = Item(id=", ".join(concepts), concepts=concepts)
            self._plain[concepts] = Question(item, self._where, self._chains)
        return self._plain[concepts]


def _form(question: str) -> str:
    return " ".join(question.casefold().split())
