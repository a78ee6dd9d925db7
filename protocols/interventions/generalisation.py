"""Do explanations carry over to questions that nobody explained?

Saha, Hase and Bansal, "Can Language Models Teach?", NeurIPS 2023, research question 4. Round by round more items are
explained and stay in the student's view, each with the teacher's explanation and answer; after every round the student
answers other items alone. Which items are explained first is either by expected utility, as the paper describes, or
drawn at random, as the paper's released code does it; both can be compared here on the same test items.
"""

# ruff: noqa: RUF012 - pydantic copies defaults, and ruff does not see that these are its models

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypedDict

from pydantic import BaseModel, ConfigDict, Field, model_validator

from maieutic.agents import Agent
from maieutic.memory import Transcript
from maieutic.memory.student.items import Item
from maieutic.protocols.base import CallPlan, FromFile, Outcome, Params, Plays, Protocol, heard
from maieutic.protocols.given import Concepts, read_concepts
from maieutic.protocols.interventions.asking import answered, explain, solve
from maieutic.protocols.interventions.by_student_model import concepts_of
from maieutic.protocols.interventions.foresight import best_of
from maieutic.protocols.interventions.lessons import Demonstration, ItemList, all_of, lesson
from maieutic.protocols.interventions.measures import Measure, aligned
from maieutic.protocols.interventions.records import Answered

if TYPE_CHECKING:
    from langgraph.graph.state import StateGraph
    from langgraph.runtime import Runtime

    from maieutic.backends.place import Place

__all__ = ["ExplanationTransfer", "Order", "Round", "TransferOutcome", "TransferParams"]

Order = Literal["utility", "random"]
"""utility: what explaining is expected to gain on the test items, by the student model, greatest first.
random: drawn by the run's seed."""

NAMES = {"utility": "chosen by utility", "random": "chosen at random"}


class TransferParams(Params):
    """The parameters of explanation transfer."""

    teacher: Annotated[str, Plays("teacher"), Field(description="Who explains.")]
    student: Annotated[str, Plays("student"), Field(description="Who answers.")]
    items: Annotated[ItemList, Field(min_length=1, description="What may be explained; with right answers.")]
    unexplained: Annotated[
        ItemList,
        Field(min_length=1, description="What the student is tested on; never explained; with right answers."),
    ]
    rounds: Annotated[
        list[int], Field(min_length=1, description="How many items have been explained after each round, rising.")
    ] = [2, 4, 6, 8, 10]
    orders: Annotated[list[Order], Field(min_length=1, description="Which items are explained first.")] = ["random"]
    concepts: Annotated[
        Concepts | None,
        FromFile(read_concepts),
        Field(description="The concepts of the student model, for 'utility'; left out, those that the items name."),
    ] = None
    answers: Annotated[
        Literal["right", "none"], Field(description="Whether the right answer is shown with each explanation.")
    ] = "right"

    @model_validator(mode="after")
    def _fits(self) -> TransferParams:
        if missing := [item.id for item in (*self.items, *self.unexplained) if item.answer is None]:
            raise ValueError(f"the item {missing[0]!r} has no answer, so that nobody can tell whether it was right")
        if shared := {item.id for item in self.items} & {item.id for item in self.unexplained}:
            raise ValueError(f"{min(shared)!r} stands among the items and among the unexplained ones")
        if self.rounds[0] < 1 or any(later <= earlier for earlier, later in pairwise(self.rounds)):
            raise ValueError("rounds: the numbers of explained items must rise, from 1 or more")
        if self.rounds[-1] > len(self.items):
            raise ValueError(f"rounds: {self.rounds[-1]} items cannot be explained, there are {len(self.items)}")
        bare = [item.id for item in (*self.items, *self.unexplained) if not item.concepts]
        if "utility" in self.orders and bare:
            raise ValueError(f"to choose by utility, the student model must know what {bare[0]!r} needs")
        return self


