"""What is read from disk: YAML whose every value knows its place, the problems of a file, documents as text.

Nothing here knows what a file means.
"""

from maieutic.files.problems import Problem, Trouble, did_you_mean, failure
from maieutic.files.sheet import Sheet, substitute
from maieutic.files.source import Node, Source, Span, parse, read

__all__ = [
    "Node",
    "Problem",
    "Sheet",
    "Source",
    "Span",
    "Trouble",
    "did_you_mean",
    "failure",
    "parse",
    "read",
    "substitute",
]
