"""Nodes and paths in words."""

from pathlib import Path

import pytest

from maieutic.errors import UsageError
from maieutic.graphs import explain, load_graph, why
from maieutic.testing.plays import play

EXAMPLES = Path(__file__).parents[2] / "examples" / "graphs"
INNER = """
version: 1
name: inner
state: {n: {type: int, input: true}}
graph: {start: a, nodes: {a: {set: {n: n + 1}, routes: [{when: n > 1, to: end}, {else: end}]}}}
"""
OUTER = """
version: 1
name: outer
state: {n: {type: int, default: 1}, every: {type: "list[int]", default: [1, 2]}}
graph:
  start: one
  nodes:
    one: {graph: inner.yaml, in: {n: n}, out: {n: outcome.n}, next: many}
    many: {map: every, as: i, do: {graph: inner.yaml, in: {n: i}}, next: end}
"""


def test_a_node_says_what_it_reads_asks_writes_and_where_it_goes() -> None:
    graph = load_graph(EXAMPLES / "fractions-tutor.yaml")
    line = next(
        i
        for i, text in enumerate((EXAMPLES / "fractions-tutor.yaml").read_text().splitlines(), 1)
        if "    review:" in text
    )
    assert explain(graph, "review").splitlines()[1:] == [
        "who       critic, a critic on sim/critic, does 'review'",
        "reads     question (str)",
        "reads     answer (str)",
        "sees      the dialogue so far",
        "asks      the prompt critic/review (answer, question)",
        "replies   ok, problem",
        "writes    review = reply",
        "heard by  everyone",
        "goes to   end  if review != null and review.ok",
        "goes to   explain  if tries < 3",
        "goes to   settle  otherwise",
        "from      attempt",
    ]
    assert f"fractions-tutor.yaml:{line}:" in explain(graph, "review").splitlines()[0]


@pytest.mark.parametrize(
    ("file", "node", "words"),
    [
        ("fractions-tutor.yaml", "settle", "who       the protocol debate"),
        ("fractions-tutor.yaml", "attempt", "from      the start, explain"),
        ("lesson.yaml", "tutor", "does      for each question in questions, all at once"),
        ("lesson.yaml", "tutor", "with      our lea as its student"),
        ("lesson.yaml", "tutor", "collects  answers = outcome.answer, a list"),
        ("two-critics.yaml", "criticise", "branch    mildly"),
        ("two-critics.yaml", "criticise", "heard by  writer (and mild)"),
        ("person-decides.yaml", "gate", "choices   yes / no"),
        ("person-decides.yaml", "draft", "bound     at most 2 visits, then end"),
    ],
)
def test_every_kind_of_node_can_be_explained(file: str, node: str, words: str) -> None:
    assert words in explain(load_graph(EXAMPLES / file), node)


def test_an_unknown_node_is_guessed() -> None:
    with pytest.raises(UsageError, match=r"fractions-tutor has no node 'reviw'; did you mean 'review'\?"):
        explain(load_graph(EXAMPLES / "fractions-tutor.yaml"), "reviw")


def test_a_file_that_is_only_a_protocol_has_no_nodes() -> None:
    with pytest.raises(UsageError, match="is nothing but the protocol 'debate'"):
        explain(load_graph(EXAMPLES / "should-cities-ban-cars.yaml"), "open")


def test_the_path_of_a_run_is_told_with_nested_graphs_where_they_happened(tmp_path: Path) -> None:
    (tmp_path / "inner.yaml").write_text(INNER)
    (tmp_path / "outer.yaml").write_text(OUTER)
    assert why(play(tmp_path / "outer.yaml").run.edges).splitlines() == [
        "in one#1:",
        "  a → end   n > 1 (n = 2)",
        "one → many  always",
        "in many#1/item0:",
        "  a → end   n > 1 (n = 2)",
        "in many#1/item1:",
        "  a → end   n > 1 (n = 3)",
        "many → end  always",
    ]


def test_a_run_without_edges_has_no_path() -> None:
    assert why([]) == ""
