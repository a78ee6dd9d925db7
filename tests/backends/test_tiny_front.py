"""What of the agents' messages a tiny network reads, and into which form its words are put."""

import re
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from maieutic.agents import Agent, Student, Teacher
from maieutic.agents.replies import Position, Review, Solution, among
from maieutic.backends.models import ModelSpec
from maieutic.backends.tiny.front import Read, Reply, put, read
from maieutic.backends.types import LLMRequest, TokenLogprob
from maieutic.memory import Transcript, Turn
from maieutic.memory.address import Address
from maieutic.memory.transcript import Message

QUESTION = "Start 3; add 4; times 2; minus 5."
OTHER = "Start 1; add 1; add 1."
SAID = "3+4=7; 7*2=4; 4-5=9. Answer: 9"
STUDENT, TEACHER = Student("Stu", "tiny/student"), Teacher("Tea", "tiny/teacher")


def asked(*contents: str | Message, output: type[BaseModel] | None = None) -> Read:
    messages = tuple(Message("user", one) if isinstance(one, str) else one for one in contents)
    return read(LLMRequest(ModelSpec(model="tiny/student"), messages, Address("run"), output=output))


def asked_of(
    agent: Agent, verb: str, said: tuple[Turn, ...] = (), output: type[BaseModel] | None = None, **given: Any
) -> Read:
    return asked(*agent.messages(verb, Transcript(said), given), output=output)


def prompt(wanted: Read) -> str:
    (message,) = wanted.messages
    return message.content


def tokens(text: str) -> tuple[TokenLogprob, ...]:
    return tuple(TokenLogprob(piece, -0.5) for piece in re.findall(r" ?\w+|[^\w ]", text))


def done(wanted: Read, text: str = SAID, shares: dict[str, float] | None = None) -> Reply:
    return put(wanted, text, tokens(text), 0.75, shares or {})


def test_a_students_question_reaches_the_network_alone() -> None:
    wanted = asked_of(STUDENT, "answer", question=QUESTION)
    assert prompt(wanted) == f"{QUESTION} Explain."
    assert wanted.task == "answer"


def test_an_explanation_is_read_as_a_hint_wherever_it_stands() -> None:
    as_hint = asked_of(STUDENT, "answer", question=QUESTION, hint="3+4=7; 7*2=4.")
    as_turn = asked_of(STUDENT, "answer", (Turn("Tea", "3+4=7; 7*2=4."),), question=QUESTION)
    as_extra = asked_of(STUDENT, "answer", question=QUESTION, explanation="First 3+4=7 and then 7*2=4, you see.")
    for wanted in (as_hint, as_turn, as_extra):
        assert prompt(wanted) == f"{QUESTION} Hint: 3+4=7; 7*2=4. Explain."


def test_an_explanation_of_another_question_is_not_read() -> None:
    dialogue = (Turn("Tea", f"Question: {OTHER}"), Turn("Tea", "1+1=2."))
    assert prompt(asked_of(STUDENT, "answer", dialogue, question=QUESTION)) == f"{QUESTION} Explain."
    assert prompt(asked(f"{OTHER} 1+1=2; 2+1=3. Answer: 3\n\n{QUESTION}\nAnswer.")) == f"{QUESTION} Explain."


def test_the_latest_explanation_counts_and_what_the_model_said_itself_does_not() -> None:
    dialogue = (Turn("Tea", "3+4=8."), Turn("Stu", "3+4=1; 1*2=2."), Turn("Tea", "No: 3+4=7."))
    assert prompt(asked_of(STUDENT, "answer", dialogue, question=QUESTION)) == f"{QUESTION} Hint: 3+4=7. Explain."
    assert prompt(asked_of(STUDENT, "answer", dialogue[1:2], question=QUESTION)) == f"{QUESTION} Explain."


def test_a_teacher_works_the_question_out_whatever_the_student_said() -> None:
    for verb in ("explain", "hint"):
        wanted = asked_of(TEACHER, verb, question=QUESTION, answer="3+4=8; 8*2=6; 6-5=1. Answer: 1")
        assert prompt(wanted) == f"{QUESTION} Explain."
        assert wanted.task == verb


