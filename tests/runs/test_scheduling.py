"""Many dialogues at one endpoint: who goes first, how many are open, what comes last. In virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

import maieutic as mt
from maieutic.backends import Backend, Endpoints, LLMReply, LLMRequest, ModelSpec
from maieutic.backends.limiter import TURN_OF_THE_LONGEST_WAIT
from maieutic.runs.experiments.conditions import Condition, of_program
from maieutic.runs.experiments.execution import Selection, Work
from maieutic.runs.experiments.items import SampleItem
from maieutic.runs.experiments.openings import Openings
from maieutic.runs.experiments.store import Unit, open_store
from maieutic.testing.cached_engine import CachedEngine
from maieutic.testing.virtual import VirtualJournal, virtually

VERDICT = '{"answer": "yes", "reason": "So it is.", "confidence": 0.7}'
SAMPLE = '{"reasoning": "It follows.", "answer": "42", "confidence": 0.5}'


class Watched:
    """A backend that takes a second a call, and notes when each run's calls begin and end."""

    def __init__(self, inner: Backend | None = None) -> None:
        self.inner = inner
        self.asked: list[str] = []
        self.first: dict[str, float] = {}
        self.last: dict[str, float] = {}

    async def complete(self, request: LLMRequest, on_text: Any = None) -> LLMReply:
        now, run = asyncio.get_running_loop().time, request.address.run
        self.asked.append(run)
        self.first.setdefault(run, now())
        if self.inner is not None:
            reply = await self.inner.complete(request)
        else:
            await asyncio.sleep(1)
            reply = LLMReply(speech(request), request.model.model)
        self.last[run] = now()
        return reply

    async def aclose(self) -> None:
        pass

    @property
    def seconds(self) -> float:
        """Of a dialogue, from its first call to its end, on average."""
        return sum(self.last[run] - self.first[run] for run in self.first) / len(self.first)


class FirstCome(Endpoints):
    """Endpoints at which all runs are of the same age: first come, first served."""

    def begun(self) -> int:
        return 0


def speech(request: LLMRequest) -> str:
    if request.output is not None:
        return VERDICT if request.agent == "June" else SAMPLE
    return f"{len(request.messages)} {request.address} " + "I hold yes. " * 40


def model(limit: int, **settings: Any) -> ModelSpec:
    return ModelSpec(model="fake/m", max_concurrency=limit, structured="native", timeout=1e9, **settings)


def debate(limit: int = 4, rounds: int = 3) -> mt.Debate:
    ada, bo = mt.Debater("Ada", model(limit)), mt.Debater("Bo", model(limit))
    return mt.Debate([ada, bo], judge=mt.Judge("June", model(limit)), rounds=rounds, first_round="open", probes="never")


def sampled(samples: int, limit: int = 4) -> mt.SelfConsistency:
    return mt.SelfConsistency([mt.Agent("ada", model(limit, samples="apart"))], samples=samples)


async def workspace(backend: Backend, kind: type[Endpoints] = Endpoints) -> mt.Workspace:
    made = mt.Workspace()
    await made.journal.aclose()
    made.journal, made.endpoints = VirtualJournal.open(None), kind({"fake": backend})
    return made


async def all_at_once(
    backend: Backend, programs: list[Any], kind: type[Endpoints] = Endpoints, words: int = 10
) -> None:
    async with await workspace(backend, kind) as place:
        runs = await asyncio.gather(
            *(
                place.run(program, f"Case {n}: " + f"word{n} " * words, run_id=f"{n:03}")
                for n, program in enumerate(programs)
            )
        )
        assert [run.error for run in runs] == [None] * len(runs)
        (limiter,) = place.endpoints.limiters([model(4)])
        assert (limiter.in_flight, limiter.waiting) == (0, 0)


