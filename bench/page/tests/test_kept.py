"""Disks in pieces that the cache keeps: used again, whole or absent, not too many."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench.base.errors import SetupError
from bench.base.lock import locked
from bench.page import kept, pieces
from bench.page.disks import plugged
from bench.page.kept import KeptPieces
from bench.page.pieces import PIECE
from bench.page.tests.sites import make_contents, make_site


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Two equal pieces, a hole, and a short piece at the end."""
    path = tmp_path / "disk.img"
    path.write_bytes(b"a" * PIECE * 2 + bytes(PIECE) + b"end" * 1000)
    return path


@pytest.fixture
def splits(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The images that are split from now on."""
    found: list[Path] = []
    split = pieces.split

    def counted(image: Path, out: Path) -> pieces.Pieces:
        found.append(image)
        return split(image, out)

    monkeypatch.setattr(pieces, "split", counted)
    return found


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def folders(cache: Path) -> list[Path]:
    """What the cache keeps."""
    return sorted((cache / "pieces").iterdir())


def split(cache: Path, image: Path, out: Path) -> dict[str, bytes]:
    out.mkdir(parents=True)
    made = KeptPieces(cache).split(image, out)
    assert made.index == pieces.index_of(image)
    found = files(out)
    assert set(found) == set(made.names)
    assert made.packed + made.packed_index == sum(map(len, found.values()))
    return found


def test_the_second_time_nothing_is_packed(
    tmp_path: Path, cache: Path, image: Path, splits: list[Path]
) -> None:
    first = split(cache, image, tmp_path / "a")
    (tmp_path / "plain").mkdir()
    pieces.split(image, tmp_path / "plain")
    assert first == files(tmp_path / "plain") and len(first) == 3
    splits.clear()
    renamed = image.rename(tmp_path / "renamed.img")
    assert split(cache, renamed, tmp_path / "b") == first
    assert not splits
    renamed.write_bytes(renamed.read_bytes()[:-1] + b"!")
    assert split(cache, renamed, tmp_path / "c") != first
    assert len(splits) == 1 and len(folders(cache)) == 2


def test_only_a_page_in_the_cache_has_links(
    tmp_path: Path, cache: Path, image: Path
) -> None:
    for out, links in ((cache / "served" / "x", 2), (tmp_path / "user", 1)):
        split(cache, image, out)
        names = {path.stat().st_nlink for path in out.iterdir()}
        assert names == {links}
        for path in out.iterdir():
            path.unlink()
    assert {p.stat().st_nlink for p in folders(cache)[0].iterdir()} == {1}


@pytest.mark.parametrize("damage", ["missing", "empty", "index", "no gzip"])
def test_what_is_not_whole_is_made_again(
    tmp_path: Path, cache: Path, image: Path, splits: list[Path], damage: str
) -> None:
    first = split(cache, image, tmp_path / "a")
    (place,) = folders(cache)
    piece = next(p for p in place.iterdir() if p.name != pieces.INDEX)
    if damage == "missing":
        piece.unlink()
    elif damage == "empty":
        piece.write_bytes(b"")
    elif damage == "index":
        (place / pieces.INDEX).write_bytes(first[pieces.INDEX][:-10])
    else:
        (place / pieces.INDEX).write_bytes(b"text")
    assert split(cache, image, tmp_path / "b") == first
    assert files(place) == first and len(splits) == 2


def test_nothing_half_made_stays(
    tmp_path: Path, cache: Path, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: Path, out: Path) -> pieces.Pieces:
        (out / "half").touch()
        raise KeyboardInterrupt

    monkeypatch.setattr(pieces, "split", interrupted)
    with pytest.raises(KeyboardInterrupt):
        split(cache, image, tmp_path / "a")
    assert folders(cache) == []


def test_an_image_that_changes_is_not_kept(
    tmp_path: Path, cache: Path, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = pieces.split

    def changed(path: Path, out: Path) -> pieces.Pieces:
        path.write_bytes(b"other" * 100)
        return whole(path, out)

    monkeypatch.setattr(pieces, "split", changed)
    split(cache, image, tmp_path / "a")
    assert folders(cache) == []


def test_the_latest_are_kept(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "MAX_BYTES", 3 * PIECE)
    places: dict[str, Path] = {}
    for n, name in enumerate("abc"):
        image = tmp_path / name
        image.write_bytes(os.urandom(PIECE))
        before = set(folders(cache)) if places else set()
        if name == "c":
            split(cache, tmp_path / "a", tmp_path / "again")
        split(cache, image, tmp_path / f"out-{name}")
        (place,) = set(folders(cache)) - before - set(places.values())
        places[name] = place
        # as if the next one came some time later
        for path in folders(cache):
            os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 100))
    # random bytes pack to a little more than a piece, so there is room for two
    assert set(folders(cache)) == {places["a"], places["c"]}


def test_what_another_process_makes_stays(
    tmp_path: Path, cache: Path, image: Path
) -> None:
    split(cache, image, tmp_path / "a")
    for key in ("killed", "busy"):
        (cache / "pieces" / f".{key}.part").mkdir()
    with locked(cache, "pieces-busy"):
        image.write_bytes(b"other" * 100)
        split(cache, image, tmp_path / "b")
    assert [p.name for p in folders(cache) if p.suffix] == [".busy.part"]


def test_a_large_disk_is_not_kept(
    tmp_path: Path, cache: Path, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "MAX_DISK", PIECE)
    split(cache, image, tmp_path / "a")
    assert not (cache / "pieces").exists()


def test_a_full_disk_is_said(
    tmp_path: Path, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> pieces.Pieces:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pieces, "split", full)
    with image.open("ab") as file:
        file.truncate(1 << 20)
    with pytest.raises(SetupError, match="no space left") as error:
        make_site(tmp_path, make_contents(tmp_path, disks=tuple(plugged([str(image)]))))
    assert "\n" not in error.value.line()
