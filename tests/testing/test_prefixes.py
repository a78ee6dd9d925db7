from hypothesis import given
from hypothesis import strategies as st

from maieutic.testing.prefixes import Sent, distinct_prefixes, least_computed

TOKENS = st.integers(0, 1)  # few, so that prompts share much


@st.composite
def calls(draw: st.DrawFn) -> list[Sent]:
    """Calls of which many go on from an earlier one, with or without what that replied."""
    sent: list[Sent] = []
    for _ in range(draw(st.integers(0, 8))):
        earlier = draw(st.sampled_from([(), *(c.prompt for c in sent), *(c.prompt + c.reply for c in sent)]))
        kept = earlier[: draw(st.integers(0, len(earlier)))]
        prompt = (*kept, *draw(st.lists(TOKENS, min_size=0 if kept else 1, max_size=9)))
        sent.append(Sent(prompt, tuple(draw(st.lists(TOKENS, max_size=7)))))
    return sent


def shared(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    """How many leading tokens are the same."""
    same = 0
    while same < min(len(one), len(other)) and one[same] == other[same]:
        same += 1
    return same


@given(calls())
def test_every_distinct_prefix_counts_once(sent: list[Sent]) -> None:
    prompts = [call.prompt for call in sent]
    assert distinct_prefixes(prompts) == len({p[:length] for p in prompts for length in range(1, len(p) + 1)})


@given(calls(), st.integers(1, 5))
def test_what_is_left_to_compute_is_what_no_earlier_call_has_in_full_blocks(sent: list[Sent], block: int) -> None:
    computed = 0
    for number, call in enumerate(sent):
        earlier = [(*c.prompt, *c.reply[:-1]) for c in sent[:number]]
        longest = max((shared(call.prompt, known) for known in earlier), default=0)
        computed += len(call.prompt) - min(longest, len(call.prompt) - 1) // block * block
    assert least_computed(sent, block) == computed


@given(calls())
def test_without_replies_or_blocks_only_prompts_that_came_before_cost_more_than_their_distinct_prefixes(
    sent: list[Sent],
) -> None:
    prompts = [call.prompt for call in sent]
    bare = [Sent(prompt) for prompt in prompts]
    known = sum(any(p[: len(prompt)] == prompt for p in prompts[:n]) for n, prompt in enumerate(prompts))
    assert least_computed(bare) == distinct_prefixes(prompts) + known  # the last token of each is computed again


@given(calls(), st.integers(1, 4), st.integers(1, 3))
def test_larger_blocks_and_forgotten_replies_never_save_anything(sent: list[Sent], block: int, times: int) -> None:
    assert least_computed(sent, block) <= least_computed(sent, block * times)
    assert least_computed(sent, block) <= least_computed([Sent(call.prompt) for call in sent], block)


def test_a_dialogue_whose_views_grow_at_the_end_is_computed_once() -> None:
    first = Sent((1, 2, 3, 4, 90), (5, 6))  # 90 is an instruction that comes and goes
    second = Sent((1, 2, 3, 4, 5, 6, 90))
    assert distinct_prefixes([first.prompt, second.prompt]) == 8
    assert least_computed([first, second]) == 5 + 3
    assert least_computed([first, second], block=2) == 5 + 3
    assert least_computed([first, second], block=3) == 5 + 4


def test_a_reply_that_is_read_again_as_it_was_written_is_not_computed_again() -> None:
    first = Sent((1, 2), (3, 4, 5))
    assert least_computed([first, Sent((1, 2, 3, 4, 5, 6))]) == 2 + 2  # the reply's last token was never read
