"""What the journal answers for: forks and failures, beside what test_gateway shows."""

import asyncio
from dataclasses import replace

import pytest

from maieutic.backends import CallFailed, Endpoints, Gateway, LLMRequest, ModelSpec, ScriptedModel
from maieutic.errors import ModelError, ReplayMiss
from maieutic.memory import Address, Journal, Message, RunRecord

MODEL = ModelSpec(model="scripted/x", retries=0)


def request(text: str, run: str = "run") -> LLMRequest:
    return LLMRequest(MODEL, (Message("user", text),), Address(run) / "node#1")


def test_a_fork_keeps_what_was_said_even_where_the_request_has_changed() -> None:
    async def main() -> None:
        async with Journal.open(None) as journal, Endpoints({"scripted": ScriptedModel(["yes", "no"])}) as endpoints:
            journal.begin(RunRecord("run", "run", 0.0, "debate"))
            await Gateway(endpoints, journal).complete(request("Before?"))
            with pytest.raises(ReplayMiss, match="fork"):
                await Gateway(endpoints, journal).complete(request("After?"))
            journal.fork("run", RunRecord("branch", "run", 0.0, "debate", parent="run"), keep=lambda entry: True)
            kept = await Gateway(endpoints, journal).complete(request("After?", "branch"))
            assert (kept.text, kept.from_journal) == ("yes", True)
            fresh = replace(request("After?"), address=Address("branch") / "node#2")
            assert (await Gateway(endpoints, journal).complete(fresh)).text == "no"
            again = await Gateway(endpoints, journal, replay="only").complete(request("After?", "branch"))
            assert again.text == "yes"
            with pytest.raises(ReplayMiss, match="another request"):  # what the branch asked itself is held to
                await Gateway(endpoints, journal).complete(replace(fresh, messages=request("Again?").messages))

    asyncio.run(main())


def test_a_replay_fails_where_the_recorded_run_failed() -> None:
    async def main() -> None:
        script = ScriptedModel([ModelError("the endpoint is gone", kind="not_found")])
        async with Journal.open(None) as journal, Endpoints({"scripted": script}) as endpoints:
            journal.begin(RunRecord("run", "run", 0.0, "debate"))
            with pytest.raises(CallFailed):
                await Gateway(endpoints, journal).complete(request("Why?"))
            with pytest.raises(CallFailed, match=r"the endpoint is gone.*as recorded") as failure:
                await Gateway(endpoints, journal, replay="only").complete(request("Why?"))
            assert (failure.value.kind, len(failure.value.attempts)) == ("not_found", 1)

    asyncio.run(main())
