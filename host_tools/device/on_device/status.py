# Prints what a device has to say about itself, one value a line: memory first, before the engine takes some of it.


def _largest():
    # The longest bytearray there is room for, to 16 bytes.
    import gc

    low, high = 0, gc.mem_free() + 1
    while high - low > 16:
        gc.collect()
        size = (low + high) // 2
        try:
            bytearray(size)
            low = size
        except MemoryError:
            high = size
    return low


def _flash():
    import os

    try:
        status = os.statvfs("/")
        return (status[0], status[3], status[2])
    except (AttributeError, OSError):
        return None


def _romfs():
    try:
        import vfs

        return len(memoryview(vfs.rom_ioctl(2, 0)))
    except (ImportError, AttributeError, TypeError):
        return None


def _engine():
    try:
        import nnmicro
        from nnmicro.format import VERSION
    except ImportError:
        return None
    try:
        import _nnmicro

        abi = _nnmicro.ABI
    except (ImportError, AttributeError):
        abi = None
    return (nnmicro.__version__, VERSION, abi, nnmicro.backends())


def _status():
    import gc

    gc.collect()
    print(repr((gc.mem_free(), _largest())))
    for each in (_flash, _romfs, _engine):
        print(repr(each()))


_status()
