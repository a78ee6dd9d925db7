"""One process at a time works on a run."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from maieutic.errors import JournalError
from maieutic.memory import Journal, RunRecord

WORKS = """
import sys, time
from maieutic.memory import Journal, RunRecord
journal = Journal.open(sys.argv[1])
journal.begin(RunRecord("case", "case", 0.0, "debate"))
print("working", flush=True)
time.sleep(60)
"""


def test_a_run_that_another_process_works_on_is_refused_until_that_process_is_gone(tmp_path: Path) -> None:
    store = tmp_path / "runs.db"
    other = subprocess.Popen([sys.executable, "-c", WORKS, str(store)], stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    assert other.stdout.readline() == "working\n"
    with Journal.open(store) as journal:
        with pytest.raises(JournalError, match="'case' is being worked on already"):
            journal.reopen("case")
        other.send_signal(signal.SIGKILL)
        other.communicate()
        assert journal.reopen("case").status == "running"


@pytest.mark.parametrize("stored", [True, False])
def test_a_run_is_not_worked_on_twice_at_once_but_again_after_its_end(tmp_path: Path, stored: bool) -> None:
    with Journal.open(tmp_path / "runs.db" if stored else None) as journal:
        journal.begin(RunRecord("case", "case", 0.0, "debate"))
        with pytest.raises(JournalError, match="being worked on already"):
            journal.reopen("case")
        journal.finish("case", status="done")
        journal.reopen("case")
        journal.finish("case", status="done")
        with pytest.raises(JournalError, match="has a run 'case' already"):
            journal.begin(RunRecord("case", "case", 0.0, "debate"))
        journal.reopen("case")
