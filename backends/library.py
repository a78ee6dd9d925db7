"""LiteLLM as a library of providers. The only module that names it, and it is imported at the first real call."""

from __future__ import annotations

import gc
import importlib
import logging
import os
import sys
import threading
from importlib.metadata import version
from typing import Any

__all__ = ["library", "library_version", "loaded", "part"]

_NAME = "litellm"
_STAY_LOCAL = ("LITELLM_LOCAL_MODEL_COST_MAP", "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS")
"""Without these variables LiteLLM fetches its tables from the network, one at import, one in the first call."""

_lock = threading.Lock()
_module: Any = None


def library() -> Any:
    """The litellm module. The first call imports it, which takes seconds; nothing is fetched and nothing printed.

    If the host application imported it before us, its settings are left as they are.
    """
    global _module  # noqa: PLW0603
    with _lock:
        if _module is None:
            fresh = _NAME not in sys.modules
            module = _import_quietly()
            if fresh:
                module.telemetry = False
                module.suppress_debug_info = True
                logging.getLogger("LiteLLM").setLevel(logging.ERROR)
                # LiteLLM leaves some hundred thousand objects that live as long as the process. Each full garbage
                # collection would walk them again: 0.3 s in 700 calls under a profiler.
                gc.freeze()
            _module = module
    return _module


def loaded() -> bool:
    """Whether the import has been paid for."""
    return _module is not None


def part(name: str) -> Any:
    """A module inside LiteLLM, by its name there: ``part("main")``."""
    return importlib.import_module(f"{_NAME}.{name}")


def library_version() -> str:
    """The installed version, without importing anything."""
    return f"{_NAME} {version(_NAME)}"


def _import_quietly() -> Any:
    before = {name: os.environ.get(name) for name in _STAY_LOCAL}
    os.environ.update(dict.fromkeys(_STAY_LOCAL, "True"))
    try:
        module = importlib.import_module(_NAME)
        part("anthropic_beta_headers_manager").get_unsupported_headers("anthropic")  # loads the second table
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    return module
