"""What `nnmicro info --board` predicts, against the emulated Pico: `make bench ARGS=tests/bench/test_fit.py`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import boards
from host_tools.fit import speed
from host_tools.model_file import ModelFile
from tests.bench.measure_heap import STEP, Bench, measurable, needs
from tests.bench.models import bench_models
from tests.boards import lacking

pytestmark = [pytest.mark.bench, pytest.mark.slow]
HEAP = ("digits", "digits_int8", "mnist", "kws", "vww")  # the second and third are not among those of the fit
TIME = ("digits", "digits_int8", "mnist", "kws")


@pytest.fixture(scope="module")
def models() -> dict[str, ModelFile]:
    return bench_models()


def chosen(models: dict[str, ModelFile], name: str, kind: str) -> ModelFile:
    """The model, or a skip that says why not."""
    if name not in models:
        pytest.skip(f"{name} is not in the shared folder; set NNMICRO_SHARED to where it is")
    if not measurable(models[name], kind):
        pytest.skip(f"{name} is too large for the Pico's heap, or its kernels are not among those that are pushed")
    return models[name]


# Our firmware with its static arena, as it is built for everybody, and without; MicroPython's own with files.
@pytest.fixture(scope="module", params=[("frozen", True), ("frozen", False), ("files", False)], ids=str)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    reason = lacking("emu:rpi_pico", may_build=True)
    if reason:
        pytest.skip(reason)
    with Bench(*request.param) as found:
        yield found


@pytest.mark.parametrize("name", HEAP)
def test_the_smallest_heap_is_within_2_percent_of_the_prediction(
    bench: Bench, models: dict[str, ModelFile], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    model = chosen(models, name, bench.kind)
    told = needs(model, bench.kind, bench.outside).total
    bench.put(model)
    measured = bench.smallest_heap(told)
    with capsys.disabled():
        kind = f"{bench.kind}, {bench.outside:,} outside the heap"
        print(f"\n{kind}, {name}: predicted {told:,}, measured {measured:,} ({told / measured - 1:+.1%})")
    assert abs(told - measured) <= 0.02 * measured + STEP


TIMED = """\
import nnmicro, time
net = nnmicro.Net(SOURCE)
ex = net.extractor()
def infer():
    for name in net.inputs:
        ex.input_view(name).fill(1)
    start = time.ticks_us()
    for name in net.outputs:
        ex.extract(name)
    took = time.ticks_diff(time.ticks_us(), start)
    ex.reset()
    return took
infer()
"""


@pytest.mark.parametrize("name", TIME)
def test_the_estimated_time_is_within_a_factor_of_one_and_a_half(
    bench: Bench, models: dict[str, ModelFile], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    model = chosen(models, name, bench.kind)
    bench.put(model)
    bench.device.soft_reset()
    bench.device.exec(TIMED.replace("SOURCE", bench.source), timeout=900)
    measured = bench.device.eval("infer()", timeout=900) / 1000
    told = speed.estimated_ms(model, boards.load("rpi_pico"), "_nnmicro")
    assert told is not None
    with capsys.disabled():
        print(
            f"\n{bench.kind} {name}: estimated {told:.1f} ms, simulated {measured:.1f} ms ({told / measured:.2f} times)"
        )
    assert measured / 1.5 <= told <= measured * 1.5
