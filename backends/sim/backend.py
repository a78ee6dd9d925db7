"""Simulated minds behind the interface of a backend: `sim/debater`, `sim/judge`, `sim/student`, …."""

from __future__ import annotations

import math
import re
from dataclasses import replace

from maieutic.backends.sim.forms import Form, form_of
from maieutic.backends.sim.knowledge import Mind
from maieutic.backends.sim.minds import think
from maieutic.backends.sim.params import params_of
from maieutic.backends.sim.reading import Reading
from maieutic.backends.sim.tasks import task_of
from maieutic.backends.sim.thought import Thought
from maieutic.backends.sim.world import load_world
from maieutic.backends.types import LLMReply, LLMRequest, TextDelta, TextSink, TokenLogprob, Usage
from maieutic.errors import ModelError, UsageError

__all__ = ["SimBackend"]

_PIECE = re.compile(r"\s*\S+|\s+\Z")
_TOKENS_PER_WORD = 4 / 3
_LEAST = -100.0
"""Log-probability of what is impossible."""
_LABEL_ONLY = re.compile(
    r"\b(?:only|just|nothing but|single|one|exactly)\b[^.\n]{0,25}\b(?:labels?|letters?|words?|options?|answers?)\b"
    r"|\b(?:label|letter|word|option|answer)\b,? (?:only|alone|and nothing else)\b",
    re.IGNORECASE,
)
_LETTER = re.compile(r"^\s*\(?([A-Z])[).:]\s+(\S.*)$", re.MULTILINE)
_STUDENTS = frozenset({"student", "expert"})


class SimBackend:
    """Answers as a small cognitive model would that reads the request's messages and nothing else of it.

    The same parameters, seed, messages, reply form, sample and temperature give the same reply in every process. No
    time passes and nothing costs money. Token counts are estimates (four for three words). At temperature 0, or where
    no temperature is set, a mind gives its likeliest answer; above, and for samples after the first, it draws from its
    belief. Students and experts draw always (once and for all for each question), unless the temperature is 0.
    """

    async def complete(self, request: LLMRequest, on_text: TextSink | None = None) -> LLMReply:
        """Answer one request.

        Raises:
            ModelError: The model names no mind, a parameter is unknown or the world file is not sound.
        """
        mind, reading, form = _understood(request)
        task = task_of(mind.kind, reading, form)
        thought = think(task, mind, reading, _temperature(mind, request), request.sample)
        if form is None and not (task == "argue" and thought.text.startswith("Answer: ")):  # a turn with a line for it
            thought = _worded(thought, reading)
        text = thought.text if form is None else form.fill(thought)
        text, finish = _ended(text, request)
        if on_text is not None:
            for piece in _PIECE.findall(text):
                on_text(TextDelta(piece))
        return LLMReply(
            text=text,
            model=request.model.model,
            usage=Usage(prompt=_tokens(*(m.content for m in request.messages)), completion=_tokens(text)),
            usd=0.0,
            finish=finish,
            logprobs=None if request.logprobs is None else _logprobs(text, thought, request.logprobs, form),
            simulated=True,
            structure=None if form is None else "native",
        )

    async def aclose(self) -> None:
        """Nothing to release."""


def _understood(request: LLMRequest) -> tuple[Mind, Reading, Form | None]:
    kind, params = params_of(request.model)
    try:
        world = load_world(params.world)
    except UsageError as error:
        raise ModelError(str(error), kind="bad_request") from error
    form = None if request.output is None else form_of(request.output)
    reading = Reading(request.messages, world, form.options if form else ())
    who = f"seed {params.seed}" if params.seed is not None else f"name {reading.name}"
    return Mind(kind, params, world, who), reading, form


def _temperature(mind: Mind, request: LLMRequest) -> float:
    given = request.temperature if request.temperature is not None else request.model.temperature
    if given is not None:
        return given
    return 1.0 if request.sample or mind.kind in _STUDENTS else 0.0


def _worded(thought: Thought, reading: Reading) -> Thought:
    """The answer alone where only a label is wanted, and its letter where that is."""
    wanted = _LABEL_ONLY.search(reading.asked)
    if not thought.answer or wanted is None:
        return thought
    letters = {text.strip(): letter for letter, text in _LETTER.findall(reading.asked)}
    if "letter" in wanted[0].lower() and thought.answer in letters:
        shares = {letters.get(answer, answer): share for answer, share in thought.shares.items()}
        thought = replace(thought, answer=letters[thought.answer], shares=shares)
    return replace(thought, text=thought.answer)


def _ended(text: str, request: LLMRequest) -> tuple[str, str]:
    """The text up to a stop string or the token limit, and why it ends there."""
    stops = request.stop if request.stop is not None else request.model.stop
    cuts = [at for stop in stops if stop and (at := text.find(stop)) >= 0]
    if cuts:
        text = text[: min(cuts)]
    limit = request.max_tokens if request.max_tokens is not None else request.model.max_tokens
    if limit is not None and _tokens(text) > limit:
        pieces = _PIECE.findall(text)[: max(1, math.floor(limit / _TOKENS_PER_WORD))]
        return "".join(pieces), "length"
    return text, "stop"


def _tokens(*texts: str) -> int:
    """An estimate: four tokens for three words."""
    return math.ceil(sum(len(text.split()) for text in texts) * _TOKENS_PER_WORD)


def _logprobs(text: str, thought: Thought, wanted: int, form: Form | None) -> tuple[TokenLogprob, ...]:
    """The text in tokens that give it back when joined. A whole answer is one token, with its share of the belief.

    The other words follow from the belief without chance, and so have probability 1.
    """
    at = _answer_at(text, thought, form)
    if at is None:
        return tuple(TokenLogprob(p, 0.0, {p: 0.0} if wanted else {}) for p in _PIECE.findall(text))
    start, end = at
    said = text[start:end]
    logs = {answer: _log(share) for answer, share in thought.shares.items()}
    top = dict(sorted(logs.items(), key=lambda item: (-item[1], item[0]))[:wanted])
    around = [_PIECE.findall(text[:start]), _PIECE.findall(text[end:])]
    before, after = ([TokenLogprob(p, 0.0, {p: 0.0} if wanted else {}) for p in pieces] for pieces in around)
    return (*before, TokenLogprob(said, logs.get(said, _LEAST), top), *after)


def _answer_at(text: str, thought: Thought, form: Form | None) -> tuple[int, int] | None:
    """Where the answer stands first: the whole text, the JSON field's value, or a word of the text."""
    if not thought.shares or thought.answer not in thought.shares:
        return None
    answer = re.escape(thought.answer)
    match = re.search(rf'(?<="){answer}(?=")' if form is not None else rf"(?<!\w){answer}(?!\w)", text)
    return match.span() if match else None


def _log(share: float) -> float:
    return max(_LEAST, math.log(share)) if share > 0 else _LEAST
