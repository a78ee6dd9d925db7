"""The loopback server itself: what it answers, counts, and breaks."""

from __future__ import annotations

import asyncio
import json
import threading
import time
import urllib.error
import urllib.request
from typing import Any

import aiohttp
import pytest

from maieutic.backends import Usage
from maieutic.testing import CannedReply, LoopbackServer, ParsedRequest, faults
from maieutic.testing.fitting import fit, fit_text

CHAT = {"model": "m", "messages": [{"role": "user", "content": "Hi there."}]}


def post(url: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=5) as response:
        return json.load(response)


def chat(server: LoopbackServer, **more: Any) -> Any:
    return post(f"{server.base('openai')}/chat/completions", {**CHAT, **more})


def test_it_runs_in_a_thread_of_its_own_and_leaves_none_behind() -> None:
    before = threading.active_count()
    with LoopbackServer() as server:
        assert chat(server)["choices"][0]["message"]["content"] == "I read 1 messages; the last one ends: Hi there."
    assert threading.active_count() == before


def test_it_runs_in_a_thread_even_inside_a_running_loop() -> None:
    async def scenario() -> Any:
        with LoopbackServer() as server:
            return await asyncio.to_thread(chat, server)

    assert asyncio.run(scenario())["model"] == "m"


def test_equal_requests_get_equal_replies_and_are_counted_as_such() -> None:
    with LoopbackServer() as server:
        first, second = chat(server), chat(server)
        chat(server, temperature=0.5)
        seen = server.received
    assert first["choices"] == second["choices"]
    assert (seen.total, seen.answered, seen.in_flight, seen.cancelled) == (3, 3, 0, 0)
    assert sorted(seen.by_body.values()) == [1, 2]
    assert json.loads(seen.bodies[2])["temperature"] == 0.5


def test_a_benchmark_keeps_nothing() -> None:
    with LoopbackServer(keep=False) as server:
        chat(server)
        assert (server.received.total, server.received.bodies, server.received.requests) == (1, [], [])


def test_the_reply_function_sees_the_parsed_request() -> None:
    def reply(request: ParsedRequest) -> CannedReply:
        return CannedReply(f"{request.model}, {request.stop}, {request.messages[0].role}", usage=Usage(7, 3, 2))

    with LoopbackServer(reply) as server:
        body = chat(server, stop="x", n=2)
    assert [choice["message"]["content"] for choice in body["choices"]] == ["m, ('"] * 2
    assert body["usage"]["prompt_tokens_details"] == {"cached_tokens": 2}


def test_max_tokens_cuts_a_reply_at_a_word() -> None:
    with LoopbackServer(lambda request: "one two three") as server:
        choice = chat(server, max_tokens=2)["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("one two", "length")


def test_models_are_listed_and_unknown_ones_refused() -> None:
    with LoopbackServer(models={"a", "b"}) as server:
        with urllib.request.urlopen(f"{server.base('openai')}/models", timeout=5) as response:
            assert [model["id"] for model in json.load(response)["data"]] == ["a", "b"]
        with pytest.raises(urllib.error.HTTPError, match="404"):
            chat(server)


def test_latency_is_kept_by_requests_side_by_side() -> None:
    async def scenario() -> tuple[float, int]:
        async with LoopbackServer(latency=0.1) as server, aiohttp.ClientSession() as client:
            url = f"{server.base('openai')}/chat/completions"

            async def call() -> None:
                async with client.post(url, json=CHAT) as response:
                    await response.read()

            started = time.monotonic()
            await asyncio.gather(*[call() for _ in range(10)])
            return time.monotonic() - started, server.received.most_in_flight

    seconds, together = asyncio.run(scenario())
    assert 0.1 <= seconds < 0.9
    assert together == 10


def test_faults_come_in_the_order_of_their_plan() -> None:
    with LoopbackServer(faults=[None, faults.status(503)]) as server:
        chat(server)
        with pytest.raises(urllib.error.HTTPError, match="503"):
            chat(server)
        chat(server)
        assert (server.received.total, server.received.answered) == (3, 2)


def test_faults_can_follow_from_the_requests_number() -> None:
    with LoopbackServer(faults=lambda n: faults.status(429, retry_after=3) if n % 2 else None) as server:
        chat(server)
        with pytest.raises(urllib.error.HTTPError) as caught:
            chat(server)
        assert caught.value.headers["Retry-After"] == "3"


def test_a_client_that_goes_away_is_counted() -> None:
    async def scenario() -> tuple[int, int]:
        async with LoopbackServer(latency=30) as server, aiohttp.ClientSession() as client:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await client.post(f"{server.base('openai')}/chat/completions", json=CHAT)
            async with asyncio.timeout(5):
                while server.received.in_flight:  # noqa: ASYNC110 - what we wait for happens on the wire
                    await asyncio.sleep(0.01)
            return server.received.cancelled, server.received.answered

    assert asyncio.run(scenario()) == (1, 0)


SCHEMA = {
    "type": "object",
    "$defs": {"Part": {"type": "object", "properties": {"n": {"type": "integer", "minimum": 2, "maximum": 4}}}},
    "properties": {
        "mood": {"enum": ["glad", "sad"]},
        "name": {"type": "string", "maxLength": 3},
        "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}, "minItems": 1},
        "maybe": {"anyOf": [{"type": "number"}, {"type": "null"}]},
    },
}


def test_what_fits_a_schema_is_left_as_it_is() -> None:
    value = {"mood": "sad", "name": "Ada", "parts": [{"n": 3}, {"n": 4}], "maybe": None}
    assert fit(SCHEMA, value) == value


def test_what_does_not_fit_is_bent_until_it_does() -> None:
    assert fit(SCHEMA, {"mood": "hungry", "parts": [{"n": 9}], "more": 1}, "Hello") == {
        "mood": "glad",
        "name": "Hel",
        "parts": [{"n": 4}],
        "maybe": None,
    }


def test_plain_text_becomes_json_that_fits() -> None:
    assert json.loads(fit_text(SCHEMA, "no JSON at all"))["name"] == "no "


def test_a_recursive_schema_ends() -> None:
    node: dict[str, Any] = {"type": "object", "properties": {"next": {"$ref": "#/$defs/N"}}}
    assert fit({"$ref": "#/$defs/N", "$defs": {"N": node}}, None)["next"]
