"""Text to token numbers and back, and the chat template, as the folder of a model has them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from tokenizers import Tokenizer

from maieutic.memory.transcript import Message

__all__ = ["Tokens"]


class Tokens:
    """The tokenizer in a model's folder.

    Attributes:
        end: The number of the token that ends a turn.

    Raises:
        ValueError: It has another chat template than the tiny models.
    """

    def __init__(self, folder: Path) -> None:
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        end = self._tokenizer.token_to_id("<|end|>")
        if end is None:
            raise ValueError("its tokenizer has no token <|end|>")
        self.end = end
        self.piece = cache(self._piece)

    def encode(self, text: str) -> tuple[int, ...]:
        """The tokens of a text; `<|user|>` and its like are one token each."""
        return tuple(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def text(self, tokens: Sequence[int]) -> str:
        """The text of generated tokens."""
        return str(self._tokenizer.decode(list(tokens), skip_special_tokens=True))

    def chat(self, messages: Iterable[Message]) -> tuple[int, ...]:
        """The tokens of a conversation in which the model speaks next: the folder's chat template."""
        said = "".join(f"<|{message.role}|>{message.content}<|end|>" for message in messages)
        return self.encode(f"{said}<|assistant|>")

    def _piece(self, token: int) -> str:
        """One token as text, the space before a word included; part of a character as the vocabulary spells it."""
        text = str(self._tokenizer.decode([token], skip_special_tokens=False))
        return str(self._tokenizer.id_to_token(token)) if "\ufffd" in text else text
