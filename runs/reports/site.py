"""The report as a folder: its first page, pages of items, and a page for each dialogue, all linked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maieutic.errors import UsageError
from maieutic.memory import MODERATOR
from maieutic.runs.reports import words
from maieutic.runs.reports.pages import index_page, render
from maieutic.runs.scoring.base import RecordedRun
from maieutic.runs.statistics.goal_rates import goal_success

if TYPE_CHECKING:
    from maieutic.memory import Journal, Transcript
    from maieutic.runs.experiments.results import Result, Results
    from maieutic.runs.statistics.goal_rates import GoalSuccess
    from maieutic.runs.statistics.summary import Summary
    from maieutic.runs.two_runs import SideBySide

__all__ = ["goals_of", "write_diff", "write_page", "write_site"]

ITEMS = 200
"""Items on a page."""
_QUESTION = 160


@dataclass(frozen=True, slots=True)
class Chip:
    """One dialogue as it is shown among others: its score, in a colour, with a link if it has a page.

    Attributes:
        condition, text, answer: Of the dialogue.
        kind: "good", "part", "bad", or "" where there is no score.
        href: From the page it stands on, or "".
        here: Whether it is the one that the page shows.
    """

    condition: str
    text: str
    answer: str
    kind: str
    href: str = ""
    here: bool = False


def write_page(summary: Summary, path: Path | str, *, spec: Mapping[str, Any] | None = None, **told: Any) -> Path:
    """Write the report as one page that stands alone.

    Args:
        summary: What is told.
        path: The file.
        spec: The experiment file as plain JSON, to be shown.
        **told: See `index_page`.

    Raises:
        UsageError: The file cannot be written.
    """
    return _write(Path(path), index_page(summary, spec=spec, **told))


def write_diff(told: SideBySide, path: Path | str, *, simulated: bool = False) -> Path:
    """Write two runs side by side as a page.

    Raises:
        UsageError: The file cannot be written.
    """
    return _write(Path(path), render("diff.html.j2", told=told, simulated=simulated))


def write_site(
    results: Results,
    summary: Summary,
    folder: Path | str,
    *,
    journal: Journal | None = None,
    spec: Mapping[str, Any] | None = None,
    goals: Mapping[str, GoalSuccess] | None = None,
    dialogues: int = 1000,
    on_progress: Callable[[int], None] = lambda done: None,
) -> Path:
    """Write the report as a folder of pages; the first one is `index.html`. Results are read as they are written.

    Args:
        results: The experiment's results.
        summary: What they came to.
        folder: The folder; it is made if there is none, and pages of an earlier report are written over.
        journal: Where the dialogues are recorded; without it there are no pages of dialogues.
        spec: The experiment file as plain JSON, to be shown.
        goals: Goals by condition, if they are computed already (`goals_of`).
        dialogues: Of so many dialogues, the first ones, a page is written.
        on_progress: Told how many results have been dealt with.

    Raises:
        UsageError: A file cannot be written.
    """
    site = _Site(results, summary, Path(folder), journal, dialogues if journal is not None else 0)
    total = 0
    for number, rows in enumerate(_by_page(results), 1):
        total += site.page(number, rows)
        on_progress(total)
    return write_page(
        summary,
        site.folder / "index.html",
        spec=spec,
        goals=goals_of(results) if goals is None else goals,
        items="items-1.html",
        dialogues=site.written,
        left_out=total - site.written,
    )


def goals_of(results: Results) -> dict[str, GoalSuccess]:
    """Goals by condition, where they were assessed."""
    found = {name: goal_success(results.where(condition=name)) for name in results.conditions}
    return {name: goals for name, goals in found.items() if goals is not None}


def _by_page(results: Results) -> Iterator[list[list[Result]]]:
    """The results of so many items at a time, item by item."""
    page: list[list[Result]] = []
    for _, of_item in groupby(results, key=lambda result: result.item):
        page.append(list(of_item))
        if len(page) == ITEMS:
            yield page
            page = []
    if page:
        yield page


class _Site:
    """A report that is being written."""

    def __init__(
        self, results: Results, summary: Summary, folder: Path, journal: Journal | None, dialogues: int
    ) -> None:
        self.results, self.summary, self.folder, self.journal = results, summary, folder, journal
        self.scorer = next(iter(summary.scorers), "")
        self.written = 0
        self._most = dialogues
        self._pages = max(1, ceil(max(row.items for row in summary.conditions) / ITEMS))

    def page(self, number: int, items: Sequence[Sequence[Result]]) -> int:
        """Write a page of items and the pages of their dialogues; how many results there are."""
        rows = [self._row(number, of_item) for of_item in items]
        text = render(
            "items.html.j2",
            experiment=self.summary.experiment,
            scorer=self.scorer,
            conditions=[row.name for row in self.summary.conditions],
            rows=rows,
            page=number,
            pages=range(1, self._pages + 1),
        )
        _write(self.folder / f"items-{number}.html", text)
        return sum(len(of_item) for of_item in items)

    def _row(self, page: int, of_item: Sequence[Result]) -> dict[str, Any]:
        first = of_item[0]
        item = self.results.item(first.item)
        question = "" if item is None else item.question
        chips: dict[str, list[Chip]] = {}
        names = {n: self._name(n, result) for n, result in enumerate(of_item)}
        for n, result in enumerate(of_item):
            href = f"dialogues/{names[n]}" if names[n] else ""
            chips.setdefault(result.condition, []).append(self._chip(result, href))
            if names[n]:
                others: dict[str, list[Chip]] = {}
                for m, other in enumerate(of_item):
                    chip = self._chip(other, "" if m == n else names[m])
                    others.setdefault(other.condition, []).append(replace(chip, here=m == n))
                self._dialogue(page, names[n], result, question, others)
        return {
            "item": first.item,
            "question": _short(question, _QUESTION),
            "target": _short(" / ".join(first.target), _QUESTION // 2),
            "chips": chips,
        }

    def _name(self, n: int, result: Result) -> str:
        """The file of a dialogue's page; "" if it gets none."""
        if self.written >= self._most or self.journal is None:
            return ""
        self.written += 1
        return f"{self.written:06}.html"

    def _chip(self, result: Result, href: str) -> Chip:
        value = result.scores.get(self.scorer)
        answer = "no answer" if result.answer is None else _short(result.answer, _QUESTION)
        if value is None:
            return Chip(result.condition, "–" if result.status == "done" else result.status, answer, "", href)
        text = {1.0: "✓", 0.0: "✗"}.get(value, f"{value:.2f}")
        kind = "good" if value >= 0.999 else "bad" if value <= 0.001 else "part"
        return Chip(result.condition, text, answer, kind, href)

    def _dialogue(
        self, page: int, name: str, result: Result, question: str, others: Mapping[str, Sequence[Chip]]
    ) -> None:
        assert self.journal is not None
        turns: Transcript | None = None
        if self.journal.holds(result.run_id):
            turns = RecordedRun.read(self.journal, self.journal.run(result.run_id)).turns
        notes = result.extra.get("scores", {})
        text = render(
            "dialogue.html.j2",
            result=result,
            page=page,
            question=question,
            scores=[
                (scorer, "not told" if value is None else f"{value:g}", notes.get(scorer, {}).get("why", ""))
                for scorer, value in result.scores.items()
            ],
            took=_took(result),
            others=others,
            turns=list(_told(turns)) if turns is not None else [],
        )
        _write(self.folder / "dialogues" / name, text)


def _took(result: Result) -> str:
    usd = "price unknown" if result.usd is None else words.cost("usd", result.usd)
    calls = f"{result.calls:,} call{'' if result.calls == 1 else 's'}"
    return f"{calls}, {result.tokens:,} tokens, {usd}, {result.seconds:.2f} s"


def _told(turns: Transcript) -> Iterator[dict[str, Any]]:
    """The turns with a heading where a round begins, and a note on who may know of a turn."""
    round_: int | None = None
    for turn in turns:
        heading = ""
        if turn.round and turn.round != round_:
            round_, heading = turn.round, f"Round {turn.round}"
        note = "off the record" if turn.kind == "probe" else ""
        if turn.audience is not None and turn.kind == "say":
            note = f"to {', '.join(sorted(turn.audience)) or 'nobody'}"
        who = "" if turn.speaker == MODERATOR else turn.speaker
        yield {
            "heading": heading,
            "who": who,
            "note": note,
            "probe": turn.kind == "probe",
            "said": turn.content.strip(),
        }


def _short(text: str, most: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _write(path: Path, text: str) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", errors="replace")  # models emit lone surrogates
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}.") from error
    return path
