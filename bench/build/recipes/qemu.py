"""QEMU as Wasm: Debian's upstream source, our patches, our files, emscripten.

The product `qemu-source` is the patched tree; it changes with the patches only. The
build adds overlay/, tcg-wasm/ and tiers/ to a tree of its own. This tree is kept
between runs, so that a change compiles only what depends on it. All targets are built
in one directory, which is configured once: files that do not depend on the target are
compiled with the first target.
"""

from __future__ import annotations

import filecmp
import functools
import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.base.places import ROOT
from bench.build import Context, SetupError, Step
from bench.build.recipes import emscripten as toolchain
from bench.build.upstream import Upstream, installed, read, upstream_version

HERE = "qemu"
# Debian's packages put firmware here, and QEMU's Debian build looks for it here.
FIRMWARE = (Path("/usr/share/qemu"), Path("/usr/share/seabios"))

# The directory that all targets are built in.
_PLACE = "qemu-wasm"

# Set to keep functions' names in the Wasm, for profilers.
PROFILE = bool(os.environ.get("TIERLAB_PROFILE"))

# Library calls that libtwposix replaces, in QEMU and glib alike.
WRAPPED = (
    "read", "write", "close", "fcntl", "poll", "ppoll", "mmap", "munmap", "mprotect",
    "exit",
    # files of the host
    "pread", "pwrite", "preadv", "pwritev", "lseek", "fsync",
    *(
        f"__syscall_{name}"
        for name in (
            "openat", "stat64", "lstat64", "fstat64", "newfstatat", "mkdirat",
            "mknodat", "symlinkat", "linkat", "renameat", "unlinkat", "readlinkat",
            "chmod", "fchmod", "fchownat", "utimensat", "fdatasync", "ftruncate64",
            "fallocate", "fstatfs64", "getdents64",
        )
    ),
)  # fmt: skip
POSIX = "qemu/deps/wasm-posix"
# The parts of libtwposix in JavaScript, which are put beside the libraries.
SCRIPTS = ("clock.js", "hostfs.js", "runfs.js")

# Functions that the runner calls.
EXPORTED = (
    "_main", "_tw_console", "_tw_console_input", "_tw_control", "_tw_control_input",
    "_tw_network", "_tw_network_event",
    # files in memory
    *(
        f"_tw_mem_{name}"
        for name in (
            "mount", "set_limit", "buffer", "open", "close", "read", "write",
            "truncate",
            "list", "chmod", "stat", "mkdir", "symlink", "readlink", "utimes",
        )
    ),
    # files that the runner has
    "_tw_run_add",
)  # fmt: skip
# QEMU's functions that the overlay replaces when the program is linked.
REPLACED = ("net_init_stream",)


@dataclass(frozen=True)
class Target:
    """One emulator."""

    arch: str
    cpu_target: str
    firmware: tuple[str, ...]
    firmware_packages: tuple[str, ...]

    @property
    def product(self) -> str:
        """The name of the target's product."""
        return f"qemu-wasm-{self.arch}"

    @property
    def program(self) -> str:
        """What QEMU's build calls it."""
        return f"qemu-system-{self.arch}"


# virtio-net-pci wants this option ROM on every machine.
NET_BOOT = "efi-virtio.rom"

TARGETS = (
    Target(
        "riscv64",
        "riscv64-softmmu",
        ("opensbi-riscv64-generic-fw_dynamic.bin", NET_BOOT),
        ("opensbi", "ipxe-qemu"),
    ),
    Target(
        "x86_64",
        "x86_64-softmmu",
        (
            "bios-256k.bin", "bios-microvm.bin", "qboot.rom", "kvmvapic.bin",
            # for each kind of -kernel: a Linux image, an ELF file with a PVH note, or
            # with a multiboot header
            "linuxboot_dma.bin", "pvh.bin", "multiboot_dma.bin",
            NET_BOOT,
        ),
        ("seabios", "qemu-system-data", "ipxe-qemu"),
    ),
    Target("aarch64", "aarch64-softmmu", (NET_BOOT,), ("ipxe-qemu",)),
)  # fmt: skip


@functools.cache
def upstream() -> Upstream:
    """The accepted QEMU; if possible, the version of the native reference."""
    stated = read(ROOT / HERE / "UPSTREAM")["qemu"]
    version = installed("qemu-system-riscv").partition(" ")[2]
    prefer = upstream_version(version)
    return Upstream(
        stated.package,
        stated.at_least,
        stated.below,
        stated.sha256,
        prefer if version and stated.accepts(prefer) else "",
    )


