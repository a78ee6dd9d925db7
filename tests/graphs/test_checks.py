"""What is good although it looks suspicious: bounded cycles, values that cannot be null, fields that are written."""

from __future__ import annotations

import time

import pytest

from maieutic.errors import GraphFileError
from maieutic.graphs.failing import Spot
from maieutic.graphs.load import load_text
from maieutic.graphs.merging import StateFields
from maieutic.graphs.spec import GraphSpec, StateField
from maieutic.graphs.types import STR

HEAD = """version: 1
name: g
models: {m: sim/student}
agents:
  s: {role: student, model: m}
  c: {role: critic, model: m}
state:
  question: {type: str, input: true}
  answer: {type: str, default: ""}
  review: {type: c.review, default: null}
  note: {type: str, default: null}
  late: {type: str}
  tries: {type: int, default: 0, merge: add}
  left: {type: int, default: 3}
  most: {type: int, default: 3}
"""
USES_ALL = """    last: {agent: s, does: answer, next: critic}
    critic: {agent: c, does: review, next: person}
    person:
      person: al
      ask: "{{ question }} {{ answer }} {{ review }} {{ note }} {{ tries }} {{ left }} {{ most }}"
      writes: {late: reply.text}
      next: end
"""


def problems(nodes: str, *, more: str = "", start: str = "ask") -> list[str]:
    try:
        load_text(f"{HEAD}graph:\n  start: {start}\n  nodes:\n{nodes}{USES_ALL}{more}")
    except GraphFileError as error:
        return [problem.message for problem in error.problems]
    return []


def loop(when: str, writes: str = "answer: reply.text", *, extra: str = "", flow: str = "") -> str:
    routes = flow or f"routes: [{{when: {when}, to: ask}}, {{else: last}}]"
    return (
        f"    ask: {{agent: s, does: answer, reads: [question], writes: {{{writes}}}, next: look{extra}}}\n"
        f"    look: {{agent: c, does: review, reads: [question, answer], writes: {{review: reply}}, {routes}}}\n"
    )


UNBOUNDED = ["the cycle ask → look → ask has no bound"]


@pytest.mark.parametrize(
    "nodes",
    [
        loop("tries < 3", "tries: 1"),
        loop("3 > tries", "tries: 1"),
        loop("tries <= most and not review.ok", "tries: 1"),
        loop("left > 0", "left: left - 1"),
        loop("left >= 1", "left: left + -1"),
        loop("tries < 3", "tries: 2, answer: reply.text"),
        loop("not (tries >= 3)", "tries: 1"),
        loop("", "tries: 1", flow="routes: [{when: tries >= 3 or review.ok, to: last}, {else: ask}]"),
        loop("review.ok", extra=", visits: {max: 3, then: last}"),
    ],
)
def test_a_cycle_with_a_bound_is_good(nodes: str) -> None:
    assert problems(nodes) == []


@pytest.mark.parametrize(
    "nodes",
    [
        loop("not review.ok"),
        loop("tries < 3"),
        loop("tries > 3", "tries: 1"),
        loop("tries < 3 or not review.ok", "tries: 1"),
        loop("tries < len(answer)", "tries: 1, answer: reply.text"),
        loop("left > 0", "left: left + 1"),
        loop("left > 0", "left: most - 1"),
        loop("tries != 3", "tries: 1"),
        loop("", "tries: 1", flow="routes: [{when: tries >= 3 and review.ok, to: last}, {else: ask}]"),
    ],
)
def test_a_cycle_without_a_bound_is_found(nodes: str) -> None:
    assert problems(nodes) == UNBOUNDED


def test_steps_bound_every_cycle() -> None:
    assert problems(loop("not review.ok"), more="limits: {steps: 60}\n") == []


def test_a_counter_must_be_moved_on_every_way_around() -> None:
    nodes = """    ask: {agent: s, does: answer, routes: [{when: answer == '', to: count}, {else: look}]}
    count: {set: {tries: 1}, next: look}
    look: {set: {answer: "'x'"}, routes: [{when: tries < 3, to: ask}, {else: last}]}
"""
    assert problems(nodes) == ["the cycle ask → look → ask has no bound"]


def test_a_counter_that_somebody_else_resets_is_none() -> None:
    nodes = loop("left > 0", "left: left - 1").replace("writes: {review: reply}", "writes: {review: reply, left: 3}")
    assert problems(nodes) == UNBOUNDED


def test_visits_do_not_bound_the_way_that_goes_around_them() -> None:
    nodes = """    ask: {set: {answer: "'x'"}, visits: {max: 2, then: look}, next: last}
    look: {set: {answer: "'y'"}, next: ask}
"""
    assert problems(nodes) == ["the cycle ask → look → ask has no bound"]


def test_a_cycle_counted_in_a_map_is_not_bounded() -> None:
    nodes = """    ask:
      map: '[1, 2]'
      as: item
      do: {set: {tries: 1}}
      routes: [{when: tries < 3, to: ask}, {else: last}]
"""
    assert problems(nodes) == ["the cycle ask → ask has no bound"]


