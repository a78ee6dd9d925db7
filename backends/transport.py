"""Pooled HTTP connections, one session per endpoint and event loop, and the reading of event streams."""

from __future__ import annotations

import asyncio
import contextlib
import io
import urllib.request
import warnings
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import aiohttp

__all__ = ["Connections", "events"]


_LARGE = 2**20
"""Bytes from which aiohttp wants a body as a file, so that sending it does not hold up the event loop."""


@dataclass(frozen=True, slots=True)
class _Session:
    client: aiohttp.ClientSession
    proxy: str | None


class Connections:
    """Open connections to endpoints. Limits are the gateway's business; here every call gets one at once."""

    def __init__(self) -> None:
        self._sessions: dict[tuple[asyncio.AbstractEventLoop, str], _Session] = {}

    @asynccontextmanager
    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send `body` and yield the response as soon as its headers are there.

        Leaving the block early, by an error or by cancellation, closes the connection at once, so that the endpoint
        stops generating.

        Raises:
            aiohttp.ClientError: No connection, or it broke.
        """
        session = self._session(url)
        data = body if len(body) < _LARGE else io.BytesIO(body)
        response = await session.client.post(url, headers=headers, data=data, proxy=session.proxy)
        try:
            yield response
        except BaseException:
            response.close()
            raise
        else:
            response.release()

    async def close(self) -> None:
        """Close every connection."""
        sessions, self._sessions = self._sessions, {}
        here = asyncio.get_running_loop()
        for (loop, _), session in sessions.items():
            if loop is here:
                await session.client.close()
            elif loop.is_closed():
                _abandon(session)
            else:
                asyncio.run_coroutine_threadsafe(session.client.close(), loop)

    def _session(self, url: str) -> _Session:
        import aiohttp

        parts = urlsplit(url)
        loop = asyncio.get_running_loop()
        key = (loop, f"{parts.scheme}://{parts.netloc}")
        found = self._sessions.get(key)
        if found is None:
            self._forget_closed_loops()
            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=30, ttl_dns_cache=300)
            client = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
                read_bufsize=2**18,
            )
            found = self._sessions[key] = _Session(client, _proxy(parts.scheme, parts.hostname or ""))
        return found

    def _forget_closed_loops(self) -> None:
        for key in [key for key in self._sessions if key[0].is_closed()]:
            _abandon(self._sessions.pop(key))


def _abandon(session: _Session) -> None:
    """Let go of a session whose loop is gone: nothing can be awaited there any more."""
    connector = session.client.connector
    session.client.detach()
    if connector is not None:
        with contextlib.suppress(RuntimeError), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            connector.close()


def _proxy(scheme: str, host: str) -> str | None:
    """The proxy that the environment names for an address, looked up once per endpoint."""
    if urllib.request.proxy_bypass(host):
        return None
    return urllib.request.getproxies().get(scheme)


async def events(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """The data of each server-sent event, as it comes; ends with the stream or at `[DONE]`."""
    buffer = b""
    async for piece in response.content.iter_any():
        *lines, buffer = (buffer + piece).split(b"\n")
        for line in lines:
            data = _data(line)
            if data == b"[DONE]":
                return
            if data:
                yield data
    last = _data(buffer)
    if last and last != b"[DONE]":
        yield last


def _data(line: bytes) -> bytes:
    return line[5:].strip() if line.startswith(b"data:") else b""
