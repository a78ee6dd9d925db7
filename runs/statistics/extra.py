"""Whether scipy and statsmodels are there: they come with the extra `experiments`."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

from maieutic.errors import UsageError

__all__ = ["require"]


@cache
def require() -> None:
    """Say what is missing before anything is computed.

    Raises:
        UsageError: scipy or statsmodels is not installed.
    """
    if missing := [name for name in ("scipy", "statsmodels") if find_spec(name) is None]:
        raise UsageError(
            f"Statistics need {' and '.join(missing)}. Install it with: pip install 'maieutic[experiments]'"
        )
