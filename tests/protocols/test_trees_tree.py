"""A tree of dialogues as plain data."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.errors import UsageError
from maieutic.memory import MODERATOR, Turn
from maieutic.protocols.trees import Node, Scores, Tree, child_id, level_of, parent_id

NAMES = ("ada", "bo")


def node(id_: str, answer: str | None = None, **more: object) -> Node:
    """The turn of whoever's turn it is, at a level; ada speaks first."""
    if not id_:
        return Node("", Turn(MODERATOR, "Which city?"), answers=dict.fromkeys(NAMES))
    speaker = NAMES[(level_of(id_) - 1) % 2]
    return Node(id_, Turn(speaker, f"said at {id_}", round=1), answers={speaker: answer}, **more)  # type: ignore[arg-type]


def tree(*nodes: Node) -> Tree:
    return Tree.of(
        "Which city?", [node(""), *nodes], accepted=["Paris"], agents=NAMES, openings={"ada": "You are ada."}
    )


SMALL = tree(node("0", "Paris"), node("0.0", "Rome"), node("0.1", "paris."), node("0.1.0", "Paris"))


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    ids = [""]
    for _ in range(draw(st.integers(0, 15))):
        parent = draw(st.sampled_from(ids))
        ids.append(child_id(parent, sum(parent_id(i) == parent for i in ids)))
    numbers = st.none() | st.floats(-5, 5)
    nodes = [
        Node(
            id_,
            Turn(draw(st.sampled_from(NAMES)), draw(st.text())),
            stance=draw(st.none() | st.text()),
            sample=draw(st.integers(0, 3)),
            answers=draw(st.dictionaries(st.sampled_from(NAMES), st.none() | st.text())),
            scores=Scores(draw(numbers), draw(numbers), draw(numbers), draw(st.integers(0, 3)), draw(numbers)),
            calls=draw(st.integers(0, 3)),
            stopped=draw(st.none() | st.just("agreed")),
            told=draw(st.none() | st.text()),
            notes=draw(st.dictionaries(st.text(), st.integers())),
        )
        for id_ in ids
    ]
    return Tree.of(draw(st.text()), draw(st.permutations(nodes)), accepted=draw(st.lists(st.text())), agents=NAMES)


@settings(deadline=None)
@given(trees())
def test_plain_json_gives_the_same_tree_back(one: Tree) -> None:
    assert Tree.from_json(json.loads(json.dumps(one.to_json()))) == one


@settings(deadline=None)
@given(trees())
def test_every_path_ends_at_its_node_and_every_node_is_below_the_root(one: Tree) -> None:
    for each in one:
        path = one.path(each.id)
        assert (path[0], path[-1]) == (one.root, each)
        assert len(one.transcript(each.id)) == each.level + 1
        assert all(one.parent(child.id) == each for child in one.children(each.id))
    assert len(one.below("")) == len(one)
    assert sum(len(one.children(each.id)) for each in one) == len(one)
    assert {leaf.id for leaf in one.leaves()} == {each.id for each in one if not one.children(each.id)}


def test_where_nodes_stand() -> None:
    assert [n.id for n in SMALL] == ["", "0", "0.0", "0.1", "0.1.0"]
    assert [n.id for n in SMALL.siblings("0.1")] == ["0.0"]
    assert SMALL.siblings("") == ()
    assert [n.id for n in SMALL.below("0.1")] == ["0.1.0"]
    assert [n.id for n in SMALL.leaves()] == ["0.0", "0.1.0"]
    assert (len(SMALL), SMALL.depth) == (4, 3)
    assert SMALL.before("0.1.0") == SMALL["0"]
    assert SMALL.before("0.1") is None
    assert "0.1" in SMALL
    assert "0.2" not in SMALL


def test_a_common_beginning_is_counted_once_and_without_sharing_once_for_every_dialogue() -> None:
    assert SMALL.calls == 4
    assert SMALL.calls_apart == 2 + 3
    twice = tree(node("0", calls=2), node("0.0"), node("0.1", calls=3))
    assert (twice.calls, twice.calls_apart) == (6, 3 + 5)


def test_a_tenth_child_stands_after_the_second() -> None:
    wide = tree(*(node(str(i)) for i in range(11)))
    assert [n.id for n in wide.children("")] == [str(i) for i in range(11)]


def test_answers_count_by_agent_and_normal_form() -> None:
    assert SMALL.correct("0.1") == {"bo": True}
    assert SMALL.correct("0.0") == {"bo": False}
    assert SMALL.correct("") == {}
    assert not SMALL.right(None)


def test_the_speaker_read_its_view_and_in_the_record_the_neutral_instruction() -> None:
    one = tree(
        Node("0", Turn("ada", "Paris, I think.", round=1, blind_to=frozenset({"bo"}))),
        Node("0.0", Turn("bo", "Rome.", round=1)),
        Node("0.0.0", Turn("ada", "No, Paris.", round=2), told="Resist! Speak.", neutral="Speak."),
    )
    assert [(m.role, m.content) for m in one.read("0.0.0")] == [
        ("system", "You are ada."),
        ("user", "Which city?"),
        ("assistant", "Paris, I think."),
        ("user", "bo: Rome."),
        ("user", "Speak."),
    ]
    assert [m.content for m in one.read("0.0")] == ["Which city?"]
    with pytest.raises(UsageError, match="the root is the question"):
        one.read("")


@pytest.mark.parametrize(
    ("ids", "problem"),
    [
        (["0"], "needs a root"),
        (["", "0.0"], "'0.0' has no parent '0'"),
        (["", "0", "0"], "two nodes have the same id"),
        (["", "00"], "'00' is no node of a tree"),
        (["", "0."], "'0.' is no node of a tree"),
        (["", "²"], "is no node of a tree"),
    ],
)
def test_what_is_no_tree_is_refused(ids: list[str], problem: str) -> None:
    raw = {"question": "", "nodes": [{"id": i, "turn": {"speaker": "ada", "content": ""}} for i in ids]}
    with pytest.raises(UsageError, match=problem):
        Tree.from_json(raw)


def test_json_that_lacks_a_part_is_refused() -> None:
    with pytest.raises(UsageError, match="this is no tree as plain JSON: KeyError: 'turn'"):
        Tree.from_json({"question": "", "nodes": [{"id": ""}]})


def test_a_node_that_is_not_there_is_named_with_those_nearby() -> None:
    with pytest.raises(UsageError, match=r"no node '0\.1\.4'; below 0\.1 it has: 0\.1\.0"):
        SMALL["0.1.4"]
    with pytest.raises(UsageError, match=r"below 0\.0 it has: none"):
        SMALL.path("0.0.1")
