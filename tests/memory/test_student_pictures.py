"""Pictures of the student model: what they show, and that nothing lies on anything else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree

import networkx as nx
import numpy as np
import pytest

from maieutic.backends.sim.curriculum import curriculum
from maieutic.errors import StudentModelError, UsageError
from maieutic.memory.student import ConceptGraph, Item, StudentModel
from maieutic.memory.student.concept_map import concept_map, mastery_colour
from maieutic.memory.student.graphml import to_graphml

SVG = "{http://www.w3.org/2000/svg}"


def student() -> StudentModel:
    concepts = ConceptGraph()
    concepts.add("division", title="Division", prior=0.7)
    concepts.add(
        "fractions", title="Adding <fractions> & more", needs={"division": 0.9}, misconceptions={"adds": "2/5"}
    )
    concepts.add("percent", title="Percentages", needs=["fractions"])
    sums = Item(
        id="sum", answer="5/6", options=("5/6", "2/5", "1/6"), distractors={"2/5": "adds"}, concepts=("fractions",)
    )
    return StudentModel(concepts, items=[sums, Item(id="divide", concepts=("division",))])


def boxes(svg: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The texts and the rectangle of every concept."""
    for node in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        if node.get("class") == "concept":
            rect = node.find(f"{SVG}rect")
            assert rect is not None
            yield " ".join(text.text or "" for text in node.iter(f"{SVG}text")), dict(rect.attrib)


def test_every_concept_is_one_box_with_its_title_and_mastery() -> None:
    model = student()
    model.answered("divide", correct=True)
    shown = [text for text, _ in boxes(concept_map(model))]
    assert [text.split(" 0.")[0] for text in shown] == ["Division", "Adding <fractions> & more", "Percentages"]
    for name, text in zip(model.concepts, shown, strict=True):
        assert f"{model.mastery(name):.2f} · {model.uncertainty(name):.2f} bit" in text


def test_a_likely_misconception_and_overconfidence_are_named() -> None:
    model = student()
    before = concept_map(model)
    for _ in range(3):
        model.answered("sum", choice="2/5", confidence=1.0)
    after = next(text for text, _ in boxes(concept_map(model)) if text.startswith("Adding"))
    assert "✗ adds" not in before
    assert f"✗ adds {model.misconception('fractions')['adds']:.2f}" in after
    assert f"overconfident {model.overconfidence('fractions'):.2f}" in after


def blueness(colour: str) -> int:
    return int(colour[5:7], 16) - int(colour[1:3], 16)


def test_colours_follow_mastery_and_fade_with_uncertainty() -> None:
    for unsure in (0.0, 0.5, 1.0):
        shades = [blueness(mastery_colour(step / 10, unsure)) for step in range(11)]
        assert all(one < other for one, other in pairwise(shades))
    for mastery in (0.0, 0.2, 0.8, 1.0):
        strength = [abs(blueness(mastery_colour(mastery, step / 4)) - blueness("#e3e5e8")) for step in range(5)]
        assert all(one > other for one, other in pairwise(strength))


def test_a_box_has_the_colour_of_its_belief() -> None:
    model = student()
    for _ in range(4):
        model.answered("divide", correct=True)
        model.answered("sum", correct=False)
    fills = [blueness(rect["fill"]) for _, rect in boxes(concept_map(model))]
    assert model.mastery("division") > 0.9
    assert model.mastery("fractions") < 0.1
    assert fills[0] > 60
    assert fills[1] < -40


def test_no_box_lies_on_another_in_a_world_of_sixty_concepts() -> None:
    concepts = curriculum()
    svg = concept_map(StudentModel(concepts))
    found = [rect for _, rect in boxes(svg)]
    assert len(found) == len(concepts) > 50
    places = [tuple(float(rect[key]) for key in ("x", "y", "width", "height")) for rect in found]
    for (x, y, width, height), (left, top, wide, high) in combinations(places, 2):
        assert x + width < left or left + wide < x or y + height < top or top + high < y
    root = ElementTree.fromstring(svg)
    assert all(x >= 0 and x + width <= float(root.attrib["width"]) for x, _, width, _ in places)
    assert float(root.attrib["width"]) < 2600


def test_texts_stay_inside_their_boxes() -> None:
    from maieutic.files.svg import wide

    for node in ElementTree.fromstring(concept_map(StudentModel(curriculum()))).iter(f"{SVG}g"):
        if node.get("class") == "concept":
            rect = node.find(f"{SVG}rect")
            assert rect is not None
            for text in node.iter(f"{SVG}text"):
                assert wide(text.text or "", float(text.attrib["font-size"])) <= float(rect.attrib["width"])
                assert float(rect.attrib["y"]) < float(text.attrib["y"])
                assert float(text.attrib["y"]) < float(rect.attrib["y"]) + float(rect.attrib["height"])


def test_prerequisites_stand_above_what_needs_them() -> None:
    concepts = curriculum()
    below = {
        name: rect for name, (_, rect) in zip(_names(concept_map(concepts)), boxes(concept_map(concepts)), strict=True)
    }
    for need, name in concepts.graph.edges:
        assert float(below[need]["y"]) < float(below[name]["y"])


def _names(svg: str) -> list[str]:
    groups = [node for node in ElementTree.fromstring(svg).iter(f"{SVG}g") if node.get("class") == "concept"]
    return [str(node.findtext(f"{SVG}title")).splitlines()[0] for node in groups]


