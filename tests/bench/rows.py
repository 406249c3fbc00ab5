"""What is measured: networks, cores, backends; and rows of what was found."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import boards
from host_tools.convert import to_nnm
from host_tools.demo import digits
from host_tools.importers import load_model
from host_tools.model_file import ModelFile
from host_tools.packing import CORES as CORES_TO_PACK_FOR
from host_tools.packing import GENERIC, core_of_board, pack
from tests.models.shared import found

NETWORKS = {
    "kws": "keyword spotting",
    "ic": "image classification",
    "vww": "visual wake words",
    "ad": "anomaly detection",
    "digits": "digits",
}
TINY = tuple(NETWORKS)[:-1]  # those of MLPerf Tiny


@dataclass(frozen=True)
class Core:
    """A core: `board` is the emulated one, `profile` what boards/ calls its kind."""

    name: str
    board: str
    profile: str

    @property
    def is_arm(self) -> bool:
        return self.profile.startswith("cortex")

    @property
    def has_packing(self) -> bool:
        return CORES_TO_PACK_FOR[core_of_board(boards.load(self.board))] != GENERIC


CORES = {
    "m4": Core("Cortex-M4F", "qemu_cortex_m4f", "cortex-m4f"),
    "m7": Core("Cortex-M7", "qemu_cortex_m7", "cortex-m7"),
    "m3": Core("Cortex-M3", "qemu_cortex_m3", "cortex-m3"),
    "m0": Core("Cortex-M0+", "qemu_cortex_m0", "cortex-m0plus"),
    "pico": Core("Pico", "rpi_pico", "cortex-m0plus"),
    "rv32": Core("RV32IMC", "qemu_rv32", "rv32imc"),
}
FIRMWARE, PACKED, MPY = "_nnmicro", "_nnmicro, packed", "_nnmicro as .mpy"
BACKENDS = (FIRMWARE, PACKED, MPY, "asm_thumb", "viper", "reference")


@dataclass(frozen=True)
class Row:
    """An inference. `instructions` where they are counted; `cycles` estimated from these, or the emulated Pico's; `why`
    there is neither."""

    network: str
    core: str
    backend: str
    instructions: int | None = None
    cycles: int | None = None
    why: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        return self.network, self.core, self.backend


@cache
def model(network: str) -> ModelFile:
    """The network, converted. FileNotFoundError where the shared models are not there."""
    if network == "digits":
        return digits.quantised()
    path = found(f"models/mlperf_tiny/{network}_int8.tflite")
    if path is None:
        raise FileNotFoundError(f"the shared models are not there ({network})")
    return ModelFile(to_nnm(load_model(path)), f"{network}.nnm")


@cache
def packed(network: str, core: str) -> ModelFile:
    """The same with weights packed for one of `CORES`."""
    file = model(network)
    return ModelFile(pack(file.data, core_of_board(boards.load(CORES[core].board))).data, file.name)


@cache
def macs(network: str) -> int:
    """Multiply-accumulates of an inference."""
    file = model(network)
    return sum(file.layer_macs(i) for i in range(file.net.n_layers))
