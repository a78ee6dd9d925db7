import pytest
from hypothesis import given
from hypothesis import strategies as st

from maieutic.protocols.decisions import Ballot, Rule, count


def votes(*answers: str) -> list[Ballot]:
    return [Ballot(f"v{i}", (answer,)) for i, answer in enumerate(answers)]


def test_a_majority_is_the_most_votes() -> None:
    counted = count("majority", votes("a", "b", "a", "c"))
    assert (counted.answer, counted.how, counted.tally) == ("a", "majority 2 of 4", {"a": 2, "b": 1, "c": 1})


def test_equal_votes_are_a_tie_whose_leaders_stand_in_the_order_of_naming() -> None:
    counted = count("majority", votes("b", "a", "c", "a", "b"))
    assert (counted.answer, counted.leaders) == (None, ("b", "a"))


@pytest.mark.parametrize(("answers", "winner"), [("aab", "a"), ("aabb", None), ("aaab", "a"), ("aabc", None)])
def test_a_supermajority_needs_its_share(answers: str, winner: str | None) -> None:
    assert count("supermajority", votes(*answers)).answer == winner


def test_the_share_of_a_supermajority_can_be_set() -> None:
    assert count("supermajority", votes(*"aaab"), threshold=0.75).answer == "a"
    assert count("supermajority", votes(*"aaab"), threshold=0.8).answer is None


def test_unanimity_needs_every_vote() -> None:
    assert count("unanimity", votes("a", "a")).answer == "a"
    assert count("unanimity", votes("a", "a", "b")).answer is None


def test_borda_can_choose_what_few_put_first() -> None:
    ballots = [
        Ballot("v1", ("a", "c", "b")),
        Ballot("v2", ("b", "c", "a")),
        Ballot("v3", ("c", "a", "b")),
        Ballot("v4", ("a", "c", "b")),
    ]
    counted = count("ranked", ballots)
    assert (counted.answer, counted.tally, counted.how) == (None, {"a": 9, "c": 9, "b": 6}, "ranked 9 of 24 points")
    assert count("ranked", [*ballots, Ballot("v5", ("b", "c", "a"))]).answer == "c"


def test_an_answer_left_out_of_a_ranking_gets_no_points_and_one_named_twice_counts_once() -> None:
    counted = count("ranked", [Ballot("v1", ("a", "a", "b")), Ballot("v2", ("c",))])
    assert counted.tally == {"a": 3, "c": 3, "b": 2}


def test_approval_chooses_what_the_most_can_accept() -> None:
    counted = count("approval", [Ballot("v1", ("a", "b")), Ballot("v2", ("b",)), Ballot("v3", ("c", "b", "b"))])
    assert (counted.answer, counted.how) == ("b", "approval 3 of 3")


def test_nobody_approving_anything_is_no_answer() -> None:
    counted = count("approval", [Ballot("v1", ()), Ballot("v2", ())])
    assert (counted.answer, counted.leaders) == (None, ())


def test_confidence_can_outweigh_numbers() -> None:
    ballots = [Ballot("v1", ("a",), 0.3), Ballot("v2", ("a",), 0.4), Ballot("v3", ("b",), 0.9)]
    counted = count("confidence_weighted", ballots)
    assert (counted.answer, counted.how) == ("b", "weighted 0.9 of 1.6 by confidence")


@given(st.permutations("aaabbc"), st.sampled_from(["majority", "supermajority", "unanimity", "ranked", "approval"]))
def test_the_order_of_the_voters_changes_neither_winner_nor_tally(order: list[str], rule: Rule) -> None:
    one, other = count(rule, votes(*"aaabbc")), count(rule, votes(*order))
    assert (one.answer, dict(one.tally), set(one.leaders)) == (other.answer, dict(other.tally), set(other.leaders))
