"""How simulated debaters argue and how their beliefs move; how a simulated judge weighs."""

import asyncio
import json
import re
from collections.abc import Sequence
from typing import Any

import pytest

from maieutic.agents.replies import Approval, Enough, Position, Ranking, Verdict, among
from maieutic.agents.roles import Debater, Judge
from maieutic.backends.models import ModelSpec
from maieutic.backends.sim import SimBackend
from maieutic.backends.sim.considerations import case_for
from maieutic.backends.sim.question import topic_of
from maieutic.backends.types import LLMRequest
from maieutic.memory.address import Address
from maieutic.memory.transcript import MODERATOR, Transcript, Turn

CARS = "Should cities ban cars?"
TREE = "Where does most of the dry mass of a tree come from?"
BRIEF = Turn(MODERATOR, f"Question: {CARS}\n\nAda, Bo debate this question in up to 3 rounds.")


def complete(agent: Debater | Judge, verb: str, transcript: Transcript, output: Any = None, **given: Any) -> Any:
    request = LLMRequest(agent.model, agent.messages(verb, transcript, given), Address("run"), output=output)
    reply = asyncio.run(SimBackend().complete(request))
    return reply.text if output is None else json.loads(reply.text)


def debater(name: str, /, *, stance: str = "", **params: Any) -> Debater:
    return Debater(name, ModelSpec.model_validate({"model": "sim/debater", **params}), stance=stance)


def judge(**params: Any) -> Judge:
    return Judge("Jo", ModelSpec.model_validate({"model": "sim/judge", **params}))


def belief(agent: Debater, transcript: Transcript, options: Sequence[str] = ("yes", "no")) -> tuple[str, float]:
    said = complete(agent, "position", transcript, among(Position, options), options=list(options))
    return said["answer"], said["confidence"]


def share_of(answer: str, agent: Debater, transcript: Transcript) -> float:
    held, confidence = belief(agent, transcript)
    return confidence if held == answer else 1 - confidence


def debate(debaters: Sequence[Debater], question: str = CARS, rounds: int = 3) -> Transcript:
    transcript = Transcript((Turn(MODERATOR, f"Question: {question}"),))
    for round_ in range(1, rounds + 1):
        for speaker in debaters:
            text = complete(speaker, "argue", transcript, round=round_, rounds=rounds)
            transcript += [Turn(speaker.name, text, round=round_)]
    return transcript


def sentences_for(answer: str, count: int) -> list[str]:
    case = case_for(topic_of(CARS), ("yes", "no"))
    return [a.sentences[0] for a in case.arguments.values() if a.answer == answer][:count]


def speech(speaker: str, answer: str, *reasons: str) -> Turn:
    return Turn(speaker, " ".join([f"I say {answer}.", *reasons]), round=1)


def test_different_seeds_hold_different_sides() -> None:
    held = [belief(debater("Ada", seed=seed), Transcript((BRIEF,)))[0] for seed in range(60)]
    assert 15 < held.count("yes") < 45


@pytest.mark.parametrize("question", [CARS, "Is Pluto a planet?", "Tabs or spaces?", "What is the best way to learn?"])
def test_no_argument_is_said_twice_and_every_turn_is_short(question: str) -> None:
    for seed in range(6):
        transcript = debate([debater("Ada", seed=seed), debater("Bo", seed=seed + 50)], question, rounds=4)
        topic = topic_of(question)
        texts = [turn.content for turn in transcript if turn.speaker != MODERATOR]
        said = [s for t in texts for s in re.split(r"(?<=[.])\s+", t) if not s.startswith(("I ", "My ", "For me"))]
        new = [s for s in said if len(s.split()) > 9 and not re.search(r"\b(Ada|Bo)\b", s)]
        assert len(new) == len(set(new)), topic
        assert all(2 <= len(re.findall(r"[.!?](?:\s|$)", text)) <= 5 for text in texts), texts