def _source(ctx: Context) -> None:
    tarball = ctx.apt_source(upstream())
    tree = ctx.out / "tree"
    tree.mkdir()
    ctx.run(
        # Sources of firmware, four fifths of the whole.
        ["tar", "-xf", str(tarball), "-C", str(tree), "--strip-components=1",
         "--exclude=*/roms/*"]
    )  # fmt: skip
    for patch in sorted((ctx.root / HERE / "patches").glob("*.patch")):
        argv = ["patch", "-p1", "-F0", "--batch", "--no-backup-if-mismatch"]
        ctx.run([*argv, "-i", str(patch)], cwd=tree)


def _additions(root: Path) -> Iterator[tuple[Path, str]]:
    """Our files, by their paths in QEMU's tree."""
    places = (
        ("qemu/overlay", "**/*", ""),
        ("tcg-wasm", "*.[ch]", "tcg/wasm/lib/"),
        ("tcg-wasm", "*.inc", "tcg/wasm/lib/"),
        ("tcg-wasm", "sources.txt", "tcg/wasm/lib/"),
        ("tiers", "*.[ch]", "tcg/wasm/tiers/"),
        ("tiers", "*.def", "tcg/wasm/tiers/"),
        ("tiers", "sources.txt", "tcg/wasm/tiers/"),
        ("tiers", "policies/*.c", "tcg/wasm/tiers/"),
        ("tiers", "evictions/*.c", "tcg/wasm/tiers/"),
        ("tiers", "buffers/*.c", "tcg/wasm/tiers/"),
    )
    for directory, pattern, place in places:
        base = root / directory
        for path in sorted(base.glob(pattern)):
            if path.is_file():
                yield path, place + path.relative_to(base).as_posix()


def _sync(root: Path, tree: Path) -> None:
    """Bring our files in the tree up to date; unchanged files keep their times."""
    listing = tree.with_suffix(".added")
    before = set(listing.read_text().split("\n")) if listing.exists() else set()
    now = dict((place, path) for path, place in _additions(root))
    for place in before - set(now) - {""}:
        (tree / place).unlink(missing_ok=True)
    for place, path in now.items():
        target = tree / place
        if place not in before and target.exists():
            raise SetupError(
                "QEMU's source cannot be prepared",
                f"the overlay would replace QEMU's own {place}",
                "make it a patch",
            )
        if not target.exists() or not filecmp.cmp(path, target, shallow=False):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    if set(now) != before - {""}:
        # meson.build lists the policies: ninja does not notice a new one by itself.
        (tree / "tcg/wasm/meson.build").touch()
    listing.write_text("\n".join(sorted(now)), encoding="utf-8")


def _link_flags(sysroot: Path) -> list[str]:
    """What every program is linked with, the probes of configure, too."""
    return [
        *toolchain.FLAGS,
        f"-L{sysroot}/lib",
        *(f"-Wl,--wrap={name}" for name in WRAPPED),
        "-Wl,--undefined=tw_futex_wake",
        "-ltwposix",
        *(f"--js-library={sysroot}/lib/{name}" for name in SCRIPTS),
    ]


def _configure(sysroot: Path, compiler: Path) -> list[str]:
    """QEMU's configure line, for all targets; `sysroot` also holds libtwposix."""
    c_flags = [
        # No -mtail-call: LLVM 19 makes tail calls that pass a struct in the frame that
        # the call gives up. MSI-X messages came without their data.
        "-O3", "-g0", *toolchain.FLAGS, "-matomics", "-mbulk-memory", "-msimd128",
        "-D_GNU_SOURCE", f"-I{sysroot}/include",
        # Else code finds variables of other files by globals of the instance. A
        # coroutine's thread that becomes its caller does not exchange these globals.
        "-ftls-model=local-exec",
        "-Wno-unused-command-line-argument",
    ]  # fmt: skip
    return [
        f"--cc={compiler}", "--cxx=em++", "--objcc=false", "--host-cc=cc",
        "--cpu=wasm32", "--cross-prefix=",
        f"--target-list={','.join(target.cpu_target for target in TARGETS)}",
        *(f"--with-devices-{target.arch}=tierlab" for target in TARGETS),
        "--without-default-devices",
        "--without-default-features", "--enable-system", "--enable-tcg",
        "--enable-fdt=system", "--enable-pixman", "--enable-virtfs",
        "--disable-tools",
        "--disable-docs", "--disable-werror", "--disable-pie",
        "--disable-stack-protector", "--disable-install-blobs",
        "--disable-debug-info", "--with-coroutine=auto", "-Dauto_features=disabled",
        f"--extra-cflags={shlex.join(c_flags)}",
        f"--extra-ldflags={shlex.join(_link_flags(sysroot))}",
    ]  # fmt: skip


