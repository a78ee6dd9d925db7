"""Between a client and a real vLLM: passes every call on, and keeps in tokens what the engine was sent."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import aiohttp
import orjson
from aiohttp import web

from maieutic.testing.prefixes import Sent

__all__ = ["Tap"]

_CHAT = "/chat/completions"


class Tap:
    """A server on 127.0.0.1 and a free port in front of a vLLM. Use it as ``async with`` in the running loop.

    Of each chat completion it asks the engine for the tokens (`return_token_ids`), so that what it keeps is what the
    engine really read after its chat template, and adds a salt of its own (`cache_salt`), so that the engine's prefix
    cache knows nothing from before it. Whole replies only, no streams.

    Args:
        engine: The engine's address without `/v1`.

    Attributes:
        base: Its own address, as a client's `api_base`.
        bodies: The calls' bodies as the client sent them, in order.
        failed: How many calls the engine refused.
    """

    def __init__(self, engine: str) -> None:
        self._engine = engine.rstrip("/")
        self._salt = uuid4().hex
        self._kept: list[list[Sent]] = []
        self.bodies: list[dict[str, Any]] = []
        self.failed = 0

    @property
    def sent(self) -> list[Sent]:
        """What the engine was sent, in order; a call for several replies stands there once for each."""
        return [one for each in self._kept for one in each]

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=None)
        self._session = aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0))
        self._runner = web.ServerRunner(web.Server(self._pass, handler_cancellation=True), shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.base = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()
        await self._session.close()

    async def _pass(self, request: web.BaseRequest) -> web.Response:
        chat = request.path.endswith(_CHAT)
        body = await request.read()
        kept: list[Sent] = []
        if chat:
            self._kept.append(kept)  # in the order of arrival
            self.bodies.append(orjson.loads(body))
            body = orjson.dumps({**self.bodies[-1], "return_token_ids": True, "cache_salt": self._salt})
        headers = {"Content-Type": "application/json"} if body else {}
        where = f"{self._engine}{request.path}"
        async with self._session.request(request.method, where, data=body or None, headers=headers) as response:
            answer = await response.read()
        if chat and response.status == 200:
            kept += _sent(orjson.loads(answer))
        self.failed += chat and response.status != 200
        return web.Response(body=answer, status=response.status, content_type=response.content_type)


def _sent(answer: dict[str, Any]) -> list[Sent]:
    prompt = tuple(answer["prompt_token_ids"])
    return [Sent(prompt, tuple(choice["token_ids"])) for choice in answer["choices"]]
