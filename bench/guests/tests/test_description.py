"""Users' own guests: the guest that a description makes, and refusals in one line."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest

from bench.base.places import ROOT
from bench.cli.main import main
from bench.engines.base import BootRequest, qemu_arguments
from bench.engines.native import HostPlaces
from bench.engines.tests.test_engines import option
from bench.guests.catalogue import GuestError
from bench.guests.description import describe
from bench.guests.guest import Guest
from bench.harness.suites.suite import find_suite, read_suite
from bench.testing import fakes
from bench.testing.fakes import FakeEngine

METAL = """
arch = "riscv64"
machine = "virt"
firmware = "none"
kernel = "image.elf"
"""
LINUX = """
name = "my-linux"
title = "a kernel of mine"
arch = "aarch64"
machine = "virt,gic-version=3"
cpu = "cortex-a72"
memory_mib = 512
smp = 2
kernel = "Image"
initrd = "initrd.gz"
dtb = "board.dtb"
append = "console=ttyAMA0"
arguments = ["-rtc", "base=utc"]
[markers]
kernel = "Linux version"
init = "^ready"
[end]
timeout = 60
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("image.elf", "Image", "initrd.gz", "board.dtb", "fw,1.bin"):
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "empty").touch()
    return tmp_path


def described(folder: Path, text: str) -> Guest:
    path = folder / "guest.toml"
    path.write_text(text)
    return describe(path)


def arguments(guest: Guest) -> list[str]:
    return qemu_arguments(BootRequest(guest), HostPlaces())


def test_a_linux_guest(folder: Path) -> None:
    guest = described(folder, LINUX)
    argv = arguments(guest)
    assert (guest.name, guest.title) == ("my-linux", "a kernel of mine")
    assert option(argv, "-M") == "virt,gic-version=3"
    assert option(argv, "-cpu") == "cortex-a72"
    assert (option(argv, "-m"), option(argv, "-smp")) == ("512", "2")
    for name, file in (("-kernel", "Image"), ("-dtb", "board.dtb")):
        assert option(argv, name) == str(folder / file)
    assert option(argv, "-append") == "console=ttyAMA0"
    assert argv[-2:] == ["-rtc", "base=utc"]
    assert "-bios" not in argv
    assert guest.expects == ("kernel", "init") and guest.boot_phase == "init"
    assert guest.ending.timeout_s == 60


def test_bare_metal(folder: Path) -> None:
    guest = described(folder, METAL)
    assert guest.name == "guest" and guest.boot_phase == "exit"
    assert option(arguments(guest), "-bios") == "none"
    assert "-append" not in arguments(guest)
    assert guest.ending.status == 0 and guest.memory_mib == 128


def test_firmware_and_images_at_addresses(folder: Path) -> None:
    guest = described(
        folder,
        """
        arch = "riscv64"
        machine = "virt"
        firmware = "fw,1.bin"
        [[load]]
        file = "Image"
        addr = 0x80200000
        [[load]]
        file = "image.elf"
        cpu = 1
        """,
    )
    argv = arguments(guest)
    assert option(argv, "-bios") == str(folder / "fw,1.bin")
    loaders = [argv[n + 1] for n, word in enumerate(argv) if word == "-device"]
    assert loaders == [
        f"loader,file={folder}/Image,addr=0x80200000,force-raw=on",
        f"loader,file={folder}/image.elf,cpu-num=1",
    ]


@pytest.mark.parametrize(
    ("lines", "arch", "wanted"),
    [
        ('console = "semihosting"', "riscv64", "target=native,chardev=serial0"),
        ('console = "serial1"', "aarch64", "-serial null -serial mon:stdio"),
        ('[end]\nby = "semihosting"', "aarch64", "-semihosting-config enable=on"),
        ('[end]\nby = "test-device"', "x86_64", "-device isa-debug-exit,iobase=0xf4"),
    ],
)
def test_consoles_and_ends(folder: Path, lines: str, arch: str, wanted: str) -> None:
    text = METAL.replace("riscv64", arch)
    assert wanted in " ".join(arguments(described(folder, text + lines)))


