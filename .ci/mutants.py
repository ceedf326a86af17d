"""Small changes of a module of the core: what cosmic-ray knows, as far as it makes another program."""

from __future__ import annotations

import ast
import difflib
import importlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from environment import ROOT

CORE = ROOT / "oauth2_sansio"

# What an operator is replaced by: its opposite, and what differs from it at the border alone. All
# others that cosmic-ray knows are noticed wherever these are, or by nobody.
_REPLACEMENTS: Mapping[str, tuple[str, ...]] = {
    "Add": ("Sub",),
    "Sub": ("Add",),
    "Mul": ("Div",),
    "Div": ("Mul",),
    "FloorDiv": ("Mul",),
    "Mod": ("Mul",),
    "Pow": ("Mul",),
    "LShift": ("RShift",),
    "RShift": ("LShift",),
    "BitOr": ("BitAnd",),
    "BitAnd": ("BitOr",),
    "BitXor": ("BitAnd",),
    "Lt": ("LtE", "GtE"),
    "LtE": ("Lt", "Gt"),
    "Gt": ("GtE", "LtE"),
    "GtE": ("Gt", "Lt"),
    "Eq": ("NotEq",),
    "NotEq": ("Eq",),
    "Is": ("IsNot",),
    "IsNot": ("Is",),
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """A module with one change.

    within: the classes and the function that it is in; empty outside of all.
    was, becomes: the lines that differ.
    """

    module: str
    operator: str
    source: str
    line: int
    within: str
    was: str
    becomes: str

    def explained_by(self, reasons: Iterable[Mapping[str, str]]) -> bool:
        """Say whether somebody has written down why this one cannot be noticed."""
        own = (self.within, self.was, self.becomes)
        return any(
            (each["within"], each["was"], each["becomes"]) == own and each["because"]
            for each in reasons
        )

    def __str__(self) -> str:
        return (
            f"oauth2_sansio/{self.module}.py:{self.line} ({self.operator})\n"
            f"    within = {self.within!r}\n    was = {self.was!r}\n    becomes = {self.becomes!r}"
        )


def mutants_of(module: str) -> Iterator[Mutant]:
    """Yield each change that makes another program, once."""
    mutating: Any = importlib.import_module("cosmic_ray.mutating")
    source = (CORE / f"{module}.py").read_text(encoding="utf-8")
    seen = {_program(source), _NONE}
    for name, operator in _operators():
        occurrence = 0
        while (changed := mutating.mutate_code(source, operator, occurrence)) is not None:
            occurrence += 1
            program = _program(changed)
            if program not in seen:
                seen.add(program)
                line, was, becomes = _difference(source, changed)
                first = line + len(was) - len(was.lstrip("\n"))  # behind lines that are empty
                yield Mutant(module, name, changed, line, _around(source, first), was, becomes)


def _operators() -> Iterator[tuple[str, Any]]:
    plugins: Any = importlib.import_module("cosmic_ray.plugins")
    for name in plugins.operator_names():
        kind = plugins.get_operator(name)
        if not kind.arguments() and _is_made(name):
            yield name.partition("/")[2], kind()


def _is_made(operator: str) -> bool:
    name, *change = operator.split("_")
    if name.endswith(("ReplaceBinaryOperator", "ReplaceComparisonOperator")):
        return change[1] in _REPLACEMENTS[change[0]]
    return True


def _program(source: str) -> str:
    """Return what tells programs apart: annotations are for readers alone."""
    try:
        return ast.dump(_WithoutAnnotations().visit(ast.parse(source)))
    except SyntaxError:
        return _NONE


_NONE = ""  # what is no Python at all


class _WithoutAnnotations(ast.NodeTransformer):
    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_arguments(self, node: ast.arguments) -> ast.AST:
        # To cosmic-ray the `*` before keyword-only arguments is a product: names alone count here.
        node.args = [*node.posonlyargs, *node.args, *node.kwonlyargs]
        node.defaults = [*node.defaults, *(each for each in node.kw_defaults if each is not None)]
        node.posonlyargs, node.kwonlyargs, node.kw_defaults = [], [], []
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        # Whether values are frozen and have slots is tested of all of them at once.
        for each in node.decorator_list:
            if isinstance(each, ast.Call) and isinstance(each.func, ast.Name):
                each.keywords = [] if each.func.id == "dataclass" else each.keywords
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST:
        mentioned = {each.id for each in ast.walk(node.test) if isinstance(each, ast.Name)}
        return ast.Pass() if "TYPE_CHECKING" in mentioned else self.generic_visit(node)


def _around(source: str, line: int) -> str:
    """Return the names of the classes and functions around a line, their decorators included."""
    around: list[str] = []
    level: list[ast.stmt] = ast.parse(source).body
    while level:
        inner: list[ast.stmt] = []
        for each in level:
            if isinstance(each, (ast.ClassDef, ast.FunctionDef)):
                first = min([each.lineno, *(decorator.lineno for decorator in each.decorator_list)])
                if first <= line <= (each.end_lineno or 0):
                    around.append(each.name)
                    inner = each.body
        level = inner
    return ".".join(around)


def _difference(source: str, changed: str) -> tuple[int, str, str]:
    old, new = source.splitlines(), changed.splitlines()
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    blocks = [each for each in matcher.get_opcodes() if each[0] != "equal"]
    first, last = blocks[0], blocks[-1]
    return (
        first[1] + 1,
        "\n".join(each.strip() for each in old[first[1] : last[2]]),
        "\n".join(each.strip() for each in new[first[3] : last[4]]),
    )
