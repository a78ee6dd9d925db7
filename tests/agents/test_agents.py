import asyncio
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from maieutic.agents import Agent, Debater, Judge, Position, Student, Teacher, Verb, among, role_named, roles, spoken
from maieutic.backends import Endpoints, ModelSpec, ScriptedModel, in_memory
from maieutic.errors import PromptError, UsageError
from maieutic.memory import MODERATOR, Event, Transcript, Turn

EXAMPLES = {
    "options": ["yes", "no"],
    "pool": {"small": "cheap and quick", "large": "knows more"},
    "round": 2,
    "rounds": 3,
}


@pytest.mark.parametrize("role", sorted(roles()))
def test_every_verb_of_every_role_has_a_prompt_that_shows_its_inputs(role: str) -> None:
    agent = role_named(role)("Ada", "sim/expert", persona="Likes maps.")
    for verb in agent.verbs.values():
        given = {name: EXAMPLES.get(name, f"<{name}>") for name in verb.inputs}
        system, instruction = agent.messages(verb.name, given=given)
        assert "Ada" in system.content
        assert "Likes maps." in system.content
        for value in given.values():
            parts = value if isinstance(value, list) else list(value.items()) if isinstance(value, dict) else [value]
            for part in parts:
                assert str(part[0] if isinstance(part, tuple) else part) in instruction.content


def test_an_agent_reads_its_system_prompt_then_its_view_then_the_instruction() -> None:
    transcript = Transcript((Turn(MODERATOR, "Question: why?"), Turn("Bo", "Because.")))
    roles_read = [(m.role, m.content) for m in Debater("Ada", "sim/debater").messages("argue", transcript)]
    assert [r for r, _ in roles_read] == ["system", "user", "user", "user"]
    assert roles_read[1][1] == "Question: why?"
    assert roles_read[2][1] == "Bo: Because."
    assert "your turn" in roles_read[3][1]


def test_inputs_that_a_verb_does_not_know_are_shown_by_their_names() -> None:
    *_, instruction = Teacher("Ada", "sim/teacher").messages("explain", given={"review": "Too short."})
    assert "Review: Too short." in instruction.content


def test_an_assigned_stance_is_part_of_the_system_prompt() -> None:
    system, *_ = Debater("Ada", "sim/debater", stance="Mars").messages("argue")
    assert "Argue for this answer: Mars" in system.content
    assert "Change your mind" not in system.content


def test_a_missing_input_is_named() -> None:
    with pytest.raises(UsageError, match=r"router\.decide needs question, pool"):
        role_named("router")("Ada", "sim/router").messages("decide")


def test_an_unknown_verb_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match="judge 'June' cannot 'argue'; it can: enough, verdict"):
        Judge("June", "sim/judge").messages("argue")


def test_an_unknown_role_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match="unknown role 'critc'; known roles: agent, critic"):
        role_named("critc")


def test_an_agent_without_a_model_is_told_what_to_give() -> None:
    with pytest.raises(UsageError, match="agent 'Ada' has no model; give it one, for example model='sim/debater'"):
        Debater("Ada")


def test_an_undefined_variable_in_a_prompt_is_found_when_the_agent_is_made() -> None:
    with pytest.raises(PromptError, match="Ada's prompt: unknown variable topik; this prompt may use name, persona"):
        Teacher("Ada", "sim/teacher", prompt="You teach {{ topik }}.")


def test_a_prompt_file_that_does_not_parse_is_located(tmp_path: Path) -> None:
    path = tmp_path / "teacher.md.j2"
    path.write_text("You are {{ name }}.\n{% if persona %}\n")
    with pytest.raises(PromptError, match=r"teacher\.md\.j2:2: .*; mend the template"):
        Teacher("Ada", "sim/teacher", prompt=path)


def test_a_missing_prompt_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PromptError, match=r"cannot read the prompt file .*nowhere\.md\.j2: No such file"):
        Teacher("Ada", "sim/teacher", prompt=tmp_path / "nowhere.md.j2")


def test_a_prompt_cannot_reach_into_python() -> None:
    agent = Teacher("Ada", "sim/teacher", prompt="{{ name.__class__.__mro__ }}")
    with pytest.raises(PromptError, match="unsafe"):
        agent.messages("ask")


@pytest.mark.parametrize(
    "template", ["{{ 1 // (name | length - 3) }}", "{{ name + 1 }}", "{{ range(10 ** 9) | list }}"]
)
def test_a_prompt_that_cannot_be_filled_in_is_an_error_of_the_prompt(template: str) -> None:
    with pytest.raises(PromptError, match=r"Ada's prompt: \w+Error: .*; mend the template"):
        Judge("Ada", "sim/judge", prompt=template).messages("enough")


