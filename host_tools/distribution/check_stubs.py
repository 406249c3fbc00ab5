"""`python -m host_tools.distribution.check_stubs`: the engine's .pyi files against the engine, by mypy's stubtest.

The engine's classes have their seldom used methods in other files, from where they come when first asked for; here all
of them are brought in first, so that stubtest sees what an application sees.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

# Where the rest of each class is: asking for an attribute brings it.
_ASKED = {"net.Net": "details", "blob.Blob": "elements", "arena.Arena": "blocks", "extractor.Extractor": "search"}
# What MicroPython needs there (see nnmicro/modules.py), what interpreters differ in, what runs on boards only, what
# `__getattr__` answers itself.
_NOT_FOR_USERS = r"""
nnmicro\.(port|viper|asm_thumb)\..*
nnmicro\.(net|arena)\.(Net|Arena)\._rest
nnmicro\.extractor\.Extractor\.placement
nnmicro\..*\.__getattr__
nnmicro\.__getattr__
"""
# The sources are no typed code: MicroPython's own modules, pointers of viper, registers.
_SETTINGS = """
[mypy]
ignore_missing_imports = True
[mypy-nnmicro.port,nnmicro.viper.*,nnmicro.asm_thumb.*]
ignore_errors = True
"""


def main() -> int:
    """0 where they agree."""
    from mypy.stubtest import parse_options, test_stubs

    for path, home in _ASKED.items():
        module, _, name = path.partition(".")
        kind = getattr(import_module(f"nnmicro.{module}"), name)
        _bring(kind, home)
    with TemporaryDirectory() as folder:
        allowed = Path(folder) / "allowed"
        allowed.write_text(_NOT_FOR_USERS)
        settings = Path(folder) / "mypy.ini"
        settings.write_text(_SETTINGS)
        options = parse_options(
            ["nnmicro", "--mypy-config-file", str(settings), "--allowlist", str(allowed), "--ignore-unused-allowlist"]
        )
        return int(test_stubs(options))


def _bring(kind: type, home: str) -> None:
    """Give a class the methods of the class of its name in the module `home`."""
    rest = getattr(import_module(f"nnmicro.{home}"), kind.__name__)
    for name, value in vars(rest).items():
        if not name.startswith("__"):
            setattr(kind, name, value)


if __name__ == "__main__":
    sys.exit(main())
