"""What a run came to, for people: the same items in plain text and in colour. It reads `Run.to_json()`."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from maieutic.cli.scene import clean, money, quantity
from maieutic.cli.tables import shortened
from maieutic.wording import amount

__all__ = ["SIMULATED", "Item", "plain_report", "report", "spent_line"]

SIMULATED = "simulated: these are simulated minds, not a language model"
_ANSWER = 32
"""How much of an answer is shown in a row of positions."""
_CONCEPTS = 12
"""How many concepts of a student model are shown; `--json` has all."""
_SKIPS = 10
"""How many failures that did not end the run are told; `--json` has all."""
_LINE = 240
"""How much of a losing argument is quoted; `maieutic runs show` has all of it."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to say, under a label."""

    label: str
    lines: tuple[str, ...]


def report(result: Mapping[str, Any]) -> list[Item]:
    """The items of a run's report, the answer first."""
    outcome = result.get("outcome") or {}
    return [item for item in _items(result, outcome) if item.lines]


def plain_report(result: Mapping[str, Any]) -> str:
    """The report as text without colour, one item a paragraph line, so that it can be searched."""
    out = []
    for item in report(result):
        first, *rest = item.lines
        if rest:
            out += [f"{item.label}:", *(f"  {line}" for line in item.lines)]
        else:
            out.append(f"{item.label}: {first}")
    return "\n".join(out)


def _items(result: Mapping[str, Any], outcome: Mapping[str, Any]) -> Iterator[Item]:
    if result.get("answer") is not None or not result.get("table"):  # a lesson or an experiment comes to a table
        yield Item("Answer", _answer(result))
    if result.get("simulated"):
        yield Item("Note", (SIMULATED,))
    if outcome.get("decided_by"):
        yield Item("Decided by", (_decided(outcome),))
    yield Item("Reason", _verdict_reason(outcome))
    yield Item("Jury", tuple(_given(juror) for juror in outcome.get("jury") or ()))
    yield Item("Votes", _votes(outcome))
    yield Item("Positions", tuple(_positions(outcome.get("positions") or {})))
    yield Item("Who moved whom", tuple(_move(move) for move in outcome.get("influence") or ()))
    yield Item("Minority report", tuple(_minority(outcome)))
    yield Item("Baseline", _baseline(outcome))
    yield Item("Results", tuple(clean(result.get("table") or "").splitlines()))
    yield Item("Skipped", tuple(_skips(outcome.get("skipped") or ())))
    yield Item("Values", tuple(_values(outcome)))
    yield Item("Student", tuple(_student(outcome.get("student") or {})))
    yield Item("Ended", _ended(result, outcome))
    yield Item("Spent", (spent_line(result),))


def _answer(result: Mapping[str, Any]) -> tuple[str, ...]:
    answer = result.get("answer")
    return tuple(clean(str(answer)).strip().splitlines()) if answer is not None else ("no answer",)


def _decided(outcome: Mapping[str, Any]) -> str:
    verdict = outcome.get("verdict") or {}
    sure = verdict.get("confidence")
    return str(outcome["decided_by"]) + (f" ({verdict['judge']}, {sure:.2f} sure)" if sure is not None else "")


def _verdict_reason(outcome: Mapping[str, Any]) -> tuple[str, ...]:
    reason = (outcome.get("verdict") or {}).get("reason")
    return (clean(reason),) if reason else ()


def _given(verdict: Mapping[str, Any]) -> str:
    sure = verdict.get("confidence")
    line = f"{verdict['judge']}: {verdict['answer']}" + (f" ({sure:.2f})" if sure is not None else "")
    return clean(line + (f", because {verdict['reason']}" if verdict.get("reason") else ""))


def _votes(outcome: Mapping[str, Any]) -> tuple[str, ...]:
    """Who voted for what. Votes that nobody cast, counted samples, stand in the table of the outcome."""
    votes: Mapping[str, Any] = outcome.get("votes") or {}
    tally: Mapping[str, float] = outcome.get("tally") or {}
    if len(votes) < 2 or not all(isinstance(choices, Sequence) for choices in votes.values()):
        return ()
    cast = ", ".join(f"{name} for {' > '.join(choices) or 'nothing'}" for name, choices in votes.items())
    counted = ", ".join(f"{answer} {points:g}" for answer, points in tally.items())
    return (clean(cast), clean(f"together {counted}")) if counted else (clean(cast),)


