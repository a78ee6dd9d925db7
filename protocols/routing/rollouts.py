"""Router-R1 episodes as training data: pieces with a mask, rows for TRL's GRPO and for verl.

What the environment wrote (information, corrections) is masked: a policy must not be trained on words that are not its
own. How episodes are split into training and test data is decided by task, by whoever writes the files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from maieutic.files.rows import write_rows

if TYPE_CHECKING:
    from maieutic.protocols.router_r1.outcome import RouterR1Outcome

__all__ = ["Masked", "masked", "pieces", "trl_row", "verl_row", "write_rows"]


@dataclass(frozen=True, slots=True)
class Masked:
    """A completion in tokens.

    Attributes:
        ids: Its tokens.
        mask: 1 where the router wrote the token, 0 where the environment did; as long as `ids`.
    """

    ids: list[int]
    mask: list[int]


def masked(episode: RouterR1Outcome, encode: Callable[[str], Sequence[int]]) -> Masked:
    """The completion in tokens, piece by piece, so that no token is half the router's and half the environment's.

    Args:
        episode: The episode.
        encode: A tokenizer that adds no special tokens: `lambda text: tok.encode(text, add_special_tokens=False)`.
    """
    ids: list[int] = []
    mask: list[int] = []
    for piece in pieces(episode):
        new = list(encode(str(piece["text"])))
        ids += new
        mask += [int(piece["train"])] * len(new)
    return Masked(ids, mask)


def pieces(episode: RouterR1Outcome) -> list[dict[str, Any]]:
    """The completion as `{"text", "train"}`, neighbours of one kind joined; joined all together they are its text."""
    found: list[dict[str, Any]] = []
    for segment in episode.segments:
        train = segment.by == "router"
        if found and found[-1]["train"] is train:
            found[-1]["text"] += segment.text
        else:
            found.append({"text": segment.text, "train": train})
    return found


def trl_row(episode: RouterR1Outcome, **provenance: Any) -> dict[str, Any]:
    """A row for TRL's GRPOTrainer: `prompt` in messages, and columns that a reward function reads.

    The columns are `question`, `answers` (the accepted ones), and of the recorded episode `completion` (messages),
    `segments` (see `pieces`), `answer`, `reward`, `reward_parts`, `calls` and `flags`. Rewards that are unknown are
    None.

    Args:
        episode: The episode.
        **provenance: Further columns: run, item, model, ….
    """
    return {
        "prompt": list(episode.prompt),
        "question": episode.question,
        "answers": list(episode.accepted),
        "completion": [{"role": "assistant", "content": episode.text}],
        "segments": pieces(episode),
        "answer": episode.answer,
        "reward": episode.reward.total,
        "reward_parts": _parts(episode),
        "calls": _calls(episode),
        "flags": [f"{one.round}:{one.flag}" for one in episode.flags],
        **provenance,
    }


def verl_row(
    episode: RouterR1Outcome, *, data_source: str = "maieutic", ability: str = "routing", **provenance: Any
) -> dict[str, Any]:
    """A row for verl: `data_source`, `prompt`, `ability`, `reward_model` (a rule with its ground truth), `extra_info`.

    Args:
        episode: The episode.
        data_source, ability: As verl has them; a reward function is chosen by the first.
        **provenance: Further fields of `extra_info`: split, index, run, ….
    """
    return {
        "data_source": data_source,
        "prompt": list(episode.prompt),
        "ability": ability,
        "reward_model": {"style": "rule", "ground_truth": {"target": list(episode.accepted)}},
        "extra_info": {
            "question": episode.question,
            "segments": pieces(episode),
            "answer": episode.answer,
            "reward": episode.reward.total,
            "reward_parts": _parts(episode),
            "calls": _calls(episode),
            **provenance,
        },
    }


def _parts(episode: RouterR1Outcome) -> dict[str, float | None]:
    reward = episode.reward
    outcome = {"format": float(reward.format), "outcome": reward.outcome}
    return {**outcome, "cost": reward.cost, "raw_cost": reward.raw_cost}


def _calls(episode: RouterR1Outcome) -> list[dict[str, Any]]:
    return [
        {
            "round": call.round,
            "name": call.name,
            "query": call.query,
            "reply": call.reply,
            "completion_tokens": call.completion,
            "cost": call.cost,
            "seconds": call.seconds,
        }
        for call in episode.calls
    ]
