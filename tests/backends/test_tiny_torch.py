"""The folders of the tiny models are what transformers reads, and numpy calculates the same. Needs torch."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maieutic.backends.tiny.arithmetic import items
from maieutic.backends.tiny.catalogue import WEIGHTS, loaded, names
from maieutic.backends.tiny.generate import Prompt, generate
from maieutic.backends.tiny.train import Recipe, train
from maieutic.memory.transcript import Message

pytestmark = pytest.mark.torch

torch: Any = pytest.importorskip("torch", reason="torch is not installed (pip install torch transformers)")
transformers: Any = pytest.importorskip("transformers", reason="transformers is not installed")

QUESTIONS = [item["question"] for item in items(40, seed=8)]


@pytest.mark.parametrize("name", names())
def test_logits_are_those_of_transformers(name: str, record_property: Any) -> None:
    reference = transformers.AutoModelForCausalLM.from_pretrained(WEIGHTS / name).eval()
    tiny = loaded(WEIGHTS / name)
    worst = 0.0
    for question in QUESTIONS:
        read = np.array([tiny.tokens.chat([Message("user", f"{question} Explain.")])])
        with torch.no_grad():
            wanted = reference(input_ids=torch.tensor(read)).logits.numpy()
        found = tiny.network.read(read, tiny.network.cache(np.array([0])))
        worst = max(worst, float(np.abs(found - wanted).max()))
    record_property("largest difference", worst)
    print(f"{name}: largest difference {worst:.1e}")  # noqa: T201
    assert worst < 1e-4


@pytest.mark.parametrize("name", names())
def test_the_folders_tokenizer_and_chat_template_are_those_of_transformers(name: str) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(WEIGHTS / name)
    tiny = loaded(WEIGHTS / name).tokens
    dialogue = [("system", "You are Ada."), ("user", f"{QUESTIONS[0]} Explain."), ("assistant", "3+4=7. Answer: 7"),
                ("user", "Zürich, 東京 <|end|>")]  # fmt: skip
    wanted = tokenizer.apply_chat_template(
        [{"role": role, "content": content} for role, content in dialogue],
        add_generation_prompt=True,
        return_dict=False,
    )
    assert tiny.chat([Message(role, content) for role, content in dialogue]) == tuple(wanted)  # type: ignore[arg-type]
    assert tiny.text(tiny.encode("3+4=7. Answer: 7")) == "3+4=7. Answer: 7"
    assert tokenizer.eos_token_id == tiny.end


def test_transformers_generates_the_same_replies() -> None:
    folder = WEIGHTS / "student"
    reference = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    tiny = loaded(folder)
    prompts = [
        Prompt(tiny.tokens.chat([Message("user", f"{question} Explain.")]), most=80) for question in QUESTIONS[:12]
    ]
    for prompt, said in zip(prompts, generate(tiny.network, tiny.tokens, prompts), strict=True):
        made = reference.generate(input_ids=torch.tensor([prompt.tokens]), max_new_tokens=80, do_sample=False)
        assert tokenizer.decode(made[0, len(prompt.tokens) :], skip_special_tokens=True) == said.text


def test_training_is_decided_by_its_recipe_and_leaves_a_folder_that_answers(tmp_path: Path) -> None:
    for run in ("a", "b"):
        train(Recipe(steps=3, seed=7, gap=True, save_at=(2,)), tmp_path / run, compiled=False)
    stored = [(tmp_path / run / "model.safetensors").read_bytes() for run in ("a", "b")]
    assert stored[0] == stored[1]
    assert stored[0] != (tmp_path / "a" / "2" / "model.safetensors").read_bytes()
    for folder in (tmp_path / "a", tmp_path / "a" / "2"):
        tiny = loaded(folder)
        (said,) = generate(tiny.network, tiny.tokens, [Prompt(tiny.tokens.encode("Start 3"), most=5)])
        assert len(said.logprobs) <= 5
    shipped = (WEIGHTS / "student" / "tokenizer.json").read_text("utf-8")
    assert (tmp_path / "a" / "tokenizer.json").read_text("utf-8") == shipped
