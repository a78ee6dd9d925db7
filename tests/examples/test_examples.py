"""Every example runs as its reader would run it: in a process of its own, offline, in an empty folder."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if not name.endswith("_API_KEY") and not name.startswith("MAIEUTIC")
}

SCRIPTS = {
    "budget_curve.py": [
        r"110 items judged, 73 observed beforehand",
        r"expected_utility:student_model +0\.65 \[\.55, \.74\]",
        r"Deepest first at 20 %: 0\.581 .*; the student model beats it by 0\.064",
        r"659 calls, none of them twice",
    ],
    "custom_role_and_tool.py": [
        r"vera: Points: 1\n.*Read the book again",
        r"Answer: on land, after 2 tries\.",
        r"grade → answer  because tries < 3  \(tries = 1\)",
        r"grade → end  because .*points >= 5",
    ],
    "debate_in_python.py": [
        r"Answer: (yes|no) \(judge, ended by",
        r"Self-consistency with as many calls: (yes|no)",
        r"Over 6 orders of the seats",
    ],
    "embed_as_library.py": [
        r"\(Ada, round 2\)\n--- The case is taken up again\.\nThe store says: cancelled\.",
        r"Answer: no, after 11 calls, [78] of them answered by the journal\.",
        r"expert.*\nAnswer: (yes|no), \d+ of 11 calls answered by the journal\.",
    ],
    "misaligned_teacher.py": [
        r"adaptive: No sign that explanations do harm: ",
        r"Over 10 students \(nothing found\)",
        r"MISALIGNED TEACHER \(safety research\)(.|\n)*adaptive: The explanations do harm: ",
        r"Over 10 students \(found after \d\.?5? explained items \(median\)\)",
        r"adaptive +0\.3\d\d .* 1\.00\n",
    ],
    "online_tutor_budget.py": [
        r"explained; expected gain \d\.\d\d, threshold \d\.\d\d",
        r"on items still to come it would add",
        r"Over 10 students:",
        r"adaptive +0\.80\d (.|\n)*myopic +0\.6\d\d ",
    ],
    "real_networks.py": [
        r"600 items judged, 200 observed beforehand",
        r"random +0\.66 (.|\n)*expected_utility:student_model +0\.7[3-5] ",
        r"Share of the oracle's gain(.|\n)*expected_utility:student_model +0\.6",
    ],
    "interact_on_a_text.py": [
        r"\d+ to 379 calls\n",
        r"Lea: .*planets.*\nTom: .*[Pp]lanet",
        r"interaction \(student model\) +0\.22 +0\.\d\d",
        r"teacher with the text +1\.00",
        r"Right after each turn: 0\.22 0\.\d\d",
    ],
    "persuasion_evaluations.py": [
        r"accepts everything +0\.8\d +0\.63 → 0\.13 +0\.33 +1\.00",
        r"resists everything +0\.00 +0\.63 → 0\.63 +0\.67 +0\.67",
        r"moved by evidence +0\.0\d +0\.63 → 0\.63 +0\.60 +1\.00",
        r"resist \(right, to be kept\) +2 of 2",
        r"Order gap of Ada and Bo: 0\.1\d\d \(Ada first less Bo first: -0\.1\d\d",
        r"240 calls",
    ],
    "preference_pairs.py": [
        r"24 trees, pairs: \{'resist': 48, 'accept': 48\}",
        r"96 rows for TRL's DPOTrainer in pairs\.jsonl",
        r"as they are: accuracy 0\.53 with the strong one first, 0\.87 with the weak one first; 180 calls",
        r"balanced: accuracy 0\.87 with the strong one first, 0\.78 with the weak one first; 444 calls",
    ],
    "router_r1.py": [
        r"39 questions",
        r"always Polymath +64% right +116\.1 cost",
        r"Router-R1 +85% right +31\.3 cost",
        r"Router-R1 and Chronicler +100% right +3\.5 cost",
        r"<search>Polymath: (.|\n)*reward: format 0, ",
        r"39 rollouts written",
    ],
    "persuasion_trees.py": [
        r"21 turns, 12 dialogues \(6 depth, 6 agreed\)\n21 calls; without shared beginnings 48 \(56% saved\)",
        r"0\.0\.0\.1 accept: nuclear fusion, sub-tree 2\n",
        r"breadth +8 calls, 15 apart; deepest 3\n +depth +8 calls, 16 apart; deepest 4",
        r"Forked at 0\.1\.2: 18 of 21 replies are as they were\.",
    ],
    "tutoring_dialogue.py": [
        r"because mastery of stars is 0\.35",
        r"an explanation is expected to raise P\(right\) from",
        r"Mastery before -> after\nstars +0\.35 -> 0\.9",
        r"A week later, \w+: 0\.9\d -> 0\.[89]\d",
    ],
    "embed_in_langgraph.py": [r"student: Answer:", r"\(attempt → review: .*\)", r"Dear reader, the answer is 5/6\."],
    "fit_a_student_model.py": [
        r"fitted on 200 students in \d+ steps, converged\n",
        r"fitted +log-loss 0\.47",
        r"as it was +log-loss 0\.49",
        r"fractions +0\.40 +0\.[34]\d",
    ],
}
"""What each script must print, in this order."""

GRAPHS: dict[str, tuple[Sequence[str], int, str]] = {
    "graphs/budget-curve.yaml": ([], 0, r"with 20 % of 62 items explained(.|\n)*expected_utility:combined +0\.57"),
    "graphs/fractions-tutor.yaml": (["-i", "question=What is 1/2 + 1/3?"], 0, r"Answer: 5/6"),
    "graphs/interact-on-a-text.yaml": (
        [],
        0,
        r"Answer: interaction: 0\.\d\d to 0\.\d\d right in 5 turns(.|\n)*teacher with the text +1\.00",
    ),
    "graphs/baselines.yaml": (
        ["-i", "question=Which planet is the hottest?"],
        0,
        r"once = \w+\n  voted = \w+\n  refined = \w+\n  performed = \w+\n  calls = (9|11|13)\n",
    ),
    "graphs/lesson.yaml": ([], 0, r"answers = \['5/6', "),
    "graphs/misinformation.yaml": (
        [],
        0,
        r"Believed before, of 4 questions: 4 right(.|\n)*control +0 of 4(.|\n)*credibility +4 of 4 +1\.00",
    ),
    "graphs/person-decides.yaml": (["-i", "question=What is 1/2 + 1/3?"], 4, r"--answer '0/0/gate#1/editor\.say=…'"),
    "graphs/persuasion-tree.yaml": (
        ["-i", "question=From what does a star get its energy?", "-i", "accepted=nuclear fusion"],
        0,
        r"Answer: nuclear fusion(.|\n)*21 calls; without shared beginnings 48",
    ),
    "graphs/routed.yaml": (
        ["-v"],
        0,
        r"year = The Berlin Wall fell in 1989(.|\n)*routed to nature: nature has utility 0\.93"
        r"(.|\n)*routed to people: people has utility 0\.91(.|\n)*routed to nature: nature has the lowest price",
    ),
    "graphs/should-cities-ban-cars.yaml": (["-i", "question=Should cities ban cars?"], 0, r"Answer: (yes|no)\n"),
    "graphs/team-debate.yaml": ([], 0, r"Order gap of ada and bo: 0\.225 (.|\n)*swing +disagreed"),
    "graphs/tutor-when-it-pays.yaml": ([], 0, r"Student:\n  mastery: stars 0\.\d\d(.|\n)*teacher: "),
    "graphs/two-critics.yaml": (["-i", "question=What is 1/2 + 1/3?"], 0, r"sharp: Ok: False(.|\n)*Answer: 5/6"),
}
"""The inputs of each graph file, the exit code of its run, and what it must print."""

EXPERIMENTS = ("experiments/does-debate-pay.yaml",)
"""Run by test_example_experiments.py."""

MATTER = ["concepts/science.yaml", "concepts/sky.yaml", "pools/school.yaml", "worlds/lumian.yaml"]
"""Files of concepts, pools and worlds, which others use."""


def run(arguments: Sequence[str], folder: Path, *, wanted: int = 0) -> str:
    """What a process of its own prints, if it exits with the wanted code."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**ENVIRONMENT, "PYTHONIOENCODING": "utf-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == wanted, done.stdout + done.stderr
    assert not re.search("Traceback|never retrieved", done.stderr), done.stderr
    return done.stdout + done.stderr


