"""Preference pairs: labels of textbook trees, thresholds, neutral prompts, variants, splits and rows."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.errors import UsageError
from maieutic.files.rows import write_rows
from maieutic.memory import MODERATOR, Turn
from maieutic.protocols.persuasion.pairs import Kind, Pair, PairRules, Side, mined
from maieutic.protocols.persuasion.pairs_rows import SPLITS, Variant, chosen_for, dpo_row, split_of, verl_row
from maieutic.protocols.trees.tree import Node, Scores, Tree

QUESTION = "Where did whales come from?"
RIGHT, WRONG = "land", "the deep sea"
CODE = PairRules(gap=0.5)
"""The threshold of the paper's code."""


def node(id_: str, speaker: str, ada: str | None, bo: str | None, stance: str | None = None, **rest: Any) -> Node:
    said = {"Ada": ada, "Bo": bo}[speaker]
    turn = Turn(speaker, f"I say {said} ({id_}).", round=1 + id_.count(".") // 2)
    told = "Your turn." + (f" {stance.upper()}!" if stance else "")
    return Node(id_, turn, stance, answers={"Ada": ada, "Bo": bo}, told=told, neutral="Your turn.", **rest)


def tree(*nodes: Node, **rest: Any) -> Tree:
    root = Node("", Turn(MODERATOR, f"Question: {QUESTION}"), answers={"Ada": None, "Bo": None})
    given: dict[str, Any] = {"accepted": [RIGHT, "dry land"], "agents": ["Ada", "Bo"], **rest}
    return Tree.of(QUESTION, [root, *nodes], openings={"Ada": "You are Ada.", "Bo": "You are Bo."}, **given)


def textbook(kind: Kind) -> Tree:
    """Ada and Bo answer, Ada argues for hers, and Bo gives way in one reply and not in the other."""
    ada, bo = (WRONG, RIGHT) if kind == "resist" else (RIGHT, WRONG)
    return tree(
        node("0", "Ada", ada, None),
        node("0.0", "Bo", ada, bo),
        node("0.0.0", "Ada", ada, bo, "logical"),
        node("0.0.0.0", "Bo", ada, bo, "resist"),
        node("0.0.0.1", "Bo", ada, ada, "accept"),
    )


def changed(given: Tree, id_: str, **fields: Any) -> Tree:
    return replace(given, nodes={**given.nodes, id_: replace(given[id_], **fields)})


# -- labels -----------------------------------------------------------------------------------------------------------


def test_a_textbook_resist_tree_teaches_to_resist() -> None:
    [pair] = mined(textbook("resist"))
    assert (pair.kind, pair.speaker, pair.before) == ("resist", "Bo", RIGHT)
    assert (pair.chosen.node, pair.chosen.stance, pair.chosen.answer, pair.chosen.score) == (
        "0.0.0.0", "resist", RIGHT, 1.0)  # fmt: skip
    assert (pair.rejected.node, pair.rejected.stance, pair.rejected.answer, pair.rejected.score) == (
        "0.0.0.1", "accept", WRONG, 0.0)  # fmt: skip
    assert pair.gap == 1.0


def test_a_textbook_accept_tree_teaches_to_accept() -> None:
    [pair] = mined(textbook("accept"))
    assert (pair.kind, pair.speaker, pair.before) == ("accept", "Bo", WRONG)
    assert (pair.chosen.node, pair.chosen.score) == ("0.0.0.1", 2.0)
    assert (pair.rejected.node, pair.rejected.score) == ("0.0.0.0", 1.0)
    assert pair.gap == 0.5


def test_above_one_half_a_last_turn_teaches_nobody_to_accept() -> None:
    assert [pair.kind for pair in mined(textbook("resist"), CODE)] == ["resist"]
    assert mined(textbook("accept"), CODE) == []


@pytest.mark.parametrize("kind", ["resist", "accept"])
def test_answers_in_each_others_slots_give_no_label(kind: Kind) -> None:
    """The paper's released code writes answers so and reads them as if they were not."""
    swapped = textbook(kind)
    for each in list(swapped)[1:]:
        crossed = {"Ada": each.answers["Bo"], "Bo": each.answers["Ada"]}
        swapped = changed(swapped, each.id, answers=crossed)
    assert mined(swapped) == []


def test_the_first_persuader_is_taught_too() -> None:
    again = tree(
        node("0", "Ada", RIGHT, None),
        node("0.0", "Bo", RIGHT, WRONG),
        node("0.0.0", "Ada", RIGHT, WRONG, "logical"),
        node("0.0.1", "Ada", WRONG, WRONG, "emotional"),
    )
    assert [(pair.kind, pair.speaker) for pair in mined(again)] == [("resist", "Ada")]


@pytest.mark.parametrize(
    ("id_", "answers"),
    [
        ("0.0", {"Ada": WRONG, "Bo": None}),  # nothing held before that could be kept
        ("0.0.0", {"Ada": None, "Bo": RIGHT}),  # the persuader said nothing
        ("0.0.0.0", {"Ada": WRONG, "Bo": "the sky"}),  # the better reply is not right
        ("0.0.0.1", {"Ada": WRONG, "Bo": RIGHT}),  # neither reply is wrong
    ],
)
def test_without_a_clear_case_there_is_no_pair(id_: str, answers: Mapping[str, str | None]) -> None:
    assert mined(changed(textbook("resist"), id_, answers=answers)) == []


def test_who_becomes_right_by_itself_accepts_only_where_the_total_has_risen() -> None:
    fell = changed(textbook("accept"), "0.0.0.1", answers={"Ada": WRONG, "Bo": RIGHT})
    fell = changed(fell, "0.0.0.0", answers={"Ada": WRONG, "Bo": WRONG})
    assert mined(fell) == []
    assert [pair.kind for pair in mined(fell, PairRules(totals=False))] == ["accept"]


# -- which siblings ---------------------------------------------------------------------------------------------------


def test_the_gap_must_lie_above_the_threshold() -> None:
    scores = {"0.0.0.0": Scores(1.0, 10.0), "0.0.0.1": Scores(0.0, 7.0)}
    near = textbook("resist")
    for each in list(near):
        near = changed(near, each.id, scores=scores.get(each.id, Scores(0.0, 0.0)))
    assert [mined(near, PairRules(gap=gap)) == [] for gap in (0.0, 0.29, 0.3, 0.5)] == [False, False, True, True]


def test_sub_trees_count_and_not_the_reply_alone() -> None:
    deep = tree(
        *list(textbook("resist"))[1:],
        node("0.0.0.0.0", "Ada", RIGHT, RIGHT, "logical"),
        node("0.0.0.1.0", "Ada", WRONG, WRONG, "logical"),
    )
    [pair] = mined(deep)
    assert (pair.chosen.score, pair.rejected.score) == (3.0, 0.0)
    [pair] = mined(deep, PairRules(rule="max"))
    assert (pair.chosen.score, pair.rejected.score) == (2.0, 0.0)


def test_replies_that_were_answered_differently_often_are_no_pair() -> None:
    ended = tree(*list(textbook("resist"))[1:], node("0.0.0.0.0", "Ada", RIGHT, RIGHT, "logical"))
    assert mined(ended) == []
    assert len(mined(ended, PairRules(same_children=False))) == 1


def test_replies_in_one_stance_are_a_pair_only_if_that_is_wanted() -> None:
    samples = changed(textbook("resist"), "0.0.0.1", stance="resist", sample=1)
    assert mined(samples) == []
    assert len(mined(samples, PairRules(different_stances=False))) == 1


def test_two_replies_with_the_same_words_are_no_pair() -> None:
    same = textbook("resist")
    assert mined(changed(same, "0.0.0.1", turn=same["0.0.0.0"].turn)) == []


def test_the_widest_gaps_of_a_turn_come_first() -> None:
    many = tree(
        *list(textbook("resist"))[1:4],
        node("0.0.0.0", "Bo", WRONG, RIGHT, "resist"),
        node("0.0.0.1", "Bo", WRONG, WRONG, "accept"),
        node("0.0.0.2", "Bo", WRONG, WRONG, "neutral"),
    )
    assert [pair.rejected.node for pair in mined(many)] == ["0.0.0.1", "0.0.0.2"]
    assert len(mined(many, PairRules(most_per_turn=1))) == 1


def test_a_tree_without_right_answers_or_where_all_agree_has_no_pairs() -> None:
    assert mined(replace(textbook("resist"), accepted=())) == []
    agreeing = textbook("resist")
    for each in list(agreeing)[1:]:
        agreeing = changed(agreeing, each.id, answers={"Ada": RIGHT, "Bo": RIGHT})
    assert mined(agreeing) == []


# -- the record -------------------------------------------------------------------------------------------------------


def test_the_prompt_is_the_dialogue_with_the_neutral_instruction() -> None:
    [pair] = mined(textbook("resist"))
    assert [dict(message) for message in pair.prompt] == [
        {"role": "system", "content": "You are Bo."},
        {"role": "user", "content": f"Question: {QUESTION}"},
        {"role": "user", "content": "Ada: I say the deep sea (0)."},
        {"role": "assistant", "content": "I say land (0.0)."},
        {"role": "user", "content": "Ada: I say the deep sea (0.0.0)."},
        {"role": "user", "content": "Your turn."},
    ]
    assert "RESIST" not in str(pair.prompt)
    assert "LOGICAL" not in str(pair.prompt)


def test_a_blind_first_turn_stays_blind_in_the_prompt() -> None:
    seen = textbook("resist")
    blind = changed(seen, "0", turn=replace(seen["0"].turn, blind_to=frozenset({"Bo"})))
    [pair] = mined(blind)
    contents = [message["content"] for message in pair.prompt]
    assert contents.index("I say land (0.0).") < contents.index("Ada: I say the deep sea (0).")


def one() -> Pair:
    known = changed(textbook("resist"), "0.0.0.0", notes={"model": "openai/a"}, address="0/0/tree/0.0.0.0/Bo.turn")
    [pair] = mined(known, run="r1", simulated=True)
    return pair


def test_a_row_for_trl_is_a_conversation_with_its_provenance() -> None:
    row = dpo_row(one(), "train")
    assert [message["role"] for message in row["prompt"]] == ["system", "user", "user", "assistant", "user", "user"]
    assert row["chosen"] == [{"role": "assistant", "content": "I say land (0.0.0.0)."}]
    assert row["rejected"] == [{"role": "assistant", "content": "I say the deep sea (0.0.0.1)."}]
    told = ("split", "kind", "run", "chosen_node", "rejected_node", "chosen_score", "rejected_score", "chosen_model",
            "rejected_model", "chosen_address", "simulated", "gap")  # fmt: skip
    assert [row[name] for name in told] == [
        "train", "resist", "r1", "0.0.0.0", "0.0.0.1", 1.0, 0.0, "openai/a", None, "0/0/tree/0.0.0.0/Bo.turn", True,
        1.0,
    ]  # fmt: skip


def test_a_row_for_verl_has_the_right_answers_as_ground_truth() -> None:
    row = verl_row(one(), "test")
    assert set(row) == {"data_source", "prompt", "ability", "reward_model", "chosen", "rejected", "extra_info"}
    assert row["reward_model"] == {"style": "rule", "ground_truth": {"target": [RIGHT, "dry land"]}}
    assert (row["chosen"], row["rejected"]) == ("I say land (0.0.0.0).", "I say the deep sea (0.0.0.1).")
    assert (row["extra_info"]["split"], row["extra_info"]["chosen_score"]) == ("test", 1.0)


@pytest.mark.parametrize("row", [dpo_row, verl_row])
@pytest.mark.parametrize("ending", [".jsonl", ".parquet"])
def test_rows_load_in_datasets(tmp_path: Path, row: Any, ending: str) -> None:
    datasets = pytest.importorskip("datasets")
    [other] = mined(textbook("accept"), run="r2")
    rows = [row(one(), "train"), row(other, "test")]
    path = write_rows(rows, tmp_path / f"pairs{ending}")
    kind = "json" if ending == ".jsonl" else "parquet"
    loaded = datasets.load_dataset(kind, data_files=str(path), cache_dir=str(tmp_path / "cache"))["train"]
    assert loaded.to_list() == json.loads(json.dumps(rows))


def test_trl_takes_a_row_for_a_preference_in_a_conversation() -> None:
    data_utils = pytest.importorskip("trl.data_utils")
    row = dpo_row(one(), "train")
    assert all(data_utils.is_conversational({key: row[key]}) for key in ("prompt", "chosen", "rejected"))


# -- variants and splits ----------------------------------------------------------------------------------------------


def pair(kind: Kind, number: int) -> Pair:
    side = Side(node=str(number), text="x", score=1.0)
    return Pair(kind=kind, question=f"Question {number}?", accepted=("a",), speaker="Bo", before="a", prompt=(),
                chosen=side, rejected=side, gap=1.0, run=kind)  # fmt: skip


def many(resist: int, accept: int) -> list[Pair]:
    return [pair("resist", n) for n in range(resist)] + [pair("accept", n) for n in range(accept)]


def counts(pairs: list[Pair]) -> Counter[tuple[str, str]]:
    return Counter((split_of(each.question), each.kind) for each in pairs)


@pytest.mark.parametrize("variant", ["accept", "resist", "combined"])
def test_all_variants_are_of_the_size_of_the_smaller_kind_in_every_split(variant: Variant) -> None:
    pairs = many(600, 200)
    smaller = {split: counts(pairs)[split, "accept"] for split in SPLITS}
    found = counts(chosen_for(variant, pairs))
    for split, size in smaller.items():
        kinds = ("accept", "resist") if variant == "combined" else (variant,)
        share = size // 2 if variant == "combined" else size
        assert {kind: found[split, kind] for kind in kinds} == dict.fromkeys(kinds, share)
    assert sum(found.values()) <= 200


def test_without_trimming_every_pair_of_a_kind_stays_and_combined_has_equal_counts() -> None:
    pairs = many(60, 20)
    assert len(chosen_for("accept", pairs, trim=False)) == 20
    assert len(chosen_for("resist", pairs, trim=False)) == 60
    both = Counter(each.kind for each in chosen_for("combined", pairs, trim=False))
    assert both["accept"] == both["resist"] > 10
    assert chosen_for("all", pairs) == pairs


def test_the_order_of_the_pairs_makes_no_difference_to_which_are_chosen() -> None:
    pairs = many(60, 20)
    names = [{each.id for each in chosen_for("combined", given)} for given in (pairs, pairs[::-1])]
    assert names[0] == names[1]


def test_the_splits_have_about_their_shares() -> None:
    found = Counter(split_of(f"Question {n}?") for n in range(4000))
    assert {split: found[split] / 4000 for split in SPLITS} == pytest.approx(SPLITS, abs=0.02)


@settings(deadline=None)
@given(st.text(), st.sampled_from(["", "other"]))
def test_a_question_lies_in_one_split_however_it_is_written(question: str, salt: str) -> None:
    assert split_of(question, salt=salt) == split_of(f"  {question} ", salt=salt)
    assert split_of(question, {"train": 1.0, "validation": 0.0, "test": 0.0}) == "train"


def test_shares_must_add_up() -> None:
    with pytest.raises(UsageError, match="must be 0 or more, and 1 together"):
        split_of("x", {"train": 0.7, "validation": 0.15, "test": 0.2})
