from hypothesis import given
from hypothesis import strategies as st

from maieutic.agents import view
from maieutic.agents.views import SHARED, beginning
from maieutic.memory import MODERATOR, Message, Transcript, Turn

NAMES = ("Ada", "Bo", "Cy")
EVERYONE = frozenset(NAMES)


def audiences() -> st.SearchStrategy[frozenset[str] | None]:
    return st.none() | st.frozensets(st.sampled_from(NAMES), max_size=3)


@st.composite
def dialogues(draw: st.DrawFn) -> list[Turn]:
    """Rounds in order; in a blind round every debater may speak once and reads the others only afterwards."""
    turns: list[Turn] = [Turn(MODERATOR, "Question: why?")]
    serial = 0
    for round_ in range(1, draw(st.integers(1, 5))):
        blind = draw(st.booleans())
        speakers = draw(st.permutations(NAMES)) if blind else draw(st.lists(st.sampled_from(NAMES), max_size=4))
        for name in speakers:
            serial += 1
            turns.append(
                Turn(
                    name,
                    f"turn {serial}",
                    audience=None if blind else draw(audiences()),
                    blind_to=EVERYONE - {name} if blind else frozenset(),
                    kind="say" if blind else draw(st.sampled_from(("say", "probe"))),
                    round=round_,
                )
            )
    return turns


@given(dialogues(), st.sampled_from(NAMES))
def test_no_turn_outside_the_audience_ever_reaches_an_agent(turns: list[Turn], name: str) -> None:
    read = "\n".join(message.content for message in view(Transcript(tuple(turns)), name))
    for turn in turns:
        secret = turn.kind == "probe" or (
            turn.audience is not None and name not in turn.audience and name != turn.speaker
        )
        if secret:
            assert turn.content not in read.replace(": ", "\n").split("\n")


@given(dialogues(), st.sampled_from((*NAMES, "judge")))
def test_a_views_earlier_part_never_changes_as_the_dialogue_grows(turns: list[Turn], name: str) -> None:
    before: tuple[Message, ...] = ()
    for length in range(len(turns) + 1):
        now = view(Transcript(tuple(turns[:length])), name)
        assert now[: len(before)] == before
        before = now


@given(dialogues(), st.sampled_from((*NAMES, "judge")), st.integers(0, 3))
def test_what_is_shared_is_read_first_and_what_is_read_still_only_grows(turns: list[Turn], name: str, few: int) -> None:
    opening = Message("system", f"You are {name}.")
    shared = [Turn(MODERATOR, f"Text {n}", data={SHARED: True}) for n in range(few)]
    late = Turn(MODERATOR, "Too late to be shared", round=99, data={SHARED: True})
    whole = (*shared, *turns, late)
    before: tuple[Message, ...] = ()
    for length in range(few, len(whole) + 1):
        now = beginning(opening, Transcript(whole[:length]), name)
        assert now[: len(before)] == before
        before = now
    assert before[0].content == "\n\n".join([*(turn.content for turn in shared), opening.content])
    assert before[1:] == view(Transcript((*turns, late)), name)


@given(dialogues(), st.sampled_from(NAMES))
def test_everything_said_to_an_agent_is_read_in_the_end(turns: list[Turn], name: str) -> None:
    closing = Turn(MODERATOR, "The end.", round=99)
    read = view(Transcript((*turns, closing)), name)
    assert len(read) == sum(turn.heard_by(name) for turn in turns) + 1


def test_own_turns_are_assistant_and_others_are_user_with_their_name() -> None:
    transcript = Transcript((Turn(MODERATOR, "Question: why?"), Turn("Ada", "Because."), Turn("Bo", "Why not?")))
    assert view(transcript, "Ada") == (
        Message("user", "Question: why?"),
        Message("assistant", "Because."),
        Message("user", "Bo: Why not?"),
    )


def test_a_blind_speaker_reads_the_others_only_after_its_own_turn() -> None:
    ada = Turn("Ada", "Yes.", round=1, blind_to=frozenset({"Bo"}))
    bo = Turn("Bo", "No.", round=1, blind_to=frozenset({"Ada"}))
    assert view(Transcript((ada,)), "Bo") == ()
    assert [m.content for m in view(Transcript((ada, bo)), "Bo")] == ["No.", "Ada: Yes."]
    assert [m.content for m in view(Transcript((ada, bo)), "Ada")] == ["Yes.", "Bo: No."]
    assert [m.content for m in view(Transcript((ada, bo)), "judge")] == ["Ada: Yes.", "Bo: No."]


def test_a_blind_speaker_that_stayed_silent_reads_the_others_when_the_next_round_begins() -> None:
    ada = Turn("Ada", "Yes.", round=1, blind_to=frozenset({"Bo"}))
    cy = Turn("Cy", "Perhaps.", round=2)
    assert view(Transcript((ada,)), "Bo") == ()
    assert [m.content for m in view(Transcript((ada, cy)), "Bo")] == ["Ada: Yes.", "Cy: Perhaps."]


@given(dialogues())
def test_a_transcript_survives_its_plain_json(turns: list[Turn]) -> None:
    transcript = Transcript(tuple(turns))
    assert Transcript.of(transcript.to_json()) == transcript
