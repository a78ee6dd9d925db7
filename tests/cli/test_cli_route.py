"""`maieutic route`: the decision with its reasons, training, comparing, rating runs."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from maieutic.memory import Journal, RunRecord
from maieutic.memory.entries import Entry
from maieutic.protocols.routing import Latency, Pool
from maieutic.protocols.routing.routers.harvest import kept

Maieutic = Callable[..., Result]
POOL = """
nature:
  model: {model: sim/expert, seed: 11, knows: 0, skill: 0.1, skills: {biology: 1, physics: 1}}
  price: {input: 0.1, output: 0.4}
large: {model: {model: sim/expert, seed: 14, knows: 0, skill: 0.75}, price: {input: 2, output: 8}}
"""
GRAPH = """
version: 1
name: routed
agents:
  solver: {role: student, model: {router: bandit, pool: pool.yaml, explore: 0.5}}
state: {question: {type: str, input: true}, answer: {type: str, default: ""}}
graph:
  start: solve
  nodes:
    solve: {agent: solver, does: answer, reads: [question], writes: {answer: reply.text}, next: end}
"""


@pytest.fixture
def pool(here: Path) -> str:
    (here / "pool.yaml").write_text(POOL, "utf-8")
    return "pool.yaml"


def records(path: str = "records.jsonl") -> str:
    lines = []
    for n in range(12):
        for model in ("nature", "large"):
            plants, kings = (("nature", "large")[k] == model for k in (0, 1))
            lines.append({"question": f"Which plant {n}?", "model": model, "quality": float(plants), "usd": 0.001})
            lines.append({"question": f"Which king {n}?", "model": model, "quality": float(kings), "usd": 0.001})
    Path(path).write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return path


def test_a_question_is_decided_without_a_call_and_with_reasons(maieutic: Maieutic, pool: str) -> None:
    done = maieutic("route", "Which plant is green?", "--pool", pool, "--data", records())
    assert done.exit_code == 0, done.output
    name, *reasons = done.stdout.splitlines()
    assert name == "nature"
    assert reasons[0].startswith("  nature has utility 0.")
    assert "from 24 records. That is the best known." in reasons[0]
    assert not Path(".maieutic").exists()
    long = maieutic("route", "decide", "Which king was first?", "--pool", pool, "--data", "records.jsonl", "--json")
    assert json.loads(long.stdout)["name"] == "large"


def test_options_may_come_before_the_question(maieutic: Maieutic, pool: str) -> None:
    done = maieutic("route", "--pool", pool, "--router", "cheapest", "Which plant?")
    assert done.stdout.splitlines()[0] == "nature"
    assert "lowest price: 0.4 USD" in done.stdout


def test_a_prompted_model_may_route(maieutic: Maieutic, pool: str) -> None:
    done = maieutic("route", "Which plant?", "--pool", pool, "--router", "sim/router")
    assert done.stdout.splitlines()[0] in ("nature", "large")
    assert "sim/router chose" in done.stdout


def test_what_is_missing_is_said(maieutic: Maieutic, pool: str) -> None:
    for words, code, message in (
        (("route", "Who?"), 2, "Missing option '--pool'"),
        (("route", "Who?", "--pool", pool, "--router", "knn"), 2, "there is nothing to learn from: give it records"),
        (("route", "Who?", "--pool", pool, "--router", "bandt"), 2, "did you mean 'bandit'?"),
        (("route", "compare", "--pool", pool), 2, "name questions (--data FILE) or answers recorded before"),
        (("route", "compare", "--pool", pool, "--data", "q.jsonl", "--plot", "x.gif"), 2, "not as 'gif'"),
        (("route", "rate", "last", "1", "--pool", pool), 2, "There is no journal"),
    ):
        done = maieutic(*words)
        assert done.exit_code == code, words
        assert message in done.stderr, words


def test_a_trained_router_is_kept_and_used(maieutic: Maieutic, pool: str) -> None:
    done = maieutic("route", "train", "--pool", pool, "--data", records(), "--router", "knn", "-o", "router.json")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[1].split() == ["nature", "24", "0.500", "0.001", "unknown"]
    used = maieutic("route", "Which king was first?", "--pool", pool, "--router", "router.json")
    assert used.stdout.startswith("large\n  large has mean quality 1.00 on the 5 most similar questions")
    other = maieutic("route", "train", "--pool", pool, "--data", "records.jsonl", "-o", "b.json", "--per-usd", "7")
    assert "Trained bandit on 48 records" in other.stderr
    assert json.loads(Path("b.json").read_text())["settings"]["trade_off"]["per_usd"] == 7


def test_routers_are_compared_and_nothing_is_asked_twice(maieutic: Maieutic, pool: str) -> None:
    pytest.importorskip("matplotlib")
    lines = [
        {"question": "How many planets move around the Sun?", "answer": "8", "family": "astronomy"},
        {"question": "Which planet is nearest to the Sun?", "answer": "Mercury", "family": "astronomy"},
        {"question": "Which gas do plants need to make sugar?", "answer": "carbon dioxide", "family": "biology"},
        {"question": "Which planet is the hottest?", "answer": "Venus", "family": "astronomy"},
    ]
    Path("q.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    first = maieutic(
        "route", "compare", "--pool", pool, "--data", "q.jsonl", "--save", "r.jsonl", "--folds", "2", "--plot", "p.svg",
        "--router", "bandit", "--router", "cheapest", "--prompted", "sim/router",
    )  # fmt: skip
    assert first.exit_code == 0, first.output
    rows = [line.split("  ")[0] for line in first.stdout.splitlines()]
    assert rows == ["router", "bandit", "cheapest", "prompted sim/router", "always nature", "always large",
                    "best per question"]  # fmt: skip
    assert "4 questions in 2 parts; simulated minds, priced as the pool says." in first.stderr
    assert "Pareto front" in Path("p.svg").read_text("utf-8")
    again = maieutic("route", "compare", "--pool", pool, "--records", "r.jsonl", "--folds", "2", "--json",
                     "--router", "cheapest", "--per-usd", "10")  # fmt: skip
    found = json.loads(again.stdout)
    assert [row["name"] for row in found["rows"]] == ["cheapest", "always nature", "always large", "best per question"]
    assert found["rows"][0]["utility"]["value"] < found["rows"][0]["quality"]["value"]
    with Journal.open(".maieutic/journal.db") as journal:
        [run] = journal.runs()  # the second comparison asked nobody
        assert len(list(journal.entries(run.id, kind="model"))) == 4 * 2 + 4


def test_routers_that_ask_several_times_stand_beside_those_that_choose_once(maieutic: Maieutic, pool: str) -> None:
    lines = [
        {"question": "How many planets move around the Sun?", "answer": "8"},
        {"question": "Which gas do plants need to make sugar?", "answer": "carbon dioxide"},
    ]
    Path("q.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    words = ("route", "compare", "--pool", pool, "--folds", "2", "--router", "cheapest", "--json",
             "--router-r1", "sim/router", "--decompose", "sim/teacher", "--cascade")  # fmt: skip
    done = maieutic(*words, "--data", "q.jsonl", "--save", "r.jsonl")
    assert done.exit_code == 0, done.output
    rows = {row["name"]: row for row in json.loads(done.stdout)["rows"]}
    several = ("router-r1 sim/router", "decompose sim/teacher", "cascade")
    assert [*rows] == ["cheapest", *several, "always nature", "always large", "best per question"]
    assert all(rows[name]["usd"]["value"] > rows["cheapest"]["usd"]["value"] for name in several)
    again = maieutic(*words, "--data", "q.jsonl", "--run", _run_of(done), "--json")
    assert json.loads(again.stdout)["rows"] == json.loads(done.stdout)["rows"]
    with Journal.open(".maieutic/journal.db") as journal:
        assert len(list(journal.runs())) == 1
    refused = maieutic(*words, "--records", "r.jsonl")
    assert refused.exit_code == 2
    assert "--router-r1 works every question through, and --records asks nobody; name --data FILE" in refused.stderr


def _run_of(done: Result) -> str:
    return done.stderr.split("Run ", 1)[1].split(":", 1)[0]


def test_a_broken_off_evaluation_stops_at_its_budget(maieutic: Maieutic, pool: str) -> None:
    done = maieutic("route", "compare", "--pool", pool, "--data", "bundled", "--budget", "10 calls")
    assert done.exit_code == 3
    assert "calls" in done.stderr


def test_a_routed_run_is_explained_rated_and_learned_from(maieutic: Maieutic, pool: str) -> None:
    Path("g.yaml").write_text(GRAPH, "utf-8")
    run = maieutic("run", "g.yaml", "-i", "question=Which plant is green?", "-v")
    assert run.exit_code == 0, run.output
    assert "  · routed to " in run.stderr
    rated = maieutic("route", "rate", "last", "0.75", "--pool", pool)
    assert re.fullmatch(r"1 routed call of run [\w-]+ rated 0\.75\.\n", rated.stdout)
    with Journal.open(".maieutic/journal.db") as journal:
        [record] = kept(journal)
    assert (record.question, record.quality, record.simulated) == ("Which plant is green?", 0.75, True)
    assert (record.usd or 0) > 0
    twice = maieutic("route", "rate", "last", "0.75", "--pool", pool)
    assert (twice.exit_code, "was rated already" in twice.stderr) == (2, True)
    taught = maieutic("route", "Which plant is green?", "--pool", pool, "--json")
    assert 0.75 < json.loads(taught.stdout)["scores"][record.model] < 0.8
    trained = maieutic("route", "train", "--pool", pool, "-o", "b.json")
    assert trained.stderr == "Trained bandit on 1 record; kept in b.json.\n"
    nobody = maieutic("route", "rate", "last", "1", "--pool", pool, "--agent", "critic")
    assert "no call of critic was routed to a candidate of this pool" in nobody.stderr


TWO = """
version: 1
name: two
agents:
  ada: {role: student, model: {router: cheapest, pool: pool.yaml, family: plants}}
  bo: {role: student, model: {router: largest, pool: pool.yaml, family: plants}}