async def as_experiment(
    backend: Backend, programs: dict[str, Any], items: int, **options: Any
) -> list[tuple[str, str]]:
    """The dialogues in the order in which they were begun: item and condition."""
    data = [{"id": f"{n:03}", "question": f"Question {n}?"} for n in range(items)]
    what = mt.Experiment("e", data=data, conditions=programs, scorers=(), **options)
    async with await workspace(backend) as place, open_store(None) as store:
        work = Work(what, "e", store, place, Selection())
        done = await work.done(retry_failed=False, tolerance=None, on_begin=lambda progress: None)
        assert done.total.done == items * len(programs)
        begun = [run.id.split(".") for run in reversed(place.journal.runs())]
        return [(item, condition) for _, condition, item, _ in begun]


def most_open(watched: Watched) -> int:
    """Most dialogues that had begun and were not over at one time."""
    moments = [(t, +1) for t in watched.first.values()] + [(t, -1) for t in watched.last.values()]
    open_now = most = 0
    for _, change in sorted(moments, key=lambda moment: (moment[0], moment[1])):
        open_now += change
        most = max(most, open_now)
    return most


def test_of_runs_that_begin_together_those_that_began_first_are_finished_first() -> None:
    watched = Watched()
    virtually(all_at_once(watched, [debate(limit=4)] * 24))
    turns_of_others = 24 * 7 // TURN_OF_THE_LONGEST_WAIT
    assert most_open(watched) <= 4 + turns_of_others + 2
    assert watched.seconds < 15  # seven calls of a second, and some waiting
    ends = sorted(watched.last, key=lambda run: watched.last[run])
    assert all(abs(place - int(run)) <= 5 for place, run in enumerate(ends))


def test_where_all_are_of_the_same_age_all_are_half_finished_until_the_end() -> None:
    watched = Watched()
    virtually(all_at_once(watched, [debate(limit=4)] * 24, FirstCome))
    assert most_open(watched) == 24
    assert watched.seconds > 30


def test_a_cache_that_has_no_room_for_all_dialogues_serves_them_when_the_oldest_goes_first() -> None:
    def engine(kind: type[Endpoints]) -> tuple[CachedEngine, float]:
        made = CachedEngine(speech, room=30_000)
        seconds = virtually(timed(all_at_once(made, [debate(limit=4)] * 32, kind, words=1000)))
        return made, seconds

    oldest, seconds = engine(Endpoints)
    naive, longer = engine(FirstCome)
    assert oldest.asked == naive.asked
    assert oldest.hit > 3 * naive.hit
    assert seconds < longer


async def timed(work: Coroutine[Any, Any, None]) -> float:
    await work
    return asyncio.get_running_loop().time()


def test_runs_that_make_many_calls_at_once_never_lock_each_other_out() -> None:
    watched = Watched()
    virtually(all_at_once(watched, [sampled(9, limit=2)] * 12))
    assert watched.asked == sorted(watched.asked)
    assert len(watched.asked) == 9 * 12


def test_runs_that_are_cancelled_while_their_calls_wait_leave_nothing_behind() -> None:
    async def scenario() -> None:
        watched = Watched()
        async with await workspace(watched) as place:
            (limiter,) = place.endpoints.limiters([model(4)])
            tasks = [asyncio.create_task(place.run(sampled(5), f"Case {n}")) for n in range(10)]
            await asyncio.sleep(0.5)
            assert (limiter.in_flight, limiter.waiting) == (4, 46)
            for task in tasks[::2]:
                task.cancel()
            await asyncio.wait(tasks[::2])
            assert limiter.in_flight + limiter.waiting == 25
            await asyncio.wait(tasks[1::2])
            assert [task.result().status for task in tasks[1::2]] == ["done"] * 5
            assert (limiter.in_flight, limiter.waiting) == (0, 0)

    virtually(scenario())


def test_an_experiment_keeps_a_quarter_more_dialogues_open_than_there_are_slots() -> None:
    watched = Watched()
    begun = virtually(as_experiment(watched, {"debate": debate(limit=8)}, 40))
    assert most_open(watched) == 10
    assert begun == sorted(begun)


