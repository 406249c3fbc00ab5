# The target of the receiver that writes into the ROMFS partition, block by block. What lies where is the host's affair.


class _Rom:
    _BLOCK = 4096

    def __init__(self):
        import sys

        self.unmounted = False
        self.at = self.start = self.size = 0
        self.seal = False
        try:
            import vfs

            self.vfs = vfs
            self.part = vfs.rom_ioctl(2, 0)
            self.memory = memoryview(self.part)
            self.why = ""
        except (ImportError, AttributeError, TypeError):
            self.why = "it has no ROMFS partition"
            return
        self.blocks = hasattr(self.part, "writeblocks")
        # Elsewhere preparing a write erases everything.
        if not self.blocks and sys.platform != "qemu":
            self.why = "the flash of its ROMFS partition can only be erased as a whole"
        elif self.blocks and self.part.ioctl(5, 0) != self._BLOCK:
            self.why = "its flash has blocks of %d bytes" % self.part.ioctl(5, 0)

    def begin(self, text):
        command, *numbers = text.split()
        return repr(getattr(self, "do_" + command)(*(int(number) for number in numbers)))

    def do_look(self):
        # Why this cannot be, the partition's size, and the beginnings of the two directories.
        from binascii import hexlify

        if self.why:
            return (self.why, 0, "", "")
        heads = []
        for base in (0, self._BLOCK):
            records = int.from_bytes(bytes(self.memory[base + 21 : base + 23]), "little")
            heads.append(hexlify(self.memory[base : base + 27 + min(records, self._BLOCK - 27)]).decode())
        return ("", len(self.memory), heads[0], heads[1])

    def do_write(self, start, size):
        # Then data follows, whole blocks of it, but for those whose checksums the sender finds right.
        from binascii import crc32

        self.at = self.start = start
        self.size = size
        self.seal = False
        return [crc32(self.memory[at : at + self._BLOCK]) for at in range(start, start + size, self._BLOCK)]

    def do_skip(self, count):
        self.at += count
        return self.at

    def do_directory(self, start):
        # What was one is none before anything else happens to it.
        if not self.unmounted:
            self.unmounted = True
            try:
                self.vfs.umount("/rom")
            except OSError:
                pass
        if bytes(self.memory[start : start + 3]) == b"\xd2\xcd\x31":
            self.put(start, bytes(4) + bytes(self.memory[start + 4 : start + 256]), False)
        self.at = self.start = start
        self.size = self._BLOCK
        self.seal = True
        return start

    def do_hash(self, start, size):
        return self.digest(start, size)

    def do_read(self, start, size):
        from binascii import hexlify

        return hexlify(self.memory[start : start + size]).decode()

    def put(self, at, data, erase=True):
        if not self.blocks:
            result = self.vfs.rom_ioctl(4, 0, at, data)
            if result < 0:
                raise OSError(-result)
            return
        block, offset = divmod(at, self._BLOCK)
        if erase and not offset:
            self.part.ioctl(6, block)
        self.part.writeblocks(block, data, offset)

    def write(self, data):
        self.put(self.at, data)
        self.at += len(data)

    def end(self):
        if self.seal:
            # A directory is one from here on: it was sent without its first four bytes.
            page = b"\xd2\xcd\x31\x80" + bytes(self.memory[self.start + 4 : self.start + 256])
            self.put(self.start, page, False)
        return repr(self.digest(self.start, self.size))

    def digest(self, start, size):
        try:
            from hashlib import sha256
        except ImportError:
            return ""
        return "".join("%02x" % byte for byte in sha256(self.memory[start : start + size]).digest())

    def close(self):
        if self.unmounted:
            try:
                self.vfs.mount(self.vfs.VfsRom(self.part), "/rom")
            except OSError:
                pass
