"""Fetches a source package from the archive that this machine's own apt uses.

The system's apt is neither changed nor asked to install anything: a private configuration in a scratch folder
names the archive and suite, and apt verifies the download with the distribution's keyring.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from firmware.errors import SourceUnavailable

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_SUITES = {"oldstable", "stable", "testing", "unstable", "sid", "bookworm", "trixie", "forky", "duke"}
_SCHEMES = ("http://", "https://", "file:/", "copy:/")
_TIMEOUT_S = 300


@dataclass(frozen=True)
class AptSource:
    """One archive of apt's configuration, with the suites and components taken from it."""

    uri: str
    suites: tuple[str, ...]
    components: tuple[str, ...]


def parse_list(text: str) -> Iterator[AptSource]:
    """The archives of a one-line-style file (`sources.list`)."""
    for line in text.splitlines():
        line = line.split("#", 1)[0].strip()
        match = re.match(r"deb(?:-src)?\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s*(.*)", line)
        if match:
            yield AptSource(match[1], (match[2],), tuple(match[3].split()))


def parse_deb822(text: str) -> Iterator[AptSource]:
    """The archives of a deb822-style file (`*.sources`): stanzas of `Field: values`."""
    for stanza in re.split(r"\n[ \t]*\n", text):
        fields: dict[str, str] = {}
        name = ""
        for line in stanza.splitlines():
            if line.startswith("#"):
                continue
            if line[:1] in (" ", "\t"):
                if name:
                    fields[name] += " " + line.strip()
            elif ":" in line:
                name, value = line.split(":", 1)
                name = name.strip().lower()
                fields[name] = value.strip()
        if fields.get("enabled", "yes").lower() in ("no", "false", "0", "off"):
            continue
        for uri in fields.get("uris", "").split():
            yield AptSource(uri, tuple(fields.get("suites", "").split()), tuple(fields.get("components", "").split()))


def machine_sources(etc: Path = Path("/etc/apt")) -> list[AptSource]:
    """All archives that this machine's apt is configured with."""
    found: list[AptSource] = []
    for path in [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))]:
        if not path.is_file():
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        if path.suffix == ".list":
            found.extend(parse_list(text))
        elif path.suffix == ".sources":
            found.extend(parse_deb822(text))
    return found


def debian_archives(sources: list[AptSource]) -> list[str]:
    """Addresses of Debian's main archive among `sources`, in their order, without security updates."""
    uris: list[str] = []
    for source in sources:
        is_debian = any(suite.split("-")[0] in _SUITES and "security" not in suite for suite in source.suites)
        if is_debian and "main" in source.components and source.uri.startswith(_SCHEMES):
            uri = source.uri.rstrip("/")
            if "security" not in uri.rsplit("/", 1)[-1] and uri not in uris:
                uris.append(uri)
    return uris


def fetch_source(package: str, version: str, suite: str, scratch: Path) -> list[Path]:
    """Download the files of a Debian source package into `scratch`; SourceUnavailable says why not."""
    if shutil.which("apt-get") is None:
        raise SourceUnavailable("this machine has no apt-get")
    if not KEYRING.exists():
        raise SourceUnavailable(f"this machine has no Debian keyring ({KEYRING}) to verify Debian's packages with")
    archives = debian_archives(machine_sources())
    if not archives:
        raise SourceUnavailable("this machine's apt sources name no Debian archive")
    reasons = []
    for archive in archives:
        try:
            return _fetch_from(archive, package, version, suite, scratch)
        except SourceUnavailable as error:
            reasons.append(str(error))
    raise SourceUnavailable("; ".join(reasons))


def _fetch_from(archive: str, package: str, version: str, suite: str, scratch: Path) -> list[Path]:
    private = scratch / "apt"
    shutil.rmtree(private, ignore_errors=True)
    for part in ("lists/partial", "cache/archives/partial", "files"):
        (private / part).mkdir(parents=True)
    (private / "status").touch()
    (private / "sources.list").write_text(f"deb-src [signed-by={KEYRING}] {archive} {suite} main\n")
    (private / "apt.conf").write_text(configuration(private))
    apt_get(private, "update")
    apt_get(private, "source", "--download-only", f"{package}={version}")
    return sorted((private / "files").iterdir())


def configuration(private: Path) -> str:
    # An archive whose suite has moved on is fine here: what counts is the checksum in our own table.
    settings = {
        "Dir::Etc::Parts": "/dev/null",
        "Dir::Etc::Main": "/dev/null",
        "Dir::Etc::SourceList": f"{private}/sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::Etc::PreferencesParts": "/dev/null",
        "Dir::State::Lists": f"{private}/lists",
        "Dir::State::status": f"{private}/status",
        "Dir::Cache": f"{private}/cache",
        "Acquire::Languages": "none",
        "Acquire::Check-Valid-Until": "false",
        "Acquire::Check-Date": "false",
        "Acquire::Retries": "3",
        "APT::Sandbox::User": "root",
    }
    lines = [f'{name} "{value}";' for name, value in settings.items()]
    # The machine's way into the network (a proxy, its certificates) stays in force.
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    lines += [line for line in dump.stdout.splitlines() if re.match(r"Acquire::https?::", line)]
    return "\n".join(lines) + "\n"


def apt_get(private: Path, *arguments: str) -> None:
    command = ["apt-get", "-qq", *arguments]
    environment = {
        "APT_CONFIG": str(private / "apt.conf"),
        "LC_ALL": "C",
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    }
    try:
        done = subprocess.run(
            command,
            cwd=private / "files",
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SourceUnavailable(f"`{' '.join(command)}` did not finish within {_TIMEOUT_S} s") from None
    if done.returncode != 0:
        errors = [line for line in done.stderr.splitlines() if line.startswith("E:")] or done.stderr.splitlines()
        raise SourceUnavailable(f"`{' '.join(command)}` said: {' '.join(errors[:2]) or 'nothing'}")
