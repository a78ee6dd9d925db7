"""A simulated engine: batches, computes prompts, writes replies, and keeps beginnings of prompts in limited room."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from maieutic.backends.types import LLMReply, LLMRequest, TextSink, Usage

__all__ = ["CachedEngine", "Costs"]

CHARACTERS = 4
"""Of a token."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What the engine's work takes.

    Attributes:
        step: Seconds of a step in which one token of every running reply is written.
        token: Seconds for each token, of a prompt or a reply, that a step computes.
        chunk: Most tokens that a step computes.
        block: Tokens of a block.
    """

    step: float = 0.015
    token: float = 0.00005
    chunk: int = 2048
    block: int = 16


@dataclass(slots=True)
class _Call:
    blocks: list[int]
    prompt: int
    reply: int
    done: asyncio.Future[int]
    left: int = 0  # of the prompt, to be computed
    written: int = 0
    cached: int = 0
    named: list[int] = field(default_factory=list)
    unnamed: int = 0


class CachedEngine:
    """A backend that takes as long as an engine with continuous batching and a prefix cache would, in the loop's time.

    Prompts are computed in chunks in the order in which they came, beside the replies that are being written. Blocks of
    prompts are kept, least recently used first out, in the room that running calls leave; a call begins when there is
    room for its whole prompt and reply. That is vLLM's scheduler without preemption.

    Args:
        reply: The text of each reply.
        room: Tokens for which there is room.
        costs: What its work takes.

    Attributes:
        asked, hit: Prompt tokens so far, and those of them that the cache had.
        in_flight: Calls that are here.
        steps: How many steps it made.
    """

    def __init__(self, reply: Callable[[LLMRequest], str], room: int, costs: Costs | None = None) -> None:
        self.costs = costs or Costs()
        self.asked = self.hit = self.in_flight = self.steps = 0
        self._reply = reply
        self._free = room // self.costs.block
        self._kept: OrderedDict[int, None] = OrderedDict()  # blocks that nobody uses, by last use
        self._used: dict[int, int] = {}  # blocks in use, by how many
        self._queue: deque[_Call] = deque()
        self._running: list[_Call] = []
        self._working: asyncio.Task[None] | None = None

    async def complete(self, request: LLMRequest, on_text: TextSink | None = None) -> LLMReply:
        """See Backend."""
        text = "\n".join(f"{message.role}: {message.content}" for message in request.messages)
        answer, size = self._reply(request), self.costs.block * CHARACTERS
        blocks, chain = [], 0
        for start in range(0, len(text) - size, size):
            chain = hash((chain, text[start : start + size]))
            blocks.append(chain)
        prompt, reply = len(text) // CHARACTERS + 1, len(answer) // CHARACTERS + 1
        call = _Call(blocks, prompt, reply, asyncio.get_running_loop().create_future())
        self._queue.append(call)
        self.in_flight += 1
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())
        try:
            cached = await call.done
        finally:
            self.in_flight -= 1
        return LLMReply(answer, request.model.model, usage=Usage(prompt, reply, cached))

    async def aclose(self) -> None:
        """See Backend."""
        if self._working is not None:
            self._working.cancel()

    async def _work(self) -> None:
        while self._queue or self._running:
            self._admit()
            computed = self._step()
            await asyncio.sleep(self.costs.step + computed * self.costs.token)
            for call in [call for call in self._running if call.written >= call.reply]:
                self._running.remove(call)
                self._release(call)
                if not call.done.done():
                    call.done.set_result(call.cached)

    def _step(self) -> int:
        self.steps += 1
        writing = [call for call in self._running if call.left == 0]
        for call in writing:
            call.written += 1
        rest = self.costs.chunk - len(writing)
        for call in self._running:
            part = min(rest, call.left)
            call.left, rest = call.left - part, rest - part
        return self.costs.chunk - rest

    def _admit(self) -> None:
        """Begin waiting calls in their order, as long as there is room."""
        while self._queue:
            call = self._queue[0]
            if call.done.cancelled():
                self._queue.popleft()
                continue
            found = 0
            while found < len(call.blocks) and (call.blocks[found] in self._used or call.blocks[found] in self._kept):
                found += 1
            unused = sum(block in self._kept for block in call.blocks[:found])
            whole = -(-(call.prompt + call.reply) // self.costs.block)
            if self._free + len(self._kept) - unused < whole - found:
                return
            self._queue.popleft()
            self._begin(call, found, whole)

    def _begin(self, call: _Call, found: int, whole: int) -> None:
        for block in call.blocks[:found]:
            self._kept.pop(block, None)
            self._used[block] = self._used.get(block, 0) + 1
        for _ in range(whole - found):
            if self._free:
                self._free -= 1
            else:
                self._kept.popitem(last=False)
        fresh = [block for block in call.blocks[found:] if block not in self._used and block not in self._kept]
        self._used.update(dict.fromkeys(fresh, 1))
        call.named = [*call.blocks[:found], *fresh]
        call.unnamed = whole - len(call.named)
        call.cached = found * self.costs.block
        call.left = call.prompt - call.cached
        self.asked, self.hit = self.asked + call.prompt, self.hit + call.cached
        self._running.append(call)

    def _release(self, call: _Call) -> None:
        """Keep its prompt's blocks, their beginning longest."""
        self._free += call.unnamed
        for block in reversed(call.named):
            self._used[block] -= 1
            if not self._used[block]:
                del self._used[block]
                self._kept[block] = None
