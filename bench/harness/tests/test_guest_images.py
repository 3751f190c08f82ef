"""Images and folders as roots: their commands run, their status is the run's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.cli.main import main
from bench.testing.guest_boots import said
from bench.testing.images import as_tar, busybox_image, busybox_of
from bench.testing.schema import check_form

pytestmark = pytest.mark.guest

# The tiny kernels have no overlayfs.
GUEST = "riscv64-debian"

SCRIPT = """
test "$A" = "b c" && test "$(cat /etc/layer)" = upper && test ! -e /gone || exit 1
id; pwd; echo "$HOME"; echo "here: $(ls /)" | cat >/tmp/said && cat /tmp/said
test -c /dev/null && cat /proc/self/mounts >/dev/null && printf 'no end of line'
exit 7
"""


def boot(words: list[str], out: Path) -> tuple[int, dict[str, Any]]:
    path = out / "result.json"
    status = main(["boot", *words, "--json", str(path)])
    result = json.loads(path.read_text())
    check_form(result, "run")
    return status, result


def test_an_image_in_node(tmp_path: Path) -> None:
    files = busybox_image(
        busybox_of(GUEST),
        Entrypoint=["sh", "-c"],
        Cmd=[SCRIPT],
        Env=["A=b c"],
        User="web",
        WorkingDir="/srv/app",
    )
    path = as_tar(files, tmp_path / "small.tar")
    words = [GUEST, "--image", str(path), "--tier", "region"]
    status, result = boot(words, tmp_path)
    assert status == 7
    assert result["failure"] == {
        "kind": "workload",
        "message": "workload ended with status 7",
    }
    assert said(result, r"uid=33\(web\) gid=33\(web\)(?: groups=33\(web\))?")
    assert said(result, "/srv/app") and said(result, "/srv")
    assert said(result, "no end of line")
    config = result["config"]
    assert config["guest"] == f"{GUEST}+small"
    assert config["machine"]["root"]["command"] == ["sh", "-c", SCRIPT]
    assert config["machine"]["root"]["file"] == "small.tar"


def test_another_command_natively(tmp_path: Path) -> None:
    folder = tmp_path / "root"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin/busybox").write_bytes(busybox_of(GUEST))
    (folder / "bin/busybox").chmod(0o755)
    words = [GUEST, "--engine", "native", "--root", str(folder)]
    command = ["busybox", "sh", "-c", "echo one  two $0; : >/new", "three"]
    path = tmp_path / "result.json"
    status = main(["boot", *words, "--json", str(path), "--", *command])
    assert status == 0
    assert said(json.loads(path.read_text()), "one two three")
    assert not (folder / "new").exists()


def test_a_saved_machine_with_an_image(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = as_tar(busybox_image(busybox_of(GUEST)), tmp_path / "small.tar")
    machine = tmp_path / "m.snap"
    common = [GUEST, "--engine", "native", "--image", str(path)]
    command = ["busybox", "sh", "-c", "echo one  two $0", "three"]
    assert main(["boot", *common, "--save", str(machine), "--", *command]) == 0
    go_on = f"tierlab boot {GUEST} --image {path} --restore {machine}"
    assert go_on in capfd.readouterr().err.replace("\n", " ")
    # the machine knows its command
    status, result = boot([*common, "--restore", str(machine)], tmp_path)
    assert status == 0
    assert said(result, "one two three")
