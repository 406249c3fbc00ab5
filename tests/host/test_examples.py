"""The examples, run on the device as their own first lines say."""

from __future__ import annotations

import re
from pathlib import Path

from host_tools.demo.digits import converted
from host_tools.device import Device

EXAMPLES = Path(__file__).parents[2] / "firmware" / "examples"


def run(device: Device, name: str) -> str:
    """What an example prints on the device, with the demo's network beside it."""
    device.write_file(converted().data, "/digits.nnm")
    device.soft_reset()
    return device.exec((EXAMPLES / name).read_text()).decode()


def test_asyncio_beside_inference(device: Device) -> None:
    said = run(device, "asyncio_beside_inference.py")
    assert "answer: 3" in said
    turns = re.search(r"other task: (\d+) turns", said)
    assert turns and int(turns[1]) >= converted().net.n_layers - 1


def test_every_example_is_tested() -> None:
    here = Path(__file__).read_text()
    for path in EXAMPLES.glob("*.py"):
        assert f'"{path.name}"' in here, f"{path.name} has no test"
