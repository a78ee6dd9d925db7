"""INTERACT: a student learns what a text says by asking a teacher who has it.

Kendapadi et al., "INTERACT: Enabling Interactive, Question-Driven Learning in Large Language Models", ACL 2025.
How the student chooses its question (`question_choice`) goes beyond the paper.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from maieutic.agents import Agent, Prompt, Reply, Verb
from maieutic.agents.replies import Position
from maieutic.agents.views import shared
from maieutic.errors import MaieuticError, UsageError
from maieutic.memory import MODERATOR, Transcript, Turn
from maieutic.memory.student.items import Item
from maieutic.protocols.base import CallPlan, Protocol, heard
from maieutic.protocols.interact.arms import Arm, arms_of, belonging, roots_of, said_in
from maieutic.protocols.interact.choosing import Estimates, concepts_of
from maieutic.protocols.interact.dialogue import Dialogue
from maieutic.protocols.interact.outcome import InteractOutcome, interact_outcome
from maieutic.protocols.interact.params import InteractParams, Material
from maieutic.protocols.interact.plan import interact_plan
from maieutic.protocols.interact.quiz import QuizItem, examined, marked, quiz_form, shuffled, written
from maieutic.protocols.interact.state import State
from maieutic.protocols.together import Acted, failure_to_json, kind_of, raise_failure, together

if TYPE_CHECKING:
    from langgraph.graph.state import StateGraph
    from langgraph.runtime import Runtime

    from maieutic.backends.place import Place

__all__ = ["CLOSED_BOOK", "Interact"]

Step = Literal["examine", "sieve", "begin", "quiz", "ask", "answer", "fail", "__end__"]
CLOSED_BOOK = "closed_book"
"""The arm under which the transcript keeps the answers given without the text."""
_LESSON = Verb("lesson", takes=("topic",))
_EXAM = Verb("exam", needs=("question",), takes=("options",), output=Position, kind="probe")
_ESTIMATE = Verb("estimate", takes=("topic", "concepts"), output=Estimates, kind="probe")
_EXAMINE = Verb("examine", needs=("levels", "per_level"), takes=("topic",), kind="probe")


class Interact(Protocol[InteractParams, InteractOutcome]):
    """A teacher sees a text, a student only the dialogue; a quiz after every turn shows what the student has learned.

    Everything that is compared (conditions, teachers, ways to choose questions) runs side by side on the same quiz.

    Args:
        teacher: Who has the text and teaches, or several who are compared.
        student: Who learns.
        **params: See InteractParams: the text (`context` or `source`), `turns`, `conditions`, `quiz`, ….

    Raises:
        UsageError: The parameters do not fit together.

    Example:
        >>> tom, lea = Teacher("Tom", "sim/teacher"), Student("Lea", "sim/student")
        >>> lesson = Interact(tom, lea, source="examples/texts/the-sky.md", turns=5)
        >>> print((await lesson.perform("the sky")).table())                    # doctest: +SKIP
    """

    name = "interact"
    params_model = InteractParams
    outcome_model = InteractOutcome
    inputs = {"question": False, "context": False}  # noqa: RUF012

    def __init__(self, teacher: Agent | Sequence[Agent], student: Agent, **params: Any) -> None:
        cast = [*([teacher] if isinstance(teacher, Agent) else teacher), student]
        for name in ("examiner", "filter_by"):
            if any(params.get(name) is agent for agent in cast):
                params[name] = params[name].name  # nobody is cast twice
        super().__init__(teacher=teacher if isinstance(teacher, Agent) else list(teacher), student=student, **params)

    def prepare(self) -> None:
        """Give everybody the verbs that this protocol brings."""
        params = self.params
        for name in {params.student, params.sieve, *params.teacher}:
            self.cast[name] = self.cast[name].able(_EXAM, prompt("exam"))
        self.cast[params.student] = self.cast[params.student].able(_ESTIMATE, prompt("estimate"))
        for name in params.teacher:
            self.cast[name] = self.cast[name].able(_LESSON, prompt("lesson"))
        if params.quiz is None:
            self.cast[params.writer] = self.cast[params.writer].able(_EXAMINE, prompt("examine"))
        self._arms = arms_of(params)
        self._dialogues = [arm for arm in self._arms if arm.grows]

    def build(self) -> StateGraph[Any, Any, Any, Any]:
        """One node for each kind of act, in which all dialogues take it at once."""
        from langgraph.graph import START, StateGraph

        from maieutic.backends.place import Place

        graph = StateGraph(State, context_schema=Place)
        ways: dict[str, Sequence[str]] = {
            "open": ("examine", "sieve", "begin"),
            "examine": ("sieve", "begin"),
            "sieve": ("begin", "fail", "__end__"),
            "begin": ("quiz", "fail"),
            "quiz": ("ask", "fail", "__end__"),
            "ask": ("answer", "fail"),
            "answer": ("quiz", "ask", "fail"),
        }
        for name, targets in ways.items():
            graph.add_node(name, getattr(self, name))
            graph.add_conditional_edges(name, getattr(self, f"after_{name}"), list(targets))
        graph.add_node("fail", self.fail)
        graph.add_edge(START, "open")
        return graph

    # -- acts -----------------------------------------------------------------------------------------------------

    async def open(self, state: State, runtime: Runtime[Any]) -> State:
        """Only the teachers and the examiner read the text."""
        at = self.at(runtime)
        texts = [*([Material(text=state["context"])] if (state.get("context") or "").strip() else self.params.material)]
        if not texts and (self.params.quiz is None or any(arm.teacher for arm in self._arms)):
            raise UsageError("interact: there is no text to teach; give it as `context`, or its path as `source`")
        topic = state.get("question") or self.params.topic or ", ".join(text.title for text in texts if text.title)
        quiz = [QuizItem(item=self._laid_out(item, at)) for item in self.params.quiz or ()]
        return {
            "topic": topic or "the text",
            "turns": heard(at, [self.material(texts)] if texts else []),
            "quiz": [each.model_dump(mode="json") for each in quiz],
            "turn": 0,
        }

    def material(self, texts: Sequence[Material]) -> Turn:
        """The turn that holds the text, and its audience: those who teach or examine."""
        headed = (f"# {text.title}\n\n{text.text}" if text.title else text.text for text in texts)
        whole = texts[0].text if len(texts) == 1 else "\n\n".join(headed)
        title = texts[0].title if len(texts) == 1 else ""
        readers = {*self.params.teacher, self.params.writer}
        words = prompt("material").render({"title": title, "text": whole})
        return Turn(MODERATOR, words, audience=frozenset(readers), data=shared(self.params.shared_first))

    async def examine(self, state: State, runtime: Runtime[Any]) -> State:
        """The examiner writes the quiz, off the record."""
        at, params = self.at(runtime), self.params
        examiner = self.cast[params.writer]
        reply = await examiner.do(
            "examine",
            at,
            Transcript.of(state["turns"]),
            output=quiz_form(params.levels, params.per_level),
            temperature=params.quiz_temperature,
            topic=state["topic"],
            levels=params.levels,
            per_level=params.per_level,
        )
        quiz = [each.model_copy(update={"item": self._laid_out(each.item, at)}) for each in written(reply)]
        words = "\n".join(each.item.question for each in quiz)
        turn = replace(examiner.turn(reply, round=0, kind="probe"), content=words)
        return {"turns": heard(at, [turn]), "quiz": [each.model_dump(mode="json") for each in quiz]}

    async def sieve(self, state: State, runtime: Runtime[Any]) -> State:
        """What is answered right without the text tells nothing about learning, and is dropped."""
        at, agent, quiz = self.at(runtime), self.cast[self.params.sieve], _quiz(state)
        acts = {each.item.id: self._exam(agent, each.item, at / CLOSED_BOOK, Transcript()) for each in quiz}
        acted = await together(acts)
        items = {each.item.id: each.item for each in quiz}
        turns = self._marked(acted, dict.fromkeys(items, (agent, CLOSED_BOOK, 0)), items)
        right = {turn.data["item"] for turn in turns if turn.data["correct"]}
        return {
            **self._kept(acted, at, turns),
            "quiz": [raw for raw in state["quiz"] if raw["item"]["id"] not in right],
            "dropped": [raw for raw in state["quiz"] if raw["item"]["id"] in right],
            "over": len(right) == len(quiz),
        }

    async def begin(self, state: State, runtime: Runtime[Any]) -> State:
        """The student hears what it is about, and every teacher that is asked for it writes a lesson."""
        at, student = self.at(runtime), self.params.student
        topic = state["topic"]
        if self.params.syllabus and (concepts := concepts_of(_quiz(state), self.params.concepts)):
            topic = f"{topic} ({', '.join(concepts)})"
        opening = Turn(MODERATOR, prompt("opening").render({"topic": topic}), audience=frozenset({student}))
        transcript = Transcript.of(state["turns"])
        lessons = [root for root in roots_of(self._arms) if root.condition == "lesson"]
        acted = await together(
            {r.key: self.cast[r.teacher or ""].do("lesson", at / r.key, transcript, topic=topic) for r in lessons}
        )
        turns = [opening]
        for root in lessons:
            if root.key in acted.replies:
                turn = self.cast[root.teacher or ""].turn(acted.replies[root.key], round=0)
                turns.append(belonging(replace(turn, audience=frozenset({student})), root.key))
        return {**self._kept(acted, at, turns), "topic": topic}

    async def quiz(self, state: State, runtime: Runtime[Any]) -> State:
        """All questions in all arms at once, off the record: no later view holds any of it."""
        number = state["turn"]
        at, quiz = self.at(runtime) / f"quiz{number}", _quiz(state)
        transcript = Transcript.of(state["turns"])
        acts: dict[str, Coroutine[Any, Any, Reply]] = {}
        asked: dict[str, tuple[Agent, str, int]] = {}
        items: dict[str, Item] = {}
        for arm in self._examined(number):
            agent = self.cast[arm.teacher or "" if arm.condition == "teacher_bound" else self.params.student]
            read, had = said_in(transcript, arm), min(number, self._length(arm))
            for each in quiz:
                key = f"{arm.key} {each.item.id}"
                acts[key] = self._exam(agent, each.item, at / arm.key, read)
                asked[key], items[key] = (agent, arm.key, had), each.item
        acted = await together(acts)
        kept = self._kept(acted, at, self._marked(acted, asked, items))
        return {**kept, "over": number == self._turns}

    async def ask(self, state: State, runtime: Runtime[Any]) -> State:
        """The student asks one question in every dialogue; a borrowed dialogue goes on by itself."""
        at = self.at(runtime) / f"turn{state['turn'] + 1}"
        acted = await together({key: dialogue.asks(at / key) for key, dialogue in self._speaking(state).items()})
        return self._kept(acted, at, [turn for turns in acted.replies.values() for turn in turns])

    async def answer(self, state: State, runtime: Runtime[Any]) -> State:
        """The teacher answers in every dialogue."""
        number = state["turn"] + 1
        at = self.at(runtime) / f"turn{number}"
        acted = await together({key: dialogue.answers(at / key) for key, dialogue in self._speaking(state).items()})
        return {**self._kept(acted, at, list(acted.replies.values())), "turn": number}

    async def fail(self, state: State) -> State:
        """Raise what failed, now that what was finished beside it is kept."""
        raise_failure(state["failure"])

    # -- what comes next ------------------------------------------------------------------------------------------

    def after_open(self, state: State) -> Step:
        """The quiz, unless it was brought."""
        return self.after_examine(state) if self.params.quiz is not None else "examine"

    def after_examine(self, state: State) -> Step:
        """The filter, if it is wished."""
        return "sieve" if self.params.closed_book_filter else "begin"

    def after_sieve(self, state: State) -> Step:
        """The end, if no question is left."""
        return _or_fail(state, "__end__" if state.get("over") else "begin")

    def after_begin(self, state: State) -> Step:
        """The first quiz."""
        return _or_fail(state, "quiz")

    def after_quiz(self, state: State) -> Step:
        """The next turn, if there is one."""
        return _or_fail(state, "__end__" if state.get("over") else "ask")

    def after_ask(self, state: State) -> Step:
        """The answer."""
        return _or_fail(state, "answer")

    def after_answer(self, state: State) -> Step:
        """A quiz after every turn, or after the last."""
        every = self.params.quiz_every == "turn" or state["turn"] == self._turns
        return _or_fail(state, "quiz" if every else "ask")

    # -- what it comes to -----------------------------------------------------------------------------------------

    def outcome(self, state: Mapping[str, Any], reason: str | None = None) -> InteractOutcome:
        """The outcome of a state, wherever the run stopped."""
        return interact_outcome(self.params, state, reason)

    def plan(self) -> CallPlan:
        """The fewest and most calls of each agent."""
        return interact_plan(self.params)

    # -- parts of acts --------------------------------------------------------------------------------------------

    @property
    def _turns(self) -> int:
        """Turns of the longest dialogue; 0 if nothing that is measured has any."""
        return max((self._length(arm) for arm in self._dialogues), default=0)

    def _length(self, arm: Arm) -> int:
        return min(self.params.turns, len(self.params.borrowed)) if arm.condition == "borrowed" else self.params.turns

    def _speaking(self, state: State) -> dict[str, Dialogue]:
        """The dialogues that go on, by the keys of their arms."""
        transcript, quiz = Transcript.of(state["turns"]), _quiz(state)
        return {
            arm.key: Dialogue(self.params, self.cast, arm, transcript, quiz, state["topic"], state["turn"] + 1)
            for arm in self._dialogues
            if state["turn"] < self._length(arm)
        }

    def _examined(self, number: int) -> list[Arm]:
        """Who takes the quiz after so many turns: the roots and the teachers first, then the dialogues still going."""
        if number == 0:
            return roots_of(self._arms)
        ended = self.params.quiz_every == "end"
        return [
            arm for arm in self._dialogues if number <= self._length(arm) or (ended and arm.condition == "borrowed")
        ]

    def _laid_out(self, item: Item, at: Place) -> Item:
        return shuffled(item, (at / "options" / item.id).rng())

    def _exam(self, agent: Agent, item: Item, at: Place, read: Transcript) -> Coroutine[Any, Any, Reply]:
        return examined(agent, item, at / item.id, read, temperature=self.params.quiz_temperature)

    def _marked(
        self, acted: Acted, asked: Mapping[str, tuple[Agent, str, int]], items: Mapping[str, Item]
    ) -> list[Turn]:
        """The answers with their marks; one that failed is marked as not given where that is no reason to stop."""
        keys = asked if self.params.on_failure == "skip" else acted.replies
        return [
            marked(agent, items[key], acted.replies.get(key), arm=arm, turn=had)
            for key in keys
            for agent, arm, had in [asked[key]]
        ]

    def _kept(self, acted: Acted[Any], at: Place, turns: Sequence[Turn]) -> State:
        """What came of an act; a failure that ends the run is kept beside it, to be raised in the next step."""
        skippable = self.params.on_failure == "skip" and any("item" in turn.data for turn in turns)
        fatal = acted.fatal("skip" if skippable else "fail")
        if fatal is not None and not acted.replies:
            raise fatal
        kept: State = {"turns": heard(at, turns)}
        if fatal is not None:
            kept["failure"] = failure_to_json(fatal)
        elif acted.failures:
            kept["skipped"] = [_skipped(at, key, error) for key, error in acted.failures.items()]
        return kept


def _skipped(at: Place, key: str, error: MaieuticError) -> dict[str, Any]:
    return {"at": at.address.local, "what": key, "kind": kind_of(error), "error": str(error)}


def _or_fail(state: State, step: Step) -> Step:
    return "fail" if state.get("failure") else step


def _quiz(state: State) -> list[QuizItem]:
    return [QuizItem.model_validate(raw) for raw in state["quiz"]]


@cache
def prompt(name: str) -> Prompt:
    """A prompt of this protocol."""
    return Prompt.load(Path(__file__).parents[1] / "prompts" / "interact" / f"{name}.md.j2")
