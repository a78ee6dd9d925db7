"""Router-R1 on questions of the bundled world: a router that knows little consults models that know one subject each.

It is compared with asking always the same model, and then a model joins the pool. Runs offline: router and experts are
simulated. Give them LiteLLM model strings ("openai/gpt-5-mini", "hosted_vllm/Qwen3-4B", …) and nothing else changes.
"""

import asyncio
import tempfile
from collections.abc import Mapping
from pathlib import Path

import maieutic as mt
from maieutic.backends.sim import load_world
from maieutic.protocols.router_r1 import RouterR1Outcome
from maieutic.protocols.routing import Pool, RouterReward, trl_row, write_rows

WORLD = load_world()
TOPICS = ("astronomy", "biology", "history")
QUESTIONS = [q for q in WORLD.questions.values() if WORLD.topic_of(q) in TOPICS][::2]


def expert(seed: int, skills: dict[str, float], rest: float) -> dict[str, object]:
    """A simulated model that is right with these chances, by topic."""
    return {"model": "sim/expert", "seed": seed, "skills": skills, "skill": rest, "knows": 0.0, "misconceptions": 0.0}


POOL = Pool.model_validate(
    {
        "Stargazer": {
            "model": expert(1, {"astronomy": 0.95}, 0.1),
            "capability": "Small model for astronomy.",
            "price": {"input": 0.05, "output": 0.2},
        },
        "Naturalist": {
            "model": expert(2, {"biology": 0.95}, 0.1),
            "capability": "Small model for biology.",
            "price": {"input": 0.05, "output": 0.2},
        },
        "Polymath": {
            "model": expert(3, {}, 0.75),
            "capability": "Strong at everything.",
            "price": {"input": 2.0, "output": 8.0},
        },
    }
)
HISTORIAN = {
    "Chronicler": {
        "model": expert(4, {"history": 0.95}, 0.1),
        "capability": "Small model for history.",
        "price": {"input": 0.05, "output": 0.2},
    }
}


async def ask_all(pool: Pool, reward: RouterReward, added: Mapping[str, object] | None = None) -> list[RouterR1Outcome]:
    """One episode a question. The reward's window of costs goes on from one to the next."""
    router = mt.Router("rita", {"model": "sim/router", "knows": 0.0, "seed": 7})
    program = mt.RouterR1(router=router, pool=pool, rounds=3)
    episodes = []
    for question in QUESTIONS:
        accepted = [question.answer, *question.aliases]
        episode = await program.perform(question.text, accepted=accepted, added=dict(added or {}))
        episodes.append(episode.scored(reward))
    return episodes


def told(name: str, episodes: list[RouterR1Outcome]) -> None:
    right = sum(episode.reward.outcome or 0 for episode in episodes) / len(episodes)
    cost = sum(episode.reward.raw_cost or 0 for episode in episodes) / len(episodes)
    calls = sum(len(episode.calls) for episode in episodes) / len(episodes)
    reward = sum(episode.reward.total or 0 for episode in episodes) / len(episodes)
    print(f"{name:<28} {right:>5.0%} right  {cost:>6.1f} cost  {calls:.2f} calls  {reward:.2f} reward")


async def main() -> None:
    print(f"{len(QUESTIONS)} questions; cost in millionths of a US dollar a question; reward with alpha 0.3")
    for candidate in POOL.candidates:
        told(f"always {candidate.name}", await ask_all(Pool(candidates=(candidate,)), RouterReward(alpha=0.3)))
    episodes = await ask_all(POOL, RouterReward(alpha=0.3))
    told("Router-R1", episodes)
    told("Router-R1 and Chronicler", await ask_all(POOL, RouterReward(alpha=0.3), added=HISTORIAN))
    longest = max(episodes, key=lambda episode: len(episode.calls))
    print(f"\n{longest.question}\n{longest.text}\n\n{longest.table()}")
    with tempfile.TemporaryDirectory() as folder:
        path = write_rows((trl_row(episode) for episode in episodes), Path(folder) / "rollouts.jsonl")
        print(f"\n{len(path.read_text('utf-8').splitlines())} rollouts written, with the environment's words masked")


if __name__ == "__main__":
    asyncio.run(main())
