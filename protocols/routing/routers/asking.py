"""Every candidate is asked every question once; all routers are judged by those answers, and no call is repeated."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from maieutic.agents import Agent, Prompt, among
from maieutic.agents.replies import Solution
from maieutic.errors import UsageError
from maieutic.protocols.routing.reward import exact_match, squad_f1
from maieutic.protocols.routing.routers.records import RoutingRecord
from maieutic.protocols.together import together

if TYPE_CHECKING:
    from maieutic.backends.place import Place
    from maieutic.backends.types import LLMReply
    from maieutic.protocols.routing.pool import Candidate, Pool

__all__ = ["SCORERS", "Question", "ask_all", "bundled_questions", "read_questions", "slug", "taken"]

Scorer = Callable[[str, Sequence[str]], float]
SCORERS: dict[str, Scorer] = {"em": exact_match, "f1": squad_f1}
"""How an answer is scored against the accepted ones: exact match, or the words in common, after SQuAD's normal form."""


def _texts(given: Any) -> Any:
    return [given] if isinstance(given, str) else given


class Question(BaseModel):
    """One question with what counts as right."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    question: Annotated[str, Field(min_length=1)]
    answer: Annotated[
        list[str], BeforeValidator(_texts), Field(min_length=1, description="The accepted answers, or the only one.")
    ]
    family: Annotated[str, Field(description="The task family; routers may be told it.")] = ""
    options: Annotated[list[str], Field(description="The answers to choose from, if there are such.")] = []


def read_questions(path: Path | str) -> list[Question]:
    """The questions of a JSONL file: {"question": …, "answer": …, "family": …} in each line.

    Raises:
        UsageError: The file cannot be read, has no question or a question twice, or a line is none.
    """
    try:
        lines = Path(path).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    found: dict[tuple[str, str], Question] = {}
    for n, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            question = Question.model_validate_json(line)
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]
            where = ".".join(map(str, problem["loc"]))
            raise UsageError(
                f"{path}:{n}: this is no question ({where + ': ' if where else ''}{problem['msg']})"
            ) from error
        if found.setdefault((question.family, question.question), question) is not question:
            raise UsageError(f"{path}:{n}: the question {question.question!r} stands in the file twice")
    if not found:
        raise UsageError(f"{path} has no questions")
    return list(found.values())


def bundled_questions(world: str = "") -> list[Question]:
    """The questions of the simulated minds' world, with its topics as families.

    Args:
        world: Path of a world file; the bundled one if left out.
    """
    from maieutic.backends.sim import load_world

    known = load_world(world)
    return [
        Question(question=q.text, answer=[q.answer, *q.aliases], family=known.topic_of(q), options=list(q.options))
        for q in known.questions.values()
    ]


async def ask_all(
    pool: Pool, questions: Sequence[Question], at: Place, *, score: str = "em", run: str = ""
) -> list[RoutingRecord]:
    """Ask every candidate every question, each alone, and score the answers.

    Each pair stands at an address of its own, so that an evaluation that was broken off goes on where it stopped.

    Args:
        pool: The candidates.
        questions: The questions.
        at: Where in a run.
        score: Of SCORERS.
        run: The run's id, for the records.

    Returns:
        One record for each pair, question by question. A simulated mind takes neither money nor time: its record has
        what the pool says of its price and its median latency, and is marked as simulated.

    Raises:
        ModelError, ReplyError, BudgetExceeded: What a call met; answers that came are in the journal.
    """
    done = await together(
        {
            f"{n} {c.name}": _ask(c, question, at / f"question{n}", SCORERS[score], run)
            for n, question in enumerate(questions)
            for c in pool.each()
        }
    )
    for error in done.failures.values():
        raise error
    return list(done.replies.values())


async def _ask(candidate: Candidate, asked: Question, at: Place, score: Scorer, run: str) -> RoutingRecord:
    agent = Agent(slug(candidate.name), candidate.priced)
    instruction = _prompt().render({"question": asked.question, "options": asked.options})
    output = among(Solution, asked.options)
    reply = await agent.do("say", at, output=output, instruction=instruction)
    assert reply.data is not None
    usd, seconds = taken(candidate, reply.call)
    return RoutingRecord(
        question=asked.question,
        model=candidate.name,
        quality=score(str(reply.data.model_dump()["answer"]), asked.answer),
        family=asked.family,
        usd=usd,
        tokens=reply.call.usage.total,
        seconds=seconds,
        run=run,
        simulated=reply.call.simulated,
    )


def taken(candidate: Candidate, reply: LLMReply) -> tuple[float | None, float | None]:
    """The dollars and seconds of a reply; of a simulated one, what its price and its median latency would make them."""
    if not reply.simulated:
        return reply.usd, reply.seconds
    price, usage = candidate.known_price, reply.usage
    usd = None
    if price is not None and usage.prompt is not None and usage.completion is not None:
        usd = (usage.prompt * price.input + usage.completion * price.output) / 1e6
    return usd, None if candidate.latency is None else candidate.latency.p50


def slug(name: str) -> str:
    """A candidate's name as an agent can bear it: letters, digits, _ and -, beginning with a letter."""
    bare = re.sub(r"[^\w-]+", "-", name).strip("-")
    return bare if re.match(r"[^\W\d]", bare) else f"m-{bare}"


@cache
def _prompt() -> Prompt:
    return Prompt.load(Path(__file__).parents[2] / "prompts" / "routing" / "question.md.j2")