def test_a_debater_answers_the_other_by_name_and_states_its_position() -> None:
    transcript = debate([debater("Ada", seed=3), debater("Bo", seed=4)])
    turns = [turn.content for turn in transcript][1:]
    assert all(re.search(r"\b(yes|no)\b", text.split(".")[0]) for text in turns)
    assert any("Ada" in text for text in turns[1::2])
    assert any("Bo" in text for text in turns[2::2])


def test_belief_moves_towards_arguments_when_susceptible_and_not_when_stubborn() -> None:
    turns = [speech("Bo", "no", *sentences_for("no", 12))]
    before, after = Transcript((BRIEF,)), Transcript((BRIEF, *turns))
    open_ = [debater("Ada", seed=s, susceptibility=1.0) for s in range(10)]
    assert all(share_of("no", a, after) > share_of("no", a, before) for a in open_)
    closed_minds: list[dict[str, Any]] = [{"susceptibility": 0.0}, {"stubbornness": 1.0}]
    for params in closed_minds:
        closed = [debater("Ada", seed=s, **params) for s in range(10)]
        assert all(share_of("no", a, after) == share_of("no", a, before) for a in closed)


def test_a_repeated_argument_counts_once() -> None:
    once = Transcript((BRIEF, speech("Bo", "no", *sentences_for("no", 3))))
    again = Transcript((*once, speech("Cleo", "no", *sentences_for("no", 3))))
    ada = debater("Ada", seed=2, susceptibility=1.0)
    assert belief(ada, once) == belief(ada, again)


def test_a_conformist_follows_the_majority_without_an_argument() -> None:
    crowd = Transcript((BRIEF, speech("Bo", "no"), speech("Cleo", "no"), speech("Dan", "no")))
    ada = debater("Ada", seed=1, lean={"yes": 2.0}, conformity=1.0, knows=0)
    assert belief(ada, Transcript((BRIEF,)))[0] == "yes"
    assert belief(ada, crowd)[0] == "no"
    assert "I have changed my mind: no." in complete(ada, "argue", Transcript((*crowd, speech("Ada", "yes"))))


def test_arguments_in_other_words_are_recognised_by_their_subject() -> None:
    free = Turn("Bo", "I say no. Think of the expensive budget, the police we would need, and our freedom.", round=1)
    ada = debater("Ada", seed=2, susceptibility=1.0, knows=0)
    assert share_of("no", ada, Transcript((BRIEF, free))) > share_of("no", ada, Transcript((BRIEF,))) + 0.1


def test_an_assigned_stance_is_argued_in_public_and_not_believed_in_private() -> None:
    ada = debater("Ada", stance="no", seed=1, lean={"yes": 5.0})
    assert complete(ada, "argue", Transcript((BRIEF,))).startswith("I say no: cities should not ban cars.")
    assert belief(ada, Transcript((BRIEF,)))[0] == "yes"


def test_rankings_and_approvals_follow_the_belief() -> None:
    ada = debater("Ada", seed=1, lean={"b": 4.0, "c": 2.0}, knows=0)
    options = ["a", "b", "c"]
    transcript = Transcript((Turn(MODERATOR, "Question: Which?\n\nOptions:\n- a\n- b\n- c"),))
    assert complete(ada, "rank", transcript, among(Ranking, options), options=options)["ranking"] == ["b", "c", "a"]
    assert complete(ada, "approve", transcript, among(Approval, options), options=options)["approved"] == ["b"]


def test_a_known_fact_convinces_a_debater_who_holds_a_misconception() -> None:
    options = ("the soil", "the carbon dioxide of the air", "the rain", "the light")
    start = Transcript((Turn(MODERATOR, f"Question: {TREE}\nOptions: {' / '.join(options)}"),))
    bo = debater("Bo", seed=3, knows=0.0, misconceptions=1.0, susceptibility=1.0)
    assert belief(bo, start, options)[0] == "the soil"
    said = complete(debater("Ada", seed=1, knows=1.0), "argue", start)
    assert "Most of the dry mass of a tree comes from carbon dioxide of the air." in said
    assert belief(bo, Transcript((*start, Turn("Ada", said, round=1))), options)[0] == "the carbon dioxide of the air"


