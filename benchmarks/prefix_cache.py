"""What a real vLLM computes for each protocol, beside the least that it could, by its own prefix-cache metrics.

    MAIEUTIC_VLLM_PYTHON=…/bin/python python benchmarks/prefix_cache.py [--only debate tree] [--layouts] [--block 32]

CONTRIBUTING.md says how to make that environment without a GPU. The engine is real, the model is a tiny one with random
weights and a long context: what it says is noise, so only token counts mean anything, and one of its tokens is about
one character. Judges and examiners are simulated where noise would not do. Every row begins with an empty cache.

sent      prompt tokens of all calls (`vllm:prefix_cache_queries_total`)
hit       those found in the cache (`vllm:prefix_cache_hits_total`)
computed  the rest
distinct  the lower bound: each distinct token prefix of the prompts once, counted from the engine's own tokens
blocks    the lower bound of a cache that keeps full blocks only and forgets nothing

--layouts   sends the same protocols' messages in other orders (see `LAYOUTS`)
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import maieutic as mt
from maieutic.backends import LiteLLMBackend, LLMReply, LLMRequest
from maieutic.backends.sim import load_world
from maieutic.backends.sim.curriculum import curriculum
from maieutic.backends.tiny.catalogue import WEIGHTS
from maieutic.files.documents import read_document
from maieutic.memory import Message
from maieutic.protocols.routing import Candidate, Pool
from maieutic.testing.engine import Engine, long_context
from maieutic.testing.prefixes import Sent, distinct_prefixes, least_computed
from maieutic.testing.tap import Tap

EXAMPLES = Path(__file__).parents[1] / "examples"
SKY = read_document(EXAMPLES / "texts" / "the-sky.md").text
QUESTIONS = ("Should cities ban cars?", "Should homework be abolished?", "Should voting be compulsory?")
ASCII = [5, *range(6, 100)]
"""What noise is made of: the end, and printable characters, which are read again as the tokens they were."""
NAMES = ("Ada", "Ann", "Bo", "Cy", "Dan")
LAYOUTS = {
    "as it is": "system: the agent; then what it read; then the instruction",
    "context first": "system: what the moderator said before anybody spoke, then the agent",
    "agent last": "no system message; the agent's stands at the head of the instruction",
    "role first": "system: the last line of the agent's, which is the role's; the lines before head the instruction",
    "one script": "role first, and its own turns as the others read them",
}
Program = Callable[[mt.Workspace, mt.ModelSpec], Awaitable[None]]
Said = Mapping[str, Sequence[LLMReply]]
"""Every reply of a run, by the place of its call."""


# -- what is run ------------------------------------------------------------------------------------------------------


async def all_at_once(workspace: mt.Workspace, program: Any, inputs: Sequence[Any]) -> None:
    """A run for each of the inputs; what fails, fails the benchmark."""
    async with asyncio.TaskGroup() as group:
        runs = [group.create_task(workspace.run(program, each, run_id=f"run{n}")) for n, each in enumerate(inputs)]
    for run in runs:
        if run.result().error is not None:
            raise SystemExit(f"{program.name}: {run.result().error}")


async def debate(
    workspace: mt.Workspace, model: mt.ModelSpec, questions: Sequence[str] = QUESTIONS, **params: Any
) -> None:
    """Three debaters, four rounds, positions after each."""
    cast = [mt.Debater(name, model) for name in ("Ada", "Bo", "Cy")]
    judge = mt.Judge("June", "sim/judge")
    program = mt.Debate(cast, judge=judge, rounds=4, options=["yes", "no"], **params)
    await all_at_once(workspace, program, questions)


async def debate_on_a_text(workspace: mt.Workspace, model: mt.ModelSpec, **params: Any) -> None:
    """The same about questions on a text that everybody reads."""
    questions = [f"{SKY}\n\n{question}" for question in ("Is the Moon a star?", "Is Venus hot?")]
    await debate(workspace, model, questions, **params)


async def interact(workspace: mt.Workspace, model: mt.ModelSpec, text: str = SKY, **params: Any) -> None:
    """Two teachers who are compared have the text, a student asks each of them; six questions after each turn."""
    program = mt.Interact(
        [mt.Teacher("Ann", model), mt.Teacher("Dan", model)],
        mt.Student("Bo", model),
        examiner=mt.Teacher("Eve", "sim/teacher"),
        context=text,
        topic="astronomy",
        per_level=2,
        turns=4,
        **params,
    )
    await all_at_once(workspace, program, [{}])


async def interact_on_a_long_text(workspace: mt.Workspace, model: mt.ModelSpec, **params: Any) -> None:
    """The same on all that the simulated world says."""
    await interact(workspace, model, "\n".join(fact.says for fact in load_world().facts.values()), **params)


def interventions_with(**prompts: str) -> Program:
    """Twenty items, six of them practice; the student alone and explained, and the teacher's simulation of it."""

    async def run(workspace: mt.Workspace, model: mt.ModelSpec) -> None:
        program = mt.Interventions(
            mt.Teacher("Ann", model),
            mt.Student("Bo", model, prompts=prompts),
            [item for item in curriculum().items.values() if len(item.options) == 4][:20],
            estimators=["few_shot"],
        )
        await all_at_once(workspace, program, [{}])

    return run