def test_an_experiment_that_says_how_many_keeps_so_many_open() -> None:
    watched = Watched()
    virtually(as_experiment(watched, {"debate": debate(limit=8)}, 40, concurrency=3))
    assert most_open(watched) == 3


def test_slots_are_those_of_all_endpoints_and_follow_their_limits() -> None:
    endpoints = Endpoints()
    replicas = model(8).model_copy(update={"replicas": ("http://a/v1", "http://b/v1")})
    ada, bo = mt.Debater("Ada", replicas), mt.Debater("Bo", replicas)
    judged = mt.Debate([ada, bo], judge=mt.Judge("June", model(4)), rounds=1)
    conditions = {"debate": of_program("debate", judged), "again": of_program("again", judged)}
    openings = Openings(conditions, endpoints)
    assert openings.most == 8 + 8 + 4 + 5
    (first, *_) = endpoints.limiters([replicas])
    first.throttled(mt.ModelError("429", kind="rate_limit", retryable=True), seen=0)
    assert openings.most == 4 + 8 + 4 + 4
    assert Openings(conditions, endpoints, 3).most == 3


def test_where_only_persons_answer_no_endpoint_says_how_many() -> None:
    person = mt.SelfConsistency([mt.Agent("ada", ModelSpec(model="person/terminal"))], samples=1)
    assert Openings({"asked": of_program("asked", person)}, Endpoints()).most == 40


def unit(n: int, condition: str) -> Unit:
    return Unit(f"{n}.{condition}", condition, SampleItem(str(n), {}), 0, 1)


@pytest.fixture
def conditions() -> dict[str, Condition]:
    return {name: of_program(name, sampled(n)) for name, n in {"short": 1, "middle": 3, "long": 9}.items()}


def test_the_last_dialogues_are_opened_longest_first(conditions: dict[str, Condition]) -> None:
    openings = Openings(conditions, Endpoints(), 9)
    units = [unit(n, name) for n in range(3) for name in conditions]
    openings.add(units[:3], last=False)
    assert openings.next() == units[0]
    openings.add(units[3:], last=True)
    opened = [one.condition for one in iter(openings.next, None)]
    assert opened == ["long"] * 3 + ["middle"] * 3 + ["short"] * 2


def test_within_a_budget_the_last_dialogues_keep_their_order(conditions: dict[str, Condition]) -> None:
    openings = Openings(conditions, Endpoints(), 9, in_order=True)
    units = [unit(n, name) for n in range(3) for name in conditions]
    openings.add(units, last=True)
    assert [*iter(openings.next, None)] == units


def test_units_are_claimed_ahead_bit_by_bit_so_that_other_workers_have_their_share(
    conditions: dict[str, Condition],
) -> None:
    openings = Openings(conditions, Endpoints(), 16)
    assert openings.missing(0, waited=False) == 16
    openings.add([unit(n, "short") for n in range(16)], last=False)
    assert openings.missing(1, waited=False) == 0, "what is opened at once is enough for the beginning"
    assert openings.missing(16, waited=True) == 0, "a whole window is there"
    openings.next()
    openings.next()
    assert openings.missing(16, waited=True) == 2
    openings.add([], last=True)
    assert openings.missing(16, waited=True) == 0, "the store has no more"


def test_conditions_advance_together_until_the_last_ones_which_begin_with_the_longest() -> None:
    begun = virtually(as_experiment(Watched(), {"short": sampled(1, 16), "long": debate(16)}, 50))
    in_order = [(f"{n:03}", condition) for n in range(50) for condition in ("short", "long")]
    assert sorted(begun) == sorted(in_order)
    assert begun[:80] == in_order[:80]  # twenty are open at a time
    last = [condition for _, condition in begun[-18:]]
    assert last == ["long"] * 9 + ["short"] * 9


def test_an_experiment_that_fits_in_at_once_begins_in_the_order_of_its_file() -> None:
    begun = virtually(as_experiment(Watched(), {"short": sampled(1, 32), "long": debate(32)}, 5))
    assert begun == [(f"{n:03}", condition) for n in range(5) for condition in ("short", "long")]
