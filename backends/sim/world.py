"""The closed world that simulated minds know of: concepts with prerequisites, facts in sentences, questions."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from maieutic.backends.sim.language import Phrases, normal_form, spelled, words
from maieutic.backends.sim.yamltext import Places, read_yaml
from maieutic.errors import UsageError

__all__ = ["BUNDLED", "Concept", "Fact", "Question", "World", "load_world"]

BUNDLED = Path(__file__).parent / "worlds" / "school.yaml"
"""The world that ships with the package: about 150 facts of school level and questions about them."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Concept(_Entry):
    """Something to be understood: its name, the topic it belongs to, and the concepts one needs before."""

    name: str
    topic: str = ""
    needs: tuple[str, ...] = ()


class Fact(_Entry):
    """One true sentence about a concept. Whoever reads the sentence (or an alias) has read the fact."""

    concept: str
    says: Annotated[str, Field(min_length=3)]
    aliases: tuple[str, ...] = ()


class Question(_Entry):
    """A question that the facts answer; with options it is multiple choice, without them short answer.

    `misconceptions` maps a wrong answer to the wrong sentence that leads to it.
    """

    text: Annotated[str, Field(min_length=3)]
    answer: str
    needs: Annotated[tuple[str, ...], Field(min_length=1, description="Facts that answer it together.")]
    options: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    misconceptions: Mapping[str, str] = {}

    @property
    def kind(self) -> Literal["multiple_choice", "short_answer"]:
        """How it is asked."""
        return "multiple_choice" if self.options else "short_answer"

    def answered_by(self, text: str) -> bool:
        """Whether a short text is a right answer."""
        said = normal_form(text)
        return any(said == normal_form(right) for right in (self.answer, *self.aliases))


class World(_Entry):
    """A closed world; see `load_world`. Everything derived is computed once, when first asked for."""

    name: str
    concepts: dict[str, Concept]
    facts: dict[str, Fact]
    questions: dict[str, Question]

    @cached_property
    def order(self) -> tuple[str, ...]:
        """The concepts, each after its prerequisites."""
        done: dict[str, None] = {}
        for start in self.concepts:
            stack = [start]
            while stack:
                waiting = [need for need in self.concepts[stack[-1]].needs if need not in done]
                if waiting:
                    stack.append(waiting[0])
                else:
                    done[stack.pop()] = None
        return tuple(done)

    @cached_property
    def facts_of(self) -> Mapping[str, tuple[str, ...]]:
        """The facts of every concept, in the file's order."""
        found: dict[str, list[str]] = {concept: [] for concept in self.concepts}
        for name, fact in self.facts.items():
            found[fact.concept].append(name)
        return {concept: tuple(names) for concept, names in found.items()}

    @cached_property
    def phrases(self) -> Phrases:
        """Finds facts ("fact:ID") and misconceptions ("wrong:QUESTION:ANSWER") in what is read."""
        return Phrases(self._phrases())

    def _phrases(self) -> Iterator[tuple[str, str]]:
        for name, fact in self.facts.items():
            for sentence in (fact.says, *fact.aliases):
                yield f"fact:{name}", sentence
        for name, question in self.questions.items():
            for wrong, sentence in question.misconceptions.items():
                yield f"wrong:{name}:{wrong}", sentence

    @cached_property
    def names(self) -> Phrases:
        """Finds concepts by their names, and by the names by which the file calls them (one star, many stars)."""
        called = ((name, text) for name, concept in self.concepts.items() for text in (concept.name, name))
        return Phrases((name, text) for name, text in called if words(text))

    @cached_property
    def _asked(self) -> Mapping[str, str]:
        return {spelled(question.text): name for name, question in self.questions.items()}

    def question_like(self, text: str) -> Question | None:
        """The question with this text; case and the mark at its end make no difference."""
        name = self._asked.get(spelled(text))
        return None if name is None else self.questions[name]

    @cached_property
    def siblings(self) -> Mapping[str, tuple[str, ...]]:
        """For every topic the answers of its questions: what somebody guesses who knows only what it is about."""
        found: dict[str, dict[str, None]] = {}
        for question in self.questions.values():
            found.setdefault(self.topic_of(question), {})[question.answer] = None
        return {topic: tuple(answers) for topic, answers in found.items()}

    def topic_of(self, question: Question) -> str:
        """The topic of a question: that of its first fact's concept."""
        concept = self.facts[question.needs[0]].concept
        return self.concepts[concept].topic or concept

    def lesson(self, question: Question) -> tuple[str, ...]:
        """What has to be told to somebody who knows nothing: a fact of each prerequisite, then the facts needed."""
        needed = dict.fromkeys(question.needs)
        before: dict[str, None] = {}
        for fact in needed:
            for concept in self.concepts[self.facts[fact].concept].needs:
                before.update(dict.fromkeys(self.facts_of[concept][:1]))
        return (*(fact for fact in before if fact not in needed), *needed)


