"""The models that a router chooses from, and what it is told of them: ability, price, latency, past performance.

Names are compared exactly but for case; nothing is matched by a part of a name. What is not known stays unknown (None)
and is left out of the description; it is never taken for 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    SerializationInfo,
    StringConstraints,
    field_validator,
    model_serializer,
    model_validator,
)

from maieutic.backends.models import ModelSpec, Price
from maieutic.errors import UsageError
from maieutic.protocols.routing.quantiles import quantile

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

    from maieutic.memory.entries import Entry

__all__ = ["Candidate", "CandidateName", "Latency", "Pool", "measured", "performed"]

_UNPRICED = frozenset({"sim", "scripted", "person", "tiny"})
"""Providers that LiteLLM's price map cannot know, so that it need not be imported to ask."""

CandidateName = Annotated[
    str, StringConstraints(strip_whitespace=True, pattern=r"^[^:<>\s][^:<>\r\n]*$", max_length=80)
]
"""A name in one line, without the signs that end a name in a routing action (":", "<", ">")."""


class Latency(BaseModel):
    """How long a model takes to reply, in seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    p50: Annotated[float, Field(ge=0, description="Half of the replies come within this time.")]
    p95: Annotated[float, Field(ge=0, description="95 of 100 replies come within this time.")]
    calls: Annotated[int, Field(ge=0, description="Over how many calls it was measured; 0 if it was told.")] = 0

    @classmethod
    def of(cls, seconds: Iterable[float]) -> Latency | None:
        """The quantiles of measured times; None if there are none."""
        times = list(seconds)
        return cls(p50=quantile(times, 0.5), p95=quantile(times, 0.95), calls=len(times)) if times else None


class Candidate(BaseModel):
    """One model of a pool, with its descriptors."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[CandidateName, Field(description="How a router calls it. Case does not count.")]
    model: Annotated[ModelSpec, Field(description="A LiteLLM model string, a simulated mind, or their settings.")]
    capability: Annotated[str, Field(description="What it is good at, in a few sentences.")] = ""
    price: Annotated[Price | None, Field(description="USD per million tokens; by default the model's own.")] = None
    latency: Annotated[Latency | None, Field(description="Measured (see `measured`) or told.")] = None
    performance: Annotated[
        dict[str, Annotated[float, Field(ge=0, le=1)]],
        Field(description="Mean score in past evaluations, from 0 to 1, by task family."),
    ] = {}

    @field_validator("model", mode="before")
    @classmethod
    def _spec(cls, given: Any) -> Any:
        return given if isinstance(given, ModelSpec) else ModelSpec.model_validate(given)

    @property
    def key(self) -> str:
        """The name as it is compared."""
        return self.name.casefold()

    @property
    def known_price(self) -> Price | None:
        """What it costs: as given here, else as its model says, else by LiteLLM's price map; None if unknown.

        Asking the map imports LiteLLM, which takes seconds the first time.
        """
        if self.price is not None or self.model.price is not None or self.model.provider in _UNPRICED:
            return self.price or self.model.price
        from maieutic.backends.prices import map_price

        return map_price(self.model.model)

    @property
    def priced(self) -> ModelSpec:
        """Its model with the price that is given here, so that its calls are charged by it."""
        return self.model if self.price is None else self.model.model_copy(update={"price": self.price})

    @property
    def asks_map(self) -> bool:
        """Whether `known_price` has to look into LiteLLM's price map."""
        return self.price is None and self.model.price is None and self.model.provider not in _UNPRICED

    def described(self) -> str:
        """What a router is told of it, in one line: only what is known."""
        price = self.known_price
        parts = [self.capability.strip().rstrip(".")] if self.capability.strip() else []
        if price is not None:
            parts.append(f"price {price.input:g} USD in and {price.output:g} USD out per million tokens")
        if self.latency is not None:
            parts.append(f"latency {self.latency.p50:.2g} s (p50), {self.latency.p95:.2g} s (p95)")
        if self.performance:
            scores = ", ".join(f"{family} {score:.0%}" for family, score in self.performance.items())
            parts.append(f"past performance: {scores}")
        return "; ".join(" ".join(part.split()) for part in parts)


def _listed(given: Any) -> Any:
    """Candidates by name, or one after the other; a bare model string stands for a candidate's model."""
    if isinstance(given, Mapping):
        return tuple({"name": name, **_fields(entry)} for name, entry in given.items())
    return tuple(given) if isinstance(given, list) else given


def _fields(entry: Any) -> Mapping[str, Any]:
    return {"model": entry} if isinstance(entry, str | ModelSpec) else entry or {}


