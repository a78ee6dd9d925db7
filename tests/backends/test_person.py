"""A person as a backend: at a terminal, in a form, or answering tomorrow."""

from __future__ import annotations

import asyncio
from typing import Literal

import pytest
from pydantic import BaseModel, Field

from maieutic.backends import Budget, Endpoints, Gateway, LLMReply, LLMRequest, ModelSpec, PersonBackend
from maieutic.backends.person import Ask, AskedField
from maieutic.errors import ReplayMiss, UsageError, WaitingForPerson
from maieutic.memory import Address, Message
from maieutic.memory.entries import RunRecord
from maieutic.memory.journal import Journal


class Review(BaseModel):
    ok: bool
    grade: int = Field(ge=1, le=6, description="1 is best")
    side: Literal["pro", "contra"]
    note: str = ""
    sources: list[str] = []


class Answer(BaseModel):
    answer: int


def request(output: type[BaseModel] | None = None, model: str = "person/me") -> LLMRequest:
    return LLMRequest(
        ModelSpec(model=model), (Message("user", "Is it so?"),), Address("run") / "gate", output, agent="me"
    )


class Terminal:
    """A person who types the given lines."""

    def __init__(self, *lines: str) -> None:
        self.lines = list(lines)
        self.asked: list[tuple[str, AskedField | None]] = []

    async def __call__(self, question: str, field: AskedField | None) -> str:
        self.asked.append((question, field))
        return self.lines.pop(0)


def answer(output: type[BaseModel] | None = None, *, ask: Ask | None = None, given: str | None = None) -> LLMReply:
    """What the gateway makes of a person's answer, and that a second execution finds it in the journal."""

    async def scenario() -> LLMReply:
        answers = {} if given is None else {"0/0/gate": given}
        with Journal.open(None) as journal:
            journal.begin(RunRecord("run", "run", 0.0, "test"))
            async with Endpoints({"person": PersonBackend(ask, answers)}) as endpoints:
                gateway = Gateway(endpoints, journal, budget=Budget(calls=0), offline=True)
                reply = await gateway.complete(request(output))
                assert gateway.ledger.total.calls == 0
                assert [entry.kind for entry in journal.entries("run")] == ["person"]
            again = await Gateway(Endpoints(), journal, replay="only").complete(request(output))
        assert (again.text, again.data, again.from_journal) == (reply.text, reply.data, True)
        return reply

    return asyncio.run(scenario())


def test_a_person_is_asked_what_a_model_would_read_last() -> None:
    terminal = Terminal("It is.")
    assert answer(ask=terminal).text == "It is."
    assert terminal.asked == [("Is it so?", None)]


def test_a_typed_reply_is_asked_for_field_by_field() -> None:
    terminal = Terminal("yes", "2", "pro", "", '["a book"]')
    assert answer(Review, ask=terminal).data == Review(ok=True, grade=2, side="pro", sources=["a book"])
    assert [question for question, _ in terminal.asked] == ["Is it so?", "", "", "", ""]
    fields = [field for _, field in terminal.asked]
    assert fields[0] == AskedField("ok", "bool")
    assert fields[1] == AskedField("grade", "int", "1 is best")
    assert fields[2] == AskedField("side", "Literal['pro', 'contra']", choices=("pro", "contra"))
    assert fields[3] == AskedField("note", "str", required=False)


def test_an_answer_that_does_not_fit_is_asked_for_again() -> None:
    terminal = Terminal("yes", "very good", "9", "2", "pro", "", "")
    assert answer(Review, ask=terminal).data == Review(ok=True, grade=2, side="pro")
    assert terminal.asked[2][0].startswith("'very good' will not do: Input should be a valid integer")
    assert terminal.asked[3][0] == "'9' will not do: Input should be less than or equal to 6."


def test_what_may_be_left_out_is_left_out_if_it_never_fits() -> None:
    class Sure(BaseModel):
        confidence: float | None = Field(default=None, ge=0, le=1)

    terminal = Terminal("very", "7", "quite")
    assert answer(Sure, ask=terminal).data == Sure()
    assert len(terminal.asked) == 3


def test_nobody_there_is_an_error_that_says_how_to_answer() -> None:
    with pytest.raises(WaitingForPerson) as caught:
        answer()
    assert (caught.value.address, caught.value.question) == ("0/0/gate", "Is it so?")
    assert str(caught.value) == (
        "me is asked at 0/0/gate, and nobody is there to answer: Is it so?\n"
        "Answer with `maieutic resume run --answer '0/0/gate=…'`."
    )


@pytest.mark.parametrize("given", ["7", '{"answer": 7}'])
def test_an_answer_may_be_given_beforehand(given: str) -> None:
    assert answer(Answer, given=given).data == Answer(answer=7)
    assert answer(given=given).text == given


def test_half_characters_that_a_terminal_let_through_are_replaced() -> None:
    assert answer(ask=Terminal("so \udcff so")).text == "so � so"
    assert answer(given="so \udcff so").text == "so � so"
    typed = answer(Review, ask=Terminal("yes", "2", "pro", "so \udcff so", "")).data
    assert typed == Review(ok=True, grade=2, side="pro", note="so � so")


def test_a_typed_answer_is_waited_for_in_the_form_in_which_it_is_given() -> None:
    with pytest.raises(WaitingForPerson, match=r"""--answer '0/0/gate=\{"ok": …, "grade": …, "side": …,"""):
        answer(Review)
    assert answer(Review, given='{"ok": true, "grade": 1, "side": "pro"}').data == Review(ok=True, grade=1, side="pro")


@pytest.mark.parametrize(
    ("output", "given", "message"),
    [
        (Answer, "seven", "the answer 'seven' at 0/0/gate will not do: Input should be a valid integer"),
        (Review, "yes", "the answer 'yes' at 0/0/gate will not do: Invalid JSON"),
        (Review, '{"ok": true, "grade": 9, "side": "pro"}', "will not do: grade: Input should be less than or equal"),
        (Review, "yes", """Give it as '0/0/gate={"ok": …, "grade": …, "side": …, "note": …, "sources": …}'"""),
    ],
)
def test_an_unfit_answer_given_beforehand_is_refused_and_not_recorded(
    output: type[BaseModel], given: str, message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        answer(output, given=given)
    assert message in str(caught.value)
    assert answer(output, given='{"ok": true, "grade": 1, "side": "pro", "answer": 7}').data is not None


def test_a_replay_asks_nobody() -> None:
    async def scenario() -> None:
        with Journal.open(None) as journal:
            journal.begin(RunRecord("run", "run", 0.0, "test"))
            endpoints = Endpoints({"person": PersonBackend(Terminal("unheard"))})
            await Gateway(endpoints, journal, replay="only").complete(request())

    with pytest.raises(ReplayMiss):
        asyncio.run(scenario())
