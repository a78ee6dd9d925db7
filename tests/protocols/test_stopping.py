from itertools import combinations

from maieutic.protocols.stopping import Condition, Stop, after_rounds, when_agreed, when_judged, when_stable

ALL: tuple[Condition, ...] = ("rounds", "agreement", "stable", "judge")


def test_stops_combine_with_or_and_and() -> None:
    stop = when_agreed() | when_stable() & when_judged()
    assert stop.ways == (("agreement",), ("stable", "judge"))
    assert stop.ended(frozenset({"stable"})) == ()
    assert stop.ended(frozenset({"stable", "judge"})) == ("stable", "judge")
    assert stop.ended(frozenset({"agreement"})) == ("agreement",)


def test_and_distributes_over_or() -> None:
    assert ((when_agreed() | when_stable()) & when_judged()).ways == (("agreement", "judge"), ("stable", "judge"))
    assert (when_judged() & when_judged()).ways == (("judge",),)


def test_the_yaml_form_round_trips() -> None:
    stop = when_agreed() | when_stable() & when_judged() | after_rounds()
    assert stop.to_json() == ["agreement", ["stable", "judge"], "rounds"]
    assert Stop.from_json(stop.to_json()) == stop


def test_the_number_of_rounds_always_ends_a_debate() -> None:
    assert when_agreed().ended(frozenset({"rounds"})) == ("rounds",)


def test_agreement_counts_before_anything_else_and_rounds_last() -> None:
    everything = frozenset(ALL)
    assert (after_rounds() | when_stable() | when_agreed()).ended(everything) == ("agreement",)
    assert (after_rounds() | when_stable()).ended(everything) == ("stable",)


def test_the_judge_is_asked_only_where_that_can_make_the_difference() -> None:
    stop = when_agreed() | when_stable() & when_judged()
    for size in range(4):
        for some in combinations(ALL[:3], size):
            assert stop.needs_judge(frozenset(some)) == (some == ("stable",))
