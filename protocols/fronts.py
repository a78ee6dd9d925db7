"""The front of cost and quality: what nothing else beats in both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["on_front"]


def on_front(points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """For each sample, for each point, whether no other is as cheap and as good, and better in one.

    Args:
        points: (samples, points, 2): cost and quality. Differences below 1e-12 do not count.

    Returns:
        (samples, points).

    Example:
        >>> import numpy as np
        >>> on_front(np.array([[[1.0, 0.5], [7.0, 0.8], [7.0, 0.7]]])).tolist()
        [[True, True, False]]
    """
    cost, quality = np.round(points[..., 0], 12), np.round(points[..., 1], 12)
    as_cheap = cost[:, :, None] <= cost[:, None, :]
    as_good = quality[:, :, None] >= quality[:, None, :]
    better = (cost[:, :, None] < cost[:, None, :]) | (quality[:, :, None] > quality[:, None, :])
    beaten: NDArray[np.bool_] = np.any(as_cheap & as_good & better, axis=1)
    return np.logical_not(beaten)