def _link_settings() -> list[str]:
    """Settings of the program's link only: too slow for links while configuring."""
    settings = {
        "PROXY_TO_PTHREAD": "1",
        "EXIT_RUNTIME": "1",
        "MODULARIZE": "1",
        "EXPORT_ES6": "1",
        "ENVIRONMENT": "web,worker,node",
        "ALLOW_TABLE_GROWTH": "1",
        "ALLOW_MEMORY_GROWTH": "1",
        "INITIAL_MEMORY": "67108864",
        "MAXIMUM_MEMORY": "4294967296",
        "MALLOC": "mimalloc",
        "FORCE_FILESYSTEM": "1",
        "WASM_BIGINT": "1",
        # The runner sets the number: each thread costs 40 ms of a core.
        "PTHREAD_POOL_SIZE": "Module['threads']",
        "PTHREAD_POOL_DELAY_LOAD": "1",
        "DEFAULT_PTHREAD_STACK_SIZE": "1048576",
        "STACK_SIZE": "1048576",
        "EXPORTED_RUNTIME_METHODS": "FS,ENV,wasmMemory,callMain",
        "EXPORTED_FUNCTIONS": ",".join(EXPORTED),
        # The pass cuts the data at each run of zeros, into 7,000 segments: the function
        # that copies them once is 200 kB, and V8 optimises it for 0.8 s of a boot.
        "BINARYEN_EXTRA_PASSES": "--skip-pass=memory-packing,"
        "--one-caller-inline-max-function-size=40",
    }
    flags = [f"-s{name}={value}" for name, value in settings.items()]
    flags += [f"-Wl,--wrap={name}" for name in REPLACED]
    names = ["--profiling-funcs"] if PROFILE else []
    return ["-O2", *flags, *names, "-Wno-pthreads-mem-growth"]


def _posix(ctx: Context) -> None:
    """libtwposix, and the libraries that it completes."""
    deps = ctx.needs["deps-wasm32"]
    shutil.copytree(deps, ctx.out, dirs_exist_ok=True)
    (ctx.out / ".manifest.json").unlink()
    sources = sorted((ctx.root / POSIX).glob("*.c"))
    flags = ["-O2", "-Wall", "-Wextra", "-Werror", *toolchain.FLAGS]
    flags += ["-matomics", "-mbulk-memory", f"-I{deps}/include"]
    env = toolchain.environment(ctx)
    objects = []
    for source in sources:
        objects.append(f"{ctx.work}/{source.stem}.o")
        argv = ["emcc", *flags, "-c", str(source), "-o", objects[-1]]
        ctx.run(argv, env=env)
    ctx.run(["emar", "rcs", str(ctx.out / "lib/libtwposix.a"), *objects], env=env)
    for name in SCRIPTS:
        shutil.copyfile(ctx.root / POSIX / name, ctx.out / "lib" / name)


def _builder(target: Target) -> Callable[[Context], None]:
    def build(ctx: Context) -> None:
        source = ctx.needs["qemu-source"]
        inputs = (
            source.name,
            toolchain.identity(),
            toolchain.QuickEmcc.text(ctx.root),
            *_configure(Path("sysroot"), Path("emcc")),
        )
        with ctx.shared_work(_PLACE, *inputs) as work:
            # The path must not change, for ccache and for objects that are built.
            sysroot = work / "sysroot"
            sysroot.unlink(missing_ok=True)
            sysroot.symlink_to(ctx.needs["sysroot-wasm32"])
            tree = work / "tree"
            if not (work / "tree.complete").exists():
                shutil.rmtree(tree, ignore_errors=True)
                # Hard links share files with the product: the build never writes to
                # QEMU's own files.
                shutil.copytree(source / "tree", tree, True, copy_function=os.link)
                (work / "tree.complete").touch()
            _sync(ctx.root, tree)
            _compile(ctx, target, tree, work / "build", sysroot)
            _install(ctx, target, tree, work / "build")

    return build