class Round(BaseModel):
    """The test after one round."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    explained: Annotated[int, Field(description="How many items had been explained.")]
    answers: Annotated[dict[str, Answered], Field(description="The student's answers to the test items.")]

    @property
    def right(self) -> list[bool]:
        """Whether each was right."""
        return [answer.correct for answer in self.answers.values()]


class TransferOutcome(Outcome):
    """What was carried over.

    Attributes:
        explained: The items in the order in which they were explained, by order.
        demonstrations: What the student read, by the item's id.
        rounds: The tests, by order; the first of each is the same, before any explanation.
        accuracy: Share of right answers to unexplained items, by order, for every round.
        gain: The same less the accuracy before any explanation, on the same items.
    """

    explained: dict[str, list[str]] = {}
    demonstrations: dict[str, Demonstration] = {}
    rounds: dict[str, list[Round]] = {}
    accuracy: dict[str, list[Measure]] = {}
    gain: dict[str, list[Measure]] = {}

    def table(self) -> str:
        """Accuracy on unexplained items after each round."""
        if not self.accuracy:
            return ""
        rows = [["explained", *(f"{name}{what}" for name in self.accuracy for what in ("", ", gain"))]]
        for i, at in enumerate(next(iter(self.rounds.values()))):
            cells = [str(m[name][i]) for name in self.accuracy for m in (self.accuracy, self.gain)]
            rows.append([str(at.explained), *cells])
        return f"accuracy on {len(at.answers)} unexplained items\n{aligned(rows)}"

    def plot(self, path: Path | str) -> Path:
        """Accuracy on unexplained items against explained ones."""
        from maieutic.files.plotting import COLOURS, MARKERS, figure, save

        picture, (panel,) = figure()
        panel.set_xticks([test.explained for test in next(iter(self.rounds.values()), [])])
        for name, colour, marker in zip(self.accuracy, COLOURS, MARKERS, strict=False):
            at = [test.explained for test in self.rounds[name]]
            measures = self.accuracy[name]
            panel.fill_between(at, [m.low for m in measures], [m.high for m in measures], color=colour, alpha=0.15)
            panel.plot(at, [m.value for m in measures], color=colour, marker=marker, label=NAMES[name])
        panel.set_xlabel("items explained so far")
        panel.set_ylabel("share right, unexplained items")
        panel.legend(frameon=False)
        return save(picture, path)


class State(TypedDict, total=False):
    """The state of the graph: plain JSON. `rounds` grows test by test; the first is before any explanation."""

    explained: dict[str, list[str]]
    demonstrations: dict[str, dict[str, Any]]
    rounds: Annotated[list[dict[str, Any]], operator.add]
    turns: Annotated[list[dict[str, Any]], operator.add]


class ExplanationTransfer(Protocol[TransferParams, TransferOutcome]):
    """Explains some items and tests others.

    Example:
        >>> transfer = ExplanationTransfer(teacher=tea, student=stu, items=some, unexplained=others)  # doctest: +SKIP
        >>> print((await transfer.perform()).table())                                                # doctest: +SKIP
    """

    name = "explanation_transfer"
    params_model = TransferParams
    outcome_model = TransferOutcome
    inputs = {}

    def build(self) -> StateGraph[Any, Any, Any, Any]:
        """A test, the explanations, and a test after every round."""
        from langgraph.graph import END, START, StateGraph

        from maieutic.backends.place import Place

        graph = StateGraph(State, context_schema=Place)
        graph.add_node("explain", self.explain)
        graph.add_node("test", self.test)
        graph.add_edge(START, "explain")
        graph.add_edge("explain", "test")
        graph.add_conditional_edges("test", self.enough, {True: END, False: "test"})
        return graph

    def enough(self, state: State) -> bool:
        """Whether every round has been tested."""
        return len(state["rounds"]) > len(self.params.rounds)

    @property
    def teacher(self) -> Agent:
        """Who explains."""
        return self.cast[self.params.teacher]

    @property
    def student(self) -> Agent:
        """Who answers."""
        return self.cast[self.params.student]

    async def explain(self, state: State, runtime: Runtime[Any]) -> State:
        """Choose the items and explain each of them once, whatever the orders they stand in."""
        at = self.at(runtime)
        items = {item.id: item for item in self.params.items}
        most = self.params.rounds[-1]
        explained: dict[str, list[str]] = {}
        turns: list[dict[str, Any]] = []
        for order in dict.fromkeys(self.params.orders):
            if order == "random":
                explained[order] = (at / "order").rng().sample(list(items), most)
            else:
                explained[order], turns = await self._by_utility(items, at / "order")
        chosen = list(dict.fromkeys(i for ids in explained.values() for i in ids))
        replies = await all_of({i: explain(self.teacher, items[i], at / "explain" / i) for i in chosen})
        answer = {i: items[i].answer if self.params.answers == "right" else None for i in chosen}
        shown = {i: Demonstration.of(items[i], reply.text, answer[i]) for i, reply in replies.items()}
        return {
            "explained": explained,
            "demonstrations": {i: demonstration.model_dump(mode="json") for i, demonstration in shown.items()},
            "turns": turns,
        }

    async def _by_utility(self, items: Mapping[str, Item], at: Place) -> tuple[list[str], list[dict[str, Any]]]:
        """The student answers every item alone; then the student model chooses those that help most with the test."""
        from maieutic.memory.student.model import StudentModel

        replies = await all_of({i: solve(self.student, item, at / i) for i, item in items.items()})
        every = [*self.params.items, *self.params.unexplained]
        model = StudentModel(concepts_of(every, self.params.concepts), items=every)
        for i, reply in replies.items():
            said = answered(items[i], reply)
            model.answered(items[i], correct=said.correct, choice=said.answer)
        chosen = best_of(model, self.params.items, self.params.rounds[-1], tested=self.params.unexplained)
        return list(chosen), heard(at, [self.student.turn(reply, kind="probe") for reply in replies.values()])

    async def test(self, state: State, runtime: Runtime[Any]) -> State:
        """The unexplained items, with what has been explained so far in view; the first time with nothing."""
        done = len(state.get("rounds") or [])
        explained = self.params.rounds[done - 1] if done else 0
        at = self.at(runtime) / f"after{explained}"
        items = {item.id: item for item in self.params.unexplained}
        views = {order: self._view(state, ids[:explained]) for order, ids in state["explained"].items()}
        tests = views if done else {"any": Transcript()}
        replies = {
            order: await all_of({i: solve(self.student, items[i], at / order / i, before=view) for i in items})
            for order, view in tests.items()
        }
        said = {
            order: {i: answered(items[i], reply).model_dump(mode="json") for i, reply in each.items()}
            for order, each in replies.items()
        }
        probes = [self.student.turn(reply, kind="probe") for each in replies.values() for reply in each.values()]
        answers = {order: said[order if done else "any"] for order in views}
        return {"rounds": [{"explained": explained, "answers": answers}], "turns": heard(at, probes)}

    def _view(self, state: State, ids: Sequence[str]) -> Transcript:
        shown = [Demonstration.model_validate(state["demonstrations"][i]) for i in ids]
        return Transcript(tuple(turn for each in shown for turn in lesson(each, self.teacher, self.student)))

    def outcome(self, state: Mapping[str, Any], reason: str | None = None) -> TransferOutcome:
        """Accuracies and paired gains after the rounds that were tested."""
        tested = state.get("rounds") or []
        orders = list(state.get("explained") or {}) if tested else []
        rounds = {
            order: [Round(explained=test["explained"], answers=test["answers"][order]) for test in tested]
            for order in orders
        }
        return TransferOutcome(
            reason=reason or "answered",
            transcript=state.get("turns") or [],
            explained=state.get("explained") or {},
            demonstrations=state.get("demonstrations") or {},
            rounds=rounds,
            accuracy={order: [Measure.share(test.right) for test in tests] for order, tests in rounds.items()},
            gain={
                order: [Measure.difference(test.right, tests[0].right) for test in tests]
                for order, tests in rounds.items()
            },
        )

    def plan(self) -> CallPlan:
        """Exact for one order; two orders share what both choose."""
        p = self.params
        orders = list(dict.fromkeys(p.orders))
        most = p.rounds[-1]
        tests = len(p.unexplained) * (1 + len(p.rounds) * len(orders))
        alone = len(p.items) if "utility" in orders else 0
        return CallPlan(
            {
                p.teacher: (most, min(len(p.items), most * len(orders))),
                p.student: (tests + alone, tests + alone),
            }
        )
