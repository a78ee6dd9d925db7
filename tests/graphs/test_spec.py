"""The models of a graph file, as Python builds and reads them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from maieutic.graphs.expressions import Expression
from maieutic.graphs.nodes import AgentNode, AgentStep, MapNode, ParallelNode, SetNode, SetStep, WhenRoute
from maieutic.graphs.spec import GraphBody, GraphSpec, Limits, Origin, StateField
from maieutic.graphs.types import Type, UnknownType, accepts, join, output_model, parse_type


def spec(**parts: Any) -> GraphSpec:
    return GraphSpec.model_validate({"version": 1, "name": "s", **parts})


@pytest.mark.parametrize(
    ("written", "tokens"), [(200, 200), ("200k", 200_000), ("1.5M", 1_500_000), ("3 K", 3_000), ("70", 70)]
)
def test_counts_may_be_abbreviated(written: Any, tokens: int) -> None:
    assert Limits(tokens=written).tokens == tokens


@pytest.mark.parametrize("written", ["20q", "-1", 0, -5, 1.5, "k", "0k", True, None])
def test_what_is_no_count_is_refused(written: Any) -> None:
    if written is None:
        assert Limits(tokens=written).tokens is None
        return
    with pytest.raises(ValidationError):
        Limits(tokens=written)


def test_scalars_and_lists_become_expressions() -> None:
    step = SetStep.model_validate({"set": {"a": 1, "b": "x + 1", "c": None, "d": ["1", True]}})
    assert {name: value.text for name, value in step.set.items()} == {
        "a": "1",
        "b": "x + 1",
        "c": "null",
        "d": "[1, true]",
    }


def test_a_node_is_known_by_its_key() -> None:
    body = GraphBody.model_validate(
        {
            "start": "a",
            "nodes": {
                "a": {"agent": "x", "next": "b"},
                "b": {"parallel": {"l": {"set": {"v": 1}}, "r": {"agent": "y"}}, "next": "c"},
                "c": {
                    "map": "items",
                    "as": "item",
                    "do": {"agent": "z"},
                    "routes": [{"when": "true", "to": "a"}, {"else": "end"}],
                },
            },
        }
    )
    kinds = [type(node) for node in body.nodes.values()]
    assert kinds == [AgentNode, ParallelNode, MapNode]
    assert [node.kind for node in body.nodes.values()] == ["agent", "parallel", "map"]
    routes = body.nodes["c"].routes
    assert routes is not None
    assert isinstance(routes[0], WhenRoute)


def test_steps_are_found_inside_parallel_and_map_nodes() -> None:
    nodes: dict[str, Any] = {
        "a": {"parallel": {"l": {"set": {"v": 1}}, "r": {"agent": "y"}}, "next": "c"},
        "c": {"map": "items", "as": "item", "do": {"agent": "z"}, "next": "d"},
        "d": {"set": {"v": 2}, "next": "end"},
    }
    found = list(spec(graph={"start": "a", "nodes": nodes}).steps())
    assert [path[2:] for path, _ in found] == [("a", "parallel", "l"), ("a", "parallel", "r"), ("c", "do"), ("d",)]
    assert isinstance(found[2][1], AgentStep)


def test_specs_are_equal_if_they_say_the_same_wherever_they_were_read() -> None:
    assert spec(seed=1) == spec(seed=1).read_from(Origin(file="elsewhere.yaml"))
    assert spec(seed=1) != spec(seed=2)
    assert spec() != "s"


def test_python_uses_python_names_and_files_their_own() -> None:
    node = MapNode(over=Expression("items"), item="item", do=SetStep(set={"a": Expression("1")}), next="end")
    assert MapNode.model_validate({"map": "items", "as": "item", "do": {"set": {"a": 1}}, "next": "end"}) == node
    assert SetNode(set={"a": Expression("1")}, next="end").kind == "set"


def test_a_default_of_null_makes_a_field_nullable() -> None:
    assert StateField(type="str", default=None).nullable
    assert StateField(type="str?").nullable
    assert StateField(type="any").nullable
    assert not StateField(type="str").nullable
    assert not StateField(type="str").has_default


@pytest.mark.parametrize(
    "text", ["str", "int", "float", "bool", "any", "list[any]", "dict[int]", "list[list[str?]]?", "int?", "dict[any]"]
)
def test_a_type_reads_as_it_is_written(text: str) -> None:
    assert str(parse_type(text)) == text


def test_a_type_that_is_none_names_the_part() -> None:
    for text, part in [("string", "string"), ("list[strng]", "strng"), ("critic.output", "critic.output"), ("", "")]:
        with pytest.raises(UnknownType) as caught:
            parse_type(text)
        assert caught.value.part == part


@pytest.mark.parametrize(
    ("target", "source", "fits"),
    [
        ("float", "int", True),
        ("int", "float", False),
        ("str?", "str", True),
        ("str", "str?", False),
        ("any", "str?", True),
        ("str", "any", True),
        ("list[float]", "list[int]", True),
        ("list[str]", "list[int]", False),
        ("list[any]", "list[int]", True),
        (["a", "b"], ["a"], True),
        (["a"], ["a", "b"], False),
        (["a"], "str", False),
        ("str", ["a"], True),
        ("bool", "int", False),
    ],
)
def test_what_can_stand_for_what(target: Any, source: Any, fits: bool) -> None:
    assert accepts(parse_type(target), parse_type(source)) is fits


def test_records_fit_by_their_fields() -> None:
    small = Type("record", fields=(("a", parse_type("float")),))
    large = Type("record", fields=(("a", parse_type("int")), ("b", parse_type("str"))))
    assert accepts(small, large)
    assert not accepts(large, small)
    assert accepts(parse_type("dict"), large)
    assert not accepts(parse_type("dict[int]"), large)


def test_joining_types_keeps_what_they_share() -> None:
    assert str(join(parse_type("int"), parse_type("float"))) == "float"
    assert str(join(parse_type("str"), Type("null"))) == "str?"
    assert str(join(parse_type(["a"]), parse_type(["b", "a"]))) == "[a, b]"
    assert str(join(parse_type("int"), parse_type("str"))) == "any"
    assert str(join(parse_type("list[int]"), parse_type("list[str]"))) == "list[any]"


def test_an_output_block_becomes_a_strict_model() -> None:
    model = output_model(
        "critic.output", {"ok": "bool", "tone": ["kind", "stern"], "points": "list[int]", "why": "str?"}
    )
    good = {"ok": True, "tone": "kind", "points": [1], "why": None}
    assert model.model_validate(good).model_dump() == good
    for bad in ({**good, "tone": "rude"}, {**good, "more": 1}, {"ok": True}):
        with pytest.raises(ValidationError):
            model.model_validate(bad)
