"""A model for whole runs: what it says follows from what it is asked, so that equal runs say the same."""

from __future__ import annotations

from hashlib import sha256

import pytest

from maieutic.backends import LLMRequest, ScriptedModel
from maieutic.backends.journaled import schema_of
from maieutic.testing.fitting import fit_text


def answer(request: LLMRequest) -> str:
    asked = "\n".join(f"{message.role}: {message.content}" for message in request.messages)
    text = f"I say {sha256(f'{request.model.model} {asked}'.encode()).hexdigest()[:10]}."
    return text if request.output is None else fit_text(schema_of(request.output), text)


@pytest.fixture
def script() -> ScriptedModel:
    """Answers whatever it is asked, and remembers the requests."""
    return ScriptedModel(answer)
