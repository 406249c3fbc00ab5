"""Where MicroPython's source comes from: the distribution's source package, or what $MICROPYTHON names.

Only releases in the table below are taken from an archive, and only with their checksum, so that the same
commit of nnmicro builds the same MicroPython everywhere.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from firmware import apt, cache
from firmware.errors import FirmwareError, SourceUnavailable
from firmware.progress import step

_NEEDED = ("py/py.mk", "ports/unix/Makefile", "shared/runtime/pyexec.c")
_WAY_OUT = "Set MICROPYTHON to a checkout of MicroPython 1.25 or newer, or to a tarball of its source."


@dataclass(frozen=True)
class Release:
    """A source package that is known to build: its version, suite, tarball and the tarball's SHA-256."""

    version: str
    suite: str
    tarball: str
    sha256: str


# In the order in which they are tried. Suites move on; a release stays here as long as some suite has it.
RELEASES = (
    Release(
        "1.26.1+ds-1",
        "sid",
        "micropython_1.26.1+ds.orig.tar.xz",
        "f5ad2ec89d3e921f753d448955af98b6005655f84ba26087dde6ba0e8d062f34",
    ),
    Release(
        "1.25.0+ds-1",
        "trixie",
        "micropython_1.25.0+ds.orig.tar.xz",
        "7b25be99a502f070b2de81dafc08da7051d992325d6e67daa9045a918fffdbea",
    ),
)


@dataclass(frozen=True)
class Source:
    """A MicroPython source: its identity (a hash), and a folder, a tarball or a release still to fetch."""

    identity: str
    folder: Path | None = None
    tarball: Path | None = None
    release: Release | None = None


def candidates() -> list[Source]:
    """The sources that may be built from, best first; nothing is fetched yet."""
    own = os.environ.get("MICROPYTHON")
    if own:
        return [_from_path(Path(own).expanduser().absolute())]
    sources = [Source(release.sha256, release=release) for release in RELEASES]
    chosen = _chosen_before()
    return sorted(sources, key=lambda source: source.identity != chosen)


def _chosen_before() -> str:
    """What `first_available` fell back to earlier: a release that is gone is not looked for every time."""
    with contextlib.suppress(OSError):
        return _choice_file().read_text().strip()
    return ""


def _choice_file() -> Path:
    table = hashlib.sha256(repr(RELEASES).encode()).hexdigest()[:16]
    return cache.folder() / "micropython" / f"chosen-{table}"


def _from_path(path: Path) -> Source:
    if path.is_dir():
        _check_is_micropython(path)
        return Source(_checkout_identity(path), folder=path)
    if path.is_file():
        return Source(cache.hash_file(path), tarball=path)
    raise FirmwareError(f"MICROPYTHON is set to {path}, where there is neither a folder nor a file.")


def _checkout_identity(path: Path) -> str:
    """A hash over names, sizes and times: reading every file at each start would take seconds."""
    digest = hashlib.sha256(str(path).encode())
    for part in ("py", "extmod", "shared", "lib", "ports/unix", "tools"):
        for root, folders, files in os.walk(path / part):
            folders[:] = sorted(name for name in folders if not name.startswith((".", "build-", "__pycache__")))
            for name in sorted(files):
                status = os.stat(os.path.join(root, name), follow_symlinks=False)
                digest.update(f"{root}/{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _check_is_micropython(path: Path) -> None:
    missing = [name for name in _NEEDED if not (path / name).is_file()]
    if missing:
        raise FirmwareError(f"{path} is no MicroPython source: it lacks {', '.join(missing)}. {_WAY_OUT}")


def provide(source: Source) -> Path:
    """The folder with the source's files, fetched and unpacked where that has not been done before."""
    if source.folder is not None:
        return source.folder
    target = cache.folder() / "micropython" / source.identity[:16]
    with cache.locked("micropython-source"):
        if target.is_dir():
            return target
        tarball = source.tarball if source.tarball is not None else _download(source)
        with step(f"Unpacking {tarball.name}"), cache.unfinished(target) as work:
            _unpack(tarball, work)
            _check_is_micropython(work)
    return target


def _download(source: Source) -> Path:
    release = source.release
    assert release is not None
    kept = cache.folder() / "downloads" / release.tarball
    if kept.is_file() and cache.hash_file(kept) == release.sha256:
        return kept
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="apt-", dir=kept.parent) as scratch:
        with step(f"Downloading the source of MicroPython {release.version} (6 MB, and 12 MB of package index)"):
            files = apt.fetch_source("micropython", release.version, release.suite, Path(scratch))
        found = [path for path in files if path.name == release.tarball]
        if not found:
            raise SourceUnavailable(f"the source package {release.version} has no {release.tarball}")
        check_sha256(found[0], release.sha256)
        shutil.move(found[0], kept)
    return kept


def check_sha256(path: Path, expected: str) -> None:
    """Refuse a file that is not the one meant."""
    got = cache.hash_file(path)
    if got != expected:
        raise FirmwareError(
            f"{path.name} is not the file that nnmicro was tested with: its SHA-256 is {got}, "
            f"expected {expected}. Nothing of it was used."
        )


def _unpack(tarball: Path, target: Path) -> None:
    """Unpack into `target`, without the one folder that everything in the tarball lies in."""
    try:
        with tarfile.open(tarball) as archive:
            if hasattr(tarfile, "data_filter"):
                archive.extractall(target, filter="data")
            else:
                archive.extractall(target)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise FirmwareError(f"{tarball} could not be unpacked: {error}") from None
    entries = list(target.iterdir())
    if len(entries) == 1 and entries[0].is_dir():
        inner = entries[0].rename(target / ".unpacked")
        for entry in inner.iterdir():
            entry.rename(target / entry.name)
        inner.rmdir()


def first_available(sources: list[Source]) -> tuple[Source, Path]:
    """The first of `sources` that can be had, and its folder."""
    reasons = []
    for source in sources:
        try:
            folder = provide(source)
        except SourceUnavailable as error:
            version = source.release.version if source.release else source.identity
            reasons.append(f"MicroPython {version}: {error}.")
            continue
        if source.release is not None:
            _choice_file().write_text(source.identity)
        return source, folder
    raise FirmwareError("MicroPython's source cannot be had here. " + " ".join(reasons) + " " + _WAY_OUT)
