"""What `Net("model.nnm")` means where no file has that name: the newest whole `model.N.nnm`, or one in ROMFS.

`nnmicro push` writes numbered files on FAT, where a rename over a file removes the old one first; the number counts up.
A file is whole if it has the size that its header says and the header has its checksum. The engine imports this only
where the plain name does not exist.
"""

from os import listdir, stat

from .port import const, crc32

_EXTENSION = ".nnm"
_HEADER_BYTES = const(128)
_BLOCK = const(4096)
# After the ROMFS header (7 bytes) and the header of a padding record (2): a mark, a number, a length, a checksum.
_MARK = b"nnmicro\x01"
_RECORDS_AT = const(27)


def newest(path):
    """The path that stands for `path`, or `path` itself where nothing does: opening it then says that it is missing."""
    folder, _, name = path.rpartition("/")
    if path[0:1] == "/" and not folder:
        folder = "/"
    found = numbered(folder, name)
    found.sort()
    found.reverse()
    for _, candidate in found:
        if is_whole(candidate):
            return candidate
    return _in_romfs(name) or path


def numbered(folder, name):
    """[(number, path)] of the generations of the model `name` in a folder."""
    if not name.endswith(_EXTENSION):
        return []
    stem = name[: -len(_EXTENSION)] + "."
    found = []
    try:
        entries = listdir(folder or ".")
    except OSError:
        return found
    for entry in entries:
        number = entry[len(stem) : -len(_EXTENSION)]
        if entry.startswith(stem) and entry.endswith(_EXTENSION) and number.isdigit():
            found.append((int(number), ("" if not folder else folder.rstrip("/") + "/") + entry))
    return found


def is_whole(path):
    """Whether a file has the size and the checksum that its header says."""
    try:
        with open(path, "rb") as file:
            header = file.read(_HEADER_BYTES)
            if len(header) < _HEADER_BYTES or header[:4] != b"NNM\x1a":
                return False
            words = tuple(int.from_bytes(header[i : i + 4], "little") for i in range(0, _HEADER_BYTES, 4))
            if not 0 < words[4] <= 64 or file.seek(0, 2) != words[2]:
                return False
            file.seek(_HEADER_BYTES)
            return crc32(file.read(16 * words[4]), crc32(header[:124])) == words[31]
    except OSError:
        return False


def _in_romfs(name):
    """The path of a model in ROMFS, which is mounted from its second directory where the first is not whole.

    `nnmicro push --romfs` writes two directories, one after the other, into the first two blocks; only the first is
    mounted when the board starts (host_tools/device/romfs_image.py has the format).
    """
    path = "/rom/" + name
    try:
        stat(path)
        return path
    except OSError:
        pass
    try:
        import vfs

        second = memoryview(vfs.rom_ioctl(2, 0))[_BLOCK:]
        records = second[_RECORDS_AT : _RECORDS_AT + int.from_bytes(second[21:23], "little")]
        if bytes(second[9:17]) == _MARK and crc32(records) == int.from_bytes(second[23:27], "little"):
            vfs.mount(vfs.VfsRom(second), "/rom")
            stat(path)
            return path
    except (ImportError, AttributeError, OSError, TypeError):
        pass
    return None