def _compile(
    ctx: Context,
    target: Target,
    tree: Path,
    build: Path,
    sysroot: Path,
) -> None:
    env = toolchain.environment(ctx, sysroot)
    if not (build / "configured").exists():
        shutil.rmtree(build, ignore_errors=True)
        build.mkdir()
        tools = {
            "AR": "emar", "NM": "emnm", "RANLIB": "emranlib", "STRIP": "true",
            # Programs that are linked while configuring need no optimisation.
            "EMCC_CFLAGS": "-O0",
        }  # fmt: skip
        emcc = toolchain.QuickEmcc(build.with_name("emcc"))
        emcc.make(ctx, env, _link_flags(sysroot))
        line = [str(tree / "configure"), *_configure(sysroot, emcc.program)]
        with emcc.probing():
            ctx.run(line, cwd=build, env=env | tools)
        (build / "configured").touch()
    program = f"{target.program}.js"
    ninja = ["ninja", f"-j{ctx.jobs}"]
    ctx.run([*ninja, "build.ninja"], cwd=build, env=env)
    ctx.run([*ninja, *_objects(build, program)], cwd=build, env=env)
    # Ninja does not notice that libraries or settings changed.
    (build / program).unlink(missing_ok=True)
    settings = {"EMCC_CFLAGS": shlex.join(_link_settings())}
    ctx.run([*ninja, program], cwd=build, env=env | settings)


def _objects(build: Path, program: str) -> list[str]:
    """The objects of the program."""
    shown = subprocess.run(
        ["ninja", "-t", "inputs", program],
        cwd=build,
        capture_output=True,
        text=True,
        check=False,
    )
    found = [line for line in shown.stdout.splitlines() if line.endswith(".o")]
    if not found:
        raise SetupError(
            "QEMU's build is not as expected",
            f"nothing is linked into {program}",
            "report this",
        )
    return found


def _install(ctx: Context, target: Target, tree: Path, build: Path) -> None:
    for suffix in ("js", "wasm"):
        shutil.copy2(build / f"{target.program}.{suffix}", ctx.out)
    share = ctx.out / "share"
    share.mkdir()
    for name in target.firmware:
        shutil.copy(_firmware(name), share)
    emscripten = installed("emscripten").partition(" ")[2]
    versions = {
        "qemu": (tree / "VERSION").read_text(encoding="utf-8").strip(),
        "emscripten": upstream_version(emscripten),
    }
    (ctx.out / "versions.json").write_text(json.dumps(versions), encoding="utf-8")


def _firmware(name: str) -> Path:
    found = [place / name for place in FIRMWARE if (place / name).exists()]
    if not found:
        raise SetupError(
            f"the firmware {name} is missing",
            f"it is in none of {', '.join(map(str, FIRMWARE))}",
            "install the packages of packages.txt",
        )
    return found[0]


def _target_step(target: Target) -> Step:
    return Step(
        name=target.product,
        title=f"QEMU for Wasm, {target.arch}",
        files=(
            "bench/build/recipes/qemu.py",
            *toolchain.FILES,
            "qemu/overlay/**/*",
            "tcg-wasm/*.[ch]",
            "tcg-wasm/*.inc",
            "tcg-wasm/sources.txt",
            "tiers/*.[ch]",
            "tiers/*.def",
            "tiers/sources.txt",
            "tiers/policies/*.c",
            "tiers/evictions/*.c",
            "tiers/buffers/*.c",
        ),
        values=(
            toolchain.identity(),
            installed(*target.firmware_packages),
            f"profile={PROFILE}",
        ),
        needs=("qemu-source", "sysroot-wasm32"),
        action=_builder(target),
        minutes=7.0,
        place=_PLACE,
    )


STEPS: list[Step] = [
    Step(
        name="qemu-source",
        title="QEMU's source, patched",
        files=("qemu/UPSTREAM", "qemu/patches/*.patch"),
        values=(upstream().identity(),),
        needs=(),
        action=_source,
        minutes=0.5,
    ),
    Step(
        name="sysroot-wasm32",
        title="POSIX calls for Wasm",
        files=(
            "bench/build/recipes/qemu.py",
            *toolchain.FILES,
            f"{POSIX}/*.[ch]",
            f"{POSIX}/*.js",
        ),
        values=(toolchain.identity(),),
        needs=("deps-wasm32",),
        action=_posix,
        minutes=0.1,
    ),
    *(_target_step(target) for target in TARGETS),
]