def test_the_test_device_of_a_pc_ends_with_an_odd_status(folder: Path) -> None:
    text = METAL.replace("riscv64", "x86_64") + '[end]\nby = "test-device"'
    assert described(folder, text).ending.status == 1


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ("kernal = 'x'", "unknown key 'kernal'; did you mean 'kernel'?"),
        ("xyzzy = 1", "unknown key 'xyzzy'; valid: arch, machine, kernel"),
        ("[end]\nbye = 1", ":end: unknown key 'bye'; did you mean 'by'?"),
        ("memory_mib = '64'", ":memory_mib: '64' will not do; give a whole number"),
        ("memory_mib = 9999", "from 1 to 2047"),
        ("smp = true", ":smp: True will not do"),
        ("smp = 9", "from 1 to 8"),
        ("name = 'a b'", ":name: 'a b' will not do; give letters"),
        ("cpu = ''", ":cpu: '' will not do; give a text"),
        ("initrd = 'nowhere'", "nowhere does not exist"),
        ("initrd = '.'", "is no file"),
        ("dtb = 'empty'", "empty is empty"),
        ("console = 'tty'", "give one of serial0, serial1"),
        ("arguments = '-s'", ":arguments: '-s' will not do; give a list of texts"),
        ("arguments = [1]", "a list of texts"),
        ("oopses = ['(']", "is no regular expression"),
        ("expects = ['init']", ":expects: there is no marker 'init'"),
        ("markers = 1", ":markers: 1 will not do; give a table"),
        ("[markers]\nx = '('", ":markers:x: '(' is no regular expression"),
        ("[markers]\nx = 1", ":markers:x: 1 will not do; give a text"),
        ("[end]\nby = 'crash'", "give one of power-off, test-device"),
        ("[end]\nby = 'marker'", ":end:pass: belongs to by ="),
        ("[end]\npass = 'x'", ":end:pass: belongs to by ="),
        ("[end]\nstatus = 256", "from 0 to 255"),
        ("[end]\ntimeout = 0", "seconds, more than 0"),
        ("load = [1]", "give [[load]] tables"),
        ("[[load]]\naddr = 1", ":load[0]: the key 'file' is missing"),
        ("[[load]]\nfile = 'Image'\nadr = 1", "did you mean 'addr'?"),
        ("[[load]]\nfile = 'Image'\naddr = -1", "a whole number from 0"),
    ],
)
def test_what_will_not_do(folder: Path, lines: str, complaint: str) -> None:
    with pytest.raises(GuestError) as caught:
        described(folder, METAL + lines)
    assert complaint in str(caught.value) and "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(folder / "guest.toml"))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("machine = 'virt'", "the key 'arch' is missing"),
        ("arch = 'riscv64'", "the key 'machine' is missing"),
        ("arch = 'mips'\nmachine = 'malta'", "one of riscv64, aarch64, x86_64"),
        ("arch = 'riscv64'\nmachine = 'virt'", "nothing to run"),
        ("arch = [", "is not TOML"),
        (METAL.replace("kernel =", "initrd ="), "an initrd needs a kernel"),
        (
            METAL.replace("kernel =", "append ='x'\n[[load]]\nfile ="),
            "a command line needs a kernel",
        ),
        (
            METAL.replace("riscv64", "aarch64") + "[end]\nby = 'test-device'",
            "machine virt of aarch64 has no test device",
        ),
        (
            METAL.replace("riscv64", "x86_64") + "[end]\nby = 'semihosting'",
            "x86_64 has no semihosting",
        ),
    ],
)
def test_whole_descriptions_that_will_not_do(
    folder: Path, text: str, complaint: str
) -> None:
    with pytest.raises(GuestError) as caught:
        described(folder, text)
    assert complaint in str(caught.value) and "\n" not in str(caught.value)


