"""Reports of an experiment: pages that stand alone and are linked, files for others, two runs side by side."""

import csv
import json
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest

from maieutic.errors import UsageError
from maieutic.memory import Journal, RunRecord, Turn
from maieutic.runs import side_by_side
from maieutic.runs.experiments import Result, Results, SampleItem
from maieutic.runs.reports import index_page, write_csv, write_diff, write_page, write_parquet, write_site
from maieutic.runs.reports.words import method
from maieutic.runs.statistics import Settings, Summary, summarise

EVIL = '<script>alert("x")</script> $\\frac{1}{0}$ \ud800'
ITEMS = [
    SampleItem(f"q{n}", {"question": f"Is {n} < 2? {EVIL}"}, ("yes" if n < 2 else "no",), family="ab"[n % 2])
    for n in range(6)
]


def results(journal: Journal | None = None, conditions: tuple[str, ...] = ("<b>once</b>", "debate $5")) -> Results:
    """Two conditions with three repeats of six items, as they stand in a journal."""
    made = []
    for item in ITEMS:
        for repeat in range(3):
            for n, condition in enumerate(conditions):
                run = f"{n}-{item.id}-{repeat}"
                right = float((int(item.id[1:]) + repeat * n) % 3 != 0)
                made.append(
                    Result(
                        "two & more",
                        condition,
                        item.id,
                        repeat,
                        1,
                        run,
                        "done",
                        "answered",
                        EVIL,
                        item.target,
                        {"exact_match": right, "judge": right / 2},
                        1 + 6 * n,
                        100 * (1 + n),
                        50,
                        0.01 * (1 + n),
                        1.5,
                        family=item.family,
                        simulated=True,
                        extra={"scores": {"exact_match": {"why": EVIL}}},
                    )
                )
                if journal is not None:
                    journal.begin(RunRecord(run, condition, 0.0, "debate"))
                    turns = [
                        Turn("ada", EVIL, round=1),
                        Turn("bo", "I pass.", kind="probe"),
                        Turn("bo", "hm", frozenset({"ada"})),
                    ]
                    outcome = {"outcome": {"transcript": [turn.to_json() for turn in turns]}}
                    journal.finish(run, status="done", outcome=outcome)
    failed = Result("two & more", conditions[0], "q0", 3, 1, "gone", "failed", "failed:server", error="down", usd=None)
    return Results.of([*made[:6], failed, *made[6:]], ITEMS)


@cache
def summed() -> Summary:
    return summarise(results())


