"""A maieutic graph inside somebody else's LangGraph graph: their state, their checkpointer, their streaming.

Run it: python examples/embed_in_langgraph.py
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, TypedDict

from langgraph.checkpoint.memory import MemorySaver
from langgraph.graph import END, START, StateGraph

from maieutic.graphs import load_graph

TUTOR = load_graph(Path(__file__).parent / "graphs" / "fractions-tutor.yaml")


class Ticket(TypedDict):
    """The host's own state. The tutor shares `question` and `answer` with it and keeps the rest to itself."""

    text: str
    question: str
    answer: str
    mail: str


def read(state: Ticket) -> dict[str, str]:
    return {"question": state["text"].removeprefix("Please help: ")}


def reply(state: Ticket) -> dict[str, str]:
    return {"mail": f"Dear reader, the answer is {state['answer']}."}


def host() -> StateGraph[Any, None, Any, Any]:
    graph: StateGraph[Any, None, Any, Any] = StateGraph(Ticket)
    graph.add_node("read", read)
    graph.add_node("tutor", TUTOR.compiled)  # an ordinary compiled LangGraph graph
    graph.add_node("reply", reply)
    graph.add_edge(START, "read")
    graph.add_edge("read", "tutor")
    graph.add_edge("tutor", "reply")
    graph.add_edge("reply", END)
    return graph


async def main() -> str:
    app = host().compile(checkpointer=MemorySaver())
    ticket = {"text": "Please help: What is 1/2 + 1/3?"}
    config: Any = {"configurable": {"thread_id": "ticket-1"}}
    stream: Any = app.astream(ticket, config, stream_mode=["updates", "custom"], subgraphs=True)
    async for _, mode, data in stream:
        if mode == "custom" and data["kind"] == "turn":
            print(f"{data['data']['speaker']}: {data['data']['content']}")
        elif mode == "custom" and data["kind"] == "edge":
            print(f"   ({data['data']['source']} → {data['data']['target']}: {data['data']['when']})")
    mail: str = (await app.aget_state(config)).values["mail"]
    print(mail)
    return mail


if __name__ == "__main__":
    asyncio.run(main())