def load_world(path: str = "") -> World:
    """The world in a YAML file, checked; the bundled one without a path. Each file is read once per process.

    Raises:
        UsageError: The file cannot be read or is not a sound world. The message lists every problem with its place.
    """
    return _load(str(Path(path).resolve()) if path else str(BUNDLED))


@lru_cache(maxsize=16)
def _load(path: str) -> World:
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the world file {path}: {error}") from error
    data, places = read_yaml(text, path)
    try:
        world = World.model_validate(data)
    except ValidationError as error:
        raise UsageError("\n".join(_misfits(error, places, path))) from error
    if problems := list(_problems(world)):
        raise UsageError("\n".join(f"{_place(places, where, path)}: {what}" for where, what in problems))
    return world


def _place(places: Places, where: tuple[str, ...], path: str) -> str:
    while where not in places:
        where = where[:-1]
    line, column = places[where]
    return f"{path}:{line}:{column}"


def _misfits(error: ValidationError, places: Places, path: str) -> Iterator[str]:
    for problem in error.errors(include_url=False):
        where = tuple(map(str, problem["loc"]))
        if problem["type"] != "extra_forbidden":
            yield f"{_place(places, where, path)}: {'.'.join(where) or 'world'}: {problem['msg']}"
            continue
        entries: dict[str, type[_Entry]] = {"concepts": Concept, "facts": Fact, "questions": Question}
        fields = list((entries[where[0]] if len(where) > 1 else World).model_fields)
        yield f"{_place(places, where, path)}: unknown key {where[-1]!r}{_meant(where[-1], fields)}"


def _meant(name: str, known: Iterable[str]) -> str:
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; there are: {', '.join(known[:20])}"


_Problem = tuple[tuple[str, ...], str]


def _problems(world: World) -> Iterator[_Problem]:
    yield from _unknown_names(world)
    yield from _cycles(world.concepts)
    yield from _repeated(world)
    for name, question in world.questions.items():
        yield from _wrong_options(name, question)


def _unknown_names(world: World) -> Iterator[_Problem]:
    named: list[tuple[tuple[str, ...], str, Mapping[str, object]]] = []
    for name, concept in world.concepts.items():
        named += [(("concepts", name, "needs", str(i)), need, world.concepts) for i, need in enumerate(concept.needs)]
    for name, fact in world.facts.items():
        named.append((("facts", name, "concept"), fact.concept, world.concepts))
    for name, question in world.questions.items():
        named += [(("questions", name, "needs", str(i)), need, world.facts) for i, need in enumerate(question.needs)]
    for where, wanted, known in named:
        if wanted not in known:
            what = "fact" if known is world.facts else "concept"
            yield where, f"unknown {what} {wanted!r}{_meant(wanted, known)}"


def _cycles(concepts: Mapping[str, Concept]) -> Iterator[_Problem]:
    """Every concept that needs itself in the end, once per cycle, with the way round."""
    done: set[str] = set()
    for start in concepts:
        way: list[str] = []
        stack: list[tuple[str, Iterator[str]]] = [("", iter((start,)))]
        while stack:
            name = next(stack[-1][1], None)
            if name is None:
                done.add(stack.pop()[0])
                way = way[:-1]
            elif name in way:
                cycle = [*way[way.index(name) :], name]
                yield ("concepts", name, "needs"), f"concepts need one another in a circle: {' -> '.join(cycle)}"
            elif name not in done and name in concepts:
                way.append(name)
                stack.append((name, iter(concepts[name].needs)))


def _repeated(world: World) -> Iterator[_Problem]:
    for group, entries in (
        ("facts", {name: " ".join(words(fact.says)) for name, fact in world.facts.items()}),
        ("questions", {name: spelled(question.text) for name, question in world.questions.items()}),
    ):
        seen: dict[str, str] = {}
        for name, text in entries.items():
            other = seen.setdefault(text, name)
            if other != name:
                yield (group, name), f"{name!r} says the same as {other!r}"


def _wrong_options(name: str, question: Question) -> Iterator[_Problem]:
    where = ("questions", name, "options")
    if question.options and question.answer not in question.options:
        yield where, f"the answer {question.answer!r} is not among the options"
    if len({normal_form(option) for option in question.options}) < len(question.options):
        yield where, "two options are the same"
    for wrong in question.misconceptions:
        if question.answered_by(wrong):
            yield ("questions", name, "misconceptions", wrong), f"{wrong!r} is the right answer, not a misconception"
        elif question.options and wrong not in question.options:
            yield ("questions", name, "misconceptions", wrong), f"{wrong!r} is not among the options"
