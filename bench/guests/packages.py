"""Fetch Debian packages of a foreign architecture and take files out of them.

apt does the work, with a state of its own in the cache: the host's list of
architectures and its package lists stay as they are. Sources and keys are the
host's, so apt checks every package against Debian's signed index. Packages of
another suite come from the same archives.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bench.base.lock import locked
from bench.build import Context, SetupError
from bench.build.aptsources import deb_lines

UPDATE_AND_RETRY = "check the network and apt's sources, then run again"


@dataclass(frozen=True)
class Package:
    """One version of a package, as the signed index describes it."""

    name: str
    version: str
    sha256: str
    depends: str


@contextmanager
def foreign_apt(
    ctx: Context, architecture: str, suite: str = ""
) -> Iterator[ForeignApt]:
    """apt for packages of `architecture`, its lists read; one user at a time.

    The packages are of the system's own suite, unless another one is named.
    """
    apt = ForeignApt(ctx, architecture, suite)
    with locked(ctx.cache, apt.name):
        apt.update()
        yield apt


class ForeignApt:
    """apt for a foreign architecture, as foreign_apt() sets it up."""

    def __init__(self, ctx: Context, architecture: str, suite: str = "") -> None:
        self._ctx = ctx
        self.architecture = architecture
        self.name = "-".join(filter(None, ["apt", suite, architecture]))
        self._suite = suite
        self._state = ctx.cache / "downloads" / self.name
        self._update_error: SetupError | None = None

    def update(self) -> None:
        """Read the package lists.

        A mirror that is being synchronised may miss one suite. Then the other
        suites serve; package() fails if none of them has the package.
        """
        for directory in ("lists/partial", "archives/partial", "debs"):
            (self._state / directory).mkdir(parents=True, exist_ok=True)
        (self._state / "status").touch()
        if self._suite:
            (self._state / "sources.list").write_text(deb_lines(self._suite))
        try:
            self._ctx.run(["apt-get", *self._options(), "update"])
        except SetupError as error:
            self._update_error = SetupError(
                f"Debian's package lists of {self.architecture} cannot be read",
                error.why,
                UPDATE_AND_RETRY,
            )

    def package(self, name: str) -> Package:
        """The newest version of `name`."""
        return self.packages([name])[0]

    def packages(self, names: Iterable[str]) -> list[Package]:
        """The newest version of each of these packages."""
        names = list(names)
        command = ["apt-cache", *self._options(), "show"]
        command += ["--no-all-versions", *names]
        shown = subprocess.run(command, capture_output=True, text=True, check=False)
        found = {package.name: package for package in described(shown.stdout)}
        for name in names:
            if name in found:
                continue
            if self._update_error is not None:
                raise self._update_error
            raise SetupError(
                f"apt offers no package {name} of {self.architecture}",
                "none of apt's sources has it",
                UPDATE_AND_RETRY,
            )
        return [found[name] for name in names]

    def closure(
        self, names: Iterable[str], without: Iterable[str] = ()
    ) -> list[Package]:
        """The packages with all that they depend on, from an empty system.

        They come in the order in which apt would unpack them. Those of `without` are
        left out, although others depend on them.
        """
        asked = list(names)
        command = ["apt-get", *self._options(), "--simulate"]
        command += ["--no-install-recommends", "install", *asked]
        shown = subprocess.run(command, capture_output=True, text=True, check=False)
        if shown.returncode != 0:
            if self._update_error is not None:
                raise self._update_error
            raise SetupError(
                f"apt cannot resolve {' '.join(asked)} of {self.architecture}",
                _last_error(shown.stderr),
                UPDATE_AND_RETRY,
            )
        left_out = set(without)
        found = to_unpack(shown.stdout)
        return self.packages(name for name in found if name not in left_out)

    def download(self, package: Package) -> Path:
        """The package's file, complete and checked."""
        return self.download_all([package])[0]

    def download_all(self, packages: Iterable[Package]) -> list[Path]:
        """The files of the packages, in their order, each complete and checked."""
        packages = list(packages)
        directory = self._state / "debs"
        found = {p.name: self._matching(directory, p) for p in packages}
        missing = [p for p in packages if found[p.name] is None]
        if missing:
            asked = [f"{package.name}={package.version}" for package in missing]
            command = ["apt-get", *self._options(), "download", *asked]
            self._ctx.run(command, cwd=directory)
            found |= {p.name: self._matching(directory, p) for p in missing}
        files = []
        for package in packages:
            file = found[package.name]
            if file is None:
                raise SetupError(
                    f"the package {package.name} cannot be used",
                    "its checksum is not that of Debian's index",
                    UPDATE_AND_RETRY,
                )
            files.append(file)
        return files

    def _matching(self, directory: Path, package: Package) -> Path | None:
        """The right file of the package; its other files (old, cut off) are removed."""
        right = None
        for path in directory.glob(f"{package.name}_*.deb"):
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            if digest == package.sha256:
                right = path
            else:
                path.unlink()
        return right

    def _options(self) -> Iterator[str]:
        options = {
            "APT::Architecture": self.architecture,
            "APT::Architectures": self.architecture,
            # as the same user: apt's own user cannot enter the cache
            "APT::Sandbox::User": "root",
            "Dir::State": self._state,
            "Dir::State::lists": self._state / "lists",
            "Dir::State::status": self._state / "status",
            "Dir::Cache": self._state,
            "Dir::Cache::archives": self._state / "archives",
            "APT::Update::Error-Mode": "any",
            "Acquire::Languages": "none",
            "Acquire::Retries": 3,
            "Acquire::IndexTargets::deb-src::Sources::DefaultEnabled": "false",
        }
        if self._suite:
            options["Dir::Etc::sourcelist"] = self._state / "sources.list"
            options["Dir::Etc::sourceparts"] = "-"
        for key, value in options.items():
            yield "-o"
            yield f"{key}={value}"


