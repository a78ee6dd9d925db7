"""`maieutic runs show` walks a tree, and `maieutic fork --node` goes another way from a node on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

import maieutic as mt
from maieutic.testing import ScriptedModel

Maieutic = Callable[..., Result]
EXAMPLE = Path(__file__).parents[2] / "examples" / "graphs" / "persuasion-tree.yaml"


@pytest.fixture
def grown(maieutic: Maieutic) -> Maieutic:
    """A store with one run that grew a tree."""
    question = ("-i", "question=From what does a star get its energy?", "-i", 'accepted=["nuclear fusion"]')
    result = maieutic("run", str(EXAMPLE), *question, "--plot", "tree.svg")
    assert result.exit_code == 0, result.output
    return maieutic


def test_the_whole_tree_is_shown_a_line_a_turn(grown: Maieutic) -> None:
    shown = grown("runs", "show").stdout.splitlines()
    assert shown[1] == "From what does a star get its energy?"
    assert shown[2] == "  0 ada (logical): ✓ nuclear fusion · Σ 27 · own 1"
    assert shown[5] == "        0.0.0.0 bo (resist): ✗ burning coal · Σ 1 · depth"
    assert shown[6] == "        0.0.0.1 bo (accept): ✓ nuclear fusion · Σ 2 · agreed"
    assert sum(line.lstrip().startswith("0") for line in shown) == 21
    assert "  21 calls; without shared beginnings 48 (56% saved)" in shown


def test_a_node_shows_its_dialogue_and_what_stands_beside_it(grown: Maieutic) -> None:
    shown = grown("runs", "show", "last", "--node", "0.1.0.1").stdout
    assert "a dialogue of 4 turns" in shown
    assert "0.1.0 ada (logical):\n     Answer: nuclear fusion" in shown
    assert "held        ada: nuclear fusion, bo: nuclear fusion" in shown
    assert "beside it   0.1.0.0 bo (resist): ✗ burning coal" in shown
    assert "0.0.0" not in shown.replace("0.1.0.0", "")
    told = json.loads(grown("runs", "show", "last", "--node", "0.1", "--json").stdout)
    assert [each["id"] for each in told["path"]] == ["", "0", "0.1"]
    assert told["node"]["stance"] == "accept"
    assert "the question" not in grown("runs", "show", "--node", "root").stdout


def test_a_node_shows_how_sure_it_sounds(maieutic: Maieutic, tmp_path: Path) -> None:
    script = ScriptedModel(lambda request: "yes" if request.agent == "rex" else "Answer: Paris")
    cast = [mt.Debater("ada", "scripted/a"), mt.Debater("bo", "scripted/b")]
    program = mt.PersuasionTree(cast, confidence=mt.Agent("rex", "scripted/r"), turns=1, first="logical")

    async def go() -> None:
        async with mt.Workspace(tmp_path / "sure.db", backends={"scripted": script}) as workspace:
            await workspace.run(program, "What?")

    asyncio.run(go())
    shown = maieutic("runs", "show", "--node", "0", "--store", str(tmp_path / "sure.db")).stdout
    assert "a dialogue of 1 turn\n" in shown
    assert "confidence  1.00\n" in shown


def test_a_node_that_is_not_there_is_told(grown: Maieutic) -> None:
    result = grown("runs", "show", "--node", "0.9")
    assert result.exit_code == 2
    assert "no node '0.9'; below 0 it has: 0.0, 0.1" in result.stderr
    assert "is no node of a tree" not in result.stderr
    assert grown("runs", "show", "--node", "1.x").exit_code == 2


def test_a_run_without_a_tree_says_so(maieutic: Maieutic) -> None:
    maieutic("debate", "Should we?", "--rounds", "1")
    result = maieutic("runs", "show", "--node", "0")
    assert result.exit_code == 2
    assert "kept no tree; name a turn" in result.stderr


def test_the_tree_is_drawn(grown: Maieutic, here: Path) -> None:
    drawing = (here / "tree.svg").read_text()
    assert drawing.count('class="node right"') == 13
    assert drawing.count('class="node wrong"') == 8
    assert drawing.count('class="edge"') == 21
    assert "✗ burning coal" in drawing


def test_a_fork_at_a_node_keeps_the_rest(grown: Maieutic) -> None:
    result = grown("fork", "last", "--node", "0.1.1", "-m", "bo=sim/debater")
    assert result.exit_code == 0
    assert "18 from the journal" in result.stdout
    assert "at 0/0/0.1.1/ada.turn" in grown("runs", "show").stdout
    assert grown("fork", "last").exit_code == 2
    assert "Give --turn or --node" in grown("fork", "last", "--turn", "1", "--node", "0").stderr


GRAPH = """
version: 1
name: graphed
models: {{m: {{model: sim/debater, seed: 1, knows: 0.9}}, n: {{model: sim/debater, seed: 4, knows: 0}}}}
agents: {{ada: {{role: debater, model: m}}, bo: {{role: debater, model: n}}}}
state:
  question: {{type: str, default: "From what does a star get its energy?"}}
{fields}
graph:
  start: {start}
  nodes:
{nodes}
"""
GROW = """
    {name}:
      use: persuasion_tree
      with: {{debaters: [ada, bo], first: logical, turns: 2}}
      in: {{question: question}}
      out: {{{field}: outcome.tree}}
      next: {next}
"""


def graphed(here: Path, *fields: str) -> str:
    """A file whose nodes grow a tree each; a field is where a node keeps it."""
    names = [f"grow{n}" for n in range(len(fields))]
    nodes = zip(names, fields, [*names[1:], "end"], strict=True)
    text = GRAPH.format(
        start=names[0],
        fields="\n".join(f"  {field}: {{type: dict, default: {{}}}}" for field in fields),
        nodes="".join(GROW.format(name=name, field=field, next=after) for name, field, after in nodes),
    )
    (here / "graph.yaml").write_text(text, encoding="utf-8")
    return "graph.yaml"


def test_a_tree_that_grew_in_a_node_of_a_graph_is_walked_and_forked_too(maieutic: Maieutic, here: Path) -> None:
    assert maieutic("run", graphed(here, "tree")).exit_code == 0
    shown = maieutic("runs", "show").stdout
    assert "Tree state.tree:\nFrom what does a star get its energy?\n  0 ada (logical)" in shown
    assert "  2  bo [0.0]: Answer: burning coal" in shown
    node = maieutic("runs", "show", "--node", "0.1").stdout
    assert "beside it   0.0 bo (resist)" in node
    assert node == maieutic("runs", "show", "--node", "state.tree:0.1").stdout
    assert (
        "kept no tree 'state.other'; it has: state.tree" in maieutic("runs", "show", "--node", "state.other:0").stderr
    )
    forked = maieutic("fork", "last", "--node", "0.1")
    assert "2 from the journal" in forked.stdout


def test_a_graph_that_did_not_keep_its_tree_tells_the_node_of_every_turn(maieutic: Maieutic, here: Path) -> None:
    assert maieutic("run", graphed(here, "kept")).exit_code == 0
    shown = maieutic("runs", "show").stdout
    assert "bo [0.1]: Answer: burning coal" in shown
    assert (
        "a graph keeps a node's tree where the node writes outcome.tree"
        in maieutic("fork", "last", "--node", "0").stderr
    )
