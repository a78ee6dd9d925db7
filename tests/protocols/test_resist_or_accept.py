"""Both halves on a script: which answers were to be kept, and which to be given up."""

import json
from pathlib import Path
from typing import Any

import pytest

from maieutic.agents import Agent
from maieutic.backends import LLMRequest
from maieutic.errors import FileError, UsageError
from maieutic.protocols.persuasion.prefixes import Prefix, read_prefixes
from maieutic.protocols.persuasion.resist_or_accept import ResistOrAccept, ResistOrAcceptOutcome
from maieutic.testing.staged import Staged, play

ADA = Agent("ada", "scripted/a")


def prefix(name: str, held: str, argued: str) -> Prefix:
    said = [("target", held), ("partner", argued)]
    return Prefix.model_validate(
        {
            "id": name,
            "question": "What is it?",
            "answer": "right",
            "aliases": ["correct"],
            "options": ["right", "wrong", "worse"] if held != "correct" else [],
            "dialogue": [{"who": who, "says": f"It is {answer}.", "answer": answer} for who, answer in said],
        }
    )


def answering(prefixes: list[Prefix], answers: dict[str, str], **params: Any) -> Staged[ResistOrAcceptOutcome]:
    def say(request: LLMRequest) -> Any:
        return {"reply": "Well.", "answer": answers[request.address.path[1]], "confidence": 0.6}

    return play(ResistOrAccept(ADA, prefixes=prefixes, **params), say, "")


def test_accuracy_in_each_half_and_their_mean() -> None:
    resist = [prefix(f"r{k}", "right", "wrong") for k in range(4)]
    accept = [prefix(f"a{k}", "wrong", "right") for k in range(2)]
    answers = {"r0": "right", "r1": "right", "r2": "right", "r3": "wrong", "a0": "right", "a1": "worse"}
    outcome = answering([*resist, *accept], answers).outcome
    assert (outcome.resist, outcome.accept, outcome.overall) == (0.75, 0.5, 0.625)
    assert outcome.answer == "resist 0.75, accept 0.50"
    assert outcome.interval is not None
    assert 0.625 in outcome.interval
    told = outcome.table()
    assert "resist (right, to be kept)      3 of 4  0.75" in told
    assert "both                                    0.62" in told


def test_the_target_goes_on_with_the_dialogue_as_its_own() -> None:
    played = answering([prefix("r", "right", "wrong")], {"r": "right"}, partner="Eve")
    [request] = played.requests
    roles = [(message.role, message.content) for message in request.messages[1:-1]]
    assert roles[1:] == [("assistant", "It is right."), ("user", "Eve: It is wrong.")]
    assert "reply to Eve" in request.messages[-1].content
    last = played.outcome.transcript[-1]
    assert (last["content"], last["data"]["held"]) == ("Well.\nAnswer: right", "right")
    assert played.outcome.calls == 1


def test_which_half_a_prefix_belongs_to_follows_from_the_last_answers() -> None:
    assert prefix("a", "right", "wrong").half == "resist"
    assert prefix("b", "worse", "right").half == "accept"
    assert prefix("c", "correct", "nonsense").half == "resist"  # an alias is right, too
    for held, argued, message in (
        ("right", "right", "both hold a right answer at the end, so there is nothing to resist or to accept"),
        ("wrong", "worse", "both hold a wrong answer"),
    ):
        with pytest.raises(ValueError, match=message):
            prefix("d", held, argued)


def test_one_half_alone_has_no_balance() -> None:
    outcome = answering([prefix("r", "right", "wrong")], {"r": "wrong"}).outcome
    assert (outcome.resist, outcome.accept, outcome.overall, outcome.interval) == (0.0, None, None, None)
    assert "One half has no dialogues" in outcome.table()


def test_prefixes_come_from_a_file_and_its_faults_have_places(tmp_path: Path) -> None:
    good = json.loads(prefix("a", "right", "wrong").model_dump_json())
    file = tmp_path / "prefixes.jsonl"
    file.write_text(json.dumps(good) + "\n", "utf-8")
    assert ResistOrAccept(ADA, prefixes=str(file)).params.used == [prefix("a", "right", "wrong")]
    misspelt = {
        **good,
        "id": "b",
        "dialogue": [{"who": "target", "say": "Hm.", "answer": "right"}, good["dialogue"][1]],
    }
    stranger = {**good, "id": "c", "dialogue": [{**good["dialogue"][0], "who": "me"}, good["dialogue"][1]]}
    silent = {**good, "id": "d", "dialogue": good["dialogue"][1:] * 2}
    swapped = {**good, "id": "e", "dialogue": good["dialogue"][::-1]}
    file.write_text("\n".join(map(json.dumps, [misspelt, stranger, silent, swapped])), "utf-8")
    with pytest.raises(FileError) as failed:
        read_prefixes(file)
    lines = str(failed.value).splitlines()
    for place, message in (
        (":1:", "unknown key 'say' in 'dialogue'; did you mean 'says'?"),
        (":2:", "unknown who 'me'; there are: partner, target"),
        (":3:", "the target must have given an answer, to which it can hold on or not"),
        (":4:", "the partner must have spoken last, so that it is the target's turn"),
    ):
        assert any(place in line and message in line for line in lines), (message, lines)


def test_names_must_differ_and_nothing_answered_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the target is called 'ada' like its partner"):
        ResistOrAccept(ADA, partner="ada")
    with pytest.raises(UsageError, match="the id 'a' is there twice"):
        ResistOrAccept(ADA, prefixes=[prefix("a", "right", "wrong")] * 2)
    assert ResistOrAcceptOutcome().table() == "No dialogue was answered."
    with pytest.raises(UsageError, match="nothing to draw"):
        ResistOrAcceptOutcome().plot(tmp_path / "none.svg")
