"""The tap between a client and an engine: nothing is changed but what the tap needs, and nothing gets lost."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import orjson
from aiohttp import web

from maieutic.testing.prefixes import Sent
from maieutic.testing.tap import Tap


async def engine(request: web.BaseRequest) -> web.Response:
    """Answers with the body that it was sent; a token is the place of a letter in the alphabet."""
    if request.method == "GET":
        return web.json_response({"asked": request.path})
    body = orjson.loads(await request.read())
    if body["text"] == "refuse":
        return web.json_response({"error": "no"}, status=400)
    await asyncio.sleep(0.05 if body["text"] == "slow" else 0)
    prompt = [ord(letter) for letter in body["text"]] if body.get("return_token_ids") else None
    choices = [{"token_ids": [n, 7]} for n in range(body.get("n", 1))]
    return web.json_response({"prompt_token_ids": prompt, "choices": choices, "body": body})


async def asked(texts: list[dict[str, Any]]) -> tuple[Tap, list[Any]]:
    """Sends all at once, the first a little earlier; returns the tap and the answers."""
    runner = web.ServerRunner(web.Server(engine))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    async with Tap(f"http://127.0.0.1:{runner.addresses[0][1]}") as tap, aiohttp.ClientSession() as client:

        async def post(n: int, body: dict[str, Any]) -> Any:
            await asyncio.sleep(0.02 * min(n, 1))
            async with client.post(f"{tap.base}/chat/completions", json=body) as answer:
                return answer.status, await answer.json()

        answers: list[Any] = list(await asyncio.gather(*(post(n, body) for n, body in enumerate(texts))))
        async with client.get(f"{tap.base}/models") as answer:
            answers.append(await answer.json())
    await runner.cleanup()
    return tap, answers


def test_calls_are_kept_in_tokens_in_the_order_in_which_they_were_sent() -> None:
    tap, answers = asyncio.run(asked([{"text": "slow"}, {"text": "b", "n": 2}, {"text": "refuse"}]))
    assert tap.sent == [
        Sent(tuple(b"slow"), (0, 7)),
        Sent(tuple(b"b"), (0, 7)),
        Sent(tuple(b"b"), (1, 7)),
    ]
    assert tap.failed == 1
    assert tap.bodies == [{"text": "slow"}, {"text": "b", "n": 2}, {"text": "refuse"}]
    assert answers[2] == (400, {"error": "no"})
    assert answers[-1] == {"asked": "/v1/models"}


def test_a_call_keeps_its_fields_and_every_tap_has_a_salt_of_its_own() -> None:
    bodies = [asyncio.run(asked([{"text": "a", "seed": 3}]))[1][0][1]["body"] for _ in range(2)]
    salts = [body.pop("cache_salt") for body in bodies]
    assert bodies == [{"text": "a", "seed": 3, "return_token_ids": True}] * 2
    assert salts[0] != salts[1]
