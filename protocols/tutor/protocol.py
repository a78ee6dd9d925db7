"""A tutoring dialogue: one teacher, one student, and a student model that decides the teacher's next move."""

# ruff: noqa: RUF012 - pydantic copies defaults, and ruff does not see that these are its models

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from maieutic.agents import Person, Reply, Solution, among
from maieutic.errors import ReplyError, UsageError
from maieutic.memory import MODERATOR, Transcript, Turn
from maieutic.memory.student import ConceptGraph, Item, Observation, StudentModel
from maieutic.memory.student.concepts import first_of
from maieutic.memory.student.grading import chosen, is_right, last_word
from maieutic.protocols.base import CallPlan, Protocol, heard
from maieutic.protocols.tutor.moves import Choice, Exercise, choose
from maieutic.protocols.tutor.params import Attempt, State, Sure, TutorOutcome, TutorParams
from maieutic.protocols.tutor.syllabus import prompt, syllabus

if TYPE_CHECKING:
    from langgraph.graph.state import StateGraph
    from langgraph.runtime import Runtime

    from maieutic.backends.place import Place

__all__ = ["Tutor"]

STOP = frozenset(("stop", "quit", "exit", "bye"))
"""Words with which a person ends the lesson."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a student said to a move: the turn, and what counts of it as its answer."""

    turn: Turn
    answer: str
    confidence: float | None = None


