"""Which model files the engine in this firmware reads. The rest of `nnmicro/format.py` is for those who write them."""

VERSION = 1