def test_what_was_written_is_not_null_afterwards() -> None:
    nodes = """    ask: {agent: c, does: review, reads: [answer], writes: {review: reply}, next: look}
    look: {set: {answer: review.problem}, routes: [{when: review.ok, to: last}, {else: end}]}
"""
    assert problems(nodes) == []


def test_what_was_written_on_one_way_only_may_be_null() -> None:
    nodes = """    ask: {set: {answer: question}, routes: [{when: answer == '', to: write}, {else: look}]}
    write: {agent: c, does: review, reads: [answer], writes: {review: reply}, next: look}
    look: {set: {answer: review.problem}, next: last}
"""
    assert problems(nodes) == ["review may be null; cannot read .problem of it"]


def test_a_route_that_tests_for_null_shows_it_to_its_target() -> None:
    nodes = """    ask: {set: {answer: question}, routes: [{when: note != null, to: look}, {else: last}]}
    look: {set: {answer: upper(note)}, next: last}
"""
    assert problems(nodes) == []
    other_way = nodes.replace("note != null, to: look}, {else: last}", "note == null, to: last}, {else: look}")
    assert problems(other_way) == []
    wrong_way = nodes.replace("note != null", "note == null")
    assert problems(wrong_way) == ["note may be null; cannot give it to upper"]


def test_writing_null_ends_what_was_known() -> None:
    nodes = """    ask: {set: {note: question}, next: again}
    again: {set: {note: null}, next: look}
    look: {set: {answer: upper(note)}, next: last}
"""
    assert problems(nodes) == ["note may be null; cannot give it to upper"]


def test_a_field_written_on_every_way_can_be_read() -> None:
    nodes = """    ask: {set: {answer: question}, routes: [{when: answer == '', to: one}, {else: two}]}
    one: {set: {late: "'one'"}, next: look}
    two: {set: {late: "'two'"}, next: look}
    look: {set: {answer: late}, next: last}
"""
    assert problems(nodes) == []
    assert problems(nodes.replace("{set: {late: \"'two'\"}", "{set: {note: \"'two'\"}")) == [
        "'late' is read before anything has written it"
    ]


def test_a_write_that_may_be_null_is_not_sure() -> None:
    nodes = """    ask: {set: {late: note}, next: look}
    look: {set: {answer: late}, next: last}
"""
    assert problems(nodes) == ["'late' is read before anything has written it"]


def test_what_a_map_writes_is_not_sure() -> None:
    nodes = """    ask: {map: '[1]', as: item, do: {set: {tries: 1}}, collect: {late: "'x'"}, next: last}
"""
    assert problems(nodes) == ["collect makes a list; the state field 'late' is of type str"]


def test_parallel_branches_may_share_a_field_that_merges() -> None:
    nodes = """    ask: {parallel: {a: {set: {tries: 1}}, b: {set: {tries: 1}}}, next: last}
"""
    assert problems(nodes) == []


def test_the_branches_of_a_parallel_node_see_the_state_before_it() -> None:
    nodes = """    ask: {parallel: {a: {set: {late: "'x'"}}, b: {set: {answer: late}}}, next: last}
"""
    assert problems(nodes) == ["'late' is read before anything has written it"]


def test_a_problem_in_one_place_hides_none_in_another() -> None:
    nodes = """    ask:
      set: {answer: nothing}
      routes: [{when: 1 < 'a', to: lost}, {when: answer, to: last}, {else: ask}]
"""
    assert sorted(problems(nodes)) == [
        "a condition is true or false; this is of type str",
        "cannot compare an int < a str",
        "route to unknown node 'lost'",
        "the cycle ask → ask has no bound",
        "unknown name 'nothing'",
    ]


def test_the_names_that_are_told_are_those_of_the_file() -> None:
    nodes = "    ask: {set: {answer: zzzzzz, late: 1 +}, next: last}\n"
    with pytest.raises(GraphFileError) as caught:
        load_text(f"{HEAD}graph:\n  start: ask\n  nodes:\n{nodes}{USES_ALL}")
    told = str(caught.value)
    assert "names here: question, answer" in told
    assert "_unreadable_" not in told


def test_a_large_graph_is_checked_in_time() -> None:
    began = time.perf_counter()
    chain = "".join(
        f"    n{i}: {{set: {{tries: 1}}, routes: [{{when: tries < 3, to: n{i + 1}}}, {{else: n{i + 2}}}]}}\n"
        for i in range(300)
    )
    tail = "    n300: {set: {answer: question}, next: n301}\n    n301: {set: {answer: question}, next: last}\n"
    assert problems(chain + tail, start="n0") == []
    assert time.perf_counter() - began < 10


def test_null_written_to_a_field_that_cannot_be_null_leaves_it_as_it_is() -> None:
    declared = {"answer": StateField(type="str", default="so far"), "note": StateField(type="str", default=None)}
    fields = StateFields(declared, {"answer": STR, "note": STR.optional})
    spot = Spot(GraphSpec(version=1, name="g"), ())
    assert fields.merge({"answer": "so far", "note": "x"}, [("answer", None), ("note", None)], spot) == {"note": None}
