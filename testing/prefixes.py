"""What a prefix cache can save: the fewest prompt tokens that an engine has to compute for the calls it was sent.

Tokens are compared as the engine numbers them, so the figures are exact: nothing here estimates.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["Sent", "distinct_prefixes", "least_computed"]

_ROOT = 0


@dataclass(frozen=True, slots=True)
class Sent:
    """One call as the engine saw it.

    Attributes:
        prompt: The numbers of the prompt's tokens, in order; at least one.
        reply: Those of the tokens that it wrote.
    """

    prompt: tuple[int, ...]
    reply: tuple[int, ...] = ()


def distinct_prefixes(prompts: Iterable[Sequence[int]]) -> int:
    """How many different token prefixes the prompts have, each counted once however many prompts begin with it.

    These are the nodes of the prompts' trie without its root. No engine that keeps nothing but prompts computes fewer
    tokens. Linear in the number of tokens.
    """
    seen: dict[tuple[int, int], int] = {}
    for prompt in prompts:
        node = _ROOT
        for token in prompt:
            node = seen.setdefault((node, token), len(seen) + 1)
    return len(seen)


def least_computed(calls: Iterable[Sent], block: int = 1) -> int:
    """How many prompt tokens a cache of full blocks that forgets nothing leaves to be computed.

    That is vLLM's rule, with room for everything: a prompt finds its leading full blocks if the same tokens stood at
    the beginning of an earlier call, in its prompt or in the reply that went on from it, and the last token of a prompt
    is computed even if all of it is known. A reply's last token is never read by the network, so it fills no block.

    Args:
        calls: In the order in which they were sent; each is taken to be finished before the next begins.
        block: Tokens of a block; 1 or more.
    """
    seen: dict[tuple[int, tuple[int, ...]], int] = {}
    computed = 0
    for call in calls:
        whole = len(call.prompt)
        found = _known(call.prompt[: whole - 1], seen, block)
        computed += whole - found
        _learn((*call.prompt, *call.reply[:-1]), seen, block)
    return computed


def _blocks(tokens: Sequence[int], block: int) -> Iterable[tuple[int, ...]]:
    """The full ones, in order."""
    return (tuple(tokens[start : start + block]) for start in range(0, len(tokens) - block + 1, block))


def _known(tokens: Sequence[int], seen: dict[tuple[int, tuple[int, ...]], int], block: int) -> int:
    """How many of the tokens stand in leading full blocks that were seen."""
    node, found = _ROOT, 0
    for one in _blocks(tokens, block):
        if (node, one) not in seen:
            break
        node, found = seen[node, one], found + block
    return found


def _learn(tokens: Sequence[int], seen: dict[tuple[int, tuple[int, ...]], int], block: int) -> None:
    node = _ROOT
    for one in _blocks(tokens, block):
        node = seen.setdefault((node, one), len(seen) + 1)
