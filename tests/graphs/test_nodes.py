"""What each kind of node does, seen from what models are sent and what the state becomes."""

import asyncio

import pytest

from maieutic.backends import PersonBackend
from maieutic.errors import UsageError
from maieutic.graphs import load_graph
from maieutic.memory import Turn
from maieutic.runs.workspace import Workspace
from maieutic.testing.plays import play

HEAD = """
version: 1
name: small
models: {m: scripted/x}
agents:
  ann: {model: m}
  bob: {model: m}
  rev: {role: critic, model: m}
"""


def test_an_agent_reads_fields_and_its_reply_is_written() -> None:
    played = play(
        HEAD.replace("  bob: {model: m}\n", "")
        + """
state:
  question: {type: str, input: true}
  answer: {type: str, default: ""}
  review: {type: rev.output, default: null}
graph:
  start: say
  nodes:
    say: {agent: ann, reads: {instruction: "question + '?'"}, writes: {answer: reply.text}, next: check}
    check: {agent: rev, reads: [question, answer], writes: {review: reply}, next: end}
""",
        {"ann": ["Because."], "rev": [{"ok": True, "problem": ""}]},
        {"question": "Why"},
    )
    assert "Why?" in played.read("say#1/ann.say")
    assert "Draft: Because." in played.read("check#1/rev.review")
    assert played.run.answer == "Because."
    assert played.state["review"] == {"ok": True, "problem": ""}


TALK = HEAD.replace("  rev: {role: critic, model: m}\n", "") + "graph:\n  start: one\n  nodes:\n"


def test_what_is_said_to_an_audience_reaches_nobody_else() -> None:
    played = play(
        TALK.replace("  bob: {model: m}\n", "  bob: {model: m}\n  cy: {model: m}\n")
        + "    one: {agent: ann, audience: [bob], next: two}\n"
        + "    two: {agent: bob, next: three}\n"
        + "    three: {agent: cy, next: end}\n",
        {"ann": ["A secret."], "bob": ["Thanks."], "cy": ["What?"]},
    )
    assert "ann: A secret." in played.read("two#1/bob.say")
    assert "secret" not in played.read("three#1/cy.say")
    assert "bob: Thanks." in played.read("three#1/cy.say")


def test_what_is_said_off_the_record_is_kept_but_heard_by_nobody() -> None:
    played = play(
        TALK + "    one: {agent: ann, off_record: true, next: two}\n    two: {agent: bob, next: three}\n"
        "    three: {agent: ann, next: end}\n",
        {"ann": ["To myself.", "Aloud."], "bob": ["Hm."]},
    )
    assert [turn.kind for turn in played.run.turns] == ["probe", "say", "say"]
    assert "To myself" not in played.read("two#1/bob.say") + played.read("three#1/ann.say")


def test_who_sees_nothing_reads_nothing_of_the_dialogue() -> None:
    played = play(
        TALK + "    one: {agent: ann, next: two}\n    two: {agent: bob, sees: nothing, next: end}\n",
        {"ann": ["Hello."], "bob": ["Hm."]},
    )
    assert "Hello" not in played.read("two#1/bob.say")


def test_turns_are_told_as_they_are_finished_with_their_place() -> None:
    played = play(
        TALK + "    one: {agent: ann, next: two}\n    two: {agent: bob, next: end}\n", {"ann": ["A."], "bob": ["B."]}
    )
    told = [(event.at, event.data) for event in played.events if event.kind == "turn"]
    assert told == [("0/0/one#1", Turn("ann", "A.").to_json()), ("0/0/two#1", Turn("bob", "B.").to_json())]
    assert list(played.run.turns) == [Turn("ann", "A."), Turn("bob", "B.")]


def test_a_step_can_ask_for_a_typed_reply_of_its_own() -> None:
    played = play(
        TALK.replace("  bob: {model: m}\n", "").replace("graph:", "state: {mood: {type: str, default: ''}}\ngraph:")
        + "    one: {agent: ann, output: {mood: [good, bad]}, writes: {mood: reply.mood}, next: end}\n",
        {"ann": [{"mood": "good"}]},
    )
    assert played.state["mood"] == "good"


