"""Pictures: files that are the same for the same figure, texts that stay texts."""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from maieutic.errors import UsageError
from maieutic.files.plotting import drawn, figure, legend, save


def curve() -> bytes:
    picture, (panel,) = figure()
    panel.plot([0, 1], [0.2, 0.8], label="random")
    panel.set_xlabel("budget")
    legend(panel)
    return drawn(picture)


def test_the_same_figure_gives_the_same_svg() -> None:
    assert curve() == curve()
    assert b"<dc:date>" not in curve()


def test_the_texts_of_an_svg_are_texts() -> None:
    words = {node.text for node in ElementTree.fromstring(curve()).iter("{http://www.w3.org/2000/svg}text")}
    assert {"budget", "random"} <= words


def test_the_ending_chooses_the_format(tmp_path: Path) -> None:
    picture, _ = figure(2, 2)
    assert save(picture, tmp_path / "new" / "a.png").read_bytes().startswith(b"\x89PNG")
    assert save(picture, tmp_path / "a.PDF").read_bytes().startswith(b"%PDF")
    with pytest.raises(UsageError, match=r"written as svg, png, pdf, not as 'gif'"):
        save(picture, tmp_path / "a.gif")
    with pytest.raises(UsageError, match="without an ending"):
        save(picture, tmp_path / "a")


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(UsageError, match=r"taken/a\.svg cannot be written"):
        save(figure()[0], tmp_path / "taken" / "a.svg")


def test_a_figure_changes_no_setting_of_the_process() -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    curve()
    assert dict(matplotlib.rcParams) == before


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_pyplot_is_never_imported() -> None:
    done = run(
        "from maieutic.files.plotting import *; drawn(figure()[0])\n"
        "import sys; assert 'matplotlib.pyplot' not in sys.modules"
    )
    assert done.returncode == 0, done.stderr


def test_without_matplotlib_the_extra_is_named() -> None:
    done = run(
        "import sys; sys.modules['matplotlib.figure'] = None; from maieutic.files.plotting import figure; figure()"
    )
    assert "UsageError: Pictures need matplotlib. Install it with: pip install 'maieutic[plots]'" in done.stderr
