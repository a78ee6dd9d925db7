"""Episodes as training data: what the environment wrote is masked, rows have the shape that TRL and verl read."""

import json
from pathlib import Path
from typing import Any

import pytest

from maieutic.agents import Router
from maieutic.errors import ModelError, UsageError
from maieutic.protocols.router_r1 import RouterR1, RouterR1Outcome
from maieutic.protocols.routing.rollouts import masked, pieces, trl_row, verl_row, write_rows
from maieutic.testing.staged import play

ASK = "<think>Hm.</think>\n<search>Small: Who wrote Emma?</search>"
ANSWER = "<think>So.</think><answer>Jane Austen</answer>"
INFORMATION = "\n\n<information>Jane Austen.</information>\n\n"
POOL: dict[str, Any] = {"Small": {"model": "scripted/s", "price": {"input": 1, "output": 2}}}


def episode(*rita: Any, **params: Any) -> RouterR1Outcome:
    program = RouterR1(router=Router("rita", "scripted/r"), pool=POOL, **params)
    lines = {"rita": list(rita or (ASK, ANSWER)), "Small": ["Jane Austen."]}
    return play(program, lines, "Who wrote Emma?", accepted=["Jane Austen"]).outcome


def characters(text: str) -> list[int]:
    return [ord(character) for character in text]


def test_the_pieces_are_the_routers_and_the_environments() -> None:
    assert pieces(episode()) == [
        {"text": ASK, "train": True},
        {"text": INFORMATION, "train": False},
        {"text": ANSWER, "train": True},
    ]


def test_every_token_of_the_environment_is_masked() -> None:
    found = masked(episode(), characters)
    assert "".join(map(chr, found.ids)) == ASK + INFORMATION + ANSWER
    assert found.mask == [1] * len(ASK) + [0] * len(INFORMATION) + [1] * len(ANSWER)


def test_a_token_never_stands_on_both_sides() -> None:
    pairs = lambda text: [hash(text[i : i + 2]) for i in range(0, len(text), 2)]  # noqa: E731 - a tokenizer
    found = masked(episode(), pairs)
    odd = [(len(text) + 1) // 2 for text in (ASK, INFORMATION, ANSWER)]
    assert found.mask == [1] * odd[0] + [0] * odd[1] + [1] * odd[2]


def test_two_messages_in_a_row_are_one_piece() -> None:
    silent = episode("<think>a</think>", ASK, ANSWER, on_malformed="empty")
    assert [piece["train"] for piece in pieces(silent)] == [True, False, True]
    assert "".join(str(piece["text"]) for piece in pieces(silent)) == silent.text


def test_a_row_for_grpo() -> None:
    row = trl_row(episode(), run="r1")
    assert [message["role"] for message in row["prompt"]] == ["system", "user"]
    assert row["prompt"][1]["content"].endswith("Question: Who wrote Emma?")
    assert row["completion"] == [{"role": "assistant", "content": ASK + INFORMATION + ANSWER}]
    assert (row["question"], row["answers"], row["answer"]) == ("Who wrote Emma?", ["Jane Austen"], "Jane Austen")
    assert (row["reward"], row["run"]) == (1.0, "r1")
    assert row["reward_parts"] == {"format": 0.0, "outcome": 1.0, "cost": 0.5, "raw_cost": 4.0}
    assert row["calls"][0] | {"seconds": 0} == {
        "round": 1,
        "name": "Small",
        "query": "Who wrote Emma?",
        "reply": "Jane Austen.",
        "completion_tokens": 2,
        "cost": 4.0,
        "seconds": 0,
    }


def test_a_row_for_verl() -> None:
    row = verl_row(episode(), data_source="nq", split="train", index=3)
    assert set(row) == {"data_source", "prompt", "ability", "reward_model", "extra_info"}
    assert (row["data_source"], row["ability"]) == ("nq", "routing")
    assert row["reward_model"] == {"style": "rule", "ground_truth": {"target": ["Jane Austen"]}}
    assert (row["extra_info"]["split"], row["extra_info"]["index"]) == ("train", 3)
    assert row["extra_info"]["segments"] == pieces(episode())


def test_rows_are_written_line_by_line(tmp_path: Path) -> None:
    rows = [trl_row(episode()), trl_row(episode(ASK, ANSWER.replace("Jane", "Jané")))]
    path = write_rows(rows, tmp_path / "rows.jsonl")
    assert [json.loads(line) for line in path.read_text("utf-8").splitlines()] == rows


def test_a_file_that_cannot_be_written_says_why(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"the name must end in \.jsonl or \.parquet"):
        write_rows([], tmp_path / "rows.csv")
    with pytest.raises(UsageError, match=r"cannot write rows to .*: No such file or directory"):
        write_rows([], tmp_path / "nowhere" / "rows.jsonl")


def test_parquet_needs_pyarrow(tmp_path: Path) -> None:
    try:
        import pyarrow  # type: ignore[import-not-found, import-untyped, unused-ignore]  # noqa: F401
    except ImportError:
        with pytest.raises(UsageError, match="parquet needs pyarrow; install it"):
            write_rows([verl_row(episode())], tmp_path / "rows.parquet")
        return
    path = write_rows([verl_row(episode())], tmp_path / "rows.parquet")
    import pyarrow.parquet as pq  # type: ignore[import-not-found, import-untyped, unused-ignore]

    assert pq.read_table(path).to_pylist() == [verl_row(episode())]


def test_rows_load_in_datasets(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    rows = [trl_row(episode()), trl_row(episode("no tag", ASK, ANSWER))]
    path = write_rows(rows, tmp_path / "rows.jsonl")
    loaded = datasets.load_dataset("json", data_files=str(path), cache_dir=str(tmp_path / "cache"))["train"]
    assert [row["prompt"] for row in loaded] == [row["prompt"] for row in rows]
    assert [row["reward"] for row in loaded] == [1.0, -1.0]


def test_trl_takes_a_row_for_a_conversation() -> None:
    data_utils = pytest.importorskip("trl.data_utils")
    assert data_utils.is_conversational(trl_row(episode()))


def test_an_episode_that_broke_off_is_a_row_too() -> None:
    program = RouterR1(router=Router("rita", "scripted/r"), pool=POOL)
    down = ModelError("down", kind="server")
    outcome = play(program, {"rita": [ASK, down], "Small": ["x"]}, "Who wrote Emma?").outcome
    assert (trl_row(outcome)["answer"], trl_row(outcome)["reward"]) == (None, -1.0)
