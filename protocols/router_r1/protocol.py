"""Router-R1: a model that thinks, consults other models on parts of a question, and answers.

Zhang, Feng and You, "Router-R1: Teaching LLMs Multi-Round Routing and Aggregation via Reinforcement Learning", NeurIPS
2025 (arXiv 2506.09033). What differs from its code is told in docs/routing.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

from maieutic.agents import Agent
from maieutic.memory import MODERATOR, Message, Turn
from maieutic.protocols.base import CallPlan, Protocol, heard
from maieutic.protocols.router_r1.calling import in_tags, in_words, tools
from maieutic.protocols.router_r1.consulting import consult, environment
from maieutic.protocols.router_r1.outcome import Called, Flagged, RouterR1Outcome, Segment
from maieutic.protocols.router_r1.params import RouterR1Params
from maieutic.protocols.router_r1.rendering import body_fields, continues, rendered, stops
from maieutic.protocols.router_r1.wording import correction, forced_note, information, said, task
from maieutic.protocols.routing.pool import Candidate, Pool
from maieutic.protocols.routing.tags import Action, Route, read_action, scan
from maieutic.protocols.together import together

if TYPE_CHECKING:
    from langgraph.graph.state import StateGraph
    from langgraph.runtime import Runtime

    from maieutic.backends.place import Place

__all__ = ["RouterR1"]


class State(TypedDict, total=False):
    """The state of the graph: plain JSON. `pending` are routes that nobody has been asked about yet."""

    question: str
    accepted: list[str] | str
    added: dict[str, Any]
    prompt: list[dict[str, str]]
    segments: list[dict[str, Any]]
    calls: list[dict[str, Any]]
    flags: list[dict[str, Any]]
    turns: list[dict[str, Any]]
    pending: list[dict[str, Any]]
    round: int
    answer: str | None


@dataclass(frozen=True, slots=True)
class Said:
    """A message in tags; whether its length cut it off, and whether it called a tool that there is not."""

    text: str
    cut: bool
    strange: bool


class RouterR1(Protocol[RouterR1Params, RouterR1Outcome]):
    """A router that interleaves thinking with calls to a pool of models, and answers itself.

    Inputs: `question`; `accepted`, the right answers, where the reward shall count them; `added`, candidates (as a pool
    is written) that join the pool for this run.

    Example:
        >>> episode = RouterR1(router=Router("rita", "openai/gpt-5-mini"), pool={"Small": "openai/gpt-5-nano",
        ...     "Large": {"model": "openai/gpt-5", "capability": "Hard questions."}})          # doctest: +SKIP
        >>> print((await episode.perform("Who wrote Emma?", accepted=["Jane Austen"])).table())  # doctest: +SKIP
    """

    name = "router_r1"
    params_model = RouterR1Params
    outcome_model = RouterR1Outcome
    inputs: Mapping[str, bool] = {"question": True, "accepted": False, "added": False}  # type: ignore[misc]

    @property
    def router(self) -> Agent:
        """Who routes."""
        return self.cast[self.params.router]

    def build(self) -> StateGraph[Any, Any, Any, Any]:
        """The router speaks; if it routes, candidates are consulted; until it answers or the rounds are spent."""
        from langgraph.graph import END, START, StateGraph

        from maieutic.backends.place import Place

        graph = StateGraph(State, context_schema=Place)
        graph.add_node("begin", self.begin)
        graph.add_node("speak", self.speak)
        graph.add_node("consult", self.consult)
        graph.add_edge(START, "begin")
        graph.add_edge("begin", "speak")
        graph.add_conditional_edges("speak", self.next, {"consult": "consult", "speak": "speak", "end": END})
        graph.add_edge("consult", "speak")
        return graph

    def next(self, state: State) -> str:
        """Where it goes after the router has spoken."""
        if state.get("pending"):
            return "consult"
        return "end" if state.get("answer") is not None or state["round"] > self.params.rounds else "speak"

    async def begin(self, state: State, runtime: Runtime[Any]) -> State:
        """Write the task."""
        pool = self.pool(state)
        described = await asyncio.to_thread(pool.described) if pool.asks_map else pool.described()
        messages = (self.router.opening, Message("user", task(self.params, state["question"], described)))
        at = self.at(runtime)
        shown = [Turn(MODERATOR, messages[1].content, round=0)]
        prompt = [{"role": message.role, "content": message.content} for message in messages]
        return {"prompt": prompt, "turns": heard(at, shown), "round": 0, "answer": None}

    def pool(self, state: Mapping[str, Any]) -> Pool:
        """The candidates of a run: the protocol's, and those that joined."""
        pool = self.params.pool
        if state.get("added"):
            for candidate in Pool.model_validate(state["added"]).candidates:
                pool = pool.added(candidate)
        return pool

    async def speak(self, state: State, runtime: Runtime[Any]) -> State:
        """One message of the router: a thought and an action."""
        round_ = state["round"] + 1
        forced = round_ > self.params.rounds
        segments = [Segment.model_validate(raw) for raw in state.get("segments") or ()]
        going_on = continues(self.params, self.router.model)
        if forced and not going_on:
            before = "" if segments[-1].by == "environment" else "\n\n"
            note = f"{before}{forced_note(self.params)}\n\n"
            segments.append(Segment(by="environment", text=note, round=round_))
        at = self.at(runtime) / f"round{round_}"
        message = await self._write(state, segments, at, forced=forced, going_on=going_on)
        action = read_action(message.text, self._resolve(state), self.params.tags, self.params.parallel)
        update, turns = self._spoken(state, segments, action, message)
        return {**update, "turns": [*state["turns"], *heard(at, turns)]}

    async def _write(self, state: State, segments: list[Segment], at: Place, *, forced: bool, going_on: bool) -> Said:
        p = self.params
        prompt = [Message(raw["role"], raw["content"]) for raw in state["prompt"]]  # type: ignore[arg-type]
        by_tools = p.style == "tools"
        tell = (lambda text: in_words(text, p.tags)) if by_tools else str.strip
        messages = rendered(prompt, segments, going_on=going_on, tell=tell)
        until = None if by_tools else stops(p, forced=forced)
        reply = await self.router.send(
            messages,
            "route",
            at,
            temperature=p.temperature,
            max_tokens=p.max_tokens,
            stop=until,
            extra=body_fields(self.router.model, messages),
            tools=tools(p.tags, self.pool(state).names, forced=forced) if by_tools else (),
        )
        text, strange = said(reply.call, p.tags, until or ()), False
        if by_tools and (reply.call.tool_calls or not scan(text, p.tags).blocks):
            text, strange = in_tags(reply.call, p.tags)
        return Said(text, cut=reply.call.finish == "length", strange=strange)

    def _spoken(self, state: State, segments: list[Segment], action: Action, message: Said) -> tuple[State, list[Turn]]:
        """What a message changes, and the turns that it is."""
        round_ = state["round"] + 1
        forced = round_ > self.params.rounds
        flags: list[str] = [*action.flags, *(["cut_off"] if message.cut else [])]
        flags += ["unknown_tool"] if message.strange else []
        segments.append(Segment(by="router", text=action.text, round=round_))
        turns = [Turn(self.router.name, action.text, round=round_)]
        if forced:
            flags += ["routing_disabled"] if action.kind == "route" else []
            flags += [] if action.kind == "answer" else ["no_answer"]
        elif action.kind == "none" and self.params.on_malformed == "explain":
            block = information(self.params.tags, correction(action.flags))
            segments.append(Segment(by="environment", text=block, round=round_))
            turns.append(Turn(MODERATOR, block.strip(), round=round_))
        routes = action.routes if not forced else ()
        update: State = {
            "round": round_,
            "segments": [segment.model_dump(mode="json") for segment in segments],
            "flags": [*(state.get("flags") or []), *({"round": round_, "flag": flag} for flag in flags)],
            "pending": [{"name": r.name, "query": r.query, "flags": list(r.flags)} for r in routes],
            "answer": action.answer if action.kind == "answer" else None,
        }
        return update, turns

    async def consult(self, state: State, runtime: Runtime[Any]) -> State:
        """Ask the candidates that were routed to, all at once."""
        round_, pool = state["round"], self.pool(state)
        at = self.at(runtime) / f"round{round_}"
        routes = [Route(raw["name"], raw["query"], tuple(raw["flags"])) for raw in state["pending"]]
        done = await together(
            {
                str(i): consult(route, pool, self.params, round_, at / f"call{i}")
                for i, route in enumerate(routes, start=1)
            }
        )
        for failure in done.failures.values():
            raise failure
        calls = list(done.replies.values())
        text = environment(calls, self.params)
        new = [Segment(by="environment", text=text, round=round_).model_dump(mode="json")] if text else []
        flags = [{"round": round_, "flag": flag} for call in calls for flag in call.flags]
        return {
            "calls": [*(state.get("calls") or []), *(call.model_dump(mode="json") for call in calls)],
            "segments": [*state["segments"], *new],
            "flags": [*(state.get("flags") or []), *flags],
            "turns": [*state["turns"], *heard(at, self._replies(calls))],
            "pending": [],
        }

    def _replies(self, calls: list[Called]) -> list[Turn]:
        """What the router hears, and nobody else."""
        audience = frozenset({self.router.name})
        return [
            Turn(call.name if call.reply is not None else MODERATOR, call.observation, audience, round=call.round)
            for call in calls
            if call.observation
        ]

    def _resolve(self, state: Mapping[str, Any]) -> Any:
        pool = self.pool(state)

        def resolve(name: str) -> str | None:
            found: Candidate | None = pool.find(name)
            return None if found is None else found.name

        return resolve

    def outcome(self, state: Mapping[str, Any], reason: str | None = None) -> RouterR1Outcome:
        """The answer and the reward of whatever was said."""
        accepted = state.get("accepted") or []
        answer = state.get("answer")
        outcome = RouterR1Outcome(
            answer=answer,
            reason=reason or ("answered" if answer is not None else "limit"),
            transcript=state.get("turns") or [],
            question=state.get("question", ""),
            accepted=[accepted] if isinstance(accepted, str) else list(accepted),
            names=list(self.pool(state).names),
            tags=self.params.tags,
            rounds=state.get("round", 0),
            forced=state.get("round", 0) > self.params.rounds,
            prompt=state.get("prompt") or [],
            segments=[Segment.model_validate(raw) for raw in state.get("segments") or ()],
            calls=[Called.model_validate(raw) for raw in state.get("calls") or ()],
            flags=[Flagged.model_validate(raw) for raw in state.get("flags") or ()],
        )
        return outcome.scored(self.params.reward, remember=False)

    def plan(self) -> CallPlan:
        """One message of the router at the least; all rounds, all their sub-queries and the last answer at the most."""
        p = self.params
        return CallPlan({p.router: (1, p.rounds + 1), f"{p.router}'s pool": (0, p.rounds * p.parallel)})