def test_a_router_can_only_choose_from_its_pool() -> None:
    played = play(
        """
version: 1
name: route
models: {m: scripted/x}
agents: {r: {role: router, model: m}}
state:
  question: {type: str, input: true}
  pool: {type: "dict[str]", default: {small: cheap, large: able}}
  choice: {type: str, default: ""}
graph:
  start: choose
  nodes:
    choose: {agent: r, reads: [question, pool], writes: {choice: reply.choice}, next: end}
""",
        {"r": [{"choice": "huge", "reason": ""}, {"choice": "large", "reason": "It is hard."}]},
        {"question": "Why?"},
    )
    assert played.state["choice"] == "large"
    assert len(played.requests) == 2  # the first choice was no candidate, and was sent back


SET = """
version: 1
name: sums
state:
  n: {type: int, input: true, default: 1}
  m: {type: int, default: 10}
graph:
  start: swap
  nodes:
    swap: {set: {n: m, m: n}, next: end}
"""


def test_set_writes_all_fields_at_once_from_the_state_before() -> None:
    assert play(SET, inputs={"n": 3}).state == {"n": 10, "m": 3}


def test_an_input_of_another_type_is_refused() -> None:
    with pytest.raises(UsageError, match=r"the input 'n' is 'three': it must be of type int"):
        play(SET, inputs={"n": "three"})


TOOL = """
version: 1
name: tools
state:
  n: {type: int, input: true}
  square: {type: int, default: 0}
graph:
  start: work
  nodes:
    work: {tool: square, with: {n: n + 1}, writes: {square: result.value}, next: end}
"""


def test_a_tool_is_an_ordinary_function() -> None:
    assert play(TOOL, inputs={"n": 3}, tools={"square": lambda n: {"value": n * n}}).state["square"] == 16


def test_a_tool_may_be_async() -> None:
    async def square(n: int) -> dict[str, int]:
        return {"value": n * n}

    assert play(TOOL, inputs={"n": 3}, tools={"square": square}).state["square"] == 16


def test_a_tool_that_fails_ends_the_run_with_its_place_and_error() -> None:
    def broken(n: int) -> None:
        raise OSError("no disk")

    run = play(TOOL, inputs={"n": 3}, tools={"square": broken}).run
    assert run.reason == "failed:tool"
    assert run.error == "<string>:10:5: graph.nodes.work: the tool 'square' failed: OSError: no disk"


def test_a_tool_whose_result_is_not_json_says_so() -> None:
    run = play(TOOL, inputs={"n": 3}, tools={"square": lambda n: object()}).run
    assert "Type is not JSON serializable: object" in run.error


def test_a_value_that_does_not_fit_its_field_names_field_and_type() -> None:
    run = play(TOOL, inputs={"n": 3}, tools={"square": lambda n: {"value": "many"}}).run
    assert run.reason == "failed:state"
    assert "the state field 'square' cannot take 'many': it must be of type int" in run.error


def test_an_expression_that_meets_wrong_values_names_line_and_values() -> None:
    run = play(TOOL, inputs={"n": 3}, tools={"square": lambda n: None}).run
    assert run.reason == "failed:expression"
    assert run.error == (
        "<string>:10:61: graph.nodes.work.writes.square: cannot evaluate result.value: result is null "
        "(values: none was read)"
    )
    assert run.outcome.state == {"n": 3, "square": 0}


def test_an_input_cannot_have_a_name_that_acting_needs_for_itself() -> None:
    text = TALK.replace("graph:", "state: {x: {type: str, default: ''}}\ngraph:")
    with pytest.raises(UsageError, match=r"graph\.nodes\.one\.reads: an input cannot be called 'output'"):
        play(text + "    one: {agent: ann, reads: {output: x}, next: two}\n    two: {agent: bob, next: end}\n")


def test_a_tool_is_called_once_however_often_a_run_is_taken_up_again() -> None:
    called: list[int] = []
    text = TOOL.replace("next: end}", "next: ask}\n    ask: {person: eve, ask: Fine?, next: end}")

    def square(n: int) -> dict[str, int]:
        called.append(n)
        return {"value": n * n}

    graph = load_graph(text, tools={"square": square})

    async def go() -> tuple[str, str]:
        async with Workspace(backends={"person": PersonBackend()}) as workspace:
            first = await workspace.run(graph, {"n": 3})
            again = await workspace.run(graph, {"n": 3}, run_id=first.id)
        return first.reason, again.reason

    assert asyncio.run(go()) == ("waiting", "waiting")
    assert called == [4]