def test_prompts_can_be_overridden_by_verb_and_keep_plain_braces() -> None:
    agent = Teacher("Ada", "sim/teacher", prompt='Reply as {"ok": true}.', prompts={"ask": "Ask about {{ topic }}!"})
    system, instruction = agent.messages("ask", given={"topic": "Mars"})
    assert system.content == 'Reply as {"ok": true}.'
    assert instruction.content == "Ask about Mars!"


def test_an_agent_cast_in_another_role_keeps_name_model_and_persona() -> None:
    student = Student("Ada", ModelSpec(model="sim/student", params={"knows": 0.3}), persona="Shy.")
    debater = student.playing("debater")
    assert (debater.role, debater.name, debater.model, debater.persona) == ("debater", "Ada", student.model, "Shy.")
    assert student.playing("student") is student


def test_a_role_of_ones_own_is_a_subclass_with_verbs() -> None:
    class Poet(Agent):
        role = "poet"
        verbs: ClassVar = {"rhyme": Verb("rhyme", needs=("word",))}

    poet = Poet("Ada", "sim/expert", prompt="You rhyme.", prompts={"rhyme": "Rhyme with {{ word }}."})
    assert poet.messages("rhyme", given={"word": "sea"})[-1].content == "Rhyme with sea."
    assert role_named("poet", {"poet": Poet}) is Poet


def test_a_typed_reply_can_be_limited_to_options() -> None:
    limited = among(Position, ["yes", "no"])
    assert limited.model_validate({"answer": "yes", "confidence": 0.5}) == limited(answer="yes", confidence=0.5)
    with pytest.raises(ValidationError):
        limited.model_validate({"answer": "perhaps", "confidence": 0.5})
    assert limited.model_json_schema()["properties"]["answer"]["enum"] == ["yes", "no"]
    assert among(Position, []) is Position


def test_a_typed_reply_is_spoken_one_line_a_field() -> None:
    assert spoken(Position(answer="Mars", confidence=0.75)) == "Answer: Mars\nConfidence: 0.75"


def test_a_runs_seed_gives_each_agent_a_seed_of_its_own_unless_its_model_has_one() -> None:
    script = ScriptedModel(lambda request: "yes")

    async def seeds(seed: int) -> list[int | None]:
        before = len(script.requests)
        async with Endpoints({"scripted": script}) as endpoints, in_memory(endpoints, seed=seed) as at:
            for agent in (Debater("Ada", "scripted/x"), Debater("Bo", ModelSpec(model="scripted/x", seed=7))):
                await agent.argue(at, Transcript())
        return [request.model.seed for request in script.requests[before:]]

    assert asyncio.run(seeds(0)) == [None, 7]
    ada, bo = asyncio.run(seeds(3))
    assert (type(ada), bo) == (int, 7)


def test_whoever_listens_hears_that_a_model_is_about_to_be_asked() -> None:
    heard: list[Event] = []

    async def ask() -> None:
        script = ScriptedModel(["yes"])
        async with Endpoints({"scripted": script}) as endpoints, in_memory(endpoints, emit=heard.append) as at:
            await Debater("Ada", "scripted/x").argue(at, Transcript())

    asyncio.run(ask())
    assert [e.kind for e in heard] == ["asking", "call"]
    assert heard[0].data == {"agent": "Ada", "verb": "argue"}


@pytest.mark.parametrize("name", ["", "Ada Lovelace", "x/y", "a:b", "two\nlines", "7"])
def test_a_name_is_one_word(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be an agent's name; use one word"):
        Debater(name, "sim/debater")


def test_a_name_may_be_of_any_script() -> None:
    assert Debater("Zoë", "sim/debater").name == "Zoë"


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ({"api_key": "sk-1"}, "model: it is missing, for example 'openai/gpt-5-mini'.*api_key: name the variable"),
        ({"model": "x", "api_key": "sk-1"}, "api_key: name the variable that holds the key, never the key itself"),
        ({"model": "x", "temprature": 1}, "unknown key 'temprature'; did you mean 'temperature'"),
        ({"model": "x", "temperature": 9}, "temperature: Input should be less than or equal to 2"),
        (3, "give a model string, or its settings as a mapping"),
    ],
)
def test_a_model_that_will_not_do_is_told_without_its_values(model: Any, said: str) -> None:
    with pytest.raises(UsageError, match=f"the model of agent 'Bob' will not do: {said}") as caught:
        Student("Bob", model)
    assert "sk-1" not in str(caught.value)
    assert caught.value.__context__ is None, "nor shown in a traceback"
