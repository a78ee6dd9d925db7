"""Decompose, then route: a planner splits a question, a router sends each part to a model, the planner concludes.

The baseline "prompted LLM with decomposition" of Zhang, Feng and You, "Router-R1", NeurIPS 2025, with any router; at
most four parts, each answered by a model that sees nothing else, as in LLMRouter (arXiv 2608.06867).
"""

# ruff: noqa: RUF012 - pydantic copies defaults, and ruff does not see that these are its models

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from pydantic import BaseModel, ConfigDict, Field

from maieutic.agents import Agent, Prompt, among
from maieutic.agents import Router as PromptedRouter
from maieutic.agents.replies import Solution
from maieutic.errors import UsageError
from maieutic.protocols.base import CallPlan, FromFile, Outcome, Params, Plays, Protocol, heard
from maieutic.protocols.routing.pool import Pool
from maieutic.protocols.together import together

if TYPE_CHECKING:
    from langgraph.graph.state import StateGraph
    from langgraph.runtime import Runtime

    from maieutic.backends.place import Place
    from maieutic.protocols.routing.routers.base import Router

__all__ = ["DecomposeAndRoute", "DecomposeAndRouteOutcome", "DecomposeAndRouteParams", "Part", "Parts"]

PROMPTED = "prompted"
"""Instead of a router's name: the planner's model chooses by the pool's descriptions."""


