"""`maieutic eval`: run an experiment file, or what of it is not computed yet."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from maieutic.cli import exit_codes
from maieutic.cli.budgets import limits_of
from maieutic.cli.eval_tables import judges_calls, means, outlook_json, outlook_table, results_table
from maieutic.cli.options import Talk, elsewhere, json_option, pass_talk, store_option, talk_options
from maieutic.cli.tables import shortened
from maieutic.errors import UsageError
from maieutic.wording import amount

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maieutic.runs.experiments import Experiment, ExperimentRun

    ToleratedType = click.ParamType[float | int]
    AddressType = click.ParamType[str]
else:
    ToleratedType = AddressType = click.ParamType  # not generic before click 8.4

__all__ = ["eval"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class Tolerated(ToleratedType):
    """How many may fail: 5%, 0.05 or 20."""

    name = "share or number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | int:
        """A share below 1, or a number."""
        if isinstance(value, float | int):
            return value
        text = str(value).strip()
        try:
            if text.endswith("%"):
                share = float(text[:-1]) / 100
                if 0 <= share <= 1:
                    return min(share, 0.999999999)
            elif text.isdecimal():
                return int(text)
            elif 0 <= float(text) < 1:
                return float(text)
        except ValueError:
            pass
        self.fail(f"{value!r} is neither a share such as 5% or 0.05 nor a number of dialogues such as 20", param, ctx)


class Cluster(AddressType):
    """A Ray cluster's address."""

    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The address; not the experiment's file, which would be taken for one behind a bare --ray."""
        text = str(value)
        if Path(text).is_file():
            self.fail(f"{text!r} is a file; write it before --ray, or --ray local", param, ctx)
        return text


@click.command()
@click.argument("file", type=_FILE)
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the first N items.")
@click.option("--sample-id", "sample_ids", multiple=True, metavar="ID", help="Only the item with this id. Repeatable.")
@click.option(
    "--repeats", type=click.IntRange(1), metavar="N", help="How often each item is run (default: the file's)."
)
@click.option("--seed", type=int, metavar="N", help="Of everything drawn at random (default: the file's).")
@click.option("--concurrency", type=click.IntRange(1), metavar="N", help="Dialogues in flight (default: the file's).")
@click.option(
    "--budget", metavar="LIMITS", help='For the whole experiment: "5" (US dollars), "2M tokens", "900 calls".'
)
@click.option(
    "--retry-failed", is_flag=True, help="Run dialogues again that failed or were stopped by their own limits."
)
@click.option(
    "--fail-on-error",
    type=Tolerated(),
    metavar="SHARE",
    help="End it when more dialogues failed than 5%, or than 20; fewer are taken as success.",
)
@click.option("--run-id", metavar="NAME", help="The name under which the results stand (default: the experiment's).")
@click.option("--offline", is_flag=True, help="Refuse every model that needs the network.")
@click.option("--cache", is_flag=True, help="Let recorded replies to the same requests answer, of whatever run.")
@click.option(
    "--ray",
    type=Cluster(),
    is_flag=False,
    flag_value="local",
    metavar="[ADDRESS]",
    help="Have dialogues run by workers on Ray: started here, or the cluster at HOST:PORT, ray://HOST:PORT or auto.",
)
@click.option(
    "--workers", type=click.IntRange(1), metavar="N", help="How many with --ray (default: one for each processor)."
)
@click.option("--dry-run", is_flag=True, help="Show what would be run, with calls and an estimate of cost.")
@store_option
@json_option
@talk_options
@pass_talk
def eval(talk: Talk, /, file: Path, *, store: Path | str, as_json: bool, dry_run: bool, **chosen: Any) -> None:
    """Run the experiment in FILE.

    \b
      maieutic eval experiment.yaml --dry-run
      maieutic eval experiment.yaml --limit 20
      maieutic eval experiment.yaml
      maieutic eval experiment.yaml --repeats 5 --retry-failed --fail-on-error 5%
      maieutic eval experiment.yaml --ray --workers 8

    What the store has is not computed again: run the same command after Ctrl-C, a crash, or with more items, repeats or
    conditions in the file, and only what is new is computed.
    """
    from maieutic.runs.experiments import load_experiment

    experiment = load_experiment(file)
    _change(experiment, chosen)
    name = chosen["run_id"] or experiment.name
    which = {key: chosen[key] for key in ("run_id", "limit", "sample_ids")}
    if dry_run:
        outlook = asyncio.run(experiment.outlook(store, **which))
        told = name, outlook, judges_calls(experiment)
        click.echo(json.dumps(outlook_json(*told)) if as_json else outlook_table(*told))
        return
    again = _again(file, store, chosen)
    if chosen["workers"] is not None and chosen["ray"] is None:
        raise UsageError("--workers are workers on Ray; add --ray")
    how = {key: chosen[key] for key in ("retry_failed", "fail_on_error", "offline", "cache", "ray", "workers")}
    try:
        done = asyncio.run(_watched(experiment, store, talk, as_json=as_json, **which, **how))
    except KeyboardInterrupt:
        _cancelled(name, store, again)
    _tell(done, store, again, talk, as_json=as_json)
    sys.exit(_code(done, tolerated=chosen["fail_on_error"] is not None))


