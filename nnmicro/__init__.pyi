from .arena import Arena as Arena
from .available import backends as backends
from .blob import Blob as Blob
from .errors import ArenaFull as ArenaFull
from .errors import ModelError as ModelError
from .errors import RecycledError as RecycledError
from .errors import StateError as StateError
from .extractor import Extractor as Extractor
from .net import Net as Net
from .option import Option as Option

__version__: str
