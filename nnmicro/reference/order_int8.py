"""The order in which the source model counts an operand's elements.

An interleaved operand comes from a source that has channels last: h, w, c order. Every other is counted in c, h, w
order. Where both steps are equal there is one channel, and the two are the same.
"""


def interleaved(operand):
    """Whether the source counts channels fastest."""
    return operand.cs < operand.ps


def first_and_step(operand, c, y):
    """The number of element (c, y, 0) in the source's order, and how many numbers the next in the row is further."""
    if interleaved(operand):
        return y * operand.w * operand.c + c, operand.c
    return (c * operand.h + y) * operand.w, 1


def index(operand, k):
    """Where element number `k` of the source's order lies in `operand.data`."""
    if interleaved(operand):
        pixel = k // operand.c
        return operand.at(k % operand.c, pixel // operand.w) + pixel % operand.w * operand.ps
    row = k // operand.w
    return operand.at(row // operand.h, row % operand.h) + k % operand.w * operand.ps
