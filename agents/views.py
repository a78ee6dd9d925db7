"""What an agent reads: a pure function of the transcript and the agent's name."""

from __future__ import annotations

from itertools import takewhile

from maieutic.memory import MODERATOR, Message, Transcript, Turn

__all__ = ["SHARED", "beginning", "read_by", "shared", "view"]

SHARED = "shared"
"""With this true in its data, a moderator's turn that opens a dialogue is read before who the reader is."""


def shared(first: bool) -> dict[str, bool]:
    """The data of a turn that is, or is not, shared."""
    return {SHARED: True} if first else {}


def beginning(opening: Message, transcript: Transcript, name: str) -> tuple[Message, ...]:
    """All that the agent called `name` reads before an instruction: its system prompt, then its view.

    Where the dialogue opens with turns that are shared (see `SHARED`), the system prompt begins with them. Prompts of
    different agents are then the same up to their end, and an engine with a prefix cache computes a long text once for
    all who read it, instead of once for each. Like the view, this only grows at the end.
    """
    turns = read_by(transcript, name)
    ahead = list(takewhile(lambda turn: turn.speaker == MODERATOR and turn.data.get(SHARED), turns))
    words = "\n\n".join([*(turn.content for turn in ahead), opening.content])
    first = Message(opening.role, words) if ahead else opening
    return (first, *(_message(turn, name) for turn in turns[len(ahead) :]))


def view(transcript: Transcript, name: str) -> tuple[Message, ...]:
    """The dialogue as the agent called `name` knows it: its own turns as *assistant*, the others' as *user*.

    Two properties hold and are tested: no turn outside the agent's audience ever appears, and a view only grows at the
    end as the transcript grows, so that a serving engine's prefix cache keeps all of it. The second is why a turn that
    was withheld from a blind speaker appears after that speaker's own turn, which is also when it is first read.
    """
    return tuple(_message(turn, name) for turn in read_by(transcript, name))


def read_by(transcript: Transcript, name: str) -> list[Turn]:
    """The turns of the dialogue that the agent called `name` has read or spoken, in the order of its view."""
    known: list[Turn] = []
    withheld: list[Turn] = []
    for turn in transcript:
        if not turn.heard_by(name):
            continue
        if withheld and turn.round != withheld[0].round:
            known += withheld
            withheld = []
        if name in turn.blind_to and not _spoke(known, name, turn.round):
            withheld.append(turn)
            continue
        known.append(turn)
        if turn.speaker == name and withheld:
            known += withheld
            withheld = []
    return known


def _spoke(known: list[Turn], name: str, round_: int | None) -> bool:
    for turn in reversed(known):
        if turn.round != round_:
            return False
        if turn.speaker == name:
            return True
    return False


def _message(turn: Turn, name: str) -> Message:
    if turn.speaker == name:
        return Message("assistant", turn.content)
    if turn.speaker == MODERATOR:
        return Message("user", turn.content)
    return Message("user", f"{turn.speaker}: {turn.content}")
