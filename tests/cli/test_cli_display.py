"""What is shown of a run while it goes on, and of its result."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from maieutic.cli.live import LiveDisplay, rich_report
from maieutic.cli.plain import PlainDisplay
from maieutic.cli.report import plain_report
from maieutic.cli.scene import Headline, Scene, clean, money, quantity
from maieutic.memory import MODERATOR, Event

HEAD = Headline("Should cities ban cars?", ["Ada", "Bo", "Judge"], rounds=2, simulated=True)
LONG = "Streets are the largest public space that a city owns, and most of it is lent to parked steel. " * 3


def turn(speaker: str, content: str, round_: int, **more: Any) -> Event:
    return Event("turn", "0/0", {"speaker": speaker, "content": content, "round": round_, **more})


def stands(speaker: str, answer: str, confidence: float, round_: int) -> Event:
    data = {"answer": answer, "confidence": confidence}
    return turn(speaker, f"Answer: {answer}", round_, kind="probe", data=data)


def call(usd: float | None = 0.001, *, from_journal: bool = False) -> Event:
    usage = {"prompt": 900, "completion": 100, "cached": None, "reasoning": None}
    return Event(
        "call", "0/0", {"agent": "Ada", "model": "m", "usage": usage, "usd": usd, "from_journal": from_journal}
    )


STORY = [
    Event("turn", "0/0", {"speaker": MODERATOR, "content": "Question: …"}),
    stands("Ada", "yes", 0.5, 0),
    stands("Bo", "no", 0.75, 0),
    turn("Ada", LONG, 1),
    Event("retry", "0/0", {"model": "m", "kind": "rate_limit", "message": "Too many requests.", "wait": 1.5}),
    turn("Bo", "I grant that.", 1),
    stands("Ada", "yes", 0.8, 1),
    stands("Bo", "yes", 0.5, 1),
    call(),
]


def shown(width: int, *, colour: bool = False, **options: Any) -> str:
    out = StringIO()
    console = Console(file=out, width=width, force_terminal=True, no_color=not colour, highlight=False)
    display = LiveDisplay(HEAD, console=console, **options)
    display.begin()
    for event in STORY:
        display.on_event(event)
    display.end()
    return out.getvalue()


@pytest.mark.parametrize("width", [40, 80, 140])
def test_nothing_is_wider_than_the_terminal_or_lost(width: int) -> None:
    lines = [clean(line) for line in shown(width).splitlines()]
    assert max(map(len, lines)) <= width
    text = " ".join(line.removeprefix("▌ ").strip() for line in lines)
    for words in (
        "Should cities ban cars?",
        "round 1 of 2",
        "before the debate",
        "I grant that.",
        "Too many requests.",
    ):
        assert words in text
    assert clean(LONG).strip() in text  # every word of a long speech


def test_speech_is_wrapped_to_a_readable_measure_on_a_wide_terminal() -> None:
    spoken = [clean(line) for line in shown(200).splitlines() if "▌" in line]
    assert max(map(len, spoken)) <= 100


def test_a_change_of_mind_is_marked() -> None:
    assert "0.50 yes  was no" in clean(shown(80))


def test_without_colour_no_colour_is_sent() -> None:
    assert "\x1b[3" not in shown(80).replace("\x1b[3A", "").replace("\x1b[3K", "")
    assert "\x1b[36m" in shown(80, colour=True)


def test_routes_and_calls_are_told_on_demand() -> None:
    assert "asked m: 900+100 tokens, $0.0010" in shown(100, verbose=True)
    assert "asked m" not in shown(100)


def test_text_shows_as_it_comes_and_a_restart_begins_anew() -> None:
    scene = Scene(HEAD)
    for piece in ({"text": "Well, "}, {"text": "yes"}, {"text": "No", "restart": True}, {"text": "!\x1b[2J"}):
        scene.take(Event("text", "0/0", {"speaker": "Ada", **piece}))
    assert scene.speaking == {"Ada": "No!"}
    scene.take(turn("Ada", "No!", 1))
    assert scene.speaking == {}


def test_the_scene_counts_calls_tokens_and_money() -> None:
    scene = Scene(Headline("q"))
    for event in (call(0.25), call(None), call(0.0, from_journal=True)):
        scene.take(event)
    assert scene.spent() == "3 calls · 3.0k tokens · $0.2500 and unknown prices · 1 from the journal"


def test_plain_lines_tell_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    display = PlainDisplay(HEAD)
    display.begin()
    for event in STORY:
        display.on_event(event)
    display.end()
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Should cities ban cars?  [simulated]\nwith Ada, Bo, Judge\n\nBefore the debate\n")
    assert "  Bo stands at yes (0.50)\n" in err
    assert "  ! m: Too many requests.; again in 1.5 s\n" in err
    assert MODERATOR not in err


RESULT: dict[str, Any] = {
    "id": "r1",
    "status": "done",
    "reason": "answered",
    "answer": "yes",
    "simulated": True,
    "seconds": 2.0,
    "outcome": {
        "decided_by": "majority 2 of 3",
        "votes": {"Ada": ["yes"], "Bo": ["yes"], "Cy": ["no"]},
        "tally": {"yes": 2.0, "no": 1.0},
        "minority": [{"answer": "no", "held_by": ["Cy"], "arguments": {"Cy": LONG}}],
        "positions": {
            "Ada": [{"answer": "yes", "confidence": 0.5, "round": 0}, {"answer": "yes", "confidence": 0.9, "round": 1}],
            "Bo": [{"answer": "no", "confidence": 0.5, "round": 0}, {"answer": "yes", "confidence": 0.6, "round": 1}],
        },
        "influence": [
            {"debater": "Bo", "round": 1, "before": "no", "after": "yes", "moved_by": ["Ada"], "label": "conformity"}
        ],
        "ended_by": "agreement",
        "rounds": 1,
        "baseline": {"answer": "no", "decided_by": "votes 4 of 7", "calls": 7},
        "skipped": [{"agent": "Cy", "act": "argue", "error": "timeout"}],
    },
    "ledger": {"total": {"calls": 7, "prompt": 900, "completion": 400, "usd": 0.5, "failed": {"timeout": 1}}},
}


def test_the_report_tells_how_it_was_decided_who_moved_whom_and_what_the_minority_says() -> None:
    text = plain_report(RESULT)
    for line in (
        "Answer: yes",
        "Note: simulated: these are simulated minds, not a language model",
        "Decided by: majority 2 of 3",
        "  Ada for yes, Bo for yes, Cy for no",
        "  Bo   no 0.50 → yes 0.60",
        "Who moved whom: Bo went from no to yes in round 1, having heard Ada (joined the majority)",
        "  no, held by Cy",
        "Baseline: self-consistency with 7 calls: no (votes 4 of 7), another answer",
        "Skipped: Cy could not argue: timeout",
        "Ended: after 1 round, by agreement",
        "Spent: 7 calls · 1.3k tokens · $0.5000 · 1 failed attempt · 2.0 s",
    ):
        assert line in text.splitlines()


@pytest.mark.parametrize("width", [60, 80, 140])
def test_the_report_in_colour_fits_and_says_no_less(width: int) -> None:
    out = StringIO()
    rich_report(RESULT, Console(file=out, width=width, force_terminal=True))
    lines = [clean(line) for line in out.getvalue().splitlines()]
    assert max(map(len, lines)) <= width
    text = " ".join(" ".join(lines).split())
    for words in ("simulated minds", "majority 2 of 3", "no 0.50 → yes 0.60", "joined the majority", "held by Cy"):
        assert words in text


def test_unknown_prices_are_not_shown_as_nothing() -> None:
    unknown = {"total": {"calls": 2, "unknown_price": 2}}
    assert "price unknown" in plain_report({**RESULT, "ledger": unknown})
    some = {"total": {"calls": 2, "usd": 1.5, "unknown_price": 1}}
    assert "$1.50 and 1 calls of unknown price" in plain_report({**RESULT, "ledger": some})


def test_amounts_for_people() -> None:
    assert [quantity(n) for n in (0, 999, 1000, 12_345, 999_999, 2_500_000)] == [
        "0",
        "999",
        "1.0k",
        "12.3k",
        "1.0M",
        "2.5M",
    ]
    assert [money(usd) for usd in (0, 0.00001, 0.0012, 3)] == ["$0", "<$0.0001", "$0.0012", "$3.00"]
