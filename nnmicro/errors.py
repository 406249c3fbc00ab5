"""The errors of the engine. Each says what was given, what was expected and what to do."""


class ModelError(ValueError):
    """A model file is damaged, hostile, or made for another engine; nothing of it was run."""


class StateError(RuntimeError):
    """The call does not fit the state: an input after an extract, a result after a reset, a closed extractor."""


class RecycledError(StateError):
    """An intermediate blob was asked for after its memory had been given to another one."""


class ArenaFull(MemoryError):
    """No free range of an arena is large enough; the arena is as it was before the call."""


def no_layer(name, layer=None):
    """Refuse a model for a kind of layer that no backend here has; or for a layer of that name, which the kernel in C
    refuses where there is none in Python."""
    if name.endswith("_dsp"):
        raise ModelError(
            "the model is packed for the kernels of Cortex-M4, M7 and M33, which are not here or cannot run it: "
            "nnmicro repack MODEL --core generic"
        )
    if layer is not None:
        raise ModelError(
            "layer %s: the kernel in C does not take it, and %r in Python is not on this device: "
            "nnmicro push MODEL --backend reference brings that" % (layer, name)
        )
    raise ModelError(
        "the model needs layer %r, which this engine does not have here: nnmicro push MODEL "
        "brings what a model needs, a newer nnmicro has more layers" % name
    )
