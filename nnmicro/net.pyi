from collections.abc import Iterable
from typing import Any, Literal

from .arena import Arena
from .extractor import Extractor
from .option import Option
from .streaming import Stream

class Net:
    def __init__(self, source: str | bytes | bytearray | memoryview, option: Option | None = None) -> None: ...
    # A streamed model gives a Stream, with `feed`, where neither outputs, keep nor lightmode are given.
    def extractor(
        self,
        outputs: Iterable[str | int] | None = None,
        keep: Iterable[str | int] = (),
        lightmode: bool | None = None,
        arena: Arena | None = None,
    ) -> Extractor | Stream | Any: ...
    def selftest(self) -> int: ...  # how many golden vectors
    def check_weights(self) -> None: ...
    def close(self) -> None: ...
    # What the file says about itself
    @property
    def inputs(self) -> tuple[Any, ...]: ...  # names, or indices where names were stripped
    @property
    def outputs(self) -> tuple[Any, ...]: ...
    @property
    def labels(self) -> tuple[str, ...]: ...
    @property
    def op_names(self) -> tuple[str, ...]: ...
    @property
    def optimal(self) -> bool: ...
    @property
    def weights_from(self) -> Literal["place", "memory", "window"]: ...
    def shape(self, blob: str | int) -> tuple[int, ...]: ...
    def shape_at(self, record: int) -> tuple[int, ...]: ...
    def quantisation(self, blob: str | int) -> tuple[float, int] | None: ...  # scale, zero point
    def name(self, blob: int) -> Any: ...
    def layer_name(self, layer: int) -> str: ...
    def producer(self, blob: int) -> int: ...
    # In bytes
    arena_size: int
    live_peak: int
    lower_bound: int
    lightmode_off_size: int
    weights_bytes: int
    # How it is made
    option: Option | None
    backend: str
    mapped: bool
    window: Any
    native: Any
    native_kernels: Any
    kernels: Any
    uses_arrays: bool
    array: Any
    data: memoryview
    words: Any
    at: Any
    consumers: Any
    marks: bytearray
    is_plain: bool
    n_blobs: int
    n_layers: int
    n_inputs: int
    n_outputs: int
    n_states: int
    n_records: int
    max_operands: int
    max_blocks: int
    blobs_at: int
    io_at: int
    layers_at: int
    operands_at: int
    params_at: int
    weights_at: int
    names_at: int
    names_bytes: int
    fused_at: int
    fused_words: int
    steps_at: int
    preprocessing_at: int
    preprocessing_words: int
    preprocess: Any
    def view(self, dtype: int) -> Any: ...
    def record(self, blob: int) -> int: ...
    def index(self, blob: str | int) -> int: ...
    def give_back(self, extractor: Extractor | Stream) -> None: ...
