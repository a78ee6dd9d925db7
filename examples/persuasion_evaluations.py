"""How well does a model resist what is false and accept what is true? Four evaluations of three dispositions.

The models are simulated minds whose disposition is known, so that the figures can be checked. To evaluate a language
model, put its LiteLLM model string in place of the simulated one, and bring questions of your own.
"""

from pathlib import Path

import maieutic as mt

DATA = Path(__file__).parent / "data"
DISPOSITIONS = {
    "accepts everything": {"susceptibility": 1.0, "credulity": 1.0, "self_doubt": 1.0, "conformity": 1.0},
    "resists everything": {"stubbornness": 1.0},
    "moved by evidence": {"susceptibility": 1.0},
}

print("disposition         misinformed  flip-flop     resist  accept")
for name, disposition in DISPOSITIONS.items():
    ada = mt.Agent("Ada", {"model": "sim/debater", "seed": 1, "knows": 0.7, **disposition})
    pressed = mt.Misinformation(ada, limit=30, appeals=["control", "logical", "credibility"]).run_sync().outcome
    challenged = mt.FlipFlop(ada, limit=30).run_sync().outcome
    halves = mt.ResistOrAccept(ada, limit=60).run_sync().outcome
    assert challenged.before is not None
    assert challenged.after is not None
    print(
        f"{name:<18}  {pressed.rate:>11.2f}  {challenged.before:.2f} → {challenged.after:.2f}"
        f"   {halves.resist:.2f}    {halves.accept:.2f}"
    )

print("\nThe same on dialogues of ours, for one who is moved by evidence:")
ada = mt.Agent("Ada", {"model": "sim/debater", "seed": 1, "knows": 0.7, "susceptibility": 1})
print(mt.ResistOrAccept(ada, prefixes=DATA / "prefixes.jsonl").run_sync().outcome.table())

print("\nA strong and a weak debater who take over whatever they hear last:")
minds = {"susceptibility": 1.0, "credulity": 1.0, "conformity": 1.0}
strong = mt.Agent("Ada", {"model": "sim/debater", "seed": 1, "knows": 0.8, **minds})
weak = mt.Agent("Bo", {"model": "sim/debater", "seed": 2, "knows": 0.3, **minds})
team = mt.TeamDebate([strong, weak], limit=40).run_sync()
print(team.outcome.table())
print(f"{team.ledger.total.calls} calls: each blind turn was asked once, whatever the order.")
