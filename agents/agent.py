"""An agent: a name, a model, prompts, and the verbs of its role."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import copy
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self
from zlib import crc32

from pydantic import BaseModel, ValidationError

from maieutic.agents.balance import Balance, Weighed, weigh
from maieutic.agents.choosing import ModelChooser, subject
from maieutic.agents.prompting import Prompt, bundled, has_bundled
from maieutic.agents.replies import spoken
from maieutic.agents.verbs import Reply, Verb
from maieutic.agents.views import beginning
from maieutic.backends.models import ModelSpec
from maieutic.backends.types import LLMRequest, TextDelta, Tool
from maieutic.errors import PromptError, UsageError
from maieutic.files.problems import did_you_mean
from maieutic.memory import Event, Message, Transcript, Turn

if TYPE_CHECKING:
    from maieutic.backends.labels import LabelProbabilities
    from maieutic.backends.place import Place

__all__ = ["Agent", "Reply", "Verb"]

_EMPTY = Transcript()
_NAME = re.compile(r"[^\W\d][\w-]*")
SYSTEM_VARIABLES = ("name", "persona", "role", "stance")
"""What a role's system prompt may use."""


class Agent:
    """One speaker. Roles are subclasses that list their verbs; a role of your own is a subclass too.

    A role of your own brings its prompts in `templates`: by verb, and "system" for the system prompt, each the text of
    a template or a file (a Path). What it leaves out it has from the role that it is a subclass of.

    Args:
        name: How the others call it: one word.
        model: A LiteLLM model string ("openai/gpt-5-mini"), a simulated mind ("sim/debater"), or a ModelSpec or its
            fields ({"model": "sim/debater", "seed": 2}).
        persona: Who it is, in a sentence; part of its system prompt.
        stance: A position it is told to defend, or empty.
        prompt: A system prompt (template text or a file) instead of the role's own.
        prompts: Instructions by verb (template text or files) instead of the role's own.
        output: A typed reply instead of the verb's own.

    Attributes:
        own_prompt: The text of its own system prompt, if it has one.
        chooser: What chooses its model for each call, if something does (see `routed`); `model` stands in for it then.
        balance: How it weighs the arguments before it answers, if it does (see `balanced`).

    Raises:
        PromptError: A prompt does not parse or uses an unknown variable.
        UsageError: Its name or its model will not do.
    """

    role: ClassVar[str] = "agent"
    verbs: ClassVar[Mapping[str, Verb]] = {"say": Verb("say", takes=("instruction",))}
    default_model: ClassVar[str | None] = None
    templates: ClassVar[Mapping[str, str | Path]] = {}

    def __init__(
        self,
        name: str,
        model: ModelSpec | str | Mapping[str, Any] | None = None,
        *,
        persona: str = "",
        stance: str = "",
        prompt: str | Path | None = None,
        prompts: Mapping[str, str | Path] | None = None,
        output: type[BaseModel] | None = None,
    ) -> None:
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{name!r} cannot be an agent's name; use one word of letters, digits, _ and -, beginning with a "
                "letter, and say the rest in its persona"
            )
        chosen = model if model is not None else self.default_model
        if chosen is None:
            raise UsageError(f"agent {name!r} has no model; give it one, for example model='sim/{self.role}'")
        self.name = name
        self.model = chosen if isinstance(chosen, ModelSpec) else _model(chosen, name)
        self.persona = persona
        self.stance = stance
        self.output = output
        self.chooser: ModelChooser | None = None
        self.balance: Balance | None = None
        self._more: Mapping[str, tuple[Verb, Prompt]] = {}
        self.own_prompt = None if prompt is None else _prompt(prompt, f"{name}'s prompt").source
        self._system = _prompt(prompt, f"{name}'s prompt") if prompt is not None else self.template("system")
        self._system.check(SYSTEM_VARIABLES)
        self._instructions = {v: _prompt(p, f"{name}'s prompt for {v}") for v, p in (prompts or {}).items()}
        for verb, instruction in self._instructions.items():
            instruction.check((*self.verb(verb).inputs, "given", *SYSTEM_VARIABLES))
        for verb in self.verbs.keys() - self._instructions.keys():
            self.template(verb)

    @cached_property
    def opening(self) -> Message:
        """Its system prompt."""
        return Message("system", self._system.render(self._about()))

    def _about(self) -> dict[str, str]:
        return {"name": self.name, "persona": self.persona, "role": self.role, "stance": self.stance}

    @property
    def own_prompts(self) -> bool:
        """Whether it has instructions of its own for any verb."""
        return bool(self._instructions)

    def verb(self, name: str) -> Verb:
        """The verb of that name.

        Raises:
            UsageError: The role has no such verb; the message lists those it has.
        """
        try:
            return self.verbs[name] if name in self.verbs else self._more[name][0]
        except KeyError:
            known = ", ".join(sorted((*self.verbs, *self._more)))
            raise UsageError(f"{self.role} {self.name!r} cannot {name!r}; it can: {known}") from None

    @classmethod
    @lru_cache(maxsize=256)
    def template(cls, step: str) -> Prompt:
        """The role's own prompt for a verb, or for "system".

        Raises:
            PromptError: Neither the role nor any that it is a subclass of has one.
        """
        for kind in cls.__mro__:
            if (own := vars(kind).get("templates", {}).get(step)) is not None:
                prompt = _prompt(own, f"the template {cls.role}/{step}")
                prompt.check(
                    (*cls.verbs[step].inputs, "given", *SYSTEM_VARIABLES) if step in cls.verbs else SYSTEM_VARIABLES
                )
                return prompt
            if (role := vars(kind).get("role")) is not None and has_bundled(f"{role}/{step}"):
                return bundled(f"{role}/{step}")
        raise PromptError(f"the role {cls.role!r} has no prompt for {step!r}; put one into the class's `templates`")

    def messages(
        self, verb: str, transcript: Transcript = _EMPTY, given: Mapping[str, Any] | None = None
    ) -> tuple[Message, ...]:
        """The messages it would send: the stable system prompt, its view of the transcript, the instruction last."""
        known = self.verb(verb)
        given = dict(given or {})
        if missing := [need for need in known.needs if need not in given]:
            raise UsageError(f"{self.role}.{verb} needs {', '.join(missing)}")
        instruction = self._instructions.get(verb) or (
            self.template(verb) if verb in self.verbs else self._more[verb][1]
        )
        extra = {k: v for k, v in given.items() if k not in known.inputs}
        variables = {**self._about(), **dict.fromkeys(known.inputs), **given, "given": extra}
        return (
            *beginning(self.opening, transcript, self.name),
            Message("user", instruction.render(variables)),
        )

    async def do(
        self,
        verb: str,
        at: Place,
        transcript: Transcript = _EMPTY,
        *,
        output: type[BaseModel] | None = None,
        sample: int = 0,
        temperature: float | None = None,
        possible: Sequence[str] = (),
        **given: Any,
    ) -> Reply:
        """Do one of the role's verbs: read the transcript, ask the model once, return its typed reply.

        Args:
            verb: Which of the role's verbs.
            at: Where in the run; the call's address is this place and ``agent.verb``.
            transcript: The dialogue so far; the agent reads its own view of it.
            output: A typed reply instead of the verb's own.
            sample: Which of several independent samples of the same request this is.
            temperature: Instead of the model's own.
            possible: The possible answers, where the verb does not take them as `options`, for an agent that is
                balanced.
            **given: The verb's inputs. Others are shown to the model by their names.

        Raises:
            UsageError: Unknown verb or missing input.
            ModelError, ReplyError, BudgetExceeded, ReplayMiss: See maieutic.errors.
        """
        schema = output or self.output or self.verb(verb).output
        messages = self.messages(verb, transcript, given)
        about = "" if self.chooser is None else subject(given, transcript, messages)
        weighed = await self.weighed(verb, at, transcript, given.get("options") or possible)
        messages = messages if weighed is None else weighed.told(messages)
        reply = await self.send(messages, verb, at, output=schema, sample=sample, temperature=temperature, about=about)
        return reply if weighed is None else weighed.settled(reply)

    async def weighed(
        self, step: str, at: Place, transcript: Transcript, options: Sequence[str] = ()
    ) -> Weighed | None:
        """What it finds when it weighs the arguments, if it is balanced, has no side to defend, and there are any.

        `do` asks for it and tells the agent; a protocol that makes messages of its own does so itself (`Weighed.told`).

        Args:
            step: What it is about to do; the calls' addresses are this place, ``agent.step`` and ``agent.weighN``.
            at, transcript: As in `do`.
            options: The possible answers, if they are known.
        """
        if self.balance is None or self.stance:
            return None
        return await weigh(self, self.balance, at / f"{self.name}.{step}", transcript, options)

    async def send(
        self,
        messages: Sequence[Message],
        step: str,
        at: Place,
        *,
        output: type[BaseModel] | None = None,
        sample: int = 0,
        temperature: float | None = None,
        max_tokens: int | None = None,
        stop: Sequence[str] | None = None,
        extra: Mapping[str, Any] | None = None,
        about: str = "",
        tools: Sequence[Tool] = (),
    ) -> Reply:
        """Ask the model once about messages of one's own making, for a protocol that no transcript fits.

        Args:
            messages: What it reads, in order; its system prompt is `opening`.
            step: What it does, in a word; the call's address is this place and ``agent.step``.
            at: Where in the run.
            output: A typed reply.
            sample: Which of several independent samples of the same request this is.
            temperature, max_tokens, stop: Instead of the model's own.
            extra: Further fields of the request's body, beside the model's own.
            tools: What it may call; the calls are in `reply.call.tool_calls`.
            about: What the call is about, for a chooser of the model; its last message if left out.

        Raises:
            ModelError, ReplyError, BudgetExceeded, ReplayMiss: See maieutic.errors.
        """
        here = at / f"{self.name}.{step}"
        at.emit(Event("asking", here.address.local, {"agent": self.name, "verb": step}))
        model = await self._chosen(here, about or messages[-1].content)
        if extra:
            model = model.model_copy(update={"extra": {**model.extra, **extra}})
        request = LLMRequest(
            model=model,
            messages=tuple(messages),
            address=here.address,
            output=output,
            temperature=temperature,
            max_tokens=max_tokens,
            stop=None if stop is None else tuple(stop),
            sample=sample,
            agent=self.name,
            tools=tuple(tools),
        )
        call = await at.gateway.complete(request, self._teller(here, step) if at.stream and output is None else None)
        return Reply(call.text.strip() if call.data is None else spoken(call.data), call.data, call)

    async def weigh(
        self, labels: Sequence[str], instruction: str, at: Place, transcript: Transcript = _EMPTY, *, samples: int = 10
    ) -> LabelProbabilities:
        """How likely it finds each label as its reply to an instruction that asks for nothing but a label.

        Args:
            labels: Two or more, different whatever their case.
            instruction: What it is asked, after its system prompt and its view of the transcript.
            at: Where in the run; the call's address is this place and ``agent.weigh``.
            transcript: The dialogue so far.
            samples: How many replies are sampled where the endpoint gives no log-probabilities.

        Raises:
            ReplyError, ModelError, BudgetExceeded, ReplayMiss: See maieutic.errors.
        """
        here = at / f"{self.name}.weigh"
        at.emit(Event("asking", here.address.local, {"agent": self.name, "verb": "weigh"}))
        messages = (*beginning(self.opening, transcript, self.name), Message("user", instruction))
        model = await self._chosen(here, subject({}, transcript, messages))
        request = LLMRequest(model, messages, here.address, agent=self.name)
        return await at.gateway.label_probabilities(request, labels, samples=samples)

    async def _chosen(self, here: Place, about: str) -> ModelSpec:
        """The model of a call, with a seed of its own from the run's if neither model nor run leaves that to chance."""
        model = self.model if self.chooser is None else await self.chooser.choose(about, here)
        if not here.seed or model.seed is not None:
            return model
        return model.model_copy(update={"seed": crc32(f"{here.seed}/{self.name}".encode())})

    def _teller(self, here: Place, verb: str) -> Any:
        def tell(delta: TextDelta) -> None:
            data = {"speaker": self.name, "verb": verb, "text": delta.text, "restart": delta.restart}
            here.emit(Event("text", here.address.local, data))

        return tell

    def playing(self, role: str) -> Agent:
        """This agent in another role: same name, model, persona and stance, the other role's verbs.

        An agent that has the role already is returned as it is. Raises UsageError if there is no such role.
        """
        from maieutic.agents.roles import role_named

        if any(vars(kind).get("role") == role for kind in type(self).__mro__):
            return self
        other = role_named(role)(self.name, self.model, persona=self.persona, stance=self.stance)
        other.balance = self.balance
        return other.routed(self.chooser)

    def routed(self, chooser: ModelChooser | None) -> Self:
        """The same agent with a model that is chosen anew for each call; without a chooser, with its own."""
        other = copy(self)
        other.chooser = chooser
        other.model = self.model if chooser is None else chooser.stand_in
        return other

    def balanced(self, balance: Balance | None = None) -> Self:
        """The same agent, weighing the arguments off the record before it answers (see maieutic.agents.balance)."""
        other = copy(self)
        other.balance = balance or Balance()
        return other

    def dressed(self, *, persona: str | None = None, stance: str | None = None) -> Agent:
        """The same agent with another persona or stance; None leaves it as it is."""
        other = copy(self)
        other.persona = self.persona if persona is None else persona
        other.stance = self.stance if stance is None else stance
        other.__dict__.pop("opening", None)
        return other

    def able(self, verb: Verb, prompt: Prompt) -> Self:
        """The same agent with one more verb: a protocol's own, with its instruction. A role's own verb is kept.

        Raises:
            PromptError: The instruction uses a variable that is no input of the verb.
        """
        if verb.name in self.verbs:
            return self
        prompt.check((*verb.inputs, "given", *SYSTEM_VARIABLES))
        other = copy(self)
        other._more = {**self._more, verb.name: (verb, prompt)}
        return other

    def turn(self, reply: Reply, *, round: int | None = None, kind: Literal["say", "probe"] = "say") -> Turn:
        """The turn by which this agent's reply enters a transcript."""
        data = reply.data.model_dump(mode="json") if reply.data is not None else {}
        data |= {} if reply.weighed is None else {"weighed": reply.weighed.to_json()}
        return Turn(self.name, reply.text, kind=kind, round=round, data=data)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self.model.model!r})"


def _model(given: Any, name: str) -> ModelSpec:
    """The model that an agent is given; what is wrong is told without the values, which may be secret."""
    try:
        return ModelSpec.model_validate(given)
    except ValidationError as error:
        said = [_fault(each["loc"], each["msg"], each["type"]) for each in error.errors(include_input=False)]
    raise UsageError(f"the model of agent {name!r} will not do: {'; '.join(said)}")


def _fault(loc: tuple[int | str, ...], message: str, kind: str) -> str:
    key = ".".join(map(str, loc))
    if loc[:1] == ("api_key",):
        return "api_key: name the variable that holds the key, never the key itself: {'secret': 'NAME'}"
    if kind == "extra_forbidden":
        return f"unknown key {key!r}; {did_you_mean(key, ModelSpec.model_fields)}"
    if loc == ("model",) and kind == "missing":
        return "model: it is missing, for example 'openai/gpt-5-mini' or 'sim/student'"
    return f"{key}: {message}" if key else "give a model string, or its settings as a mapping"


def _prompt(source: str | Path, origin: str) -> Prompt:
    return Prompt.load(source) if isinstance(source, Path) else Prompt(source, origin)