class Pool(BaseModel):
    """The models that a router chooses from. It does not change; `added` and `updated` return another pool.

    It may be written as its candidates alone: a mapping by name, or a list.

    Example:
        >>> pool = Pool.model_validate({"Small": "openai/gpt-5-nano", "Large": {"model": "openai/gpt-5"}})
        >>> pool.find("LARGE").name, pool.find("Lar")
        ('Large', None)
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    candidates: Annotated[tuple[Candidate, ...], BeforeValidator(_listed), Field(min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, given: Any) -> Any:
        if (
            isinstance(given, Mapping)
            and set(given) == {"candidates"}
            and isinstance(given["candidates"], list | tuple)
        ):
            return given
        return {"candidates": given} if isinstance(given, Mapping | list | tuple) else given

    @model_serializer
    def _by_name(self, info: SerializationInfo) -> dict[str, Any]:
        """As it is written in files; what is at its default is left out."""
        mode = "json" if info.mode == "json" else "python"
        dumped = {c.name: c.model_dump(mode=mode, exclude={"name"}, exclude_defaults=True) for c in self.candidates}
        return {name: entry["model"]["model"] if _bare(entry) else entry for name, entry in dumped.items()}

    @model_validator(mode="after")
    def _unique(self) -> Pool:
        seen: dict[str, str] = {}
        for candidate in self.candidates:
            if (other := seen.setdefault(candidate.key, candidate.name)) is not candidate.name:
                raise ValueError(f"two candidates are called {candidate.name!r} and {other!r}, and case does not count")
        if len(seen) < len(self.candidates):
            raise ValueError("two candidates share a name; give each its own")
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """As it is written in files: candidates by name."""
        listed = handler.resolve_ref_schema(handler(schema))["properties"]["candidates"]["items"]
        candidate = handler.resolve_ref_schema(listed)
        candidate["properties"].pop("name", None)
        candidate["required"] = ["model"]
        either = [{"type": "string", "description": "A LiteLLM model string."}, listed]
        return {"type": "object", "minProperties": 1, "additionalProperties": {"anyOf": either}}

    @classmethod
    def load(cls, path: Path | str) -> Pool:
        """The pool of a YAML or JSON file.

        Raises:
            FileError: The file cannot be read or is not valid; the message shows every problem with its place.
        """
        from maieutic.protocols.routing.pool_files import load_pool

        return load_pool(Path(path))

    @cached_property
    def _by_key(self) -> dict[str, Candidate]:
        return {candidate.key: candidate for candidate in self.candidates}

    @property
    def names(self) -> tuple[str, ...]:
        """All names, in order."""
        return tuple(candidate.name for candidate in self.candidates)

    def find(self, name: str) -> Candidate | None:
        """The candidate of exactly that name, whatever its case and the space around it, or None."""
        return self._by_key.get(name.strip().casefold())

    def the(self, name: str) -> Candidate:
        """The candidate of that name.

        Raises:
            UsageError: There is none; the message lists those there are.
        """
        found = self.find(name)
        if found is None:
            raise UsageError(f"there is no candidate {name!r} in the pool; there are: {', '.join(self.names)}")
        return found

    def added(self, candidate: Candidate) -> Pool:
        """A pool with one candidate more.

        Raises:
            UsageError: The name is taken.
        """
        if self.find(candidate.name) is not None:
            raise UsageError(f"the pool has a candidate {candidate.name!r} already; give the new one another name")
        return Pool(candidates=(*self.candidates, candidate))

    def updated(
        self,
        latency: Mapping[str, Latency] | None = None,
        performance: Mapping[str, Mapping[str, float]] | None = None,
    ) -> Pool:
        """The same candidates with what was measured.

        Args:
            latency: By candidate's name or by model string; the name goes first.
            performance: Mean scores by task family, by candidate's name or by model string.
        """
        return Pool(
            candidates=tuple(
                candidate.model_copy(
                    update={
                        "latency": _measured_of(candidate, latency or {}) or candidate.latency,
                        "performance": {**candidate.performance, **(_measured_of(candidate, performance or {}) or {})},
                    }
                )
                for candidate in self.candidates
            )
        )

    def described(self) -> dict[str, str]:
        """What a router is told: descriptions by name, in order."""
        return {candidate.name: candidate.described() for candidate in self.candidates}

    @property
    def asks_map(self) -> bool:
        """Whether describing it has to look into LiteLLM's price map."""
        return any(candidate.asks_map for candidate in self.candidates)

    def __len__(self) -> int:
        return len(self.candidates)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.find(name) is not None

    def each(self) -> Iterator[Candidate]:
        """The candidates, one after the other."""
        return iter(self.candidates)


def _bare(entry: Mapping[str, Any]) -> bool:
    return set(entry) == {"model"} and set(entry["model"]) == {"model"}


def _measured_of(candidate: Candidate, found: Mapping[str, Any]) -> Any:
    by_key = {name.casefold(): value for name, value in found.items()}
    return by_key.get(candidate.key, by_key.get(candidate.model.model.casefold()))


def measured(entries: Iterable[Entry]) -> dict[str, Latency]:
    """The latency of each model, and of each agent that asked for one, as a journal recorded it.

    Counted are replies of models that were really called: not those that a cache gave, nor those of simulated minds,
    which take no time.

    Args:
        entries: Entries of one run or of many (`Journal.entries`).

    Returns:
        Quantiles by model string as it was asked for, and by the name of whoever asked: a protocol that routes asks in
        the candidate's name, so that two candidates with one model string are told apart.
    """
    seconds: dict[str, list[float]] = {}
    for entry in entries:
        if entry.kind != "model" or entry.reply.get("free") or entry.reply.get("simulated"):
            continue
        taken = float(entry.reply.get("seconds", 0.0))
        for name in dict.fromkeys((str(entry.request.get("model", "")), entry.agent)):
            if name:
                seconds.setdefault(name, []).append(taken)
    return {name: found for name, times in seconds.items() if (found := Latency.of(times)) is not None}


def performed(scores: Iterable[tuple[str, str, float]]) -> dict[str, dict[str, float]]:
    """Mean scores by name and task family, as `Pool.updated` takes them.

    Args:
        scores: Of past evaluations: a candidate's name or model string, the task family, a score from 0 to 1.
    """
    found: dict[str, dict[str, list[float]]] = {}
    for name, family, score in scores:
        found.setdefault(name, {}).setdefault(family, []).append(score)
    return {
        name: {family: sum(each) / len(each) for family, each in families.items()} for name, families in found.items()
    }
