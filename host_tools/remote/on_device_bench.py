# Runs on the device after on_device.py; host_tools/remote/benchmark.py calls these functions.
import gc
import time

import micropython

try:
    from qemu import measure as nn_measure
    from qemu import measured as nn_measured

    nn_unit = "instructions"
except ImportError:
    nn_unit = "time_us"
    _Run.took = 0

    def nn_measure(f, *arguments):
        start = time.ticks_us()
        result = f(*arguments)
        _Run.took = time.ticks_diff(time.ticks_us(), start)
        return result

    def nn_measured():
        return _Run.took


class _Probe:
    # Stands before the native module and counts each layer's call of it, one layer a call.
    def __init__(self, native):
        self.native = native
        self.layer = -1

    def __getattr__(self, name):
        return getattr(self.native, name)

    def run(self, context, first, stop, mark, budget):
        after = nn_measure(self.native.run, context, first, stop, mark, 1)
        self.count = nn_measured()
        self.layer = after - 1 if after >= 0 else -1
        return after


class _Steps:
    # The same of a streamed model: a step at a time, added up for each layer.
    def __init__(self, stream, idle):
        self.stream = stream
        self.idle = idle
        self.native = stream.net.native
        self.counts = [0] * stream.net.n_layers
        self.in_python = set()

    def __getattr__(self, name):
        return getattr(self.native, name)

    def add(self, step):
        net = self.stream.net
        layer = net.words[self.stream._steps + 3 * step]
        self.counts[layer] += max(0, nn_measured() - self.idle)
        return layer

    def steps(self, context, first, count):
        after = nn_measure(self.native.steps, context, first, 1)
        if after > first:
            self.add(first)
        return after

    def run_step(self, stream, step):
        from nnmicro.stepping import run_step

        nn_measure(run_step, stream, step)
        self.in_python.add(self.add(step))


def nn_row_data(name, data):
    # Rows of an input that is fed: kept, to be given later.
    _Run.rows[name] = _Run.rows.get(name, b"") + data


_Run.rows = {}


def nn_ready():
    # What the host gave becomes the application's data, as bytes in RAM.
    whole = [name for name in _Run.net.inputs if name not in _Run.rows]
    _Run.given = [(name, _Run.ex.input_view(name).tobytes()) for name in whole]
    _Run.fed = list(_Run.rows.items())  # they come last: they are computed on as they are given


def nn_give_all():
    nn_inference(_Run.ex, _Run.given, _Run.fed, ())


def nn_inference(ex, given, fed, names):
    # No more than an application does.
    for name, data in given:
        ex.input(name, data)
    for name, data in fed:
        ex.feed(name, data, True)
    for name in names:
        ex.extract(name)


def nn_idle():
    # What counting itself costs: the call of a function that does nothing. The least of a few: an interrupt may come
    # in between.
    least = None
    for _ in range(8):
        nn_measure(nn_measured)
        count = nn_measured()
        if least is None or count < least:
            least = count
    return least


def nn_total(names):
    # With the heap locked, where that can be: MicroPython then has the frames of larger functions on the stack, and how
    # long it looks for free memory, wherever this heap's first holes are, is not counted.
    idle = nn_idle()
    for lock in (True, False):
        _Run.ex.reset()
        gc.collect()
        _Run.ex.arena.reset_peak()
        if lock:
            micropython.heap_lock()
        try:
            nn_measure(nn_inference, _Run.ex, _Run.given, _Run.fed, names)
            break
        except MemoryError:
            if not lock:
                raise
        finally:
            if lock:
                micropython.heap_unlock()
    print((max(0, nn_measured() - idle), _Run.ex.arena.live_peak))


def nn_again():
    # For a measurement of the heap: the inputs are given, nothing has run.
    _Run.ex.reset()
    nn_give_all()


def nn_stream_layers(names, idle):
    net, ex = _Run.net, _Run.ex
    kept = net.native, ex._native_feed, ex._run_step
    probe = _Steps(ex, idle)
    if net.native:
        net.native = probe
    ex._native_feed = None  # rows go in by Python, so that each step is seen
    ex._run_step = probe.run_step
    gc.collect()
    try:
        nn_again()
        for name in names:
            ex.extract(name)
    finally:
        net.native, ex._native_feed, ex._run_step = kept
    for layer, count in enumerate(probe.counts):
        print((layer, count, layer not in probe.in_python))


def nn_layers(names):
    # A line for each layer that ran: its number (-1: not known), its count, and whether it was in C.
    idle = nn_idle()
    if hasattr(_Run.ex, "_native_feed"):
        nn_stream_layers(names, idle)
        return
    nn_again()
    native = _Run.net.native
    probe = None
    if native:
        probe = _Run.net.native = _Probe(native)
    gc.collect()
    try:
        for name in names:
            more = True
            while more:
                if probe:
                    probe.layer = -1
                more = nn_measure(_Run.ex.step, name, 1)
                count = nn_measured()
                if probe and probe.layer >= 0:
                    print((probe.layer, max(0, probe.count - idle), True))
                else:
                    print((-1, max(0, count - idle), False))
    finally:
        _Run.net.native = native
