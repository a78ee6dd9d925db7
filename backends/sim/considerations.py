"""Arguments about a free question: the bank's considerations in the question's own words, and what they weigh."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from maieutic.backends.sim.bank import CLAIM, OPTION, POLICY, PUBLIC, Entry
from maieutic.backends.sim.chance import unit
from maieutic.backends.sim.language import Phrases, capital, normal_form
from maieutic.backends.sim.question import Topic

__all__ = ["Argument", "Case", "case_for"]

_STRENGTH = 0.45
"""Log-odds of an argument of middling merit for somebody of middling taste."""
_LONG = 4
"""Words from which on a deed is not named again in every other sentence."""
_GUESSED = 3
"""Most arguments recognised by their words in one turn that uses none of the bank's sentences."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One consideration for one answer.

    Attributes:
        key: Its name within the question.
        about: What it is about, as in "the point about …".
        answer: The candidate that it supports.
        sentences: Ways to say it.
        cues: Words by which it is recognised.
        merit: What it is worth for this question, the same for everybody: 0.4 to 1.6.
    """

    key: str
    about: str
    answer: str
    sentences: tuple[str, ...]
    cues: tuple[str, ...]
    merit: float

    def weight(self, who: str) -> float:
        """What it is worth, in log-odds, to a mind that cares about such things in its own way."""
        return _STRENGTH * self.merit * _taste(who, self.about)


@lru_cache(maxsize=8192)
def _taste(who: str, about: str) -> float:
    return 0.4 + 1.2 * unit(who, "cares about", about)


class Case:
    """Every argument that can be made about a topic with the given candidate answers."""

    def __init__(self, topic: Topic, candidates: Sequence[str]) -> None:
        self.arguments: Mapping[str, Argument] = {a.key: a for a in _arguments(topic, candidates)}
        self._phrases = Phrases((a.key, sentence) for a in self.arguments.values() for sentence in a.sentences)
        self._cues: dict[str, list[Argument]] = {}
        for argument in self.arguments.values():
            for cue in argument.cues:
                self._cues.setdefault(cue, []).append(argument)

    def used_in(self, tokens: Sequence[str], position: str | None) -> tuple[Argument, ...]:
        """The arguments in a turn, each once, in order.

        Where a turn uses other words than the bank's (a person's, a language model's), its arguments are recognised by
        their subject, and speak for the position that the speaker holds.
        """
        exact = dict.fromkeys(key for _, key in self._phrases.find(tokens))
        if exact or position is None:
            return tuple(self.arguments[key] for key in exact)
        found: dict[str, Argument] = {}
        for token in tokens:
            for argument in self._cues.get(token, ()):
                if argument.answer == position and len(found) < _GUESSED:
                    found.setdefault(argument.about, argument)
        return tuple(found.values())


@lru_cache(maxsize=256)
def case_for(topic: Topic, candidates: tuple[str, ...]) -> Case:
    """The case of a topic; the same candidates in another order make the same arguments."""
    return Case(topic, candidates)


def _arguments(topic: Topic, candidates: Sequence[str]) -> Iterator[Argument]:
    sides = {normal_form(candidate): candidate for candidate in candidates}
    if topic.kind in ("policy", "claim") and {"yes", "no"} <= set(sides):
        names = {"doing": topic.doing, "deed": topic.deed, "who": topic.who}
        for entry in _fitting(topic) if topic.kind == "policy" else CLAIM:
            yield _argument(topic, entry, entry.id, sides["yes" if entry.side == "pro" else "no"], names)
        return
    for option in candidates:
        for entry in OPTION:
            yield _argument(topic, entry, f"{entry.id}@{normal_form(option)}", option, {"option": _within(option)})


def _argument(topic: Topic, entry: Entry, key: str, answer: str, names: Mapping[str, str]) -> Argument:
    sentences = [_filled(sentence, names) for sentence in entry.sentences]
    if len(names.get("doing", "").split()) > _LONG:
        sentences[1:] = [_filled(sentence, {**names, "doing": "this change"}) for sentence in entry.sentences[1:]]
    merit = 0.4 + 1.2 * unit(normal_form(topic.text), key)
    return Argument(key, entry.label, answer, tuple(sentences), entry.cues, merit)


def _fitting(topic: Topic) -> tuple[Entry, ...]:
    """The considerations of public life are left out where somebody asks what to do alone."""
    return tuple(e for e in POLICY if e.id not in PUBLIC) if topic.who.lower() in ("i", "you", "one") else POLICY


def _filled(sentence: str, names: Mapping[str, str]) -> str:
    for name, value in names.items():
        sentence = sentence.replace("{" + name + "}", value).replace("{" + capital(name) + "}", capital(value))
    return sentence


def _within(option: str) -> str:
    """An option as it stands inside a sentence."""
    return option[:1].lower() + option[1:] if option.startswith(("The ", "A ", "An ")) else option
