"""SPaR's refinement tree on a stage: judged, refined in breadth and depth, stopped at the gate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from maieutic.agents import Agent, Critic
from maieutic.backends import LLMRequest
from maieutic.backends.scripted import Line
from maieutic.errors import ModelError, UsageError
from maieutic.protocols.refinement_tree import RefinementTree, RefinementTreeOutcome
from maieutic.testing.staged import Staged, play

ANN, ROB = Agent("ann", "scripted/a"), Critic("rob", "scripted/r")
PASSES: Mapping[str, int] = {"good": 5, "fair": 2, "poor": 1, "bad": 0}
"""How many of five judgements pass a response whose words begin so."""


class Model:
    """Responses in order, refinements by the words that they refine, judgements by PASSES."""

    def __init__(self, responses: list[str], refinements: Mapping[str, list[str]]) -> None:
        self.responses = responses
        self.refinements = refinements
        self.judged: Counter[str] = Counter()

    def __call__(self, request: LLMRequest) -> Line:
        step = request.address.path[-1]
        told = request.messages[-1].content
        if step == "ann.respond":
            return self.responses[request.sample]
        draft = told.partition("Draft:")[2].strip().split("\n")[0].strip()
        if step == "rob.review":
            self.judged[draft] += 1
            ok = request.sample < PASSES[draft.split()[0]]
            return {"ok": ok, "problem": "" if ok else f"{draft} lacks rhyme"}
        return self.refinements[draft][request.sample % len(self.refinements[draft])]


def refine(model: Model, **params: Any) -> Staged[RefinementTreeOutcome]:
    responses = len(model.responses)
    program = RefinementTree(actor=ANN, refiner=ROB, **{"responses": responses, "tries": 1, **params})
    return play(program, model, "Write a rhyme.")


def test_the_first_response_that_fails_is_refined_until_the_gate() -> None:
    model = Model(["good one", "poor one", "bad one"], {"poor one": ["bad two", "fair two", "good two"]})
    outcome = refine(model).outcome
    assert {n.id: (n.scores.own, n.stopped) for n in outcome.tree.children("")} == {
        "0": (1.0, "passed"),
        "1": (0.2, None),
        "2": (0.0, "left"),
    }
    assert [n.id for n in outcome.tree.below("1")] == ["1.0", "1.1", "1.2"]
    assert (outcome.original, outcome.refined, outcome.ended_by) == ("1", "1.2", "refined")
    assert (outcome.answer, outcome.value) == ("good one", 1.0)
    assert "refined at 1.2: 100%" in outcome.table()


def test_the_refiner_is_told_the_draft_and_its_first_problem() -> None:
    staged = refine(Model(["poor one"], {"poor one": ["good two"]}))
    told = next(r for r in staged.requests if r.address.path[-1] == "rob.refine")
    assert "Draft:\npoor one" in told.messages[-1].content
    assert "What is wrong with it: poor one lacks rhyme" in told.messages[-1].content
    assert told.temperature == 0.7


def test_breadth_first_keeps_a_beam_of_two_and_depth_first_follows_the_best() -> None:
    refinements = {"bad one": ["bad a", "fair b", "poor c"], "fair b": ["fair b1"], "poor c": ["poor c1"]}
    breadth = refine(Model(["bad one"], refinements), turns=2, gate=0.9).outcome
    assert {n.id: n.stopped for n in breadth.tree.children("0")} == {"0.0": "beam", "0.1": None, "0.2": None}
    assert [n.level for n in breadth.tree].count(3) == 6
    depth = refine(
        Model(["bad one"], {**refinements, "bad a": ["bad a1"], "fair b": ["fair b1"]}), turns=2, order="depth", nodes=7
    ).outcome
    assert [n.id for n in depth.tree.below("0.1")] == ["0.1.0", "0.1.1", "0.1.2"]
    assert depth.ended_by == "nodes"


def test_the_same_words_are_judged_once() -> None:
    model = Model(["bad one", "bad one"], {"bad one": ["poor two"]})
    outcome = refine(model, turns=1, gate=0.9).outcome
    assert model.judged == {"bad one": 5, "poor two": 5}
    assert [n.scores.own for n in outcome.tree.children("0")] == [0.2, 0.2, 0.2]
    assert outcome.tree["0.1"].notes["as"] == "0.0"
    assert outcome.calls == 2 + 5 + 3 + 5


def test_a_refinement_that_changes_nothing_is_tried_again() -> None:
    tried = iter(["bad  one", "", "fair two"])

    class Stubborn(Model):
        def __call__(self, request: LLMRequest) -> Line:
            if request.address.path[-1] == "rob.refine":
                return next(tried)
            return super().__call__(request)

    staged = refine(Stubborn(["bad one"], {}), tries=3, branch=1, turns=1)
    assert staged.outcome.tree["0.0"].turn.content == "fair two"
    assert staged.outcome.tree["0.0"].calls == 3 + 5
    assert staged.outcome.refined == "0.0"


def test_where_every_response_passes_nothing_is_refined() -> None:
    outcome = refine(Model(["good one", "good two"], {})).outcome
    assert (outcome.ended_by, outcome.original, outcome.refined) == ("complete", None, None)
    assert outcome.answer == "good one"
    assert "nothing to refine" in outcome.table()


def test_no_refinement_may_be_better() -> None:
    outcome = refine(Model(["fair one"], {"fair one": ["bad two"]}), turns=1).outcome
    assert (outcome.refined, outcome.answer) == (None, "fair one")
    assert "no refinement was better" in outcome.table()


def test_the_plan_holds_and_is_met_where_everything_fails() -> None:
    model = Model([f"bad {i}" for i in range(5)], {})
    words = (f"bad n{i}" for i in range(1000))
    model.__class__ = type("Endless", (Model,), {"__call__": lambda self, r: _endless(self, r, words)})
    staged = refine(model, tries=1)
    plan = RefinementTree(actor=ANN, refiner=ROB, tries=1).plan()
    assert len(staged.requests) == plan.most == 5 + 25 + (3 + 6 + 6) * 6


def _endless(model: Model, request: LLMRequest, words: Any) -> Line:
    return next(words) if request.address.path[-1] == "rob.refine" else Model.__call__(model, request)


def test_a_judgement_that_fails_ends_it_and_the_responses_are_kept() -> None:
    class Down(Model):
        def __call__(self, request: LLMRequest) -> Line:
            if request.address.path[-1] == "rob.review":
                return ModelError("down", kind="server")
            return super().__call__(request)

    staged = refine(Down(["bad one"], {}))
    assert isinstance(staged.error, ModelError)
    assert [n.turn.content for n in staged.outcome.tree.leaves()] == ["bad one"]


def test_one_agent_cannot_be_both() -> None:
    with pytest.raises(UsageError, match="ann"):
        RefinementTree(actor=ANN, refiner=ANN)
