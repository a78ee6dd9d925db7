"""The round trip: what is built in Python writes a file that says the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.files.sheet import Sheet
from maieutic.files.source import parse
from maieutic.graphs.expressions import Expression
from maieutic.graphs.load import load_text
from maieutic.graphs.spec import GraphSpec
from maieutic.graphs.structure import build
from maieutic.graphs.write import to_yaml

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,6}", fullmatch=True).filter(
    lambda name: name.lower() not in ("on", "off", "yes", "no")
)
fields = st.from_regex(r"[a-z_][a-z0-9_]{0,6}", fullmatch=True).filter(lambda n: n not in ("on", "off", "yes", "no"))
texts = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=60).filter(lambda t: "${env:" not in t)
filled = texts.filter(bool)
expressions = st.sampled_from(
    [
        "1",
        "-2",
        "1.5",
        "true",
        "null",
        "'a text'",
        "answer",
        "reply.text",
        "tries < 3 and not done",
        "['a', 'b']",
        "[1]",
        'a if b == null else "it\'s"',
        "x['key: with colon']",
        "'# no comment'",
        "  1 + 1 ",
        "0x10",
        "1e3",
        "0o7",
    ]
).map(Expression)
types = st.sampled_from(["str", "list[int]", "dict[str]?", "critic.output"]) | st.lists(filled, min_size=1, max_size=3)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=5,
)
writes = st.dictionaries(fields, expressions, max_size=3)


def some(**parts: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=parts)


def with_all(base: st.SearchStrategy[dict[str, Any]], *more: st.SearchStrategy[dict[str, Any]]) -> Any:
    return st.tuples(base, *more).map(lambda parts: {k: v for part in parts for k, v in part.items()})


flows = with_all(
    some(description=texts, visits=st.fixed_dictionaries({"max": st.integers(1, 9), "then": names})),
    st.fixed_dictionaries({"next": names})
    | st.fixed_dictionaries(
        {
            "routes": st.lists(
                st.fixed_dictionaries({"when": expressions, "to": names}) | st.fixed_dictionaries({"else": names}),
                min_size=1,
                max_size=3,
            )
        }
    ),
)
outputs = st.dictionaries(fields, types, min_size=1, max_size=2)
seen = some(
    item=expressions,
    answer=expressions,
    confidence=expressions,
    explained=expressions,
    waited=expressions,
    log=expressions,
    concepts=st.lists(filled, min_size=1, max_size=2) | st.sampled_from(["answer", "['a']"]),
)
steps = st.one_of(
    with_all(
        st.fixed_dictionaries({"agent": names}),
        some(
            does=names,
            reads=st.lists(fields, max_size=3) | writes,
            writes=writes,
            observe=seen | st.lists(seen, min_size=1, max_size=2),
            audience=st.lists(names, max_size=2),
            off_record=st.booleans(),
            sees=st.sampled_from(["dialogue", "nothing"]),
            output=outputs,
        ),
    ),
    with_all(
        st.fixed_dictionaries({"use": names}),
        some(**{"with": st.dictionaries(names, plain), "in": writes, "out": writes}),
    ),
    with_all(
        st.fixed_dictionaries({"graph": filled}), some(models=st.dictionaries(names, names, max_size=2), out=writes)
    ),
    with_all(
        st.fixed_dictionaries({"person": names, "ask": filled}), some(choices=st.lists(filled, min_size=1, max_size=2))
    ),
    with_all(st.fixed_dictionaries({"tool": filled}), some(**{"with": writes, "writes": writes})),
    with_all(
        st.fixed_dictionaries({"set": st.dictionaries(fields, expressions, min_size=1, max_size=2)}), some(observe=seen)
    ),
)
nodes = st.one_of(
    with_all(steps, flows),
    with_all(st.fixed_dictionaries({"parallel": st.dictionaries(names, steps, min_size=2, max_size=3)}), flows),
    with_all(st.fixed_dictionaries({"map": expressions, "as": fields, "do": steps}), some(collect=writes), flows),
)
models = filled | with_all(
    st.fixed_dictionaries({"model": filled}),
    some(
        temperature=st.floats(0, 2),
        seed=st.integers(0, 9),
        stop=st.lists(texts, max_size=2),
        extra=st.dictionaries(names, plain),
    ),
)
simulated = st.fixed_dictionaries(
    {"model": st.just("sim/student"), "knows": st.floats(0, 1), "params": st.just({"a": 1})}
)
specs = with_all(
    st.fixed_dictionaries({"version": st.just(1), "name": names}),
    some(
        description=texts,
        models=st.dictionaries(names, models | simulated, max_size=3),
        agents=st.dictionaries(
            names,
            some(
                role=texts,
                model=texts,
                persona=texts,
                prompt=texts,
                prompts=st.dictionaries(names, texts, max_size=2),
                output=outputs,
            ),
            max_size=3,
        ),
        state=st.dictionaries(
            fields,
            with_all(
                st.fixed_dictionaries({"type": types}),
                some(
                    default=plain, input=st.booleans(), merge=st.sampled_from(["add", "last", None]), description=texts
                ),
            ),
            max_size=3,
        ),
        graph=st.fixed_dictionaries({"start": names, "nodes": st.dictionaries(names, nodes, min_size=1, max_size=3)}),
        limits=some(usd=st.floats(0.01, 9), tokens=st.integers(1, 9) | st.just("200k"), on_exceed=st.just("pause")),
        student_model=some(
            graph=filled,
            concepts=st.dictionaries(names, plain, min_size=1, max_size=2),
            items=st.dictionaries(names, plain, max_size=2) | st.lists(plain, max_size=2),
            budget=st.floats(0, 1),
            input=st.booleans(),
        ),
        use=names,
        seed=st.integers(),
    ),
)


@settings(max_examples=200, deadline=None)
@given(specs)
def test_what_is_written_reads_back_the_same(raw: dict[str, Any]) -> None:
    spec = GraphSpec.model_validate(raw)
    text = to_yaml(spec)
    source, problems = parse(text, "written.yaml")
    assert problems == []
    sheet = Sheet(source)
    assert build(sheet) == spec, text
    assert sheet.problems == []
    assert to_yaml(spec) == text


EXAMPLE = """version: 1
name: lesson
models:
  m: {model: sim/student, seed: 7, knows: 0.3}
  t: sim/teacher
