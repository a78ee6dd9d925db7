"""Models that judge: a panel of one or more, each asked alone, at addresses that only what is judged decides."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, Field, PrivateAttr

from maieutic.agents import Agent, Verb
from maieutic.backends.models import ModelSpec
from maieutic.errors import BudgetExceeded, ModelError, ReplyError, UsageError
from maieutic.memory import MODERATOR
from maieutic.memory.entries import canonical
from maieutic.protocols.together import kind_of, together
from maieutic.runs.scoring.base import Needs, RecordedRun, SampleItem, Score
from maieutic.runs.scoring.texts import Settings

if TYPE_CHECKING:
    from maieutic.backends import Place

__all__ = ["Assessor", "Failures", "Panel", "dialogue_of", "unjudged", "work_of"]

Failures = dict[str, dict[str, str]]
"""By judge, why it gave no reply: its kind ("rate_limit", "reply", …) and the message."""
_PROMPTS = Path(__file__).parent / "prompts"


class Assessor(Agent):
    """Assesses what others did. It reads no transcript of its own: all it needs stands in its instruction."""

    role = "assessor"
    verbs: ClassVar[Mapping[str, Verb]] = {
        "mark": Verb("mark", ("question", "answer", "criteria", "low", "high"), ("reference", "dialogue")),
        "prefer": Verb("prefer", ("question", "first", "second", "rubric"), ("reference",)),
        "goals": Verb("goals", ("dialogue", "count", "causes")),
    }
    templates: ClassVar[Mapping[str, str | Path]] = {
        step: _PROMPTS / f"{step}.md.j2" for step in ("system", "mark", "prefer", "goals")
    }


def _several(given: Any) -> Any:
    return [given] if isinstance(given, str | Mapping | ModelSpec) else given


class Panel(Settings):
    """Base of the scorers that ask models.

    Attributes:
        models: The judges: one model, or several. They are called judge1, judge2, … in what is kept.
        reads: Whether they read the answer only, or the whole dialogue before it as well.
        reference: Whether they are told the right answer, where there is one.
    """

    needs: ClassVar[Needs] = "models"

    models: Annotated[list[ModelSpec], BeforeValidator(_several), Field(min_length=1)]
    reads: Literal["answer", "dialogue"] = "answer"
    reference: bool = True
    _judges: tuple[Assessor, ...] = PrivateAttr(default=())

    def model_post_init(self, context: Any, /) -> None:
        """Make the judges once."""
        self._judges = tuple(Assessor(f"judge{n}", model) for n, model in enumerate(self.models, 1))

    async def ask(
        self, verb: str, given: Mapping[str, Any], output: type[BaseModel], at: Place | None
    ) -> tuple[dict[str, BaseModel], Failures]:
        """Every judge's reply, and why each of the others gave none.

        A call's address holds a digest of what is asked. So a judgement stands as long as nothing in it changes, and a
        rubric, a model or a dialogue that was changed is judged anew.

        Raises:
            UsageError: There is no place for the calls.
            BudgetExceeded, WaitingForPerson, ReplayMiss: See maieutic.errors; a judge that only failed is left out.
        """
        if at is None:
            raise UsageError(f"the scorer {self.name!r} asks models; give it a place for their calls")
        here = at / self.name
        done = await together({judge.name: _asked(judge, verb, given, output, here) for judge in self._judges})
        for error in done.failures.values():
            if isinstance(error, BudgetExceeded) or not isinstance(error, ModelError | ReplyError):
                raise error
        return done.replies, {n: {"kind": kind_of(e), "message": str(e)} for n, e in done.failures.items()}

    def told(self, item: SampleItem) -> str:
        """The right answer, as far as judges are told it."""
        return " / ".join(item.target) if self.reference else ""


async def _asked(judge: Assessor, verb: str, given: Mapping[str, Any], output: type[BaseModel], at: Place) -> BaseModel:
    messages = judge.messages(verb, given=given)
    asked = canonical(
        {
            "model": judge.model.model_dump(mode="json", exclude={"api_key", "api_base"}),
            "messages": [message.content for message in messages],
            "schema": output.model_json_schema(),
        }
    )
    digest = hashlib.sha256(asked.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    reply = await judge.send(messages, verb, at / digest, output=output)
    assert reply.data is not None
    return reply.data


def unjudged(failed: Failures) -> Score:
    """No score, as every judge failed; the why names the kinds of failures, each once."""
    kinds = ", ".join(sorted({told["kind"] for told in failed.values()}))
    return Score(None, f"no judge could tell ({kinds})", {"failed": failed})


def dialogue_of(run: RecordedRun) -> str:
    """What was said aloud, a turn a paragraph, without the moderator."""
    said = (turn for turn in run.turns if turn.kind == "say" and turn.speaker != MODERATOR)
    return "\n\n".join(f"{turn.speaker}: {turn.content}" for turn in said)


def work_of(run: RecordedRun, reads: Literal["answer", "dialogue"]) -> str:
    """What is to be assessed, as one text."""
    answer = run.answer if run.answer is not None else "(no answer)"
    dialogue = dialogue_of(run) if reads == "dialogue" else ""
    return f"{dialogue}\n\nWhat it came to: {answer}" if dialogue else answer
