"""In a firmware that has the kernels in C: these layers are among the files, where a push puts those of a model."""

__path__ = "/lib/nnmicro/vector"
