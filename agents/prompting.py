"""Prompts are files: sandboxed Jinja2 templates in which an undefined variable is an error, found at load."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import FunctionLoader, StrictUndefined, Template, TemplateError, TemplateSyntaxError, meta
from jinja2.sandbox import SandboxedEnvironment

from maieutic.errors import PromptError

__all__ = ["Prompt", "bundled", "has_bundled"]

_BUNDLED = Path(__file__).parent / "prompts"
_ENVIRONMENT = SandboxedEnvironment(
    loader=FunctionLoader(lambda name: (_BUNDLED / "given.md.j2").read_text("utf-8") if name == "given" else None),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=False,
    autoescape=False,
)


class Prompt:
    """One template, checked when made.

    Args:
        source: The template's text.
        origin: Where it comes from, for error messages.

    Raises:
        PromptError: The template does not parse.
    """

    def __init__(self, source: str, origin: str) -> None:
        self.source = source
        self.origin = origin
        try:
            self.variables: frozenset[str] = frozenset(meta.find_undeclared_variables(_ENVIRONMENT.parse(source)))
            self._template: Template = _ENVIRONMENT.from_string(source)
            self._template.globals = dict(self._template.globals)  # Jinja copies them at every rendering
        except TemplateSyntaxError as error:
            raise PromptError(f"{origin}:{error.lineno}: {error.message}; mend the template") from error

    @classmethod
    def load(cls, path: Path) -> Prompt:
        """The template in a file (UTF-8)."""
        try:
            return cls(path.read_text(encoding="utf-8"), str(path))
        except OSError as error:
            raise PromptError(f"cannot read the prompt file {path}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise PromptError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}") from error

    def check(self, known: Iterable[str]) -> None:
        """Refuse a template that uses a variable nobody will give it.

        Raises:
            PromptError: Naming the variables and those there are.
        """
        known = set(known)
        if unknown := sorted(self.variables - known):
            raise PromptError(
                f"{self.origin}: unknown variable{'s' if len(unknown) > 1 else ''} {', '.join(unknown)}; "
                f"this prompt may use {', '.join(sorted(known))}"
            )

    def render(self, variables: Mapping[str, Any]) -> str:
        """The text with the variables filled in, without blank space around it.

        Raises:
            PromptError: The template cannot be filled in.
        """
        try:
            return self._template.render(variables).strip()
        except Exception as error:  # a template calculates, and fails in any way that Python does
            kind = "" if isinstance(error, TemplateError) else f"{type(error).__name__}: "
            raise PromptError(f"{self.origin}: {kind}{error}; mend the template") from error


@lru_cache(maxsize=256)
def has_bundled(name: str) -> bool:
    """Whether `bundled` knows a prompt of this name."""
    return (_BUNDLED / f"{name}.md.j2").is_file()


@lru_cache(maxsize=256)
def bundled(name: str) -> Prompt:
    """A prompt that ships with the package, by its path under agents/prompts without `.md.j2`."""
    return Prompt.load(_BUNDLED / f"{name}.md.j2")
