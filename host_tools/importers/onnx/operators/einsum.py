"""Einsum of one or two operands: a sum, a transposition, or products of matrices."""

from __future__ import annotations

from math import prod

from host_tools.importers.builder import Shape
from host_tools.importers.onnx.context import Context, Node
from host_tools.importers.onnx.operators.views import permute
from host_tools.importers.refusals import Unsupported

_SUM, _H = 0, 1


def einsum(ctx: Context, node: Node) -> None:
    """Two operands are brought to [both, own, shared] and [both, shared, own] and multiplied as matrices, where `both`
    are the letters of both and of the result, `shared` those that are summed over.
    """
    terms, out = _parsed(node, [ctx.shape(name) for name in node.inputs])
    if len(terms) > 2:
        raise Unsupported(f"{len(terms)} operands; one or two are supported")
    sizes: dict[str, int] = {}
    for term, name in zip(terms, node.inputs, strict=True):
        for letter, size in zip(term, ctx.shape(name), strict=True):
            if sizes.setdefault(letter, size) != size:
                raise Unsupported(f"the letter {letter!r} stands for {sizes[letter]} and for {size} elements")
    if any(len(set(term)) < len(term) for term in [*terms, out]) or not set(out) <= set("".join(terms)):
        raise Unsupported("a letter that comes twice in an operand, or only in the result")
    names = list(node.inputs)
    for i, term in enumerate(terms):  # what only one operand has, and the result has not, is summed first
        others = set(out) | set("".join(terms[:i] + terms[i + 1 :]))
        alone = [letter for letter in term if letter not in others]
        if alone:
            kept = [letter for letter in term if letter in others]
            names[i] = _summed(ctx, node, names[i], term, kept, alone, sizes)
            terms[i] = "".join(kept)
    if len(terms) == 1:
        _arranged(ctx, node, names[0], terms[0], out, sizes)
        return
    a, b = terms
    both = [letter for letter in a if letter in b and letter in out]
    shared = [letter for letter in a if letter in b and letter not in out]
    own_a, own_b = ([letter for letter in term if letter not in other] for term, other in ((a, b), (b, a)))
    left = _moved(ctx, node, names[0], a, [both, own_a, shared], sizes)
    right = _moved(ctx, node, names[1], b, [both, shared, own_b], sizes)
    shape = (_count(both, sizes), _count(own_a, sizes), _count(own_b, sizes))
    product = ctx.emit_new("matmul", node, [left, right], shape, transpose_a=0, transpose_b=0)
    _arranged(ctx, node, product, "".join(both + own_a + own_b), out, sizes)


def _parsed(node: Node, shapes: list[Shape]) -> tuple[list[str], str]:
    """The letters of each operand and of the result; of an ellipsis capital letters that the equation does not have."""
    equation = node.text("equation", "").replace(" ", "")
    left, arrow, out = equation.partition("->")
    terms = left.split(",")
    if len(terms) != len(shapes):
        raise Unsupported(f"its equation {equation!r} has {len(terms)} terms for {len(shapes)} operands")
    free = [letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if letter not in equation]
    most = 0
    for i, (term, shape) in enumerate(zip(terms, shapes, strict=True)):
        if "..." in term:
            count = len(shape) - len(term) + 3
            if not 0 <= count <= len(free):
                raise Unsupported(f"its equation {equation!r} does not fit shape {shape}")
            most = max(most, count)
            terms[i] = term.replace("...", "".join(free[-count:] if count else []))
    if not arrow:
        letters = left.replace(",", "").replace("...", "")
        out = "..." * ("..." in left) + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    out = out.replace("...", "".join(free[-most:] if most else []))
    for term, shape in zip(terms, shapes, strict=True):
        if len(term) != len(shape) or not term.isalpha() and term:
            raise Unsupported(f"its equation {equation!r} does not fit shape {shape}")
    return terms, out


def _count(letters: list[str], sizes: dict[str, int]) -> int:
    return prod(sizes[letter] for letter in letters)


def _moved(ctx: Context, node: Node, name: str, term: str, groups: list[list[str]], sizes: dict[str, int]) -> str:
    """An operand with its letters in this order, each group as one axis."""
    order = [letter for group in groups for letter in group]
    shape = tuple(_count(group, sizes) for group in groups)
    source = ctx.operand(name)
    if [c for c in order if sizes[c] != 1] != [c for c in term if sizes[c] != 1]:
        perm = tuple(term.index(letter) for letter in order)
        if len([c for c in term if sizes[c] != 1]) > 4:
            raise Unsupported("it moves more than four axes at once")
        if ctx.is_constant(name):
            return ctx.builder.constant(f"{name}.moved", ctx.constants[name].transpose(perm).reshape(shape))
        source = ctx.emit_new("permute", node, [source], tuple(sizes[c] for c in order), perm=perm)
    return ctx.builder.reshaped(node.name, source, shape)


def _summed(
    ctx: Context, node: Node, name: str, term: str, kept: list[str], alone: list[str], sizes: dict[str, int]
) -> str:
    source = _moved(ctx, node, name, term, [kept, alone], sizes)
    rows = (_count(kept, sizes), _count(alone, sizes))
    if ctx.builder.graph.tensor(source).data is not None:
        raise Unsupported("a constant that is summed over")
    view = ctx.builder.reshaped(node.name, source, (*rows, 1))
    total = ctx.emit_new("reduce", node, [view], (rows[0], 1, 1), kind=_SUM, axis=_H)
    return ctx.builder.reshaped(node.name, total, tuple(sizes[letter] for letter in kept))


def _arranged(ctx: Context, node: Node, name: str, letters: str, out: str, sizes: dict[str, int]) -> None:
    """The node's output: a blob with these letters, those of the output in their order."""
    permute(ctx, node, name, tuple(sizes[c] for c in letters), tuple(letters.index(letter) for letter in out))
