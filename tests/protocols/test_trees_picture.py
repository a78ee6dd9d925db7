"""A tree as a drawing: nothing overlaps, everything is there, and what is said cannot break out of it."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.errors import UsageError
from maieutic.memory import MODERATOR, Turn
from maieutic.protocols.persuasion.tree import PersuasionTreeOutcome
from maieutic.protocols.trees import Node, Scores, Tree, child_id, parent_id, save_tree, tree_svg
from maieutic.protocols.trees.picture import HEIGHT, WIDTH, placed

SVG = "{http://www.w3.org/2000/svg}"


def tree(ids: list[str], words: str = "Well.") -> Tree:
    nodes = [
        Node(i, Turn("ada" if i else MODERATOR, words), stance=words or None, answers={"ada": words if i else None})
        for i in ids
    ]
    return Tree.of(words, nodes, accepted=["Paris"], agents=["ada", "bo"])


@st.composite
def shapes(draw: st.DrawFn) -> list[str]:
    ids = [""]
    for _ in range(draw(st.integers(0, 12))):
        parent = draw(st.sampled_from(ids))
        ids.append(child_id(parent, sum(parent_id(i) == parent for i in ids)))
    return ids


@settings(deadline=None)
@given(shapes())
def test_no_two_boxes_overlap_and_all_are_inside(ids: list[str]) -> None:
    layout = placed(tree(ids))
    assert set(layout.corners) == set(ids)
    for (left, top), (x, y) in combinations(layout.corners.values(), 2):
        assert abs(left - x) >= WIDTH or abs(top - y) >= HEIGHT
    for left, top in layout.corners.values():
        assert 0 <= left <= layout.size[0] - WIDTH
        assert 0 <= top <= layout.size[1] - HEIGHT


@settings(deadline=None)
@given(st.text(max_size=60))
def test_whatever_is_said_the_drawing_is_a_drawing(words: str) -> None:
    root = ElementTree.fromstring(tree_svg(tree(["", "0", "0.0"], words)))
    assert root.tag == f"{SVG}svg"
    assert len(root.findall(f".//{SVG}g[@class]")) == 3
    assert not root.findall(f".//{SVG}script")


def test_a_box_tells_speaker_stance_answer_scores_and_who_is_right() -> None:
    nodes = [
        Node("", Turn(MODERATOR, "Which city?"), answers={"ada": None, "bo": None}),
        Node(
            "0",
            Turn("ada", "Paris, I say."),
            stance="logical",
            answers={"ada": "Paris", "bo": None},
            scores=Scores(own=1, subtree=3),
        ),
        Node("0.0", Turn("bo", "Rome."), answers={"ada": "Paris", "bo": "Rome"}, stopped="depth"),
    ]
    drawing = tree_svg(Tree.of("Which city?", nodes, accepted=["Paris"], agents=["ada", "bo"]))
    for words in ("ada · logical", "✓ Paris", "✗ Rome", "0 · Σ 3 · own 1", "0.0 · depth", "Which city?"):
        assert f">{words}</text>" in drawing
    assert drawing.count('class="good"') == 2
    assert drawing.count('class="bad"') == 1
    assert drawing.count('class="none"') == 3
    assert "ada holds: Paris" in drawing
    assert drawing.count('class="node wrong"') == 1


def test_it_is_written_in_every_form_and_the_reason_is_told_where_it_cannot_be(tmp_path: Path) -> None:
    small = tree(["", "0", "0.0", "0.1"], "a $ b")
    for name, begins in (("t.svg", b"<svg"), ("in/folder/t.png", b"\x89PNG"), ("t.pdf", b"%PDF")):
        assert save_tree(small, tmp_path / name).read_bytes().startswith(begins)
    with pytest.raises(UsageError, match="not as 'jpg'"):
        save_tree(small, tmp_path / "t.jpg")
    with pytest.raises(UsageError, match="cannot be written"):
        save_tree(small, tmp_path / "t.svg" / "below.svg")


def test_an_outcome_keeps_its_tree_through_json() -> None:
    outcome = PersuasionTreeOutcome(tree=tree(["", "0", "0.0"]), question="Which city?")
    again = PersuasionTreeOutcome.model_validate(outcome.model_dump(mode="json"))
    assert again == outcome
    assert again.tree["0.0"].level == 2
    with pytest.raises(ValueError, match="this is no tree"):
        PersuasionTreeOutcome.model_validate({"tree": {"question": "", "nodes": [{}]}})
    assert PersuasionTreeOutcome.model_json_schema()["properties"]["tree"]["type"] == "object"
