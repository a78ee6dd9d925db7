"""Evaluating a parsed expression over plain values, and noting what was read."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from maieutic.errors import StudentModelError
from maieutic.files.problems import Trouble
from maieutic.graphs.expressions import MOST_NUMBER, ExpressionError, word
from maieutic.graphs.functions import FUNCTIONS, is_number
from maieutic.graphs.questions import STUDENT

if TYPE_CHECKING:
    from maieutic.graphs.pupils import Pupil

__all__ = ["MOST_LENGTH", "Evaluation"]

MOST_LENGTH = 1_000_000
"""Most characters of a text, or items of a list, that an expression may make."""

_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_ORDER: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


class Evaluation:
    """One evaluation of one expression.

    Args:
        text: The expression's text, for messages.
        values: The names' values; records are mappings. `student` is a Pupil.

    Attributes:
        read: What was read so far, by its text: names, fields, items, the student model's answers.
        reasons: Why the student model answered as it did, by the text of the question.
    """

    def __init__(self, text: str, values: Mapping[str, Any]) -> None:
        self.text = text
        self.values = values
        self.read: dict[str, Any] = {}
        self.reasons: dict[str, list[str]] = {}
        self._ways: dict[type[ast.expr], Callable[[Any], Any]] = {
            ast.Constant: lambda node: node.value,
            ast.List: lambda node: [self.value(item) for item in node.elts],
            ast.BoolOp: self._bool_op,
            ast.UnaryOp: self._unary,
            ast.BinOp: self._binary,
            ast.Compare: self._compare,
            ast.IfExp: lambda node: self.value(node.body if self._truth(node.test) else node.orelse),
            ast.Call: self._call,
        }

    def value(self, node: ast.expr) -> Any:
        """The value of a part of the expression.

        Raises:
            ExpressionError: A value does not fit.
        """
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
            found = self._reach(node)
            if not (isinstance(node, ast.Name) and node.id in ("true", "false", "null")):
                # All that was ever observed would make every edge of a run longer than the one before.
                self.read[self._source(node)] = f"{len(found)} observations" if _is_log(node) else found
            return found
        return self._ways[type(node)](node)

    def _reach(self, node: ast.expr) -> Any:
        """The value of a name, or of a field or item below one, noting only what stands at the end of the chain."""
        if isinstance(node, ast.Name):
            return self._name(node)
        if isinstance(node, ast.Attribute):
            return self._field(node, self._below(node.value))
        assert isinstance(node, ast.Subscript)
        return self._item(node, self._below(node.value), self.value(node.slice))

    def _below(self, node: ast.expr) -> Any:
        return self._reach(node) if isinstance(node, ast.Name | ast.Attribute | ast.Subscript) else self.value(node)

    def _name(self, node: ast.Name) -> Any:
        if node.id in self.values:
            return self.values[node.id]
        try:
            return word(node.id)
        except KeyError:
            raise self._error(node, f"{node.id!r} has no value here") from None

    def _field(self, node: ast.Attribute, whole: Any) -> Any:
        if _is_log(node):
            return list(whole.log)
        if isinstance(whole, Mapping) and node.attr in whole:
            return whole[node.attr]
        source = self._source(node.value)
        raise self._error(node, f"{source} is null" if whole is None else f"{source} has no field {node.attr!r}")

    def _item(self, node: ast.Subscript, whole: Any, index: Any) -> Any:
        source = self._source(node.value)
        if isinstance(whole, Mapping) and isinstance(index, str):
            if index in whole:
                return whole[index]
            raise self._error(node, f"{source} has no key {index!r}")
        if isinstance(whole, list | tuple) and isinstance(index, int) and not isinstance(index, bool):
            if -len(whole) <= index < len(whole):
                return whole[index]
            raise self._error(node, f"{source} has {len(whole)} items, there is no item {index}")
        raise self._error(node, f"{source} cannot be indexed with {index!r:.40}")

    def _bool_op(self, node: ast.BoolOp) -> bool:
        wanted = isinstance(node.op, ast.Or)
        return wanted if any(self._truth(part) is wanted for part in node.values) else not wanted

    def _truth(self, node: ast.expr) -> bool:
        value = self.value(node)
        if isinstance(value, bool):
            return value
        raise self._error(node, f"{self._source(node)} is {value!r:.40}, neither true nor false")

    def _unary(self, node: ast.UnaryOp) -> Any:
        if isinstance(node.op, ast.Not):
            return not self._truth(node.operand)
        value = self.value(node.operand)
        if not is_number(value):
            raise self._error(node, f"{value!r:.40} is not a number")
        return -value if isinstance(node.op, ast.USub) else value

    def _binary(self, node: ast.BinOp) -> Any:
        left, right = self.value(node.left), self.value(node.right)
        numbers = is_number(left) and is_number(right)
        joined = isinstance(node.op, ast.Add) and (
            (isinstance(left, str) and isinstance(right, str)) or (isinstance(left, list) and isinstance(right, list))
        )
        if not numbers and not joined:
            raise self._error(node, f"cannot calculate with {left!r:.40} and {right!r:.40}")
        if joined and len(left) + len(right) > MOST_LENGTH:
            raise self._error(node, f"the result is longer than {MOST_LENGTH}")
        try:
            return self._sane(node, _ARITHMETIC[type(node.op)](left, right))
        except (ZeroDivisionError, OverflowError) as error:
            raise self._error(node, str(error)) from None

    def _sane(self, node: ast.expr, value: Any) -> Any:
        if is_number(value) and not (math.isfinite(value) and abs(value) <= MOST_NUMBER):
            raise self._error(node, "the number is too large")
        return value

    def _compare(self, node: ast.Compare) -> bool:
        left = self.value(node.left)
        for op, part in zip(node.ops, node.comparators, strict=True):
            right = self.value(part)
            if not self._holds(node, op, left, right):
                return False
            left = right
        return True

    def _holds(self, node: ast.expr, op: ast.cmpop, left: Any, right: Any) -> bool:
        if isinstance(op, ast.Eq | ast.NotEq):
            return bool((left == right) is isinstance(op, ast.Eq))
        try:
            if isinstance(op, ast.In | ast.NotIn):
                return bool(FUNCTIONS["contains"].call(right, left) is isinstance(op, ast.In))
            if (is_number(left) and is_number(right)) or (isinstance(left, str) and isinstance(right, str)):
                return _ORDER[type(op)](left, right)
        except ValueError as error:
            raise self._error(node, str(error)) from None
        raise self._error(node, f"cannot compare {left!r:.40} with {right!r:.40}")

    def _call(self, node: ast.Call) -> Any:
        if isinstance(node.func, ast.Attribute):
            return self._question(node, node.func)
        assert isinstance(node.func, ast.Name)
        function = FUNCTIONS[node.func.id]
        arguments = [self.value(argument) for argument in node.args]
        if not function.fewest <= len(arguments) <= function.most:
            raise self._error(node, f"{node.func.id} does not take {len(arguments)} arguments")
        try:
            return self._sane(node, function.call(*arguments))
        except (ValueError, OverflowError) as error:
            raise self._error(node, f"{node.func.id} {error}") from None

    def _question(self, node: ast.Call, func: ast.Attribute) -> Any:
        """The student model's answer, with its reasons."""
        pupil: Pupil = self._below(func.value)
        arguments = [self.value(argument) for argument in node.args]
        try:
            answer = pupil.ask(func.attr, arguments)
        except StudentModelError as error:
            raise self._error(node, str(error)) from error
        self.read[self._source(node)] = answer.value
        if answer.reasons:
            self.reasons[self._source(node)] = list(answer.reasons)
        return answer.value

    def _source(self, node: ast.expr) -> str:
        return self.text[node.col_offset : node.end_col_offset]

    def _error(self, node: ast.expr, message: str) -> ExpressionError:
        return ExpressionError(self.text, Trouble(node.col_offset, node.end_col_offset or node.col_offset + 1, message))


def _is_log(node: ast.expr) -> bool:
    """Whether this is `student.log`."""
    if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
        return False
    return (node.value.id, node.attr) == (STUDENT, "log")
