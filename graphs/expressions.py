"""The expression language of graph files: Python-like, parsed by Python, never run by it.

Names, literals (`'text'`, numbers, lists, true/false/null or True/False/None), `.field`, `[index]`, comparisons
(chained too), `in`, `and`/`or`/`not`, `+ - * / // %`, `A if C else B`, calls of the functions in
`maieutic.graphs.functions`, and questions to the student model (`maieutic.graphs.questions`). There is no other call,
no power, no comprehension, no attribute of a Python object: `.field` reads a key of a record. Texts need quotes of
their own, inside those of YAML: `{answer: "'unknown'"}`.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from maieutic.errors import MaieuticError
from maieutic.files.problems import Trouble, did_you_mean
from maieutic.graphs.functions import FUNCTIONS
from maieutic.graphs.questions import QUESTIONS, STUDENT
from maieutic.graphs.types import Type

__all__ = ["MOST_CHARACTERS", "MOST_DEPTH", "Checked", "Expression", "ExpressionError"]

MOST_CHARACTERS = 1_000
MOST_DEPTH = 40
MOST_NUMBER = 10**18

_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None}
_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod)
_COMPARISONS = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn)
_NODES = (
    ast.Name,
    ast.Constant,
    ast.List,
    ast.Attribute,
    ast.Subscript,
    ast.Compare,
    ast.BoolOp,
    ast.UnaryOp,
    ast.BinOp,
    ast.IfExp,
    ast.Call,
)
_REFUSED = {
    ast.Pow: "a power is not allowed; multiply instead",
    ast.Is: "'is' is not part of the language; write ==",
    ast.IsNot: "'is not' is not part of the language; write !=",
    ast.Lambda: "a lambda is not part of the language",
    ast.JoinedStr: "an f-string is not part of the language; join texts with +",
    ast.Dict: "a dict cannot be written here; write its fields one by one",
    ast.Tuple: "a tuple is not part of the language; write a list, [a, b]",
}
_SLIPS = (("&&", "and"), ("||", "or"), ("!", "not"), ("=", "=="), ("?", "A if CONDITION else B"))


class ExpressionError(MaieuticError):
    """An expression does not parse, or cannot be evaluated with the values there are.

    Attributes:
        text: The expression.
        trouble: Where and what.
    """

    def __init__(self, text: str, trouble: Trouble) -> None:
        super().__init__(f"{text}: {trouble}")
        self.text = text
        self.trouble = trouble


@dataclass(frozen=True, slots=True)
class Checked:
    """What checking an expression found: the type of its value, and the troubles (none: it can be evaluated)."""

    type: Type
    troubles: tuple[Trouble, ...] = ()


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression. Two are equal if their texts are.

    Raises:
        ExpressionError: It does not parse, or uses what the language does not have.
    """

    text: str
    tree: ast.expr = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tree", _parsed(self.text))

    @classmethod
    def of(cls, value: Any) -> Expression:
        """The expression for a value as YAML gives it.

        A text is the expression's text, other scalars stand for themselves, a list is a list of expressions.
        """
        return value if isinstance(value, cls) else cls(_as_text(value))

    def check(self, names: Mapping[str, Type]) -> Checked:
        """Its type, and all that is wrong with it, given the types of the names it may use.

        A value that may be null must be compared with null first: `review != null and review.ok`.
        """
        from maieutic.graphs.inference import infer

        return infer(self.tree, self.text, names)

    def evaluate(self, values: Mapping[str, Any]) -> Any:
        """Its value. Records are mappings; values are plain JSON.

        Raises:
            ExpressionError: A value does not fit (only possible for values of type any, for an index out of range, a
                missing key, a division by zero, or a result too large).
        """
        from maieutic.graphs.evaluation import Evaluation

        return Evaluation(self.text, values).value(self.tree)

    def explain(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """What an evaluation reads, with the values: `{"review.ok": False, "tries": 2}`."""
        from maieutic.graphs.evaluation import Evaluation

        evaluation = Evaluation(self.text, values)
        with suppress(ExpressionError):
            evaluation.value(self.tree)
        return evaluation.read

    @property
    def names(self) -> frozenset[str]:
        """The names it uses (functions excluded)."""
        called = {id(n.func) for n in ast.walk(self.tree) if isinstance(n, ast.Call)}
        return frozenset(n.id for n in ast.walk(self.tree) if isinstance(n, ast.Name) and id(n) not in called)

    @property
    def asks(self) -> frozenset[str]:
        """The questions that it asks the student model."""
        calls = (n.func for n in ast.walk(self.tree) if isinstance(n, ast.Call))
        return frozenset(func.attr for func in calls if isinstance(func, ast.Attribute))

    def __str__(self) -> str:
        return self.text

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            _validated, serialization=core_schema.plain_serializer_function_ser_schema(str)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {
            "type": ["string", "number", "boolean", "null", "array"],
            "description": "An expression; a text literal needs quotes of its own inside: \"'text'\".",
        }


def _validated(value: Any) -> Expression:
    try:
        return Expression.of(value)
    except ExpressionError as error:
        raise PydanticCustomError(
            "expression",
            "{message}",
            {
                "message": error.trouble.message,
                "hint": error.trouble.hint,
                "start": error.trouble.start,
                "end": error.trouble.end,
            },
        ) from error


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_as_text(item) for item in value) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return repr(value)
    shown = "a mapping" if isinstance(value, Mapping) else type(value).__name__
    raise ExpressionError("", Trouble(0, 0, f"an expression is expected here, not {shown}"))


