"""Debate: agents argue in rounds, and a judge or a vote decides.

Du et al., "Improving Factuality and Reasoning in Language Models through Multiagent Debate", ICML 2024; Liang et al.,
"Encouraging Divergent Thinking in Large Language Models through Multi-Agent Debate", EMNLP 2024. A 2025 evaluation of
five debate frameworks on nine benchmarks found no consistent gain over self-consistency, hence `baseline`.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from maieutic.agents import Agent, Debater, Judge, Prompt, Reply
from maieutic.agents.views import shared
from maieutic.errors import ModelError, ReplyError, UsageError
from maieutic.memory import MODERATOR, Transcript, Turn, silent
from maieutic.memory.answers import normal
from maieutic.protocols.base import CallPlan, Protocol, asked, heard
from maieutic.protocols.debate_outcome import DebateOutcome, debate_outcome
from maieutic.protocols.debate_params import DebateParams, twice
from maieutic.protocols.debate_plan import debate_plan
from maieutic.protocols.debate_state import Standing, State, decision, step
from maieutic.protocols.ordering import speaking_order
from maieutic.protocols.self_consistency import SelfConsistencyOutcome, sampled, tallied
from maieutic.protocols.together import Acted, failure_to_json, kind_of, raise_failure, reason_of, together
from maieutic.protocols.visibility import seen_by
from maieutic.protocols.weighing import calls_in, with_weighing

if TYPE_CHECKING:
    from langgraph.graph.state import StateGraph
    from langgraph.runtime import Runtime

    from maieutic.backends.place import Place

__all__ = ["Debate"]

Step = Literal["speak", "probe", "hear", "decide", "tiebreak", "baseline", "fail", "__end__"]


class Debate(Protocol[DebateParams, DebateOutcome]):
    """Two or more agents debate a question; a judge, a jury or their own vote decides.

    Args:
        debaters: Two or more agents, in the order of their seats. An agent of another role is cast as a debater.
        judge: Who decides, breaks ties, or says when it is enough.
        jury: Judges who decide by vote.
        **params: See DebateParams.

    Raises:
        UsageError: The parameters do not fit together.

    Example:
        >>> ada, bo = Debater("Ada", "sim/debater"), Debater("Bo", "sim/debater")
        >>> debate = Debate([ada, bo], judge=Judge("June", "sim/judge"), rounds=3, first_round="blind")
        >>> outcome = await debate.perform("Should cities ban cars?")     # doctest: +SKIP
    """

    name = "debate"
    params_model = DebateParams
    outcome_model = DebateOutcome
    inputs = {"question": True, "options": False}  # noqa: RUF012

    def __init__(
        self, debaters: Sequence[Agent], *, judge: Agent | None = None, jury: Sequence[Agent] = (), **params: Any
    ) -> None:
        super().__init__(debaters=list(debaters), judge=judge, jury=list(jury), **params)

    def prepare(self) -> None:
        """Give the agents their stances and personas; check the opening, and that a baseline can be sampled."""
        params = self.params
        for name in {**params.stances, **params.personas}:
            dress = {"stance": params.stances.get(name), "persona": params.personas.get(name)}
            self.cast[name] = self.cast[name].dressed(**dress)
        self._brief = _bundled_brief() if params.brief is None else Prompt(params.brief, "brief")
        self._brief.check(("question", "options", "debaters", "rounds"))
        persons = [n for n in params.debaters if self.cast[n].model.provider == "person"]
        if persons and params.baseline != "none":
            raise UsageError(
                f"debate: the baseline samples the debaters' models, and {persons[0]!r} is a person; "
                "leave out the baseline"
            )

    def build(self) -> StateGraph[Any, Any, Any, Any]:
        """One node for each kind of act; "speak" is visited once a turn, or once a round where all speak at once."""
        from langgraph.graph import START, StateGraph

        from maieutic.backends.place import Place

        graph = StateGraph(State, context_schema=Place)
        for name, targets in self._ways().items():
            node = step(getattr(self, name), getattr(self, f"after_{name}"))
            graph.add_node(name, node, destinations=tuple(targets))
        graph.add_node("fail", self.fail)
        graph.add_edge(START, "open")
        return graph

    def _ways(self) -> dict[str, list[str]]:
        """The nodes that this debate can visit, and where each can go."""
        params = self.params
        hears = "judge" in params.stopping.conditions
        probes = params.probes != "never" or params.debaters_vote
        breaks = params.rule != "judge" and params.on_tie == "judge"
        again = params.rule != "judge" and params.on_tie == "another_round"
        baseline = params.baseline != "none"
        over = ["baseline" if baseline else "__end__"]
        closing = ["probe"] * (probes and params.probes != "each_round") + ["decide"]
        onward = ["hear"] * hears + ["speak", *closing]
        ways: dict[str, list[str]] = {"open": ["speak" if params.probes == "never" else "probe"]}
        if params.probes == "each_round":
            ways |= {"speak": ["speak", "probe", "fail"], "probe": [*onward, "fail"]}
        else:
            ways["speak"] = [*onward, "fail"]
            if probes:
                ways["probe"] = ["speak", "decide", "fail"]
        if hears:
            ways["hear"] = ["speak", *closing]
        ways["decide"] = ["tiebreak"] * breaks + ["speak"] * again + [*over, "fail"]
        if breaks:
            ways["tiebreak"] = over
        if baseline:
            ways["baseline"] = ["__end__", "fail"]
        return ways

    # -- acts -----------------------------------------------------------------------------------------------------

    async def open(self, state: State, runtime: Runtime[Any]) -> State:
        """The moderator puts the question; everybody reads it first."""
        options = _checked(state.get("options") or self.params.options)
        words = self._brief.render(
            {
                "question": asked("debate", state["question"]),
                "options": options,
                "debaters": self.params.debaters,
                "rounds": self.params.rounds,
            }
        )
        turns = heard(self.at(runtime), [Turn(MODERATOR, words, data=shared(self.params.shared_first))])
        return {"options": options, "turns": turns, "round": 0, "said": len(self.params.debaters)}

    async def speak(self, state: State, runtime: Runtime[Any]) -> State:
        """The next debater speaks; in a blind or simultaneous round, all of them at once."""
        round_, said = state["round"], state["said"]
        if said == len(self.params.debaters):
            round_, said = round_ + 1, 0
        here = self.at(runtime) / f"round{round_}"
        order = speaking_order(self.params.order, self.params.debaters, round_, here.rng)
        speakers = order if self._blind(round_) else [order[said]]
        transcript = Transcript.of(state["turns"])
        acted = await together({name: self._argues(name, here, state, round_) for name in speakers})
        alone = said + 1 == len(order) and not any(t.round == round_ and t.kind == "say" for t in transcript)
        spoke = frozenset(acted.replies) if len(speakers) > 1 else frozenset()
        turns = []
        for name, reply in acted.replies.items():
            turn = self.cast[name].turn(reply, round=round_)
            turns.append(_blind(turn, spoke - {name}) if spoke else turn)
        kept = self._kept(acted, here, round_, "argue", turns, others=not alone and len(speakers) == 1)
        return {**kept, "round": round_, "said": said + len(speakers)}

    async def probe(self, state: State, runtime: Runtime[Any]) -> State:
        """Every debater says off the record where it stands."""
        round_ = state["round"]
        here = self.at(runtime) / f"round{round_}"
        transcript, options = Transcript.of(state["turns"]), state["options"]
        acted = await together(
            {
                name: self._debater(name).position(here, self._seen(name, transcript, round_), options=options)
                for name in self.params.debaters
            }
        )
        return self._kept(acted, here, round_, "position", self._off_record(acted, round_))

    async def hear(self, state: State, runtime: Runtime[Any]) -> State:
        """The judge says whether it has heard enough."""
        judge, round_ = self._judge(self.params.judge), state["round"]
        here = self.at(runtime) / f"round{round_}"
        reply = await judge.enough(here, Transcript.of(state["turns"]))
        return {"turns": heard(here, [judge.turn(reply, round=round_, kind="probe")])}

    async def decide(self, state: State, runtime: Runtime[Any]) -> State:
        """Collect the verdicts or votes that are still needed, and decide."""
        now = Standing.of(self.params, state)
        here = self.at(runtime) / f"round{now.round}"
        kept: State = {}
        if "agreement" not in now.ended and (acts := self._votes(now, here)):
            acted = await together(acts)
            kept = self._kept(acted, here, now.round, "vote", self._voted(acted, now.round))
            now = Standing.of(self.params, state, kept["turns"])
        if "failure" in kept:
            return kept
        decided = decision(now)
        if decided["answer"] is None and self.params.on_tie == "another_round" and not now.extra:
            return {**kept, "extra": now.round}
        return {**kept, "decided": decided}

    async def tiebreak(self, state: State, runtime: Runtime[Any]) -> State:
        """The judge decides between the leading answers."""
        judge, decided = self._judge(self.params.judge), state["decided"]
        leaders = decided["leaders"] if len(decided["leaders"]) > 1 else list(decided["tally"])
        here = self.at(runtime) / f"round{state['round']}"
        between = leaders if len(leaders) > 1 else state["options"]
        reply = await judge.verdict(here, Transcript.of(state["turns"]), options=between)
        turn = judge.turn(reply, round=state["round"])
        now = Standing.of(self.params, state, [turn])
        answer = now.answers.name(str(turn.data.get("answer", reply.text)))
        how = decided["how"].replace("tie: none", "tie: judge", 1)
        return {"turns": heard(here, [turn]), "decided": {**decided, "answer": answer, "how": how}}

    async def baseline(self, state: State, runtime: Runtime[Any]) -> State:
        """Ask the debaters' models as often as the debate did, each time alone, and vote."""
        # Its samples are no turns of the debate: whoever listens to the debate must not take them for positions.
        at = replace(self.at(runtime) / "baseline", emit=silent)
        calls = calls_in(Transcript.of(state["turns"]))
        agents = [self.cast[name] for name in self.params.debaters]
        try:
            raw = await sampled(at, agents, calls, state["question"], options=state["options"], on_failure="skip")
        except (ModelError, ReplyError) as error:
            return {"baseline": SelfConsistencyOutcome(reason=reason_of(error)).model_dump(mode="json")}
        found: State = {"baseline": tallied(raw, state["options"]).model_dump(mode="json")}
        return {**found, "failure": raw["failure"]} if raw["failure"] else found

    async def fail(self, state: State) -> State:
        """Raise what failed, now that what was finished beside it is kept."""
        raise_failure(state["failure"])

    # -- what comes next ------------------------------------------------------------------------------------------

    def after_open(self, state: State) -> Step:
        """The first position, if it is asked for."""
        return "speak" if self.params.probes == "never" else "probe"

    def after_speak(self, state: State) -> Step:
        """The next turn of the round; at its end a probe, the judge's opinion, the next round or the decision."""
        if "failure" in state:
            return "fail"
        if state["said"] < len(self.params.debaters):
            return "speak"
        return "probe" if self.params.probes == "each_round" else self._after_round(state)

    def after_probe(self, state: State) -> Step:
        """The first round after the first probe; else what the round's end asks for."""
        if "failure" in state:
            return "fail"
        if state["round"] == 0:
            return "speak"
        return self._after_round(state) if self.params.probes == "each_round" else "decide"

    def after_hear(self, state: State) -> Step:
        """The decision if the judge has heard enough, else the next round."""
        return self._closing() if Standing.of(self.params, state).ended else "speak"

    def after_decide(self, state: State) -> Step:
        """Another round or the judge at a tie; else the end."""
        if "failure" in state:
            return "fail"
        if "decided" not in state:
            return "speak"
        if state["decided"]["answer"] is None and self.params.on_tie == "judge":
            return "tiebreak"
        return self.after_tiebreak(state)

    def after_tiebreak(self, state: State) -> Step:
        """The baseline, if there is one."""
        return "__end__" if self.params.baseline == "none" else "baseline"

    def after_baseline(self, state: State) -> Step:
        """The end."""
        return "fail" if "failure" in state else "__end__"

    def _after_round(self, state: State) -> Step:
        now = Standing.of(self.params, state)
        if now.ended:
            return self._closing()
        return "hear" if now.asks_judge else "speak"

    def _closing(self) -> Step:
        if self.params.probes == "each_round":
            return "decide"
        return "probe" if self.params.probes == "ends" or self.params.debaters_vote else "decide"

    # -- what it comes to -----------------------------------------------------------------------------------------

    def outcome(self, state: Mapping[str, Any], reason: str | None = None) -> DebateOutcome:
        """What a state has come to, wherever the debate stopped."""
        over = state.get("round", 0) > 0 and state.get("said") == len(self.params.debaters)
        ended = Standing.of(self.params, state).ended if over else ()
        return debate_outcome(self.params, state, reason, ended)

    def plan(self) -> CallPlan:
        """The fewest and most calls of each agent."""
        return with_weighing(debate_plan(self.params), self.cast.values())

    # -- parts of acts --------------------------------------------------------------------------------------------

    def _blind(self, round_: int) -> bool:
        return self.params.order == "simultaneous" or (round_ == 1 and self.params.first_round == "blind")

    def _debater(self, name: str) -> Debater:
        return cast("Debater", self.cast[name])

    def _judge(self, name: str | None) -> Judge:
        return cast("Judge", self.cast[name or ""])

    def _seen(self, name: str, transcript: Transcript, round_: int) -> Transcript:
        return seen_by(name, transcript, self.params.visible, round_)

    def _argues(self, name: str, here: Place, state: State, round_: int) -> Coroutine[Any, Any, Reply]:
        seen = self._seen(name, Transcript.of(state["turns"]), round_)
        rounds = max(self.params.rounds, round_)
        return self._debater(name).argue(here, seen, round=round_, rounds=rounds, options=state["options"])

    def _votes(self, now: Standing, here: Place) -> dict[str, Coroutine[Any, Any, Reply]]:
        """The calls by which the vote is still to be cast; the debaters' positions are known by now."""
        params = self.params
        if not params.debaters_vote:
            bench = params.jury or [params.judge or ""]
            return {name: self._judge(name).verdict(here, now.transcript, options=now.options) for name in bench}
        candidates = now.candidates
        if params.rule not in ("ranked", "approval") or len(candidates) < 2:
            return {}
        acts = {}
        for name in params.debaters:
            seen, debater = self._seen(name, now.transcript, now.round), self._debater(name)
            ask = debater.rank if params.rule == "ranked" else debater.approve
            acts[name] = ask(here, seen, options=candidates)
        return acts

    def _voted(self, acted: Acted, round_: int) -> list[Turn]:
        if self.params.debaters_vote:
            return self._off_record(acted, round_)
        turns = [self.cast[name].turn(reply, round=round_) for name, reply in acted.replies.items()]
        return [_secret(turn) for turn in turns] if self.params.jury else turns

    def _off_record(self, acted: Acted, round_: int) -> list[Turn]:
        return [self.cast[name].turn(reply, round=round_, kind="probe") for name, reply in acted.replies.items()]

    def _kept(
        self, acted: Acted, here: Place, round_: int, act: str, turns: Sequence[Turn], *, others: bool = False
    ) -> State:
        """What came of an act; a failure that ends the debate is kept beside it, to be raised in the next step."""
        fatal = acted.fatal(self.params.on_failure, others=others)
        if fatal is not None and not turns:
            raise fatal
        kept: State = {"turns": heard(here, turns)}
        if fatal is not None:
            kept["failure"] = failure_to_json(fatal)
        elif acted.failures:
            kept["skipped"] = [
                {"round": round_, "agent": name, "act": act, "kind": kind_of(error), "error": str(error)}
                for name, error in acted.failures.items()
            ]
        return kept


def _blind(turn: Turn, to: frozenset[str]) -> Turn:
    return replace(turn, blind_to=to)


def _secret(turn: Turn) -> Turn:
    return replace(turn, audience=frozenset())


def _checked(options: Any) -> list[str]:
    """The options as given with the question.

    Raises:
        UsageError: They are not two or more different texts.
    """
    if not isinstance(options, (list, tuple)) or not all(isinstance(o, str) for o in options):
        raise UsageError(f"debate: options must be a list of texts, not {options!r}")
    if len(options) == 1 or twice([normal(option) for option in options]):
        raise UsageError(f"debate: options must be two or more different answers, not {list(options)}")
    return list(options)


@cache
def _bundled_brief() -> Prompt:
    return Prompt.load(Path(__file__).parent / "prompts" / "debate" / "brief.md.j2")
