"""When two answers say the same: a conservative normal form, and groups of answers under one name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from decimal import Decimal

__all__ = ["Answers", "normal", "same"]

_YES_NO = {
    **dict.fromkeys(("yes", "yeah", "yep", "yup", "affirmative"), "yes"),
    **dict.fromkeys(("no", "nope", "nay", "negative"), "no"),
}
_QUOTES = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "−": "-"})
_LABEL = re.compile(r"^(?:(?:the )?(?:final )?answer(?: is)?\s*[:=]|(?:the )?(?:final )?answer is)\s*", re.IGNORECASE)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_HYPHEN = re.compile(r"(?<=[^\W\d])-(?=[^\W\d])")
_PUNCTUATION = re.compile(r"(?<!\d)[.,:]|[.,:](?!\d)|[;!?\"'`()\[\]{}*_]")
_ARTICLE = re.compile(r"\b(?:a|an|the)\b")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")


def normal(answer: str) -> str:
    """The normal form under which answers are compared.

    Case, articles, surrounding space and sentence punctuation do not count (as in SQuAD's evaluation, Rajpurkar et al.
    2016), nor do a leading "Answer:", thousands separators and a number's trailing zeros; "yeah" and "nope" are yes and
    no. Unlike SQuAD's form it keeps what can change the meaning: a sign, a decimal point, ``C++`` and ``C#``, and the
    letter "A" as an answer of its own. An answer that goes on after "yes" stays apart from a plain yes.
    """
    text = unicodedata.normalize("NFKC", answer).translate(_QUOTES).strip()
    bare = _LABEL.sub("", text).casefold()
    bare = _PUNCTUATION.sub("", _THOUSANDS.sub("", _HYPHEN.sub(" ", bare)))
    form = " ".join(_ARTICLE.sub(" ", bare).split()) or " ".join(bare.split())
    if _NUMBER.fullmatch(form):
        number = Decimal(form)
        return "0" if number == 0 else f"{number.normalize():f}"
    return _YES_NO.get(form, form) or text.casefold()


def same(one: str, other: str) -> bool:
    """Whether two answers have the same normal form."""
    return normal(one) == normal(other)


class Answers:
    """Groups answers that say the same under one name: the option they match, else the form first seen.

    Args:
        options: The possible answers, if they are known. An answer is compared with them as it stands first, then by
            normal form; one that matches none is a group of its own.
        seen: Answers met so far, in order.
    """

    def __init__(self, options: Sequence[str] = (), seen: Iterable[str] = ()) -> None:
        self.options = tuple(options)
        self._names: dict[str, str] = {}
        for option in self.options:
            self._names.setdefault(normal(option), option)
        for answer in seen:
            self.name(answer)

    def name(self, answer: str) -> str:
        """The name of the answer's group; a new answer opens a group under its own stripped form."""
        if answer in self.options:
            return answer
        return self._names.setdefault(normal(answer), answer.strip())
