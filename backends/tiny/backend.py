"""Tiny models behind the interface of a backend: `tiny/teacher`, `tiny/student`, …."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from maieutic.backends.tiny.arithmetic import Problem
from maieutic.backends.tiny.batching import Batches
from maieutic.backends.tiny.catalogue import Loaded, folder_of, loaded
from maieutic.backends.tiny.front import Read, put, read
from maieutic.backends.tiny.served import served
from maieutic.backends.types import LLMReply, LLMRequest, TextDelta, TextSink, Usage
from maieutic.errors import ModelError

if TYPE_CHECKING:
    from maieutic.backends.litellm_backend import LiteLLMBackend
    from maieutic.backends.tiny.generate import Prompt, Said

__all__ = ["TinyBackend"]

_MOST = 256
"""The most requests of one batch; a model's `max_concurrency` (32 if left out) is usually the limit before it."""


@dataclass(frozen=True, slots=True)
class _Done:
    """What the network said, the answers its likely replies lead to, and how many tokens it read and wrote."""

    said: Said
    shares: dict[str, float]
    prompt: int
    completion: int


_Job = tuple[LLMRequest, Read]


class TinyBackend:
    """Answers with real language models, in this process and on the CPU. Nothing costs money or needs a network.

    Requests that wait at the same time are answered in one batch, and as if each were alone. The same model, messages,
    form, sample, seed and temperature give the same reply. At temperature 0, or where no temperature is set, the
    likeliest token is taken each time; above, and for samples after the first, tokens are drawn. A typed reply's
    confidence is the geometric mean of the probabilities of the tokens that the network wrote. Where an answer is
    wanted alone or in a form, its log-probabilities are those of the answer whatever the steps before it, summed over
    the likely ways to it. How agents' messages reach the network: see `maieutic.backends.tiny.front`.

    A model with an `api_base` is not answered here but by the endpoint there, such as a vLLM that serves the same
    folder; what it is asked, and what is made of its words, is the same.
    """

    def __init__(self) -> None:
        self._batches: dict[Path, Batches[_Job, _Done | ModelError]] = {}
        self._served: LiteLLMBackend | None = None

    async def complete(self, request: LLMRequest, on_text: TextSink | None = None) -> LLMReply:
        """Answer one request.

        Raises:
            ModelError: There is no such model, an agent's messages hold no question of its task or are too long for
                it, or its endpoint fails.
        """
        wanted = read(request)
        if request.agent and wanted.task == "raw" and not Problem.all_in(request.messages[-1].content):
            raise _beside_its_task(request)
        if request.model.api_base is not None:
            return await served(self._endpoint(), request, wanted, on_text)
        folder = folder_of(request.model)
        if folder not in self._batches:
            self._batches[folder] = Batches(lambda jobs: _answered(folder, jobs), _MOST)
        done = await self._batches[folder].do((request, wanted))
        if isinstance(done, ModelError):
            raise done
        said = done.said
        reply = put(wanted, said.text, said.logprobs, said.confidence, done.shares)
        if on_text is not None:
            for token in reply.logprobs:
                on_text(TextDelta(token.token))
        return LLMReply(
            text=reply.text,
            model=request.model.model,
            usage=Usage(prompt=done.prompt, completion=done.completion),
            usd=0.0,
            finish=said.finish,
            reasoning=reply.thought,
            logprobs=None if request.logprobs is None else reply.logprobs,
            structure=None if wanted.form is None else "native",
        )

    async def ready(self) -> None:
        """Import numpy and the tokenizer, which takes a moment, outside the event loop."""
        await asyncio.to_thread(_imported)

    async def aclose(self) -> None:
        """Close the connections to endpoints that serve tiny models."""
        if self._served is not None:
            await self._served.aclose()

    def _endpoint(self) -> LiteLLMBackend:
        if self._served is None:
            from maieutic.backends.litellm_backend import LiteLLMBackend

            self._served = LiteLLMBackend()
        return self._served


def _beside_its_task(request: LLMRequest) -> ModelError:
    """What an agent is told instead of the noise that a network makes of what it was never trained on."""
    return ModelError(
        f"{request.model.model} knows one task, and {request.agent} was asked nothing of it: no question such as "
        '"Start 2; add 9; times 3." (with its full stop) stands in the messages. Ask such a question, or choose '
        "another model; docs/tiny-models.md tells what the tiny ones can do",
        kind="bad_request",
    )


def _imported() -> None:
    import maieutic.backends.tiny.generate  # noqa: F401


def _answered(folder: Path, jobs: Sequence[_Job]) -> list[_Done | ModelError]:
    """Answer a batch. A prompt that does not fit is refused alone."""
    from maieutic.backends.tiny.generate import answer_shares, generate

    model = loaded(folder)
    prompts = [_prompt(request, wanted, model) for request, wanted in jobs]
    fitting = [prompt for prompt in prompts if not isinstance(prompt, ModelError)]
    said = dict(zip(fitting, generate(model.network, model.tokens, fitting), strict=True)) if fitting else {}
    weighed = list(
        dict.fromkeys(
            prompt.tokens
            for (request, wanted), prompt in zip(jobs, prompts, strict=True)
            if not isinstance(prompt, ModelError) and _weighs(request, wanted)
        )
    )
    shares = dict(zip(weighed, answer_shares(model.network, model.tokens, weighed), strict=True))
    return [
        prompt
        if isinstance(prompt, ModelError)
        else _Done(said[prompt], shares.get(prompt.tokens, {}), len(prompt.tokens), len(said[prompt].logprobs))
        for prompt in prompts
    ]


def _weighs(request: LLMRequest, wanted: Read) -> bool:
    """Whether all answers are to be weighed: where log-probabilities of an answer are asked for."""
    return request.logprobs is not None and (wanted.form is not None or wanted.task == "label")


def _prompt(request: LLMRequest, wanted: Read, model: Loaded) -> Prompt | ModelError:
    from maieutic.backends.tiny.generate import Prompt

    spec = request.model
    tokens = model.tokens.chat(wanted.messages)
    room = model.network.context - len(tokens)
    if room < 1:
        return ModelError(
            f"{spec.model} reads at most {model.network.context} tokens, and the messages have {len(tokens)}; "
            "shorten the dialogue",
            kind="context_window",
        )
    temperature = request.temperature if request.temperature is not None else spec.temperature
    if temperature is None:
        temperature = 1.0 if request.sample else 0.0
    limit = request.max_tokens if request.max_tokens is not None else spec.max_tokens
    return Prompt(
        tokens,
        most=min(room, limit or room),
        stop=tuple(stop for stop in (spec.stop if request.stop is None else request.stop) if stop),
        temperature=temperature,
        top_p=spec.top_p or 1.0,
        seed=f"{spec.seed}/{request.sample}/{tokens}" if temperature else "",
        alternatives=request.logprobs or 0,
    )
