"""Agent Forest: many samples of one question, and the answer that most of them give or are most like.

Li et al., "More Agents Is All You Need", TMLR 2024. Samples are drawn at temperature 1. Of closed answers the most
frequent wins; of open ones the one with the largest sum of similarities to the others (the medoid), by sentence-BLEU
as in the paper, or by the cosine of embeddings. What the paper does for programs, to keep those that run, is not here.
"""

# ruff: noqa: RUF012 - pydantic copies defaults, and ruff does not see that these are its models

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from pydantic import BaseModel, ConfigDict, Field

from maieutic.agents import Agent, Reply
from maieutic.backends.models import ModelSpec
from maieutic.memory.answers import Answers
from maieutic.protocols.base import CallPlan, Outcome, Plays, Protocol, heard
from maieutic.protocols.baselines.similarity import likeness
from maieutic.protocols.baselines.solving import (
    SolvingParams,
    alone,
    answer_of,
    form_of,
    one_line,
    prompt,
    reply_form,
)
from maieutic.protocols.decisions import leading
from maieutic.protocols.self_consistency import dealt
from maieutic.protocols.together import Acted, OnFailure, failure_to_json, kind_of, raise_failure, together

if TYPE_CHECKING:
    from langgraph.graph.state import StateGraph
    from langgraph.runtime import Runtime

    from maieutic.backends.place import Place

__all__ = ["AgentForest", "AgentForestOutcome", "AgentForestParams", "Candidate"]


class AgentForestParams(SolvingParams):
    """The parameters of Agent Forest."""

    agents: Annotated[
        list[str],
        Plays("agent"),
        Field(min_length=1, description="Whose models are sampled, evenly. Only model and persona count."),
    ]
    samples: Annotated[int, Field(ge=1, le=1000, description="How many answers are sampled; each is one call.")] = 10
    temperature: Annotated[
        float | None, Field(ge=0, le=2, description="Of the samples; null leaves each model its own.")
    ] = 1.0
    embedding: Annotated[
        ModelSpec | None,
        Field(description="An embedding model by which open answers are compared; left out, by BLEU, without a call."),
    ] = None
    on_failure: Annotated[
        OnFailure, Field(description="When a sample fails: everything fails, or the others decide.")
    ] = "fail"

    def _problems(self) -> Iterator[str]:
        yield from super()._problems()
        if self.embedding is not None and self.answers == "closed":
            yield "embedding: closed answers are voted on and not compared; say answers: open, or leave it out"


