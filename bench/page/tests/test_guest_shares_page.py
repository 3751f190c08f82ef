"""Shared folders of a real guest in a page.

A guest runs the script of bench/guests/tests/test_guest_shares.py in a page, where the
folder is in memory, and in native QEMU, where the folder is the host's. The script
prints the same in both, and leaves the same files.
"""

from __future__ import annotations

import base64
import io
import os
import tarfile
from pathlib import Path

import pytest
from rich.console import Console

from bench.guests.devices.share import Share
from bench.guests.names import known_guests
from bench.guests.tests.test_guest_shares import SCRIPT, check, tree
from bench.harness.products import obtain
from bench.page.folders import pack
from bench.page.make import contents, write_site
from bench.page.tests.browsers import BROWSERS, need
from bench.page.tests.test_browser import PRODUCTS, User, no_trouble
from bench.testing.guest_boots import GIB, boot, products_of

pytestmark = pytest.mark.guest

ARCH = "riscv64"
GUEST = f"{ARCH}-tiny"
# The guest itself makes the files that a page cannot be given.
BEFORE = f"""
cd /mnt/share || exit 1
truncate -s {6 * GIB} sparse
printf deep. | dd of=sparse bs=1 seek={5 * GIB} conv=notrunc 2>/dev/null
ln -s /nowhere/secret outside; ln -s ../secret up
"""
# The script makes more files than one answer of the 9p server can list, and removes
# them while they are listed.
AFTER = """
rm sparse outside
mkdir more; cd more; i=0; long=$(printf '%0200d' 7)
while [ $i -lt 700 ]; do : >$long-$i; i=$((i + 1)); done
ls | wc -l; rm -r ../more; cd ..; ls more
exec 3>gone; rm gone; echo kept >&3 && echo wrote; exec 3>&-; ls gone
dd if=/dev/zero of=zeros bs=64k count=20 2>/dev/null; md5sum zeros
t chown 12:13 zeros; t mknod disk b 254 0; t mkfifo pipe
df . | tail -1 | grep -c /mnt/share
"""
COMMAND = (
    "sh /mnt/share/script >/tmp/log 2>&1; cp /tmp/log /mnt/share/log; echo status $?"
)


def prepared(base: Path) -> list[Share]:
    """A folder with the script, and a read-only folder."""
    shares = [Share(base / name, name, name == "fixed") for name in ("share", "fixed")]
    for share in shares:
        share.path.mkdir(parents=True)
    folder = shares[0].path
    (folder / "from-host").write_text("from the host\n")
    (folder / "full").mkdir()
    (folder / "full" / "file").touch()
    lines = [line for line in SCRIPT.splitlines() if "/mnt/small" not in line]
    (folder / "script").write_text("\n".join([BEFORE, *lines, AFTER]))
    (shares[1].path / "hello").write_text("hello\n")
    return shares


def extracted(archive: str, target: Path) -> None:
    """Unpack the archive that the page gave."""
    target.mkdir()
    data = io.BytesIO(base64.b64decode(archive))
    with tarfile.open(fileobj=data) as opened:
        opened.extractall(target, filter="fully_trusted")


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder after the script has run in native QEMU."""
    base = tmp_path_factory.mktemp("native")
    boot(products_of(GUEST, ARCH), GUEST, "native", prepared(base), [COMMAND], base)
    return base / "share"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page with the prepared folders."""
    base = tmp_path_factory.mktemp("folders")
    out = base / "site"
    out.mkdir()
    folders = [pack(share) for share in prepared(base)]
    write_site(out, contents([known_guests()[GUEST]], folders))
    return out


@pytest.mark.parametrize("browser", BROWSERS)
def test_page_does_the_same(
    browser: str, native: Path, site: Path, tmp_path: Path
) -> None:
    user = User(obtain(PRODUCTS, Console(stderr=True)), site, need(browser))
    found = user("script", more=["--type", COMMAND])
    no_trouble(found["facts"])
    own = "dd 1", "chown", "mknod", "mkfifo"

    def said(folder: Path) -> list[str]:
        """The script's output without lines on devices and owners.

        A page and native QEMU differ in both: see docs/disks.md.
        """
        lines = (folder / "log").read_text().splitlines()
        return [line for line in lines if not line.startswith(own)]

    for name in ("saved", "atEnd"):
        extracted(found[name], tmp_path / name)
        folder = tmp_path / name / "share"
        assert said(folder) == said(native)
        assert tree(folder) == {
            path: facts
            for path, facts in tree(native).items()
            if path not in (b"disk", b"pipe")
        }
        assert os.lstat(folder / "plain" / "moved").st_mtime == 981_173_106
        assert not (tmp_path / name / "fixed").exists()
    log = (tmp_path / "atEnd" / "share" / "log").read_text().splitlines()
    check([*log, "dd 1"])
    for line in ("chown 1", "mknod 1", "mkfifo 1", "700", "wrote"):
        assert line in log, line
