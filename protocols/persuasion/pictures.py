"""Shares as bars with their intervals."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from maieutic.errors import UsageError
from maieutic.protocols.intervals import wilson

__all__ = ["bars"]


def bars(path: Path | str, counts: Mapping[str, tuple[int, int]], what: str) -> Path:
    """A bar for each share, with Wilson's 95 % interval.

    Args:
        path: An .svg, .png or .pdf file.
        counts: (successes, of how many) by label.
        what: What the shares are of.

    Raises:
        UsageError: There is nothing to draw, matplotlib is missing, or the file cannot be written.
    """
    from maieutic.files.plotting import COLOURS, INK, figure, save

    if not counts:
        raise UsageError("nothing was answered, so there is nothing to draw")
    picture, (panel,) = figure(width=max(4.0, 1.3 * len(counts) + 1.5), height=3.8)
    shares = [n / of for n, of in counts.values()]
    bounds = [wilson(n, of) for n, of in counts.values()]
    reach = [[s - b.low for s, b in zip(shares, bounds, strict=True)]]
    reach.append([b.high - s for s, b in zip(shares, bounds, strict=True)])
    colours = [COLOURS[k % len(COLOURS)] for k in range(len(shares))]
    panel.bar(list(counts), shares, yerr=reach, color=colours, capsize=4, width=0.6, ecolor=INK)
    panel.set_ylim(0, 1.02)
    panel.set_ylabel(what)
    return save(picture, path)
