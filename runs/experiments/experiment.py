"""An experiment: what users hold. It runs, goes on where it stopped, and takes more items, repeats or conditions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from maieutic.backends import Endpoints
from maieutic.errors import UsageError
from maieutic.files.problems import did_you_mean
from maieutic.files.writing import written
from maieutic.runs.estimates import estimate
from maieutic.runs.experiments.conditions import Condition, of_program
from maieutic.runs.experiments.data import ENDINGS, DataSet
from maieutic.runs.experiments.engine import Tolerance
from maieutic.runs.experiments.execution import ExperimentRun, Outlook, Selection, Work
from maieutic.runs.experiments.items import SampleItem
from maieutic.runs.experiments.progress import Progress
from maieutic.runs.experiments.reading import Loaded, load
from maieutic.runs.experiments.results import Results
from maieutic.runs.experiments.spec import BudgetSpec, DataSpec
from maieutic.runs.experiments.store import (
    is_there,
    open_store,
    store_at,
    unit_key,
    unit_seed,
)
from maieutic.runs.program import Program

if TYPE_CHECKING:
    from maieutic.backends.types import Backend
    from maieutic.runs.scoring import PairScorer, Scorer
    from maieutic.runs.scoring.catalogue import Given

__all__ = ["Experiment", "load_experiment", "results_of"]

_PAGE = 500
_Spec = TypeVar("_Spec", bound=BaseModel)


class Experiment:
    """A data set, conditions and repeats.

    Args:
        name: Under which its results stand in the store.
        data: A data file, what stands under `data` in an experiment file, or the items themselves: mappings of columns
            or `SampleItem`s. Items that are given as an iterator can be run once.
        conditions: By name: a program (a protocol, a loaded graph), a graph file, or what stands under a condition in
            an experiment file.
        repeats: How often each item is run under each condition.
        seed: Of everything drawn at random.
        scorers: Names, {"use": NAME, …} with settings, or scorers.
        budget: What the whole may spend: {"usd": 5}, {"calls": 1000}, ….
        concurrency: Dialogues in flight at a time; left out, a quarter more than the endpoints have slots.
        models, agents, vary, world: As in an experiment file.
        home: The folder from which relative paths start.

    Raises:
        UsageError: Something does not fit.
        FileError: A graph file is not valid.
    """

    def __init__(
        self,
        name: str,
        *,
        data: Path | str | Mapping[str, Any] | Iterable[Mapping[str, Any] | SampleItem],
        conditions: Mapping[str, Program | Path | str | Mapping[str, Any]],
        repeats: int = 1,
        seed: int = 0,
        scorers: Sequence[Given] = ("exact_match",),
        budget: Mapping[str, Any] | None = None,
        concurrency: int | None = None,
        models: Mapping[str, Any] | None = None,
        agents: Mapping[str, Any] | None = None,
        vary: Mapping[str, Any] | None = None,
        world: str | None = None,
        home: Path | str = ".",
    ) -> None:
        self.name, self.repeats, self.seed, self.concurrency = name, repeats, seed, concurrency
        self.scorers = _scorers(scorers)
        self.budget = _read(BudgetSpec, "budget", budget or {})
        of_file = {n: _condition(c) for n, c in conditions.items() if not isinstance(c, Program)}
        made = [of_program(n, c) for n, c in conditions.items() if isinstance(c, Program)]
        if vary and made:
            raise UsageError(
                f"vary does not reach the condition {made[0].name!r}, which is a program: make one for each value, or "
                "say it as in an experiment file: {'use': PROTOCOL, 'with': …}"
            )
        if of_file:
            told = {"models": models, "agents": agents, "vary": vary, "world": world}
            raw = {"version": 1, "name": name, **{k: v for k, v in told.items() if v}, "conditions": of_file}
            made += load(written({**raw, "data": {"bundled": "questions"}}), home=Path(home)).conditions
        rank = {n: place for place, n in enumerate(conditions)}
        self.conditions = tuple(sorted(made, key=lambda c: rank[c.name.partition("[")[0]]))
        self.data = _data_set(data, Path(home), self.conditions)
        self.told: dict[str, Any] = {"name": name, "repeats": repeats, "seed": seed}
        self._check()

    @classmethod
    def of(cls, loaded: Loaded) -> Experiment:
        """The experiment of a file."""
        self, spec = cls.__new__(cls), loaded.spec
        self.name, self.repeats, self.seed, self.concurrency = spec.name, spec.repeats, spec.seed, spec.concurrency
        self.scorers, self.budget, self.conditions = _scorers(spec.scorers), spec.budget, loaded.conditions
        self.data = DataSet(spec.data, loaded.home, _inputs(loaded.conditions))
        self.told = spec.model_dump(mode="json", by_alias=True, exclude_unset=True)
        self._check()
        return self

    def _check(self) -> None:
        from maieutic.runs.scoring import check_against

        if not self.conditions:
            raise UsageError("An experiment needs a condition.")
        if self.repeats < 1 or (self.concurrency is not None and self.concurrency < 1):
            raise UsageError("repeats and concurrency are 1 or more")
        names = [condition.name for condition in self.conditions]
        for name in names:
            if names.count(name) > 1:
                raise UsageError(f"two conditions are called {name!r}")
        check_against(self.scorers, names)

    # -- running ------------------------------------------------------------------------------------------------

    async def run(
        self,
        store: Path | str | None = None,
        *,
        run_id: str | None = None,
        limit: int | None = None,
        sample_ids: Sequence[str] = (),
        retry_failed: bool = False,
        fail_on_error: float | int | None = None,
        backends: Mapping[str, Backend] | None = None,
        offline: bool = False,
        cache: bool = False,
        ray: str | None = None,
        workers: int | None = None,
        on_begin: Callable[[Progress], None] = lambda progress: None,
    ) -> ExperimentRun:
        """Compute what is not computed yet, and say what all of it came to.

        What the store has is not computed again; whatever was cut short goes on where the journal has it.

        Args:
            store: The journal's file, beside which results are kept, or the address of a PostgreSQL database; None
                keeps everything in memory.
            run_id: The name under which the results stand, instead of the experiment's.
            limit, sample_ids: Only so many of the first items; only these.
            retry_failed: Run dialogues again that failed, or were stopped by limits of their own; replies that came
                are not bought again.
            fail_on_error: End it as soon as more dialogues failed than this: a share of all below 1, or a number.
            backends, offline, cache: See `Workspace`.
            ray, workers: Have workers on Ray run the dialogues: where, and how many (see `OnRay`).
            on_begin: Given the progress, which changes while work goes on.

        Raises:
            ExperimentFileError, UsageError: The data set is not valid, or an id is not in it.
            JournalError: The store cannot be used.
        """
        from maieutic.runs.experiments.ray_runner import OnRay, RayWork
        from maieutic.runs.workspace import Workspace

        on = OnRay.of(ray, workers, store, backends=bool(backends))
        async with (
            Workspace(store, backends=backends, offline=offline, cache=cache) as workspace,
            open_store(store) as kept,
        ):
            parts = (self, run_id or self.name, kept, workspace, Selection(limit, tuple(sample_ids)))
            work = Work(*parts) if on is None else RayWork(*parts, on=on)
            done = await work.done(retry_failed=retry_failed, tolerance=_tolerance(fail_on_error), on_begin=on_begin)
        if store is None:
            return done
        return replace(done, results=results_of(store, done.name), store=workspace.journal.place)

    def run_sync(self, store: Path | str | None = None, **options: Any) -> ExperimentRun:
        """The same as `run`, for code that is not async.

        Raises:
            UsageError: An event loop is running; await `run` there.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(self.run(store, **options))
        raise UsageError("run_sync cannot be used inside a running event loop (a notebook has one); use `await run(…)`")

    async def outlook(
        self,
        store: Path | str | None = None,
        *,
        run_id: str | None = None,
        limit: int | None = None,
        sample_ids: Sequence[str] = (),
    ) -> tuple[Outlook, ...]:
        """What a run would take, condition by condition, without a call: `--dry-run`. Nothing is written.

        Args:
            store, run_id, limit, sample_ids: As in `run`.
        """
        name, arms = run_id or self.name, [condition.arm() for condition in self.conditions]
        planned, over = 0, dict.fromkeys((arm.name for arm in arms), 0)
        items = Selection(limit, tuple(sample_ids)).of(self.data)
        there = store is not None and is_there(store)
        async with open_store(store if there else None) as kept, Endpoints() as endpoints:
            while page := [item for _, item in islice(items, _PAGE)]:
                planned += len(page) * self.repeats
                for arm in arms if there else ():
                    over[arm.name] += await kept.over([*self._keys(name, (arm.name, arm.digest), page)])
            return tuple(
                Outlook(c.name, planned, over[c.name], estimate(c.program, endpoints)) for c in self.conditions
            )

    def _keys(self, name: str, arm: tuple[str, str], items: Iterable[SampleItem]) -> Iterator[str]:
        for item in items:
            for repeat in range(self.repeats):
                yield unit_key(name, arm, item, repeat, unit_seed(self.seed, item.id, repeat))