def to_unpack(simulated: str) -> list[str]:
    """The names of the packages that a simulated apt-get would unpack, in order."""
    return re.findall(r"^Inst ([^ :]+)(?::[^ ]+)? ", simulated, re.MULTILINE)


def described(text: str) -> list[Package]:
    """The packages that `apt-cache show` describes, with checksums."""
    packages = []
    for stanza in text.split("\n\n"):
        fields = dict(re.findall(r"^([A-Za-z0-9-]+): (.*)$", stanza, re.MULTILINE))
        if "Package" in fields and "SHA256" in fields:
            packages.append(
                Package(
                    fields["Package"],
                    fields.get("Version", ""),
                    fields["SHA256"],
                    fields.get("Depends", ""),
                )
            )
    return packages


def _last_error(text: str) -> str:
    """The last error line of apt's, without its mark."""
    errors = [line for line in text.splitlines() if line.startswith("E: ")]
    return errors[-1].removeprefix("E: ") if errors else text.strip()


def first_dependency(package: Package, pattern: str) -> str:
    """The name of the first package that `package` needs and that matches."""
    for alternative in re.split(r"[,|]", package.depends):
        name = alternative.split("(")[0].strip()
        if re.fullmatch(pattern, name):
            return name
    raise SetupError(
        f"the package {package.name} is not as expected",
        f"it depends on nothing like {pattern}",
        "report this, with the output of apt-cache show",
    )


def extract(deb: Path, pattern: str) -> bytes:
    """The contents of the one regular file of `deb` whose path matches."""
    with subprocess.Popen(
        ["dpkg-deb", "--fsys-tarfile", str(deb)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        try:
            data = _first_member(process.stdout, pattern)
        except (tarfile.TarError, EOFError) as error:
            raise SetupError(
                f"{deb.name} cannot be unpacked",
                str(error),
                "remove it from the cache's downloads and run again",
            ) from error
        finally:
            # the rest, hundreds of MB of modules, is not read
            process.kill()
    if data is None:
        raise SetupError(
            f"{deb.name} is not as expected",
            f"no file in it matches {pattern}",
            "report this, with the package's version",
        )
    return data


def _first_member(stream: IO[bytes], pattern: str) -> bytes | None:
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            if member.isreg() and re.fullmatch(pattern, member.name.removeprefix("./")):
                file = archive.extractfile(member)
                return file.read() if file is not None else None
    return None
