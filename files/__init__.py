"""What is read from disk: YAML whose every value knows its place, the problems of a file, documents as text.

Nothing here knows what a file means.
"""

from maieutic.files.documents import Document, Part, read_document
from maieutic.files.problems import Problem, Trouble, did_you_mean, failure
from maieutic.files.sheet import Sheet, substitute
from maieutic.files.source import Node, Source, Span, parse, read

__all__ = [
    "Document",
    "Node",
    "Part",
    "Problem",
    "Sheet",
    "Source",
    "Span",
    "Trouble",
    "did_you_mean",
    "failure",
    "parse",
    "read",
    "read_document",
    "substitute",
]
