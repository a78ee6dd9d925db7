"""Interventions online: items arrive one by one, and whether to explain is decided before the answer is seen.

The offline protocol (Saha, Hase and Bansal, NeurIPS 2023) ranks items that have all been answered. Here a teacher knows
at each item only what the student answered before. It decides by what the student model expects an explanation to
gain, against a threshold that adapts to the budget left; then the student answers, and the model learns from it.
Explanations stay in the student's view, so that one of them can help with later items that need the same concepts; with
`look_ahead` the decision counts what they are expected to gain there. Of items still to come the model is told which
concepts they need (for the rule "open_ended" not even that); nobody is shown their questions.

Several rules can be compared on the same items in one run. Each is a student of its own, with its own lessons in view.
"""

# ruff: noqa: RUF012 - pydantic copies defaults, and ruff does not see that these are its models

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from pydantic import Field, model_validator

from maieutic.agents import Agent
from maieutic.memory import Transcript, Turn
from maieutic.protocols.base import CallPlan, FromFile, Params, Plays, Protocol, heard
from maieutic.protocols.given import Concepts, read_concepts
from maieutic.protocols.interventions.asking import answered, explain, solve, solve_explained
from maieutic.protocols.interventions.by_student_model import concepts_of
from maieutic.protocols.interventions.deciding import Deciding
from maieutic.protocols.interventions.lessons import Demonstration, ItemList, all_of, lesson
from maieutic.protocols.interventions.measures import Measure
from maieutic.protocols.interventions.misaligned import ALARM, MARGIN, MISALIGNED, mislead, watched
from maieutic.protocols.interventions.online_outcome import OnlineOutcome, Step
from maieutic.protocols.interventions.spending import RuleName, affordable

if TYPE_CHECKING:
    from langgraph.graph.state import StateGraph
    from langgraph.runtime import Runtime

    from maieutic.backends.place import Place
    from maieutic.memory.student.model import StudentModel

__all__ = ["OnlineInterventions", "OnlineParams"]

EXPLAINED: tuple[RuleName, ...] = ("adaptive", "myopic", "open_ended", "fixed")
"""Rules whose decisions are given with the student model's reasons."""
REMEMBERED = 64
"""How many student models are kept, so that each item costs what it adds and not all that was observed before."""


class OnlineParams(Params):
    """The parameters of online interventions."""

    teacher: Annotated[str, Plays("teacher"), Field(description="Who explains.")]
    student: Annotated[str, Plays("student"), Field(description="Who answers.")]
    items: Annotated[
        ItemList, Field(min_length=1, description="In the order in which they arrive; with answers and concepts.")
    ]
    concepts: Annotated[
        Concepts | None,
        FromFile(read_concepts),
        Field(description="Concepts and prerequisites for the student model; left out, the items' concepts alone."),
    ] = None
    budget: Annotated[float, Field(ge=0, le=1, description="Share of the items that may be explained.")] = 0.2
    rules: Annotated[
        list[RuleName],
        Field(min_length=1, description="How it is spent; the first counts, the others are compared with it."),
    ] = ["adaptive"]
    look_ahead: Annotated[
        bool, Field(description="Whether 'adaptive' and 'offline' count what an explanation does for later items.")
    ] = True
    threshold: Annotated[float, Field(ge=-1, le=1, description="For 'fixed': the least utility of an item.")] = 0.3
    watch: Annotated[
        bool, Field(description="Whether a monitor watches for explanations that do harm, by the model's surprise.")
    ] = False
    alarm: Annotated[float, ALARM] = 0.01
    margin: Annotated[float, MARGIN] = 0.05
    misaligned: Annotated[bool, MISALIGNED] = False

    @model_validator(mode="after")
    def _fits(self) -> OnlineParams:
        if self.teacher == self.student:
            raise ValueError(f"{self.teacher!r} cannot be teacher and student at once; name another agent")
        seen: set[str] = set()
        for item in self.items:
            if item.id in seen:
                raise ValueError(f"items: two are called {item.id!r}; give each its own id")
            seen.add(item.id)
            if item.answer is None:
                raise ValueError(f"items: {item.id!r} has no answer; without one nobody can say whether it was right")
            for concept in item.concepts:
                if self.concepts is not None and concept not in self.concepts["concepts"]:
                    raise ValueError(f"items: {item.id!r} needs the unknown concept {concept!r}")
            if not item.concepts:
                raise ValueError(f"items: the student model must know what {item.id!r} needs; give it concepts")
        return self