def _positions(positions: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[str]:
    width = max((len(name) for name in positions), default=0)
    for name, held in positions.items():
        steps = [f"{shortened(at['answer'], _ANSWER)}{_sure(at['confidence'])}" for at in held]
        if steps:
            yield f"{name:<{width}}  {' → '.join(steps)}"


def _sure(confidence: float | None) -> str:
    return "" if confidence is None else f" {confidence:.2f}"


def _move(move: Mapping[str, Any]) -> str:
    by = ", having heard " + " and ".join(move["moved_by"]) if move.get("moved_by") else ""
    kind = {"conformity": " (joined the majority)", "own": " (of its own accord)"}.get(move.get("label", ""), "")
    return clean(f"{move['debater']} went from {move['before']} to {move['after']} in round {move['round']}{by}{kind}")


def _minority(outcome: Mapping[str, Any]) -> Iterator[str]:
    for view in outcome.get("minority") or ():
        yield clean(f"{view['answer']}, held by {', '.join(view['held_by'])}")
        for name, argument in (view.get("arguments") or {}).items():
            yield f"{name}: “{textwrap.shorten(clean(argument), _LINE, placeholder=' …')}”"


def _baseline(outcome: Mapping[str, Any]) -> tuple[str, ...]:
    other = outcome.get("baseline")
    if not other:
        return ()
    same = "the same answer" if other.get("answer") == outcome.get("answer") else "another answer"
    calls = amount(other.get("calls") or 0, "call")
    return (clean(f"self-consistency with {calls}: {other.get('answer')} ({other.get('decided_by')}), {same}"),)


def _skips(acts: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield from (_skipped(act) for act in acts[:_SKIPS])
    if len(acts) > _SKIPS:
        yield f"and {len(acts) - _SKIPS} more"


def _skipped(act: Mapping[str, Any]) -> str:
    return clean(f"{act.get('agent')} could not {act.get('act')}: {act.get('error') or act.get('kind')}")


def _values(outcome: Mapping[str, Any]) -> Iterator[str]:
    """The last state of a graph of nodes, without the answer, which is said already."""
    for name, value in (outcome.get("state") or {}).items():
        if value is not None and name != "answer":
            yield f"{name} = {textwrap.shorten(clean(str(value)), _LINE, placeholder=' …')}"


def _student(student: Mapping[str, Any]) -> Iterator[str]:
    """What the student model of a graph of nodes came to believe."""
    mastery: Mapping[str, float] = student.get("mastery") or {}
    if mastery:
        shown = [f"{name} {share:.2f}" for name, share in list(mastery.items())[:_CONCEPTS]]
        more = f" and {len(mastery) - _CONCEPTS} more" if len(mastery) > _CONCEPTS else ""
        yield clean(f"mastery: {', '.join(shown)}{more}, after {amount(len(student.get('log') or ()), 'observation')}")
    if student.get("zone"):
        yield clean(f"ready to learn: {', '.join(student['zone'][:_CONCEPTS])}")


def _ended(result: Mapping[str, Any], outcome: Mapping[str, Any]) -> tuple[str, ...]:
    if result.get("status", "done") == "done":
        by = outcome.get("ended_by")
        return (f"after {amount(outcome['rounds'], 'round')}, by {by}",) if by and outcome.get("rounds") else ()
    status, reason = result["status"], result["reason"]
    return (f"{status}{f' ({reason})' if reason != status else ''}; this is what there was by then",)


def spent_line(result: Mapping[str, Any]) -> str:
    """Calls, tokens, money and time in one line; what is unknown is said to be unknown."""
    total = (result.get("ledger") or {}).get("total") or {}
    calls = total.get("calls", 0)
    parts = [amount(calls, "call"), f"{quantity(total.get('prompt', 0) + total.get('completion', 0))} tokens"]
    unknown = total.get("unknown_price", 0)
    if unknown and unknown == calls:
        parts.append("price unknown")
    else:
        parts.append(money(total.get("usd", 0.0)) + (f" and {unknown} calls of unknown price" if unknown else ""))
    failed = sum((total.get("failed") or {}).values())
    if failed:
        parts.append(amount(failed, "failed attempt"))
    if total.get("from_journal"):
        parts.append(f"{total['from_journal']} from the journal")
    if result.get("seconds") is not None:
        parts.append(f"{result['seconds']:.1f} s")
    return " · ".join(parts)
