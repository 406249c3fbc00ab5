"""Where MicroPython's source comes from, and that only the right one is built."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import threading
from pathlib import Path

import pytest

from firmware import FirmwareError, apt, build, cache, source, system_packages
from firmware.errors import SourceUnavailable

DEB822 = """\
# a comment
Types: deb
URIs: http://archive.example/debian https://mirror.example/debian/
Suites: bookworm bookworm-updates
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBF
 -----END PGP PUBLIC KEY BLOCK-----

Types: deb
URIs: http://archive.example/debian-security
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: http://disabled.example/debian
Suites: sid
Components: main
"""
LIST = """\
# deb http://commented.example/debian bookworm main
deb [arch=amd64 signed-by=/usr/share/keyrings/x.gpg] http://archive.example/debian bookworm main contrib # why
deb-src http://source.example/debian trixie main
deb cdrom:[Debian 12]/ bookworm main
deb http://other.example/ubuntu noble main
"""


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NNMICRO_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MICROPYTHON", raising=False)
    return tmp_path / "cache"


def tarball(path: Path, files: dict[str, str]) -> Path:
    with tarfile.open(path, "w:xz") as archive:
        for name, content in files.items():
            inside = path.parent / "content"
            inside.write_text(content)
            archive.add(inside, f"micropython-9.9/{name}")
    return path


def test_deb822_sources_are_read() -> None:
    found = list(apt.parse_deb822(DEB822))
    assert [entry.uri for entry in found] == [
        "http://archive.example/debian",
        "https://mirror.example/debian/",
        "http://archive.example/debian-security",
    ]
    assert found[0].suites == ("bookworm", "bookworm-updates")
    assert found[0].components == ("main",)


def test_one_line_sources_are_read() -> None:
    assert list(apt.parse_list(LIST))[:2] == [
        apt.AptSource("http://archive.example/debian", ("bookworm",), ("main", "contrib")),
        apt.AptSource("http://source.example/debian", ("trixie",), ("main",)),
    ]


def test_only_debians_main_archive_counts() -> None:
    assert apt.debian_archives(list(apt.parse_deb822(DEB822))) == [
        "http://archive.example/debian",
        "https://mirror.example/debian",
    ]
    assert apt.debian_archives(list(apt.parse_list(LIST))) == [
        "http://archive.example/debian",
        "http://source.example/debian",
    ]


def test_both_kinds_of_files_are_found(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text(LIST)
    (tmp_path / "sources.list.d" / "debian.sources").write_text(DEB822)
    (tmp_path / "sources.list.d" / "debian.sources.bak").write_text(DEB822)
    assert len(apt.machine_sources(tmp_path)) == 3 + len(list(apt.parse_list(LIST)))


def test_another_file_than_the_tested_one_is_refused(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(package: str, version: str, suite: str, scratch: Path) -> list[Path]:
        found = scratch / source.RELEASES[0].tarball
        found.write_bytes(b"something else")
        return [found]

    monkeypatch.setattr(apt, "fetch_source", fetch)
    with pytest.raises(FirmwareError, match="is not the file that nnmicro was tested with"):
        source.first_available(source.candidates())
    assert not list(empty_cache.glob("micropython/*"))
    assert not list(empty_cache.glob("downloads/*.xz"))


def test_where_no_release_can_be_had_the_way_out_is_named(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apt, "KEYRING", Path("/no/such/keyring"))
    with pytest.raises(FirmwareError) as caught:
        source.first_available(source.candidates())
    assert "no Debian keyring" in str(caught.value)
    assert "Set MICROPYTHON" in str(caught.value)
    assert all(release.version in str(caught.value) for release in source.RELEASES)


def test_the_next_release_is_taken_and_remembered(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = tarball(empty_cache.parent / "good.tar.xz", dict.fromkeys(source._NEEDED, ""))
    releases = (
        source.Release("2-1", "sid", "gone.tar.xz", "0" * 64),
        source.Release("1-1", "trixie", "good.tar.xz", cache.hash_file(content)),
    )
    asked: list[str] = []

    def fetch(package: str, version: str, suite: str, scratch: Path) -> list[Path]:
        asked.append(version)
        if version == "2-1":
            raise SourceUnavailable("gone")
        copy = scratch / "good.tar.xz"
        copy.write_bytes(content.read_bytes())
        return [copy]

    monkeypatch.setattr(source, "RELEASES", releases)
    monkeypatch.setattr(apt, "fetch_source", fetch)
    chosen, folder = source.first_available(source.candidates())
    assert chosen.release == releases[1] and (folder / "py" / "py.mk").is_file()
    assert asked == ["2-1", "1-1"]
    source.first_available(source.candidates())
    assert asked == ["2-1", "1-1"]


def test_a_checkout_and_a_tarball_can_be_used_instead(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tarball(empty_cache.parent / "own.tar.xz", dict.fromkeys(source._NEEDED, ""))
    monkeypatch.setenv("MICROPYTHON", str(own))
    (from_tarball,) = source.candidates()
    folder = source.provide(from_tarball)
    monkeypatch.setenv("MICROPYTHON", str(folder))
    (checkout,) = source.candidates()
    assert source.provide(checkout) == folder
    (folder / "py" / "py.mk").write_text("changed")
    assert source.candidates()[0].identity != checkout.identity


def test_what_is_no_micropython_is_refused(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MICROPYTHON", str(empty_cache.parent))
    with pytest.raises(FirmwareError, match="is no MicroPython source"):
        source.candidates()
    monkeypatch.setenv("MICROPYTHON", str(empty_cache.parent / "nothing"))
    with pytest.raises(FirmwareError, match="neither a folder nor a file"):
        source.candidates()


def test_a_broken_tarball_leaves_nothing(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = empty_cache.parent / "broken.tar.xz"
    broken.write_bytes(b"\xfd7zXZ\x00 no more")
    monkeypatch.setenv("MICROPYTHON", str(broken))
    with pytest.raises(FirmwareError, match="could not be unpacked"):
        source.provide(source.candidates()[0])
    assert not [path for path in empty_cache.rglob("*") if path.is_dir() and path.name != "micropython"]


def test_an_interrupted_build_leaves_nothing_half(tmp_path: Path) -> None:
    target = tmp_path / "build"
    with pytest.raises(KeyboardInterrupt), cache.unfinished(target) as work:
        (work / "half").touch()
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
    # What a killed process could not clear up is removed by the next one.
    (tmp_path / "unfinished-build-old").mkdir()
    with cache.unfinished(target) as work:
        (work / "whole").touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["build", "whole"]


def test_two_builds_at_the_same_time_wait_for_each_other(empty_cache: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def build() -> None:
        with cache.locked("test"):
            inside.append(1)
            most.append(len(inside))
            threading.Event().wait(0.02)
            inside.pop()

    threads = [threading.Thread(target=build) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1, 1, 1, 1]


def test_missing_system_packages_are_named_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_packages.shutil, "which", lambda program: None)
    with pytest.raises(FirmwareError, match="apt-get install .* gcc make"):
        build.firmware("unix")


def test_a_failed_compilation_shows_the_end_of_its_log(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tarball(
        empty_cache.parent / "own.tar.xz",
        dict.fromkeys(source._NEEDED, "all: ; @echo no such thing; false"),
    )
    monkeypatch.setenv("MICROPYTHON", str(own))
    with pytest.raises(FirmwareError, match=r"(?s)did not compile.*no such thing"):
        build.firmware("unix")
    assert not list(empty_cache.glob("unix/*/micropython"))


def test_the_command_prints_the_path_alone() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "firmware.build", "unix", "--contents", "kernels"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(done.stdout.rstrip("\n")).is_file()
    wrong = subprocess.run([sys.executable, "-m", "firmware.build", "toaster"], capture_output=True, text=True)
    assert wrong.returncode == 2 and "usage:" in wrong.stderr and wrong.stdout == ""
