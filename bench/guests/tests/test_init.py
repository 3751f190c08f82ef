"""/init parses, and knows its workloads and files."""

from __future__ import annotations

import hashlib
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from bench.guests import catalogue, cpio, initramfs

HERE = Path(__file__).parents[1] / "userland"
SCRIPTS = {name: HERE / name for name in initramfs.SCRIPTS}
TEXT = SCRIPTS["init"].read_text(encoding="utf-8")
DEVICES = SCRIPTS["devices"].read_text(encoding="utf-8")
ROOT = SCRIPTS["root"].read_text(encoding="utf-8")
SPEC = catalogue.find_guest("riscv64-tiny")
SHELLS = [["sh", "-n"], ["busybox", "sh", "-n"]]


@pytest.mark.parametrize("shell", SHELLS, ids=lambda argv: " ".join(argv))
@pytest.mark.parametrize("name", initramfs.SCRIPTS)
def test_parses(name: str, shell: list[str]) -> None:
    if shutil.which(shell[0]) is None:
        pytest.skip(f"needs {shell[0]}")
    argv = [*shell, str(SCRIPTS[name])]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def whole_lines(text: str) -> str:
    """The script with lines joined that a backslash continues."""
    return re.sub(r"\\\n *", "", text)


def test_every_workload_of_the_catalogue_is_there() -> None:
    all_of_it = TEXT + DEVICES + ROOT
    functions = set(re.findall(r"^workload_(\w+)\(\)", all_of_it, re.MULTILINE))
    names = {workload.name for workload in catalogue.WORKLOADS}
    # `wait` becomes another one
    # and the name of a function has no hyphen
    assert functions == {n.replace("-", "_") for n in names - {"none", "wait"}}
    cases = re.findall(r"^((?:[\w-]+ \| )*[\w-]+)\)$", whole_lines(TEXT), re.MULTILINE)
    known = [name for case in cases for name in case.split(" | ")]
    assert sorted(known) == sorted(names - {"wait"})


def test_programs_of_the_catalogue_are_those_of_roots() -> None:
    both = catalogue.PROGRAMS.items()
    programs = {program: root for root, names in both for program in names}
    for workload in catalogue.WORKLOADS:
        if workload.name in programs:
            assert workload.roots == {"": (programs.pop(workload.name),)}
            assert f"workload_{workload.name}() {{ run_program {workload.name}; }}" in (
                ROOT
            )
    assert not programs


def test_stressors_of_the_catalogue_are_those_of_the_script() -> None:
    lists = re.findall(r'names="([^"]+)"', ROOT)
    assert [tuple(names.split()) for names in lists] == [
        catalogue.QUICK_STRESSORS,
        catalogue.STRESSORS,
    ]


SAID = """\
stress-ng: info:  [25] setting to a 1 sec run per stressor
stress-ng: metrc: [25] stressor       bogo ops real time  usr time  sys time \
  bogo ops/s     bogo ops/s
stress-ng: metrc: [25] cpu                 369      7.08      0.23      0.00 \
      52.12        1606.39
stress-ng: info:  [25] passed: 1: cpu (1)
"""


