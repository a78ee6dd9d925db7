"""Places outside any run."""

import asyncio

from maieutic.backends import Endpoints, LLMRequest, ModelSpec, ScriptedModel, in_memory, standalone
from maieutic.backends.place import Place
from maieutic.memory import Message


def asked(at: Place, question: str = "Why?") -> LLMRequest:
    return LLMRequest(ModelSpec(model="scripted/x"), (Message("user", question),), (at / "call").address)


def test_nothing_is_remembered_so_that_one_address_may_ask_twice() -> None:
    async def answers() -> list[str]:
        at = standalone(Endpoints({"scripted": ScriptedModel(["one", "two", "three"])}))
        questions = ["Why?", "Why?", "How?"]
        return [(await at.gateway.complete(asked(at, question))).text for question in questions]

    assert asyncio.run(answers()) == ["one", "two", "three"]


class Closing(ScriptedModel):
    closed = False

    async def aclose(self) -> None:
        self.closed = True


def test_the_hosts_endpoints_stay_open() -> None:
    model = Closing(["one"])

    async def answer() -> str:
        async with in_memory(Endpoints({"scripted": model})) as at:
            return (await at.gateway.complete(asked(at))).text

    assert asyncio.run(answer()) == "one"
    assert not model.closed


def test_a_place_draws_by_its_seed_and_address() -> None:
    one, other = standalone(seed=1), standalone(seed=2)
    assert (one / "a").rng().random() == (standalone(seed=1) / "a").rng().random()
    assert len({place.rng().random() for place in (one, one / "a", one / "b", other)}) == 4
