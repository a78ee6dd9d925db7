"""What tests need, ours and yours: scripted models, a loopback server with faults, conformance suites."""

from typing import TYPE_CHECKING, Any

from maieutic.backends.scripted import Line, ScriptedModel

if TYPE_CHECKING:
    from maieutic.testing import faults
    from maieutic.testing.canned import CannedReply, ParsedRequest
    from maieutic.testing.server import LoopbackServer

__all__ = ["CannedReply", "Line", "LoopbackServer", "ParsedRequest", "ScriptedModel", "faults"]

_LAZY = {"CannedReply": "canned", "LoopbackServer": "server", "ParsedRequest": "canned"}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name == "faults":
        return import_module("maieutic.testing.faults")
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
