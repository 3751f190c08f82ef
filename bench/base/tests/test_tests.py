"""Every test can fail: it asserts something that is not constant.

A test asserts if it has an `assert`, expects an exception (`pytest.raises`), calls
`pytest.fail`, or calls a function of the tests' own code that does. What it asserts
may still be wrong; but a test that asserts nothing passes whatever the code does.

A test without parameters, because the list of them is computed and empty, fails at its
collection: pyproject.toml says so.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from bench.base.places import ROOT

Function = ast.FunctionDef | ast.AsyncFunctionDef

# Rooms with Python tests; build directories and caches are not among them.
ROOMS = ("analysis", "bench", "qemu", "tcg-wasm", "tiers")
# Of pytest, what fails a test by itself.
FAILING = {"raises", "warns", "deprecated_call", "fail"}


def code_of_tests() -> list[Path]:
    """The files that hold tests, and those that hold what only tests use."""
    files = (path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")))
    return [
        path
        for path in files
        if path.name == "conftest.py" or {"tests", "testing"} & {*path.parts}
    ]


def functions(tree: ast.AST) -> Iterator[Function]:
    """All functions and methods, also those inside others."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def name_of(called: ast.expr) -> str:
    """The last word of what is called."""
    if isinstance(called, ast.Attribute):
        return called.attr
    return called.id if isinstance(called, ast.Name) else ""


def is_constant(condition: ast.expr) -> bool:
    """Whether an assertion of it holds whatever the code does."""
    if isinstance(condition, ast.Tuple | ast.List | ast.Set | ast.JoinedStr):
        return True
    if isinstance(condition, ast.GeneratorExp | ast.Lambda):
        return True
    if isinstance(condition, ast.BoolOp) and isinstance(condition.op, ast.Or):
        return any(is_constant(value) for value in condition.values)
    return isinstance(condition, ast.Constant) and bool(condition.value)


def asserts(function: Function, helpers: Iterable[str] = ()) -> bool:
    """Whether the function itself can fail a test, or calls one of the helpers."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assert) and not is_constant(node.test):
            return True
        if isinstance(node, ast.Raise) and "AssertionError" in ast.dump(node):
            return True
        if isinstance(node, ast.Call):
            called = name_of(node.func)
            if called in helpers:
                return True
            of_pytest = isinstance(node.func, ast.Attribute) and (
                name_of(node.func.value) == "pytest"
            )
            if of_pytest and called in FAILING:
                return True
    return False


def asserting(all_functions: Iterable[Function]) -> set[str]:
    """Names of the functions that assert, by themselves or by what they call."""
    left = {f for f in all_functions if not f.name.startswith("test_")}
    found: set[str] = set()
    while new := {f for f in left if asserts(f, found)}:
        left -= new
        found |= {f.name for f in new}
    return found


def silent_tests(tree: ast.AST, shared: Iterable[Function] = ()) -> list[str]:
    """The tests of a file that assert nothing; `shared`: what they may call."""
    own = list(functions(tree))
    helpers = asserting([*own, *shared])
    tests = (function for function in own if function.name.startswith("test_"))
    return [test.name for test in tests if not asserts(test, helpers)]


def parsed(path: Path) -> ast.AST:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def test_every_test_asserts_something() -> None:
    trees = {path: parsed(path) for path in code_of_tests()}
    tests = {p: t for p, t in trees.items() if p.name.startswith("test_")}
    others = [tree for path, tree in trees.items() if path not in tests]
    shared = [function for tree in others for function in functions(tree)]
    assert len(tests) > 50
    silent = [
        f"{path.relative_to(ROOT)}: {name}"
        for path, tree in tests.items()
        for name in silent_tests(tree, shared)
    ]
    assert silent == []


@pytest.mark.parametrize(
    ("body", "silent"),
    [
        ("run()", True),
        ("assert run()", False),
        ("assert True", True),
        ("assert run() or True", True),
        ("assert (run(), 'why')", True),
        ("assert (x for x in run())", True),
        ("assert all(x for x in run())", False),
        ("with pytest.raises(OSError):\n  run()", False),
        ("with other.raises(OSError):\n  run()", True),
        ("checked()", False),
        ("self.checks_by_another()", False),
        ("for x in run():\n  assert x", False),
        ("def inner():\n  assert run()\ninner()", False),
    ],
)
def test_a_test_that_asserts_nothing_is_found(body: str, silent: bool) -> None:
    helpers = (
        "def run():\n  return 1\n"
        "def checked():\n  assert run() == 1\n"
        "def checks_by_another():\n  checked()\n"
    )
    indented = "\n".join(f"  {line}" for line in body.splitlines())
    tree = ast.parse(f"{helpers}def test_it():\n{indented}\n")
    assert silent_tests(tree) == (["test_it"] if silent else [])