async def tree(workspace: mt.Workspace, model: mt.ModelSpec) -> None:
    """A persuasion tree of four turns: one, two stances, three appeals, two stances."""
    program = mt.PersuasionTree([mt.Debater("Ada", model), mt.Debater("Bo", model)], turns=4, stop="never")
    inputs = {"question": QUESTIONS[0], "accepted": ["yes"], "options": ["yes", "no"]}
    await all_at_once(workspace, program, [inputs])


async def tutor(workspace: mt.Workspace, model: mt.ModelSpec) -> None:
    """Ten exchanges on a concept file."""
    cast = {"teacher": mt.Teacher("Ann", model), "student": mt.Student("Bo", model)}
    await all_at_once(workspace, mt.Tutor(**cast, concepts=EXAMPLES / "concepts" / "sky.yaml", turns=10), [{}])


async def router_r1(workspace: mt.Workspace, model: mt.ModelSpec) -> None:
    """A router that goes on with its own message, four times a question."""
    pool = Pool(candidates=[Candidate(name="Long", model=model)])
    await all_at_once(workspace, mt.RouterR1(router=mt.Router("Rita", model), pool=pool, rounds=4), QUESTIONS)


QUESTION_LAST = """Answer the question below. End with a line "Answer: " followed by your answer, as short as possible\
{% if options %} and copied from the options{% endif %}.
{% include "given" %}
Question: {{ question }}
{% if options %}
Options:
{% for option in options %}
- {{ option }}
{% endfor %}
{% endif %}
{% if hint %}
Hint: {{ hint }}
{% endif %}"""

PROGRAMS: dict[str, Any] = {
    "debate": debate,
    "debate on a text": debate_on_a_text,
    "interact": interact,
    "interact on a long text": interact_on_a_long_text,
    "interventions": interventions_with(),
    "tree": tree,
    "tutor": tutor,
    "router_r1": router_r1,
}
"""Each is measured as it is, and with --layouts in the other orders too."""
VARIANTS: dict[str, dict[str, Program]] = {
    "interventions": {"instruction before the question": interventions_with(answer=QUESTION_LAST)},
    **{
        name: {"shared_first": partial(PROGRAMS[name], shared_first=True)}
        for name in ("debate", "debate on a text", "interact", "interact on a long text")
    },
}


# -- in which order it is sent ----------------------------------------------------------------------------------------


class Laid(LiteLLMBackend):
    """LiteLLM, with the messages in another order; noise is readable, and a letter where one is asked for.

    Args:
        layout: One of LAYOUTS.
        said: What was said in another run of the same program. The engine then reads every prompt and writes a single
            token, and the answer is what was said, so that runs differ in nothing but the order of what is sent.
    """

    def __init__(self, layout: str, said: Said | None = None) -> None:
        super().__init__()
        self._layout = layout
        self._said = None if said is None else {where: iter(replies) for where, replies in said.items()}
        self.said: dict[str, list[LLMReply]] = {}

    async def complete(self, request: LLMRequest, on_text: Any = None) -> LLMReply:
        """Answer one request."""
        where = f"{request.address}?{request.sample}"
        sent = self._sent(request)
        if self._said is not None:
            await super().complete(replace(sent, max_tokens=1), on_text)
            return next(self._said[where])
        reply = await super().complete(sent, on_text)
        self.said.setdefault(where, []).append(reply)
        return reply

    def _sent(self, request: LLMRequest) -> LLMRequest:
        extra = {key: value for key, value in request.model.extra.items() if key != "min_tokens"}
        if request.logprobs is not None:
            extra["structured_outputs"] = {"regex": "[A-D]"}  # noise names no letter
        elif request.output is None:
            extra["allowed_token_ids"] = ASCII  # a schema may demand others
        messages = laid_out(request.messages, request.agent, self._layout)
        return replace(request, messages=messages, model=request.model.model_copy(update={"extra": extra}))


