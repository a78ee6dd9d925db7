"""What every protocol has in common, told with the debate and with a protocol of one's own."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from maieutic.agents import Agent, Critic, Debater, Judge
from maieutic.errors import UsageError
from maieutic.protocols import CallPlan, Debate, Outcome, Params, Plays, Protocol, protocol_named
from maieutic.protocols.base import heard
from maieutic.protocols.persuasion.tree import PersuasionTree
from maieutic.testing.staged import play


class ReviewParams(Params):
    critic: Annotated[str, Plays("critic")]


class Reviewing(TypedDict, total=False):
    question: str
    turns: list[dict[str, Any]]


class OneReview(Protocol[ReviewParams, Outcome]):
    """A protocol of one's own: one node, one call."""

    name = "one_review"
    params_model = ReviewParams
    outcome_model = Outcome

    def build(self) -> StateGraph[Any, Any, Any, Any]:
        graph = StateGraph(Reviewing)
        graph.add_node("review", self.review)
        graph.add_edge(START, "review")
        graph.add_edge("review", END)
        return graph

    async def review(self, state: Reviewing, runtime: Runtime[Any]) -> Reviewing:
        critic, at = self.cast[self.params.critic], self.at(runtime)
        reply = await critic.do("review", at, answer=state["question"])
        return {"turns": heard(at, [critic.turn(reply)])}

    def outcome(self, state: Mapping[str, Any], reason: str | None = None) -> Outcome:
        turns = state.get("turns", [])
        return Outcome(answer=turns[-1]["data"]["problem"] if turns else None, transcript=turns)

    def plan(self) -> CallPlan:
        return CallPlan({self.params.critic: (1, 1)})


def offline_debate(**params: Any) -> Debate:
    return Debate([Debater("Ada", "sim/debater"), Debater("Bo", "sim/debater")], **{"rounds": 1, **params})


def test_a_protocol_of_ones_own_takes_agents_in_place_of_names() -> None:
    own = OneReview(critic=Critic("cleo", "scripted/x"))
    assert play(own, [{"ok": False, "problem": "Too short."}], "Hm.").outcome.answer == "Too short."


def test_an_agent_plays_the_role_that_the_parameter_asks_for() -> None:
    assert isinstance(OneReview(critic=Agent("cleo", "scripted/x")).cast["cleo"], Critic)


def test_one_agent_may_do_several_things_but_two_need_two_names() -> None:
    ada, bo = Debater("ada", "scripted/a"), Debater("bo", "scripted/b")
    tree = PersuasionTree([ada, bo], answers="extractor", extractor=ada)
    assert tree.params.extractor == "ada"
    with pytest.raises(UsageError, match="two agents are called 'ada'; give each its own name"):
        PersuasionTree([ada, bo], answers="extractor", extractor=Agent("ada", "scripted/c"))


def test_protocols_are_found_by_name_ones_own_first() -> None:
    assert protocol_named("debate") is Debate
    assert protocol_named("debate", {"debate": OneReview}) is OneReview
    with pytest.raises(UsageError, match=r"unknown protocol .debates.; known protocols: .*debate, .*self_consistency"):
        protocol_named("debates")


def test_unknown_and_missing_inputs_are_refused() -> None:
    with pytest.raises(UsageError, match="debate has no input 'topic'; it takes question, options"):
        asyncio.run(offline_debate().perform("Why?", topic="x"))


def test_plans_add_up_by_agent() -> None:
    both = CallPlan({"ada": (1, 2)}) + CallPlan({"ada": (1, 1), "bo": (0, 5)})
    assert (both.calls, both.fewest, both.most) == ({"ada": (2, 3), "bo": (0, 5)}, 2, 8)


def test_a_graph_is_compiled_once() -> None:
    debate = offline_debate()
    assert debate.compiled is debate.compiled


def test_a_host_embeds_a_debate_in_its_own_graph_and_streams_its_turns() -> None:
    debate = offline_debate()

    class Host(TypedDict, total=False):
        question: str
        turns: list[dict[str, Any]]
        answer: str

    async def told() -> tuple[list[str], Any]:
        graph = StateGraph(Host)
        graph.add_node("debate", debate.compiled)
        graph.add_edge(START, "debate")
        graph.add_edge("debate", END)
        speakers, last = [], None
        stream: AsyncIterator[Any] = graph.compile().astream(
            {"question": "Should cities ban cars?"}, stream_mode=["custom", "values"], subgraphs=True
        )
        async for _, mode, chunk in stream:
            if mode == "custom" and chunk["kind"] == "turn":
                speakers.append(chunk["data"]["speaker"])
            if mode == "values":
                last = chunk
        return speakers, last

    speakers, last = asyncio.run(told())
    assert speakers == ["moderator", "Ada", "Bo", "Ada", "Bo", "Ada", "Bo"]
    assert debate.outcome(last).transcript == last["turns"]


def test_the_state_is_plain_json_that_any_checkpointer_can_keep() -> None:
    judged = offline_debate(judge=Judge("June", "sim/judge"), baseline="self_consistency", first_round="blind")

    async def kept() -> dict[str, Any]:
        graph = judged.build().compile(checkpointer=InMemorySaver())
        config: Any = {"configurable": {"thread_id": "1"}}
        await graph.ainvoke({"question": "Should cities ban cars?"}, config)
        return dict((await graph.aget_state(config)).values)

    state = asyncio.run(kept())
    assert json.loads(json.dumps(state)) == state
    assert judged.outcome(state).reason == "answered"


def test_the_drawing_of_a_debate_shows_only_what_it_can_do() -> None:
    def nodes(debate: Debate) -> set[str]:
        return set(debate.compiled.get_graph().nodes) - {"__start__", "__end__", "fail"}

    assert nodes(offline_debate(judge=Judge("June", "sim/judge"), probes="never")) == {"open", "speak", "decide"}
    assert nodes(offline_debate(baseline="self_consistency")) == {"open", "probe", "speak", "decide", "baseline"}
