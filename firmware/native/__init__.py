"""The kernels in C, and what compiles them for this computer."""
