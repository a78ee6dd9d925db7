"""How long it takes to begin: importing maieutic, its help and an offline debate, beside `import litellm`.

    python benchmarks/startup.py

Each is a process of its own from start to end, the interpreter included; they take turns, and the ratios are of the
medians. One round before the first warms the disk's cache. LiteLLM is told not to fetch its price map.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

DEBATE = ("-m", "maieutic", "debate", "Should cities ban cars?", "--offline", "--json")
PROGRAMS: dict[str, tuple[str, ...]] = {
    "python": ("-c", "pass"),
    "import litellm": ("-c", "import litellm"),
    "import langgraph.graph": ("-c", "import langgraph.graph"),
    "import maieutic": ("-c", "import maieutic"),
    "maieutic --help": ("-m", "maieutic", "--help"),
    "offline debate": DEBATE,
}


def seconds(arguments: tuple[str, ...], home: str) -> float:
    """How long the process runs; what it says is thrown away."""
    environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, *arguments],
        check=True,
        cwd=home,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return time.perf_counter() - began


def main() -> None:
    """Read the arguments and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    measured: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    with tempfile.TemporaryDirectory() as home:
        for turn in range(1 + repeats):
            for name, arguments in PROGRAMS.items():
                took = seconds(arguments, home)
                if turn:
                    measured[name].append(took)
    medians = {name: statistics.median(took) for name, took in measured.items()}
    print(f"{'':26}{'seconds':>10}{'of import litellm':>20}")
    for name, median in medians.items():
        print(f"{name:26}{median:10.2f}{median / medians['import litellm']:20.2f}")


if __name__ == "__main__":
    main()