def run(*words: str) -> int:
    return main(list(words))


@pytest.fixture
def metal(folder: Path, fake: FakeEngine, products: None) -> Path:
    path = folder / "metal.toml"
    path.write_text(METAL)
    return path


def test_boot_of_a_description(
    metal: Path, fake: FakeEngine, capfd: pytest.CaptureFixture[str]
) -> None:
    fake.scenarios = {"": [{"stats": fakes.STATS}, {"say": "all is well\n"}]}
    out = metal.parent / "out.json"
    assert run("boot", str(metal), "--engine", "fake", "--json", str(out)) == 0
    assert "all is well" in capfd.readouterr().out
    result = json.loads(out.read_text())
    assert result["config"]["guest"] == "metal"
    assert result["config"]["machine"]["firmware"] == "none"
    assert result["provenance"]["guest"]["files"][0]["name"] == "image.elf"


def test_boot_with_another_kernel(metal: Path, fake: FakeEngine) -> None:
    metal.write_text(METAL.replace('kernel = "image.elf"', ""))
    other = metal.parent / "Image"
    words = ["boot", str(metal), "--engine", "fake", "--tier", "never"]
    assert run(*words) == 2
    assert run(*words, "--kernel", str(other)) == 0
    guest = fake.requests[-1].guest
    assert guest.name == "metal+Image" and guest.file("kernel") is not None
    assert run(*words, "--kernel", "/nowhere") == 2


