"""Recorded debates, trees, lessons and routing episodes as conversations, labelled replies, steps and rollouts."""

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import maieutic as mt
from maieutic.backends import LLMRequest
from maieutic.errors import ModelError, UsageError
from maieutic.memory import Journal
from maieutic.protocols.routing import Pool
from maieutic.runs.exporting import Exported, Format, Selection, exported, written
from maieutic.runs.training import Source, card_of, of_runs
from maieutic.runs.training.rows import prompt_hash
from maieutic.testing import ScriptedModel

QUESTION = "How many planets move around the Sun?"
RIGHT = {"question": QUESTION, "accepted": ["8", "eight"]}


SCHOOL = Path(__file__).parents[2] / "examples/pools/school.yaml"


def said(request: LLMRequest) -> str:
    """Ada speaks; Bo says nothing, or is not there."""
    if request.model.model == "scripted/down":
        raise ModelError("down", kind="auth")
    if request.output is not None:
        return json.dumps({"answer": "nobody knows", "reason": "Nobody said.", "confidence": 0.5})
    return "" if request.agent == "Bo" else "Because."


def debaters() -> list[mt.Debater]:
    return [
        mt.Debater("Ada", {"model": "sim/debater", "knows": 1.0, "seed": 1}),
        mt.Debater("Bo", {"model": "sim/debater", "knows": 0.0, "misconceptions": 1.0, "seed": 2}),
    ]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An experiment of debates over six questions, and a dialogue tree."""
    path = tmp_path_factory.mktemp("runs") / "journal.db"
    judge = mt.Judge("June", "sim/judge")
    clueless = [
        mt.Debater(name, {"model": "sim/debater", "knows": 0.0, "seed": n}) for n, name in enumerate(("Cy", "Di"))
    ]
    conditions = {
        name: mt.Debate(two, judge=judge, rounds=2) for name, two in (("debate", debaters()), ("clueless", clueless))
    }
    experiment = mt.Experiment("debating", data={"bundled": "questions"}, conditions=conditions)
    assert experiment.run_sync(path, limit=6).status == "done"

    async def grow() -> None:
        async with mt.Workspace(path) as workspace:
            await workspace.run(mt.PersuasionTree(debaters(), first="logical"), RIGHT, run_id="tree")
            router = mt.Router("rita", {"model": "sim/router", "knows": 0.0, "seed": 7})
            await workspace.run(mt.RouterR1(router=router, pool=Pool.load(SCHOOL)), RIGHT, run_id="episode")
        async with mt.Workspace(path, backends={"scripted": ScriptedModel(said)}) as workspace:
            for name in ("silent", "down"):
                two = [mt.Debater("Ada", "scripted/a"), mt.Debater("Bo", f"scripted/{name}")]
                debate = mt.Debate(two, judge=mt.Judge("June", "scripted/june"), rounds=1, probes="never")
                with contextlib.suppress(ModelError):
                    await workspace.run(debate, "Why?", run_id=name)

    asyncio.run(grow())
    return path


@pytest.fixture
def journal(store: Path) -> Iterator[Journal]:
    with Journal.open(store) as opened:
        yield opened


def debates(journal: Journal) -> list[Source]:
    return list(of_runs(journal, [record for record in journal.runs() if record.id.startswith("debating.")]))


def tree(journal: Journal) -> list[Source]:
    return list(of_runs(journal, [journal.run("tree")]))


def rows_of(found: Exported) -> list[dict[str, Any]]:
    return [row for rows in found.rows.values() for row in rows]


# -- conversations ----------------------------------------------------------------------------------------------------


def test_a_debater_is_trained_on_what_it_read_when_it_spoke_last_and_on_its_own_turns(journal: Journal) -> None:
    source = next(each for each in debates(journal) if each.facts["condition"] == "debate")
    rows = rows_of(exported([source], "sft"))
    assert Counter(row["agent"] for row in rows) == {"Ada": 1, "Bo": 1, "June": 1}
    [ada] = [row for row in rows if row["agent"] == "Ada"]
    entry = journal.find(source.record.id, ada["address"])
    assert entry is not None
    assert ada["messages"][:-1] == [{"role": each.role, "content": each.content} for each in entry.messages]
    assert ada["messages"][-1] == {"role": "assistant", "content": entry.reply["text"]}
    assert [each["role"] for each in ada["messages"]].count("assistant") == 2
    assert (ada["copied"], ada["model"], ada["prompt_hash"]) == (0, "sim/debater", prompt_hash(entry.messages))


def test_what_is_off_the_record_is_no_conversation(journal: Journal) -> None:
    rows = rows_of(exported(debates(journal), "sft"))
    assert not [row for row in rows if "position" in row["address"]]


def test_a_typed_reply_is_trained_on_as_the_model_wrote_it(journal: Journal) -> None:
    rows = rows_of(exported(debates(journal), "sft", Selection(agents=("June",))))
    assert {row["agent"] for row in rows} == {"June"}
    assert all("answer" in json.loads(row["messages"][-1]["content"]) for row in rows)


def test_of_a_tree_every_branch_is_a_row_and_no_reply_is_trained_twice(journal: Journal) -> None:
    rows = rows_of(exported(tree(journal), "sft"))
    assert any(row["copied"] for row in rows)
    fresh = [
        (row["agent"], json.dumps(row["messages"][: place + 1]))
        for row in rows
        for place, message in enumerate(row["messages"])
        if message["role"] == "assistant" and place >= row["copied"]
    ]
    assert len(fresh) == len(set(fresh))
    [source] = tree(journal)
    said = {(node["turn"]["speaker"], node["turn"]["content"]) for node in source.outcome["tree"]["nodes"][1:]}
    assert {(agent, json.loads(messages)[-1]["content"]) for agent, messages in fresh} == said
    assert not any("resist:" in str(row["messages"]) for row in rows)


# -- labelled replies and steps ---------------------------------------------------------------------------------------


def test_a_reply_is_good_if_its_speaker_holds_a_right_answer_with_it(journal: Journal) -> None:
    found = exported(tree(journal), "kto")
    [source] = tree(journal)
    held = {node["id"]: node["answers"][node["turn"]["speaker"]] for node in source.outcome["tree"]["nodes"][1:]}
    rows = rows_of(found)
    assert {row["node"]: row["label"] for row in rows} == {
        id_: answer in ("8", "eight") for id_, answer in held.items()
    }
    assert {row["label_from"] for row in rows} == {"answer"}
    assert {row["label"] for row in rows} == {True, False}
    assert all(row["completion"][0]["role"] == "assistant" == row["completion"][-1]["role"] for row in rows)


def test_in_a_debate_a_turn_is_right_if_the_position_asked_for_after_it_is(journal: Journal) -> None:
    for source in [each for each in debates(journal) if each.facts["condition"] == "debate"]:
        positions = source.outcome["positions"]
        for row in rows_of(exported([source], "kto", Selection(agents=("Ada", "Bo")))):
            number = (row["turn"] + 1) // 2
            [held] = [each["answer"] for each in positions[row["agent"]] if each["round"] == number]
            assert row["label"] == (held in source.accepted)


def test_a_named_score_labels_every_reply_of_a_run(journal: Journal) -> None:
    rows = rows_of(exported(debates(journal), "kto", Selection(scorer="exact_match", min_score=1.0)))
    assert {row["label_from"] for row in rows} == {"exact_match"}
    assert all(row["label"] == (row["score"] == 1.0) for row in rows)
    assert {row["label"] for row in rows} == {True, False}


def test_a_branch_is_steps_that_are_right_or_not_and_a_shared_beginning_is_marked(journal: Journal) -> None:
    rows = rows_of(exported(tree(journal), "prm"))
    [source] = tree(journal)
    assert all(len(row["completions"]) == len(row["labels"]) == len(row["addresses"]) for row in rows)
    fresh = [address for row in rows for address in row["addresses"][row["copied"] :]]
    assert sorted(fresh) == sorted(node["address"] for node in source.outcome["tree"]["nodes"][1:])
    assert {label for row in rows for label in row["labels"]} == {True, False}
    assert rows[0]["completions"][0].startswith("Ada: ")
    assert QUESTION in rows[0]["prompt"]


# -- which runs, which split ------------------------------------------------------------------------------------------


def test_runs_below_a_score_are_left_out_and_counted(journal: Journal) -> None:
    sources = debates(journal)
    good = [source for source in sources if source.score(None)[1] == 1.0]
    assert 0 < len(good) < len(sources)
    found = exported(sources, "sft", Selection(min_score=1.0))
    assert {row["run"] for row in rows_of(found)} == {source.record.id for source in good}
    assert found.left_out == {"scored below 1": len(sources) - len(good)}


def test_rows_know_their_experiment_item_and_score(journal: Journal) -> None:
    [row, *_] = rows_of(exported(debates(journal), "sft"))
    assert (row["experiment"], row["scorer"], row["simulated"]) == ("debating", "exact_match", True)
    assert row["condition"] in ("debate", "clueless")
    assert row["item"]
    assert row["accepted"]


def test_everything_about_a_question_lies_in_the_same_split_in_every_format(journal: Journal) -> None:
    formats: tuple[Format, ...] = ("sft", "kto", "prm")
    splits = [{(row["question"], row["split"]) for row in rows_of(exported(debates(journal), to))} for to in formats]
    assert len(dict(splits[0])) == len(splits[0]) == 6
    assert splits[1] <= splits[0]
    assert splits[2] <= splits[0]


# -- routing, lessons, failures ---------------------------------------------------------------------------------------


def alone(journal: Journal, run: str) -> list[Source]:
    return list(of_runs(journal, [journal.run(run)]))


def test_an_episode_is_a_rollout_with_its_reward_and_what_to_mask(journal: Journal) -> None:
    [row] = rows_of(exported(alone(journal, "episode"), "grpo"))
    assert [piece["train"] for piece in row["segments"]] == [True, False, True]
    assert row["prompt"][-1]["role"] == "user"
    assert (row["scorer"], row["score"], row["reward"], row["answers"]) == (
        "reward",
        row["reward"],
        1.0,
        ["8", "eight"],
    )
    [verl] = rows_of(exported(alone(journal, "episode"), "verl"))
    assert set(verl) == {"data_source", "prompt", "ability", "reward_model", "extra_info"}
    assert verl["reward_model"]["ground_truth"] == {"target": ["8", "eight"]}
    assert (verl["extra_info"]["run"], verl["extra_info"]["split"]) == ("episode", row["split"])


def test_what_went_wrong_while_it_was_generated_is_no_row(journal: Journal) -> None:
    rows = rows_of(exported(alone(journal, "silent"), "sft"))
    assert {row["agent"] for row in rows} == {"Ada", "June"}
    with pytest.raises(UsageError, match="nothing is left of 1 run: 1 failed or never ended"):
        exported(alone(journal, "down"), "sft")


def test_a_score_that_could_not_be_told_leaves_a_run_in_unless_a_score_is_asked_for(journal: Journal) -> None:
    silent = alone(journal, "silent")
    assert rows_of(exported(silent, "sft"))[0]["score"] is None
    found = exported([*silent, *debates(journal)], "sft", Selection(min_score=0.0))
    assert found.left_out == {"no score": 1}


@pytest.mark.parametrize(
    ("run", "to", "message"),
    [
        ("silent", "dpo", "no dialogue tree in silent; .*; they can be exported as: sft$"),
        ("silent", "kto", "nothing in silent can be exported as kto, which needs .*; they can be exported as: sft$"),
        (
            "tree",
            "grpo",
            r"needs routing episodes \(runs of router_r1\); they can be exported as: sft, dpo, kto, prm",
        ),
        ("episode", "prm", "they can be exported as: (?!.*dpo).*grpo, verl$"),
        ("episode", "prm", "can be exported as prm, which needs .*; they can be exported as: .*grpo, verl$"),
    ],
)
def test_what_a_run_cannot_give_is_an_error_that_says_what_it_can(
    journal: Journal, run: str, to: Format, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        exported(alone(journal, run), to)


def test_filters_that_mean_nothing_are_refused(journal: Journal) -> None:
    with pytest.raises(UsageError, match="no run has a score 'f1'; there are: exact_match"):
        exported(debates(journal), "sft", Selection(scorer="f1"))
    with pytest.raises(UsageError, match="rows of prm are not one agent's alone: leave out --agent"):
        exported(debates(journal), "prm", Selection(agents=("Ada",)))
    with pytest.raises(UsageError, match=r"nothing of Eve in debating.* can be exported as sft"):
        exported(debates(journal), "sft", Selection(agents=("Eve",)))
    with pytest.raises(UsageError, match="export the two apart"):
        exported([*tree(journal), *alone(journal, "episode")], "verl")


# -- files ------------------------------------------------------------------------------------------------------------


def material(journal: Journal, to: Format) -> list[Source]:
    return alone(journal, "episode") if to in ("grpo", "verl") else [*debates(journal), *tree(journal)]


@pytest.mark.parametrize("to", ["sft", "dpo", "kto", "prm", "grpo", "verl"])
@pytest.mark.parametrize("ending", [".jsonl", ".parquet"])
def test_rows_load_in_datasets(journal: Journal, tmp_path: Path, to: Format, ending: str) -> None:
    datasets = pytest.importorskip("datasets")
    found = exported(material(journal, to), to, Selection("all"))
    [path] = written(found, tmp_path / f"rows{ending}")
    kind = "json" if ending == ".jsonl" else "parquet"
    loaded = datasets.load_dataset(kind, data_files=str(path), cache_dir=str(tmp_path / "cache"))["train"]
    assert loaded.num_rows == len(rows_of(found))
    columns = {"sft": ["messages"], "dpo": ["prompt", "chosen", "rejected"], "kto": ["prompt", "completion", "label"],
               "prm": ["prompt", "completions", "labels"], "grpo": ["prompt", "reward"],
               "verl": ["data_source", "prompt", "ability", "reward_model", "extra_info"]}  # fmt: skip
    assert [loaded[name][0] for name in columns[to]] == [rows_of(found)[0][name] for name in columns[to]]


@pytest.mark.parametrize("to", ["sft", "dpo", "kto", "grpo"])
def test_trl_takes_the_rows_for_conversations(journal: Journal, to: Format) -> None:
    data_utils = pytest.importorskip("trl.data_utils")
    keys = {"messages", "prompt", "chosen", "rejected", "completion"}
    [row, *_] = rows_of(exported(material(journal, to), to, Selection("all")))
    assert data_utils.is_conversational({key: value for key, value in row.items() if key in keys})


def test_the_card_says_what_there_is_where_it_comes_from_and_whose_the_licence_is(journal: Journal) -> None:
    selection = Selection(agents=("Ada",), min_score=1.0)
    sources = debates(journal)
    found = exported(sources, "sft", selection)
    card = card_of(found, selection, [Path("out/talk.jsonl")])
    for line in (
        "# talk",
        "**Simulated**",
        f"| train | {len(found.rows['train'])} |",
        "- experiment debating, condition debate: 6 runs",
        sources[0].record.id,
        "sim/debater",
        "- only Ada",
        "- runs that score at least 1, by the first score that a run has",
        f"- left out: {found.left_out['scored below 1']} runs, scored below 1",
        "## Licence",
    ):
        assert line in card
