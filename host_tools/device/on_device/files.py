# The target of the receiver that writes files: beside their name, hashed there, and renamed when the hash is right.


class _Files:
    def __init__(self, suffix, room):
        self.suffix = suffix
        self.room = memoryview(bytearray(room))
        self.file = None
        self.unflushed = 0
        self.free = {}

    def digest(self, path):
        # '' where there is no hashlib.
        try:
            from hashlib import sha256

            state = sha256()
        except (ImportError, AttributeError):
            return ""
        with open(path, "rb") as file:
            while True:
                n = file.readinto(self.room)
                if not n:
                    break
                state.update(self.room[:n])
        return "".join("%02x" % byte for byte in state.digest())

    def size(self, path):
        # -1: nothing there, -2: a folder.
        import os

        try:
            status = os.stat(path)
        except OSError:
            return -1
        return -2 if status[0] & 0x4000 else status[6]

    def begin(self, text):
        # Four lines: path, size, hash, and whether what an earlier transfer left may be continued. The answer: is it
        # there already, how much of it an earlier transfer left and the hash of that, and blocks that are free.
        import os

        self.path, size, self.wanted, again = text.split("\n")
        self.part = self.path + self.suffix
        there = self.size(self.path)
        if there == -2:
            return ("folder", 0, "", 0, 0)
        if there == int(size) and self.digest(self.path) == self.wanted:
            return ("same", 0, "", 0, 0)
        left = max(0, self.size(self.part))
        digest = self.digest(self.part) if left > 0 and again else ""
        folder = self.path.rpartition("/")[0] or "/"
        if folder not in self.free:
            # Once for each folder: littlefs goes through all files to count.
            try:
                self.free[folder] = os.statvfs(folder)
            except AttributeError:
                # Without statvfs the write itself will tell.
                self.free[folder] = (1 << 29,) * 5
            except OSError:
                return ("no folder", 0, "", 0, 0)
        self.mode = "ab" if digest else "wb"
        return ("send", left, digest, self.free[folder][0], self.free[folder][4])

    def opened(self):
        if self.file is None:
            self.file = open(self.part, self.mode)
        return self.file

    def write(self, data):
        if self.opened().write(data) != len(data):
            raise OSError(28)
        # What is not flushed is lost with the power, and has to be sent again.
        self.unflushed += len(data)
        if self.unflushed >= 32768:
            self.file.flush()
            self.unflushed = 0

    def end(self):
        import os

        self.opened()
        self.close()
        digest = self.digest(self.part)
        if digest == self.wanted:
            if self.suffix:
                os.rename(self.part, self.path)
        elif digest:
            os.remove(self.part)
        return repr(digest)

    def close(self):
        if self.file:
            self.file.close()
            self.file = None
