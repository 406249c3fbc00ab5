"""The errors of the engine. Each says what was given, what was expected and what to do."""


class ModelError(ValueError):
    """A model file is damaged, hostile, or made for another engine; nothing of it was run."""


class StateError(RuntimeError):
    """The call does not fit the state: an input after an extract, a result after a reset, a closed extractor."""


class RecycledError(StateError):
    """An intermediate blob was asked for after its memory had been given to another one."""


class ArenaFull(MemoryError):
    """No free range of an arena is large enough; the arena is as it was before the call."""