class Candidate(BaseModel):
    """One sampled answer.

    Attributes:
        agent: Whose model was asked.
        answer: The answer: a closed one by its group's name, an open one as it is.
        confidence: From 0 to 1, as the model gave it; None for an open answer.
        similarity: The sum of its similarities to the other open answers; None for a closed answer.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    agent: str
    answer: str
    confidence: float | None = None
    similarity: float | None = None


class AgentForestOutcome(Outcome):
    """What Agent Forest came to.

    Attributes:
        decided_by: In words: "votes 6 of 10", or "most like the 9 others (BLEU, 0.41 on average)". A tie goes to the
            answer that was sampled first.
        votes: Samples by closed answer, the most first.
        samples: Every answer, in the order of sampling.
        calls: How many calls were made.
        skipped: Samples that failed, or came back blank, and were left out.
    """

    decided_by: str = ""
    votes: dict[str, int] = {}
    samples: list[Candidate] = []
    calls: int = 0
    skipped: list[dict[str, Any]] = []

    def table(self) -> str:
        """The votes, or how much each open answer is like the others on average, the most first."""
        if not self.samples:
            return ""
        if self.votes:
            rows = [(f"{n}", answer) for answer, n in self.votes.items()]
            head = ("votes", "answer")
        else:
            others = max(1, len(self.samples) - 1)
            ranked = sorted(self.samples, key=lambda sample: -(sample.similarity or 0.0))
            rows = [(f"{(s.similarity or 0.0) / others:.2f}", s.answer) for s in ranked]
            head = ("alike", "answer")
        return "\n".join(f"{first:>5}  {one_line(second)}" for first, second in (head, *rows))


class State(TypedDict, total=False):
    """The state of the graph: plain JSON."""

    question: str
    options: list[str]
    turns: list[dict[str, Any]]
    likeness: list[float]
    skipped: list[dict[str, Any]]
    failure: dict[str, Any] | None


class AgentForest(Protocol[AgentForestParams, AgentForestOutcome]):
    """Samples many answers to one question and takes the one that stands for most of them.

    Example:
        >>> ask = AgentForest([Agent("solver", "openai/gpt-5-mini")], samples=15)
        >>> outcome = await ask.perform("What is 17 * 24?")               # doctest: +SKIP
    """

    name = "agent_forest"
    params_model = AgentForestParams
    outcome_model = AgentForestOutcome
    inputs = {"question": True, "options": False}

    def __init__(self, agents: Sequence[Agent], **params: Any) -> None:
        super().__init__(agents=agents, **params)

    def build(self) -> StateGraph[Any, Any, Any, Any]:
        """One node that samples everything at once, one that compares open answers, and one that raises what failed."""
        from langgraph.graph import END, START, StateGraph

        from maieutic.backends.place import Place

        chosen = "compare" if self.params.answers == "open" else END
        graph = StateGraph(State, context_schema=Place)
        graph.add_node("sample", self.sample)
        graph.add_node("fail", self.fail)
        graph.add_edge(START, "sample")
        graph.add_conditional_edges("sample", lambda s: "fail" if s.get("failure") else chosen, ["fail", chosen])
        graph.add_edge("fail", END)
        if chosen != END:
            graph.add_node("compare", self.compare)
            graph.add_edge("compare", END)
        return graph

    async def sample(self, state: State, runtime: Runtime[Any]) -> State:
        """Ask every time anew, all at once and dealt evenly over the agents; nobody reads anybody else's answer."""
        options = self.params.options_of(state)
        given = {**form_of(self.params.answers, state["question"], options), "reasoning": True}
        instruction = prompt("answer").render(given)
        output = reply_form(self.params.answers, options)
        solvers = [alone(agent) for agent in self.cast.values()]
        asked = {str(n): solvers[n % len(solvers)] for n in range(self.params.samples)}
        at, warm = self.at(runtime), self.params.temperature
        done = await together(
            {
                n: solver.do(
                    "say", at / f"sample{n}", output=output, sample=int(n), temperature=warm, instruction=instruction
                )
                for n, solver in asked.items()
            }
        )
        return self._sampled(at, asked, done)

    def _sampled(self, at: Place, asked: Mapping[str, Agent], done: Acted[Reply]) -> State:
        """What came of the samples; those that are blank are left out."""
        fatal = done.fatal(self.params.on_failure)
        if fatal is not None and not done.replies:
            raise fatal
        said = [asked[n].turn(reply, kind="probe") for n, reply in done.replies.items()]
        turns = heard(at, said)
        left = [_left_out(asked[n].name, kind_of(e), str(e)) for n, e in done.failures.items() if fatal is None]
        left += [_left_out(turn["speaker"], "blank", "the reply is blank") for turn in turns if _blank(turn)]
        return {
            "turns": turns,
            "skipped": left,
            "failure": None if fatal is None else failure_to_json(fatal),
        }

    async def compare(self, state: State, runtime: Runtime[Any]) -> State:
        """How much each open answer is like all the others."""
        from maieutic.backends.embeddings import embedded

        texts = [answer_of(turn) for turn in state["turns"] if not _blank(turn)]
        vectors = None
        if self.params.embedding is not None and texts:
            vectors = await embedded(self.params.embedding, texts, self.at(runtime))
        return {"likeness": await asyncio.to_thread(likeness, texts, vectors)}

    async def fail(self, state: State) -> State:
        """Raise what failed, now that the finished samples are kept."""
        raise_failure(state["failure"] or {})

    def outcome(self, state: Mapping[str, Any], reason: str | None = None) -> AgentForestOutcome:
        """The decision over whatever was sampled; open answers that could not be compared decide nothing."""
        turns = state.get("turns") or []
        if self.params.answers == "open":
            found = self._medoid([turn for turn in turns if not _blank(turn)], state.get("likeness"))
        else:
            found = _voted([turn for turn in turns if not _blank(turn)], state.get("options") or self.params.options)
        found.reason = reason or ("answered" if found.answer is not None else "stopped")
        found.transcript, found.calls, found.skipped = turns, len(turns), state.get("skipped") or []
        return found

    def _medoid(self, turns: Sequence[Mapping[str, Any]], alike: Sequence[float] | None) -> AgentForestOutcome:
        known = alike if alike is not None else [None] * len(turns)
        samples = [
            Candidate(agent=turn["speaker"], answer=answer_of(turn), similarity=total)
            for turn, total in zip(turns, known, strict=True)
        ]
        if not alike:
            return AgentForestOutcome(samples=samples)
        best = max(range(len(samples)), key=lambda n: (round(alike[n], 9), -n))
        measure, others = "cosine" if self.params.embedding else "BLEU", len(samples) - 1
        how = f"most like the {others} others ({measure}, {alike[best] / others:.2f} on average)" if others else "alone"
        return AgentForestOutcome(answer=samples[best].answer, decided_by=how, samples=samples)

    def plan(self) -> CallPlan:
        """Exactly `samples` calls, dealt evenly. An embedding is no call of an agent."""
        plan = dealt(list(self.cast), self.params.samples, self.params.samples)
        return CallPlan(plan.calls, apart=True)


def _voted(turns: Sequence[Mapping[str, Any]], options: Sequence[str]) -> AgentForestOutcome:
    answers = Answers(options)
    samples = [
        Candidate(
            agent=t["speaker"], answer=answers.name(answer_of(t)), confidence=(t.get("data") or {}).get("confidence")
        )
        for t in turns
    ]
    votes: dict[str, int] = {}
    for sample in samples:
        votes[sample.answer] = votes.get(sample.answer, 0) + 1
    if not votes:
        return AgentForestOutcome()
    winner = leading(votes)[0]
    return AgentForestOutcome(
        answer=winner,
        decided_by=f"votes {votes[winner]} of {len(samples)}",
        votes=dict(sorted(votes.items(), key=lambda item: -item[1])),
        samples=samples,
    )


def _blank(turn: Mapping[str, Any]) -> bool:
    return not answer_of(turn)


def _left_out(agent: str, kind: str, error: str) -> dict[str, str]:
    return {"agent": agent, "act": "answer", "kind": kind, "error": error}