class Tutor(Protocol[TutorParams, TutorOutcome]):
    """Teaches a student what it is ready to learn, and helps as little as is likely to be enough.

    Each exchange is one move of the teacher (an open question, an exercise, a hint, an explanation, an example), chosen
    by rules over the student model's numbers, and what the student says to it. Answers are observed and change the
    model. Where an item has an answer it is graded by it; an open question is graded by the teacher, off the record.

    Example:
        >>> tutor = Tutor(teacher=ann, student=bob, concepts="concepts.yaml", turns=12)      # doctest: +SKIP
        >>> outcome = await tutor.perform("fractions")                                       # doctest: +SKIP
    """

    name = "tutor"
    params_model = TutorParams
    outcome_model = TutorOutcome
    inputs = {"question": False, "log": False}

    def prepare(self) -> None:
        """There must be something to teach."""
        if self.params.concepts is None and not self.params.text:
            raise UsageError("tutor: there is nothing to teach; give it concepts (a file), a context or a source")
        self._course = None if self.params.concepts is None else ConceptGraph.from_json(self.params.concepts)
        self._teacher = self.cast[self.params.teacher]
        self._student = self.cast[self.params.student]

    def build(self) -> StateGraph[Any, Any, Any, Any]:
        """The teacher moves, the student replies, until the lesson is over."""
        from langgraph.graph import END, START, StateGraph

        from maieutic.backends.place import Place

        graph = StateGraph(State, context_schema=Place)
        graph.add_node("open", self.open)
        graph.add_node("teach", self.teach)
        graph.add_node("listen", self.listen)
        graph.add_edge(START, "open")
        graph.add_edge("open", "teach")
        graph.add_conditional_edges("teach", _after_teaching, ["listen", "teach", END])
        graph.add_conditional_edges("listen", _after_listening, ["listen", "teach", END])
        return graph

    # -- nodes ----------------------------------------------------------------------------------------------------

    async def open(self, state: State, runtime: Runtime[Any]) -> State:
        """Settle what is to be learned, and show the teacher the context."""
        at = self.at(runtime)
        concepts = self._course
        if concepts is None:
            concepts = await syllabus(self._teacher, at / "syllabus", self.params.text, self.params.exercises)
        matter = {"topic": state.get("question") or "", "concepts": [_title(concepts, name) for name in concepts]}
        turns = [Turn(MODERATOR, prompt("opening").render(matter), data={"concepts": concepts.to_json()})]
        if self.params.text:
            text = prompt("context").render({"context": self.params.text})
            turns.append(Turn(MODERATOR, text, frozenset((self._teacher.name,))))
        return {"turns": heard(at, turns), "concepts": concepts.to_json(), "over": ""}

    async def teach(self, state: State, runtime: Runtime[Any]) -> State:
        """The teacher's next move."""
        made = state.get("moves") or []
        if len(made) >= self.params.turns:
            return {"over": "limit"}
        model = self._model(state)
        exercise = Exercise(**_tupled(state["exercise"])) if state.get("exercise") else None
        choice = choose(
            model,
            model.items,
            self.params.rules,
            exercise=exercise,
            taught=[move["concept"] for move in made if move["move"] in ("explain", "example")],
            used=_used(made),
            told=_told(state["turns"]),
        )
        if choice.move == "done":
            return {"over": "answered", "moves": [choice.to_json()]}
        here = self.at(runtime) / f"turn{len(made) + 1}"
        return await self._move(state, here, model, choice, exercise)

    async def listen(self, state: State, runtime: Runtime[Any]) -> State:
        """The student answers, or asks."""
        asked = state["asked"]
        assert asked is not None
        here = self.at(runtime) / f"turn{len(state['moves'])}"
        concepts = self._concepts(state)
        item = concepts.items.get(asked["item"]) if asked["item"] else None
        transcript = Transcript.of(state["turns"])
        said = await self._reply(here, transcript, asked["words"], item)
        if self._is_person and not _answers(item, said.answer):
            if said.answer.casefold().strip(".!") in STOP:
                return {"turns": heard(here, [said.turn]), "over": "stopped"}
            if said.answer.endswith("?"):
                return await self._answer_back(state, here, said.turn, asked)
        if self._is_person and self.params.confidence:
            said = await self._sure(here / "sure", transcript, said)
        return await self._graded(state, here, said, item)

    # -- the teacher's side ---------------------------------------------------------------------------------------

    async def _move(
        self, state: State, here: Place, model: StudentModel, choice: Choice, exercise: Exercise | None
    ) -> State:
        item = model.items[choice.item] if choice.item else None
        title = _title(model.concepts, choice.concept)
        observed: list[dict[str, Any]] = []
        if choice.move == "try":
            assert item is not None
            turn = Turn(self._teacher.name, _exercise(item))
        else:
            reply = await self._speak(here, state, choice, title, item)
            turn = self._teacher.turn(reply)
        if choice.move in ("explain", "example") and turn.content.strip():  # an empty reply explains nothing
            about = {"item": item.id} if item else {"concepts": (choice.concept,)}
            observed.append(Observation.model_validate({"kind": "explained", **about}).to_json())
        turn = replace(turn, data={**turn.data, **choice.to_json(), "observed": observed})
        if exercise is not None and item is not None and item.id == exercise.item and choice.move != "try":
            exercise = Exercise(exercise.item, exercise.wrong, (*exercise.helped, choice.move))
        elif choice.move == "try" or item is None:
            exercise = None
        asked = _asked(choice, turn.content, item)
        return {
            "turns": heard(here, [turn]),
            "observed": observed,
            "moves": [choice.to_json()],
            "exercise": asdict(exercise) if exercise else None,
            "asked": asked,
        }

    async def _speak(self, here: Place, state: State, choice: Choice, title: str, item: Item | None) -> Reply:
        """A move for which the teacher's model is asked."""
        transcript = Transcript.of(state["turns"])
        belief: dict[str, Any] = {"student_probably_believes": choice.believes} if choice.believes else {}
        if choice.move == "ask":
            return await self._teacher.do("ask", here, transcript, topic=title)
        if choice.move == "example":
            return await self._teacher.do("example", here, transcript, topic=title, **belief)
        assert item is not None
        known: dict[str, Any] = {"right_answer": item.answer} if item.answer else {}
        return await self._teacher.do(
            choice.move,
            here,
            transcript,
            question=item.question,
            answer=_last_answer(state["turns"]),
            **known,
            **belief,
        )

    # -- the student's side ---------------------------------------------------------------------------------------

    @property
    def _is_person(self) -> bool:
        return self._student.model.provider == "person"

    @property
    def _person(self) -> Person:
        return Person(self._student.name, self._student.model)

    async def _reply(self, here: Place, transcript: Transcript, words: str, item: Item | None) -> Said:
        question = item.question if item else words
        if self._is_person:
            reply = await self._person.do("say", here, transcript, output=Attempt, instruction=question)
        else:
            options = item.options if item else ()
            form = among(Solution, options)
            try:
                reply = await self._student.do(
                    "answer", here, transcript, output=form, question=question, options=list(options)
                )
            except ReplyError as error:  # a student is taken at its words, in whatever form
                answer = last_word(error.text)
                return Said(Turn(self._student.name, error.text, data={"answer": answer, "formless": True}), answer)
        answer = str(getattr(reply.data, "answer", reply.text)).strip()
        return Said(self._student.turn(reply), answer, getattr(reply.data, "confidence", None))

    async def _sure(self, here: Place, transcript: Transcript, said: Said) -> Said:
        """The same, with how sure the person is of it, if it says."""
        asking = Transcript((*transcript, said.turn))
        reply = await self._person.do("say", here, asking, output=Sure, instruction="How sure are you of that?")
        confidence = getattr(reply.data, "confidence", None)
        if confidence is None:
            return said
        turn = said.turn
        told = replace(turn, content=f"{turn.content}\n{reply.text}", data={**turn.data, "confidence": confidence})
        return Said(told, said.answer, confidence)

    async def _answer_back(self, state: State, here: Place, turn: Turn, asked: Mapping[str, Any]) -> State:
        """A person asked instead of answering: the teacher answers, and the exercise stands as it was."""
        transcript = Transcript.of([*state["turns"], turn])
        question = str(turn.data.get("answer", turn.content))
        reply = await self._teacher.do("answer", here, transcript, question=question)
        doubt = Observation(kind="asked", concepts=(asked["concept"],)).to_json()
        explained = Observation(kind="explained", concepts=(asked["concept"],)).to_json()
        taught = [explained] if reply.text.strip() else []
        turn = replace(turn, data={**turn.data, "observed": [doubt]})
        told = self._teacher.turn(reply)
        told = replace(told, data={**told.data, "observed": taught})
        move = {"move": "answer", "concept": asked["concept"], "item": asked["item"], "why": ["the student asked"]}
        return {
            "turns": heard(here, [turn, told]),
            "observed": [doubt, *taught],
            "moves": [move],
            "over": "limit" if len(state["moves"]) + 1 >= self.params.turns else "",
        }

    async def _graded(self, state: State, here: Place, said: Said, item: Item | None) -> State:
        """Right or wrong, by the item's answer or the teacher's judgement; what follows from it."""
        asked = state["asked"] or {}
        right = is_right(item, said.answer) if item else None
        if right is None:
            right = await self._judged(here, asked["words"], said.answer)
        exercise = Exercise(**_tupled(state["exercise"])) if state.get("exercise") else None
        seen: dict[str, Any] = {"item": item.id} if item else {"concepts": (asked["concept"],)}
        answered = Observation(
            kind="answered",
            correct=right,
            choice=chosen(item, said.answer) if item else None,
            confidence=said.confidence,
            with_explanation=bool(exercise and exercise.helped),
            **seen,
        )
        observed = [answered.to_json()]
        turn = replace(said.turn, data={**said.turn.data, "correct": right, "observed": observed})
        wrong = 0 if right else (exercise.wrong if exercise else 0) + 1
        tell = item if item and item.answer and wrong >= self.params.tries else None
        words = prompt("verdict").render({"right": right, "answer": tell.answer if tell else None})
        verdict = Turn(self._teacher.name, words, data={"told": tell.id} if tell else {})
        pending = None
        if not right and item is not None:
            helped = exercise.helped if exercise else ()
            pending = asdict(Exercise(item.id, wrong, helped))
        return {
            "turns": heard(here, [turn, verdict]),
            "observed": observed,
            "exercise": pending,
            "asked": None,
        }

    async def _judged(self, here: Place, question: str, said: str) -> bool:
        """The teacher's judgement on an answer to an open question, off the record."""
        reply = await self._teacher.playing("critic").do("review", here, question=question, answer=said)
        return bool(getattr(reply.data, "ok", False))

    # -- the model ------------------------------------------------------------------------------------------------

    def _concepts(self, state: Mapping[str, Any]) -> ConceptGraph:
        return self._course or ConceptGraph.from_json(state["concepts"])

    def _model(self, state: Mapping[str, Any], *, lesson: bool = True) -> StudentModel:
        """What is believed of the student: what was observed before and, unless not `lesson`, in this lesson."""
        log = [*(state.get("log") or ()), *((state.get("observed") or ()) if lesson else ())]
        try:
            observed = [Observation.model_validate(each) for each in log]
        except ValidationError as error:
            raise UsageError(f"tutor: the log holds what is no observation: {first_of(error)}") from None
        return StudentModel.of(self._concepts(state), observed)

    def outcome(self, state: Mapping[str, Any], reason: str | None = None) -> TutorOutcome:
        """What the lesson has come to."""
        turns = list(state.get("turns") or ())
        if not state.get("concepts"):
            return TutorOutcome(reason=reason or "stopped", transcript=turns)
        before, after = self._model(state, lesson=False), self._model(state)
        names = list(after.concepts)
        return TutorOutcome(
            reason=reason or state.get("over") or "stopped",
            transcript=turns,
            mastery={name: after.mastery(name) for name in names},
            before={name: before.mastery(name) for name in names},
            moves=list(state.get("moves") or ()),
            observed=list(state.get("observed") or ()),
            student=after.to_json(),
        )

    def plan(self) -> CallPlan:
        """At most two calls of the teacher and one of the student an exchange; none if everything is known."""
        turns = self.params.turns
        opening = int(self.params.concepts is None)
        student = {} if self._is_person else {self._student.name: (0, turns)}
        return CallPlan({self._teacher.name: (opening, opening + 2 * turns), **student})