def _learned(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read as a router: {getattr(error, 'strerror', None) or error}") from error


class Parts(BaseModel):
    """A question in parts."""

    parts: Annotated[
        list[str], Field(min_length=1, description="Questions that can be answered each by itself, in order.")
    ]


class DecomposeAndRouteParams(Params):
    """The parameters of decomposition with routing."""

    planner: Annotated[str, Plays("agent"), Field(description="Who splits the question and puts the answers together.")]
    pool: Annotated[
        Pool, FromFile(Pool.load), Field(description="The candidates, by name: models with their descriptors.")
    ]
    router: Annotated[
        str,
        Field(description="prompted (the planner's model chooses), cheapest, largest, random, bandit, elo, knn, …."),
    ] = PROMPTED
    learned: Annotated[
        dict[str, Any] | None,
        FromFile(_learned),
        Field(description="What the router has learned: a file from `maieutic route train`."),
    ] = None
    parts: Annotated[int, Field(ge=1, le=16, description="Most parts; what the planner gives beyond them is left.")] = 4
    expert_tokens: Annotated[int, Field(ge=1, description="Most tokens of an answer to a part.")] = 512
    options: Annotated[list[str], Field(description="The possible answers, if they are known. Also an input.")] = []

    def _problems(self) -> Iterator[str]:
        if self.router == PROMPTED and self.learned is not None:
            yield "learned: a prompted router has learned nothing; name the router that has"
        elif self.router != PROMPTED:
            try:
                _router(self)
            except UsageError as error:
                yield f"router: {error}"


class Part(BaseModel):
    """One part of the question.

    Attributes:
        question: As the candidate read it.
        candidate: Who answered it.
        reasons: Why that one, in words.
        answer: What it said.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    question: str
    candidate: str
    reasons: list[str]
    answer: str


class DecomposeAndRouteOutcome(Outcome):
    """What it came to.

    Attributes:
        parts: The parts with their answers, in order.
        confidence: How sure the planner said it was of the whole, from 0 to 1.
    """

    parts: list[Part] = []
    confidence: float | None = None


class State(TypedDict, total=False):
    """The state of the graph: plain JSON."""

    question: str
    options: list[str]
    asked: list[str]
    parts: list[dict[str, Any]]
    solution: dict[str, Any] | None
    turns: list[dict[str, Any]]


class DecomposeAndRoute(Protocol[DecomposeAndRouteParams, DecomposeAndRouteOutcome]):
    """Splits a question, routes every part to one model, and answers from what came back."""

    name = "decompose_and_route"
    params_model = DecomposeAndRouteParams
    outcome_model = DecomposeAndRouteOutcome
    inputs = {"question": True, "options": False}

    def __init__(self, planner: Agent, **params: Any) -> None:
        super().__init__(planner=planner, **params)

    def build(self) -> StateGraph[Any, Any, Any, Any]:
        """Split, ask all at once, put together."""
        from langgraph.graph import END, START, StateGraph

        from maieutic.backends.place import Place

        graph = StateGraph(State, context_schema=Place)
        graph.add_node("split", self.split)
        graph.add_node("route", self.route)
        graph.add_node("conclude", self.conclude)
        graph.add_edge(START, "split")
        graph.add_edge("split", "route")
        graph.add_edge("route", "conclude")
        graph.add_edge("conclude", END)
        return graph

    @property
    def _planner(self) -> Agent:
        agent = self.cast[self.params.planner]
        return Agent(agent.name, agent.model, persona=agent.persona).routed(agent.chooser)

    async def split(self, state: State, runtime: Runtime[Any]) -> State:
        """The parts, without repetitions and no more than allowed."""
        at = self.at(runtime) / "split"
        given = {"question": state["question"], "parts": self.params.parts}
        reply = await self._planner.do("say", at, output=Parts, instruction=_prompt("parts").render(given))
        assert isinstance(reply.data, Parts)
        asked = list(dict.fromkeys(text for part in reply.data.parts if (text := part.strip())))
        turns = heard(at, [self._planner.turn(reply, kind="probe")])
        return {"asked": asked[: self.params.parts] or [state["question"]], "turns": turns}

    async def route(self, state: State, runtime: Runtime[Any]) -> State:
        """Every part to its candidate, all at once; each reads its part and nothing else."""
        at = self.at(runtime)
        done = await together({str(n): self._part(text, at / f"part{n}") for n, text in enumerate(state["asked"])})
        for error in done.failures.values():
            raise error
        return {"parts": [part.model_dump() for part in done.replies.values()]}

    async def _part(self, question: str, at: Place) -> Part:
        from maieutic.memory import Message
        from maieutic.protocols.routing.routers.asking import slug
        from maieutic.protocols.routing.routers.base import Query
        from maieutic.protocols.routing.routers.choosing import choose

        planner = self._planner
        router = PromptedRouter(planner.name, planner.model) if self.params.router == PROMPTED else _router(self.params)
        decision = await choose(router, Query(question), self.params.pool, at)
        candidate = self.params.pool.the(decision.name)
        expert = Agent(slug(candidate.name), candidate.priced)
        messages = (expert.opening, Message("user", _prompt("expert").render({"question": question})))
        reply = await expert.send(messages, "say", at, max_tokens=self.params.expert_tokens)
        return Part(question=question, candidate=candidate.name, reasons=list(decision.reasons), answer=reply.text)

    async def conclude(self, state: State, runtime: Runtime[Any]) -> State:
        """The answer to the whole."""
        at = self.at(runtime) / "conclude"
        options = state.get("options") or self.params.options
        given = {"question": state["question"], "options": options, "answered": state["parts"]}
        reply = await self._planner.do(
            "say", at, output=among(Solution, options), instruction=_prompt("together").render(given)
        )
        assert reply.data is not None
        turns = heard(at, [self._planner.turn(reply)])
        return {"solution": reply.data.model_dump(mode="json"), "turns": [*(state.get("turns") or []), *turns]}

    def outcome(self, state: Mapping[str, Any], reason: str | None = None) -> DecomposeAndRouteOutcome:
        """The planner's answer, if it came to one, and the parts that were answered."""
        solution = state.get("solution") or {}
        return DecomposeAndRouteOutcome(
            answer=solution.get("answer"),
            reason=reason or ("answered" if solution else "stopped"),
            transcript=state.get("turns") or [],
            parts=[Part.model_validate(part) for part in state.get("parts") or []],
            confidence=solution.get("confidence"),
        )

    def plan(self) -> CallPlan:
        """Splitting and concluding; for each part one candidate, and the planner once more where it is the router."""
        most = self.params.parts
        choosing = (1, most) if self.params.router == PROMPTED else (0, 0)
        return CallPlan({self.params.planner: (2 + choosing[0], 2 + choosing[1]), "the pool": (1, most)}, apart=True)


def _router(params: DecomposeAndRouteParams) -> Router:
    """The router that the parameters name, with what it has learned."""
    from maieutic.protocols.routing.routers.catalogue import TAUGHT, router_from_json, router_named

    router = router_named(params.router) if params.learned is None else router_from_json(params.learned)
    if router.name != params.router:
        raise UsageError(f"what was learned is a router {router.name!r}'s, and {params.router!r} is named")
    if params.learned is None and router.name in TAUGHT:
        raise UsageError(
            f"{router.name} decides by what it has learned; train it, and name the file: learned: FILE.json"
        )
    return router


@cache
def _prompt(name: str) -> Prompt:
    return Prompt.load(Path(__file__).parent / "prompts" / "decompose_and_route" / f"{name}.md.j2")