def load_experiment(source: Path | str) -> Experiment:
    """The experiment of a file, checked and ready to run.

    Args:
        source: The file, or the text of one (a text has more than one line).

    Raises:
        FileError: The file, or a graph file that it names, is not valid; every problem is listed with its place.
    """
    return Experiment.of(load(source))


def results_of(store: Path | str, experiment: str) -> Results:
    """The results of an experiment in a store.

    Args:
        store: The journal's file, or the address of a PostgreSQL database.
        experiment: The experiment's name.

    Raises:
        UsageError: There is no such store, or no such experiment in it.
    """
    if not is_there(store):
        raise UsageError(f"There are no experiments in {store} yet; `maieutic eval FILE --store {store}` makes one.")
    results = Results(store_at(store), experiment)
    results.source.conditions(experiment)  # tells those there are, if it is none of them
    return results


def _condition(told: Path | str | Mapping[str, Any]) -> dict[str, Any]:
    return dict(told) if isinstance(told, Mapping) else {"graph": str(told)}


def _scorers(given: Sequence[Given]) -> tuple[Scorer | PairScorer, ...]:
    from maieutic.runs.scoring import scorers_from

    return scorers_from(given)


def _inputs(conditions: Iterable[Condition]) -> dict[str, bool]:
    """The inputs of all conditions; needed is what some condition needs and does not give itself."""
    found: dict[str, bool] = {}
    for condition in conditions:
        for name, needed in condition.program.inputs.items():
            found[name] = found.get(name, False) or (needed and name not in condition.inputs)
    return found


