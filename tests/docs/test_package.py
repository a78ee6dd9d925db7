"""The package that docs/extending.md describes, installed: its role, tool, protocol and backend are simply there."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]

GRAPH = """
version: 1
name: exam
models: {s: {model: sim/student, knows: 1.0}, t: sim/teacher, p: {model: parrot/grey, params: {words: 2}}}
agents:
  tom: {role: teacher, model: t}
  lea: {role: student, model: s}
  ann: {role: agent, model: p}
  vera: {role: examiner, model: s}
state:
  question: {type: str, input: true}
  word: {type: str, default: ""}
  echo: {type: str, default: ""}
  answer: {type: str, default: ""}
  points: {type: int, default: -1}
graph:
  start: find
  nodes:
    find: {tool: lookup, with: {word: "'maieutic'"}, writes: {word: result.meaning}, next: say}
    say: {agent: ann, reads: {instruction: word}, writes: {echo: reply.text}, next: talk}
    talk:
      use: socratic
      with: {teacher: tom, student: lea, questions: 1}
      in: {question: question}
      out: {answer: outcome.answer}
      next: grade
    grade: {agent: vera, reads: [question, answer], writes: {points: reply.points}, next: end}
"""


def install(folder: Path) -> None:
    """What pip would leave of the page's package: its modules, and its entry points."""
    page = (ROOT / "docs" / "extending.md").read_text("utf-8")
    for name, text in re.findall(r"^```\w+\n# ([\w.]+)\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        (folder / name).write_text(text, "utf-8")
    project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
    groups = [
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in points.items())
        for group, points in project["entry-points"].items()
    ]
    info = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    (info / "entry_points.txt").write_text("\n".join(groups))


def test_what_an_installed_package_registers_can_be_named_in_graph_files(tmp_path: Path) -> None:
    install(tmp_path)
    (tmp_path / "exam.yaml").write_text(GRAPH, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "maieutic", "run", "exam.yaml", "-i", "question=Where did whales once live?"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "word = like a midwife's work" in done.stdout
    assert "echo = like a\n" in done.stdout
    assert re.search(r"points = \d+\n", done.stdout)
    assert "tom: " in done.stderr + done.stdout
