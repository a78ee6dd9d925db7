"""The command as a process: what it imports, Ctrl-C, pipes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from maieutic.testing import LoopbackServer

HEAVY = ("litellm", "langgraph", "langchain_core", "networkx", "rich", "aiohttp", "openai")


def environment(**more: str) -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.endswith("_API_KEY")} | more


def imported(words: list[str], folder: Path) -> tuple[int, set[str]]:
    """The exit code of a command, and which heavy packages it imported."""
    program = (
        "import sys\n"
        f"sys.argv = ['maieutic', *{words!r}]\n"
        "from maieutic.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    code = end.code or 0\n"
        f"print(code, *[name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=environment(), capture_output=True, text=True, check=False
    )
    code, *names = done.stderr.splitlines()[-1].split()
    return int(code), set(names)


@pytest.mark.parametrize(
    "words", [["--help"], ["debate", "--help"], ["--version"], ["runs", "--help"], ["new", "a.yaml"]]
)
def test_help_imports_nothing_heavy(tmp_path: Path, words: list[str]) -> None:
    assert imported(words, tmp_path) == (0, set())


def test_validating_imports_nothing_heavy(tmp_path: Path) -> None:
    assert imported(["new", "a.yaml", "--kind", "graph"], tmp_path)[0] == 0
    assert imported(["validate", "a.yaml"], tmp_path) == (0, set())


def test_an_offline_debate_imports_no_litellm_and_no_http_client(tmp_path: Path) -> None:
    code, names = imported(["debate", "Tea or coffee?", "--rounds", "1", "--offline"], tmp_path)
    assert code == 0
    assert not names & {"litellm", "networkx", "aiohttp", "openai"}


def test_help_is_quick(tmp_path: Path) -> None:
    def best(words: list[str]) -> float:
        times = []
        for _ in range(5):
            begun = time.perf_counter()
            subprocess.run(words, cwd=tmp_path, check=True, capture_output=True)
            times.append(time.perf_counter() - begun)
        return min(times)

    bare = best([sys.executable, "-c", "pass"])
    assert best([sys.executable, "-m", "maieutic", "--help"]) - bare < 0.6  # 0.12 s on an idle machine


def test_ctrl_c_cancels_at_once_keeps_what_there_is_and_says_how_to_go_on(tmp_path: Path) -> None:
    def convinced(_: object) -> str:
        return "Yes, for many reasons."

    with LoopbackServer(convinced, latency=0.3) as server:
        words = [
            "debate",
            "Cars?",
            "--options",
            "yes,no",
            "--model",
            "openai/any",
            "--rounds",
            "30",
            "--probes",
            "never",
        ]
        env = environment(OPENAI_API_KEY="k", OPENAI_API_BASE=server.base("openai"))
        running = subprocess.Popen(
            [sys.executable, "-m", "maieutic", *words],
            cwd=tmp_path,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + 60
        while server.received.answered < 3 and time.monotonic() < deadline:
            time.sleep(0.05)
        asked = time.monotonic()
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=30)
        assert time.monotonic() - asked < 5  # in the middle of some thirty calls
        assert running.returncode == 130, err
        assert "Ended: cancelled" in out
        assert "maieutic resume " in err
        assert "Traceback" not in err
        run_id = err.rpartition("maieutic resume ")[2].split()[0]
        record = json.loads(
            subprocess.run(
                [sys.executable, "-m", "maieutic", "runs", "show", run_id, "--json"],
                cwd=tmp_path,
                env=env,
                capture_output=True,
                check=True,
            ).stdout
        )
        assert record["status"] == "cancelled"
        assert record["ledger"]["total"]["calls"] >= 2
        before = server.received.total
        time.sleep(0.6)
        assert server.received.total == before  # nobody goes on spending


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    done = subprocess.run(
        f"{sys.executable} -m maieutic schema | head -1",
        shell=True,
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "{\n"
    assert done.stderr == ""


def test_colours_stay_out_of_pipes(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "maieutic", "debate", "Tea or coffee?", "--rounds", "1"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    assert "\x1b" not in done.stdout + done.stderr


def test_a_reply_in_no_form_is_no_reason_to_resume(tmp_path: Path) -> None:
    with LoopbackServer(lambda _: "I would rather not.") as server:
        env = environment(OPENAI_API_KEY="k", OPENAI_API_BASE=server.base("openai"))
        words = ["debate", "Cars?", "--rounds", "1", "--probes", "never", "-m", "sim/debater", "-m", "judge=openai/any"]
        done = subprocess.run(
            [sys.executable, "-m", "maieutic", *words],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith(
        "A resumed run would read the same reply; go on from a turn N with another model: maieutic f"
    )
