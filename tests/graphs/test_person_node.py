"""A person in the loop: asked, waited for, answered."""

from maieutic.testing.plays import play

GATE = """
version: 1
name: gate
models: {m: scripted/x}
agents:
  ann: {model: m}
state:
  answer: {type: str, default: ""}
  released: {type: bool, default: false}
graph:
  start: draft
  nodes:
    draft: {agent: ann, writes: {answer: reply.text}, next: gate, visits: {max: 2, then: end}}
    gate:
      person: eve
      ask: "May {{ answer }} go out?"
      choices: ["yes", "no"]
      writes: {released: reply.text == 'yes'}
      routes: [{when: released, to: end}, {else: draft}]
"""


def test_without_anybody_to_ask_the_run_waits_and_says_where() -> None:
    run = play(GATE, {"ann": ["this"]}).run
    assert (run.status, run.reason) == ("waiting", "waiting")
    assert "eve is asked at 0/0/gate#1/eve.say" in run.error
    assert "May this go out?" in run.error
    assert run.outcome.state["answer"] == "this"


def test_an_answer_given_beforehand_goes_on() -> None:
    played = play(GATE, {"ann": ["this"]}, answers={"0/0/gate#1/eve.say": "yes"})
    assert played.run.status == "done"
    assert played.state["released"] is True
    assert [(turn.speaker, turn.content) for turn in played.run.turns] == [("ann", "this"), ("eve", "yes")]


def test_every_visit_is_a_question_of_its_own() -> None:
    answers = {"0/0/gate#1/eve.say": "no", "0/0/gate#2/eve.say": "no"}
    played = play(GATE, {"ann": ["this", "that"]}, answers=answers)
    assert "eve: no" in played.read("draft#2/ann.say")
    assert played.path == ["gate", "draft", "gate", "draft", "end"]
    assert played.run.edges[-1]["when"] == "visits"
    assert played.state["released"] is False


def test_a_person_makes_no_model_calls() -> None:
    played = play(GATE, {"ann": ["this"]}, answers={"0/0/gate#1/eve.say": "yes"})
    assert set(played.graph.plan().calls) == {"ann"}
