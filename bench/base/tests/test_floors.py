"""Dependencies point down: no import or include goes up, and none in a circle.

The test reads the sources of the checkout and runs nothing. It knows the floors of
bench/ (each room may use those before it), and what the other top-level folders may
use. Tests and what only tests use (bench/testing) may use everything; nothing else
may use them.
"""

from __future__ import annotations

import ast
import graphlib
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import PurePosixPath

import pytest

from bench.base.places import ROOT

# The ground floor first.
FLOORS = ("base", "build", "guests", "engines", "harness", "page", "micro", "cli")

# Room -> the rooms that it may use, besides itself.
MAY_USE: dict[str, frozenset[str]] = {
    **{
        f"bench/{room}": frozenset(
            {f"bench/{below}" for below in FLOORS[:floor]} | {"analysis"}
        )
        for floor, room in enumerate(FLOORS)
    },
    "analysis": frozenset(),
    "paper": frozenset({"analysis"}),
    "tiers": frozenset(),
    "traces": frozenset({"tiers"}),
    "tcg-wasm": frozenset({"tiers"}),
    "qemu": frozenset({"tcg-wasm", "tiers"}),
}
# The microbenchmarks measure the native parts.
MAY_USE["bench/micro"] |= {"tcg-wasm", "tiers"}

# What nothing of these folders may name: they build without it.
FORBIDDEN_INCLUDES = {
    "tiers": re.compile(r"emscripten|^qemu/|^tcg/|^glib"),
    "traces": re.compile(r"emscripten|^qemu/|^tcg/|^glib"),
    "tcg-wasm": re.compile(r"^qemu/|^tcg/|^glib"),
}

C_SUFFIXES = (".c", ".h", ".inc", ".def", ".cpp", ".hpp")
JS_SUFFIXES = (".mjs", ".js")
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.M)
_COMMENT = re.compile(r"/\*.*?\*/", re.S)
_JS_IMPORT = re.compile(
    r"\bfrom\s+'([^']+)'|\bimport\(\s*'([^']+)'|^import\s+'([^']+)'|"
    r"new Worker\(\s*new URL\(\s*'([^']+)'",
    re.M,
)

Graph = dict[str, set[str]]


