"""The libraries of the page, from npm: ES modules and style sheets, as they are."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from bench.build import Context, Step

PRODUCT = "page-libraries"
VERSIONS = "versions.json"


@dataclass(frozen=True)
class Library:
    """An npm package, and the page's files of it: file in the page -> file in it."""

    package: str
    version: str
    integrity: str
    files: dict[str, str]
    licence: str = "LICENSE"

    @property
    def short(self) -> str:
        """The package's name, fit for a file name."""
        return self.package.lstrip("@").replace("/", "-")


LIBRARIES = (
    Library(
        "@xterm/xterm",
        "6.0.0",
        "sha512-TQwDdQGtwwDt+2cgKDLn0IRaSxYu1tSUjgKarSDkUM0ZNiSRXFpjxEsvc/Zgc5kq5omJ"
        "+V0a8/kIM2WD3sMOYg==",
        {"xterm.mjs": "lib/xterm.mjs", "xterm.css": "css/xterm.css"},
    ),
    Library(
        "@xterm/addon-fit",
        "0.11.0",
        "sha512-jYcgT6xtVYhnhgxh3QgYDnnNMYTcf8ElbxxFzX0IZo+vabQqSPAjC3c1wJrKB5E19VwQ"
        "ei89QCiZZP86DCPF7g==",
        {"addon-fit.mjs": "lib/addon-fit.mjs"},
    ),
    Library(
        "xterm-pty",
        "0.12.0",
        "sha512-xtJRZaFaHgJwI0Uq2Rw0ckL4b1fNe4OaJUhEes9e3aOfC46Z5RAR2W5P/8NUy2bJRXIT"
        "XiSpgS3kM+hMUyZgcQ==",
        {"xterm-pty.mjs": "index.mjs"},
        "LICENSE.txt",
    ),
    Library(
        "uplot",
        "1.6.32",
        "sha512-KIMVnG68zvu5XXUbC4LQEPnhwOxBuLyW1AHtpm6IKTXImkbLgkMy+jabjLgSLMasNuGG"
        "zQm/ep3tOkyTxpiQIw==",
        {"uplot.mjs": "dist/uPlot.esm.js", "uplot.css": "dist/uPlot.min.css"},
    ),
)


def _libraries(ctx: Context) -> None:
    for library in LIBRARIES:
        tarball = ctx.npm_fetch(library.package, library.version, library.integrity)
        scratch = ctx.work / library.short
        scratch.mkdir(exist_ok=True)
        ctx.run(["tar", "-xf", str(tarball), "-C", str(scratch)])
        package = scratch / "package"
        for name, source in library.files.items():
            _copy(package / source, ctx.out / name)
        licence = f"LICENSE-{library.short}.txt"
        shutil.copyfile(package / library.licence, ctx.out / licence)
    versions = {library.package: library.version for library in LIBRARIES}
    (ctx.out / VERSIONS).write_text(json.dumps(versions, indent=2) + "\n")


def _copy(source: Path, target: Path) -> None:
    """Copy a file without the comment that names a source map: the page has none."""
    text = source.read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith("//# sourceMappingURL=")]
    target.write_text("".join(kept), encoding="utf-8")


STEPS: list[Step] = [
    Step(
        name=PRODUCT,
        title="libraries of the page",
        files=("bench/build/recipes/page.py",),
        values=(),
        needs=(),
        action=_libraries,
        minutes=0.1,
        packages=("npm",),
    ),
]
