"""Interventions under a budget, the offline protocol: every item is answered alone and explained, then judged.

Saha, Hase and Bansal, "Can Language Models Teach? Teacher Explanations Improve Student Performance via
Personalization", NeurIPS 2023, sections 4 and 5: a student answers alone; on a share of the items the teacher's
explanation takes the place of the student's own reasoning. Which items are worth it is what rankers say. Because every
item is answered both ways once, all budgets and rankers are evaluated from the same answers, and no call is repeated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from maieutic.agents import Agent
from maieutic.errors import MaieuticError
from maieutic.memory.student.items import Item
from maieutic.protocols.base import CallPlan, Protocol
from maieutic.protocols.interventions.by_student_model import ByStudentModel
from maieutic.protocols.interventions.estimators import Asked, Estimates, Estimator, usual_estimate
from maieutic.protocols.interventions.few_shot import FewShot
from maieutic.protocols.interventions.outcome import InterventionsOutcome, evaluated
from maieutic.protocols.interventions.params import InterventionsParams
from maieutic.protocols.interventions.plan import interventions_plan
from maieutic.protocols.interventions.records import Record
from maieutic.protocols.interventions.stacking import Stacking
from maieutic.protocols.interventions.trial import Trial
from maieutic.protocols.together import failure_to_json, kind_of, raise_failure, together

if TYPE_CHECKING:
    from langgraph.graph.state import StateGraph
    from langgraph.runtime import Runtime

    from maieutic.backends.place import Place

__all__ = ["Interventions"]


class State(TypedDict, total=False):
    """The state of the graph: plain JSON."""

    question: str
    records: list[dict[str, Any]]
    practice: list[dict[str, Any]]
    skipped: list[dict[str, Any]]
    failure: dict[str, Any] | None


class Interventions(Protocol[InterventionsParams, InterventionsOutcome]):
    """A teacher that can explain only a share of the items, and ways to choose which.

    Args:
        teacher: Explains, and predicts the student.
        student: Answers every item alone and explained.
        items: The questions, each with its right answer (`Item`, or its fields); or the path of a file with them.
        **params: See InterventionsParams.

    Raises:
        UsageError: The parameters do not fit together.

    Example:
        >>> items = [Item(id="q1", question="What is 1/2 + 1/4?", answer="3/4", concepts=("fractions",)), ...]
        >>> budget = Interventions(Teacher("Tess", "sim/teacher"), Student("Sam", "sim/student"), items)
        >>> print((await budget.perform()).table())                       # doctest: +SKIP
    """

    name = "interventions"
    params_model = InterventionsParams
    outcome_model = InterventionsOutcome
    inputs = {"question": False}  # noqa: RUF012

    def __init__(
        self, teacher: Agent, student: Agent, items: Sequence[Item | Mapping[str, Any]] | Path | str, **params: Any
    ) -> None:
        super().__init__(teacher=teacher, student=student, items=items, **params)

    def build(self) -> StateGraph[Any, Any, Any, Any]:
        """One node in which everything is asked, one in which the student is predicted, and one that raises."""
        from langgraph.graph import END, START, StateGraph

        from maieutic.backends.place import Place

        graph = StateGraph(State, context_schema=Place)
        graph.add_node("ask", self.ask)
        graph.add_node("estimate", self.estimate)
        graph.add_node("fail", self.fail)
        graph.add_edge(START, "ask")
        graph.add_conditional_edges("ask", lambda s: "fail" if s.get("failure") else "estimate", ["fail", "estimate"])
        graph.add_conditional_edges("estimate", lambda s: "fail" if s.get("failure") else END, ["fail", END])
        graph.add_edge("fail", END)
        return graph

    async def ask(self, state: State, runtime: Runtime[Any]) -> State:
        """Put every item to teacher and student, all at the same time."""
        params = self.params
        at = self.at(runtime) / "items"
        trial = Trial(self.cast[params.teacher], self.cast[params.student], params)
        practice = params.practice_items
        acts = {item.id: trial.observe(item, at / item.id) for item in practice}
        acts |= {item.id: trial.judge(item, at / item.id) for item in params.test_items}
        done = await together(acts)
        fatal = done.fatal(params.on_failure)
        apart = {item.id for item in practice}
        records = [record for item, record in done.replies.items() if item not in apart]
        if fatal is None and not records:
            fatal = next(error for item, error in done.failures.items() if item not in apart)
        return {
            "records": [record.model_dump(mode="json") for record in records],
            "practice": [r.model_dump(mode="json") for item, r in done.replies.items() if item in apart],
            "skipped": [_skipped(item, "be answered", error) for item, error in done.failures.items()],
            "failure": None if fatal is None else failure_to_json(fatal),
        }

    async def estimate(self, state: State, runtime: Runtime[Any]) -> State:
        """Let every estimator watch the practice items and predict the others."""
        at = self.at(runtime)
        records = [Record.model_validate(raw) for raw in state["records"]]
        practice = [Record.model_validate(raw) for raw in state["practice"]]
        if not self.params.predicts:
            return {}
        try:
            estimates, failed = await self._estimates(records, practice, at)
        except MaieuticError as error:
            return {"failure": failure_to_json(error)}
        usual = usual_estimate(practice)
        known = [
            r.model_copy(update={"estimates": {name: found.get(r.item, usual) for name, found in estimates.items()}})
            for r in records
        ]
        return {
            "records": [record.model_dump(mode="json") for record in known],
            "skipped": [*state["skipped"], *failed],
        }

    async def _estimates(
        self, records: Sequence[Record], practice: Sequence[Record], at: Place
    ) -> tuple[dict[str, Estimates], list[dict[str, Any]]]:
        """By estimator what it expects of each judged item, and what failed."""
        params = self.params
        items = {item.id: item for item in params.all_items}
        asked = [Asked(items[r.item], r.target, r.explanation) for r in records]
        combining = "combined" in params.used_estimators
        found: dict[str, Estimates] = {}
        before: dict[str, Estimates] = {}
        failed: list[dict[str, Any]] = []
        for estimator in self.estimators():
            estimator.observe(practice)
            here = at / estimator.name
            estimates = await estimator.estimate(asked, here)
            how = f"be predicted by {estimator.name}"
            failed += [_skipped(item, how, error) for item, error in getattr(estimator, "failures", {}).items()]
            if not estimates:
                continue
            found[estimator.name] = estimates
            if combining:
                before[estimator.name] = await estimator.estimate_practice(here)
        if combining and found:
            found["combined"] = Stacking.fit(before, practice).combine(found)
        return found, failed

    def estimators(self) -> list[Estimator]:
        """The estimators that watch and predict by themselves, each fresh."""
        params = self.params
        made: dict[str, Estimator] = {}
        for name in params.used_estimators:
            if name == "few_shot":
                items = {item.id: item for item in params.practice_items}
                made[name] = FewShot(
                    self.cast[params.teacher],
                    items,
                    shots=params.shots,
                    samples=params.samples,
                    seed=params.seed,
                    on_failure=params.on_failure,
                )
            elif name == "student_model":
                made[name] = ByStudentModel(params.all_items, params.concepts)
        return list(made.values())

    async def fail(self, state: State) -> State:
        """Raise what failed, now that what was finished is kept."""
        raise_failure(state["failure"] or {})

    def outcome(self, state: Mapping[str, Any], reason: str | None = None) -> InterventionsOutcome:
        """All curves over whatever was answered."""
        known = InterventionsOutcome(
            records=[Record.model_validate(raw) for raw in state.get("records") or []],
            practice=[Record.model_validate(raw) for raw in state.get("practice") or []],
            skipped=state.get("skipped") or [],
        )
        return evaluated(self.params, known, reason)

    def plan(self) -> CallPlan:
        """Exact, but for the samples that an endpoint without log-probabilities takes."""
        return interventions_plan(self.params)


def _skipped(item: str, act: str, error: MaieuticError) -> dict[str, Any]:
    return {"agent": f"item {item}", "act": act, "kind": kind_of(error), "error": str(error)}