@cache
def tracked() -> tuple[str, ...]:
    """The files of the checkout, as git lists them."""
    argv = ["git", "-c", f"safe.directory={ROOT}", "-C", str(ROOT), "ls-files"]
    argv += ["--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    return tuple(name for name in listed.splitlines() if (ROOT / name).is_file())


def is_test(name: str) -> bool:
    """Whether a file is a test, or serves tests only."""
    parts = PurePosixPath(name).parts
    return (
        "tests" in parts
        or name.startswith("bench/testing/")
        or parts[-1] == "conftest.py"
    )


def room(name: str) -> str:
    """The room that a file belongs to: a floor of bench, or a top-level folder."""
    parts = PurePosixPath(name).parts
    return "/".join(parts[:2]) if parts[0] == "bench" else parts[0]


@cache
def python_modules() -> dict[str, str]:
    """Module name -> file."""
    found = {}
    for name in tracked():
        if name.endswith(".py"):
            dotted = name.removesuffix(".py").replace("/", ".")
            found[dotted.removesuffix(".__init__")] = name
    return found


def python_imports(name: str) -> Iterator[str]:
    """The files of the checkout that a Python file imports, anywhere in it."""
    modules = python_modules()
    for node in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8"))):
        wanted: list[str] = []
        if isinstance(node, ast.Import):
            wanted = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: imports are absolute here"
            source = node.module or ""
            inside = [f"{source}.{alias.name}" for alias in node.names]
            wanted = [m if m in modules else source for m in inside]
        for module in wanted:
            if module in modules and modules[module] != name:
                yield modules[module]


def c_includes(name: str) -> Iterator[str]:
    """The files of the checkout that a C file includes, as the compiler finds them."""
    text = (ROOT / name).read_text(encoding="utf-8")
    for quoted, _ in _INCLUDE.findall(text):
        if quoted:
            beside = (ROOT / name).parent / quoted
            for place in (beside, ROOT / quoted):
                if place.is_file():
                    yield place.resolve().relative_to(ROOT).as_posix()
                    break


def js_imports(name: str) -> Iterator[str]:
    """The files of the checkout that a JavaScript module loads; types load nothing."""
    text = _COMMENT.sub("", (ROOT / name).read_text(encoding="utf-8"))
    for found in _JS_IMPORT.findall(text):
        path: str = next(filter(None, found))
        if path.startswith("."):
            target = ((ROOT / name).parent / path).resolve()
            if target.is_relative_to(ROOT):
                yield target.relative_to(ROOT).as_posix()


@cache
def arrows() -> Graph:
    """File -> the files that it uses; tests left out as users."""
    graph: Graph = defaultdict(set)
    for name in tracked():
        if is_test(name):
            continue
        if name.endswith(".py"):
            graph[name].update(python_imports(name))
        elif name.endswith(C_SUFFIXES):
            graph[name].update(c_includes(name))
        elif name.endswith(JS_SUFFIXES):
            graph[name].update(js_imports(name))
    return dict(graph)


def upward(graph: Graph) -> list[str]:
    """The arrows that a room may not have."""
    wrong = []
    for name, used in sorted(graph.items()):
        here = room(name)
        for other in sorted(used):
            there = room(other)
            if is_test(other):
                wrong.append(f"{name} uses the test {other}")
            elif there != here and there not in MAY_USE.get(here, frozenset()):
                wrong.append(f"{name} uses {other}: {here} may not use {there}")
    return wrong


def circle(graph: Graph) -> list[str]:
    """One circle of files that use each other, or nothing."""
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


def test_nothing_points_up() -> None:
    assert upward(arrows()) == []


def test_there_is_no_circle() -> None:
    assert circle(arrows()) == []


def test_rooms_of_bench_are_floors() -> None:
    """A new folder of bench/ has to be given a floor."""
    rooms = {room(name) for name in arrows()} - {"bench/__init__.py"}
    assert rooms - set(MAY_USE) == set()


def test_what_javascript_imports_is_there() -> None:
    there = set(tracked())
    missing = [
        f"{name}: {used}"
        for name in tracked()
        if name.endswith(JS_SUFFIXES) and not is_test(name)
        for used in js_imports(name)
        if used not in there
    ]
    assert missing == []


@pytest.mark.parametrize("folder", sorted(FORBIDDEN_INCLUDES))
def test_native_parts_know_no_host(folder: str) -> None:
    wrong = [
        f"{name}: {included}"
        for name in tracked()
        if room(name) == folder and name.endswith(C_SUFFIXES)
        # The one file that stands between tcg-wasm and the engine.
        and name != "tcg-wasm/host-emscripten.c"
        for included in _all_includes(name)
        if FORBIDDEN_INCLUDES[folder].search(included)
    ]
    assert wrong == []


def _all_includes(name: str) -> Iterable[str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return ["".join(pair) for pair in _INCLUDE.findall(text)]


def test_the_test_sees_faults() -> None:
    """Each kind of fault is found where there is one, in every language."""
    up = {"bench/build/store.py": {"bench/cli/main.py"}}
    assert upward(up) == [
        "bench/build/store.py uses bench/cli/main.py: "
        "bench/build may not use bench/cli"
    ]
    assert upward({"tiers/engine.c": {"tcg-wasm/emit.h"}}) != []
    assert upward({"bench/micro/tb-mix.c": {"tcg-wasm/tests/rng.h"}}) != []
    assert set(circle({"a": {"b"}, "b": {"c"}, "c": {"a"}})) == {"a", "b", "c"}
    graph = arrows()
    assert "bench/base/errors.py" in graph["bench/build/store.py"]
    assert "tiers/policy.h" in graph["tiers/policies/never.c"]
    assert any(
        "tiers/engine.h" in used
        for name, used in graph.items()
        if name.startswith("qemu/overlay/")
    )
    assert "bench/engines/js/rings.mjs" in graph["bench/engines/node/console.mjs"]