def _change(experiment: Experiment, chosen: Mapping[str, Any]) -> None:
    """Put what was typed in place of what the file says."""
    for key in ("repeats", "seed", "concurrency"):
        if chosen[key] is not None:
            setattr(experiment, key, chosen[key])
    if chosen["budget"] is not None:
        from maieutic.runs.experiments.spec import BudgetSpec

        experiment.budget = BudgetSpec(**limits_of(chosen["budget"], "an experiment"))


async def _watched(
    experiment: Experiment, store: Path | str, talk: Talk, *, as_json: bool, **options: Any
) -> ExperimentRun:
    from maieutic.cli.eval_display import display

    with display(quiet=talk.quiet or (as_json and not talk.verbose)) as begin:
        return await experiment.run(store, on_begin=begin, **options)


def _again(file: Path, store: Path | str, chosen: Mapping[str, Any]) -> str:
    """The command that goes on with the same work: all options that say what is computed, and none that say how."""
    words = ["maieutic", "eval", str(file)]
    for key in ("run_id", "limit", "repeats", "seed"):
        if chosen[key] is not None:
            words += [f"--{key.replace('_', '-')}", str(chosen[key])]
    for name in chosen["sample_ids"]:
        words += ["--sample-id", name]
    return shlex.join(words) + elsewhere(store)


def _cancelled(name: str, store: Path | str, again: str) -> NoReturn:
    from maieutic.runs.experiments import results_of
    from maieutic.runs.experiments.store import is_there

    done = len(results_of(store, name)) if is_there(store) else 0
    click.echo(f"Cancelled; {done} dialogues are kept. Go on with: {again}", err=True)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exit_codes.CANCELLED)  # at once: a normal exit would wait for a thread that may be importing LiteLLM


def _code(done: ExperimentRun, *, tolerated: bool) -> int:
    if done.status == "done":
        failed = (done.total.failed and not tolerated) or done.unjudged
        return exit_codes.FAILED if failed else exit_codes.DONE
    return exit_codes.BUDGET if done.status == "stopped" else exit_codes.FAILED


def _tell(done: ExperimentRun, store: Path | str, again: str, talk: Talk, *, as_json: bool) -> None:
    found, simulated = means(done)
    if as_json:
        click.echo(json.dumps(_as_json(done, found), ensure_ascii=False))
        return
    click.echo(results_table(done.counts, found))
    if simulated:
        click.echo("Simulated: the replies come from simulated minds, not from a language model.", err=True)
    _tell_scoring(done, again)
    if done.error:
        click.secho(f"{done.status.capitalize()}: ", err=True, nl=False, fg="red", bold=True)
        click.echo(done.error, err=True)
        if done.status == "failed":
            _tell_errors(done)
        click.echo(f"Go on with: {again}", err=True)
    elif done.total.failed:
        click.echo(f"{done.total.failed} failed. Run them again with: {again} --retry-failed", err=True)
        _tell_errors(done)
    elif not talk.quiet:
        judged = f", {done.judgements} calls of judges" * bool(done.judgements)
        click.echo(
            f"This time {done.finished} dialogues and {done.calls} calls in {done.seconds:.1f}s{judged}.", err=True
        )
        click.echo(f"Intervals, differences and pictures: maieutic report {done.name}{elsewhere(store)}", err=True)


def _tell_scoring(done: ExperimentRun, again: str) -> None:
    """What became of scores beside those that were made as dialogues ended."""
    if done.rescored:
        words = amount(done.rescored, "dialogue")
        click.echo(f"Scored {words} of earlier executions again, as scorers or targets have changed.", err=True)
    for name, message in done.unjudged.items():
        click.echo(f"The first judge of {name} that failed: {shortened(message, 400)}", err=True)
    if done.unjudged:
        click.echo(f"Have judged what is not with: {again}", err=True)


def _tell_errors(done: ExperimentRun) -> None:
    """The kinds of failure, the most frequent first."""
    reasons: Counter[str] = Counter()
    example: dict[str, str] = {}
    for result in done.results.where(status="failed"):
        reasons[result.reason] += 1
        example.setdefault(result.reason, f"{result.run_id}: {result.error}")
    for reason, n in reasons.most_common(5):
        click.echo(f"  {n} × {reason}, first {shortened(example[reason], 200)}", err=True)


def _as_json(done: ExperimentRun, means: Mapping[str, Mapping[str, float | None]]) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "experiment": done.name,
        "status": done.status,
        "error": done.error,
        "store": None if done.store is None else str(done.store),
        "conditions": [
            {"condition": name, **asdict(tally), "scores": means.get(name, {})} for name, tally in done.counts.items()
        ],
        "calls": done.calls,
        "judgements": done.judgements,
        "unjudged": dict(done.unjudged),
        "rescored": done.rescored,
        "finished": done.finished,
        "seconds": round(done.seconds, 3),
    }
