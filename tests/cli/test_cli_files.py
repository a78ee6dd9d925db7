"""Graph files without running them, and the doctor."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from maieutic.testing import LoopbackServer

Maieutic = Callable[..., Result]


@pytest.mark.parametrize("kind", ["debate", "graph", "lesson"])
def test_a_new_file_is_valid_and_runs(maieutic: Maieutic, kind: str) -> None:
    made = maieutic("new", "mine.yaml", "--kind", kind)
    assert made.exit_code == 0, made.output
    text = Path("mine.yaml").read_text()
    assert "# Run it:" in text
    assert "FILE" not in text
    assert maieutic("validate", "mine.yaml").exit_code == 0
    done = maieutic("run", "mine.yaml", "-i", "question=From what does a star get its energy?")
    assert done.exit_code == 0, done.output


def test_the_new_graph_shows_a_student_who_learns(maieutic: Maieutic) -> None:
    maieutic("new", "mine.yaml", "--kind", "graph")
    done = maieutic("run", "mine.yaml", "-i", "question=From what does a star get its energy?")
    assert "student: Answer: burning coal" in done.stderr
    assert "Answer: nuclear fusion" in done.stdout
    drawn = maieutic("graph", "mine.yaml", "--run", "last", "--format", "svg").stdout
    assert drawn.startswith("<svg")
    assert "explain" in drawn


def test_the_new_lesson_decides_by_its_student_model(maieutic: Maieutic) -> None:
    maieutic("new", "mine.yaml", "--kind", "lesson")
    done = maieutic("run", "mine.yaml", "-i", "question=From what does a star get its energy?")
    assert "Student:\n  mastery: stars 0." in done.stdout
    assert "after 3 observations" in done.stdout
    assert "= true: expected utility 0." in maieutic("runs", "show", "last", "--why").stdout
    told = json.loads(
        maieutic("run", "mine.yaml", "-i", "question=Which planet is the hottest?", "--json").stdout.splitlines()[-1]
    )
    assert set(told["outcome"]["student"]) == {"log", "mastery", "zone"}
    assert set(told["outcome"]["student"]["mastery"]) == {"stars", "planets"}


def test_a_file_that_is_there_is_not_replaced(maieutic: Maieutic) -> None:
    Path("mine.yaml").write_text("precious")
    done = maieutic("new", "mine.yaml")
    assert done.exit_code == 2
    assert "mine.yaml is there already; --force replaces it." in done.stderr
    assert Path("mine.yaml").read_text() == "precious"
    assert maieutic("new", "mine.yaml", "--force").exit_code == 0


def test_validate_tells_every_problem_of_every_file(maieutic: Maieutic) -> None:
    maieutic("new", "good.yaml")
    text = Path("good.yaml").read_text()
    Path("bad.yaml").write_text(text.replace("rounds: 3", "rouns: 3").replace("role: judge,", "role: jugde,"))
    Path("worse.yaml").write_text("version: [1")
    done = maieutic("validate", "good.yaml", "bad.yaml", "worse.yaml")
    assert done.exit_code == 2
    assert "good.yaml: ok (my-debate: debate, 3 agents)" in done.stdout
    assert "did you mean 'rounds'?" in done.stderr
    assert "did you mean 'judge'?" in done.stderr
    assert "worse.yaml:" in done.stderr
    told = json.loads(maieutic("validate", "good.yaml", "bad.yaml", "--json").stdout)
    assert [one["ok"] for one in told] == [True, False]
    assert {problem["file"] for problem in told[1]["problems"]} == {"bad.yaml"}
    assert all(problem["line"] for problem in told[1]["problems"])


def test_a_graph_is_drawn_as_mermaid_or_svg(maieutic: Maieutic) -> None:
    maieutic("new", "mine.yaml", "--kind", "graph")
    assert maieutic("graph", "mine.yaml").stdout.startswith("flowchart TD\n")
    done = maieutic("graph", "mine.yaml", "-o", "mine.svg")
    assert done.stdout == ""
    assert Path("mine.svg").read_text().startswith("<svg")
    assert "cannot be written" in maieutic("graph", "mine.yaml", "-o", "nowhere/mine.svg").stderr
    assert "drawings are made as SVG or Mermaid" in maieutic("graph", "mine.yaml", "-o", "mine.png").stderr


def test_a_node_is_explained(maieutic: Maieutic) -> None:
    maieutic("new", "mine.yaml", "--kind", "graph")
    told = maieutic("explain", "mine.yaml", "review").stdout
    assert "review.ok" in told
    wrong = maieutic("explain", "mine.yaml", "revew")
    assert wrong.exit_code == 2
    assert "did you mean 'review'?" in wrong.stderr


def test_the_schema_is_written_for_editors(maieutic: Maieutic) -> None:
    schema = json.loads(maieutic("schema").stdout)
    assert "properties" in schema or "$ref" in schema
    maieutic("schema", "-o", "maieutic.schema.json")
    assert json.loads(Path("maieutic.schema.json").read_text()) == schema


def test_the_doctor_says_what_is_installed_and_never_a_key(maieutic: Maieutic) -> None:
    done = maieutic("doctor", env={"OPENAI_API_KEY": "very-secret"})
    assert done.exit_code == 0
    assert "OPENAI_API_KEY" in done.stdout
    assert "very-secret" not in done.output


def test_the_doctor_probes_an_endpoint(maieutic: Maieutic) -> None:
    with LoopbackServer(schema="ignore") as server:
        words = ["doctor", "hosted_vllm/any", "--api-base", server.base("openai")]
        done = maieutic(*words)
        told = json.loads(maieutic(*words, "--json").stdout)
    assert done.exit_code == 0, done.output
    assert "ok  reachable" in done.stdout
    assert "no  schema" in done.stdout
    assert "→ set `structured: prompt` for this model" in done.stdout
    assert "→   set        {structured: prompt}" in done.stdout
    assert told[0]["usable"] is True
    assert told[0]["settings"] == {"structured": "prompt"}


def test_the_doctor_exits_with_1_where_nobody_answers(maieutic: Maieutic) -> None:
    done = maieutic("doctor", "hosted_vllm/any", "--api-base", "http://127.0.0.1:9/v1")
    assert done.exit_code == 1
    assert "no  reachable" in done.stdout


def test_the_doctor_probes_the_models_of_a_file(maieutic: Maieutic) -> None:
    maieutic("new", "mine.yaml")
    done = maieutic("doctor", "mine.yaml")
    assert done.exit_code == 0, done.output
    assert "one (sim/debater)" in done.stdout
    assert maieutic("doctor", "nowhere.yaml").exit_code == 2


def test_the_doctor_takes_one_model_of_a_file_and_each_replica_of_it(maieutic: Maieutic) -> None:
    with LoopbackServer() as one, LoopbackServer() as two:
        bases = [one.base("openai"), two.base("openai")]
        Path("mine.yaml").write_text(
            "version: 1\nname: duel\n"
            f"models: {{local: {{model: hosted_vllm/any, replicas: {bases}}}, free: {{model: sim/judge}}}}\n"
            "agents: {ada: {role: debater, model: local}, bo: {role: debater, model: local}, "
            "june: {role: judge, model: free}}\n"
            "use: debate\nwith: {debaters: [ada, bo], judge: june}\n"
        )
        done = maieutic("doctor", "mine.yaml", "--endpoint", "local")
    assert done.exit_code == 0, done.output
    assert [line for line in done.stdout.splitlines() if not line.startswith(" ")] == [
        f"local (hosted_vllm/any) at {base}" for base in bases
    ]
    wrong = maieutic("doctor", "mine.yaml", "--endpoint", "locl")
    assert (wrong.exit_code, "did you mean 'local'?" in wrong.stderr) == (2, True)
    assert "FILE --endpoint NAME" in maieutic("doctor", "sim/debater", "--endpoint", "local").stderr


def test_the_version_is_said(maieutic: Maieutic) -> None:
    assert maieutic("--version").stdout.startswith("maieutic 0.")


CONCEPTS = "version: 1\nname: fractions\nconcepts:\n  division:\n  fractions: {needs: [division]}\n"


def test_a_concept_file_is_recognised_and_checked(maieutic: Maieutic) -> None:
    Path("concepts.yaml").write_text(CONCEPTS)
    done = maieutic("validate", "concepts.yaml")
    assert done.exit_code == 0, done.output
    assert done.stdout == "concepts.yaml: ok (fractions: 2 concepts, 1 edge, 0 items)\n"
    Path("concepts.yaml").write_text(CONCEPTS.replace("[division]", "[divison]"))
    done = maieutic("validate", "concepts.yaml")
    assert done.exit_code == 2
    assert "concepts.yaml:5:23: unknown concept 'divison'; did you mean 'division'?" in done.stderr
    (told,) = json.loads(maieutic("validate", "--json", "concepts.yaml").stdout)
    assert [(problem["line"], problem["column"]) for problem in told["problems"]] == [(5, 23)]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("empty.yaml", "", "empty.yaml: the file is empty; a graph file begins with version: 1 and name: …, a concept"),
        ("list.yaml", "- a\n- b\n", "list.yaml:1:1: the file is a list, and neither a graph file, a concept file nor"),
        ("word.yaml", "hello\n", "word.yaml:1:1: the file is one value, and neither"),
        ("torn.yaml", "version: 1\nconcepts: {a\n", "torn.yaml:2:11: "),
    ],
)
def test_a_file_of_no_kind_is_called_nothing_that_it_is_not(
    maieutic: Maieutic, name: str, text: str, said: str
) -> None:
    Path(name).write_text(text, "utf-8")
    done = maieutic("validate", name)
    assert done.exit_code == 2
    assert done.stderr.startswith(said)


def test_a_file_of_items_is_checked(maieutic: Maieutic) -> None:
    Path("quiz.yaml").write_text("- {id: a, question: a?}\n- {id: b, question: b?}\n", "utf-8")
    Path("quiz.jsonl").write_text('{"id": "a", "question": "a?"}\n', "utf-8")
    assert (
        maieutic("validate", "quiz.yaml", "quiz.jsonl").stdout == "quiz.yaml: ok (2 items)\nquiz.jsonl: ok (1 item)\n"
    )
    Path("quiz.yaml").write_text("- {id: a, answr: a}\n", "utf-8")
    assert "quiz.yaml:1:11: unknown key 'answr'" in maieutic("validate", "quiz.yaml").stderr


def test_a_graph_without_inputs_says_that_it_takes_none(maieutic: Maieutic) -> None:
    graph = str(Path(__file__).parents[2] / "examples/graphs/tutor-when-it-pays.yaml")
    assert "has no such input; it takes none" in maieutic("run", graph, "-i", "question=x").stderr


def test_concepts_written_as_json_are_concepts(maieutic: Maieutic) -> None:
    Path("concepts.json").write_text('{"version": 1, "name": "x", "concepts": {"a": {}}}', "utf-8")
    assert maieutic("validate", "concepts.json").stdout == "concepts.json: ok (x: 1 concept, 0 edges, 0 items)\n"


def test_the_schema_of_concept_files_is_written_on_request(maieutic: Maieutic) -> None:
    schema = json.loads(maieutic("schema", "--concepts").stdout)
    assert schema["title"] == "maieutic concept file"
    assert json.loads(maieutic("schema").stdout)["title"] == "maieutic graph file"


def test_the_concepts_of_a_file_are_drawn_coloured_by_what_a_student_knows(maieutic: Maieutic) -> None:
    sky = str(Path(__file__).parents[2] / "examples/concepts/sky.yaml")
    bare = maieutic("graph", sky)
    assert bare.exit_code == 0, bare.stderr
    assert "Eclipses" in bare.stdout
    maieutic("tutor", sky, "--student", "sim/student", "--turns", "6", "--save", "me.json")
    coloured = maieutic("graph", sky, "--student", "me.json", "-o", "me.svg")
    assert coloured.exit_code == 0, coloured.stderr
    assert Path("me.svg").read_text("utf-8") != bare.stdout
    assert maieutic("graph", sky, "--format", "mermaid").exit_code == 2
