"""The host side of nnmicro: the command that converts models, plans their memory and runs them on devices."""

from nnmicro import __version__ as __version__
