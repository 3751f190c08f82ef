"""A page with a guest whose root is an image: its command in the page's terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from bench.harness.products import obtain
from bench.harness.run.images import given_root
from bench.page.make import contents, rooted, write_site
from bench.page.tests.browsers import need, serving
from bench.page.tests.test_browser import PRODUCTS, User, no_trouble
from bench.testing.images import as_tar, busybox_image, busybox_of

pytestmark = pytest.mark.guest

# The tiny kernels have no overlayfs.
GUEST = "riscv64-debian"


def test_image_in_the_page(tmp_path: Path) -> None:
    env = ["A=b", "PS1=tierlab# "]  # the prompt that the scenario waits for
    files = busybox_image(busybox_of(GUEST), Cmd=["sh"], Env=env, User="web")
    root = given_root(str(as_tar(files, tmp_path / "x.tar")), None, None)
    assert root is not None
    site = tmp_path / "site"
    site.mkdir()
    write_site(site, contents([], roots=rooted([GUEST], [root])))
    user = User(obtain(PRODUCTS, Console(stderr=True)), site, need("chromium"))
    with serving(site) as server:
        words = ["--type", "id; cat /etc/layer; echo $A; echo status 7", "--hash", "#"]
        found = user.at(server.url, "script", more=words)
    no_trouble(found["facts"])
    lines = found["facts"]["text"].split("\n")
    assert "uid=33(web) gid=33(web)" in lines
    assert "upper" in lines and "b" in lines
