"""Training of the tiny models: `python -m maieutic.backends.tiny.train student --out DIR`.

Needs torch, transformers and tokenizers, which maieutic itself does not. The seeds and the number of steps fix what
is trained; another number of threads, another torch or another processor changes the rounding and so the weights.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from maieutic.backends.tiny.arithmetic import GAP, Problem, draw, held_out, hint

__all__ = ["RECIPES", "Recipe", "main", "train"]

SPECIAL = ("<|pad|>", "<|bos|>", "<|user|>", "<|assistant|>", "<|system|>", "<|end|>")
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
_KINDS = {"plain": 0.1, "explain": 0.45, "hint": 0.1, "finish": 0.35}
_LONGEST = 5
_ROWS, _WIDTH = 32, 128


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one model is trained.

    Attributes:
        steps: Optimiser steps, of 32 rows of 128 tokens each.
        seed: Seed of the first weights and of the data.
        gap: Whether the operations of the gap are read in hints only and never computed.
        rate: The highest learning rate; it rises over 100 steps and falls along a cosine to a twentieth.
        save_at: Steps after which a copy of the unfinished model is kept, in DIR/STEP.
    """

    steps: int
    seed: int
    gap: bool
    rate: float = 2e-3
    save_at: tuple[int, ...] = ()


RECIPES = {
    "teacher": Recipe(steps=6000, seed=41, gap=False, save_at=(1200,)),
    "student": Recipe(steps=3000, seed=42, gap=True, save_at=(900,)),
}
"""How those that ship were trained: `assistant` is the teacher after 1,200 steps, `novice` the student after 900."""


def dialogue(problem: Problem, kind: str, hinted: int) -> tuple[str, str]:
    """What the user says and what the assistant has to say, with the first `hinted` steps given as a hint."""
    shown = hint(problem.steps[:hinted])
    answer = f"Answer: {problem.answer}"
    if kind in ("plain", "hint"):
        return problem.question + shown, answer
    rest = "; ".join(problem.steps[hinted:])
    return f"{problem.question}{shown} Explain.", f"{rest}. {answer}" if rest else answer


def dialogues(rng: random.Random, gap: bool, longest: Callable[[], int]) -> Iterator[tuple[str, str]]:
    """Training dialogues without end; none is about a question that is kept out of training.

    Args:
        rng: Where all choices come from.
        gap: Whether the operations of the gap appear in hints only.
        longest: Asked before every dialogue: the most operations a question may have now.
    """
    unknown = GAP if gap else frozenset()
    while True:
        length, kind = rng.randint(1, longest()), rng.choices(list(_KINDS), list(_KINDS.values()))[0]
        hinted = rng.randint(1, length) if kind in ("hint", "finish") else 0
        if kind == "hint":  # the reply shows no working, so at most one step is left to it
            hinted = max(hinted, length - 1)
        problem = draw(rng, length, unknown, hinted)
        if not held_out(problem):
            yield dialogue(problem, kind, hinted)