def _parsed(text: str) -> ast.expr:
    blank = len(text) - len(text.lstrip())
    if not text.strip():
        raise ExpressionError(text, Trouble(0, len(text), "the expression is empty"))
    if len(text) > MOST_CHARACTERS:
        raise ExpressionError(text[:40] + "…", Trouble(0, 1, f"an expression has at most {MOST_CHARACTERS} characters"))
    # ast counts columns in bytes of the stripped text; a placeholder of one byte per character keeps them ours.
    source = "".join(" " if c.isspace() else c for c in text).strip()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source, mode="eval").body
    except SyntaxError as error:
        at = blank + max((error.offset or 1) - 1, 0)
        raise ExpressionError(text, _syntax(text, min(at, len(text) - 1))) from None
    except (ValueError, RecursionError, MemoryError):
        raise ExpressionError(
            text, Trouble(0, len(text), "the expression cannot be read or is nested too deeply")
        ) from None
    _place(tree, source, blank)
    if trouble := _refused(tree):
        raise ExpressionError(text, trouble)
    return tree


def _syntax(text: str, at: int) -> Trouble:
    bare = text.replace("==", "").replace("!=", "").replace("<=", "").replace(">=", "")
    hint = next((f"write {better} instead of {slip}" for slip, better in _SLIPS if slip in bare), "")
    if not hint and " " in text.strip() and text.replace(" ", "").isalpha():
        hint = f"a text needs quotes of its own: \"'{text.strip()}'\""
    return Trouble(at, at + 1, "the expression does not parse here", hint)


def _place(tree: ast.expr, source: str, blank: int) -> None:
    """Turn columns in bytes of the stripped source into characters of the text."""
    raw = source.encode()
    for node in ast.walk(tree):
        if isinstance(node, ast.expr):
            node.col_offset = blank + len(raw[: node.col_offset].decode(errors="replace"))
            node.end_col_offset = blank + len(raw[: node.end_col_offset].decode(errors="replace"))


def _refused(tree: ast.expr) -> Trouble | None:
    """The first thing in the tree that the language does not have, or None."""
    level: list[ast.expr] = [tree]
    depth = 0
    while level:
        depth += 1
        if depth > MOST_DEPTH:
            return _at(level[0], f"the expression is nested more than {MOST_DEPTH} deep")
        below: list[ast.expr] = []
        for node in level:
            if trouble := _refused_here(node):
                return trouble
            below += [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
        level = below
    return None


def _refused_here(node: ast.expr) -> Trouble | None:
    if not isinstance(node, _NODES):
        kind = type(node).__name__
        return _at(node, _REFUSED.get(type(node), f"this ({kind}) is not part of the expression language"))
    if isinstance(node, ast.BinOp) and not isinstance(node.op, _OPERATORS):
        return _at(node, _REFUSED.get(type(node.op), "this operator is not part of the language"))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert):
        return _at(node, "~ is not part of the language; write not")
    if isinstance(node, ast.Compare):
        wrong = next((op for op in node.ops if not isinstance(op, _COMPARISONS)), None)
        return _at(node, _REFUSED[type(wrong)]) if wrong is not None else None
    if isinstance(node, ast.Constant):
        return _refused_constant(node)
    if isinstance(node, ast.Call):
        return _refused_call(node)
    return None


def _refused_constant(node: ast.Constant) -> Trouble | None:
    value = node.value
    if value is not None and not isinstance(value, bool | int | float | str):
        return _at(node, f"a {type(value).__name__} is not part of the language")
    if isinstance(value, int | float) and not abs(value) <= MOST_NUMBER:
        return _at(node, "the number is too large")
    return None


def _refused_call(node: ast.Call) -> Trouble | None:
    known = ", ".join(sorted(FUNCTIONS))
    if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name) and node.func.value.id == STUDENT:
        return _refused_question(node, node.func)
    if not isinstance(node.func, ast.Name):
        return _at(node, f"only these functions can be called: {known}")
    if node.func.id not in FUNCTIONS:
        from difflib import get_close_matches

        close = get_close_matches(node.func.id, FUNCTIONS, 1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are: {known}"
        return _at(node.func, f"unknown function {node.func.id!r}", hint)
    if node.keywords:
        return _at(node, f"{node.func.id} takes no named arguments")
    return None


def _refused_question(node: ast.Call, func: ast.Attribute) -> Trouble | None:
    if func.attr not in QUESTIONS:
        end = func.end_col_offset or func.col_offset + 1
        message = f"the student model cannot be asked {func.attr!r}"
        return Trouble(end - len(func.attr), end, message, did_you_mean(func.attr, QUESTIONS))
    if node.keywords:
        return _at(node, f"{STUDENT}.{func.attr} takes no named arguments")
    return None


def _at(node: ast.expr, message: str, hint: str = "") -> Trouble:
    return Trouble(node.col_offset, node.end_col_offset or node.col_offset + 1, message, hint)


def word(name: str) -> Any:
    """The value of true, false or null; raises KeyError for other names."""
    return _WORDS[name]
