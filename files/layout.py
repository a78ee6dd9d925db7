"""Where the boxes and arrows of a small directed graph go: in layers from top to bottom, without overlaps.

The method is that of Sugiyama, Tagawa and Toda (1981): break cycles, rank, order each layer by barycentres, then place.
A label is a box of its own in a layer between two ranks, so that nothing can overlap it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

__all__ = ["Layout", "Point", "lay_out"]

Point = tuple[float, float]
Size = tuple[float, float]

GAP = 26.0
"""Between two layers; all curves run there."""
APART = 22.0
"""Between two neighbours of a layer."""
_SWEEPS = 12
_PLACINGS = 120


@dataclass(slots=True)
class _Cell:
    """A box, a label, or a bend of a long arrow, in its layer."""

    rank: int
    width: float
    height: float
    box: bool
    above: list[int] = field(default_factory=list)
    below: list[int] = field(default_factory=list)
    x: float = 0.0


@dataclass(frozen=True, slots=True)
class Layout:
    """The places found.

    Attributes:
        size: Of the whole.
        boxes: Centre of each box, by id.
        paths: For each arrow its points from source to target: straight lines within layers, curves between them, in
            turn.
        labels: For each arrow the centre of its label, or None.
    """

    size: Size
    boxes: Mapping[str, Point]
    paths: Sequence[Sequence[Point]]
    labels: Sequence[Point | None]


def lay_out(boxes: Mapping[str, Size], arrows: Sequence[tuple[str, str, Size | None]]) -> Layout:
    """Place boxes and arrows.

    Args:
        boxes: Width and height by id; the first is the start.
        arrows: Source, target, and the size of the label. None leads from a box to itself.
    """
    backward = _backward(list(boxes), arrows)
    ranks = _ranks(list(boxes), arrows, backward)
    cells = [_Cell(2 * ranks[name], *size, box=True) for name, size in boxes.items()]
    index = {name: i for i, name in enumerate(boxes)}
    chains = [_chain(cells, index, arrow, i in backward) for i, arrow in enumerate(arrows)]
    layers = _ordered(cells)
    _place(cells, layers)
    return _drawn(list(boxes), cells, layers, chains, arrows)


def _backward(names: list[str], arrows: Sequence[tuple[str, str, Size | None]]) -> set[int]:
    """The arrows that close a cycle, found by walking depth first from the start."""
    out: dict[str, list[int]] = {name: [] for name in names}
    for i, (source, _, _) in enumerate(arrows):
        out[source].append(i)
    backward: set[int] = set()
    done: set[str] = set()
    for root in names:
        if root in done:
            continue
        trail = {root}
        stack = [(root, iter(out[root]))]
        while stack:
            name, ways = stack[-1]
            step = next(ways, None)
            if step is None:
                trail.discard(name)
                done.add(name)
                stack.pop()
                continue
            target = arrows[step][1]
            if target in trail:
                backward.add(step)
            elif target not in done:
                trail.add(target)
                stack.append((target, iter(out[target])))
    return backward


def _ranks(names: list[str], arrows: Sequence[tuple[str, str, Size | None]], backward: set[int]) -> dict[str, int]:
    """The longest way from a start to each box, backward arrows turned round."""
    forward = [(t, s) if i in backward else (s, t) for i, (s, t, _) in enumerate(arrows)]
    ranks = dict.fromkeys(names, 0)
    for _ in names:
        for source, target in forward:
            ranks[target] = max(ranks[target], ranks[source] + 1)
    return ranks


def _chain(
    cells: list[_Cell], index: Mapping[str, int], arrow: tuple[str, str, Size | None], backward: bool
) -> tuple[list[int], int | None]:
    """The cells of an arrow from its source to its target, and the one that bears its label."""
    source, target, label = arrow
    upper, lower = (index[target], index[source]) if backward else (index[source], index[target])
    first, last = cells[upper].rank + 1, cells[lower].rank
    chain = [upper]
    for rank in range(first, last):
        cells.append(_Cell(rank, 0.0, 0.0, box=False))
        chain.append(len(cells) - 1)
    chain.append(lower)
    for above, below in pairwise(chain):
        cells[above].below.append(below)
        cells[below].above.append(above)
    if backward:
        chain.reverse()
    if label is not None:
        cells[chain[1]].width, cells[chain[1]].height = label
    return chain, None if label is None else chain[1]


def _ordered(cells: list[_Cell]) -> list[list[int]]:
    """The cells of each layer from left to right, with few crossings."""
    layers: list[list[int]] = [[] for _ in range(max(cell.rank for cell in cells) + 1)]
    for i in _walked(cells):
        layers[cells[i].rank].append(i)
    best, fewest = [list(layer) for layer in layers], _crossings(cells, layers)
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        for layer in layers if down else reversed(layers):
            place = {i: p for row in layers for p, i in enumerate(row)}
            layer.sort(key=lambda i: _middle(place, cells[i].above if down else cells[i].below, place[i]))
        crossings = _crossings(cells, layers)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in layers], crossings
    return best


def _walked(cells: list[_Cell]) -> list[int]:
    """All cells, each after the one that it hangs from."""
    seen: dict[int, None] = {}
    stack = [i for i, cell in reversed(list(enumerate(cells))) if not cell.above]
    while stack:
        i = stack.pop()
        if i not in seen:
            seen[i] = None
            stack += reversed(cells[i].below)
    return list(seen)


def _middle(place: Mapping[int, int], neighbours: list[int], own: int) -> float:
    return sum(place[n] for n in neighbours) / len(neighbours) if neighbours else own


def _crossings(cells: list[_Cell], layers: list[list[int]]) -> int:
    place = {i: p for layer in layers for p, i in enumerate(layer)}
    total = 0
    for layer in layers:
        ends = [place[below] for i in layer for below in sorted(cells[i].below, key=place.__getitem__)]
        total += sum(a > b for j, a in enumerate(ends) for b in ends[j + 1 :])
    return total


def _place(cells: list[_Cell], layers: list[list[int]]) -> None:
    """Give every cell its x: near its neighbours above and below, long arrows straight, nothing overlapping."""
    for layer in layers:
        at = 0.0
        for i in layer:
            cells[i].x = at + cells[i].width / 2
            at += cells[i].width + APART
    for sweep in range(_PLACINGS):
        down = sweep % 2 == 0
        for layer in layers if down else reversed(layers):
            wishes = [_wish(cells, i, both=sweep > _PLACINGS // 2, down=down) for i in layer]
            for i, x in zip(layer, _apart(cells, layer, wishes), strict=True):
                cells[i].x = x


def _wish(cells: list[_Cell], i: int, *, both: bool, down: bool) -> tuple[float, float]:
    """Where a cell would like to be, and how much."""
    cell = cells[i]
    near = cell.above + cell.below if both else cell.above if down else cell.below
    if not near:
        return cell.x, 0.1
    weights = [1.0 if cells[n].box or cell.box else 8.0 for n in near]
    return sum(w * cells[n].x for w, n in zip(weights, near, strict=True)) / sum(weights), sum(weights)


def _apart(cells: list[_Cell], layer: list[int], wishes: list[tuple[float, float]]) -> list[float]:
    """The places nearest to the wishes (least squares) that keep order and distance: isotonic regression by pooling."""
    offsets, at = [], 0.0
    for left, i in zip([None, *layer], layer, strict=False):
        at += 0.0 if left is None else (cells[left].width + cells[i].width) / 2 + APART
        offsets.append(at)
    pools: list[tuple[float, float, int]] = []
    for (wish, weight), offset in zip(wishes, offsets, strict=True):
        mean, total, count = wish - offset, weight, 1
        while pools and pools[-1][0] > mean:
            other, more, others = pools.pop()
            mean, total, count = (mean * total + other * more) / (total + more), total + more, count + others
        pools.append((mean, total, count))
    means = [mean for mean, _, count in pools for _ in range(count)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]


def _drawn(
    names: list[str],
    cells: list[_Cell],
    layers: list[list[int]],
    chains: list[tuple[list[int], int | None]],
    arrows: Sequence[tuple[str, str, Size | None]],
) -> Layout:
    left = min(cell.x - cell.width / 2 for cell in cells)
    for cell in cells:
        cell.x -= left
    bands: list[tuple[float, float]] = []
    at = 0.0
    for layer in layers:
        height = max((cells[i].height for i in layer), default=0.0)
        bands.append((at, at + height))
        at += height + (GAP if height else GAP / 2)
    ports = _ports(cells, chains)
    paths = [_path(cells, bands, chain, ports[i]) for i, (chain, _) in enumerate(chains)]
    labels = [None if bearer is None else (cells[bearer].x, sum(bands[cells[bearer].rank]) / 2) for _, bearer in chains]
    boxes = {name: (cells[i].x, sum(bands[cells[i].rank]) / 2) for i, name in enumerate(names)}
    return Layout((max(c.x + c.width / 2 for c in cells), at - GAP), boxes, paths, labels)


def _ports(cells: list[_Cell], chains: list[tuple[list[int], int | None]]) -> list[tuple[float, float]]:
    """For each arrow the x at which it leaves its source and reaches its target; arrows at one side are spread."""
    sides: dict[tuple[int, bool], list[tuple[float, int, bool]]] = {}
    for i, (chain, _) in enumerate(chains):
        for end, near, leaves in ((chain[0], chain[1], True), (chain[-1], chain[-2], False)):
            bottom = cells[near].rank > cells[end].rank
            sides.setdefault((end, bottom), []).append((cells[near].x, i, leaves))
    found = [[0.0, 0.0] for _ in chains]
    for (end, _), ends in sides.items():
        step = min(26.0, (cells[end].width - 24) / max(len(ends) - 1, 1))
        for place, (_, i, leaves) in enumerate(sorted(ends)):
            x = cells[end].x + max(step, 0.0) * (place - (len(ends) - 1) / 2)
            found[i][0 if leaves else 1] = x
    return [(leaves, reaches) for leaves, reaches in found]


def _path(
    cells: list[_Cell], bands: list[tuple[float, float]], chain: list[int], ports: tuple[float, float]
) -> list[Point]:
    """Two points for every layer that an arrow passes: where it enters and where it leaves."""
    down = cells[chain[-1]].rank > cells[chain[0]].rank
    points: list[Point] = []
    for place, i in enumerate(chain):
        top, bottom = bands[cells[i].rank]
        middle, half = (top + bottom) / 2, cells[i].height / 2
        if place == 0:
            points += [(ports[0], middle + half if down else middle - half), (ports[0], bottom if down else top)]
        elif place == len(chain) - 1:
            points += [(ports[1], top if down else bottom), (ports[1], middle - half if down else middle + half)]
        else:
            points += [(cells[i].x, top if down else bottom), (cells[i].x, bottom if down else top)]
    return points