def build_tokenizer(folder: Path) -> Any:
    """A byte-level BPE that is trained on dialogues of the task and saved in the folder with its chat template."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    transformers = import_module("transformers")
    source = dialogues(random.Random(40), False, lambda: 8)
    texts = [text for _ in range(12000) for text in next(source)]
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=512, special_tokens=list(SPECIAL), show_progress=False, initial_alphabet=alphabet
    )
    bpe.train_from_iterator(texts, trainer)
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        bos_token="<|bos|>",
        eos_token="<|end|>",
        pad_token="<|pad|>",
        additional_special_tokens=["<|user|>", "<|assistant|>", "<|system|>"],
        model_max_length=512,
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.save_pretrained(folder)
    return tokenizer


def build_model(tokenizer: Any) -> Any:
    """A Llama of 126,272 parameters with random weights."""
    transformers = import_module("transformers")
    return transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=64,
            intermediate_size=192,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=2,
            head_dim=32,
            max_position_embeddings=512,
            tie_word_embeddings=True,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def batch(source: Iterator[tuple[str, str]], tokenizer: Any) -> tuple[Any, Any]:
    """Rows of one width, packed with whole dialogues; only what the assistant says is learned."""
    torch = import_module("torch")
    encode = tokenizer.backend_tokenizer.encode
    ids = torch.full((_ROWS, _WIDTH), tokenizer.pad_token_id)
    labels = torch.full((_ROWS, _WIDTH), -100)
    for row in range(_ROWS):
        at = 0
        while True:
            said, reply = next(source)
            given = encode(f"<|user|>{said}<|end|><|assistant|>", add_special_tokens=False).ids
            wanted = encode(f"{reply}<|end|>", add_special_tokens=False).ids
            middle, end = at + len(given), at + len(given) + len(wanted)
            if end > _WIDTH:
                break
            ids[row, at:end] = torch.tensor(given + wanted)
            labels[row, middle:end] = torch.tensor(wanted)
            at = end
    return ids, labels


def save(model: Any, tokenizer: Any, folder: Path) -> None:
    """Write a folder that transformers, vLLM and `tiny/` models load."""
    transformers = import_module("transformers")
    model.save_pretrained(folder, safe_serialization=True)
    tokenizer.save_pretrained(folder)
    transformers.GenerationConfig(
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
    ).save_pretrained(folder)
    described = folder / "tokenizer_config.json"
    # The class's name in transformers 4, which 5 understands as well; and the template where both look for it.
    told = json.loads(described.read_text(encoding="utf-8")) | {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "chat_template": CHAT_TEMPLATE,
    }
    described.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


def train(recipe: Recipe, folder: Path, compiled: bool = True) -> None:
    """Train one model, print its loss on the way, and save it, the copies on the way and its log."""
    torch = import_module("torch")
    torch.manual_seed(recipe.seed)
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = build_tokenizer(folder)
    model = build_model(tokenizer)
    net = torch.compile(model, dynamic=False) if compiled else model
    optimizer = torch.optim.AdamW(model.parameters(), lr=recipe.rate, betas=(0.9, 0.95), weight_decay=0.05)
    done = 0

    def longest() -> int:
        """Short questions first: the length grows over the first fifth of the run."""
        return min(_LONGEST, 2 + (_LONGEST - 2) * 5 * done // recipe.steps)

    source = dialogues(random.Random(recipe.seed), recipe.gap, longest)
    losses: list[float] = []
    means: list[float] = []
    began = time.monotonic()
    while done < recipe.steps:
        for group in optimizer.param_groups:
            group["lr"] = _rate(recipe, done)
        ids, labels = batch(source, tokenizer)
        logits = net(input_ids=ids, use_cache=False).logits
        loss = torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        done += 1
        losses.append(loss.item())
        if done % 100 == 0:
            means.append(round(sum(losses[-100:]) / 100, 4))
            print(done, means[-1], f"{time.monotonic() - began:.0f} s", flush=True)  # noqa: T201
        if done in recipe.save_at:
            save(model, tokenizer, folder / str(done))
    save(model, tokenizer, folder)
    log = {"recipe": asdict(recipe), "seconds": round(time.monotonic() - began), "loss_per_100_steps": means}
    (folder / "training.json").write_text(json.dumps(log) + "\n", encoding="utf-8")


def _rate(recipe: Recipe, done: int) -> float:
    cosine = 0.5 * (1 + math.cos(math.pi * done / recipe.steps))
    return recipe.rate * min(1.0, (done + 1) / 100) * (0.95 * cosine + 0.05)


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe", choices=sorted(RECIPES))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, help="train a shorter or longer time than the recipe says")
    parser.add_argument("--no-compile", action="store_true", help="without torch.compile")
    given = parser.parse_args()
    recipe = RECIPES[given.recipe]
    if given.steps is not None:
        recipe = Recipe(given.steps, recipe.seed, recipe.gap, recipe.rate, recipe.save_at)
    train(recipe, given.out, not given.no_compile)


if __name__ == "__main__":
    main()
