"""The examples in CONTRIBUTING.md compile, and the first is the template."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

INDENT = " " * 7
FLAGS = ("-std=c11", "-fsyntax-only", "-Wall", "-Wextra", "-Werror")


def examples(text: str) -> list[str]:
    """The blocks of C code: indented, each begins with an #include."""
    found: list[list[str]] = []
    inside = False
    for line in text.splitlines():
        if line.startswith(INDENT + "#include"):
            found.append([])
            inside = True
        elif line and not line.startswith(INDENT):
            inside = False
        if inside:
            found[-1].append(line.removeprefix(INDENT))
    return ["\n".join(lines).strip() + "\n" for lines in found]


def as_template(example: str) -> str:
    """The example under the template's name."""
    return example.replace("mine", "template").replace("Mine", "Template")


def main(root: Path, compiler: str) -> None:
    """Check the three examples."""
    policy, eviction, buffer = examples((root / "CONTRIBUTING.md").read_text())
    template = (root / "tiers/policies/template.c").read_text()
    code = template[template.index("#include") :]
    # The template's summary also says that it is one.
    assert as_template(policy) == re.sub('"to copy: ', '"', code)
    places = ("policies", "evictions", "buffers")
    for example, place in zip((policy, eviction, buffer), places, strict=True):
        argv = [compiler, *FLAGS, f"-I{root / 'tiers' / place}", "-xc", "-"]
        subprocess.run(argv, input=example, text=True, check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
