"""Team debate: two agents talk until each has answered last, in both orders; does it matter who begins?

Stengel-Eskin et al., "Teaching Models to Balance Resisting and Accepting Persuasion", NAACL 2025, section 4: a strong
and a weak model land on the accuracy of either, depending on who speaks first. Each agent's blind turn is asked once
for an item, whatever the order and whoever the partner, because nothing in it depends on them.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import permutations
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from maieutic.agents import Agent
from maieutic.memory import MODERATOR, Transcript, Turn
from maieutic.memory.answers import same
from maieutic.memory.student.items import Item
from maieutic.protocols.base import CallPlan
from maieutic.protocols.debate_params import twice
from maieutic.protocols.given import read_items
from maieutic.protocols.parameters import FromFile, Params, Plays
from maieutic.protocols.persuasion.belief import belief_in
from maieutic.protocols.persuasion.items import problems_of_items
from maieutic.protocols.persuasion.over_items import (
    UNASKED,
    Done,
    OverItems,
    calls_in,
    marked,
    plain,
    prompt,
    reason_for,
)
from maieutic.protocols.persuasion.speaking import spoken_by, stating
from maieutic.protocols.persuasion.team_outcome import Debated, TeamDebateOutcome, TeamTurn, figures
from maieutic.protocols.together import OnFailure, together
from maieutic.protocols.weighing import with_weighing

if TYPE_CHECKING:
    from maieutic.backends.place import Place

__all__ = ["TeamDebate", "TeamDebateParams"]


class TeamDebateParams(Params):
    """The parameters of team debates, as they stand under `with:`."""

    debaters: Annotated[
        list[str],
        Plays("agent"),
        Field(min_length=2, description="Who debates: every two of them, in both orders."),
    ]
    items: Annotated[
        Annotated[list[Item], Field(min_length=1)] | None,
        FromFile(read_items),
        Field(
            description="The questions, each with its right answer, or a file of them; left out, those of the bundled "
            "world, which simulated minds know."
        ),
    ] = None
    limit: Annotated[int | None, Field(ge=1, description="How many of the items are used; left out, all.")] = None
    turns: Annotated[
        int, Field(ge=3, description="Turns of a debate, the two speaking in turn; the first two are blind.")
    ] = 4
    stop: Annotated[
        Literal["turns", "agreement"],
        Field(description="What ends a debate: its last turn, or also that both hold the same answer."),
    ] = "turns"
    temperature: Annotated[
        float | None, Field(ge=0, le=2, description="Temperature of all turns; null leaves it to the models.")
    ] = 0.0
    on_failure: Annotated[
        OnFailure, Field(description="When a call fails: everything fails, or the debate is left out.")
    ] = "fail"

    @cached_property
    def used(self) -> list[Item]:
        """The items that are used."""
        from maieutic.protocols.persuasion.bundled import bundled_items

        return (bundled_items() if self.items is None else self.items)[: self.limit]

    def _problems(self) -> Iterator[str]:
        if again := twice(self.debaters):
            yield f"debaters: {again!r} is there twice; every seat needs an agent of its own"
        if MODERATOR in self.debaters:
            yield f"nobody can be called {MODERATOR!r}: that is who puts the question"
        yield from problems_of_items(self.items or ())


class TeamDebate(OverItems[TeamDebateParams, TeamDebateOutcome]):
    """Lets every two of several agents debate every item, each of them first once.

    Args:
        debaters: Two or more.
        **params: See TeamDebateParams: `items`, `turns`, ….

    Raises:
        UsageError: The parameters do not fit together.

    Example:
        >>> strong, weak = Debater("Ada", {"model": "sim/debater", "knows": 0.9}), Debater("Bo", "sim/debater")
        >>> print((await TeamDebate([strong, weak]).perform()).table())    # doctest: +SKIP
    """

    name = "team_debate"
    params_model = TeamDebateParams
    outcome_model = TeamDebateOutcome

    def __init__(self, debaters: Sequence[Agent], **params: Any) -> None:
        super().__init__(debaters=list(debaters), **params)

    def prepare(self) -> None:
        """Give everybody the verb that this protocol brings."""
        for name in self.params.debaters:
            self.cast[name] = stating(self.cast[name])

    @property
    def on_failure(self) -> OnFailure:
        """What the failure of one item means."""
        return self.params.on_failure

    def acts(self, at: Place) -> dict[str, Coroutine[Any, Any, Done]]:
        """Every item by itself."""
        return {item.id: self._item(item, at / item.id) for item in self.params.used}

    async def _item(self, item: Item, at: Place) -> Done:
        """Everybody answers blindly; then every ordered pair goes on from there, all pairs at once."""
        asked = prompt("question").render({"question": item.question, "options": list(item.options)})
        opening = marked(Turn(MODERATOR, asked, round=0, data=UNASKED), item=item.id)
        said = Transcript.of([opening])
        blind = await _all({name: self._turn((name, ""), item, at / "blind", said, 1) for name in self.params.debaters})
        turns = plain(opening, *blind.values())
        pairs = list(permutations(self.params.debaters, 2))
        debates = await together(
            {f"{a}, {b}": self._debate(item, at / f"{a}, {b}", opening, (blind[a], blind[b])) for a, b in pairs}
        )
        records = []
        for debated, spoken in debates.replies.values():
            records.append(debated.model_dump(mode="json"))
            turns += spoken
        return Done(records, turns, next(iter(debates.failures.values()), None))

    async def _debate(
        self, item: Item, at: Place, opening: Turn, blind: tuple[Turn, Turn]
    ) -> tuple[Debated, list[dict[str, Any]]]:
        """The turns after the blind ones, which everybody has read by then."""
        pair = (blind[0].speaker, blind[1].speaker)
        said = [replace(blind[0], blind_to=frozenset({pair[1]})), blind[1]]
        out: list[dict[str, Any]] = []
        for number in range(3, self.params.turns + 1):
            if self.params.stop == "agreement" and _agree(said[-2], said[-1]):
                break
            speaks, read = (pair[(number - 1) % 2], pair[number % 2]), Transcript.of([opening, *said])
            turn = await self._turn(speaks, item, at / f"turn{number}", read, (number + 1) // 2)
            said.append(turn)
            out += plain(marked(turn, first=pair[0], second=pair[1]))
        turns = [TeamTurn(speaker=turn.speaker, belief=belief_in(turn)) for turn in said]
        return Debated(item=item.id, first=pair[0], second=pair[1], turns=turns), out

    async def _turn(self, speaks: tuple[str, str], item: Item, at: Place, transcript: Transcript, round: int) -> Turn:
        """A turn; `speaks` is who to whom, to nobody where it is blind."""
        name, partner = speaks
        agent, temperature = self.cast[name], self.params.temperature
        turn = await spoken_by(agent, item, at, transcript, round=round, partner=partner, temperature=temperature)
        return marked(turn, item=item.id)

    def outcome(self, state: Mapping[str, Any], reason: str | None = None) -> TeamDebateOutcome:
        """The figures over whatever was finished."""
        debated = [Debated.model_validate(each) for each in state.get("records") or []]
        turns = state.get("turns") or []
        found = figures(debated, self.params.debaters)
        gaps = [f"{gap.one} and {gap.other}: order gap {gap.gap:.3f}" for gap in found["gaps"]]
        return TeamDebateOutcome(
            answer="; ".join(gaps) or None,
            reason=reason_for(state, reason),
            transcript=turns,
            debaters=self.params.debaters,
            turns=self.params.turns,
            debated=debated,
            skipped=state.get("skipped") or [],
            calls=calls_in(turns),
            **found,
        )

    def plan(self) -> CallPlan:
        """For every item one blind call of each, and the turns after it in every ordered pair unless they agree."""
        names, items = self.params.debaters, len(self.params.used)
        most = 1 + (len(names) - 1) * (
            self.params.turns - 2
        )  # who has the odd turn in one order has it not in the other
        fewest = 1 if self.params.stop == "agreement" else most
        plan = CallPlan({name: (items * fewest, items * most) for name in names}, apart=True)
        return with_weighing(plan, self.cast.values())


def _agree(one: Turn, other: Turn) -> bool:
    if belief_in(one).held == belief_in(other).held == "right":
        return True
    return same(str(one.data.get("answer") or ""), str(other.data.get("answer") or ""))


async def _all(acts: Mapping[str, Coroutine[Any, Any, Any]]) -> dict[str, Any]:
    """Everything that was done, or the first failure in the order of the acts."""
    done = await together(acts)
    for error in done.failures.values():
        raise error
    return done.replies
