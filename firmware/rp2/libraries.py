"""The libraries of MicroPython's rp2 port that the distribution's MicroPython source leaves out.

Each is taken from the MicroPython source where that has it (a checkout with its submodules), else from a
Debian package of the table below, with its checksum.
"""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from firmware import apt, cache, source
from firmware.errors import FirmwareError, SourceUnavailable
from firmware.progress import step

_UNPACK_TIMEOUT_S = 120


@dataclass(frozen=True)
class Library:
    """A library at `lib/<name>` of the MicroPython source, and the Debian package that has it too.

    `file` is what is downloaded: a binary package (unpacked, not installed) with the library at `folder`, or
    the original tarball of a source package. `proof` is a file that tells whether a folder holds the library.
    """

    name: str
    proof: str
    package: str
    version: str
    suite: str
    file: str
    sha256: str
    folder: str = ""


# Of Debian 13; MicroPython 1.25 and 1.26 were written for SDK 2.1, tinyusb 0.18 and mbedtls 3.6.
LIBRARIES = (
    Library(
        "pico-sdk",
        "pico_sdk_init.cmake",
        "pico-sdk-source",
        "2.1.1-1",
        "trixie",
        "pico-sdk-source_2.1.1-1_all.deb",
        "507a3ca37636641bc90239d7c04dc9dc28c5008087a8162102ea94d2273153d3",
        "usr/src/pico-sdk",
    ),
    Library(
        "tinyusb",
        "src/tusb.c",
        "tinyusb-source",
        "0.18.0+dfsg-1",
        "trixie",
        "tinyusb-source_0.18.0+dfsg-1_all.deb",
        "01ce2c645df68f14a8a7dcfc8fb355713152543757955820479a87949a61154e",
        "usr/src/tinyusb",
    ),
    Library(
        "mbedtls",
        "library/sha256.c",
        "mbedtls",
        "3.6.6-0.1~deb13u1",
        "trixie",
        "mbedtls_3.6.6.orig.tar.bz2",
        "8fb65fae8dcae5840f793c0a334860a411f884cc537ea290ce1c52bb64ca007a",
    ),
)


def identity() -> str:
    """What of this goes into a build, for its name in the cache."""
    return repr([(library.name, library.sha256) for library in LIBRARIES])


def provide(micropython: Path) -> dict[str, Path]:
    """The folder of each library by its name, fetched where neither the source nor the cache has it."""
    own = {library.name: micropython / "lib" / library.name for library in LIBRARIES}
    absent = [library for library in LIBRARIES if not (own[library.name] / library.proof).is_file()]
    if absent:
        with cache.locked("rp2-libraries"):
            kept = {library.name: _kept(library) for library in absent}
            to_fetch = [library for library in absent if not kept[library.name].is_dir()]
            if to_fetch:
                _fetch(to_fetch)
            own |= kept
    return own


def _kept(library: Library) -> Path:
    return cache.folder() / "rp2-libraries" / f"{library.name}-{library.sha256[:16]}"


def _fetch(libraries: Sequence[Library]) -> None:
    downloads = cache.folder() / "downloads"
    downloads.mkdir(parents=True, exist_ok=True)
    wanted = [
        library
        for library in libraries
        if not (downloads / library.file).is_file() or cache.hash_file(downloads / library.file) != library.sha256
    ]
    if wanted:
        names = ", ".join(library.name for library in wanted)
        with step(f"Downloading {names} (up to 9 MB, and 22 MB of package index)"):
            _download(wanted, downloads)
    for library in libraries:
        with cache.unfinished(_kept(library)) as work:
            _unpack(library, downloads / library.file, work)
            if not (work / library.proof).is_file():
                raise FirmwareError(f"{library.file} has no {library.proof}: it is not {library.name}.")


def _download(libraries: Sequence[Library], downloads: Path) -> None:
    reasons = []
    for archive in apt.debian_archives(apt.machine_sources()):
        with tempfile.TemporaryDirectory(prefix="apt-", dir=downloads) as scratch:
            try:
                found = _download_from(archive, libraries, Path(scratch))
            except SourceUnavailable as error:
                reasons.append(str(error))
                continue
            for library in libraries:
                source.check_sha256(found / library.file, library.sha256)
                shutil.move(found / library.file, downloads / library.file)
            return
    raise FirmwareError(
        f"{', '.join(library.name for library in libraries)} cannot be had here: "
        f"{'; '.join(reasons) or 'apt names no Debian archive on this machine'}. "
        "Set MICROPYTHON to a checkout of MicroPython with the submodules of its rp2 port."
    )


def _download_from(archive: str, libraries: Sequence[Library], scratch: Path) -> Path:
    """A folder with the files of all libraries, by apt with a private configuration (see firmware.apt)."""
    private = scratch / "apt"
    for part in ("lists/partial", "cache/archives/partial", "files"):
        (private / part).mkdir(parents=True)
    (private / "status").touch()
    suites = sorted({library.suite for library in libraries})
    (private / "sources.list").write_text(
        "".join(
            f"{kind} [signed-by={apt.KEYRING}] {archive} {suite} main\n"
            for suite in suites
            for kind in ("deb", "deb-src")
        )
    )
    (private / "apt.conf").write_text(apt.configuration(private))
    apt.apt_get(private, "update")
    for library in libraries:
        what = f"{library.package}={library.version}"
        if library.folder:
            apt.apt_get(private, "download", what)
        else:
            apt.apt_get(private, "source", "--download-only", what)
        if not (private / "files" / library.file).is_file():
            raise SourceUnavailable(f"the package {library.package} {library.version} has no {library.file}")
    return private / "files"


def _unpack(library: Library, file: Path, work: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="unpack-", dir=work.parent) as name:
        unpacked = Path(name)
        try:
            if library.folder:
                subprocess.run(
                    ["dpkg-deb", "-x", str(file), name],
                    check=True,
                    capture_output=True,
                    timeout=_UNPACK_TIMEOUT_S,
                )
                inside = unpacked / library.folder
            else:
                with tarfile.open(file) as archive:
                    if hasattr(tarfile, "data_filter"):
                        archive.extractall(unpacked, filter="data")
                    else:
                        archive.extractall(unpacked)
                (inside,) = unpacked.iterdir()
        except (OSError, ValueError, tarfile.TarError, subprocess.SubprocessError) as error:
            raise FirmwareError(f"{file} could not be unpacked: {error}") from None
        for entry in inside.iterdir():
            entry.rename(work / entry.name)
