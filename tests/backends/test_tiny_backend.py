"""Tiny models behind the gateway: what agents say with them, in batches, with labels' probabilities and errors."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from maieutic.agents import Student, Teacher
from maieutic.agents.replies import Position, Solution, among
from maieutic.backends import Endpoints, LLMReply, LLMRequest, ModelSpec, in_memory
from maieutic.backends.doctor import probe
from maieutic.backends.endpoints import dispatching
from maieutic.backends.tiny import GAP, WEIGHTS, Problem, TinyBackend, items, names
from maieutic.backends.tiny.batching import Batches
from maieutic.errors import GraphFileError, ModelError, UsageError
from maieutic.graphs import load_spec
from maieutic.memory import Message, Transcript, Turn
from maieutic.memory.address import Address
from maieutic.testing import CannedReply, LoopbackServer, ParsedRequest

ITEMS = items(60, seed=17)
DIGITS = [str(digit) for digit in range(10)]


def ask(asked: str, model: str | dict[str, Any] = "tiny/student", **request: Any) -> LLMReply:
    wanted = LLMRequest(ModelSpec.model_validate(model), (Message("user", asked),), Address("run"), **request)
    return asyncio.run(TinyBackend().complete(wanted))


def test_a_real_model_answers_for_nothing() -> None:
    reply = ask("Start 3; add 4; times 2; minus 5. Explain.", "tiny/teacher")
    assert reply.text == "3+4=7; 7*2=4; 4-5=9. Answer: 9"
    assert (reply.simulated, reply.usd, reply.finish, reply.model) == (False, 0.0, "stop", "tiny/teacher")
    assert reply.usage.prompt == 17
    assert reply.usage.completion == 21
    assert reply.logprobs is None


def test_log_probabilities_are_told_where_they_are_asked_for() -> None:
    reply = ask("Start 3; add 4. Explain.", "tiny/teacher", logprobs=3)
    assert reply.logprobs is not None
    assert "".join(token.token for token in reply.logprobs) == reply.text
    assert all(len(token.top) == 3 and token.logprob <= 0 for token in reply.logprobs)


def test_limits_and_stop_strings_of_the_request_go_before_those_of_the_model() -> None:
    asked = "Start 3; add 4; times 2. Explain."
    assert ask(asked, {"model": "tiny/teacher", "max_tokens": 3}).finish == "length"
    assert ask(asked, {"model": "tiny/teacher", "max_tokens": 3}, max_tokens=50).finish == "stop"
    assert ask(asked, {"model": "tiny/teacher", "stop": [";"]}).text == "3+4=7"
    assert ask(asked, {"model": "tiny/teacher", "stop": [";"]}, stop=()).text == "3+4=7; 7*2=4. Answer: 4"


def test_samples_differ_and_come_back_by_seed() -> None:
    asked = "Start 7; times 9; minus 9; add 9. Explain."

    def samples(seed: int) -> list[str]:
        return [ask(asked, {"model": "tiny/novice", "seed": seed}, sample=n).text for n in range(1, 9)]

    assert samples(1) == samples(1)
    assert len(set(samples(1))) > 1
    assert samples(1) != samples(2)
    assert len({ask(asked, {"model": "tiny/novice", "temperature": 0}, sample=n).text for n in range(5)}) == 1


def test_an_unknown_model_is_told_with_those_there_are() -> None:
    known = ", ".join(f"tiny/{name}" for name in names())
    with pytest.raises(ModelError) as failed:
        ask("x", "tiny/studnt")
    assert (
        str(failed.value) == f"there is no tiny model 'tiny/studnt'; did you mean 'tiny/student'?; there are: {known}"
    )
    assert failed.value.kind == "bad_request"
    with pytest.raises(ModelError, match="unknown parameter 'knows'; a tiny model has only: weights"):
        ask("x", {"model": "tiny/student", "params": {"knows": 0.5}})


def test_weights_of_your_own_are_named_by_their_folder(tmp_path: Path) -> None:
    own = {"model": "tiny/mine", "params": {"weights": str(WEIGHTS / "teacher")}}
    assert ask("Start 3; add 4. Explain.", own).text == "3+4=7. Answer: 7"
    with pytest.raises(ModelError, match="there is no model in the folder"):
        ask("x", {"model": "tiny/mine", "params": {"weights": str(tmp_path)}})
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(
        ModelError, match=r"does not hold a model as maieutic\.backends\.tiny\.train makes it \(KeyError"
    ):
        ask("x", {"model": "tiny/mine", "params": {"weights": str(tmp_path)}})


def test_messages_that_are_too_long_are_refused_alone() -> None:
    async def both() -> list[LLMReply | BaseException]:
        backend = TinyBackend()
        spec = ModelSpec(model="tiny/teacher")
        requests = [
            LLMRequest(spec, (Message("user", asked),), Address("run"))
            for asked in ("word " * 600, "Start 3; add 4. Explain.")
        ]
        return await asyncio.gather(*map(backend.complete, requests), return_exceptions=True)

    refused, answered = asyncio.run(both())
    assert isinstance(refused, ModelError)
    assert refused.kind == "context_window"
    assert "at most 512 tokens" in str(refused)
    assert isinstance(answered, LLMReply)
    assert answered.text == "3+4=7. Answer: 7"


def test_teacher_and_student_speak_through_their_ordinary_verbs() -> None:
    async def lesson() -> None:
        teacher, student = Teacher("Tea", "tiny/teacher"), Student("Stu", "tiny/student")
        async with in_memory() as at:
            item = next(item for item in ITEMS if GAP & set(item["explains"]))
            explained = await teacher.explain(item["question"], at / "t")
            problem = Problem.all_in(item["question"])[0]
            assert explained.text == f"{'; '.join(problem.steps[:-1])}."
            heard = Transcript((Turn("Tea", explained.text),))
            told = await student.answer(item["question"], at / "s", heard)
            assert told.text.partition("\n")[0] == f"{problem.steps[-1]}." or problem.operations[-1].concept in GAP
            solved = await student.do("answer", at / "typed", question=item["question"], output=among(Solution, DIGITS))
            assert isinstance(solved.data, Solution)
            assert solved.data.answer in DIGITS
            assert 0 < solved.data.confidence <= 1
            assert solved.call.structure == "native"

    asyncio.run(lesson())


def test_an_agent_that_is_asked_something_else_is_told_so_and_says_no_noise() -> None:
    async def lesson() -> None:
        async with in_memory() as at:
            for question in ("Is it so?", "Start 3; add 4; times 2", "What is a star? " * 200):
                with pytest.raises(ModelError, match="tiny/student knows one task, and Stu was asked nothing") as told:
                    await Student("Stu", "tiny/student").answer(question, at)
                assert told.value.kind == "bad_request"

    asyncio.run(lesson())


def test_explanations_raise_the_share_of_right_answers() -> None:
    async def lesson() -> tuple[list[bool], list[bool]]:
        teacher, student = Teacher("Tea", "tiny/teacher"), Student("Stu", "tiny/student")

        async def one(item: dict[str, Any], n: int) -> tuple[bool, bool]:
            here = at / f"item{n}"
            alone = await student.do("answer", here / "alone", question=item["question"], output=Solution)
            said = await teacher.explain(item["question"], here)
            heard = Transcript((Turn("Tea", said.text),))
            told = await student.do("answer", here / "told", heard, question=item["question"], output=Position)
            answers = [reply.data.answer for reply in (alone, told)]  # type: ignore[union-attr]
            return answers[0] == item["answer"], answers[1] == item["answer"]

        async with in_memory() as at:
            pairs = await asyncio.gather(*(one(item, n) for n, item in enumerate(items(200, seed=33))))
        return [alone for alone, _ in pairs], [told for _, told in pairs]

    alone, told = asyncio.run(lesson())
    assert 0.45 <= sum(alone) / 200 <= 0.7
    assert sum(told) / 200 >= sum(alone) / 200 + 0.15


def test_probabilities_of_digits_come_from_the_models_own_distribution() -> None:
    async def weigh() -> list[tuple[str, dict[str, float], str, float]]:
        student = Student("Stu", "tiny/student")
        async with in_memory() as at:
            found: list[tuple[str, dict[str, float], str, float]] = []
            for n, item in enumerate(ITEMS):
                asked = f"Question: {item['question']}\nAnswer with nothing but the digit."
                weighed = await student.weigh(DIGITS, asked, at / str(n))
                found.append((item["answer"], dict(weighed.probabilities), weighed.source, weighed.mass))
            return found

    sure: list[bool] = []
    unsure: list[bool] = []
    for answer, probabilities, source, mass in asyncio.run(weigh()):
        assert source == "logprobs"
        assert sum(probabilities.values()) == pytest.approx(1.0)
        assert 0.6 < mass <= 1.0
        best = max(probabilities, key=lambda digit: probabilities[digit])
        (sure if probabilities[best] > 0.99 else unsure).append(best == answer)
    assert sum(sure) / len(sure) > sum(unsure) / len(unsure) + 0.2


def test_the_same_requests_have_the_same_replies_however_many_wait_together() -> None:
    def replies(concurrency: int) -> list[LLMReply]:
        spec = ModelSpec(model="tiny/student", max_concurrency=concurrency)

        async def all_of_them() -> list[LLMReply]:
            async with in_memory() as at:
                requests = [
                    LLMRequest(
                        spec,
                        (Message("user", f"Question: {item['question']}"),),
                        (at / str(n)).address,
                        output=Solution,
                        logprobs=5,
                    )
                    for n, item in enumerate(ITEMS)
                ]
                return list(await asyncio.gather(*map(at.gateway.complete, requests)))

        return asyncio.run(all_of_them())

    together, alone = replies(60), replies(1)
    assert [(r.text, r.logprobs, r.usage) for r in together] == [(r.text, r.logprobs, r.usage) for r in alone]


def serving(request: ParsedRequest) -> CannedReply:
    """What a vLLM over the student's folder answers."""
    messages = tuple(Message(m.role, m.content) for m in request.messages)
    asked = LLMRequest(ModelSpec(model="tiny/student"), messages, Address("run"), logprobs=request.logprobs)
    reply = asyncio.run(TinyBackend().complete(asked))
    return CannedReply(reply.text, logprobs=reply.logprobs)


