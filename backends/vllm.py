"""What a vLLM server tells of itself, beside the models that it serves."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import aiohttp

__all__ = ["Told", "told_by"]

SECONDS = 5.0
"""Within which the server answers each question, or has no answer."""


@dataclass(frozen=True, slots=True)
class Told:
    """What it said; None where it said nothing.

    Attributes:
        version: Of vLLM.
        contexts: The models that it serves, each with the most tokens of prompt and reply together.
        metrics: Whether it tells its metrics.
        caching: Whether it keeps the prefixes of prompts.
    """

    version: str | None = None
    contexts: Mapping[str, int | None] = field(default_factory=dict)
    metrics: bool = False
    caching: bool | None = None


async def told_by(base: str, key: str | None = None) -> Told:
    """Ask `GET /version`, `/v1/models` and `/metrics`.

    Args:
        base: The address as in `api_base`.
        key: The server's key, if it has one.
    """
    import aiohttp

    root = base.rstrip("/").removesuffix("/v1")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    async with aiohttp.ClientSession(timeout=timeout, trust_env=True, headers=headers) as session:
        version = _parsed(await _text(session, f"{root}/version"))
        models = _parsed(await _text(session, f"{base.rstrip('/')}/models"))
        metrics = await _text(session, f"{root}/metrics") or ""
    told = version.get("version")
    listed = models.get("data")
    return Told(
        version=str(told) if told else None,
        contexts={m["id"]: m.get("max_model_len") for m in listed if isinstance(m, dict) and "id" in m}
        if isinstance(listed, list)
        else {},
        metrics="vllm:" in metrics,
        caching=_caching(metrics),
    )


async def _text(session: aiohttp.ClientSession, url: str) -> str | None:
    import aiohttp

    try:
        async with session.get(url) as response:
            return await response.text() if response.status == 200 else None
    except (aiohttp.ClientError, TimeoutError, OSError, UnicodeDecodeError):
        return None


def _parsed(text: str | None) -> dict[str, object]:
    try:
        found = json.loads(text or "{}")
    except json.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _caching(metrics: str) -> bool | None:
    """As its metric `cache_config_info` has it, whose labels are the settings."""
    found = re.search(r'^vllm:cache_config_info\{.*?enable_prefix_caching="(\w+)"', metrics, re.MULTILINE)
    return found[1] == "True" if found else None
