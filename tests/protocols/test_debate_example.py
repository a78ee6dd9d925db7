import os
import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "debate_in_python.py"


def test_the_example_runs_offline_and_reports_everything() -> None:
    keyless = {name: value for name, value in os.environ.items() if not name.endswith("_KEY")}
    done = subprocess.run([sys.executable, str(EXAMPLE)], capture_output=True, text=True, check=True, env=keyless)
    for part in ("Answer: ", "Cy went from no to yes", "Minority: ", "Self-consistency", "Over 6 orders"):
        assert part in done.stdout
