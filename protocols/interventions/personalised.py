"""Personalised explanations: does a teacher explain better after seeing what helped this very student?

Saha, Hase and Bansal, "Can Language Models Teach?", NeurIPS 2023, research question 3. At practice items the student
answers alone, and again after reading an explanation. The explanations that turned it from wrong to right become the
teacher's demonstrations, and its explanations of the test items are compared, on the same items and the same student,
with those of a teacher that saw explanations drawn at random (unpersonalised), that saw none, that is told the right
answer (rationalised), and with explanations written beforehand (given).
"""

# ruff: noqa: RUF012 - pydantic copies defaults, and ruff does not see that these are its models

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypedDict

from pydantic import BaseModel, ConfigDict, Field, model_validator

from maieutic.agents import Agent, Reply
from maieutic.memory import MODERATOR, Transcript, Turn
from maieutic.memory.student.items import Item
from maieutic.protocols.base import CallPlan, Outcome, Params, Plays, Protocol, heard
from maieutic.protocols.interventions.asking import answered, explain, explanation_turn, solve, solve_explained
from maieutic.protocols.interventions.lessons import Demonstration, ItemList, all_of, prompt_file
from maieutic.protocols.interventions.measures import Measure, aligned
from maieutic.protocols.interventions.records import Answered

if TYPE_CHECKING:
    from langgraph.graph.state import StateGraph
    from langgraph.runtime import Runtime

    from maieutic.backends.place import Place

__all__ = ["Compared", "Kind", "PersonalisedExplanations", "PersonalisedOutcome", "PersonalisedParams"]

Kind = Literal["personalised", "unpersonalised", "undemonstrated", "rationalised", "given"]
"""personalised: demonstrations that turned this student from wrong to right. unpersonalised: as many drawn at random
from all explanations. undemonstrated: none. rationalised: as unpersonalised, and the teacher is told the right answer.
given: the explanation that the item brings with it, by a person for instance."""

KINDS: tuple[Kind, ...] = ("personalised", "unpersonalised", "undemonstrated", "rationalised")


class PersonalisedParams(Params):
    """The parameters of personalised explanations."""

    teacher: Annotated[str, Plays("teacher"), Field(description="Who explains.")]
    student: Annotated[str, Plays("student"), Field(description="Who answers.")]
    practice: Annotated[
        ItemList,
        Field(min_length=1, description="Where it is found out which explanations help; with the right answers."),
    ]
    items: Annotated[
        ItemList,
        Field(min_length=1, description="Where the kinds are compared; with the right answers."),
    ]
    kinds: Annotated[list[Kind], Field(min_length=1, description="The kinds of explanation that are compared.")] = list(
        KINDS
    )
    demonstrations: Annotated[int, Field(ge=1, description="How many explanations the teacher is shown at most.")] = 4

    @model_validator(mode="after")
    def _fits(self) -> PersonalisedParams:
        if missing := [item.id for item in (*self.practice, *self.items) if item.answer is None]:
            raise ValueError(f"the item {missing[0]!r} has no answer, so that nobody can tell whether it was helped")
        if "given" in self.kinds and (bare := [item.id for item in self.items if not item.explanation]):
            raise ValueError(f"'given' explanations are compared, and the item {bare[0]!r} brings none")
        if shared := {item.id for item in self.practice} & {item.id for item in self.items}:
            raise ValueError(f"{min(shared)!r} is both a practice item and a test item")
        return self