def test_the_same_network_served_by_an_endpoint_says_the_same() -> None:
    async def both() -> None:
        student = Student("Stu", "tiny/student")
        with LoopbackServer(lambda request: in_a_thread(serving, request)) as server:
            far = Student("Stu", {"model": "tiny/student", "api_base": server.base("openai"), "retries": 0})
            async with in_memory() as at:
                for n, item in enumerate(ITEMS[:4]):
                    here = at / str(n)
                    heard = Transcript((Turn("Tea", "; ".join(Problem.all_in(item["question"])[0].steps[:-1])),))
                    near = await student.answer(item["question"], here, heard)
                    assert (await far.answer(item["question"], here, heard)).text == near.text
                    typed = [
                        await one.do("answer", here, question=item["question"], output=Solution)
                        for one in (student, far)
                    ]
                    (a, b) = (reply.data for reply in typed)
                    assert isinstance(a, Solution)
                    assert isinstance(b, Solution)
                    assert (a.answer, a.reasoning) == (b.answer, b.reasoning)
                    assert a.confidence == pytest.approx(b.confidence, abs=1e-3)
            asked = server.received.requests
        assert {request.model for request in asked} == {"student"}
        assert all(len(request.messages) == 1 and request.schema is None for request in asked)
        assert all(request.params["temperature"] == 0 for request in asked)

    asyncio.run(both())


