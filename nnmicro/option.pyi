from typing import Literal

from .arena import Arena

class Option:
    lightmode: bool
    blob_arena: Arena | None
    backend: str | None
    weights: Literal["memory", "window"] | None
    window: int
    def __init__(
        self,
        lightmode: bool = True,
        blob_arena: Arena | None = None,
        backend: Literal["_nnmicro", "vector", "asm_thumb", "viper", "reference"] | None = None,
        weights: Literal["memory", "window"] | None = None,
        window: int = 0,
    ) -> None: ...