def _data_set(data: Any, home: Path, conditions: Iterable[Condition]) -> DataSet:
    inputs = _inputs(conditions)
    if isinstance(data, Path | str):
        data = {"file": str(data)}
    if not isinstance(data, Mapping):
        return DataSet(DataSpec(), home, inputs, data)
    spec = _read(DataSpec, "data", data)
    if sum(place is not None for place in (spec.file, spec.bundled, spec.hub)) != 1:
        raise UsageError("data names exactly one of file, bundled and hub")
    if spec.file is not None and Path(spec.file).suffix.lower() not in ENDINGS:
        raise UsageError(f"{spec.file!r} is no data set; one ends in {', '.join(sorted(ENDINGS))}")
    if spec.file is not None and not (home / spec.file).is_file():
        raise UsageError(f"there is no file {str(home / spec.file)!r}")
    return DataSet(spec, home, inputs)


def _read(kind: type[_Spec], word: str, told: Mapping[str, Any]) -> _Spec:
    """What stands under a key of an experiment file.

    Raises:
        UsageError: It is none of that.
    """
    try:
        return kind.model_validate(dict(told))
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        at = ".".join(map(str, problem["loc"]))
        if problem["type"] == "extra_forbidden":
            raise UsageError(f"{word} has no {at!r}; {did_you_mean(at, kind.model_fields)}") from error
        raise UsageError(f"{word}: {at}: {problem['msg']}") from error


def _tolerance(given: float | int | None) -> Tolerance | None:
    if given is None:
        return None
    if given < 0:
        raise UsageError("fail_on_error is a share from 0 to 1, or a number of dialogues")
    if isinstance(given, float) and given < 1:
        return Tolerance(share=given)
    return Tolerance(count=int(given))