agents:
  student: {role: student, model: m}
  teacher: {role: teacher, model: t, output: {words: 'list[str]', mood: [kind, stern]}}
state:
  question: {type: str, input: true}
  answer: {type: str, default: ''}
  note: {type: str, default: null}
  tries: {type: int, default: 0, merge: add}
graph:
  start: ask
  nodes:
    ask:
      agent: student
      does: answer
      reads: [question]
      writes: {answer: reply.text, tries: 1, note: "'seen'"}
      routes:
        - {when: tries < 3 and answer == '', to: ask}
        - {else: explain}
    explain: {agent: teacher, does: explain, reads: {answer: answer}, next: end}
limits: {tokens: 200000, on_exceed: pause}
"""


def test_a_file_in_our_own_hand_is_written_as_it_is() -> None:
    spec = load_text(EXAMPLE)
    assert load_text(to_yaml(spec)) == spec
    body, limits = to_yaml(spec).split("limits:\n")
    assert body == EXAMPLE.partition("limits:")[0]
    assert limits == "  tokens: 200000\n  on_exceed: pause\n"


def test_a_default_of_null_is_written_and_an_absent_one_is_not() -> None:
    text = to_yaml(load_text(EXAMPLE))
    assert "note: {type: str, default: null}" in text
    assert "question: {type: str, input: true}" in text


def test_what_other_tools_take_for_a_truth_value_is_quoted() -> None:
    text = to_yaml(load_text(EXAMPLE.replace("role: student, model: m", "role: student, model: m, stance: No")))
    assert "stance: 'No'" in text


def test_a_prompt_of_several_lines_stays_readable() -> None:
    text = EXAMPLE.replace(
        "role: student, model: m", 'role: student, model: m, prompt: "You are {{ name }}.\\nBe brief.\\n"'
    )
    written = to_yaml(load_text(text))
    assert "    prompt: |\n      You are {{ name }}.\n      Be brief.\n" in written
    assert load_text(written) == load_text(text)


def test_a_secret_is_written_as_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "very-secret")
    text = EXAMPLE.replace("t: sim/teacher", "t: {model: openai/gpt-5-mini, api_key: {secret: KEY}}")
    written = to_yaml(load_text(text))
    assert "api_key: {secret: KEY}" in written
    assert "very-secret" not in written