state: {question: {type: str, input: true}, one: {type: str, default: ""}, other: {type: str, default: ""}}
graph:
  start: ask
  nodes:
    ask: {agent: ada, does: answer, reads: [question], writes: {one: reply.text}, next: again}
    again: {agent: bo, does: answer, reads: [question], writes: {other: reply.text}, next: end}
"""


def test_agents_of_one_run_are_rated_each_once(maieutic: Maieutic, pool: str) -> None:
    Path("g.yaml").write_text(TWO, "utf-8")
    maieutic("run", "g.yaml", "-i", "question=Which plant is green?")
    for agent, quality in (("ada", "0.2"), ("bo", "1")):
        done = maieutic("route", "rate", "last", quality, "--pool", pool, "--agent", agent)
        assert (done.exit_code, done.stdout.startswith("1 routed call of run ")) == (0, True)
    again = maieutic("route", "rate", "last", "0", "--pool", pool, "--agent", "ada")
    whole = maieutic("route", "rate", "last", "0", "--pool", pool)
    for refused in (again, whole):
        assert refused.exit_code == 2
        assert "was rated already for ada, bo; what was said first counts" in refused.stderr
    told = maieutic("route", "pool", "--pool", pool)
    assert [line.rpartition("; ")[2] for line in told.stdout.splitlines()] == [
        "past performance: plants 20%",
        "past performance: plants 100%",
    ]


def test_a_fork_is_not_rated_by_what_was_said_of_its_parent(maieutic: Maieutic, pool: str) -> None:
    Path("g.yaml").write_text(TWO, "utf-8")
    maieutic("run", "g.yaml", "-i", "question=Which plant is green?")
    maieutic("route", "rate", "last", "1", "--pool", pool)
    forked = maieutic("fork", "last", "--turn", "2")
    assert forked.exit_code == 0, forked.output
    with Journal.open(".maieutic/journal.db") as journal:
        assert len(journal.runs()) == 2
        assert len({record.run for record in kept(journal)}) == 1


def test_the_pool_is_told_with_measured_latency_and_performance(maieutic: Maieutic, pool: str) -> None:
    async def called(journal: Journal) -> None:
        journal.begin(RunRecord("r1", "a run", 0.0, "host"))
        for n, seconds in enumerate((1.0, 2.0, 3.0)):
            await journal.record(
                "r1", Entry(f"0/0/{n}", "model", agent="large", reply={"seconds": seconds, "usage": {}})
            )
        journal.finish("r1", status="done")

    with Journal.open(".maieutic/journal.db") as journal:
        asyncio.run(called(journal))
    lines = [
        {"question": f"q{n}", "model": "LARGE", "quality": quality, "family": "maths"}
        for n, quality in enumerate((1, 0, 0))
    ]
    Path("r.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    done = maieutic("route", "pool", "--pool", pool, "--data", "r.jsonl", "-o", "told.yaml")
    assert done.exit_code == 0, done.output
    assert "latency 2 s (p50), 2.9 s (p95); past performance: maths 33%" in done.stdout.splitlines()[1]
    written = Pool.load("told.yaml").the("large")
    assert (written.latency, written.performance) == (Latency(p50=2.0, p95=2.9, calls=3), {"maths": 0.3333})
    as_json = maieutic("route", "pool", "--pool", "told.yaml", "--json")
    assert json.loads(as_json.stdout)["large"]["performance"] == {"maths": 0.3333}
    nowhere = maieutic("route", "pool", "--pool", pool, "-o", "no/where.yaml")
    assert (nowhere.exit_code, "no/where.yaml cannot be written: No such file" in nowhere.stderr) == (2, True)


def test_an_evaluation_is_learned_from_without_naming_a_file(maieutic: Maieutic, pool: str) -> None:
    lines = [{"question": "Which planet is the hottest?", "answer": "Venus"}, {"question": "2+2?", "answer": "4"}]
    Path("q.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    words = ("route", "compare", "--pool", pool, "--data", "q.jsonl", "--folds", "2", "--router", "cheapest")
    first = maieutic(*words)
    maieutic(*words, "--run", _run_of(first))
    trained = maieutic("route", "train", "--pool", pool, "-o", "b.json")
    assert "Trained bandit on 4 records" in trained.stderr


def test_what_cannot_work_is_said_before_anything_is_asked(maieutic: Maieutic, pool: str) -> None:
    Path("bare.yaml").write_text("a: sim/expert\nb: sim/expert\n", "utf-8")
    bundled = ("--data", "bundled", "--router")
    for words, message in (
        (
            ("compare", "--pool", pool, *bundled, "elo", "--folds", "200"),
            "183 questions cannot be split into 200 parts",
        ),
        (("compare", "--pool", pool, *bundled, "elo", "--save", "no/r.jsonl"), "--save: there is no folder no"),
        (("compare", "--pool", pool, *bundled, "elos"), "did you mean 'elo'?"),
        (("compare", "--pool", "bare.yaml", *bundled, "cheapest"), "no candidate of the pool has one"),
        (("compare", "--pool", "bare.yaml", *bundled, "elo", "--cascade"), "of a, b no price is known"),
        (("train", "--pool", pool, "-o", "b.json"), "the store .maieutic/journal.db has no record of any candidate"),
        (("train", "--pool", pool, "--data", records(), "-o", "bare.yaml/b.json"), "the router cannot be kept in"),
        ((" ", "--pool", pool), "the question is empty"),
    ):
        done = maieutic("route", *words)
        assert (done.exit_code, message in done.stderr) == (2, True), (words, done.output)
    assert not Path(".maieutic").exists()


def test_a_replayed_run_repeats_its_decision(maieutic: Maieutic, pool: str) -> None:
    Path("g.yaml").write_text(GRAPH, "utf-8")
    first = maieutic("run", "g.yaml", "-i", "question=Which plant is green?", "--json")
    again = maieutic("replay", "last", "--json")
    assert json.loads(first.stdout)["outcome"]["answer"] == json.loads(again.stdout)["outcome"]["answer"]