class Compared(BaseModel):
    """One test item: the student's answer alone, and after each kind of explanation."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    item: Annotated[str, Field(description="The item's id.")]
    alone: Annotated[Answered, Field(description="The answer without any help.")]
    explained: Annotated[dict[str, Answered], Field(description="The answers by kind of explanation.")]
    explanations: Annotated[dict[str, str], Field(description="What was explained, by kind.")]


class PersonalisedOutcome(Outcome):
    """What the comparison came to.

    Attributes:
        accuracy: Share of right answers alone ("alone") and by kind of explanation.
        beyond_alone: By kind, how much more was right than alone, on the same items.
        beyond_others: How much more was right after personalised explanations than after each other kind.
        useful: The practice items whose explanation turned the student from wrong to right.
        demonstrations: What the teacher was shown: "personalised" and "unpersonalised".
        rows: Every test item.
        notes: What has to be known to read the numbers.
    """

    accuracy: dict[str, Measure] = {}
    beyond_alone: dict[str, Measure] = {}
    beyond_others: dict[str, Measure] = {}
    useful: list[str] = []
    demonstrations: dict[str, list[Demonstration]] = {}
    rows: list[Compared] = []
    notes: list[str] = []

    def table(self) -> str:
        """Accuracy by kind, what it adds to answering alone, and what personalised explanations add to it."""
        if not self.accuracy:
            return ""
        rows = [["explanation", "accuracy", "beyond alone", "personalised beyond it"]]
        for kind, accuracy in self.accuracy.items():
            more = (self.beyond_alone.get(kind), self.beyond_others.get(kind))
            rows.append([kind, str(accuracy), *("" if measure is None else str(measure) for measure in more)])
        return "\n".join([aligned(rows), *self.notes])

    def plot(self, path: Path | str) -> Path:
        """Accuracy by kind, with intervals."""
        from maieutic.files.plotting import COLOURS, figure, save

        picture, (panel,) = figure(height=2.0 + 0.4 * len(self.accuracy))
        names = list(self.accuracy)[::-1]
        for row, name in enumerate(names):
            measure = self.accuracy[name]
            panel.plot([measure.low, measure.high], [row, row], color=COLOURS[0], linewidth=2)
            panel.plot([measure.value], [row], marker="o", color=COLOURS[0])
        panel.set_yticks(range(len(names)), names)
        panel.set_xlim(-0.02, 1.02)
        panel.set_xlabel("share of right answers, 95 % intervals")
        panel.set_title("Accuracy by kind of explanation")
        return save(picture, path)


class State(TypedDict, total=False):
    """The state of the graph: plain JSON."""

    useful: list[str]
    shown: dict[str, list[dict[str, Any]]]
    rows: list[dict[str, Any]]
    turns: list[dict[str, Any]]


class PersonalisedExplanations(Protocol[PersonalisedParams, PersonalisedOutcome]):
    """Compares explanations made for this student with those made for anybody.

    Example:
        >>> compare = PersonalisedExplanations(teacher=tea, student=stu, practice=old, items=new)    # doctest: +SKIP
        >>> print((await compare.perform()).table())                                                # doctest: +SKIP
    """

    name = "personalised_explanations"
    params_model = PersonalisedParams
    outcome_model = PersonalisedOutcome
    inputs = {}

    def build(self) -> StateGraph[Any, Any, Any, Any]:
        """Practice, then the comparison."""
        from langgraph.graph import END, START, StateGraph

        from maieutic.backends.place import Place

        graph = StateGraph(State, context_schema=Place)
        graph.add_node("practise", self.practise)
        graph.add_node("compare", self.compare)
        graph.add_edge(START, "practise")
        graph.add_edge("practise", "compare")
        graph.add_edge("compare", END)
        return graph

    @property
    def teacher(self) -> Agent:
        """Who explains."""
        return self.cast[self.params.teacher]

    @property
    def student(self) -> Agent:
        """Who answers."""
        return self.cast[self.params.student]

    async def practise(self, state: State, runtime: Runtime[Any]) -> State:
        """Find out which explanations turn the student from wrong to right, and choose the demonstrations."""
        at = self.at(runtime) / "practice"
        items = {item.id: item for item in self.params.practice}
        alone = await all_of({i: solve(self.student, item, at / i / "alone") for i, item in items.items()})
        own = {i: explain(self.teacher, item, at / i) for i, item in items.items() if not item.explanation}
        explained = {i: reply.text for i, reply in (await all_of(own)).items()}
        texts = {i: items[i].explanation or explained[i] for i in items}
        wrong = [i for i, reply in alone.items() if not answered(items[i], reply).correct]
        again = await all_of({i: self._solve(items[i], texts[i], at / i / "explained") for i in wrong})
        useful = [i for i, reply in again.items() if answered(items[i], reply).correct]
        made = {i: Demonstration.of(items[i], texts[i]) for i in items}
        probes = [self.student.turn(reply, kind="probe") for reply in (*alone.values(), *again.values())]
        return {"useful": useful, "shown": self._shown(made, useful, at.rng()), "turns": heard(at, probes)}

    def _shown(
        self, made: Mapping[str, Demonstration], useful: Sequence[str], rng: random.Random
    ) -> dict[str, list[dict[str, Any]]]:
        """As many demonstrations of each sort, so that only what they show differs."""
        most = min(self.params.demonstrations, len(made))
        size = min(most, len(useful)) or most
        chosen = {"personalised": rng.sample(list(useful), min(size, len(useful)))}
        chosen["unpersonalised"] = rng.sample(list(made), size)
        return {sort: [made[i].model_dump(mode="json") for i in ids] for sort, ids in chosen.items()}

    async def compare(self, state: State, runtime: Runtime[Any]) -> State:
        """Answer every test item alone and after each kind of explanation."""
        at = self.at(runtime) / "test"
        items = {item.id: item for item in self.params.items}
        kinds = [kind for kind in self.params.kinds if kind != "personalised" or state["useful"]]
        pairs = {f"{i}/{kind}": (items[i], kind) for i in items for kind in kinds}
        alone = await all_of({i: solve(self.student, item, at / i / "alone") for i, item in items.items()})
        made = {
            key: self._explain(item, kind, state["shown"], at / item.id / kind)
            for key, (item, kind) in pairs.items()
            if kind != "given"
        }
        replies = await all_of(made)
        texts = {key: replies[key].text if key in replies else item.explanation for key, (item, _) in pairs.items()}
        again = await all_of(
            {key: self._solve(item, texts[key], at / item.id / kind) for key, (item, kind) in pairs.items()}
        )
        rows = [
            Compared(
                item=i,
                alone=answered(item, alone[i]),
                explained={kind: answered(item, again[f"{i}/{kind}"]) for kind in kinds},
                explanations={kind: texts[f"{i}/{kind}"] for kind in kinds},
            )
            for i, item in items.items()
        ]
        probes = [self.student.turn(reply, kind="probe") for reply in (*alone.values(), *again.values())]
        turns = [*(state.get("turns") or []), *heard(at, probes)]
        return {"rows": [row.model_dump(mode="json") for row in rows], "turns": turns}

    async def _explain(self, item: Item, kind: Kind, shown: Mapping[str, Any], at: Place) -> Reply:
        sort = {"personalised": "personalised", "undemonstrated": ""}.get(kind, "unpersonalised")
        before = Transcript()
        if sort:
            text = prompt_file("personalised_explanations/demonstrations").render({"demonstrations": shown[sort]})
            before = Transcript((Turn(MODERATOR, text, audience=frozenset({self.teacher.name})),))
        told = item.answer if kind == "rationalised" else None
        return await explain(self.teacher, item, at, answer=told, before=before)

    async def _solve(self, item: Item, explanation: str, at: Place) -> Reply:
        return await solve_explained(self.student, item, explanation_turn(self.teacher, self.student, explanation), at)

    def outcome(self, state: Mapping[str, Any], reason: str | None = None) -> PersonalisedOutcome:
        """Accuracies and paired differences over the test items that were answered."""
        rows = [Compared.model_validate(row) for row in state.get("rows") or []]
        right = _right(rows)
        alone = right.get("alone", [])
        kinds = [kind for kind in right if kind != "alone"]
        best = right.get("personalised")
        return PersonalisedOutcome(
            reason=reason or "answered",
            transcript=state.get("turns") or [],
            accuracy={kind: Measure.share(flags) for kind, flags in right.items()},
            beyond_alone={kind: Measure.difference(right[kind], alone) for kind in kinds},
            beyond_others={
                kind: Measure.difference(best, right[kind]) for kind in kinds if best and kind != "personalised"
            },
            useful=state.get("useful") or [],
            demonstrations=state.get("shown") or {},
            rows=rows,
            notes=self._notes(state),
        )

    def _notes(self, state: Mapping[str, Any]) -> list[str]:
        if "useful" not in state or "personalised" not in self.params.kinds:
            return []
        found, wanted = len(state["useful"]), self.params.demonstrations
        if not found:
            return ["No explanation turned the student from wrong to right at practice: nothing could be personalised."]
        if found < wanted:
            return [f"Only {found} of {wanted} demonstrations: more explanations did not turn the student."]
        return []

    def plan(self) -> CallPlan:
        """Exact but for the practice items that are right alone, and for finding no useful explanation at all."""
        p = self.params
        practice, items = len(p.practice), len(p.items)
        without = sum(not item.explanation for item in p.practice)
        asked = [kind for kind in p.kinds if kind != "given"]
        unsure = items if "personalised" in asked else 0
        most = (1 + len(p.kinds)) * items
        return CallPlan(
            {
                p.teacher: (without + len(asked) * items - unsure, without + len(asked) * items),
                p.student: (practice + most - unsure, 2 * practice + most),
            },
            apart=True,
        )


def _right(rows: Sequence[Compared]) -> dict[str, list[bool]]:
    """Whether each item was right, alone and by kind."""
    if not rows:
        return {}
    right = {"alone": [row.alone.correct for row in rows]}
    for kind in rows[0].explained:
        right[kind] = [row.explained[kind].correct for row in rows]
    return right