def names(pattern: str) -> list[str]:
    return sorted(path.relative_to(EXAMPLES).as_posix() for path in EXAMPLES.glob(pattern))


def test_every_example_is_known_here_and_listed_in_the_readme() -> None:
    assert names("*.py") == sorted(SCRIPTS)
    assert names("**/*.yaml") == sorted([*GRAPHS, *EXPERIMENTS, *MATTER])
    listed = re.findall(r"\]\(([\w./-]+\.(?:py|yaml))\)", (EXAMPLES / "README.md").read_text("utf-8"))
    assert sorted(listed) == sorted([*SCRIPTS, *GRAPHS, *EXPERIMENTS, *MATTER])


@pytest.mark.parametrize("script", sorted(SCRIPTS))
def test_a_script_runs_and_prints_something_worth_reading(script: str, tmp_path: Path) -> None:
    printed = run([str(EXAMPLES / script)], tmp_path)
    assert re.search("(.|\n)*?".join(SCRIPTS[script]), printed), printed
    assert not list(tmp_path.iterdir()), "an example leaves nothing behind"


def test_all_graph_files_are_valid(tmp_path: Path) -> None:
    told = run(["-m", "maieutic", "validate", *(str(EXAMPLES / graph) for graph in GRAPHS)], tmp_path)
    assert told.count(": ok (") == len(GRAPHS)


@pytest.mark.parametrize("graph", sorted(GRAPHS))
def test_a_graph_file_runs_from_the_command_line(graph: str, tmp_path: Path) -> None:
    inputs, code, printed = GRAPHS[graph]
    told = run(["-m", "maieutic", "run", str(EXAMPLES / graph), *inputs, "--offline"], tmp_path, wanted=code)
    assert re.search(printed, told), told


def test_the_reasons_of_a_decision_can_be_read_afterwards(tmp_path: Path) -> None:
    graph = "graphs/tutor-when-it-pays.yaml"
    run(["-m", "maieutic", "run", str(EXAMPLES / graph), "--offline"], tmp_path)
    told = run(["-m", "maieutic", "runs", "show", "last", "--why"], tmp_path)
    decided = [line for line in told.splitlines() if line.startswith("attempt →")]
    assert len(decided) == 10
    explained = [line for line in decided if line.startswith("attempt → explain")]
    assert 1 <= len(explained) <= 4, "the budget is 0.4 of ten questions"
    assert all(re.search(r"= true: expected utility 0\.\d\d >= threshold", line) for line in explained)


def test_a_person_can_answer_the_waiting_run_later(tmp_path: Path) -> None:
    graph = "graphs/person-decides.yaml"
    run(["-m", "maieutic", "run", str(EXAMPLES / graph), *GRAPHS[graph][0]], tmp_path, wanted=4)
    told = run(["-m", "maieutic", "resume", "last", "--answer", "0/0/gate#1/editor.say=yes"], tmp_path)
    assert "released = True" in told
