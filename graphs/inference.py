"""Typing a parsed expression: what its value will be, and everything that cannot work.

The rule for null: what may be null can be compared with null, written to a nullable field, and nothing else, until a
condition has excluded it: `review != null and review.ok`, `review.ok if review != null else false`,
`review == null or review.ok`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from maieutic.files.problems import Trouble, did_you_mean
from maieutic.graphs.expressions import Checked, word
from maieutic.graphs.functions import FUNCTIONS
from maieutic.graphs.questions import LOG, QUESTIONS, STUDENT, Parameter, StudentType
from maieutic.graphs.structure import UNREADABLE
from maieutic.graphs.types import ANY, BOOL, FLOAT, INT, NULL, STR, Type, accepts, join, of_value

__all__ = ["infer", "not_null"]

_SIGNS: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}


def infer(tree: ast.expr, text: str, names: Mapping[str, Type]) -> Checked:
    """The type of an expression, given those of the names, and what is wrong with it."""
    inference = _Inference(text, names)
    kind = inference.type(tree, frozenset())
    return Checked(kind, tuple(inference.troubles))


class _Inference:
    """One pass over one expression. `sure` holds the sources of what a condition has shown not to be null."""

    def __init__(self, text: str, names: Mapping[str, Type]) -> None:
        self.text = text
        self.names = names
        self.troubles: list[Trouble] = []
        self._ways: dict[type[ast.expr], Callable[[Any, frozenset[str]], Type]] = {
            ast.Constant: lambda node, sure: of_value(node.value),
            ast.Name: self._name,
            ast.List: self._list,
            ast.Attribute: self._field,
            ast.Subscript: self._item,
            ast.BoolOp: self._bool_op,
            ast.UnaryOp: self._unary,
            ast.BinOp: self._binary,
            ast.Compare: self._compare,
            ast.IfExp: self._choice,
            ast.Call: self._call,
        }

    def type(self, node: ast.expr, sure: frozenset[str]) -> Type:
        """The type of a part; any if it is wrong, so that one fault is reported once."""
        kind = self._ways[type(node)](node, sure)
        return kind.present if kind.nullable and self._source(node) in sure else kind

    def _name(self, node: ast.Name, sure: frozenset[str]) -> Type:
        if node.id == STUDENT:
            hint = "ask it something, for example student.mastery('…')"
            return self._wrong(node, "the student model itself is no value", hint) if self._student(node) else ANY
        if node.id in self.names:
            return self.names[node.id]
        try:
            return of_value(word(node.id))
        except KeyError:
            close = get_close_matches(node.id, [*self.names, *FUNCTIONS], 1)
            quote = f"a text needs quotes of its own: \"'{node.id}'\""
            names = f"names here: {', '.join(name for name in self.names if name != UNREADABLE) or 'none'}"
            hint = f"did you mean {close[0]!r}? ({quote})" if close else f"{quote}; {names}"
            return self._wrong(node, f"unknown name {node.id!r}", hint)

    def _list(self, node: ast.List, sure: frozenset[str]) -> Type:
        item: Type | None = None
        for part in node.elts:
            kind = self.type(part, sure)
            item = kind if item is None else join(item, kind)
        return Type("list", item or ANY)

    def _student(self, node: ast.expr) -> StudentType | None:
        """What is known of the student model; that there is none is noted."""
        student = self.names.get(STUDENT)
        if not isinstance(student, StudentType):
            self._wrong(node, "there is no student model here", "add student_model: {graph: FILE} to the graph file")
            return None
        return student

    def _field(self, node: ast.Attribute, sure: frozenset[str]) -> Type:
        if isinstance(node.value, ast.Name) and node.value.id == STUDENT:
            return self._of_student(node)
        whole = self._present(node.value, sure, f"read .{node.attr} of it")
        if whole.kind == "any":
            return ANY
        if whole.kind == "record":
            found = whole.field(node.attr)
            known = [name for name, _ in whole.fields]
            return found if found is not None else self._unknown_field(node, known)
        source = self._source(node.value)
        hint = f"write {source}['{node.attr}']" if whole.kind == "dict" else ""
        return self._wrong(node, f"{source} is {_a(whole)} and has no fields", hint)

    def _unknown_field(self, node: ast.Attribute, known: list[str]) -> Type:
        close = get_close_matches(node.attr, known, 1)
        hint = f"did you mean {close[0]!r}?" if close else f"it has: {', '.join(known)}"
        return self._wrong_field(node, f"{self._source(node.value)} has no field {node.attr!r}", hint)

    def _wrong_field(self, node: ast.Attribute, message: str, hint: str) -> Type:
        end = node.end_col_offset or node.col_offset + 1
        self.troubles.append(Trouble(end - len(node.attr), end, message, hint))
        return ANY

    def _of_student(self, node: ast.Attribute) -> Type:
        if self._student(node.value) is None:
            return ANY
        if node.attr == "log":
            return LOG
        if node.attr in QUESTIONS:
            return self._wrong_field(node, f"student.{node.attr} is a question", f"write {_form(node.attr)}")
        hint = did_you_mean(node.attr, ("log", *QUESTIONS))
        return self._wrong_field(node, f"the student model has no {node.attr!r}", hint)

    def _item(self, node: ast.Subscript, sure: frozenset[str]) -> Type:
        whole, index = self._present(node.value, sure, "take an item of it"), self.type(node.slice, sure)
        wanted = {"list": INT, "dict": STR, "any": ANY}.get(whole.kind)
        source = self._source(node.value)
        if wanted is None:
            return self._wrong(node, f"{source} is {_a(whole)}; only a list or a dict has items")
        if not accepts(wanted, index):
            return self._wrong(node.slice, f"{source} is {_a(whole)}; its index is {_a(wanted)}, not {_a(index)}")
        return whole.item or ANY

    def _bool_op(self, node: ast.BoolOp, sure: frozenset[str]) -> Type:
        sign = "and" if isinstance(node.op, ast.And) else "or"
        for part in node.values:
            self._truth(part, sure, sign)
            sure |= self.shown(part, isinstance(node.op, ast.And))
        return BOOL

    def _truth(self, node: ast.expr, sure: frozenset[str], where: str) -> None:
        kind = self.type(node, sure)
        if not accepts(BOOL, kind):
            hint = {"str": "!= ''", "list": "!= []", "int": "!= 0"}.get(kind.kind, "!= null" if kind.nullable else "")
            advice = f"compare it, for example {self._source(node)} {hint}" if hint else ""
            self._wrong(node, f"'{where}' needs a bool; {self._source(node)} is {_a(kind)}", advice)

    def shown(self, node: ast.expr, holds: bool) -> frozenset[str]:
        """What is certainly not null if the condition is true (or false)."""
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return self.shown(node.operand, not holds)
        if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And) is holds:
            return frozenset().union(*(self.shown(part, holds) for part in node.values))
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            wanted = ast.NotEq if holds else ast.Eq
            sides = (node.left, node.comparators[0])
            if isinstance(node.ops[0], wanted) and any(_is_null(side) for side in sides):
                return frozenset(self._source(side) for side in sides if not _is_null(side))
        return frozenset()

    def _unary(self, node: ast.UnaryOp, sure: frozenset[str]) -> Type:
        if isinstance(node.op, ast.Not):
            self._truth(node.operand, sure, "not")
            return BOOL
        kind = self._present(node.operand, sure, "calculate with it")
        if kind.kind != "any" and not kind.is_number:
            return self._wrong(node.operand, f"a sign needs a number; {self._source(node.operand)} is {_a(kind)}")
        return kind

    def _binary(self, node: ast.BinOp, sure: frozenset[str]) -> Type:
        left, right = (self._present(side, sure, "calculate with it") for side in (node.left, node.right))
        sign = _SIGNS[type(node.op)]
        if "any" in (left.kind, right.kind):
            return ANY
        if left.is_number and right.is_number:
            return FLOAT if sign == "/" else join(left, right)
        if sign == "+" and left.kind == right.kind and left.kind in ("str", "list"):
            return STR if left.kind == "str" else join(left, right)
        return self._wrong(node, f"cannot calculate {_a(left)} {sign} {_a(right)}")

    def _compare(self, node: ast.Compare, sure: frozenset[str]) -> Type:
        left = node.left
        for op, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(op, ast.Eq | ast.NotEq):
                self._equality(node, left, right, sure)
            elif isinstance(op, ast.In | ast.NotIn):
                self._membership(left, right, sure)
            else:
                self._order(node, _SIGNS[type(op)], (left, right), sure)
            left = right
        return BOOL

    def _equality(self, node: ast.expr, left: ast.expr, right: ast.expr, sure: frozenset[str]) -> None:
        one, other = self.type(left, sure), self.type(right, sure)
        if NULL.kind in (one.kind, other.kind):
            return
        bare = [replace(t, nullable=False, values=()) for t in (one, other)]
        if not accepts(bare[0], bare[1]) and not accepts(bare[1], bare[0]):
            self._wrong(node, f"{_a(one)} is never equal to {_a(other)}")
        elif one.values and other.values and not set(one.values) & set(other.values):
            known, wrong = (one, other) if len(one.values) >= len(other.values) else (other, one)
            close = get_close_matches(wrong.values[0], known.values, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"it is one of {', '.join(map(repr, known.values))}"
            self._wrong(right if wrong is other else left, f"never equal to {wrong.values[0]!r}", hint)

    def _membership(self, left: ast.expr, right: ast.expr, sure: frozenset[str]) -> None:
        one, whole = self.type(left, sure), self._present(right, sure, "look into it")
        if whole.kind not in ("any", "str", "list", "dict"):
            self._wrong(right, f"'in' needs a list, a str or a dict; {self._source(right)} is {_a(whole)}")
        elif whole.kind in ("str", "dict") and not accepts(STR, one):
            self._wrong(left, f"only a str can be in {_a(whole)}; {self._source(left)} is {_a(one)}")

    def _order(self, node: ast.expr, sign: str, sides: tuple[ast.expr, ast.expr], sure: frozenset[str]) -> None:
        left, right = (self._present(side, sure, f"compare it with {sign}") for side in sides)
        if "any" in (left.kind, right.kind) or (left.is_number and right.is_number):
            return
        if not left.kind == right.kind == "str":
            self._wrong(node, f"cannot compare {_a(left)} {sign} {_a(right)}")

    def _choice(self, node: ast.IfExp, sure: frozenset[str]) -> Type:
        self._truth(node.test, sure, "if")
        return join(
            self.type(node.body, sure | self.shown(node.test, True)),
            self.type(node.orelse, sure | self.shown(node.test, False)),
        )

    def _call(self, node: ast.Call, sure: frozenset[str]) -> Type:
        if isinstance(node.func, ast.Attribute):
            return self._question(node, node.func, sure)
        assert isinstance(node.func, ast.Name)
        name, function = node.func.id, FUNCTIONS[node.func.id]
        kinds = [self.type(argument, sure) for argument in node.args]
        if not function.fewest <= len(kinds) <= function.most:
            many = f"{function.fewest}" if function.fewest == function.most else f"{function.fewest} to {function.most}"
            return self._wrong(node, f"{name} takes {many} argument{'s' if many != '1' else ''}, not {len(kinds)}")
        for argument, kind, (words, fits) in zip(node.args, kinds, function.takes(len(kinds)), strict=True):
            if kind.nullable and fits(kind.present):
                self._present(argument, sure, f"give it to {name}")
            elif not fits(kind):
                return self._wrong(argument, f"{name} needs {words}; {self._source(argument)} is {_a(kind)}")
        return function.gives(kinds)

    def _question(self, node: ast.Call, func: ast.Attribute, sure: frozenset[str]) -> Type:
        """The type of the student model's answer."""
        question, student = QUESTIONS[func.attr], self._student(func.value)
        for argument, parameter in zip(node.args, question.takes, strict=False):
            self._argument(func.attr, argument, parameter, (student, sure))
        if not question.fewest <= len(node.args) <= len(question.takes):
            fewest, most = question.fewest, len(question.takes)
            many = f"{most}" if fewest == most else f"{fewest} to {most}"
            message = f"student.{func.attr} takes {many} argument{'s' if many != '1' else ''}, not {len(node.args)}"
            return self._wrong(node, message, f"write {_form(func.attr)}")
        if func.attr == "should_intervene" and student is not None and not student.budgeted:
            hint = "say how often: student_model: {budget: 0.4} explains at most 40 % of the items"
            return self._wrong_field(func, "should_intervene needs a budget", hint)
        return question.gives

    def _argument(
        self, name: str, node: ast.expr, parameter: Parameter, known: tuple[StudentType | None, frozenset[str]]
    ) -> None:
        student, sure = known
        kind = self._present(node, sure, f"ask student.{name} about it")
        if not parameter.fits(kind):
            words = f"student.{name} needs {parameter.words}; {self._source(node)} is {_a(kind)}"
            self._wrong(node, words)
        elif student is not None and (strangers := list(student.strangers(parameter.role, kind))):
            hint = did_you_mean(strangers[0], student.names(parameter.role) or ())
            self._wrong(node, f"the student model knows no {_CALLED[parameter.role]} {strangers[0]!r}", hint)

    def _present(self, node: ast.expr, sure: frozenset[str], use: str) -> Type:
        """The type of a part that must not be null to be used so."""
        kind = self.type(node, sure)
        if kind.nullable and kind.kind != "any":
            source = self._source(node)
            message = f"{source} is null" if kind.kind == "null" else f"{source} may be null; cannot {use}"
            return self._wrong(node, message, f"test it first: {source} != null and …")
        return kind

    def _wrong(self, node: ast.expr, message: str, hint: str = "") -> Type:
        end = node.end_col_offset or node.col_offset + 1
        self.troubles.append(Trouble(node.col_offset, end, message, hint))
        return ANY

    def _source(self, node: ast.expr) -> str:
        return self.text[node.col_offset : node.end_col_offset]


_CALLED = {"concept": "concept", "item": "item", "topic": "item or concept"}


def _form(question: str) -> str:
    """How a question is written."""
    return f"student.{question}({', '.join(p.role.upper() for p in QUESTIONS[question].takes if p.needed)})"


def _is_null(node: ast.expr) -> bool:
    return (isinstance(node, ast.Name) and node.id == "null") or (isinstance(node, ast.Constant) and node.value is None)


def _a(kind: Type) -> str:
    """A type in a sentence."""
    text = str(kind)
    return f"{'an' if text[0] in 'aeiou' else 'a'} {text}" if text.isidentifier() and kind.kind != "any" else text


def not_null(tree: ast.expr, text: str, holds: bool) -> frozenset[str]:
    """What a condition shows not to be null if it is true (or, with `holds` False, if it is false), by its text."""
    return _Inference(text, {}).shown(tree, holds)
