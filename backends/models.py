"""How a user names a model: the checked form of one entry under `models:`."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["ModelSpec", "Price", "SecretRef"]


class SecretRef(BaseModel):
    """The name of an environment variable that holds a secret; the value is read when used and never stored."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    secret: Annotated[str, Field(description="Name of the environment variable that holds the secret.")]


class Price(BaseModel):
    """What a model costs, in US dollars per million tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: Annotated[float, Field(ge=0, description="USD per million prompt tokens.")]
    output: Annotated[float, Field(ge=0, description="USD per million completion tokens.")]
    cached_input: Annotated[float | None, Field(ge=0, description="USD per million cached prompt tokens.")] = None


class ModelSpec(BaseModel):
    """One model: its LiteLLM string, where it is reached, how it is sampled.

    `sim/…` models take parameters of their own, written beside the others in YAML: `{model: sim/student, knows: 0.3}`.
    They are collected in `params` and checked by the backend. A third-party backend's stand under `params` themselves.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Annotated[
        str, Field(min_length=1, description="LiteLLM model string, sim/NAME (a simulated mind) or tiny/NAME.")
    ]
    api_base: Annotated[str | None, Field(description="Address of the endpoint; the provider's own if left out.")] = (
        None
    )
    replicas: Annotated[
        tuple[str, ...],
        Field(
            description="Addresses that all serve this model, instead of `api_base`; a dialogue stays at one of them."
        ),
    ] = ()
    api_key: Annotated[
        SecretRef | None, Field(description="Where the key is; the provider's usual variable if left out.")
    ] = None
    temperature: Annotated[float | None, Field(ge=0, le=2)] = None
    top_p: Annotated[float | None, Field(gt=0, le=1)] = None
    max_tokens: Annotated[int | None, Field(gt=0, description="Most tokens of one reply.")] = None
    seed: Annotated[int | None, Field(description="Sampling seed, or a simulated mind's seed.")] = None
    stop: Annotated[tuple[str, ...], Field(description="Strings at which a reply ends.")] = ()
    timeout: Annotated[float, Field(gt=0, description="Seconds until one attempt is given up.")] = 120.0
    retries: Annotated[int, Field(ge=0, description="How often a failed attempt is repeated, where that can help.")] = 4
    max_concurrency: Annotated[
        int, Field(gt=0, description="Most calls in flight at this endpoint (at each replica).")
    ] = 32
    lane: Annotated[
        Literal["auto", "transforms", "acompletion"],
        Field(description="How LiteLLM is used: its transforms over our pooled connection, or its own client."),
    ] = "auto"
    structured: Annotated[
        Literal["auto", "native", "prompt"],
        Field(description="Whether the endpoint enforces a JSON schema (`maieutic doctor` tells)."),
    ] = "auto"
    samples: Annotated[
        Literal["auto", "together", "apart"],
        Field(
            description="Whether several samples of one request are asked for in one, by `n` (`maieutic doctor` tells)."
        ),
    ] = "auto"
    logprobs: Annotated[
        Literal["auto", "required", "never"],
        Field(
            description="Whether probabilities of labels are read off log-probabilities: where there are any, or else "
            "it fails, or never, but counted over samples (`maieutic doctor` tells)."
        ),
    ] = "auto"
    price: Annotated[Price | None, Field(description="Overrides LiteLLM's price map.")] = None
    extra: Annotated[
        dict[str, Any], Field(description="Further fields of the request body, as the provider names them.")
    ] = {}
    params: Annotated[dict[str, Any], Field(description="A simulated or third-party model's own parameters.")] = {}

    @property
    def provider(self) -> str:
        """What stands before the first slash: "sim", "openai", …; LiteLLM's bare names have none."""
        head, slash, _ = self.model.partition("/")
        return head if slash else ""

    @model_validator(mode="after")
    def _one_way_to_say_where(self) -> Self:
        if self.replicas and self.api_base is not None:
            raise ValueError("give api_base or replicas, not both")
        if len(set(self.replicas)) < len(self.replicas):
            raise ValueError("an address stands twice among the replicas")
        for address in self.replicas:
            if not address.startswith(("http://", "https://")):
                raise ValueError(f"a replica's address begins with http:// or https://, and {address!r} does not")
        return self

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, raw: Any) -> Any:
        """Accept a bare model string, and collect a simulated mind's own parameters."""
        if isinstance(raw, str):
            return {"model": raw}
        if isinstance(raw, dict) and str(raw.get("model", "")).startswith("sim/"):
            own = {k: v for k, v in raw.items() if k not in cls.model_fields}
            kept = {k: v for k, v in raw.items() if k in cls.model_fields}
            return {**kept, "params": {**kept.get("params", {}), **own}} if own else kept
        return raw
