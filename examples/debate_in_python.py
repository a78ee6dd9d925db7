"""A debate between simulated minds, beside its compute-matched baseline, and what the order of the seats does to it.

Runs offline. Give the debaters real models ("openai/gpt-5-mini", "hosted_vllm/Qwen3-4B", …) and nothing else changes.
"""

import asyncio

import maieutic as mt
from maieutic.protocols import DebateOutcome, when_agreed, when_judged, when_stable
from maieutic.protocols.order_effects import order_effects, seat_orders

QUESTION = "Should cities ban cars?"
AGENTS = {
    "Ada": mt.Debater("Ada", {"model": "sim/debater", "seed": 7, "lean": 3.0}, persona="You plan cities."),
    "Bo": mt.Debater(
        "Bo", {"model": "sim/debater", "seed": 8, "lean": -4.0, "susceptibility": 0.4}, persona="You drive a taxi."
    ),
    "Cy": mt.Debater("Cy", {"model": "sim/debater", "seed": 9, "lean": -1.5}),
}
JUDGE = mt.Judge("June", {"model": "sim/judge", "bias_first": 1.5})


async def debate(seats: tuple[str, ...]) -> DebateOutcome:
    protocol = mt.Debate(
        [AGENTS[name] for name in seats],
        judge=JUDGE,
        rounds=4,
        first_round="blind",
        stop=when_agreed() | when_stable() & when_judged(),
        baseline="self_consistency",
    )
    run = await protocol.run({"question": QUESTION, "options": ["yes", "no"]})
    assert isinstance(run.outcome, DebateOutcome)
    return run.outcome


def report(outcome: DebateOutcome) -> None:
    for turn in outcome.transcript:
        if turn.get("kind", "say") == "say":
            print(f"{turn['speaker']}: {turn['content']}\n")
    print(f"Answer: {outcome.answer} ({outcome.decided_by}, ended by {outcome.ended_by} after {outcome.rounds} rounds)")
    for name, positions in outcome.positions.items():
        print(f"  {name}: " + " → ".join(f"{held.answer} {held.confidence:.2f}" for held in positions))
    for move in outcome.influence:
        by = ", ".join(move.moved_by) or "nobody in particular"
        print(f"  {move.debater} went from {move.before} to {move.after} in round {move.round}, by {move.label} ({by})")
    for view in outcome.minority:
        print(f"  Minority: {view.answer}, held by {', '.join(view.held_by)}")
    if outcome.baseline is not None:
        print(f"Self-consistency with as many calls: {outcome.baseline.answer} ({outcome.baseline.decided_by})")


async def main() -> None:
    outcome = await debate(tuple(AGENTS))
    report(outcome)
    orders = seat_orders(list(AGENTS))
    effects = order_effects([await debate(seats) for seats in orders.orders], note=orders.note)
    wins = ["?" if share is None else f"{share:.2f}" for share in effects.seat_wins]
    print(f"Over {len(effects.orders)} orders of the seats: {effects.answers}, wins by seat {wins}")


if __name__ == "__main__":
    asyncio.run(main())