def laid_out(messages: tuple[Message, ...], agent: str, layout: str) -> tuple[Message, ...]:
    """The messages of a call in the order of a layout; those that no layout fits as they are."""
    if layout == "as it is" or len(messages) < 2 or messages[0].role != "system" or messages[-1].role != "user":
        return messages
    opening, *read, last = messages
    if layout == "context first":
        spoken = [m.role == "assistant" or m.content.startswith(tuple(f"{name}: " for name in NAMES)) for m in read]
        until = spoken.index(True) if True in spoken else len(read)
        first = "\n\n".join([*(m.content for m in read[:until]), opening.content])
        return (Message("system", first), *read[until:], last)
    if layout == "agent last":
        return (*read, Message("user", f"{opening.content}\n\n{last.content}"))
    agent_alone, _, role = opening.content.rpartition("\n")
    if layout == "one script":
        read = [Message("user", f"{agent}: {m.content}") if m.role == "assistant" else m for m in read]
    return (Message("system", role), *read, Message("user", f"{agent_alone}\n\n{last.content}"))


# -- what it took -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """What the engine did for one program, and the bounds."""

    name: str
    calls: int
    sent: int
    hit: int
    distinct: int
    blocks: int

    @property
    def computed(self) -> int:
        """Prompt tokens that were not found in the cache."""
        return self.sent - self.hit

    def line(self, beside: Row | None) -> str:
        """One line of the table; the last column says how much less is computed than in another row."""
        cells = [
            self.name, f"{self.calls:,}", f"{self.sent:,}", f"{self.hit / self.sent:.0%}", f"{self.computed:,}",
            f"{self.distinct:,}", f"{self.blocks:,}", f"{self.computed / self.distinct:.2f}",
            f"{self.computed / self.blocks:.2f}", f"{self.computed / beside.computed - 1:+.0%}" if beside else "",
        ]  # fmt: skip
        return f"| {' | '.join(cells)} |"


HEAD = """
| | calls | sent | hit | computed | distinct | blocks | of distinct | of blocks | computed beside as it is |
|---|---|---|---|---|---|---|---|---|---|"""


async def measured(
    engine: Engine, name: str, program: Program, block: int, *, layout: str = "as it is", said: Said | None = None
) -> tuple[Row, Said]:
    """Run one program with a cache of its own. Returns what it took, and what was said."""
    before = [engine.metric(f"prefix_cache_{what}_total") for what in ("queries", "hits")]
    async with Tap(engine.url) as tap:
        model = mt.ModelSpec(
            model="hosted_vllm/long",
            api_base=tap.base,
            max_tokens=1500,
            temperature=1.0,
            max_concurrency=32,
        )
        backend = Laid(layout, said)
        async with mt.Workspace(backends={"hosted_vllm": backend}) as workspace:
            await program(workspace, model)
    after = [engine.metric(f"prefix_cache_{what}_total") for what in ("queries", "hits")]
    queries, hits = (round(now - then) for now, then in zip(after, before, strict=True))
    sent: list[Sent] = tap.sent
    if queries != (kept := sum(len(call.prompt) for call in sent)):
        raise SystemExit(f"{name}: the engine counts {queries} prompt tokens, and {kept} went by")
    row = f"{name}, {layout}" if layout != "as it is" else name
    bounds = distinct_prefixes(call.prompt for call in sent), least_computed(sent, block)
    return Row(row, len(sent), queries, hits, *bounds), backend.said


async def table(engine: Engine, names: Sequence[str], block: int, *, layouts: bool) -> None:
    """Print a row for each program and layout."""
    print(HEAD, flush=True)
    for name in names:
        first, said = await measured(engine, name, PROGRAMS[name], block)
        print(first.line(None), flush=True)
        if not layouts or name == "router_r1":  # it goes on with its own message
            continue
        for layout in [*LAYOUTS][1:]:
            row, _ = await measured(engine, name, PROGRAMS[name], block, layout=layout, said=said)
            print(row.line(first), flush=True)
        for variant, program in VARIANTS.get(name, {}).items():
            row, _ = await measured(engine, f"{name}, {variant}", program, block, said=said)
            print(row.line(first), flush=True)


def main() -> None:
    """Read the arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PROGRAMS, default=list(PROGRAMS))
    parser.add_argument("--layouts", action="store_true", help="the same messages in other orders too")
    parser.add_argument(
        "--block", type=int, default=32, help="tokens of a block of the cache (a CPU takes multiples of 32)"
    )
    given = parser.parse_args()
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "WARNING")
    with tempfile.TemporaryDirectory() as folder:
        model = long_context(WEIGHTS / "student", Path(folder) / "long", 16384)
        flags = ["--load-format", "dummy", "--block-size", str(given.block)]
        with Engine(model, "long", context=16384, flags=flags) as engine:
            engine.ready()
            asyncio.run(table(engine, given.only, given.block, layouts=given.layouts))


if __name__ == "__main__":
    main()
