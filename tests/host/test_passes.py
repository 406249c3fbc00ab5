"""Each pass: what it removes, what it leaves alone, and that no blob that stays changes its values."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import nnmicro
from host_tools.convert import to_nnm
from host_tools.graph import Graph, Quantisation
from host_tools.importers.builder import Builder
from host_tools.passes import run_passes
from host_tools.passes.activations import fuse_activations
from host_tools.passes.affine import fold_affine
from host_tools.passes.dead import drop_dead_constants, drop_dead_layers
from host_tools.passes.identities import remove_identities
from host_tools.passes.moves import merge_moves
from host_tools.passes.padding import fuse_padding
from tests.host.graph_oracle import assert_same_blobs, engine_blobs, random_inputs

SHAPE = (1, 3, 6, 5)
WINDOW = {
    "kernel_h": 3, "kernel_w": 3, "stride_h": 1, "stride_w": 1, "dilation_h": 1, "dilation_w": 1,
    "pad_top": 1, "pad_left": 1, "group": 1,
}  # fmt: skip


class Net:
    """A graph whose input is x, written layer by layer."""

    def __init__(self, shape: tuple[int, ...] = SHAPE) -> None:
        self.graph = Graph("passes")
        self.graph.add_tensor("x", shape)
        self.graph.inputs = ["x"]
        self._builder = Builder(self.graph, [])
        self._random = np.random.default_rng(5)

    def constant(self, *shape: int) -> str:
        return self._builder.constant("k", self._random.normal(size=shape))

    def layer(self, op: str, inputs: str, output: str, shape: tuple[int, ...] | None = None, **attrs) -> Net:
        names = inputs.split()
        self._builder.emit(op, output, names, output, shape or self.graph.tensor(names[0]).shape, **attrs)
        return self

    def conv(self, source: str, output: str, bias: bool = True, **attrs) -> Net:
        weight = self.constant(3, 3, 3, 3)
        inputs = f"{source} {weight} {self.constant(3)}" if bias else f"{source} {weight}"
        return self.layer("convolution", inputs, output, SHAPE, **{**WINDOW, **attrs})

    def dense(self, source: str, output: str) -> Net:
        rows = self.graph.tensor(source).shape[0]
        weight = self.constant(4, self.graph.tensor(source).shape[1])
        return self.layer("inner_product", f"{source} {weight}", output, (rows, 4), per_row=int(rows > 1))

    def relu(self, source: str, output: str) -> Net:
        return self.layer("activation", source, output, activation=1, activation_a=0.0, activation_b=0.0)

    def ends(self, *outputs: str) -> Graph:
        self.graph.outputs = list(outputs)
        return self.graph


def ops(graph: Graph) -> list[str]:
    return [layer.op for layer in graph.layers]


def assert_unchanged(before: Graph, after: Graph) -> None:
    """The outputs, and every blob that both have, are the same; what vanished is recorded."""
    inputs = random_inputs(before)
    reference = engine_blobs(copy.deepcopy(before), inputs, fuse=False)
    ours = engine_blobs(copy.deepcopy(after), inputs, fuse=False)
    assert_same_blobs(after, ours, reference)
    assert set(reference) - set(ours) == set(after.fused)
    assert set(after.fused.values()) <= set(ours)


def apply(run, graph: Graph, keep: frozenset[str] = frozenset()) -> Graph:
    """The graph after one pass; checks that it computes the same."""
    before = copy.deepcopy(graph)
    run(graph, keep.union(graph.inputs, graph.outputs))
    assert_unchanged(before, graph)
    return graph


# Dead code


def test_layers_that_no_output_needs_are_dropped_with_their_blobs():
    graph = Net().relu("x", "a").relu("a", "unused").relu("a", "y").ends("y")
    drop_dead_layers(graph, frozenset(["x", "y"]))
    assert [layer.name for layer in graph.layers] == ["a", "y"] and "unused" not in graph.tensors


def test_a_blob_to_keep_is_not_dead():
    graph = Net().relu("x", "a").relu("a", "wanted").relu("a", "y").ends("y")
    drop_dead_layers(graph, frozenset(["x", "y", "wanted"]))
    assert "wanted" in graph.tensors


def test_constants_that_no_layer_reads_are_dropped():
    net = Net()
    unused = net.constant(3)
    graph = net.conv("x", "y").ends("y")
    drop_dead_constants(graph, frozenset())
    assert unused not in graph.tensors and len(graph.tensors) == 4


# Identities


def test_readers_of_an_identity_read_its_input():
    graph = Net().relu("x", "a").layer("share", "a", "b").layer("share", "a", "c")
    graph = graph.layer("binary_op", "b c", "y", kind=0).ends("y")
    apply(remove_identities, graph)
    assert ops(graph) == ["activation", "binary_op"] and graph.layers[1].inputs == ["a", "a"]
    assert graph.fused == {"b": "a", "c": "a"}


def test_an_identity_that_is_an_output_takes_the_place_of_its_input():
    graph = apply(remove_identities, Net().relu("x", "a").relu("a", "z").layer("share", "a", "y").ends("y", "z"))
    assert [(layer.inputs, layer.outputs) for layer in graph.layers] == [(["x"], ["y"]), (["y"], ["z"])]
    assert graph.fused == {"a": "y"}


def test_an_identity_between_the_input_and_an_output_stays():
    assert ops(apply(remove_identities, Net().layer("share", "x", "y").ends("y"))) == ["share"]


def test_a_chain_of_identities_is_recorded_by_what_is_left():
    net = Net().relu("x", "a").layer("share", "a", "b").layer("reshape", "b", "c").relu("c", "y")
    assert apply(remove_identities, net.ends("y")).fused == {"b": "a", "c": "a"}


def test_a_reshape_or_transposition_that_changes_something_stays():
    net = Net().layer("reshape", "x", "a", (1, 90)).layer("reshape", "a", "b", SHAPE)
    net.layer("permute", "b", "c", (1, 3, 6, 5), perm=(0, 1, 2, 3)).layer(
        "permute", "c", "y", (1, 6, 3, 5), perm=(0, 2, 1, 3)
    )
    assert ops(apply(remove_identities, net.ends("y"))) == ["reshape", "reshape", "permute"]


# Transpositions and reshapes in a row


def test_two_transpositions_become_one():
    net = Net().relu("x", "a").layer("permute", "a", "b", (1, 6, 5, 3), perm=(0, 2, 3, 1))
    graph = net.layer("permute", "b", "y", (1, 3, 5, 6), perm=(0, 3, 2, 1)).ends("y")
    apply(merge_moves, graph)
    assert ops(graph) == ["activation", "permute"] and graph.fused == {"b": "y"}
    assert graph.layers[1].attrs["perm"] == (0, 1, 3, 2)


def test_transpositions_that_undo_each_other_vanish():
    net = Net().relu("x", "a").layer("permute", "a", "b", (1, 6, 5, 3), perm=(0, 2, 3, 1))
    net.layer("permute", "b", "c", (1, 3, 6, 5), perm=(0, 3, 1, 2)).relu("c", "y")
    before = copy.deepcopy(net.ends("y"))
    run_passes(net.graph)
    assert_unchanged(before, net.graph)
    assert ops(net.graph) == ["activation", "activation"] and net.graph.fused == {"b": "a", "c": "a"}


def test_several_reshapes_become_one():
    net = Net().relu("x", "a").layer("reshape", "a", "b", (1, 90)).layer("reshape", "b", "c", (1, 9, 10))
    graph = net.layer("reshape", "c", "y", (1, 2, 5, 9)).ends("y")
    apply(merge_moves, graph)
    assert ops(graph) == ["activation", "reshape"] and graph.fused == {"b": "y", "c": "y"}


@pytest.mark.parametrize("reason", ("kept", "two readers"))
def test_a_blob_between_moves_that_is_needed_stays(reason):
    net = Net().layer("permute", "x", "b", (1, 6, 5, 3), perm=(0, 2, 3, 1))
    net.layer("permute", "b", "y", (1, 3, 6, 5), perm=(0, 3, 1, 2))
    if reason == "two readers":
        net.relu("b", "z")
    graph = apply(merge_moves, net.ends("y", *(["z"] if reason == "two readers" else [])), frozenset(["b"]))
    assert ops(graph)[:2] == ["permute", "permute"] and "b" in graph.tensors


# Inputs that are quantised first


def quantised_first(*moves: tuple[str, tuple[int, ...], dict]) -> Graph:
    """x, moved, quantised to int8, and back to float32 as y."""
    net, name = Net(), "x"
    for i, (op, shape, attrs) in enumerate(moves):
        net.layer(op, name, f"m{i}", shape, **attrs)
        name = f"m{i}"
    scale = Quantisation(np.float32([0.01]), np.int32([-3]))
    net.layer("quantize", name, "q", None, scale=0.01, zero_point=-3, in_blocks=90)
    net.graph.tensors["q"].dtype, net.graph.tensors["q"].quantisation = np.dtype(np.int8), scale
    return net.layer("dequantize", "q", "y", None, scale=0.01, zero_point=-3, in_blocks=0).ends("y")


MOVES = [(), (("reshape", (1, 90), {}),), (("permute", (1, 6, 5, 3), {"perm": (0, 2, 3, 1)}), ("reshape", (90,), {}))]


@pytest.mark.parametrize("moves", MOVES, ids=len)
def test_an_input_that_is_quantised_first_is_taken_as_integers(moves):
    graph = quantised_first(*moves)
    inputs = {"x": np.random.default_rng(2).uniform(-1.4, 1.4, SHAPE).astype(np.float32)}  # beyond what int8 holds
    results = []
    for integer_inputs in (False, True):
        net = nnmicro.Net(to_nnm(copy.deepcopy(graph), integer_inputs=integer_inputs))
        assert net.quantisation("x") == ((pytest.approx(0.01), -3) if integer_inputs else None)
        with net.extractor() as ex:
            ex.input("x", inputs["x"])
            results.append(ex.extract("y").tobytes())
    assert results[0] == results[1]
    run_passes(graph, integer_inputs=True)
    assert "quantize" not in ops(graph) and set(graph.fused) >= {"q"}


def test_an_input_with_another_reader_stays_float32():
    graph = quantised_first()
    graph.add_tensor("z", SHAPE)
    graph.add("activation", "z", ["x"], ["z"], activation=1, activation_a=0.0, activation_b=0.0)
    graph.outputs = ["y", "z"]
    run_passes(graph, integer_inputs=True)
    assert ops(graph)[0] == "quantize" and graph.tensors["x"].dtype == np.float32


def test_a_quantised_blob_to_keep_keeps_its_layer():
    graph = quantised_first()
    run_passes(graph, integer_inputs=True, keep={"q"})
    assert ops(graph) == ["quantize", "dequantize"]


# Affine layers


@pytest.mark.parametrize("bias", (False, True))
def test_a_scale_is_folded_into_the_convolution_before_it(bias):
    net = Net().conv("x", "a", bias)
    graph = net.layer("scale", f"a {net.constant(3)} {net.constant(3)}", "y", axis=0).ends("y")
    apply(fold_affine, graph)
    assert ops(graph) == ["convolution"] and graph.fused == {"a": "y"}


@pytest.mark.parametrize("constant", ((3, 1, 1), (1,), ()))
@pytest.mark.parametrize("kind", (0, 1, 2, 3, 7))
def test_arithmetic_with_constants_is_folded_into_a_convolution(kind, constant):
    net = Net().conv("x", "a")
    graph = net.layer("binary_op", f"a {net.constant(*constant)}", "y", kind=kind).ends("y")
    assert ops(apply(fold_affine, graph)) == ["convolution"]


@pytest.mark.parametrize("kind", (0, 1, 2, 7))
def test_arithmetic_with_the_constant_first_is_folded(kind):
    net = Net().conv("x", "a")
    graph = net.layer("binary_op", f"{net.constant(3, 1, 1)} a", "y", SHAPE, kind=kind).ends("y")
    assert ops(apply(fold_affine, graph)) == ["convolution"]


@pytest.mark.parametrize("rows", (1, 5))
def test_a_summand_of_a_fully_connected_layer_becomes_its_bias(rows):
    net = Net((rows, 6)).dense("x", "a")
    graph = net.layer("binary_op", f"a {net.constant(4)}", "y", kind=0).ends("y")
    assert ops(apply(fold_affine, graph)) == ["inner_product"] and len(graph.layers[0].inputs) == 3


def test_several_affine_layers_in_a_row_are_folded():
    net = Net().conv("x", "a")
    net.layer("scale", f"a {net.constant(3)} {net.constant(3)}", "b", axis=0)
    graph = net.layer("binary_op", f"b {net.constant(1)}", "y", kind=2).ends("y")
    apply(fold_affine, graph)
    assert ops(graph) == ["convolution"] and graph.fused == {"a": "y", "b": "y"}


def test_weights_that_another_layer_reads_are_not_changed():
    net = Net().conv("x", "a")
    weights = " ".join(net.graph.layers[0].inputs[1:])
    net.layer("convolution", f"x {weights}", "b", SHAPE, **WINDOW)
    net.layer("binary_op", f"a {net.constant(1)}", "c", kind=2)
    assert ops(apply(fold_affine, net.layer("binary_op", "b c", "y", kind=0).ends("y"))) == ["convolution"] * 2 + [
        "binary_op"
    ]


@pytest.mark.parametrize(("kind", "first"), ((3, True), (4, False), (6, False), (8, False)))
def test_arithmetic_that_is_not_affine_stays(kind, first):
    net = Net().conv("x", "p").layer("activation", "p", "a", activation=4, activation_a=0.0, activation_b=0.0)
    operands = f"{net.constant(1)} a" if first else f"a {net.constant(1)}"
    fold_affine(net.layer("binary_op", operands, "y", SHAPE, kind=kind).ends("y"), frozenset(["y"]))
    assert "binary_op" in ops(net.graph)


@pytest.mark.parametrize("constant", ((5,), (6, 1), (3, 6, 5)))
def test_numbers_that_differ_within_a_channel_are_not_folded(constant):
    net = Net().conv("x", "a")
    graph = net.layer("binary_op", f"a {net.constant(*constant)}", "y", kind=0).ends("y")
    assert ops(apply(fold_affine, graph)) == ["convolution", "binary_op"]


def test_weights_that_would_overflow_are_not_folded():
    net = Net().conv("x", "a")
    large = net.constant(1)
    net.graph.tensor(large).data = np.array([3e38], np.float32)
    fold_affine(net.layer("binary_op", f"a {large}", "y", kind=2).ends("y"), frozenset(["x", "y"]))
    assert ops(net.graph) == ["convolution", "binary_op"]


def test_a_scale_behind_an_activation_is_not_folded():
    net = Net().conv("x", "a", activation=1)
    graph = net.layer("scale", f"a {net.constant(3)} {net.constant(3)}", "y", axis=0).ends("y")
    assert ops(apply(fold_affine, graph)) == ["convolution", "scale"]


def test_a_blob_with_two_readers_is_not_folded_away():
    net = Net().conv("x", "a").relu("a", "z")
    graph = net.layer("binary_op", f"a {net.constant(1)}", "y", kind=2).ends("y", "z")
    assert ops(apply(fold_affine, graph)) == ["convolution", "activation", "binary_op"]


def test_a_blob_that_an_operation_reads_twice_is_not_folded_away():
    graph = Net().conv("x", "a").layer("binary_op", "a a", "y", kind=2).ends("y")
    assert ops(apply(fold_affine, graph)) == ["convolution", "binary_op"]


# Activations


def test_an_activation_is_fused_into_each_layer_that_has_one():
    net = Net().conv("x", "c0").relu("c0", "c")
    net.layer("scale", f"c {net.constant(3)} {net.constant(3)}", "s0", axis=0).relu("s0", "s")
    net.layer("binary_op", "s x", "b0", kind=0).relu("b0", "b").layer("reshape", "b", "f", (1, 90))
    graph = net.dense("f", "d0").relu("d0", "y").ends("y")
    apply(fuse_activations, graph)
    assert ops(graph) == ["convolution", "scale", "binary_op", "reshape", "inner_product"]
    assert graph.fused == {"c0": "c", "s0": "s", "b0": "b", "d0": "y"}


def test_a_second_activation_is_not_fused():
    assert ops(apply(fuse_activations, Net().conv("x", "a").relu("a", "b").relu("b", "y").ends("y"))) == [
        "convolution",
        "activation",
    ]


def test_a_blob_that_is_an_output_or_has_another_reader_is_not_fused_away():
    graph = apply(fuse_activations, Net().conv("x", "a").relu("a", "y").ends("y", "a"))
    assert ops(graph) == ["convolution", "activation"]
    net = Net().conv("x", "a").relu("a", "b").layer("binary_op", "a b", "y", kind=0)
    assert ops(apply(fuse_activations, net.ends("y"))) == ["convolution", "activation", "binary_op"]


# Padding


def test_constant_padding_is_fused_into_a_convolution():
    net = Net()
    net.layer("padding", "x", "p", (1, 3, 8, 9), front=0, top=2, left=1, mode=0, value=0.0)
    attrs = {**WINDOW, "pad_top": 0, "pad_left": 0}
    graph = net.layer("convolution", f"p {net.constant(3, 3, 3, 3)}", "y", (1, 3, 6, 7), **attrs).ends("y")
    apply(fuse_padding, graph)
    assert ops(graph) == ["convolution"] and graph.fused == {"p": "y"}
    assert (graph.layers[0].attrs["pad_top"], graph.layers[0].attrs["pad_left"]) == (2, 1)


@pytest.mark.parametrize(
    ("padding", "shape"),
    [({"value": 0.5}, (1, 3, 8, 6)), ({"mode": 1}, (1, 3, 8, 6)), ({"front": 0}, (1, 3, 8, 6))],
)
def test_padding_with_another_value_or_mode_is_not_fused_into_a_convolution_that_pads(padding, shape):
    net = Net()
    attrs = {"front": 0, "top": 1, "left": 0, "mode": 0, "value": 0.0, **padding}
    net.layer("padding", "x", "p", shape, **attrs)
    graph = net.layer("convolution", f"p {net.constant(3, 3, 3, 3)}", "y", shape, **WINDOW).ends("y")
    assert ops(apply(fuse_padding, graph)) == (
        ["convolution"] if padding == {"front": 0} else ["padding", "convolution"]
    )


def test_padding_of_channels_is_not_fused():
    net = Net((1, 2, 6, 5))
    net.layer("padding", "x", "p", SHAPE, front=1, top=0, left=0, mode=0, value=0.0)
    assert ops(apply(fuse_padding, net.conv("p", "y").ends("y"))) == ["padding", "convolution"]


# All together


def _whole() -> Graph:
    net = Net()
    net.layer("padding", "x", "p", (1, 3, 6, 7), front=0, top=0, left=1, mode=0, value=0.0)
    net.layer("convolution", f"p {net.constant(3, 3, 3, 3)}", "c", SHAPE, **{**WINDOW, "pad_left": 0})
    net.layer("share", "c", "i").layer("scale", f"i {net.constant(3)} {net.constant(3)}", "n", axis=0)
    return net.relu("n", "r").relu("r", "unused").layer("binary_op", "r x", "s", kind=0).relu("s", "y").ends("y")


def test_all_passes_leave_what_cannot_be_fused():
    graph, before = _whole(), _whole()
    run_passes(graph)
    assert ops(graph) == ["convolution", "binary_op"]
    assert graph.fused == {"p": "r", "i": "r", "c": "r", "n": "r", "s": "y"}
    inputs = random_inputs(before)
    reference = engine_blobs(before, inputs, fuse=False)
    assert_same_blobs(graph, engine_blobs(copy.deepcopy(graph), inputs, fuse=False), reference)


def test_without_fusing_every_blob_stays():
    graph = _whole()
    blobs = [tensor.name for tensor in graph.blobs()]
    run_passes(graph, fuse=False)
    assert [tensor.name for tensor in graph.blobs()] == blobs and not graph.fused


@pytest.mark.parametrize("kept", ("p", "c", "i", "n", "r", "unused", "s"))
def test_a_blob_to_keep_is_never_removed_and_keeps_its_values(kept):
    graph, before = _whole(), _whole()
    run_passes(graph, keep={kept})
    assert kept in graph.tensors
    inputs = random_inputs(before)
    reference = engine_blobs(before, inputs, fuse=False)
    graph.outputs.append(kept)
    assert_same_blobs(graph, engine_blobs(graph, inputs, fuse=False), reference)
