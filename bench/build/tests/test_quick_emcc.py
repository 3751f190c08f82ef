"""The quick emcc answers and compiles as emcc does."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.base.places import ROOT
from bench.build import Context, SetupError
from bench.build.command import Runner
from bench.build.recipes import emscripten as toolchain

pytestmark = pytest.mark.skipif(
    shutil.which("emcc") is None, reason="outside the reference environment"
)

# What the recipes compile with, and code on which the flags of threads, of setjmp
# and of the C library show.
FLAGS = [*toolchain.FLAGS, "-O2", "-msimd128", "-D_GNU_SOURCE"]
CODE = """\
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
static _Thread_local jmp_buf here;
int main(void)
{
    if (setjmp(here) == 0) {
        printf("%p\\n", (void *)pthread_self());
        longjmp(here, 1);
    }
    return 0;
}
"""


class Quick:
    """A directory with the quick emcc, and somewhere to compile."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # A cache may be anywhere.
        self.emcc = toolchain.QuickEmcc(path / "a directory" / "emcc")
        context = Context(
            root=ROOT,
            out=path,
            needs={},
            work=path,
            cache=path / "cache",
            jobs=1,
            runner=Runner("the test", path / "log", path / "cache"),
        )
        self.env = toolchain.environment(context)
        del self.env["EM_COMPILER_WRAPPER"]
        self.emcc.make(context, self.env)

    def run(self, argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            argv,
            cwd=self.path,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )

    def probe(self, code: str, *flags: str) -> bool:
        """Whether a program can be linked, as a configure script asks."""
        source = self.path / "probe.c"
        source.write_text(code)
        with self.emcc.probing():
            argv = [str(self.emcc.program), *toolchain.FLAGS, str(source), *flags]
            return self.run([*argv, "-o", str(self.path / "probe")]).returncode == 0


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Quick:
    return Quick(tmp_path_factory.mktemp("quick"))


def test_an_object_is_the_one_that_emcc_makes(quick: Quick) -> None:
    (quick.path / "code.c").write_text(CODE)
    made: list[bytes] = []
    for compiler in ("emcc", str(quick.emcc.program)):
        out = quick.path / f"{len(made)}.o"
        argv = [compiler, *FLAGS, "-c", "code.c", "-o", out.name]
        assert quick.run(argv).returncode == 0
        made.append(out.read_bytes())
    assert made[0] == made[1]


def test_macros_are_those_of_emcc(quick: Quick) -> None:
    (quick.path / "empty.c").write_text("")
    ours, theirs = (
        quick.run([compiler, *FLAGS, "-dM", "-E", "empty.c"]).stdout
        for compiler in (str(quick.emcc.program), "emcc")
    )
    assert ours == theirs and "__EMSCRIPTEN_PTHREADS__" in ours


@pytest.mark.parametrize("flag", ["-no-pie", "-fno-pie", "-fno-such-flag"])
def test_flags_are_accepted_as_by_emcc(flag: str, quick: Quick) -> None:
    (quick.path / "empty.c").write_text("")
    argv = ["-Werror", "-Werror=unused-command-line-argument", flag]
    argv += ["-c", "empty.c", "-o", "empty.o"]
    ours, theirs = (
        quick.run([compiler, *toolchain.FLAGS, *argv]).returncode == 0
        for compiler in (str(quick.emcc.program), "emcc")
    )
    assert ours is theirs


def test_a_warning_of_emccs_own_is_no_flag_of_clang(quick: Quick) -> None:
    code = "int main(void) { return 0; }"
    assert quick.probe(code, "--oformat=bare", "-Wno-experimental", "-Werror")
    assert not quick.probe(code, "--oformat=bare", "-Wno-such-warning", "-Werror")


def test_groups_of_libraries_are_no_reason_for_emcc(quick: Quick) -> None:
    (quick.path / "libown.a").unlink(missing_ok=True)
    (quick.path / "own.c").write_text("int own(void) { return 0; }")
    assert quick.run([str(quick.emcc.program), "-c", "own.c"]).returncode == 0
    assert quick.run(["emar", "rcs", "libown.a", "own.o"]).returncode == 0
    code = "int own(void);\nint main(void) { return own(); }"
    libraries = ["-Wl,--start-group", "-lown", "-Wl,--end-group"]
    assert quick.probe(code, f"-L{quick.path}", *libraries)
    assert not quick.probe(code, "-Wl,--start-group", "-Wl,--end-group")


@pytest.mark.parametrize(
    ("declared", "there"),
    [
        # of the C library, of emscripten's JavaScript, of nobody, of the header only
        ("int poll();", True),
        ("int emscripten_num_logical_cores();", True),
        ("int no_such_function();", False),
        ("int pidfd_open();", False),
    ],
)
def test_functions_are_found_where_they_are(
    declared: str, there: bool, quick: Quick
) -> None:
    name = declared.removeprefix("int ").removesuffix("();")
    assert quick.probe(f"{declared}\nint main(void) {{ return {name}(); }}") is there


def test_what_is_no_probe_is_left_to_emcc(quick: Quick) -> None:
    # emcc knows that there is no file libm.a to be found.
    assert quick.probe("int main(void) { return 0; }", "-lm")
    assert not quick.probe("int main(void) { return 0; }", "-lnosuchlibrary")
    (quick.path / "code.c").write_text(CODE)
    argv = [str(quick.emcc.program), *FLAGS, "-O0", "code.c", "-o", "code.js"]
    assert quick.run(argv).returncode == 0
    assert (quick.path / "code.js").exists() and (quick.path / "code.wasm").exists()
    assert "Emscripten" in quick.run([str(quick.emcc.program), "--version"]).stdout


def test_a_broken_emcc_is_told(tmp_path: Path, quick: Quick) -> None:
    broken = tmp_path / "emcc"
    broken.write_text("#!/bin/sh\necho 'error: no node' >&2\nexit 1\n")
    broken.chmod(0o755)
    context = Context(
        ROOT, tmp_path, {}, tmp_path, tmp_path, 1, Runner("x", tmp_path / "l", tmp_path)
    )
    with pytest.raises(SetupError, match="emcc does not work: error: no"):
        toolchain.QuickEmcc(tmp_path / "new").make(
            context, {**quick.env, "PATH": f"{tmp_path}:{quick.env['PATH']}"}
        )
