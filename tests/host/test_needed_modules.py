"""Only those modules of the engine that a model needs, on a device that has no others."""

from __future__ import annotations

import ast
from types import SimpleNamespace

import pytest

import nnmicro
from host_tools.device import open_device, push_engine
from host_tools.device.engine_files import sources
from host_tools.device.needed import modules, needed_modules
from nnmicro.kernels import python_kernel
from tests.models import model_file

PROGRAM = """
import nnmicro
net = nnmicro.Net("/digits.nnm", nnmicro.Option(backend={backend!r}))
def run(**options):
    with net.extractor(**options) as ex:
        ex.input("image", bytes(range(64)))
        return ex.extract("scores").tolist()
first = run()
assert first == run(lightmode=False) == run(keep=("image",), outputs=("scores",))
print(first)
"""


def test_the_layers_of_a_model_and_no_others_are_named() -> None:
    net = nnmicro.Net(str(model_file("digits.nnm")))
    named = needed_modules(net, "reference")
    assert {"net", "extractor", "check.plan", "interpreter", "elements", "blocks", "details"} <= set(named)
    assert {f"reference.{op}" for op in net.op_names} - {"reference.share"} <= set(named)
    assert not {name for name in named if name.startswith(("vector", "reference.lstm", "selftest"))}
    assert "vector.array" in needed_modules(net, "vector")
    assert not [name for name in needed_modules(net, "_nnmicro", net.op_names) if name.startswith("reference")]
    lacking = needed_modules(net, "_nnmicro", [op for op in net.op_names if op != "pooling"])
    assert "reference.pooling" in lacking and "reference.convolution" not in lacking
    assert "check.views" not in named
    assert "check.views" in needed_modules(nnmicro.Net(str(model_file("gathered.nnm"))), "reference")
    assert "check.over" not in needed_modules(nnmicro.Net(str(model_file("gathered.nnm"))), "reference")
    assert {"check.views", "check.over"} <= {*needed_modules(nnmicro.Net(str(model_file("over.nnm"))), "reference")}
    streamed = {"streaming", "feeding", "stepping"}
    assert not streamed & set(named)
    assert streamed <= set(needed_modules(nnmicro.Net(str(model_file("rows.nnm"))), "reference"))


def test_no_device_gets_the_half_of_cpython() -> None:
    assert "port.py" in sources(None) and "cpython.py" not in sources(None)
    assert "port" in modules() and "cpython" not in modules()


def test_with_a_layer_unknown_here() -> None:
    class Other:
        preprocess = None
        steps_at = 0
        op_names = ("teleport",)

    with pytest.raises(ValueError, match="no layer teleport"):
        needed_modules(Other(), "reference")  # type: ignore[arg-type]


@pytest.mark.parametrize("backend", ["reference", "_nnmicro"])
def test_a_device_with_no_other_modules_runs_it(backend: str) -> None:
    pytest.importorskip("pty", reason="the unix device needs an operating system with ptys")
    path = model_file("digits.nnm")
    net = nnmicro.Net(str(path))
    with net.extractor() as ex:
        ex.input("image", bytes(range(64)))
        expected = ex.extract("scores").tolist()
    with open_device("unix") as device:
        push_engine(device, modules=needed_modules(net, backend, net.op_names))
        device.write_file(path, "/digits.nnm")
        answer = ast.literal_eval(device.exec(PROGRAM.format(backend=backend)).decode())
    found, wanted = answer[0], expected[0]
    assert max(abs(a - b) for a, b in zip(found, wanted, strict=True)) <= 1e-4 * max(map(abs, wanted))


def test_a_layer_that_c_refuses_and_python_lacks_is_named() -> None:
    """As on a board whose engine has no layers in Python."""
    net = SimpleNamespace(
        words=[0] * 24, at=[0, 12], kernels=None, native=object(), op_names=["teleport"], layer_name=lambda layer: "up"
    )
    with pytest.raises(nnmicro.ModelError, match="layer up: the kernel in C does not take it.*--backend reference"):
        python_kernel(net, 0)
    net.op_names = ["convolution_int8_dsp"]
    with pytest.raises(nnmicro.ModelError, match="nnmicro repack MODEL --core generic"):
        python_kernel(net, 0)
