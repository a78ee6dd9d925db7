"""A replay miss shows the nearest recorded request and what differs from it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from maieutic.memory import Entry, Journal, Message, RunRecord, explain_miss, fingerprint

SYSTEM = Message("system", "You are ada.")
QUESTION = Message("user", "Should cities ban cars?")


def entry(at: str, *said: str, agent: str = "ada", **request: Any) -> Entry:
    asked = {"model": "sim/debater", "temperature": 0.2} | request
    read = (SYSTEM, QUESTION, *(Message("user", text) for text in said))
    return Entry(at, "model", fingerprint(asked, read), asked, read, {"text": "…"}, agent)


RECORDED = [
    entry("0/0/debate#1/ada.argue#1"),
    entry("0/0/debate#1/bo.argue#1", "ada: Cars are loud.", agent="bo"),
    entry("0/0/debate#1/ada.argue#2", "bo: Cars are useful. They carry the old. They are warm."),
    entry("0/0/debate#1/judge.verdict", "ada: Cars are loud.", agent="judge"),
]


@pytest.fixture
def journal() -> Journal:
    async def fill(journal: Journal) -> None:
        for one in RECORDED:
            await journal.record("r", one)

    journal = Journal.open(None)
    journal.begin(RunRecord("r", "cars", 0.0, "debate"))
    asyncio.run(fill(journal))
    return journal


def miss(journal: Journal, wanted: Entry) -> str:
    return explain_miss(wanted, journal.nearest("r", wanted))


def test_the_entry_at_the_same_address_comes_first(journal: Journal) -> None:
    wanted = entry("0/0/debate#1/ada.argue#2", "bo: Cars are useful. They carry the young. They are warm.", seed=7)
    assert miss(journal, wanted) == "\n".join(
        [
            "Another request is recorded for the model entry of ada at 0/0/debate#1/ada.argue#2.",
            "It differs:",
            "  seed: recorded nothing, now 7",
            "  message 3 (user):",
            "    --- recorded",
            "    +++ now",
            "    @@ -1,3 +1,3 @@",
            "     bo: Cars are useful.",
            "    -They carry the old.",
            "    +They carry the young.",
            "     They are warm.",
        ]
    )


def test_elsewhere_the_same_agents_longest_common_beginning_is_nearest(journal: Journal) -> None:
    wanted = entry("0/0/debate#1/ada.argue#3", "bo: Cars are useful. They carry the old. They are warm.", "ada: No.")
    assert miss(journal, wanted) == "\n".join(
        [
            "Nothing is recorded for the model entry of ada at 0/0/debate#1/ada.argue#3.",
            "The nearest recorded request is at 0/0/debate#1/ada.argue#2. It differs:",
            "  message 4 (user) is new: 'ada: No.'",
        ]
    )


def test_the_same_request_at_another_address_is_told_as_such(journal: Journal) -> None:
    assert miss(journal, replace(RECORDED[1], at="0/0/talk#1/bo.argue#1")) == (
        "Nothing is recorded for the model entry of bo at 0/0/talk#1/bo.argue#1.\n"
        "The same request is recorded at 0/0/debate#1/bo.argue#1: the place changed, not the request "
        "(was a node renamed or a step added?)."
    )


def test_an_agent_that_never_spoke_is_compared_with_the_others(journal: Journal) -> None:
    text = miss(journal, entry("0/0/debate#1/cy.argue#1", "ada: Cars are loud!", agent="cy", temperature=0.7))
    assert "  temperature: recorded 0.2, now 0.7" in text
    assert "now cy" in text
    assert "    -ada: Cars are loud.\n    +ada: Cars are loud!" in text


def test_an_empty_run_has_no_nearest(journal: Journal) -> None:
    assert miss(journal, replace(RECORDED[0], at="0/0/tool#1", kind="tool", agent="")) == (
        "Nothing is recorded for the tool entry at 0/0/tool#1.\nThe run has no recorded entry of this kind at all."
    )


def test_long_differences_are_cut_short() -> None:
    schema = {f"field{n}": n for n in range(40)}
    one = entry("a", "\n".join(f"line {n}" for n in range(100)), "second", "third")
    other = entry("a", "\n".join(f"row {n}" for n in range(100)), "2nd", schema=schema)
    text = explain_miss(other, one)
    assert len(text.splitlines()) < 35
    assert "  and 28 more parameters" in text
    assert "more lines" in text
    assert "  messages 4, 5 of 5 differ, too" in text


def test_a_large_run_is_searched_in_bounded_time() -> None:
    async def fill(journal: Journal) -> None:
        async with asyncio.TaskGroup() as group:
            for n in range(2000):
                group.create_task(
                    journal.record("r", entry(f"{n}/0/ada.argue#1", f"bo: {n} " + "Cars are useful. " * 200))
                )

    journal = Journal.open(None)
    journal.begin(RunRecord("r", "cars", 0.0, "debate"))
    asyncio.run(fill(journal))
    found = journal.nearest("r", entry("1500/0/ada.argue#2", "bo: 1500 " + "Cars are useful. " * 190))
    assert found is not None
    assert found.at.endswith("/0/ada.argue#1")
