"""What tests need, ours and yours: scripted models, and a loopback server with faults."""

from typing import TYPE_CHECKING

from maieutic.backends.scripted import Line, ScriptedModel
from maieutic.lazy import lazily
from maieutic.testing import faults

if TYPE_CHECKING:
    from maieutic.testing.canned import CannedReply, ParsedRequest
    from maieutic.testing.server import LoopbackServer

__all__ = ["CannedReply", "Line", "LoopbackServer", "ParsedRequest", "ScriptedModel", "faults"]

__getattr__ = lazily(__name__, {"canned": ("CannedReply", "ParsedRequest"), "server": ("LoopbackServer",)})