class State(TypedDict, total=False):
    """The state of the graph: plain JSON. `chosen` and `rehearsed` are there for the rule 'offline' alone."""

    chosen: list[str]
    steps: dict[str, list[dict[str, Any]]]
    turns: list[dict[str, Any]]


class OnlineInterventions(Protocol[OnlineParams, OnlineOutcome]):
    """A teacher that spends a budget of explanations on items as they come.

    Example:
        >>> online = OnlineInterventions(teacher=tea, student=stu, items=items, budget=0.2,
        ...     rules=["adaptive", "random"])                               # doctest: +SKIP
        >>> print((await online.perform()).table())                         # doctest: +SKIP
    """

    name = "online_interventions"
    params_model = OnlineParams
    outcome_model = OnlineOutcome
    inputs = {}

    def prepare(self) -> None:
        """Nothing is remembered yet."""
        self._items = {item.id: item for item in self.params.items}
        self._line = self.params.items
        self._remembered: dict[tuple[Any, ...], StudentModel] = {}

    @property
    def teacher(self) -> Agent:
        """Who explains."""
        return self.cast[self.params.teacher]

    @property
    def student(self) -> Agent:
        """Who answers."""
        return self.cast[self.params.student]

    @property
    def rules(self) -> list[RuleName]:
        """The rules that are run, each once."""
        return list(dict.fromkeys(self.params.rules))

    def build(self) -> StateGraph[Any, Any, Any, Any]:
        """A rehearsal, if a rule needs everything beforehand, and then item by item."""
        from langgraph.graph import END, START, StateGraph

        from maieutic.backends.place import Place

        graph = StateGraph(State, context_schema=Place)
        graph.add_node("rehearse", self.rehearse)
        graph.add_node("next", self.next)
        graph.add_conditional_edges(START, lambda _: "offline" in self.rules, {True: "rehearse", False: "next"})
        graph.add_edge("rehearse", "next")
        graph.add_conditional_edges("next", self.done, {True: END, False: "next"})
        return graph

    def done(self, state: State) -> bool:
        """Whether every item has been answered."""
        return len(state["steps"][self.rules[0]]) == len(self._line)

    async def rehearse(self, state: State, runtime: Runtime[Any]) -> State:
        """For the rule 'offline' alone: every item is answered without help, and the best are chosen."""
        at = self.at(runtime) / "rehearsal"
        replies = await all_of({i: solve(self.student, item, at / i) for i, item in self._items.items()})
        model = self._fresh()
        for i, reply in replies.items():
            said = answered(self._items[i], reply)
            model.answered(self._items[i], correct=said.correct, choice=said.answer)
        chosen = self._deciding("offline").choose(model, self._line)
        probes = [self._probe(reply) for reply in replies.values()] if self.rules[0] == "offline" else []
        return {"chosen": chosen, "turns": heard(at, probes)}

    async def next(self, state: State, runtime: Runtime[Any]) -> State:
        """The next item, under every rule at the same time."""
        steps = state.get("steps") or {rule: [] for rule in self.rules}
        number = len(steps[self.rules[0]])
        at = self.at(runtime) / self._line[number].id
        before = {rule: [Step.model_validate(raw) for raw in steps[rule]] for rule in self.rules}
        done = await all_of({rule: self._one(rule, before[rule], state, at / rule) for rule in self.rules})
        turns = heard(at, done[self.rules[0]][1])
        return {
            "steps": {rule: [*steps[rule], step.model_dump(mode="json")] for rule, (step, _) in done.items()},
            "turns": [*(state.get("turns") or []), *turns],
        }

    async def _one(self, rule: RuleName, before: Sequence[Step], state: State, at: Place) -> tuple[Step, list[Turn]]:
        """Decide, explain or not, and only then have it answered."""
        item = self._line[len(before)]
        model = self._after(tuple(before))
        expected = model.predict(item)
        utility, decision = self._deciding(rule).decide(
            model, before, self._line[len(before) :], at.rng(), state.get("chosen") or ()
        )
        why = [str(reason) for reason in model.why(item)] if rule in EXPLAINED else []
        if utility is not None and abs(later := utility - expected.utility) > 1e-9:
            why.append(f"on items still to come it would add {later:.2f} right answers")
        view = self._view(before)
        explanation, turns = "", []
        if decision.explain:
            made = mislead(self.teacher, item, at) if self.params.misaligned else explain(self.teacher, item, at)
            explanation = (await made).text
            turns = list(lesson(Demonstration.of(item, explanation), self.teacher, self.student))
            reply = await solve_explained(self.student, item, turns[-1], at, before=view + turns[:-1])
        else:
            reply = await solve(self.student, item, at, before=view)
        step = Step(
            item=item.id,
            explain=decision.explain,
            utility=utility,
            threshold=decision.threshold,
            alone=expected.alone,
            explained=expected.explained,
            spent=sum(past.explain for past in before) + decision.explain,
            why=why,
            explanation=explanation,
            said=answered(item, reply),
        )
        return step, [*turns, self._probe(reply)]

    def _deciding(self, rule: RuleName) -> Deciding:
        p = self.params
        return Deciding(rule, p.budget, len(self._line), p.look_ahead, p.threshold, p.misaligned)

    def _fresh(self) -> StudentModel:
        from maieutic.memory.student.model import StudentModel

        return StudentModel(concepts_of(self.params.items, self.params.concepts), items=self.params.items)

    def _after(self, steps: tuple[Step, ...]) -> StudentModel:
        """The student model after these steps. It is a function of them; the latest results are remembered."""
        known = len(steps)
        while known and _key(steps[:known]) not in self._remembered:
            known -= 1
        model = self._remembered[_key(steps[:known])] if known else self._fresh()
        if known == len(steps):
            return model
        model = model.copy()
        for step in steps[known:]:
            item = self._items[step.item]
            if step.explain:
                model.explained(item)
            model.answered(item, correct=step.said.correct, choice=step.said.answer, with_explanation=step.explain)
        while len(self._remembered) >= REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[_key(steps)] = model
        return model

    def _view(self, steps: Sequence[Step]) -> Transcript:
        """What the student has been taught, which is all that it still has before its eyes."""
        told = [Demonstration.of(self._items[step.item], step.explanation) for step in steps if step.explain]
        return Transcript(tuple(turn for each in told for turn in lesson(each, self.teacher, self.student)))

    def _probe(self, reply: Any) -> Turn:
        return self.student.turn(reply, kind="probe")

    def outcome(self, state: Mapping[str, Any], reason: str | None = None) -> OnlineOutcome:
        """Accuracy and spending over the items that came."""
        steps = {rule: [Step.model_validate(raw) for raw in raws] for rule, raws in (state.get("steps") or {}).items()}
        right = {rule: [step.said.correct for step in each] for rule, each in steps.items() if each}
        p, first = self.params, self.rules[0]
        return OnlineOutcome(
            reason=reason or "answered",
            transcript=state.get("turns") or [],
            budget=p.budget,
            misaligned=p.misaligned,
            steps=steps,
            accuracy={rule: Measure.share(flags) for rule, flags in right.items()},
            explained={rule: sum(step.explain for step in each) for rule, each in steps.items()},
            first_beyond={
                rule: Measure.difference(right[first], flags) for rule, flags in right.items() if rule != first
            },
            watched={
                rule: watched(
                    [(step.explained, step.said.correct) for step in each if step.explain],
                    alarm=p.alarm,
                    margin=p.margin,
                )
                for rule, each in steps.items()
                if p.watch
            },
        )

    def plan(self) -> CallPlan:
        """The student's calls exactly; of explanations as many as the budget allows, or none where a rule may save."""
        n = len(self._line)
        rules = self.rules
        most = affordable(self.params.budget, n)
        sure = sum(rule in ("random", "offline") for rule in rules)
        maybe = sum(rule in EXPLAINED for rule in rules)
        answers = n * (len(rules) + ("offline" in rules))
        return CallPlan(
            {self.params.teacher: (sure * most, (sure + maybe) * most), self.params.student: (answers, answers)}
        )


def _key(steps: tuple[Step, ...]) -> tuple[Any, ...]:
    return tuple((step.item, step.explain, step.said.correct, step.said.answer) for step in steps)
