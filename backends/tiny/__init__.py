"""Real language models of 126,272 parameters that run in the process: `tiny/teacher`, `tiny/student`, ….

The task they know (`arithmetic`), how they were trained (`train`), and how they answer (`TinyBackend`). Nothing here is
simulated; docs/tiny-models.md tells what they are good for.
"""

from typing import TYPE_CHECKING

from maieutic.backends.tiny.arithmetic import CONCEPTS, GAP, Operation, Problem, items
from maieutic.lazy import lazily

if TYPE_CHECKING:
    from maieutic.backends.tiny.backend import TinyBackend
    from maieutic.backends.tiny.catalogue import WEIGHTS, names

__all__ = ["CONCEPTS", "GAP", "WEIGHTS", "Operation", "Problem", "TinyBackend", "items", "names"]

__getattr__ = lazily(__name__, {"backend": ("TinyBackend",), "catalogue": ("WEIGHTS", "names")})
