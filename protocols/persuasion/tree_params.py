"""The parameters of PBT's dialogue trees."""

# ruff: noqa: RUF012 - pydantic copies defaults, and ruff does not see that these are its models

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from maieutic.protocols.base import Plays
from maieutic.protocols.debate_params import twice
from maieutic.protocols.parameters import template
from maieutic.protocols.persuasion.tree_confidence import SAMPLES
from maieutic.protocols.trees.params import TreeParams

__all__ = ["APPEALS", "NEUTRAL", "STANCES", "STANCE_VARIABLES", "PersuasionTreeParams"]

APPEALS = ("logical", "emotional", "credibility")
"""Stances of one who persuades: by logic, by feelings, by authority."""
STANCES = ("resist", "accept")
"""Stances of one who is persuaded."""
NEUTRAL = "neutral"
"""The label of the instruction without a stance, where a stance can be named."""


STANCE_VARIABLES = ("partners", "name", "question", "options")
"""What the instruction of a stance may use."""


class PersuasionTreeParams(TreeParams):
    """The parameters of a tree of dialogues. The defaults are PBT's (NAACL 2025), where it has one."""

    debaters: Annotated[
        list[str], Plays("debater"), Field(min_length=2, description="Who speaks, one a turn, in this order.")
    ]
    turns: Annotated[int, Field(ge=1, le=50, description="Most turns of one dialogue: the tree's depth.")] = 4
    stances: Annotated[
        dict[str, list[str]] | None,
        Field(
            description="Stances by debater; every one of them is a branch. Left out: the first debater persuades "
            "(logical, emotional, credibility), the others resist and accept. neutral is a turn without a stance; {} "
            "for dialogues of such turns alone."
        ),
    ] = None
    prompts: Annotated[
        dict[str, Annotated[str, Field(min_length=1), template(*STANCE_VARIABLES)]],
        Field(description="Instructions of stances of your own, or instead of ours, by stance. Templates."),
    ] = {}
    branch_by: Annotated[
        Literal["speaker", "last_speaker"],
        Field(description="Whose stances a turn branches by: the speaker's, or those of who spoke last (PBT's code)."),
    ] = "speaker"
    first: Annotated[
        str,
        Field(description="The first turn's: a stance, neutral, or drawn (PBT: the first of a set drawn at random)."),
    ] = "drawn"
    first_round: Annotated[
        Literal["blind", "open"], Field(description="Whether nobody reads the others' first turns before its own.")
    ] = "blind"
    samples: Annotated[int, Field(ge=1, le=64, description="How many replies are sampled for every stance.")] = 1
    voices: Annotated[
        list[str],
        Plays("debater"),
        Field(description="Further agents whose models speak every turn too, in the speaker's name: more branches."),
    ] = []
    stop: Annotated[
        Literal["agreement", "never"], Field(description="Whether a dialogue ends once all hold the same answer.")
    ] = "agreement"
    same_from: Annotated[
        float | None,
        Field(
            ge=0,
            le=1,
            description="Two answers of which one contains the other count as the same above this similarity "
            "(Levenshtein ratio), unless both are options or their numbers differ; null: only the same normal form "
            "counts.",
        ),
    ] = 0.5
    answers: Annotated[
        Literal["line", "position", "extractor"],
        Field(
            description="Where a turn's answer is read: on its line “Answer: …”, in what the speaker says off the "
            "record after it, or in what an extractor says of it. The last two take a call more a turn."
        ),
    ] = "line"
    extractor: Annotated[str | None, Plays("agent"), Field(description="Who reads answers (answers: extractor).")] = (
        None
    )
    score: Annotated[
        Literal["correct", "judge", "agreement"],
        Field(
            description="A node's own score: how many hold a right answer (the input `accepted`); how many do so in a "
            "judge's belief; the largest share that holds the same answer."
        ),
    ] = "correct"
    judge: Annotated[str | None, Plays("judge"), Field(description="Who judges nodes (score: judge).")] = None
    confidence: Annotated[
        str | None,
        Plays("agent"),
        Field(
            description="Who is asked after every turn, for the record alone, how likely it would accept what is held "
            "there, the answers blotted out (PBT). A language model; one call a turn with log-probabilities."
        ),
    ] = None
    temperature: Annotated[float | None, Field(ge=0, le=2, description="Of a turn; left out: the model's own.")] = 0.7
    max_tokens: Annotated[int | None, Field(ge=1, description="Most tokens of a turn; left out: the model's own.")] = 80
    min_tokens: Annotated[
        int | None, Field(ge=1, description="Fewest tokens of a turn; sent to hosted_vllm models only.")
    ] = 8
    trim: Annotated[bool, Field(description="Whether a turn that was cut off ends with its last whole sentence.")] = (
        True
    )

    def stances_of(self, name: str) -> list[str]:
        """The stances of a debater; none if it only ever speaks neutrally."""
        if self.stances is not None:
            return self.stances.get(name, [])
        return list(APPEALS if name == self.debaters[0] else STANCES)

    def voices_of(self, name: str) -> list[str]:
        """Whose models speak a debater's turns too."""
        return [voice for voice in self.voices if voice != name]

    @property
    def labels(self) -> list[str]:
        """Every stance that may be taken."""
        given = [label for name in self.debaters for label in self.stances_of(name)]
        return list(dict.fromkeys([*given, *([self.first] if self.first != "drawn" else [])]))

    @property
    def calls_each(self) -> int:
        """Most calls that one turn takes."""
        return 1 + (self.answers != "line") + (self.score == "judge") + (1 + SAMPLES if self.confidence else 0)

    def _problems(self) -> Iterator[str]:
        yield from super()._problems()
        if again := twice(self.debaters):
            yield f"debaters names {again!r} twice; each has one seat"
        if again := twice(self.voices):
            yield f"voices names {again!r} twice; once is enough"
        if self.max_tokens is not None and (self.min_tokens or 0) > self.max_tokens:
            yield f"min_tokens, {self.min_tokens}, is more than max_tokens, {self.max_tokens}; lower it, or set it null"
        yield from self._problems_of_stances()
        for value, agent, role, setting in (
            (self.answers == "extractor", self.extractor, "an extractor", "answers: extractor"),
            (self.score == "judge", self.judge, "a judge", "score: judge"),
        ):
            if value and not agent:
                yield f"{setting} needs {role}; name one"
            elif agent and not value:
                yield f"{role.split()[1]}: {agent!r} would never be asked; set {setting}, or leave {agent!r} out"

    def _problems_of_stances(self) -> Iterator[str]:
        for name in self.stances or {}:
            if name not in self.debaters:
                yield f"stances names {name!r}, who is no debater; debaters: {', '.join(self.debaters)}"
        for name in self.debaters:
            if again := twice(self.stances_of(name)):
                yield f"stances gives {name!r} {again!r} twice; sample it more often by `samples`"
        if NEUTRAL in self.prompts:
            yield "prompts: neutral is the instruction without a stance; give your text another name"
        known = (NEUTRAL, *APPEALS, *STANCES, *self.prompts)
        for label in (label for label in self.labels if label not in known):
            where = "first" if label == self.first else "stances"
            yield f"{where}: there is no stance {label!r}; known are {', '.join(known)}; write your own under prompts"
        for label in (label for label in self.prompts if label not in self.labels):
            yield f"prompts: nobody takes the stance {label!r}; name it in stances or first, or leave it out"