def test_an_explanation_leaves_the_last_step_out_and_a_hint_all_but_the_first() -> None:
    assert done(asked_of(TEACHER, "explain", question=QUESTION)).text == "3+4=7; 7*2=4."
    assert done(asked_of(TEACHER, "hint", question=QUESTION)).text == "3+4=7."
    assert done(asked_of(TEACHER, "explain", question=QUESTION)).thought == SAID


def test_what_is_in_the_models_language_already_is_left_as_it_is() -> None:
    for bare in (QUESTION, f"{QUESTION} Explain.", f"{QUESTION} Hint: 3+4=7. Explain.", f"{QUESTION} Hint: 3+4=7."):
        wanted = asked(bare)
        assert wanted.task == "raw"
        assert prompt(wanted) == bare
        assert done(wanted).text == SAID


def test_messages_without_a_question_are_rendered_as_they_are() -> None:
    messages = (Message("system", "You are a poet."), Message("user", "Tell me about whales."))
    assert asked(*messages) == Read(messages, "raw")


def test_a_plain_answer_stands_on_a_line_of_its_own_and_its_tokens_give_it_back() -> None:
    reply = done(asked_of(STUDENT, "answer", question=QUESTION))
    assert reply.text == "3+4=7; 7*2=4; 4-5=9.\nAnswer: 9"
    assert "".join(token.token for token in reply.logprobs) == reply.text


def test_typed_replies_say_what_the_network_said() -> None:
    solution = asked_of(STUDENT, "answer", output=Solution, question=QUESTION)
    assert Solution.model_validate_json(done(solution).text) == Solution(
        reasoning="3+4=7; 7*2=4; 4-5=9.", answer="9", confidence=0.75
    )
    position = asked_of(STUDENT, "answer", output=among(Position, ("1", "9")), question=QUESTION)
    assert Position.model_validate_json(done(position).text).answer == "9"


def test_a_typed_answer_is_an_answer_even_where_the_words_ask_for_an_explanation() -> None:
    assert asked(f"Question: {QUESTION} Explain to me how, then answer.", output=Solution).task == "answer"
    assert asked(f"Question: {QUESTION} Explain to me how.", output=Review).task == "explain"


def test_where_a_label_alone_is_wanted_the_reply_is_the_answer_with_the_probabilities_of_all() -> None:
    wanted = asked(f"Question: {QUESTION}\nAnswer with nothing but the digit.")
    assert wanted.task == "label"
    reply = done(wanted, shares={"9": 0.5, "2": 0.25})
    assert reply.text == "9"
    (token,) = reply.logprobs
    assert token.top == {"9": pytest.approx(-0.693147), "2": pytest.approx(-1.386294)}


def test_a_letter_is_said_where_letters_are_wanted() -> None:
    for words in ("Write the letter alone.", "Choose one option. Write the letter alone.", "Answer with one letter."):
        wanted = asked(f"Question: {QUESTION}\n\nOptions:\nA. 1\nB. 9\n\n{words}")
        reply = done(wanted, shares={"9": 0.5, "1": 0.25})
        assert reply.text == "B"
        assert set(reply.logprobs[0].top) == {"A", "B"}


def test_the_tokens_of_a_typed_reply_carry_the_probability_of_the_answer_alone() -> None:
    wanted = asked_of(STUDENT, "answer", output=Position, question=QUESTION)
    reply = done(wanted, shares={"9": 0.5})
    assert "".join(token.token for token in reply.logprobs) == reply.text
    assert [token.token for token in reply.logprobs if token.logprob] == ["9"]


def test_a_reply_that_breaks_off_has_no_answer() -> None:
    wanted = asked_of(STUDENT, "answer", output=Position, question=QUESTION)
    assert Position.model_validate_json(done(wanted, "3+4=7; 7*").text).answer == ""
    assert done(asked_of(TEACHER, "explain", question=QUESTION), "Explain").text == "Explain"


def test_a_form_of_another_kind_is_filled_too() -> None:
    class Odd(BaseModel):
        seal: Literal["amber"]
        count: int

    wanted = asked("Say something.", output=Odd)
    assert Odd.model_validate_json(done(wanted, "=+=").text).seal == "amber"