def verdict(params: dict[str, Any], *turns: Turn) -> dict[str, Any]:
    said = complete(judge(**params), "verdict", Transcript((BRIEF, *turns)), among(Verdict, ("yes", "no")))
    return dict(said)


def test_a_judge_weighs_arguments_and_not_words_or_order() -> None:
    good = speech("Ada", "yes", *sentences_for("yes", 6))
    long = speech("Bo", "no", sentences_for("no", 1)[0], "I say it again and again, at great length. " * 20)
    one, other = verdict({}, good, long), verdict({}, long, good)
    assert one["answer"] == other["answer"] == "yes"
    assert one["confidence"] == other["confidence"]
    assert "Ada's point about" in one["reason"]


def test_order_and_length_move_a_judge_only_when_asked_for() -> None:
    yes, no = (speech(name, side, *sentences_for(side, 2)) for name, side in (("Ada", "yes"), ("Bo", "no")))
    biased = {"bias_first": 8.0}
    assert verdict({}, yes, no)["answer"] == verdict({}, no, yes)["answer"]
    assert verdict(biased, yes, no)["answer"] == "yes"
    assert verdict(biased, no, yes)["answer"] == "no"
    longer = speech("Bo", "no", *sentences_for("no", 2), "And so on. " * 100)
    assert verdict({}, yes, longer)["confidence"] == verdict({}, yes, no)["confidence"]
    assert verdict({"bias_length": 5.0}, yes, longer)["answer"] == "no"


def test_a_judge_has_heard_enough_when_one_side_is_far_ahead() -> None:
    def enough(*turns: Turn) -> bool:
        return bool(complete(judge(), "enough", Transcript((BRIEF, *turns)), Enough)["enough"])

    assert not enough(speech("Ada", "yes"), speech("Bo", "no"))
    assert enough(speech("Ada", "yes", *sentences_for("yes", 9)), speech("Bo", "no"))


def test_a_student_can_be_cast_as_a_debater_and_a_critic_as_a_judge() -> None:
    student = Debater("Sam", "sim/student")
    assert re.match(r"I say (yes|no): cities should", complete(student, "argue", Transcript((BRIEF,))))
    critic = Judge("Cora", "sim/critic")
    assert "reason" in complete(critic, "verdict", debate([debater("Ada", seed=1), debater("Bo", seed=2)]), Verdict)


@pytest.mark.parametrize(
    ("question", "doing"),
    [
        ("Should cities ban cars?", "banning cars"),
        ("Should the voting age be lowered to 16?", "having the voting age lowered to 16"),
        ("Should public transport be free?", "making public transport free"),
        ("Should governments not tax sugar?", "not taxing sugar"),
        ("Should social media companies verify ages?", "verifying ages"),
        ("Should I quit my job or not?", "quitting my job"),
        ("Cities should ban cars.", "banning cars"),
        ("This house would abolish exams", "abolishing exams"),
    ],
)
def test_a_policy_is_spoken_of_in_its_own_words(question: str, doing: str) -> None:
    topic = topic_of(question)
    assert (topic.kind, topic.candidates, topic.doing) == ("policy", ("yes", "no"), doing)


@pytest.mark.parametrize(
    ("question", "candidates"),
    [
        ("Tabs or spaces?", ("tabs", "spaces")),
        ("Which is better, tea or coffee?", ("tea", "coffee")),
        ("Should we use tabs or spaces?", ("tabs", "spaces")),
        ("Is nuclear power good, bad or neutral?", ("good", "bad", "neutral")),
        ("Is Pluto a planet?", ("yes", "no")),
        ("What is best?", ()),
    ],
)
def test_the_answers_that_a_question_offers_are_found(question: str, candidates: tuple[str, ...]) -> None:
    assert topic_of(question).candidates == candidates