@pytest.mark.parametrize(
    ("said", "status", "good", "lines"),
    [
        (SAID, 0, True, ["figure name=cpu value=52.118 unit=bogo-op/s", "1 right"]),
        (SAID.replace("369", "3").replace("7.08", "0.99"), 0, True, ["value=3.030 "]),
        ("not implemented\n", 4, False, ["not implemented", "this guest lacks cpu"]),
        ("x\ncpu: skipped\n", 0, False, ["cpu: skipped\nstress-ng: 0 right"]),
        (SAID, 2, False, ["status 2", "failed: cpu"]),
        ("", 0, False, ["0 right; this guest lacks cpu"]),
    ],
)
def test_a_stressor_gives_a_figure_or_says_why_not(
    tmp_path: Path, said: str, status: int, good: bool, lines: list[str]
) -> None:
    (tmp_path / "output").write_text(said)
    script = ROOT[ROOT.index("workload_stress_ng()") : ROOT.rindex("mount_roots")]
    script = script.replace("/tmp/said", f"{tmp_path}/said")
    stub = f'in_root() {{ cat "{tmp_path}/output"; return {status}; }}\n'
    stub += 'marker() { echo "$@"; }\nstressor= method= seconds=0\n'
    done = subprocess.run(
        ["sh", "-c", f"{stub}{script}\nworkload_stress_ng"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) == good and done.stderr == ""
    for line in lines:
        assert line in done.stdout


def test_every_word_of_the_catalogue_is_taken() -> None:
    taken = set(re.findall(r"^ {8}(\w+)=\*\)", TEXT, re.MULTILINE))
    params = {p.name for w in catalogue.WORKLOADS for p in w.params}
    assert params <= taken
    # and the head of /init explains it
    explained = set(re.findall(r"^#   tierlab\.(\w+)=", TEXT, re.MULTILINE))
    assert explained == taken


def test_settings_are_what_the_script_reads() -> None:
    given = set(re.findall(r"^(\w+)=", initramfs.settings(SPEC), re.MULTILINE))
    own = {"PATH", "HOME", "TERM", "PS1"}
    used = set(re.findall(r"\$\{?([A-Z][A-Z0-9_]+)", TEXT)) - own
    assert used == given


def test_archive_holds_what_the_boot_needs() -> None:
    scripts = {name: path.read_bytes() for name, path in SCRIPTS.items()}
    programs = {"stress": b"STRESS"}
    modules = {"list": b"a b a", "a.ko": b"A", "b.ko": b"B"}
    archive = initramfs.build(b"BUSYBOX", scripts, SPEC, programs, modules)
    members = {entry.name: entry for entry in cpio.unpack(archive)}
    for name, place in initramfs.SCRIPTS.items():
        assert members[place].data == scripts[name]
        assert members[place].mode == stat.S_IFREG | 0o755
    assert members["bin/sh"].data == b"busybox"
    assert members["bin/stress"].data == b"STRESS"
    assert members["lib/modules/b.ko"].data == b"B"
    console = members["dev/console"]
    assert stat.S_ISCHR(console.mode)
    assert console.device == (5, 1)
    assert b"FINISHER=sifive-test:0x100000\n" in members["etc/tierlab"].data
    for directory in ("proc", "sys", "dev", "tmp", "mnt"):
        assert stat.S_ISDIR(members[directory].mode)


def test_every_applet_that_the_scripts_call_is_linked() -> None:
    """The scripts' words that begin a command, but for functions and built-ins."""
    text = whole_lines("".join(path.read_text() for path in SCRIPTS.values()))
    text = re.sub(r"#.*|\$\(\(.*?\)\)|'[^']*'|\"[^\"]*\"", "_", text)
    text = re.sub(r"^ *[\w |-]+\)", "", text, flags=re.MULTILINE)  # patterns of case
    begins = r"(?:^|[|&;(]|\bif|\bdo)\s*"
    called = set(re.findall(begins + r"([a-z][a-z0-9]+) ", text, re.MULTILINE))
    own = set(re.findall(r"^(\w+)\(\)", text, re.MULTILINE))
    own |= {"stress", "mechanisms", "semihost", "terminal", "enter"}
    shell = set(
        "case do done echo esac export for if printf read return until wait".split()
    )
    shell |= set("while busybox cd set then".split())
    assert called - own - shell <= set(initramfs.APPLETS)


@pytest.mark.parametrize(
    ("device", "vendor", "found"),
    [
        ("", "", False),
        ("bus/pci/devices/0000:00:02.0", "0x8086", False),
        ("bus/pci/devices/0000:00:03.0", "0x1af4", True),
        ("bus/virtio/devices/virtio0", "0x554d4551", True),
        ("bus/platform/devices/LNRO0005:00", "", True),
        ("bus/platform/devices/PNP0501:00", "", False),
    ],
)
def test_virtio_is_seen_on_every_bus(
    tmp_path: Path, device: str, vendor: str, found: bool
) -> None:
    """Before its drivers are loaded; without any, /init reads nothing more."""
    if device:
        (tmp_path / device).mkdir(parents=True)
    if vendor:
        (tmp_path / device / "vendor").write_text(f"{vendor}\n")
    (tmp_path / "read").write_text("echo found\n")
    script = TEXT[
        TEXT.index("devices=\nfor found") : TEXT.index('if [ "$workload" = wait')
    ]
    script = script.replace("/sys/", f"{tmp_path}/").replace(
        "/etc/devices", f"{tmp_path}/read"
    )
    run = subprocess.run(
        ["sh", "-c", script], capture_output=True, text=True, check=True
    )
    assert (run.stdout, run.stderr) == ("found\n" if found else "", "")


def test_sha256_table() -> None:
    table = dict(line.split() for line in initramfs.sha256_table().splitlines())
    assert list(table) == [str(mib) for mib in range(1, 65)]
    data = b"tierlab\n" * (3 * 2**20 // 8)
    assert table["3"] == hashlib.sha256(data).hexdigest()


@pytest.mark.skipif(shutil.which("busybox") is None, reason="needs busybox")
@pytest.mark.parametrize("name", ["sha256", "gzip", "sh", "churn", "parallel"])
@pytest.mark.parametrize("damage", [False, True])
def test_workload_checks_itself(tmp_path: Path, name: str, damage: bool) -> None:
    """The functions of /init, run on this machine, accept right data only."""
    (tmp_path / "tmp").mkdir()
    settings = initramfs.settings(SPEC)
    table = initramfs.sha256_table()
    if damage:
        settings = re.sub(r"(?<=_SUM=|_CRC=|_MD5=)", "1", settings)
        table = table.replace("\n4 ", "\n4 0")
    (tmp_path / "sha256").write_text(table)
    functions = TEXT[TEXT.index("time_is_up()") : TEXT.index("workload_shell()")]
    functions = functions.replace("/tmp/", f"{tmp_path}/tmp/")
    functions = functions.replace("/etc/sha256", f"{tmp_path}/sha256")
    functions = functions.replace("/bin/busybox", str(shutil.which("busybox")))
    quiet = 'marker() { echo "$2" >>marks; }'
    script = f"mib=4\nrounds=3\nprocs=2\nseconds=0\nbegan=0\n{quiet}\n"
    script += f"{settings}{functions}\nworkload_{name}\n"
    run = subprocess.run(
        ["busybox", "sh", "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stderr == ""
    assert run.stdout.startswith(f"{name} ")
    assert run.returncode == (1 if damage else 0)
    if name in ("sha256", "churn", "parallel"):
        marks = (tmp_path / "marks").read_text().split()
        stops = damage and name != "parallel"
        assert marks == (["n=0"] if stops else ["n=0", "n=1", "n=2", "n=3"])
