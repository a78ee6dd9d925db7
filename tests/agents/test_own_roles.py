"""A role of one's own: a subclass with verbs and templates, as good as those that ship with the package."""

from pathlib import Path
from typing import ClassVar

import pytest

from maieutic.agents import Agent, Prompt, Teacher, Verb
from maieutic.errors import PromptError, UsageError


class Interviewer(Agent):
    role = "interviewer"
    verbs: ClassVar = {"probe": Verb("probe", needs=("topic",)), "say": Verb("say", takes=("instruction",))}
    templates: ClassVar = {
        "system": "You are {{ name }}, who asks and never tells.",
        "probe": "Ask one question about {{ topic }}.",
    }


class Patient(Teacher):
    role = "patient_teacher"
    templates: ClassVar = {"hint": "Give the smallest hint there is. {{ question }} {{ answer }}"}


def test_a_role_brings_its_own_templates() -> None:
    system, instruction = Interviewer("Iris", "sim/expert").messages("probe", given={"topic": "rain"})
    assert system.content == "You are Iris, who asks and never tells."
    assert instruction.content == "Ask one question about rain."


def test_a_role_has_what_it_leaves_out_from_the_role_it_is_a_subclass_of() -> None:
    patient, teacher = Patient("Tom", "sim/teacher"), Teacher("Tom", "sim/teacher")
    given = {"question": "Why?", "answer": "No idea."}
    assert patient.messages("explain", given=given)[-1] == teacher.messages("explain", given=given)[-1]
    assert patient.messages("hint", given=given)[-1].content.startswith("Give the smallest hint")
    *_, said = Interviewer("Iris", "sim/expert").messages("say", given={"instruction": "Greet them."})
    assert "Greet them." in said.content


def test_an_agents_own_prompt_wins_over_its_roles_template() -> None:
    *_, instruction = Patient("Tom", "sim/teacher", prompts={"hint": "Hint!"}).messages("hint")
    assert instruction.content == "Hint!"


def test_a_template_may_be_a_file(tmp_path: Path) -> None:
    file = tmp_path / "probe.md.j2"
    file.write_text("Ask about {{ topic }}.", "utf-8")

    class FromFile(Interviewer):
        templates: ClassVar = {"probe": file}

    *_, instruction = FromFile("Iris", "sim/expert").messages("probe", given={"topic": "rain"})
    assert instruction.content == "Ask about rain."


def test_a_verb_without_a_prompt_says_where_to_put_one() -> None:
    class Bare(Agent):
        role = "bare"
        verbs: ClassVar = {"hum": Verb("hum")}

    with pytest.raises(PromptError, match=r"the role 'bare' has no prompt for 'hum'; put one into the class's"):
        Bare("Bo", "sim/expert")
    Bare("Bo", "sim/expert", prompts={"hum": "Hum."})


def test_a_template_with_an_unknown_variable_is_refused_when_an_agent_is_made() -> None:
    class Careless(Interviewer):
        templates: ClassVar = {"probe": "Ask about {{ topci }}."}

    with pytest.raises(PromptError, match=r"the template interviewer/probe: unknown variable topci; .* topic"):
        Careless("Iris", "sim/expert")


def test_a_template_may_show_inputs_that_its_verb_does_not_know() -> None:
    class Curious(Interviewer):
        templates: ClassVar = {"probe": "Ask about {{ topic }}.\n{% include 'given' %}"}

    *_, instruction = Curious("Iris", "sim/expert").messages("probe", given={"topic": "rain", "weather": "wet"})
    assert "Weather: wet" in instruction.content


def test_an_agent_of_a_role_that_is_not_installed_can_still_play_it() -> None:
    iris = Interviewer("Iris", "sim/expert")
    assert iris.playing("interviewer") is iris
    assert Patient("Tom", "sim/teacher").playing("teacher").role == "patient_teacher"


def test_a_protocol_gives_an_agent_a_verb_that_its_role_has_not() -> None:
    able = Teacher("Tom", "sim/teacher").able(Verb("sum_up", takes=("topic",)), Prompt("Sum up {{ topic }}.", "a test"))
    assert able.messages("sum_up", given={"topic": "rain"})[-1].content == "Sum up rain."
    assert not able.own_prompts, "what a protocol adds is no instruction of the agent's own"
    with pytest.raises(UsageError, match="cannot 'sum_up'; it can: answer, ask"):
        Teacher("Tom", "sim/teacher").verb("sum_up")
    kept = Patient("Tom", "sim/teacher").able(Verb("hint"), Prompt("Another hint.", "a test"))
    assert kept.messages("hint")[-1].content.startswith("Give the smallest hint")
    with pytest.raises(PromptError, match="unknown variable colour"):
        Teacher("Tom", "sim/teacher").able(Verb("paint"), Prompt("{{ colour }}", "a test"))