class Page(HTMLParser):
    """What a browser would load from a page, and where its links lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name == "href" and tag == "a":
                self.links.append(value or "")
            elif name in ("src", "href", "xlink:href") and not (value or "").startswith("#"):
                self.loads.append(value or "")
            assert not name.startswith("on")

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_page_stands_alone(tmp_path: Path) -> None:
    text = write_page(summed(), tmp_path / "page.html").read_text("utf-8")
    page = Page(text)
    assert page.tags.count("svg") == 6  # scores, plane and differences by each of two scorers
    assert page.loads == []
    assert page.links == []
    assert "script" not in page.tags
    assert not re.search(r"url\((?!#)|@import", text)
    assert "Content-Security-Policy" in text


def test_figures_on_the_page_are_those_of_the_summary() -> None:
    summary = summarise(results(), Settings(against="<b>once</b>"))
    page = Page(index_page(summary, spec={"name": "x"}))
    for row in summary.conditions:
        found = row.scores["exact_match"]
        assert found is not None
        mark = "~" * (found.method == "bootstrap")  # of six items
        assert f"{found.value:.3f} {mark}[{found.low:.3f}, {found.high:.3f}]" in page.text
    [compared] = [c for c in summary.comparisons if c.scorer == "exact_match"]
    assert f"{compared.paired.difference.value:+.3f}" in page.text
    assert "1 failed:server" in page.text
    assert "simulated minds, not language models" in page.text
    assert '"name": "x"' in page.text


def test_on_how_many_items_costs_and_scores_were_weighed_is_told_if_not_on_all() -> None:
    told = [r for r in results() if r.status == "done"]
    assert all("measured on" not in line for line in method(summarise(told)))
    lost = [r.scored({"judge": r.scores["judge"]}) if r.item < "q2" and r.condition == "debate $5" else r for r in told]
    (line,) = (line for line in method(summarise(lost)) if "measured on" in line)
    assert line.endswith("measured on the items that every condition has a score for: 4 (exact_match), 6 (judge) of 6.")
    (line,) = (line for line in method(summarise(lost, Settings(scorers=("exact_match",)))) if "measured on" in line)
    assert line.endswith("a score for: 4 of 6.")


def test_pages_of_dialogues_are_linked_and_escaped(tmp_path: Path) -> None:
    with Journal.open(None) as journal:
        kept = results(journal)
        index = write_site(kept, summed(), tmp_path / "site", journal=journal)
    pages = {path: Page(path.read_text("utf-8")) for path in (tmp_path / "site").rglob("*.html")}
    assert len(pages) == 2 + 37
    for path, page in pages.items():
        assert {"script", "b"} & set(page.tags) <= {"b"} if path.name.startswith("items") else "script" not in page.tags
        for link in page.links:
            assert (path.parent / link).resolve() in pages, f"{path.name} links to {link}"
    reached = {index}
    waiting = [index]
    while waiting:
        here = waiting.pop()
        new = {(here.parent / link).resolve() for link in pages[here].links} - reached
        reached |= new
        waiting += new
    assert reached == set(pages)
    first = pages[tmp_path / "site" / "dialogues" / "000001.html"]
    assert 'alert("x")' in first.text
    assert "Round 1" in first.text
    assert "off the record" in first.text
    assert "to ada" in first.text
    gone = pages[tmp_path / "site" / "dialogues" / "000007.html"]
    assert "Nothing is recorded of it." in gone.text
    assert "failed (failed:server): down" in gone.text


def test_only_so_many_dialogues_get_a_page(tmp_path: Path) -> None:
    with Journal.open(None) as journal:
        kept = results(journal)
        index = write_site(kept, summed(), tmp_path, journal=journal, dialogues=5)
    assert len(list((tmp_path / "dialogues").iterdir())) == 5
    assert "pages of the first 5 dialogues; 32 more have none" in Page(index.read_text("utf-8")).text


def test_without_scores_there_is_a_report_all_the_same(tmp_path: Path) -> None:
    plain = [Result("e", "only", "q", 0, 0, "r", "done", answer="x")]
    summary = summarise(plain)
    page = Page(write_site(Results.of(plain), summary, tmp_path).read_text("utf-8"))
    assert "only" in page.text
    assert "svg" not in page.tags


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"cannot be written"):
        write_page(summed(), tmp_path / "file" / "page.html")
    with pytest.raises(UsageError, match=r"cannot be written"):
        write_csv(results(), ["judge"], tmp_path / "file" / "a.csv")


def told(result: Result) -> tuple[Any, ...]:
    usd = result.usd
    return (
        result.condition,
        result.item,
        result.repeat,
        result.answer,
        list(result.target),
        usd,
        result.scores.get("judge"),
    )


def test_parquet_has_every_result(tmp_path: Path) -> None:
    kept = [r for r in results() if r.answer is None or "\ud800" not in r.answer] + [
        Result("e", "c", "q", 0, 0, "r", "done", answer="é", target=("a", "b"), usd=0.5)
    ]
    assert write_parquet(kept, ["judge"], tmp_path / "a.parquet") == len(kept)
    rows = pq.read_table(tmp_path / "a.parquet").to_pylist()
    read = [
        (r["condition"], r["item"], r["repeat"], r["answer"], r["target"], r["usd"], r["score.judge"]) for r in rows
    ]
    assert read == [told(r) for r in kept]


def test_what_no_encoding_has_is_written_as_a_question_mark(tmp_path: Path) -> None:
    write_parquet(results(), ["judge"], tmp_path / "a.parquet")
    write_csv(results(), ["judge"], tmp_path / "a.csv")
    assert pq.read_table(tmp_path / "a.parquet").to_pylist()[0]["answer"] == EVIL.replace("\ud800", "?")
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["answer"] == EVIL.replace("\ud800", "?")
    assert json.loads(rows[0]["target"]) == ["yes"]
    failed = next(row for row in rows if row["status"] == "failed")
    assert (failed["score.judge"], failed["usd"]) == ("", "")
    assert len(rows) == len(results())


# -- two runs ---------------------------------------------------------------------------------------------------------


def recorded(journal: Journal, name: str, *said: str, seed: int = 0, **outcome: Any) -> RunRecord:
    turns = [Turn("moderator", "Begin."), *(Turn("ada", words) for words in said)]
    journal.begin(
        RunRecord(
            name,
            "talk",
            0.0,
            "graph",
            {"graph": f"version: 1\nseed: {seed}\n", "inputs": {"question": "?"}, "seed": seed},
        )
    )
    journal.finish(
        name,
        status="done",
        reason="answered",
        outcome={"outcome": {"transcript": [t.to_json() for t in turns]}, **outcome},
    )
    return journal.run(name)


def test_two_runs_are_aligned_by_what_is_the_same(tmp_path: Path) -> None:
    with Journal.open(None) as journal:
        one = recorded(journal, "one", "Hello.", "I think so.", "Bye.", answer="yes")
        other = recorded(journal, "other", "Hello.", "Never!", "Not at all.", "Bye.", seed=2, answer="no")
        found = side_by_side(journal, one, other)
    assert [pair.same for pair in found.turns] == [True, True, False, False, True]
    assert found.turns[3].first is None
    assert found.common == 1  # the moderator does not count
    differing = {fact.name for fact in found.facts if not fact.same}
    assert differing == {"seed", "answer", "turns"}
    assert "-seed: 0" in found.definition
    page = Page(write_diff(found, tmp_path / "two.html", simulated=True).read_text("utf-8"))
    assert page.text.count("Bye.") == 1
    assert "Never!" in page.text
    assert found.to_json()["turns"][2]["second"]["content"] == "Never!"


def test_a_run_is_the_same_as_itself() -> None:
    with Journal.open(None) as journal:
        one = recorded(journal, "one", "Hello.")
        found = side_by_side(journal, one, one)
    assert found.common is None
    assert found.definition == ()
    assert all(fact.same for fact in found.facts)


def test_a_summary_can_be_drawn(tmp_path: Path) -> None:
    from maieutic.files.plotting import drawn
    from maieutic.runs.reports.pictures import summary_picture

    summary = summed()
    svg = drawn(summary_picture(summary, "exact_match"), "svg").decode()
    assert "debate $5" in svg.replace("\\", "")
    assert "&lt;b&gt;once" in svg
