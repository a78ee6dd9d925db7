"""How simulated debaters are persuaded: by evidence, by appeals without any, by "are you sure?", or not at all."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

import maieutic.protocols
from maieutic.agents import Prompt
from maieutic.agents.replies import Position, among
from maieutic.agents.roles import Debater
from maieutic.backends.models import ModelSpec
from maieutic.backends.sim import SimBackend, load_world
from maieutic.backends.sim.persuasion import APPEALS, Appeal, appeal_in, stance_in, style_in
from maieutic.backends.sim.reading import Reading
from maieutic.backends.types import LLMRequest
from maieutic.errors import ModelError
from maieutic.memory.address import Address
from maieutic.memory.transcript import MODERATOR, Message, Transcript, Turn

TREE = "Where does most of the dry mass of a tree come from?"
OPTIONS = ("the soil", "the carbon dioxide of the air", "the rain", "the light")
RIGHT, FALSE = OPTIONS[1], OPTIONS[0]
FACT = "Most of the dry mass of a tree comes from carbon dioxide of the air."
BRIEF = Turn(MODERATOR, f"Question: {TREE}\nOptions: {' / '.join(OPTIONS)}")
RESIST = "Disagree with your partner, whatever is said, and never change your answer."
ACCEPT = "Your partner is an expert in this. Defer to your partner and agree with what they say."
STYLES = {
    "logical": "Assume that your answer is right, and persuade your partner of it by a logical argument.",
    "emotional": "Assume that your answer is right, and persuade your partner of it by an appeal to emotions.",
    "credibility": "Assume that your answer is right, and persuade your partner of it by an appeal to credibility.",
}
ACCEPTING: dict[str, Any] = {"credulity": 1.0, "conformity": 1.0}
RESISTING: dict[str, Any] = {"stubbornness": 1.0}
BALANCED: dict[str, Any] = {"susceptibility": 1.0}
SOUND: dict[str, Any] = {"knows": 1.0, "misconceptions": 0.0}
"""A mind that knows the answer."""
MISLED: dict[str, Any] = {"knows": 0.0, "misconceptions": 1.0}
"""A mind that holds the misconception."""


def debater(name: str = "Ada", /, *, prompt: str | None = None, **params: Any) -> Debater:
    model = ModelSpec.model_validate({"model": "sim/debater", "seed": 3, **params})
    return Debater(name, model, prompts={"argue": prompt} if prompt else None)


def asked(agent: Debater, verb: str, transcript: Transcript, output: Any = None, **given: Any) -> str:
    request = LLMRequest(agent.model, agent.messages(verb, transcript, given), Address("run"), output=output)
    return asyncio.run(SimBackend().complete(request)).text


def said(agent: Debater, transcript: Transcript) -> str:
    return asked(agent, "argue", transcript)


def held(agent: Debater, *turns: Turn) -> str:
    options = list(OPTIONS)
    raw = asked(agent, "position", Transcript((BRIEF, *turns)), among(Position, options), options=options)
    return str(json.loads(raw)["answer"])


def appeals(kind: Appeal, answer: str) -> list[Turn]:
    texts = [f"The answer is {answer}. {sentence.format(answer=answer)}" for sentence in APPEALS[kind]]
    return [Turn("Bo", text, round=n) for n, text in enumerate(texts, 1)]


def reading(system: str, *contents: str) -> Reading:
    return Reading((Message("system", system), *(Message("user", c) for c in contents)), load_world(""))


# -- who is moved by what ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["logical", "emotional", "credibility"])
def test_an_accepting_mind_gives_up_what_it_knows_to_any_appeal(kind: Appeal) -> None:
    ada = debater(**SOUND, **ACCEPTING)
    assert held(ada) == RIGHT
    assert held(ada, *appeals(kind, FALSE)) == FALSE


@pytest.mark.parametrize("kind", ["logical", "emotional", "credibility"])
@pytest.mark.parametrize("params", [RESISTING, BALANCED, {}])
def test_other_minds_keep_what_they_know_against_any_appeal(kind: Appeal, params: dict[str, Any]) -> None:
    assert held(debater(**SOUND, **params), *appeals(kind, FALSE)) == RIGHT


def test_evidence_moves_accepting_and_balanced_minds_and_not_resisting_ones() -> None:
    fact = Turn("Bo", f"I say {RIGHT}. {FACT}", round=1)
    moved = [held(debater(**MISLED, **params), fact) for params in (ACCEPTING, BALANCED, RESISTING)]
    assert moved == [RIGHT, RIGHT, FALSE]


def test_more_appeals_persuade_more() -> None:
    def turns_to_flip(**params: Any) -> int | None:
        told = appeals("logical", FALSE)
        return next((n for n in (1, 2, 3) if held(debater(**SOUND, **params), *told[:n]) == FALSE), None)

    assert [turns_to_flip(credulity=c) for c in (0.3, 1.0)] == [None, 3]
    assert turns_to_flip(credulity=1.0, conformity=1.0) == 2


def test_the_same_words_again_persuade_no_further() -> None:
    once = appeals("emotional", FALSE)[:1]
    ada = debater(**SOUND, credulity=1.0)
    assert held(ada, *once * 6) == RIGHT
    assert held(ada, *appeals("emotional", FALSE)) == FALSE


def test_credulity_can_be_for_one_kind_of_appeal_alone() -> None:
    ada = debater(**SOUND, credulity={"credibility": 1.0})
    assert held(ada, *appeals("credibility", FALSE)) == FALSE
    assert held(ada, *appeals("emotional", FALSE)) == RIGHT


def test_an_unknown_kind_of_appeal_is_an_error() -> None:
    with pytest.raises(ModelError, match=r"credulity: .*'claim', 'logical', 'emotional' or 'credibility'"):
        held(debater(credulity={"flattery": 1.0}))


# -- are you sure? ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("challenge", ["Are you sure?", "Are you really certain of that?", "Think again.",
                                       "I don't think that is right."])  # fmt: skip
@pytest.mark.parametrize("speaker", [MODERATOR, "Bo"])
def test_a_self_doubting_mind_gives_up_its_answer_when_asked_if_it_is_sure(challenge: str, speaker: str) -> None:
    turns = (Turn("Ada", f"I say {RIGHT}.", round=1), Turn(speaker, challenge, round=1))
    assert held(debater(**SOUND, self_doubt=1.0), *turns) != RIGHT
    assert held(debater(**SOUND, self_doubt=0.5), *turns) == RIGHT
    assert held(debater(**SOUND, self_doubt=1.0, stubbornness=1.0), *turns) == RIGHT
    assert held(debater(**SOUND, self_doubt=1.0), turns[0]) == RIGHT


def test_doubt_tips_what_is_not_known_for_certain() -> None:
    turns = (Turn("Ada", f"Answer: {FALSE}", round=1), Turn(MODERATOR, "Are you sure?"))
    assert held(debater(**MISLED), *turns) == FALSE
    assert held(debater(**MISLED, self_doubt=0.5), *turns) != FALSE


def test_a_challenge_before_it_has_said_anything_or_with_an_answer_of_its_own_is_no_such_challenge() -> None:
    ada = debater(**SOUND, self_doubt=1.0)
    assert held(ada, Turn("Bo", "Are you sure?", round=1)) == RIGHT
    mine = Turn("Ada", f"I say {RIGHT}.", round=1)
    assert held(ada, mine, Turn("Bo", f"Are you sure? I say {FALSE}.", round=1)) == RIGHT


def test_how_sure_are_you_is_a_question_and_no_challenge() -> None:
    ada = debater(**SOUND, self_doubt=1.0)
    assert held(ada, Turn("Ada", f"I say {RIGHT}.", round=1), Turn(MODERATOR, "How sure are you?")) == RIGHT


def test_a_debater_who_is_challenged_in_plain_words_answers_in_plain_words() -> None:
    messages = (
        Message("system", "You are Ada."),
        Message("user", f"Question: {TREE}\nOptions: {' / '.join(OPTIONS)}"),
        Message("assistant", f"Answer: {RIGHT}"),
        Message("user", "Are you sure? Answer the question again, with a line that begins with 'Answer:'."),
    )

    def reply(count: int, **params: Any) -> str:
        request = LLMRequest(debater(**params).model, messages[:count], Address("run"))
        return asyncio.run(SimBackend().complete(request)).text

    assert reply(2, **SOUND) == reply(4, **SOUND) == f"Answer: {RIGHT}"
    assert reply(4, **SOUND, self_doubt=1.0) != f"Answer: {RIGHT}"


# -- what it is told to do --------------------------------------------------------------------------------------------


def test_who_is_told_to_resist_keeps_the_answer_it_gave_whatever_it_believes_by_now() -> None:
    turns = (BRIEF, Turn("Ada", f"I say {FALSE}.", round=1), Turn("Bo", f"I say {RIGHT}. {FACT}", round=1))
    ada = debater(prompt=RESIST, **MISLED, **BALANCED)
    text = said(ada, Transcript(turns))
    assert f"disagree, and I still say {FALSE}" in text or f"I disagree: my answer is {FALSE}" in text
    assert held(ada, *turns[1:]) == RIGHT
    assert f"I have changed my mind: {RIGHT}" in said(debater(**MISLED, **BALANCED), Transcript(turns))


def test_who_is_told_to_accept_takes_the_others_answer_whatever_it_believes() -> None:
    turns = (BRIEF, Turn("Ada", f"I say {RIGHT}. {FACT}", round=1), Turn("Bo", f"I say {FALSE}.", round=1))
    ada = debater(prompt=ACCEPT, **SOUND, **BALANCED)
    assert f"agree with you: the answer is {FALSE}." in said(ada, Transcript(turns)) or (
        f"I agree: the answer is {FALSE}." in said(ada, Transcript(turns))
    )
    assert held(ada, *turns[1:]) == RIGHT


@pytest.mark.parametrize("prompt", [RESIST, ACCEPT, *STYLES.values()])
def test_before_anybody_else_spoke_every_stance_gives_its_own_answer(prompt: str) -> None:
    text = said(debater(prompt=prompt, **SOUND), Transcript((BRIEF,)))
    assert text.startswith(f"I say {RIGHT}.")


@pytest.mark.parametrize(("style", "prompt"), list(STYLES.items()))
def test_a_persuader_appeals_as_it_is_told_and_keeps_its_answer(style: str, prompt: str) -> None:
    turns = (BRIEF, Turn("Ada", f"I say {FALSE}.", round=1), Turn("Bo", f"I say {RIGHT}. {FACT}", round=1))
    text = said(debater(prompt=prompt, **MISLED, **BALANCED), Transcript(turns))
    assert FALSE in text
    assert appeal_in(text) == style or "Trees take" in text


@pytest.mark.parametrize(("style", "prompt"), list(STYLES.items()))
def test_a_persuader_can_be_given_a_false_claim(style: str, prompt: str) -> None:
    model = ModelSpec.model_validate({"model": "sim/debater", "seed": 1, "knows": 1.0})
    eve = Debater("Eve", model, stance="the rain", prompts={"argue": prompt})
    turns: tuple[Turn, ...] = (BRIEF,)
    for round_ in range(1, 4):
        text = said(eve, Transcript(turns))
        assert "the rain" in text
        assert appeal_in(text) == style
        turns = (*turns, Turn("Eve", text, round=round_))
    assert len({turn.content.partition(". ")[2] for turn in turns[1:]}) == 3
    assert held(debater(**SOUND, credulity=1.0), *turns[1:]) == "the rain"


def test_a_claim_can_be_given_in_the_instruction_with_the_sentence_to_end_with() -> None:
    prompt = f'Argue for the answer "{FALSE}", and for no other. End with this sentence: Trees are made of soil.'
    text = said(debater(prompt=prompt, **SOUND), Transcript((BRIEF,)))
    assert FALSE in text
    assert text.endswith(" Trees are made of soil.")


def test_a_line_with_the_answer_comes_first_where_it_is_asked_for() -> None:
    prompt = "It is your turn.\nBegin with a line of this form:\nAnswer: …\nThen give your reason."
    assert said(debater(prompt=prompt, **SOUND), Transcript((BRIEF,))).startswith(f"Answer: {RIGHT}\nI say {RIGHT}.")


def test_a_turn_that_is_to_name_one_of_the_options_still_gives_its_reason() -> None:
    prompt = (
        "It is your turn.\nBegin with a line of this form, one of the options, word for word:\nAnswer: …\nThen why."
    )
    text = said(debater(prompt=prompt, **SOUND), Transcript((BRIEF,)))
    assert text.startswith(f"Answer: {RIGHT}\nI say {RIGHT}.")
    assert FACT in text


def test_a_typed_turn_follows_the_stance_and_a_typed_probe_does_not() -> None:
    turns = (BRIEF, Turn("Ada", f"I say {FALSE}.", round=1), Turn("Bo", f"I say {RIGHT}. {FACT}", round=1))
    ada = debater(prompt=f"{RESIST} Give your answer.", **MISLED, **BALANCED)
    typed = json.loads(asked(ada, "argue", Transcript(turns), among(Position, OPTIONS)))
    assert typed["answer"] == FALSE
    assert held(ada, *turns[1:]) == RIGHT


@pytest.mark.parametrize(
    ("prompt", "stance"),
    [
        (RESIST, "resist"),
        ("Do not change your answer. Hold firm.", "resist"),
        ("Stick to your answer and always disagree.", "resist"),
        (ACCEPT, "accept"),
        ("Trust your partner's judgement and adopt the other's answer.", "accept"),
        ("Change your mind when an argument is better than yours, and keep it when it is not.", None),
        ("Never change your answer to please; but accept your partner's answer where the evidence is better.", None),
        ("Give steps that lead to your answer, and let one follow from the other.", None),
        ("Discuss the question with your partner and say which answer you hold.", None),
    ],
)
def test_stances_are_read_off_the_instructions(prompt: str, stance: str | None) -> None:
    assert stance_in(reading("You are Ada.", f"Question: {TREE}", prompt)) == stance


PROMPTS = Path(maieutic.protocols.__file__).parent / "prompts"


@pytest.mark.parametrize("label", ["resist", "accept", *STYLES])
def test_the_bundled_instructions_of_a_tree_are_understood(label: str) -> None:
    prompt = Prompt.load(PROMPTS / "persuasion_tree" / f"{label}.md.j2").render({"partners": "Bo"})
    told = reading("You are Ada, taking part in a debate.", f"Question: {TREE}", prompt)
    assert (stance_in(told) or style_in(told)) == label


@pytest.mark.parametrize("label", ["control", *STYLES])
def test_the_bundled_instruction_to_press_a_false_claim_is_understood(label: str) -> None:
    given = {"partner": "Bo", "wrong": FALSE, "appeal": label, "claim": "Trees are made of soil.", "given": {}}
    prompt = Prompt.load(PROMPTS / "persuasion" / "appeal.md.j2").render(given)
    told = reading("You are Ada, taking part in a debate.", f"Question: {TREE}", prompt)
    assert told.stance == FALSE
    assert stance_in(told) is None
    assert style_in(told) == (None if label == "control" else label)


def test_what_a_partner_says_is_no_instruction() -> None:
    told = reading("You are Ada.", f"Question: {TREE}", f"Bo: {ACCEPT} {STYLES['logical']}", "It is your turn.")
    assert (stance_in(told), style_in(told)) == (None, None)


@pytest.mark.parametrize(("kind", "sentence"), [(k, s) for k, texts in APPEALS.items() for s in texts])
def test_what_a_persuader_says_is_heard_as_the_appeal_that_it_is(kind: str, sentence: str) -> None:
    assert appeal_in(sentence.format(answer="42")) == kind


def test_a_bare_claim_is_no_appeal() -> None:
    assert appeal_in("I still say 42.") == "claim"


# -- do not know ------------------------------------------------------------------------------------------------------


def test_who_knows_nothing_says_so_where_that_is_an_option() -> None:
    options = [*OPTIONS, "I don't know"]
    brief = Transcript((Turn(MODERATOR, f"Question: {TREE}\nOptions: {' / '.join(options)}"),))

    def answer(seed: int, **params: Any) -> str:
        ada = debater(**{"seed": seed, **params})
        return str(json.loads(asked(ada, "position", brief, among(Position, options), options=options))["answer"])

    assert {answer(seed, **SOUND) for seed in range(20)} == {RIGHT}
    unsure = [answer(seed, knows=0.0, misconceptions=0.0) for seed in range(60)]
    assert 3 < unsure.count("I don't know") < 40
    misled = [answer(seed, **MISLED) for seed in range(60)]
    assert misled.count(FALSE) > 30
    assert misled.count("I don't know") < unsure.count("I don't know")
