"""The models of an experiment file: what it may say, key by key. The JSON Schema for editors is made from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from maieutic.backends.models import ModelSpec
from maieutic.graphs.nodes import Name, Strict
from maieutic.graphs.spec import AgentSpec, Count

__all__ = ["BudgetSpec", "ConditionSpec", "DataSpec", "ExperimentSpec", "VarySpec"]

Text = Annotated[str, Field(min_length=1)]


def _kind(raw: Any) -> str:
    return "<map>" if isinstance(raw, Mapping) else "<list>"


def _texts(raw: Any) -> Any:
    return [raw] if isinstance(raw, str) else raw


Values = Annotated[
    Annotated[list[Any], Tag("<list>"), Field(min_length=1)]
    | Annotated[dict[Text, Any], Tag("<map>"), Field(min_length=1)],
    Discriminator(_kind),
    Field(description="The values, or the values by a short name of each."),
]
Models = Annotated[
    Annotated[list[ModelSpec], Tag("<list>"), Field(min_length=1)]
    | Annotated[dict[Text, ModelSpec], Tag("<map>"), Field(min_length=1)],
    Discriminator(_kind),
    Field(description="The models, or the models by a short name of each."),
]
Columns = Annotated[
    Annotated[list[Text], Tag("<list>")] | Annotated[dict[Text, Text], Tag("<map>")], Discriminator(_kind)
]


class DataSpec(Strict):
    """Where the items come from, and which columns say what.

    Attributes:
        file: A .jsonl, .csv, .tsv or .parquet file, relative to the experiment file.
        bundled: A data set that ships with maieutic.
        hub: The name of a data set of the Hugging Face hub; needs the extra `hub`.
        config, split, revision: Of a hub's data set.
        id: The column of the ids; `id` if there is one, else items are numbered.
        inputs: Columns that are inputs, or inputs with the columns they come from; those that have the names of the
            conditions' inputs if left out.
        target: The column of the accepted answer, or of a list of them; `target` or `answer` if left out.
        aliases: A column of further accepted answers.
        options: The column of the answers to choose from.
        family, group: Columns of the task family, and of what belongs together when intervals are drawn.
        where: Only rows whose column has this value, or one of these.
        limit: Only so many of the first items.
    """

    file: Text | None = None
    bundled: Literal["questions"] | None = None
    hub: Text | None = None
    config: Text | None = None
    split: Text | None = None
    revision: Text | None = None
    id: Text | None = None
    inputs: Columns | None = None
    target: Text | None = None
    aliases: Text | None = None
    options: Text | None = None
    family: Text | None = None
    group: Text | None = None
    where: dict[Text, Any] = Field(default_factory=dict)
    limit: Count | None = None

    @property
    def kind(self) -> str:
        """Of "file", "bundled" and "hub", the one that it is."""
        return next(name for name in ("file", "bundled", "hub") if getattr(self, name) is not None)


class VarySpec(Strict):
    """What takes several values: every combination is a condition of its own."""

    models: dict[str, Models] = Field(
        default_factory=dict, description="By agent, role or model name; * is all agents."
    )
    params: dict[Text, Values] = Field(alias="with", default_factory=dict, description="By parameter of the protocol.")
    settings: dict[Text, Values] = Field(
        alias="set", default_factory=dict, description="By dotted path in the graph file."
    )

    def __bool__(self) -> bool:
        return bool(self.models or self.params or self.settings)


class ConditionSpec(Strict):
    """One condition: a graph file or a protocol, and what differs from it.

    Attributes:
        graph: A graph file, relative to the experiment file.
        use: A protocol, spoken by the experiment's agents.
        agents: Agents of this condition beside the experiment's.
        models: Other models, by agent, role or name under `models`; "*" is every agent.
        params: Parameters of the protocol.
        settings: Values by dotted path in the graph file, such as limits.usd.
        inputs: Inputs that are the same for every item.
        vary: What varies within this condition only.
    """

    graph: Text | None = None
    use: Name | None = None
    description: str = ""
    agents: dict[Name, AgentSpec] = Field(default_factory=dict)
    models: dict[Text, ModelSpec] = Field(default_factory=dict)
    params: dict[str, Any] = Field(alias="with", default_factory=dict)
    settings: dict[Text, Any] = Field(alias="set", default_factory=dict)
    inputs: dict[Text, Any] = Field(default_factory=dict)
    vary: VarySpec = VarySpec()


class BudgetSpec(Strict):
    """What the whole experiment may spend, all its processes and resumptions together.

    Attributes:
        usd: US dollars.
        tokens: Prompt and completion tokens together; 200k and 1.5M are understood.
        calls: Model calls.
        seconds: Wall time of one execution.
    """

    usd: Annotated[float | None, Field(gt=0)] = None
    tokens: Count | None = None
    calls: Count | None = None
    seconds: Annotated[float | None, Field(gt=0)] = None

    def __bool__(self) -> bool:
        return any(limit is not None for limit in (self.usd, self.tokens, self.calls, self.seconds))


def _usual() -> list[str | dict[str, Any]]:
    return ["exact_match"]


def _data(raw: Any) -> Any:
    return {"file": raw} if isinstance(raw, str) else raw


class ExperimentSpec(Strict):
    """One experiment file.

    Attributes:
        name: Under which its results stand in the store.
        data: The items; a file's name alone will do.
        models, agents: For the conditions that name a protocol, as in a graph file.
        conditions: By name, in the order of every table.
        vary: What varies in every condition.
        repeats: How often each item is run under each condition.
        seed: Of everything drawn at random.
        scorers: By name, or {use: NAME, …} with settings.
        budget: What the whole may spend.
        concurrency: Dialogues in flight at a time; left out, a quarter more than the endpoints have slots.
        world: A file with facts and questions for simulated minds, for the conditions that name a protocol.
    """

    version: Literal[1]
    name: Name
    description: str = ""
    data: Annotated[DataSpec, BeforeValidator(_data)]
    models: dict[Name, ModelSpec] = Field(default_factory=dict)
    agents: dict[Name, AgentSpec] = Field(default_factory=dict)
    conditions: Annotated[dict[Name, ConditionSpec], Field(min_length=1)]
    vary: VarySpec = VarySpec()
    repeats: Annotated[int, Field(ge=1)] = 1
    seed: int = 0
    scorers: Annotated[list[str | dict[str, Any]], BeforeValidator(_texts)] = Field(default_factory=_usual)
    budget: BudgetSpec = BudgetSpec()
    concurrency: Annotated[int | None, Field(ge=1)] = None
    world: Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _without_extensions(cls, raw: Any) -> Any:
        """Keys that begin with x- are the author's own (a home for anchors)."""
        if not isinstance(raw, Mapping):
            return raw
        return {k: v for k, v in raw.items() if not (isinstance(k, str) and k.startswith("x-"))}
