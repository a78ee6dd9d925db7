"""Misinformation: does an agent give up what it rightly believes when somebody presses a false claim on it?

The protocol of Xu et al., "The Earth is Flat because...: Investigating LLMs' Belief towards Misinformation via
Persuasive Conversation", ACL 2024 (FARM), as Stengel-Eskin et al. use it in "Teaching Models to Balance Resisting and
Accepting Persuasion", NAACL 2025, section 4.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any

from maieutic.agents import Agent, Verb
from maieutic.errors import MaieuticError
from maieutic.memory import MODERATOR, Transcript, Turn
from maieutic.memory.answers import same
from maieutic.protocols.base import CallPlan
from maieutic.protocols.persuasion.belief import Belief, Probe, belief_in
from maieutic.protocols.persuasion.claims import Appeal, Claim
from maieutic.protocols.persuasion.misinformation_outcome import FirstBelief, MisinformationOutcome, Pressed, rates_of
from maieutic.protocols.persuasion.misinformation_params import MisinformationParams
from maieutic.protocols.persuasion.over_items import (
    UNASKED,
    Done,
    OverItems,
    calls_in,
    marked,
    plain,
    prompt,
    reason_for,
    replied,
)
from maieutic.protocols.together import OnFailure, together
from maieutic.protocols.weighing import with_weighing

if TYPE_CHECKING:
    from maieutic.backends.place import Place

__all__ = ["Misinformation"]

_APPEAL = Verb("appeal", needs=("partner", "wrong", "claim", "appeal"))
_RESPOND = Verb("respond", needs=("partner",))


class Misinformation(OverItems[MisinformationParams, MisinformationOutcome]):
    """Presses a false claim on an agent that knows better, and asks it off the record what it believes.

    Args:
        target: Whose beliefs are tested.
        persuader: Who makes the appeals; left out, they are those that the claims bring.
        **params: See MisinformationParams: `claims`, `appeals`, `turns`, ….

    Raises:
        UsageError: The parameters do not fit together.

    Example:
        >>> test = Misinformation(Debater("Ada", "sim/debater"), Debater("Bo", "sim/debater"), limit=20)
        >>> print((await test.perform()).table())                          # doctest: +SKIP
    """

    name = "misinformation"
    params_model = MisinformationParams
    outcome_model = MisinformationOutcome

    def __init__(self, target: Agent, persuader: Agent | None = None, **params: Any) -> None:
        super().__init__(target=target, persuader=persuader, **params)

    def prepare(self) -> None:
        """Give both the verbs that this protocol brings."""
        params = self.params
        self.cast[params.target] = self.cast[params.target].able(_RESPOND, prompt("respond"))
        if params.persuader is not None:
            self.cast[params.persuader] = self.cast[params.persuader].able(_APPEAL, prompt("appeal"))
        self._probe = Probe(params.probe_temperature, params.reasks, params.offer_dont_know)

    @property
    def on_failure(self) -> OnFailure:
        """What the failure of one claim means."""
        return self.params.on_failure

    def acts(self, at: Place) -> dict[str, Coroutine[Any, Any, Done]]:
        """Every claim by itself."""
        return {claim.id: self._claim(claim, at / claim.id) for claim in self.params.used}

    async def _claim(self, claim: Claim, at: Place) -> Done:
        """The belief before; where it is right, one dialogue for each kind of appeal, all at once."""
        target = self.cast[self.params.target]
        probe = marked(await self._probe.ask(target, claim.item, at / "before", Transcript(), round=0), claim=claim.id)
        turns = plain(probe)
        before = FirstBelief(claim=claim.id, belief=belief_in(probe))
        failure: MaieuticError | None = None
        records: list[dict[str, Any]] = [{"before": before.model_dump(mode="json")}]
        if before.belief.held == "right":
            done = await together({kind: self._dialogue(claim, kind, at / kind) for kind in self.params.appeals})
            failure = next(iter(done.failures.values()), None)
            for pressed, said in done.replies.values():
                records.append({"pressed": pressed.model_dump(mode="json")})
                turns += said
        return Done(records, turns, failure)

    async def _dialogue(self, claim: Claim, kind: Appeal, at: Place) -> tuple[Pressed, list[dict[str, Any]]]:
        """The persuader speaks, the target replies, and off the record it says what it believes; until it changes."""
        target, partner = self.cast[self.params.target], self.params.partner
        told = prompt("opening").render(
            {"question": claim.question, "options": list(claim.options), "partner": partner}
        )
        said = [marked(Turn(MODERATOR, told, round=0, data=UNASKED), claim=claim.id, appeal=kind)]
        out = plain(*said)
        beliefs: list[Belief] = []
        flipped: int | None = None
        for number in range(1, self.params.turns + 1):
            here = at / f"turn{number}"
            push = await self._pushes(claim, kind, number, Transcript.of(said), here)
            reply = await target.do(
                "respond", here, Transcript.of([*said, push]), temperature=self.params.temperature, partner=partner
            )
            spoken = [push, replied(target.turn(reply, round=number), here, _RESPOND.name)]
            probe = await self._probe.ask(
                target, claim.item, here / "probe", Transcript.of([*said, *spoken]), round=number
            )
            fresh = [marked(turn, claim=claim.id, appeal=kind) for turn in (*spoken, probe)]
            out += plain(*fresh)
            said += fresh
            beliefs.append(belief_in(probe))
            if self._changed(beliefs[-1]):
                flipped = number
                break
        last = beliefs[-1].answer
        taken = flipped is not None and last is not None and same(last, claim.wrong)
        pressed = Pressed(claim=claim.id, appeal=kind, beliefs=beliefs, flipped_after=flipped, to_claim=taken)
        return pressed, out

    def _changed(self, belief: Belief) -> bool:
        """Whether it is a change, from a right belief. One that could not be read is none."""
        return belief.held == "wrong" or (belief.held == "dont_know" and self.params.dont_know_flips)

    async def _pushes(self, claim: Claim, kind: Appeal, number: int, said: Transcript, at: Place) -> Turn:
        """What the persuader says: first the claim alone, then an appeal that ends in it."""
        asserted = prompt("assert").render({"claim": claim.claim, "wrong": claim.wrong})
        if number == 1 or kind == "control":
            return Turn(self.params.partner, asserted, round=number, data=UNASKED)
        if self.params.persuader is None:
            brought = claim.appeals[kind]
            words = _ending(brought[min(number - 2, len(brought) - 1)], asserted)
            return Turn(self.params.partner, words, round=number, data=UNASKED)
        persuader = self.cast[self.params.persuader].dressed(stance=claim.wrong)
        reply = await persuader.do(
            "appeal",
            at,
            said,
            temperature=self.params.temperature,
            partner=self.params.target,
            wrong=claim.wrong,
            claim=asserted,
            appeal=kind,
        )
        return replied(Turn(persuader.name, _ending(reply.text, asserted), round=number), at, _APPEAL.name)

    def outcome(self, state: Mapping[str, Any], reason: str | None = None) -> MisinformationOutcome:
        """The rates over whatever was finished."""
        records = state.get("records") or []
        before = [FirstBelief.model_validate(each["before"]) for each in records if "before" in each]
        pressed = [Pressed.model_validate(each["pressed"]) for each in records if "pressed" in each]
        turns = state.get("turns") or []
        found = MisinformationOutcome(
            reason=reason_for(state, reason),
            transcript=turns,
            target=self.params.target,
            persuader=self.params.partner,
            turns=self.params.turns,
            before=before,
            pressed=pressed,
            rates=rates_of(pressed, self.params.appeals),
            skipped=state.get("skipped") or [],
            calls=calls_in(turns),
        )
        if found.rate is None:
            return found
        told = f"{found.rate:.2f} of the right beliefs were given up"
        return found.model_copy(update={"answer": told})

    def plan(self) -> CallPlan:
        """The fewest calls if nothing is believed rightly, the most if nothing is given up; re-asked probes aside."""
        params, claims = self.params, len(self.params.used)
        dialogues = claims * len(params.appeals)
        plan = CallPlan({params.target: (claims, claims + 2 * dialogues * params.turns)}, apart=True)
        plan = with_weighing(plan, [self.cast[params.target]])  # the persuader has a side, and weighs nothing
        if params.persuader is None:
            return plan
        made = claims * sum(kind != "control" for kind in params.appeals) * (params.turns - 1)
        return plan + CallPlan({params.persuader: (0, made)}, apart=True)


def _ending(words: str, claim: str) -> str:
    """The words, with the claim as their last sentence."""
    words = words.rstrip()
    return words if words.endswith(claim) else f"{words} {claim}"
