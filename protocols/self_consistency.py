"""Self-consistency: the same question asked many times, each time alone, and the answers voted on.

Wang et al., "Self-Consistency Improves Chain of Thought Reasoning in Language Models", ICLR 2023.
"""

# ruff: noqa: RUF012 - pydantic copies defaults, and ruff does not see that these are its models

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from pydantic import BaseModel, ConfigDict, Field

from maieutic.agents import Agent, Prompt, Reply, among
from maieutic.agents.replies import Solution
from maieutic.memory import Turn
from maieutic.memory.answers import Answers
from maieutic.protocols.base import CallPlan, Outcome, Params, Plays, Protocol, heard
from maieutic.protocols.decisions import leading
from maieutic.protocols.together import OnFailure, failure_to_json, kind_of, raise_failure, together

if TYPE_CHECKING:
    from langgraph.graph.state import StateGraph
    from langgraph.runtime import Runtime

    from maieutic.backends.place import Place

__all__ = ["Sample", "SelfConsistency", "SelfConsistencyOutcome", "SelfConsistencyParams", "sampled"]

TEMPERATURE = 0.7
"""Where a model's own temperature is 0: equal samples would be no vote."""


class Sample(BaseModel):
    """One sampled answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    agent: Annotated[str, Field(description="Whose model was asked.")]
    answer: Annotated[str, Field(description="The answer, by its group's name.")]
    confidence: Annotated[float | None, Field(description="From 0 to 1, as the model gave it.")] = None


class SelfConsistencyParams(Params):
    """The parameters of self-consistency."""

    agents: Annotated[
        list[str],
        Plays("agent"),
        Field(
            min_length=1, description="Whose models are sampled, evenly. Only model and persona count, not the role."
        ),
    ]
    samples: Annotated[int, Field(ge=1, description="How many answers are sampled; each is one call.")] = 7
    options: Annotated[list[str], Field(description="The possible answers, if they are known. Also an input.")] = []
    on_failure: Annotated[
        OnFailure, Field(description="When a sample fails: everything fails, or the others are voted on.")
    ] = "fail"


class SelfConsistencyOutcome(Outcome):
    """What self-consistency came to.

    Attributes:
        decided_by: The count in words, "votes 4 of 7"; a tie goes to the answer that was sampled first.
        votes: Samples by answer, the most first.
        samples: Every answer, in the order of sampling.
        calls: How many calls were made.
        skipped: Samples that failed and were left out.
    """

    decided_by: str = ""
    votes: dict[str, int] = {}
    samples: list[Sample] = []
    calls: int = 0
    skipped: list[dict[str, Any]] = []

    def table(self) -> str:
        """The votes, the most first."""
        return "\n".join(f"{n:>5}  {' '.join(answer.split())}" for answer, n in self.votes.items())


class State(TypedDict, total=False):
    """The state of the graph: plain JSON."""

    question: str
    options: list[str]
    turns: list[dict[str, Any]]
    skipped: list[dict[str, Any]]
    failure: dict[str, Any] | None


class SelfConsistency(Protocol[SelfConsistencyParams, SelfConsistencyOutcome]):
    """Samples answers to one question and takes the most frequent.

    Example:
        >>> ask = SelfConsistency([Agent("solver", "openai/gpt-5-mini")], samples=9)
        >>> outcome = await ask.perform("What is 17 * 24?")               # doctest: +SKIP
    """

    name = "self_consistency"
    params_model = SelfConsistencyParams
    outcome_model = SelfConsistencyOutcome
    inputs = {"question": True, "options": False}

    def __init__(self, agents: Sequence[Agent], **params: Any) -> None:
        super().__init__(agents=agents, **params)

    def build(self) -> StateGraph[Any, Any, Any, Any]:
        """One node that samples everything at once, and one that raises what failed."""
        from langgraph.graph import END, START, StateGraph

        from maieutic.backends.place import Place

        graph = StateGraph(State, context_schema=Place)
        graph.add_node("sample", self.sample)
        graph.add_node("fail", self.fail)
        graph.add_edge(START, "sample")
        graph.add_conditional_edges("sample", lambda s: "fail" if s.get("failure") else END, ["fail", END])
        graph.add_edge("fail", END)
        return graph

    async def sample(self, state: State, runtime: Runtime[Any]) -> State:
        """Ask every time anew."""
        options = state.get("options") or self.params.options
        agents = list(self.cast.values())
        return await sampled(
            self.at(runtime),
            agents,
            self.params.samples,
            state["question"],
            options=options,
            on_failure=self.params.on_failure,
        )

    async def fail(self, state: State) -> State:
        """Raise what failed, now that the finished samples are kept."""
        raise_failure(state["failure"] or {})

    def outcome(self, state: Mapping[str, Any], reason: str | None = None) -> SelfConsistencyOutcome:
        """The vote over whatever was sampled."""
        return tallied(state, state.get("options") or self.params.options, reason)

    def plan(self) -> CallPlan:
        """Exactly `samples` calls, dealt evenly."""
        return dealt([agent.name for agent in self.cast.values()], self.params.samples, self.params.samples)


async def sampled(
    at: Place, agents: Sequence[Agent], samples: int, question: str, *, options: Sequence[str], on_failure: OnFailure
) -> State:
    """Sample answers, all at once and dealt evenly over the agents' models; nobody reads anybody else's.

    A model whose temperature is 0 is sampled at 0.7; any other as it is set.
    """
    solvers = [_solver(agent) for agent in agents]
    instruction = _prompt().render({"question": question, "options": list(options)})
    output = among(Solution, options)
    asked = {str(i): solvers[i % len(solvers)] for i in range(samples)}
    done = await together(
        {
            i: solver.do("say", at / f"sample{i}", output=output, sample=int(i), instruction=instruction)
            for i, solver in asked.items()
        }
    )
    fatal = done.fatal(on_failure)
    if fatal is not None and not done.replies:
        raise fatal
    turns = [_turn(asked[i], reply) for i, reply in done.replies.items()]
    skipped = [
        {"agent": asked[i].name, "act": "answer", "kind": kind_of(e), "error": str(e)} for i, e in done.failures.items()
    ]
    return {
        "turns": heard(at, turns),
        "skipped": skipped if fatal is None else [],
        "failure": None if fatal is None else failure_to_json(fatal),
    }


def tallied(state: Mapping[str, Any], options: Sequence[str], reason: str | None = None) -> SelfConsistencyOutcome:
    """The vote over sampled turns."""
    turns = state.get("turns") or []
    answers = Answers(options)
    samples = [
        Sample(agent=t["speaker"], answer=answers.name(str(data["answer"])), confidence=data.get("confidence"))
        for t in turns
        if (data := t["data"])
    ]
    votes: dict[str, int] = {}
    for sample in samples:
        votes[sample.answer] = votes.get(sample.answer, 0) + 1
    winner = leading(votes)[0] if votes else None
    return SelfConsistencyOutcome(
        answer=winner,
        reason=reason or ("answered" if winner is not None else "stopped"),
        transcript=turns,
        decided_by=f"votes {votes[winner]} of {len(samples)}" if winner is not None else "",
        votes=dict(sorted(votes.items(), key=lambda item: -item[1])),
        samples=samples,
        calls=len(turns),
        skipped=state.get("skipped") or [],
    )


def dealt(names: Sequence[str], fewest: int, most: int) -> CallPlan:
    """Samples dealt evenly, those seated first taking the rest."""
    share = [(total // len(names), total % len(names)) for total in (fewest, most)]
    return CallPlan(
        {n: (share[0][0] + (i < share[0][1]), share[1][0] + (i < share[1][1])) for i, n in enumerate(names)}
    )


def _solver(agent: Agent) -> Agent:
    model = agent.model.model_copy(update={"temperature": TEMPERATURE}) if agent.model.temperature == 0 else agent.model
    return Agent(agent.name, model, persona=agent.persona).routed(agent.chooser)


def _turn(solver: Agent, reply: Reply) -> Turn:
    return solver.turn(reply, kind="probe")


@cache
def _prompt() -> Prompt:
    return Prompt.load(Path(__file__).parent / "prompts" / "self_consistency" / "solve.md.j2")
