# Prints (path below the folder, size, SHA-256 or '') of every file.


def _hashes(folder, prefix):
    import os

    try:
        from hashlib import sha256
    except ImportError:
        sha256 = None
    try:
        entries = list(os.ilistdir(folder))
    except OSError:
        return
    for entry in entries:
        path = folder + "/" + entry[0]
        if entry[1] & 0x4000:
            _hashes(path, prefix + entry[0] + "/")
            continue
        digest = ""
        if sha256:
            h = sha256()
            b = memoryview(bytearray(512))
            with open(path, "rb") as f:
                while True:
                    n = f.readinto(b)
                    if not n:
                        break
                    h.update(b[:n])
            digest = "".join("%02x" % n for n in h.digest())
        print((prefix + entry[0], os.stat(path)[6], digest))