def in_a_thread(work: Callable[[ParsedRequest], CannedReply], request: ParsedRequest) -> CannedReply:
    """The server's loop runs already, and the model needs one of its own."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work, request).result()


def test_labels_of_a_served_network_are_counted_over_samples() -> None:
    async def weigh() -> Any:
        with LoopbackServer(lambda request: in_a_thread(serving, request)) as server:
            student = Student("Stu", {"model": "tiny/student", "api_base": server.base("openai"), "retries": 0})
            async with in_memory() as at:
                asked = f"Question: {ITEMS[0]['question']}\nAnswer with nothing but the digit."
                return await student.weigh(DIGITS, asked, at, samples=3)

    weighed = asyncio.run(weigh())
    assert weighed.source == "samples"
    assert max(weighed.probabilities.values()) == 1.0


def test_a_served_network_is_refused_where_a_run_is_offline() -> None:
    async def offline() -> None:
        async with Endpoints() as endpoints:
            spec = ModelSpec(model="tiny/student", api_base="http://127.0.0.1:9/v1")
            ask = dispatching(endpoints, offline=True)
            with pytest.raises(UsageError, match="this run is offline"):
                await ask(LLMRequest(spec, (Message("user", "x"),), Address("run")), None)

    asyncio.run(offline())


def doubling(seen: list[int], fail: bool = False) -> Batches[int, int]:
    def work(jobs: Sequence[int]) -> Sequence[int]:
        seen.append(len(jobs))
        if fail:
            raise RuntimeError("broken")
        return [2 * job for job in jobs]

    return Batches(work, most=8)


def test_jobs_that_wait_together_are_one_batch_up_to_its_limit() -> None:
    seen: list[int] = []

    async def all_of_them() -> list[int]:
        batches = doubling(seen)
        return await asyncio.gather(*(batches.do(job) for job in range(20)))

    assert asyncio.run(all_of_them()) == [2 * job for job in range(20)]
    assert seen == [8, 8, 4]


def test_a_failure_reaches_everyone_in_the_batch() -> None:
    async def all_of_them() -> list[int | BaseException]:
        batches = doubling([], fail=True)
        return await asyncio.gather(*(batches.do(job) for job in range(3)), return_exceptions=True)

    assert [str(error) for error in asyncio.run(all_of_them())] == ["broken"] * 3


def test_when_the_one_who_works_for_all_is_cancelled_another_takes_over() -> None:
    started, go_on = threading.Event(), threading.Event()

    def work(jobs: Sequence[int]) -> Sequence[int]:
        started.set()
        go_on.wait(10)
        return [2 * job for job in jobs]

    async def cancelled_in_the_middle() -> tuple[bool, list[int]]:
        batches = Batches(work, most=8)
        calls = [asyncio.ensure_future(batches.do(job)) for job in range(3)]
        await asyncio.to_thread(started.wait, 10)
        calls[0].cancel()
        await asyncio.wait(calls[:1])
        go_on.set()
        return calls[0].cancelled(), await asyncio.gather(*calls[1:])

    assert asyncio.run(cancelled_in_the_middle()) == (True, [2, 4])


def test_batches_can_be_used_from_one_loop_after_another() -> None:
    batches = doubling([])
    assert [asyncio.run(batches.do(job)) for job in (1, 2)] == [2, 4]


def test_the_doctor_finds_a_tiny_model_usable_with_log_probabilities() -> None:
    async def diagnose() -> Any:
        async with Endpoints() as endpoints:
            spec = ModelSpec(model="tiny/student")
            return await probe(spec, endpoints.backend(spec))

    found = asyncio.run(diagnose())
    assert found.usable
    assert all(found[name].ok for name in ("schema", "logprobs", "streaming", "usage"))


def test_a_graph_file_that_names_an_unknown_tiny_model_is_refused_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "g.yaml"
    file.write_text(
        "version: 1\nname: g\nmodels: {s: tiny/studend}\nagents: {stu: {role: student, model: s}}\n"
        "state: {question: {type: str, input: true}, said: {type: str, default: ''}}\n"
        "graph:\n  start: ask\n  nodes:\n"
        "    ask: {agent: stu, does: answer, reads: [question], writes: {said: reply.text}, next: end}\n"
    )
    with pytest.raises(GraphFileError, match=r"g.yaml:3:\d+: there is no tiny model 'tiny/studend'; did you mean"):
        load_spec(file)
    file.write_text(file.read_text().replace("studend", "student"))
    assert load_spec(file).models["s"].model == "tiny/student"


def test_numpy_is_imported_by_a_reply_and_not_before() -> None:
    code = (
        "import asyncio, sys, maieutic\n"
        "from maieutic.backends import Endpoints, LLMRequest, ModelSpec\n"
        "from maieutic.backends.tiny import TinyBackend, items, names\n"
        "from maieutic.memory import Address, Message\n"
        "names(); items(3, 1); backend = TinyBackend()\n"
        "assert not {'numpy', 'tokenizers', 'safetensors', 'litellm'} & set(sys.modules)\n"
        "request = LLMRequest(ModelSpec(model='tiny/teacher'), (Message('user', 'Start 3; add 4. Explain.'),), "
        "Address('run'))\n"
        "print(asyncio.run(backend.complete(request)).text)\n"
        "assert not {'torch', 'transformers', 'litellm'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "3+4=7. Answer: 7"), done.stderr