def test_boot_of_a_guest_of_ours_with_another_kernel(
    metal: Path, fake: FakeEngine
) -> None:
    other = metal.parent / "Image"
    words = ["boot", fakes.GUEST, "--engine", "fake", "--kernel", str(other)]
    assert run(*words) == 0
    files = {f.role: f.path for f in fake.requests[-1].guest.files}
    assert files["kernel"] == other and files["initrd"].name == "initrd"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["boot", "@", "--workload", "sh"], "runs no workloads of ours"),
        (["compare", "--guest", "@", "--workload", "sh"], "runs no workloads of ours"),
        (["boot", "nowhere.toml"], "cannot read nowhere.toml: No such file"),
        (["boot", "nowhere"], "or a file NAME.toml"),
        (["compare", "--guest", "@", "--guest", "@2"], "two guests are called 'metal'"),
        (["soak", "@"], "unknown guest"),
    ],
)
def test_refused_on_the_command_line(
    words: list[str], complaint: str, metal: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    second = metal.parent / "second"
    second.mkdir()
    (second / "metal.toml").write_text(METAL.replace("image", "../image"))
    names = {"@": str(metal), "@2": str(second / "metal.toml")}
    assert run(*(names.get(word, word) for word in words)) == 2
    error = capfd.readouterr().err
    assert complaint in " ".join(error.split())


def test_compare_of_descriptions(
    metal: Path, fake: FakeEngine, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    suite = tmp_path / "suite.toml"
    suite.write_text('guests = ["metal.toml"]\ntiers = ["never"]\nengines = ["fake"]')
    out = tmp_path / "results"
    words = ["compare", str(suite), "--runs", "2", "--out", str(out)]
    fake.scenarios = {"": [{"say": "well\n"}]}
    assert run(*words) == 0
    rows = json.loads((out / "summary.json").read_text())["rows"]
    assert [(r["guest"], r["tier"]) for r in rows] == [("metal", "never")]
    # Without a marker `init`, the time of the whole run is compared.
    assert rows[0]["boot_ms"] > 0
    assert read_suite(find_suite(str(suite))).guests == (str(metal),)


Scenario = list[dict[str, Any]]


@pytest.mark.parametrize(
    ("end", "scenario", "failure"),
    [
        ("", [{"exit": 0}], None),
        ("", [{"exit": 3}], "exit-status: exit status 3"),
        ("status = 3", [{"exit": 3}], None),
        ("status = 3", [{"exit": 0}], "exit-status: exit status 0, not 3"),
        ("", [{"err": "qemu: bad\n"}, {"exit": 1}], "engine-error: qemu: bad"),
        ("", [{"err": "x: warning: y\n"}, {"exit": 3}], "exit-status: exit status 3"),
        ("fail = 'BAD'", [{"say": "BAD x\n"}, {"hang": True}], "said-failed: BAD x"),
        ("@pass = 'GOOD'", [{"say": "GOOD\nmore\n"}, {"sleep": 60}], None),
        ("@pass = 'login: $'", [{"say": "box login: "}, {"sleep": 60}], None),
        ("@pass = 'GOOD'", [{"say": "GOO\n"}], "marker-missing: it ended without"),
        (
            "@pass = 'GOOD'\nfail = 'BAD'",
            [{"say": "BAD\nGOOD\n"}, {"sleep": 60}],
            "said-failed: BAD",
        ),
        ("timeout = 0.5", [{"sleep": 60}], "timeout: did not end within 0.5 s"),
        ("@pass = 'x'\n[markers]\nm = 'y'", [{"say": "x\n"}], "marker-missing: the"),
        ("[markers]\nm = 'y'", [{"say": "y\n"}], None),
        ("", [{"say": "Call Trace:\n"}], "oops: Call Trace:"),
    ],
)
def test_how_runs_end(
    metal: Path, fake: FakeEngine, end: str, scenario: Scenario, failure: str | None
) -> None:
    text = end.replace("@", 'by = "marker"\n')
    metal.write_text(f"{METAL}\n[end]\n{text}")
    fake.scenarios = {"": scenario}
    out = metal.parent / "out.json"
    status = run("boot", str(metal), "--engine", "fake", "--json", str(out))
    result = json.loads(out.read_text())
    assert status == (1 if failure else 0)
    if failure is None:
        assert result["failure"] is None
        assert "more" not in result["console"]["text"]
    else:
        kind, message = result["failure"]["kind"], result["failure"]["message"]
        assert f"{kind}: {message}".startswith(failure)


def test_a_guests_own_oopses(metal: Path, fake: FakeEngine) -> None:
    fake.scenarios = {"": [{"say": "Call Trace: none\n"}]}
    metal.write_text(f"{METAL}\noopses = []")
    assert run("boot", str(metal), "--engine", "fake") == 0
    metal.write_text(f"{METAL}\noopses = ['Trace']")
    assert run("boot", str(metal), "--engine", "fake") == 1


def examples() -> list[str]:
    """The descriptions in the documentation."""
    text = (ROOT / "docs/guests.md").read_text()
    return re.findall(r"^```toml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("number", range(len(examples())))
def test_the_documentations_examples_are_valid(number: int, folder: Path) -> None:
    (folder / "fw_jump.bin").write_bytes(b"firmware")
    (folder / "disk.img").write_bytes(bytes(4096))
    path = folder / "example.toml"
    path.write_text(examples()[number])
    given = None if "kernel =" in path.read_text() else folder / "image.elf"
    guest = describe(path, given if "[[load]]" not in path.read_text() else None)
    assert arguments(guest)


def test_the_documentation_names_every_key() -> None:
    text = (ROOT / "docs/guests.md").read_text()
    source = Path(inspect.getfile(describe)).read_text()
    keys = re.findall(
        r"\.(?:text|texts|choice|number|table|tables|seconds|regex|"
        r'regexes)\(\s*"(\w+)"',
        source,
    )
    assert len(keys) > 15
    for key in keys:
        assert re.search(rf"`\[*{key}\]*`", text), key


@pytest.mark.parametrize("path", sorted((ROOT / "bench/guests/metal").glob("*.toml")))
def test_the_projects_own_descriptions_are_valid(path: Path, folder: Path) -> None:
    assert describe(path, folder / "image.elf").ending.timeout_s is not None
