"""Drawings: nothing overlaps, everything is escaped, the path of a run is shown with its reasons."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.files.layout import Layout, lay_out
from maieutic.graphs import load_graph, mermaid, svg
from maieutic.graphs.picture import reason
from maieutic.testing.plays import play

EXAMPLES = Path(__file__).parents[2] / "examples" / "graphs"
LOOP = """
version: 1
name: loop
state:
  n: {type: int, default: 0, merge: add}
  word: {type: str, default: ""}
graph:
  start: count
  nodes:
    count:
      set: {n: 1}
      visits: {max: 2, then: last}
      routes: [{when: "n > 100 or word == '<b>&\\"'", to: end}, {else: count}]
    last: {set: {n: 10}, next: end}
"""


def titles(drawing: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(drawing).iter("{http://www.w3.org/2000/svg}title")]


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_example_can_be_drawn(path: Path) -> None:
    graph = load_graph(path)
    drawing = svg(graph)
    ET.fromstring(drawing)
    text = mermaid(graph)
    assert text.startswith("flowchart TD\n")
    for node in graph.spec.graph.nodes if graph.spec.graph else graph.build().nodes:
        assert f">{node}<" in drawing
        assert f"<b>{node}</b>" in text or not graph.spec.graph


def test_a_drawing_says_who_does_what_and_when() -> None:
    drawing = svg(load_graph(EXAMPLES / "fractions-tutor.yaml"))
    for words in ("student · answer", "critic · review", "debate (student, teacher, critic)", "tries &lt; 3", ">else<"):
        assert words in drawing


def test_a_reason_shows_whatever_a_state_can_hold() -> None:
    edge = {"source": "a", "target": "end", "when": "n > 3", "values": {"n": 10**30, "word": "Zürich"}, "rejected": []}
    assert reason(edge) == f'n > 3 (n = {10**30}, word = "Zürich")'


def test_text_of_the_file_cannot_break_the_drawing() -> None:
    drawing = svg(load_graph(LOOP))
    assert "&lt;b&gt;&amp;" in drawing
    assert any("word == '<b>&\"'" in title for title in titles(drawing))
    assert "#60;b#62;#38;#34;" in mermaid(load_graph(LOOP))


def test_the_path_of_a_run_is_shown_with_counts_and_reasons() -> None:
    run = play(LOOP).run
    graph = load_graph(LOOP)
    drawing = svg(graph, edges=run.edges)
    assert ">×2<" in drawing
    assert ">×1<" in drawing
    told = titles(drawing)
    assert any(
        title.startswith("1. else; not end: n > 100") and "(n = 1, word = " in title and "\n2. else;" in title
        for title in told
    )
    assert "count had all its 2 visits" in told
    assert 'class="way taken"' not in svg(graph)


def test_an_edge_that_was_not_taken_is_not_highlighted() -> None:
    played = play(LOOP)
    drawn = mermaid(load_graph(LOOP), played.run.edges)
    assert "linkStyle 0,2,3,4 stroke-width:4px" in drawn  # all but the first route, to the end
    assert "<b>count</b> ×2" in drawn


def test_a_drawing_can_be_written_to_a_file(tmp_path: Path) -> None:
    text = svg(load_graph(LOOP), tmp_path / "loop.svg")
    assert (tmp_path / "loop.svg").read_text(encoding="utf-8") == text


def test_a_drawing_is_made_for_dark_pages_too() -> None:
    assert "prefers-color-scheme:dark" in svg(load_graph(LOOP))


@st.composite
def drawings(
    draw: st.DrawFn,
) -> tuple[dict[str, tuple[float, float]], list[tuple[str, str, tuple[float, float] | None]]]:
    size = draw(st.integers(2, 30))
    names = [f"n{i}" for i in range(size)]
    boxes = {
        name: (draw(st.sampled_from([18.0, 110.0, 240.0])), draw(st.sampled_from([18.0, 48.0, 90.0]))) for name in names
    }
    arrows: list[tuple[str, str, tuple[float, float] | None]] = []
    for i in range(1, size):  # everything hangs together
        arrows.append((names[draw(st.integers(0, i - 1))], names[i], draw(labels())))
    pairs = st.tuples(st.sampled_from(names), st.sampled_from(names)).filter(lambda pair: pair[0] != pair[1])
    arrows += [(*pair, draw(labels())) for pair in draw(st.lists(pairs, max_size=size))]
    return boxes, arrows


def labels() -> st.SearchStrategy[tuple[float, float] | None]:
    return st.none() | st.just((120.0, 20.0)) | st.just((30.0, 34.0))


def rectangles(
    layout: Layout, boxes: dict[str, tuple[float, float]], arrows: list[tuple[str, str, tuple[float, float] | None]]
) -> list[tuple[float, float, float, float]]:
    placed = [(layout.boxes[name], size) for name, size in boxes.items()]
    placed += [(at, arrow[2]) for at, arrow in zip(layout.labels, arrows, strict=True) if at and arrow[2]]
    return [(x - w / 2, y - h / 2, x + w / 2, y + h / 2) for (x, y), (w, h) in placed]


@settings(max_examples=30, deadline=None)
@given(drawings())
def test_boxes_and_labels_never_overlap_and_stay_inside(
    drawn: tuple[dict[str, tuple[float, float]], list[tuple[str, str, tuple[float, float] | None]]],
) -> None:
    boxes, arrows = drawn
    layout = lay_out(boxes, arrows)
    found = rectangles(layout, boxes, arrows)
    for i, (left, top, right, bottom) in enumerate(found):
        assert left >= -1e-6
        assert top >= -1e-6
        assert right <= layout.size[0] + 1e-6
        assert bottom <= layout.size[1] + 1e-6
        for other in found[i + 1 :]:
            apart = right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top
            assert apart


@settings(max_examples=25, deadline=None)
@given(drawings())
def test_arrows_leave_their_source_and_reach_their_target(
    drawn: tuple[dict[str, tuple[float, float]], list[tuple[str, str, tuple[float, float] | None]]],
) -> None:
    boxes, arrows = drawn
    layout = lay_out(boxes, arrows)
    for (source, target, _), points in zip(arrows, layout.paths, strict=True):
        for name, (x, y) in ((source, points[0]), (target, points[-1])):
            (at_x, at_y), (width, height) = layout.boxes[name], boxes[name]
            assert abs(x - at_x) <= width / 2
            assert abs(abs(y - at_y) - height / 2) < 1e-6


def test_drawing_imports_neither_networkx_nor_litellm() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from maieutic.graphs import load_graph, svg; from pathlib import Path; "
        f"svg(load_graph(Path({str(EXAMPLES / 'fractions-tutor.yaml')!r}))); "
        "print([m for m in ('networkx', 'litellm', 'langgraph') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert re.sub(r"\s", "", done.stdout) == "[]"
