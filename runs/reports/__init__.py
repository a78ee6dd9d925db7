"""What an experiment came to, for people: tables, a page with pictures, a page for each dialogue, files for others.

Nothing here computes a figure: they are all in the summary (`maieutic.runs.statistics.summarise`).
"""

from typing import TYPE_CHECKING

from maieutic.lazy import lazily

if TYPE_CHECKING:
    from maieutic.runs.reports.exports import row_of, write_csv, write_parquet
    from maieutic.runs.reports.pages import Columns, index_page
    from maieutic.runs.reports.site import goals_of, write_diff, write_page, write_site

__all__ = [
    "Columns",
    "goals_of",
    "index_page",
    "row_of",
    "write_csv",
    "write_diff",
    "write_page",
    "write_parquet",
    "write_site",
]

__getattr__ = lazily(
    __name__,
    {
        "exports": ("row_of", "write_csv", "write_parquet"),
        "pages": ("Columns", "index_page"),
        "site": ("goals_of", "write_diff", "write_page", "write_site"),
    },
)