def _after_teaching(state: State) -> str:
    if state.get("over"):
        return "__end__"
    return "listen" if state.get("asked") else "teach"


def _after_listening(state: State) -> str:
    if state.get("over"):
        return "__end__"
    return "listen" if state.get("asked") else "teach"  # who asked instead of answering still has to answer


def _tupled(exercise: Any) -> dict[str, Any]:
    return {**exercise, "helped": tuple(exercise["helped"])}


def _used(moves: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    used: dict[str, int] = {}
    for move in moves:
        if move["move"] == "try":
            used[move["item"]] = used.get(move["item"], 0) + 1
    return used


def _answers(item: Item | None, said: str) -> bool:
    """Whether this is one of the answers that the item has, right or wrong."""
    return item is not None and bool(is_right(item, said) or chosen(item, said))


def _title(concepts: ConceptGraph, name: str) -> str:
    return concepts.concept(name).title or name


def _exercise(item: Item) -> str:
    return prompt("exercise").render({"question": item.question or item.id, "options": list(item.options)})


def _asked(choice: Choice, words: str, item: Item | None) -> dict[str, Any] | None:
    """What the student is to answer after a move; nothing after an example without an exercise."""
    if choice.move == "example" and item is None:
        return None
    return {"concept": choice.concept, "item": item.id if item else None, "words": _exercise(item) if item else words}


def _told(turns: Sequence[Mapping[str, Any]]) -> set[str]:
    """The items whose answers were told."""
    return {turn["data"]["told"] for turn in turns if "told" in turn.get("data", {})}


def _last_answer(turns: Sequence[Mapping[str, Any]]) -> str:
    """What the student answered last; a question that it asked is none."""
    graded = (turn["data"] for turn in reversed(turns) if "correct" in turn.get("data", {}))
    return next((str(data.get("answer", "")) for data in graded), "")
