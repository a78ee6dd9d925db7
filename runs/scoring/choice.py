"""Multiple choice: which of an item's options an answer means, by its letter or by its words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from maieutic.memory.answers import normal
from maieutic.runs.scoring.base import SampleItem, Score
from maieutic.runs.scoring.texts import TextScorer

__all__ = ["MultipleChoice", "chosen"]

_LABEL = re.compile(
    r"^(?:(?:the\s+)?(?:(?:final|correct|right)\s+)?(?:answer|option|choice)(?:\s+is)?\s*[:=]?\s*)+", re.I
)
_LETTER = re.compile(
    r"^[\s(\[*]*([A-Za-z])(?:[\s)\].:*]*$|[)\].:]+\s*(?P<words>.+)$|\s+[-–—]\s+(?P<after>.+)$)", re.DOTALL
)
_NUMBER = re.compile(r"^[\s(\[*]*(\d{1,2})[\s)\].:*]*$")


class MultipleChoice(TextScorer):
    """1 if the answer means the same option as the target, 0 for another option, for none or for several.

    An option is meant by its letter ("B", "(b)", "B. Paris", "The answer is B"), by its words, or by being the only
    option that the answer mentions. A letter with words that name another option means neither. Letters go with the
    options in their order; an item without options is compared letter by letter.
    """

    name: str = "multiple_choice"

    def judge(self, answer: str, item: SampleItem) -> Score:
        """1 or 0."""
        if not item.options:
            return _by_letter(answer, item.target)
        right = {found for one in item.target if (found := chosen(one, item.options)) is not None}
        if not right:
            return Score(None, f"the target {item.target[0]!r} is none of the options")
        meant = chosen(answer, item.options)
        if meant is None:
            return Score(0.0, "no option, or no single one, is meant")
        return Score(float(meant in right), f"read as {item.options[meant]!r}")


def chosen(answer: str, options: Sequence[str]) -> int | None:
    """The place of the option that an answer means, from 0; None if it means none or several.

    Example:
        >>> chosen("The answer is (b).", ["Rome", "Paris"]), chosen("Rome or Paris", ["Rome", "Paris"])
        (1, None)
    """
    forms = [normal(option) for option in options]
    bare = _LABEL.sub("", answer.strip())
    for text in (answer, bare):
        if forms.count(normal(text)) == 1:
            return forms.index(normal(text))
    if (letter := _LETTER.match(bare)) is not None:
        return _lettered(letter, options, forms)
    return _mentioned(answer, forms)


def _lettered(letter: re.Match[str], options: Sequence[str], forms: Sequence[str]) -> int | None:
    place = ord(letter[1].upper()) - ord("A")
    words = letter["words"] or letter["after"]
    named = None if words is None else _mentioned(words, forms)
    if place >= len(options):
        return named
    return place if named in (None, place) else None


def _mentioned(text: str, forms: Sequence[str]) -> int | None:
    """The only option whose words stand in the text; an option within a longer one that is there does not count."""
    said = f" {normal(text)} "
    there = [place for place, form in enumerate(forms) if form and f" {form} " in said]
    outer = [p for p in there if not any(p != q and f" {forms[p]} " in f" {forms[q]} " for q in there)]
    return outer[0] if len(outer) == 1 else None


def _by_letter(answer: str, target: Sequence[str]) -> Score:
    wanted = {_label_of(one) for one in target}
    said = _label_of(answer)
    return Score(float(said in wanted), f"read as {said!r}")


def _label_of(text: str) -> str:
    bare = _LABEL.sub("", text.strip())
    if found := _LETTER.match(bare):
        return found[1].upper()
    if found := _NUMBER.match(bare):
        return found[1]
    return normal(text)
