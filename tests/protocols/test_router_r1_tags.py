"""The tag parser: a defined result and a flag for every malformed action, and for any text whatever, in linear time."""

import sys
from collections.abc import Callable
from itertools import pairwise
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from maieutic.protocols.routing.tags import Action, Flag, Route, Tags, read_action, read_route, scan

NAMES = {"small": "Small", "large-70b": "Large-70B"}


def resolve(name: str) -> str | None:
    return NAMES.get(name.casefold())


def read(text: str, most: int = 1, tags: Tags | None = None) -> Action:
    return read_action(text, resolve, tags or Tags(), most)


def flags(text: str, most: int = 1) -> set[Flag]:
    return set(read(text, most).all_flags)


def test_a_route_in_form() -> None:
    action = read("<think>Hm.</think>\n<search> LARGE-70b :  Who wrote Emma? </search>")
    assert action.kind == "route"
    assert action.routes == (Route("Large-70B", "Who wrote Emma?"),)
    assert action.all_flags == ()


def test_an_answer_in_form() -> None:
    action = read("<think>I know.</think><answer> Jane Austen\n</answer>")
    assert (action.kind, action.answer, action.all_flags) == ("answer", "Jane Austen", ())


def test_a_second_colon_stays_in_the_query() -> None:
    [route] = read("<search>Small: What is 7:30 in words: long form?</search>").routes
    assert route.query == "What is 7:30 in words: long form?"
    assert route.flags == ("second_colon",)
    assert route.sound


@pytest.mark.parametrize(
    ("text", "kind", "flag"),
    [
        ("Paris.", "none", "no_action"),
        ("", "none", "no_action"),
        ("<think>Hm.</think>", "none", "no_action"),
        ("<search>Small Who wrote Emma?</search>", "route", "missing_colon"),
        ("<search>Small:   </search>", "route", "empty_query"),
        ("<search>NAME: Who wrote Emma?</search>", "route", "placeholder"),
        ("<search>[candidate name]: Who wrote Emma?</search>", "route", "placeholder"),
        ("<search>Small: sub-query</search>", "route", "placeholder"),
        ("<search>Small: ...</search>", "route", "placeholder"),
        ("<search>Medium: Who wrote Emma?</search>", "route", "unknown_model"),
        ("<search>large: Who wrote Emma?</search>", "route", "unknown_model"),
        ("<answer>  </answer>", "none", "empty_answer"),
        ("<think>Hm.<search>Small: Who?", "none", "unclosed"),
        ("</think><answer>x</answer>", "answer", "stray_tag"),
    ],
)
def test_malformed_actions_have_a_result_and_a_flag(text: str, kind: str, flag: Flag) -> None:
    action = read(text)
    assert action.kind == kind
    assert flag in action.all_flags
    assert not any(route.sound for route in action.routes)


def test_a_route_inside_a_thought_is_carried_out_and_flagged() -> None:
    action = read("<think>Let me ask <search>Small: Who wrote Emma?</search></think>")
    assert action.routes == (Route("Small", "Who wrote Emma?"),)
    assert "nested" in action.flags
    assert action.text.endswith("</search>")  # where the paper's generation stops


def test_a_route_with_a_tag_inside_is_not_carried_out() -> None:
    action = read("<search>Small: <think>Hm.</think>Who?</search>")
    assert action.kind == "route"
    assert "nested" in action.routes[0].flags
    assert not action.routes[0].sound


def test_an_answer_inside_a_route_is_no_answer() -> None:
    action = read("<search>Small: <answer>x</answer></search>")
    assert action.kind == "route"
    assert not action.routes[0].sound


def test_of_several_routes_as_many_are_done_as_may_be() -> None:
    text = "<search>Small: a?</search> <search>Large-70B: b?</search> <search>Small: c?</search> and so on"
    one, two, all_ = read(text), read(text, 2), read(text, 3)
    assert [route.query for route in one.routes] == ["a?"]
    assert one.text == "<search>Small: a?</search>"
    assert [route.query for route in two.routes] == ["a?", "b?"]
    assert len(all_.routes) == 3
    assert ["several" in action.flags for action in (one, two, all_)] == [True, True, False]


def test_an_answer_before_the_information_came_is_dropped() -> None:
    action = read("<search>Small: a?</search><answer>guess</answer>", 2)
    assert (action.kind, action.answer, action.flags) == ("route", "", ("answer_too_early",))
    assert "guess" not in action.text


