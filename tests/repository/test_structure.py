"""The shape of the house: which room may know which, how large a piece may grow, what a wheel holds."""

import ast
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ORDER = ("errors", "files", "memory", "backends", "agents", "protocols", "graphs", "runs", "cli")
"""Lowest first; each may import those before it. `testing` stands beside the runs."""
ROOMS = (*ORDER[1:], "testing")
MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
SOURCES = [*MODULES, *sorted((ROOT / "src/maieutic").glob("*.py"))]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imported_rooms(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        yield from ((node.lineno, name.split(".")[1]) for name in names if name.startswith("maieutic."))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_dependencies_point_one_way(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    level = ORDER.index("runs" if room == "testing" else room)
    for line, other in imported_rooms(path):
        if other in ORDER:
            assert ORDER.index(other) <= level, f"{name_of(path)}:{line}: {room} must not know {other}"
        assert other != "testing" or room == "testing", f"{name_of(path)}:{line}: only tests know testing"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_modules_and_functions_stay_small(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= 400, f"{name_of(path)} has more than 400 lines; find its second subject"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= 50, f"{name_of(path)}:{node.lineno}: {node.name} has {length} lines"


def test_every_folder_is_linked_into_the_package() -> None:
    for room in ROOMS:
        link = ROOT / "src/maieutic" / room
        assert os.readlink(link) == f"../../{room}", f"restore the link with: ln -s ../../{room} {name_of(link)}"


def test_litellm_is_imported_by_one_module_alone() -> None:
    """Only the command line says its name besides, where it tells which version is installed."""
    naming = [name_of(path) for path in MODULES if "cli" not in path.parts and _names(path, "litellm")]
    assert naming == ["backends/library.py"]


def _names(path: Path, package: str) -> bool:
    """Whether a module imports the package, or holds its name to import it later."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and node.value == package:
            return True
        if isinstance(node, ast.Import) and any(alias.name.split(".")[0] == package for alias in node.names):
            return True
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == package:
            return True
    return False


HEAVY = ("litellm", "langgraph", "langchain_core", "networkx", "openai", "aiohttp", "numpy", "matplotlib", "tokenizers")


@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        ("import maieutic", ()),
        ("import maieutic.graphs, maieutic.agents, maieutic.backends, maieutic.memory", ()),
        ("from maieutic.cli.app import app; app(['--help'], standalone_mode=False)", ()),
        (
            "from maieutic.cli.app import app\ntry: app(['debate', '--offline', 'Why?'])\nexcept SystemExit: pass",
            ("langgraph", "langchain_core", "networkx"),
        ),
    ],
    ids=["import", "rooms", "help", "offline debate"],
)
def test_nothing_heavy_is_imported_before_it_is_used(code: str, allowed: tuple[str, ...], tmp_path: Path) -> None:
    heavy = [name for name in HEAVY if name not in allowed]
    check = f"{code}\nimport sys\nsys.exit(' '.join(n for n in {heavy!r} if n in sys.modules) or 0)"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)],
        check=True,
        capture_output=True,
    )
    return out


def test_a_wheel_holds_maieutic_alone_and_all_of_it(distributions: Path) -> None:
    names = zipfile.ZipFile(next(distributions.glob("*.whl"))).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"maieutic"}
    for path in ROOT.joinpath("src/maieutic").glob("*"):
        if path.is_file():
            assert f"maieutic/{path.name}" in names
    for room in ROOMS:
        for path in ROOT.joinpath(room).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert f"maieutic/{path.relative_to(ROOT)}" in names


def test_an_sdist_holds_the_folders_and_the_tests(distributions: Path) -> None:
    with tarfile.open(next(distributions.glob("*.tar.gz"))) as sdist:
        tops = {name.split("/")[1] for name in sdist.getnames() if "/" in name}
    assert {*ROOMS, "src", "tests", "examples", "docs", "README.md", "LICENSE"} <= tops


def test_an_installed_wheel_runs_a_debate(distributions: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(site)]
    subprocess.run([*pip, str(next(distributions.glob("*.whl")))], check=True)
    assert not (site / "agents").exists()
    done = subprocess.run(
        [sys.executable, "-m", "maieutic", "debate", "--offline", "--json", "Should cities ban cars?"],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(site)},
    )
    assert done.returncode == 0, done.stderr
    assert '"simulated": true' in done.stdout
