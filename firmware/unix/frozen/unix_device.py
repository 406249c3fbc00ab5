"""Make this process look like a board: `micropython -X heapsize=H -m unix_device FOLDER H`.

FOLDER becomes the root of the file system, so that /lib is FOLDER/lib, and the boards' REPL serves standard
input and output. A soft reset starts the interpreter again in the same place, with a fresh heap.
"""

import os
import sys
import vfs

import rawrepl

_folder, _heap = sys.argv[1:]
_computer = vfs.VfsPosix()
_inside = vfs.VfsPosix(_folder)


class Root:
    """FOLDER as a file system. VfsPosix with a root is that already, but for renaming: it builds both names
    in the same buffer (up to MicroPython 1.26 at least), and so renames a file to itself."""

    def __getattr__(self, name):
        return getattr(_inside, name)

    def rename(self, old, new):
        _computer.rename(_outside(old), _outside(new))


def _outside(path):
    return _folder + path if path.startswith("/") else path


vfs.umount("/")
vfs.mount(Root(), "/")
os.chdir("/")
sys.argv.clear()
rawrepl.run((sys.executable, "-X", "heapsize=" + _heap, "-m", "unix_device", _folder, _heap))
