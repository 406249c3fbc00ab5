# Takes frames from standard input and hands what is in them to a target, one answer line for each frame.
#
# A frame is 14 bytes of text and a payload: a letter, five hexadecimal digits of the payload's length, eight of the
# CRC-32 of what it holds. Letters: s bytes for the target, d the same deflated, o begin, c end, q quit. In a frame with
# a capital letter the bytes 3, 13 and 27 are escaped: a byte 3 stays the Ctrl-C that interrupts, and a standard input
# that is text turns 13 into 10.
#
# The sender waits for each answer, so that no board's input buffer overflows while its flash is written.


def _receive(target, chunk, window):
    import sys

    try:
        from binascii import crc32
    except ImportError:
        crc32 = None
    source = getattr(sys.stdin, "buffer", sys.stdin)
    head = bytearray(14)
    room = memoryview(bytearray(chunk + max(chunk // 8, 256)))
    plain = memoryview(bytearray(chunk))

    def take(into):
        got = 0
        while got < len(into):
            got += source.readinto(into[got:]) or 0
        return into

    while True:
        take(memoryview(head))
        kind = chr(head[0])
        data = take(room[: int(str(head[1:6], "ascii"), 16)])
        if kind < "a":
            kind = kind.lower()
            data = bytes(data).replace(b"\x1b2", b"\r").replace(b"\x1b1", b"\x03").replace(b"\x1b0", b"\x1b")
        if kind == "d":
            import deflate
            import io

            data = plain[: deflate.DeflateIO(io.BytesIO(data), deflate.RAW, window).readinto(plain)]
        if crc32 and crc32(data) != int(str(head[6:], "ascii"), 16):
            raise ValueError("damaged on the way")
        if kind == "q":
            return
        if kind == "o":
            print(target.begin(str(data, "utf-8")))
        elif kind == "c":
            print(target.end())
        else:
            target.write(data)
            print()
