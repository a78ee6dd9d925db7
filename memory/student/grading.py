"""Whether an answer to an item is right, and which of its options it is."""

from __future__ import annotations

import re

from maieutic.memory.answers import normal, same
from maieutic.memory.student.items import Item

__all__ = ["chosen", "is_right", "last_word"]

_ANSWER = re.compile(r"^\W*(?:the )?(?:final )?answer(?: is)?[\s*_]*[:=][\s*_]*(?P<said>.*\S)", re.I | re.M)


def last_word(text: str) -> str:
    """What a text gives as its answer: what stands on its last line of the form "Answer: …", or else all of it."""
    found = [match["said"] for match in _ANSWER.finditer(text)]
    return (found[-1] if found else text).strip()


def is_right(item: Item, text: str) -> bool | None:
    """Whether a text gives the item's answer, written in any of its ways; None if the item's answer is not known.

    A text that is one of the options word for word is that option: "[0, 1]" is not "(0, 1)" where both stand to choose.
    """
    if item.answer is None:
        return None
    ways = (item.answer, *item.aliases)
    said = next((each for each in (text.strip(), last_word(text)) if each in item.options), None)
    if said is not None:
        return said in ways
    return any(same(last_word(text), right) for right in ways)


def chosen(item: Item, text: str) -> str | None:
    """The wrong option or distractor of the item that a text gives as its answer; None if it is none of them."""
    said = last_word(text)
    wrong = [option for option in dict.fromkeys((*item.options, *item.distractors)) if not is_right(item, option)]
    return said if said in wrong else next((option for option in wrong if normal(option) == normal(said)), None)
