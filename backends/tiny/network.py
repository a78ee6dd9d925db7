"""The forward pass of a small Llama in numpy, with a cache of keys and values."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

__all__ = ["Cache", "Network"]

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

_FORBIDDEN = -1e30
_BLOCK = 64


@dataclass(slots=True)
class Cache:
    """What the rows of a batch have read so far.

    Attributes:
        keys, values: One array for each layer: rows × heads × columns × head size; columns from `length` on are free.
        padding: How many columns at the left of each row are padding.
        length: Columns that were read.
    """

    keys: list[Floats]
    values: list[Floats]
    padding: Whole
    length: int = 0

    def take(self, rows: Whole) -> Cache:
        """A cache of these rows in this order; a row may be taken more than once."""
        return Cache([k[rows] for k in self.keys], [v[rows] for v in self.values], self.padding[rows], self.length)

    def make_room(self, columns: int) -> None:
        """Widen it, in blocks, for that many columns more."""
        lacking = self.length + columns - self.keys[0].shape[2]
        if lacking > 0:
            more = [(0, 0), (0, 0), (0, -(-lacking // _BLOCK) * _BLOCK), (0, 0)]
            self.keys = [np.pad(k, more) for k in self.keys]
            self.values = [np.pad(v, more) for v in self.values]


class Network:
    """A Llama from a folder in the Hugging Face format.

    It calculates in double precision: a reply then does not depend on what else is in its batch (but for differences
    around 1e-15).

    Args:
        folder: Holds `config.json` and `model.safetensors`.

    Attributes:
        context: The most tokens of a prompt and its reply together.
    """

    def __init__(self, folder: Path) -> None:
        config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self.context = int(config["max_position_embeddings"])
        self._layers = int(config["num_hidden_layers"])
        self._heads = int(config["num_attention_heads"])
        self._size = int(config["head_dim"])
        self._epsilon = float(config["rms_norm_eps"])
        theta = float((config.get("rope_parameters") or config)["rope_theta"])
        self._frequencies: Floats = theta ** (-np.arange(0, self._size, 2) / self._size)
        stored = load_file(folder / "model.safetensors")
        self._weights: dict[str, Floats] = {name: w.astype(np.float64) for name, w in stored.items()}
        self._embedding = self._weights["model.embed_tokens.weight"]
        self._unembedding = self._weights.get("lm_head.weight", self._embedding).T.copy()

    def cache(self, padding: Whole) -> Cache:
        """An empty cache for rows with so much padding at their left."""
        shape = (len(padding), self._heads, 0, self._size)
        empty = [np.zeros(shape) for _ in range(2 * self._layers)]
        return Cache(empty[: self._layers], empty[self._layers :], padding)

    def read(self, tokens: Whole, cache: Cache) -> Floats:
        """Read on.

        Args:
            tokens: Rows × columns of token numbers; anything may stand in the padding.
            cache: What was read before; these tokens enter it.

        Returns:
            The scores (logits) of every next token: rows × columns × vocabulary.
        """
        cache.make_room(tokens.shape[1])
        columns = np.arange(cache.length, cache.length + tokens.shape[1])
        angles = np.maximum(columns - cache.padding[:, None], 0)[:, None, :, None] * self._frequencies
        turn = (np.cos(angles), np.sin(angles))
        known = np.arange(columns[-1] + 1)
        hidden = (known > columns[:, None])[None] | (known < cache.padding[:, None])[:, None, :]
        mask: Floats = np.where(hidden, _FORBIDDEN, 0.0)[:, None]
        state = self._embedding[tokens]
        for layer in range(self._layers):
            state = state + self._attend(layer, state, turn, mask, cache)
            state = state + self._feed(layer, state)
        cache.length += tokens.shape[1]
        return self._normed(state, "model.norm") @ self._unembedding

    def _attend(self, layer: int, state: Floats, turn: tuple[Floats, Floats], mask: Floats, cache: Cache) -> Floats:
        name = f"model.layers.{layer}"
        normed = self._normed(state, f"{name}.input_layernorm")
        query, key, value = (self._split(normed, f"{name}.self_attn.{part}_proj") for part in "qkv")
        query, key = _turned(query, *turn), _turned(key, *turn)
        end = cache.length + state.shape[1]
        cache.keys[layer][:, :, cache.length : end] = np.repeat(key, self._heads // key.shape[1], axis=1)
        cache.values[layer][:, :, cache.length : end] = np.repeat(value, self._heads // value.shape[1], axis=1)
        keys, values = cache.keys[layer][:, :, :end], cache.values[layer][:, :, :end]
        scores = query @ keys.swapaxes(2, 3) / np.sqrt(self._size) + mask
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        mixed = (weights @ values).swapaxes(1, 2).reshape(*state.shape[:2], -1)
        return self._times(mixed, f"{name}.self_attn.o_proj")

    def _feed(self, layer: int, state: Floats) -> Floats:
        name = f"model.layers.{layer}"
        normed = self._normed(state, f"{name}.post_attention_layernorm")
        gate = self._times(normed, f"{name}.mlp.gate_proj")
        opened = gate / (1.0 + np.exp(-gate)) * self._times(normed, f"{name}.mlp.up_proj")
        return self._times(opened, f"{name}.mlp.down_proj")

    def _normed(self, state: Floats, name: str) -> Floats:
        scale = 1.0 / np.sqrt((state * state).mean(axis=-1, keepdims=True) + self._epsilon)
        normed: Floats = state * scale * self._weights[f"{name}.weight"]
        return normed

    def _times(self, state: Floats, name: str) -> Floats:
        product: Floats = state @ self._weights[f"{name}.weight"].T
        return product

    def _split(self, state: Floats, name: str) -> Floats:
        """Multiplied, and cut into heads: rows × heads × columns × head size."""
        product = self._times(state, name)
        heads: Floats = product.reshape(*product.shape[:2], -1, self._size).swapaxes(1, 2)
        return heads


def _turned(heads: Floats, cosine: Floats, sine: Floats) -> Floats:
    """Rotary positions, the halves of a head paired as Llama pairs them."""
    half = heads.shape[-1] // 2
    first, second = heads[..., :half], heads[..., half:]
    return np.concatenate((first * cosine - second * sine, second * cosine + first * sine), axis=-1)
