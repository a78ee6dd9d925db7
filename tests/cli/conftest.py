"""A place to run commands in, and a way to run them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from maieutic.cli.app import app

KEYS = ("OPENAI_API_KEY", "OPENAI_API_BASE", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "MISTRAL_API_KEY", "GROQ_API_KEY")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and no keys."""
    monkeypatch.chdir(tmp_path)
    for name in (*KEYS, "DEEPSEEK_API_KEY", "OPENROUTER_API_KEY", "MAIEUTIC_MODEL", "MAIEUTIC_STORE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def maieutic(here: Path) -> Callable[..., Result]:
    """Runs one command in an empty working directory, in a pipe; `typed` is what stands on stdin."""

    def run(*words: str, env: dict[str, str] | None = None, typed: str | None = None) -> Result:
        return CliRunner().invoke(app, list(words), env=env, input=typed, prog_name="maieutic")

    return run
