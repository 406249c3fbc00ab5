# Runs on the device, in the prompt's globals; host_tools/remote/inference.py calls these functions.
import binascii
import gc
import time

import nnmicro


class _Run:
    net = ex = golden = None


def nn_load(path, backend, weights, window):
    _Run.net = _Run.ex = _Run.golden = None
    gc.collect()
    _Run.net = nnmicro.Net(path, nnmicro.Option(backend=backend, weights=weights, window=window))
    print(repr(_Run.net.weights_from))


def nn_open(lightmode, outputs, keep):
    # The old extractor's memory goes before a new one asks for its own.
    if _Run.ex:
        _Run.ex.close()
        _Run.ex = None
    gc.collect()
    _Run.ex = _Run.net.extractor(outputs=outputs, keep=keep, lightmode=lightmode)
    print((_Run.net.backend, _Run.ex.arena.size))


def nn_give(name, start, data):
    view = _Run.ex.input_view(name).view()
    view[start : start + len(data)] = data


def nn_feed(name, data):
    _Run.ex.feed(name, data, True)


def nn_infer(names):
    gc.collect()
    _Run.ex.arena.reset_peak()
    start = time.ticks_us()
    for name in names:
        _Run.ex.extract(name)
    took = time.ticks_diff(time.ticks_us(), start)
    print((took, _Run.ex.arena.live_peak, _Run.ex.placement))


def nn_heap(names):
    # Growth of the heap over one extraction, with the collector off; None where the heap is too small for that.
    gc.collect()
    gc.disable()
    try:
        before = gc.mem_alloc()
        for name in names:
            _Run.ex.extract(name)
        grown = gc.mem_alloc() - before
    except MemoryError:
        grown = None
    finally:
        gc.enable()
    print(grown)


def nn_take(name, chunk):
    view = _Run.ex.extract(name).view()
    for at in range(0, len(view), chunk):
        print(str(binascii.b2a_base64(view[at : at + chunk]), "utf-8").strip())


def nn_reset():
    _Run.ex.reset()


def nn_reset_state():
    _Run.ex.reset_state()


def nn_golden():
    from nnmicro.selftest import Vectors

    _Run.golden = Vectors(_Run.net)
    print((_Run.golden.count,))


def nn_golden_vector(vector):
    # One line for each output: the largest difference, and what is allowed; as text, for it may be nan.
    for _, worst, allowed in _Run.golden.differences(_Run.ex, vector):
        print((str(worst), str(allowed)))
