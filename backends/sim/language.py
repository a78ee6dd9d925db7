"""The little grammar that a simulated mind has: words, sentences, and the forms of a verb."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

__all__ = ["Phrases", "capital", "gerund", "joined", "normal_form", "spelled", "words"]

_WORD = re.compile(r"(?<!\w)[-−](?=\d)[\d.,/]*\d|[^\W_]+(?:[.,/:'’%][^\W_]+)*|[%+=<>]")
_ARTICLES = frozenset({"a", "an", "the"})
_VOWELS = "aeiou"
_SILENT = re.compile(r"[^aeiou]e$|[aeiou][^aeiou]e$|ue$")
_DOUBLED = re.compile(r"^[^aeiou]*[aeiou][bdgklmnprt]$")
_STRESSED = frozenset({"begin", "forget", "permit", "admit", "commit", "submit", "refer", "prefer", "occur",
                       "control", "regret", "forbid", "upset", "transfer", "compel", "expel", "cancel",
                       "quit", "equip"})  # fmt: skip


def words(text: str) -> list[str]:
    """The words of a text in lower case, numbers with their points and fractions kept whole."""
    return _WORD.findall(text.lower().replace("’", "'").replace("−", "-"))


@lru_cache(maxsize=16384)
def normal_form(text: str) -> str:
    """What two ways of writing the same answer have in common: case, punctuation and articles do not count."""
    found = words(text)
    return " ".join(word for word in found if word not in _ARTICLES) or " ".join(found) or text.strip().lower()


def spelled(question: str) -> str:
    """What two ways of writing the same question have in common: every sign in it counts, but not how it ends."""
    return " ".join(question.lower().split()).rstrip(" ?.!:")


def capital(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def joined(items: Sequence[str], last: str = "and") -> str:
    """A list in words: "a, b and c"."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}" if items else ""


def gerund(phrase: str) -> str:
    """A verb phrase as a noun: "ban cars" becomes "banning cars", "be free" becomes "being free"."""
    verb, space, rest = phrase.partition(" ")
    return f"{_ing(verb)}{space}{rest}"


def _ing(verb: str) -> str:
    low = verb.lower()
    if low in ("be", "see", "flee", "agree", "free", "guarantee", "decree", "dye"):
        return f"{verb}ing"
    if low.endswith("ie"):
        return f"{verb[:-2]}ying"
    if low.endswith("e") and _SILENT.search(low):
        return f"{verb[:-1]}ing"
    if _DOUBLED.match(low) or low in _STRESSED:
        return f"{verb}{verb[-1]}ing"
    return f"{verb}ing"


class Phrases:
    """Finds known phrases in a text, in time linear in the length of the text.

    Args:
        phrases: (key, phrase) pairs. Case, punctuation and line breaks in the text make no difference.
    """

    def __init__(self, phrases: Iterable[tuple[str, str]]) -> None:
        self._by_start: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
        for key, phrase in phrases:
            tokens = tuple(words(phrase))
            if tokens:
                self._by_start.setdefault(" ".join(tokens[:2]), []).append((key, tokens))
        for known in self._by_start.values():
            known.sort(key=lambda entry: -len(entry[1]))

    def find(self, tokens: Sequence[str]) -> list[tuple[int, str]]:
        """(position, key) of every phrase, in the order of the text; the longest where several start."""
        tokens = tuple(tokens)
        found = []
        none: list[tuple[str, tuple[str, ...]]] = []
        get = self._by_start.get
        last = len(tokens) - 1
        for at in range(len(tokens)):
            known = get(f"{tokens[at]} {tokens[at + 1]}", none) if at < last else none
            for key, phrase in known or get(tokens[at], none):
                if len(phrase) == 1 or tokens[at : at + len(phrase)] == phrase:
                    found.append((at, key))
                    break
        return found