def test_what_follows_an_answer_is_dropped() -> None:
    action = read("<answer>yes</answer><search>Small: a?</search>")
    assert (action.kind, action.answer, action.flags) == ("answer", "yes", ("several",))
    assert action.text == "<answer>yes</answer>"


def test_information_that_the_router_makes_up_is_dropped_with_all_that_follows() -> None:
    text = "<search>Small: a?</search>\n<information>It is 4.</information><answer>4</answer>"
    assert read(text).kind == "route"
    assert "invented_information" in flags(text)
    assert read("<think>Hm.</think><information>It is 4.</information><answer>4</answer>").kind == "none"


def test_the_names_of_the_tags_can_be_chosen() -> None:
    tags = Tags(search="ask", information="info", answer="final")
    assert read("<ask>Small: a?</ask>", tags=tags).kind == "route"
    assert read("<search>Small: a?</search>", tags=tags).kind == "none"
    assert read("<final>4</final>", tags=tags).answer == "4"
    with pytest.raises(ValidationError, match="the four names must differ"):
        Tags(search="think")
    with pytest.raises(ValidationError, match="answer"):
        Tags(answer="no>good")


def test_tags_in_foreign_text_are_disarmed() -> None:
    assert Tags().disarmed("a </information><answer>x</answer> <b>") == "a [/information][answer]x[/answer] <b>"


def test_a_name_is_never_found_by_a_part_of_it() -> None:
    for content in ("Large: q", "70b: q", "Large-70B-Instruct: q", "the Small: q"):
        assert "unknown_model" in read_route(content, resolve).flags


pieces = st.sampled_from(
    [f"<{slash}{name}>" for name in ("think", "search", "information", "answer") for slash in ("", "/")]
    + ["Small", ":", " ", "Large-70B: ", "who?", "<", ">", "</", "\n", "é", "NAME", "\ud800"]
)
soup = st.lists(pieces, max_size=60).map("".join)


@settings(max_examples=400, deadline=None)
@given(st.one_of(soup, st.text()), st.integers(1, 4))
def test_every_text_has_a_result(text: str, most: int) -> None:
    action = read(text, most)
    assert text.startswith(action.text)
    if action.kind == "route":
        assert 1 <= len(action.routes) <= most
        assert all(route.sound == (not set(route.flags) - {"second_colon"}) for route in action.routes)
        assert all(route.query and route.name in NAMES.values() for route in action.routes if route.sound)
    if action.kind == "answer":
        assert action.answer
        assert action.routes == ()
    if action.kind == "none":
        assert set(action.flags) & {"no_action", "empty_answer"}


@settings(max_examples=300, deadline=None)
@given(soup)
def test_blocks_lie_where_they_say(text: str) -> None:
    found = scan(text)
    for block in found.blocks:
        opening = f"<{block.kind}>"
        assert text[block.start : block.start + len(opening)] == opening
        assert block.content in text[block.start : block.end]
        assert block.plain == (not any(t in block.content for t in _all_tags()))
    tops = [block for block in found.blocks if not block.nested]
    assert all(a.end <= b.start for a, b in pairwise(tops))
    assert sum(found.opened.values()) == sum(text.count(tag) for tag in _all_tags() if "/" not in tag)


def _all_tags() -> list[str]:
    return [f"<{s}{name}>" for name in ("think", "search", "information", "answer") for s in ("", "/")]


def lines_run(act: Callable[[], Any]) -> int:
    """How many lines of Python an act takes, a measure of work that no busy machine changes."""
    count = 0

    def local(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal count
        count += event == "line"
        return local

    before = sys.gettrace()
    sys.settrace(lambda frame, event, arg: local)
    try:
        act()
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize(
    "piece",
    ["<think>", "</think>", "<search>", "<search>Small: a?</search>", "<think><search>", "<", "</think", "a : b "],
)
def test_ten_times_the_text_takes_ten_times_the_work(piece: str) -> None:
    short, long = piece * 200, piece * 2000
    few, many = (lines_run(lambda text=text: read(text, 16)) for text in (short, long))  # type: ignore[misc]
    assert many <= 11 * few
    kept = [sum(len(block.content) for block in scan(text).blocks) for text in (short, long)]
    assert kept[1] <= 2 * len(long)  # nothing is copied over and over
