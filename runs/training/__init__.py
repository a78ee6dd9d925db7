"""Recorded runs as training data: where the material comes from, what was read and said in it, rows, the data card.

`maieutic.runs.exporting` puts them together.
"""

from typing import TYPE_CHECKING

from maieutic.lazy import lazily

if TYPE_CHECKING:
    from maieutic.runs.training.card import card_of, write_card
    from maieutic.runs.training.replies import Reply, branches_of
    from maieutic.runs.training.sources import Source, of_experiment, of_runs

__all__ = ["Reply", "Source", "branches_of", "card_of", "of_experiment", "of_runs", "write_card"]

__getattr__ = lazily(
    __name__,
    {
        "card": ("card_of", "write_card"),
        "replies": ("Reply", "branches_of"),
        "sources": ("Source", "of_experiment", "of_runs"),
    },
)