def test_concepts_alone_are_drawn_without_beliefs(tmp_path: Path) -> None:
    svg = concept_map(student().concepts, tmp_path / "deep" / "map.svg")
    assert (tmp_path / "deep" / "map.svg").read_text("utf-8") == svg
    assert "bit" not in svg
    assert "P(known)" not in svg
    assert svg.count("needs") == 2


def test_the_same_beliefs_give_the_same_picture() -> None:
    assert concept_map(student()) == concept_map(student())


def test_only_svg_is_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"a picture of concepts is an SVG; write to a file that ends in \.svg"):
        concept_map(student(), tmp_path / "map.png")


def test_graphml_is_read_by_networkx_with_the_beliefs(tmp_path: Path) -> None:
    model = student()
    model.answered("sum", choice="2/5")
    to_graphml(model, tmp_path / "student.graphml")
    graph = nx.read_graphml(tmp_path / "student.graphml")
    assert set(graph.edges) == {("division", "fractions"), ("fractions", "percent")}
    assert graph.edges["division", "fractions"]["weight"] == 0.9
    fractions = graph.nodes["fractions"]
    assert fractions["mastery"] == model.mastery("fractions")
    assert fractions["uncertainty"] == model.uncertainty("fractions")
    assert fractions["thinks"] == model.thinks("fractions")
    assert fractions["title"] == "Adding <fractions> & more"
    assert json.loads(fractions["misconceptions"])["adds"]["probability"] == model.misconception("fractions")["adds"]


def test_graphml_of_concepts_alone_has_no_beliefs(tmp_path: Path) -> None:
    to_graphml(student().concepts, tmp_path / "concepts.graphml")
    graph = nx.read_graphml(tmp_path / "concepts.graphml")
    assert graph.nodes["division"]["prior"] == 0.7
    assert "mastery" not in graph.nodes["division"]
    with pytest.raises(UsageError, match="cannot be written"):
        to_graphml(student(), tmp_path / "none" / "x.graphml")


def dialogue() -> StudentModel:
    model = student()
    model.answered("divide", correct=True)
    model.answered("sum", choice="2/5")
    model.asked("sum")
    model.explained("sum")
    model.answered("sum", choice="5/6")
    model.waited(7)
    return model


def test_mastery_curves_show_every_step_of_the_log() -> None:
    pytest.importorskip("matplotlib")
    from maieutic.memory.student.pictures import mastery_curves

    model = dialogue()
    (panel,) = mastery_curves(model).axes
    curves = {str(line.get_label()): np.asarray(line.get_ydata()).tolist() for line in panel.lines}
    assert set(curves) == {"Division", "Adding <fractions> & more", "Percentages"}
    assert all(len(curve) == 1 + len(model.log) for curve in curves.values())
    assert curves["Division"][0] == pytest.approx(0.7)
    assert curves["Adding <fractions> & more"][-1] == pytest.approx(model.mastery("fractions"))
    marks = [text.get_text() for text in panel.texts]
    assert marks == ["✓", "✗", "?", "e", "✓", "z", "✓ right   ✗ wrong   ? asked   e explained   z waited"]


def test_mastery_curves_of_chosen_concepts_only() -> None:
    pytest.importorskip("matplotlib")
    from maieutic.memory.student.pictures import mastery_curves

    (panel,) = mastery_curves(dialogue(), ["percent"]).axes
    assert [line.get_label() for line in panel.lines] == ["Percentages"]
    with pytest.raises(StudentModelError, match="did you mean 'percent'"):
        mastery_curves(dialogue(), ["percnt"])
    forgetful = StudentModel(student().concepts, keep_log=False)
    with pytest.raises(StudentModelError, match="kept no log; build it with keep_log=True"):
        mastery_curves(forgetful)


def test_mastery_curves_show_what_moved_most_of_a_large_world() -> None:
    pytest.importorskip("matplotlib")
    from maieutic.memory.student.pictures import mastery_curves

    model = StudentModel(curriculum())
    model.answered("star-energy", correct=True)
    (panel,) = mastery_curves(model).axes
    assert len(panel.lines) == 8
    assert "stars" in [line.get_label() for line in panel.lines]


def test_a_reliability_plot_shows_shares_and_counts() -> None:
    pytest.importorskip("matplotlib")
    from maieutic.files.plotting import drawn
    from maieutic.memory.student.pictures import reliability_plot

    predicted = [0.15] * 10 + [0.85] * 20
    observed = [True] * 2 + [False] * 8 + [True] * 15 + [False] * 5
    picture = reliability_plot(predicted, observed)
    upper, lower = picture.axes
    (came,) = [line for line in upper.lines if str(line.get_label()).startswith("as it came")]
    assert np.asarray(came.get_xdata()).tolist() == pytest.approx([0.15, 0.85])
    assert np.asarray(came.get_ydata()).tolist() == pytest.approx([0.2, 0.75])
    assert [text.get_text() for text in lower.texts] == ["10", "20"]
    svg = drawn(picture).decode()
    assert "ECE 0.083" in svg
    ElementTree.fromstring(svg)


def test_a_reliability_plot_refuses_what_does_not_fit() -> None:
    pytest.importorskip("matplotlib")
    from maieutic.memory.student.pictures import reliability_plot

    with pytest.raises(UsageError, match=re.compile("1|2|differ|fit")):
        reliability_plot([0.5], [True, False])
