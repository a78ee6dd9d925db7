"""Concept graphs: built, taken from networkx, checked."""

import random
from typing import Any

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.errors import StudentModelError
from maieutic.memory.student import Concept, ConceptGraph, Item, Misconception
from maieutic.testing.random_lessons import random_graph, random_items


def test_a_concept_has_needs_parameters_and_misconceptions() -> None:
    concepts = ConceptGraph()
    wrong = {"adds": "2/5", "halves": {"share": 0.1}}
    concepts.add("fractions", needs={"division": 0.9}, title="Fractions", misconceptions=wrong)
    concepts.add("division", prior=0.7)
    concepts.check()
    assert concepts.needs("fractions") == {"division": 0.9}
    assert concepts.concept("division") == Concept(prior=0.7)
    assert concepts.concept("fractions").misconceptions["adds"] == Misconception(text="2/5")
    assert concepts.concept("fractions").shares == {"adds": 0.5, "halves": 0.1}
    assert list(concepts.graph.edges(data="weight")) == [("division", "fractions", 0.9)]
    assert concepts.graph.nodes["division"] == {"prior": 0.7}


def test_adding_a_concept_again_replaces_it() -> None:
    concepts = ConceptGraph()
    concepts.add("a")
    concepts.add("b")
    concepts.add("c", needs=["a"], slip=0.3)
    concepts.add("c", needs=["b"])
    assert concepts.needs("c") == {"b": 1.0}
    assert concepts.concept("c").slip == 0.1


def test_a_circle_is_shown() -> None:
    concepts = ConceptGraph()
    for name, needed in (("a", "c"), ("b", "a"), ("c", "b")):
        concepts.add(name, needs=[needed])
    with pytest.raises(StudentModelError, match=r"circle: (a -> b -> c -> a|b -> c -> a -> b|c -> a -> b -> c);"):
        concepts.check()


def test_what_is_needed_must_be_added() -> None:
    concepts = ConceptGraph()
    concepts.add("division")
    concepts.add("fractions", needs=["divsion"])
    with pytest.raises(StudentModelError, match=r"needs 'divsion', which was never added; did you mean 'div"):
        concepts.check()


def test_a_misconception_hangs_on_one_concept() -> None:
    concepts = ConceptGraph()
    concepts.add("a", misconceptions={"wrong": ""})
    concepts.add("b", misconceptions={"wrong": ""})
    with pytest.raises(StudentModelError, match="'wrong' hangs on both 'a' and 'b'"):
        concepts.check()


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"slipp": 0.1}, "the concept 'c' has no parameter 'slipp'; did you mean 'slip'?"),
        ({"slip": 1.5}, "the concept 'c': slip: Input should be less than or equal to 1, not 1.5"),
        ({"needs": {"a": 1.2}}, r"the edge a -> c has the weight 1.2, not one from 0 to 1"),
        ({"needs": {"a": "much"}}, "the edge a -> c has the weight 'much'"),
        ({"needs": ["c"]}, "the concept 'c' needs itself"),
        ({"misconceptions": {"m": {"share": 0.7}, "n": {"share": 0.7}}}, "add up to 1.4, more than 1"),
    ],
)
def test_a_wrong_parameter_is_named(parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(StudentModelError, match=said.replace("?", r"\?")):
        ConceptGraph().add("c", **parameters)


def test_an_unknown_concept_comes_with_a_hint() -> None:
    concepts = ConceptGraph()
    concepts.add("fractions")
    for ask in (concepts.concept, concepts.needs):
        with pytest.raises(StudentModelError, match=r"there is no concept 'fraction'; did you mean 'fractions'\?"):
            ask("fraction")


def test_any_networkx_digraph_will_do() -> None:
    graph: nx.DiGraph[Any] = nx.DiGraph([(1, 2)])
    graph.nodes[2]["slip"] = 0.3
    concepts = ConceptGraph.from_networkx(graph)
    assert concepts.needs("2") == {"1": 1.0}
    assert concepts.concept("2").slip == 0.3
    graph.add_edge(2, 1)
    with pytest.raises(StudentModelError, match="circle"):
        ConceptGraph.from_networkx(graph)
    with pytest.raises(StudentModelError, match="plain directed graph"):
        ConceptGraph.from_networkx(nx.Graph())  # type: ignore[arg-type]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 8))
def test_a_graph_survives_networkx_and_json(seed: int, size: int) -> None:
    rng = random.Random(f"concepts/{seed}")
    concepts = random_graph(rng, size, loops=True)
    for item in random_items(rng, concepts, 2):
        concepts.items[item.id] = item
    assert ConceptGraph.from_json(concepts.to_json()) == concepts
    assert ConceptGraph.from_networkx(concepts.to_networkx(), concepts.items.values()) == concepts


def test_json_of_another_shape_is_refused() -> None:
    with pytest.raises(StudentModelError, match="no concepts as `to_json` writes them"):
        ConceptGraph.from_json({"concept": {}})


def test_the_items_that_stand_with_the_concepts_are_known_to_the_model() -> None:
    from maieutic.memory import StudentModel

    concepts = ConceptGraph([Item(id="q", concepts=("a",))])
    concepts.add("a")
    assert list(StudentModel(concepts).items) == ["q"]
