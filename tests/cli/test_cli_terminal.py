"""The command at a real (pseudo) terminal: drawing, asking, colours."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pty = pytest.importorskip("pty")


class Terminal:
    """One command at a terminal of its own."""

    def __init__(self, words: list[str], folder: Path, **env: str) -> None:
        self._main, side = pty.openpty()
        clean = {k: v for k, v in os.environ.items() if not k.endswith("_API_KEY") and k not in ("NO_COLOR", "CI")}
        size = {"COLUMNS": "90", "LINES": "40", "TERM": "xterm-256color"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "maieutic", *words],
            cwd=folder,
            env=clean | size | env,
            stdin=side,
            stdout=side,
            stderr=side,
            start_new_session=True,
        )
        os.close(side)
        self.screen = ""

    def until(self, words: str, seconds: float = 60) -> str:
        """Everything shown until these words are."""
        end = time.monotonic() + seconds
        while words not in self.screen:
            assert time.monotonic() < end, self.screen
            if not self._read():
                break
        assert words in self.screen, self.screen
        return self.screen

    def type(self, line: str) -> None:
        os.write(self._main, f"{line}\n".encode())

    def finish(self) -> int:
        while self._read():
            pass
        os.close(self._main)
        return self.process.wait(60)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._main], [], [], 0.2)
        try:
            piece = os.read(self._main, 65536) if ready else b""
        except OSError:  # the other side is closed
            return False
        self.screen += piece.decode(errors="replace")
        return bool(piece) or self.process.poll() is None


def bare(screen: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen)


def test_a_debate_is_drawn_and_its_outcome_stands_at_the_end(tmp_path: Path) -> None:
    shown = Terminal(["debate", "Tea or coffee?", "--rounds", "2"], tmp_path)
    assert shown.finish() == 0
    text = bare(shown.screen)
    assert "\x1b[" in shown.screen
    for words in (
        "Tea or coffee?  simulated",
        "round 2 of 2",
        "▌ Ada",
        "▌ Judge",
        "━━━",
        "outcome ──",
        "simulated minds",
    ):
        assert words in text
    assert text.index("outcome ──") > text.rindex("▌ Judge")


def test_where_a_picture_was_drawn_stands_below_the_outcome(tmp_path: Path) -> None:
    lesson = Path(__file__).parents[2] / "examples" / "graphs" / "interact-on-a-text.yaml"
    words = ["run", str(lesson), "--plot", "c.svg", "--set", "with.turns=1", "--set", "with.conditions=[nothing]"]
    shown = Terminal(words, tmp_path)
    assert shown.finish() == 0
    text = bare(shown.screen)
    assert text.index("Drawn in c.svg") > text.index("outcome ──")


def test_no_colour_at_a_terminal_if_the_user_wants_none(tmp_path: Path) -> None:
    shown = Terminal(["debate", "Tea or coffee?", "--rounds", "1"], tmp_path, NO_COLOR="1")
    assert shown.finish() == 0
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", shown.screen)
    wrong = Terminal(["debate", "Tea?", "--options", "yes"], tmp_path, NO_COLOR="1")
    assert wrong.finish() == 2
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", wrong.screen)


def test_a_dumb_terminal_gets_plain_lines(tmp_path: Path) -> None:
    shown = Terminal(["debate", "Tea or coffee?", "--rounds", "1"], tmp_path, TERM="dumb")
    assert shown.finish() == 0
    assert "\x1b[" not in shown.screen
    assert "Round 1 of 1" in shown.screen


def test_a_missing_question_is_asked_for(tmp_path: Path) -> None:
    asked = Terminal(["debate", "--rounds", "1"], tmp_path)
    asked.until("question: ")
    asked.type("Tea or coffee?")
    assert asked.finish() == 0
    assert "outcome ──" in bare(asked.screen)


def test_a_person_debates_at_the_terminal(tmp_path: Path) -> None:
    words = ["debate", "Tea or coffee?", "--rounds", "1", "--probes", "never", "--model", "Bo=person/terminal"]
    asked = Terminal(words, tmp_path)
    asked.until("It is your turn")
    asked.type("Coffee, for the long nights.")
    assert asked.finish() == 0
    text = bare(asked.screen)
    assert "▌ Coffee, for the long nights." in text
    assert text.index("▌ Coffee, for the long nights.") < text.index("▌ Ada")  # the first round is blind


def test_ctrl_c_ends_a_question_to_a_person(tmp_path: Path) -> None:
    words = ["debate", "Tea or coffee?", "--rounds", "1", "--probes", "never", "--model", "Bo=person/terminal"]
    asked = Terminal(words, tmp_path)
    asked.until("It is your turn")
    asked.process.send_signal(signal.SIGINT)
    assert asked.finish() == 130
    assert "maieutic resume " in asked.screen
    assert "Traceback" not in asked.screen
