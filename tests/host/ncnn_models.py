"""Small ncnn graphs, a few for each type of layer: name -> the inputs' shapes and the layers' lines.

The inputs are `x`, `z`, ... in the order of their shapes.
"""

from __future__ import annotations

from pathlib import Path

Shapes = list[tuple[int, ...]]

INPUT_NAMES = ("x", "z", "u", "v")


def param_text(shapes: Shapes, layers: list[str]) -> str:
    """A `.param` file with an Input layer for each shape, and the counts worked out."""
    lines = []
    for name, shape in zip(INPUT_NAMES, shapes, strict=False):
        sizes = " ".join(f"{key}={size}" for key, size in enumerate(reversed(shape)))
        lines.append(f"Input {name} 0 1 {name} {sizes}")
    lines += layers
    blobs = sum(int(line.split()[3]) for line in lines)
    return "\n".join(["7767517", f"{len(lines)} {blobs}", *lines]) + "\n"


def write_param(folder: Path, shapes: Shapes, layers: list[str]) -> Path:
    path = folder / "small.param"
    path.write_text(param_text(shapes, layers), encoding="utf-8")
    return path


IMAGE: Shapes = [(4, 7, 6)]
_TWO: Shapes = [(4, 7, 6), (4, 7, 6)]

CASES: dict[str, tuple[Shapes, list[str]]] = {
    "layer norm": (IMAGE, ["LayerNorm n 1 1 x y 0=6 1=0.01"]),
    "layer norm of channels": (IMAGE, ["LayerNorm n 1 1 x y 0=42 2=0"]),
    "layer norm of a matrix": ([(5, 8)], ["LayerNorm n 1 1 x y 0=8"]),
    "rms norm": ([(5, 8)], ["RMSNorm n 1 1 x y 0=8 1=0.01"]),
    "instance norm": (IMAGE, ["InstanceNorm n 1 1 x y 0=4"]),
    "instance norm without parameters": (IMAGE, ["InstanceNorm n 1 1 x y 0=0 2=0"]),
    "group norm": (IMAGE, ["GroupNorm n 1 1 x y 0=2 1=4"]),
    "prelu": (IMAGE, ["PReLU p 1 1 x y 0=4"]),
    "prelu with one slope": ([(5, 8)], ["PReLU p 1 1 x y 0=1"]),
    "prelu of a vector": ([(9,)], ["PReLU p 1 1 x y 0=9"]),
    "pixel shuffle": ([(12, 3, 4)], ["PixelShuffle p 1 1 x y 0=2"]),
    "pixel shuffle, squares outside": ([(12, 3, 4)], ["PixelShuffle p 1 1 x y 0=2 1=1"]),
    "shuffle channel": ([(12, 3, 4)], ["ShuffleChannel s 1 1 x y 0=3"]),
    "shuffle channel, reverse": ([(12, 3, 4)], ["ShuffleChannel s 1 1 x y 0=3 1=1"]),
    "cumulative sum": (IMAGE, ["CumulativeSum c 1 1 x y 0=1"]),
    "cumulative sum of channels": (IMAGE, ["CumulativeSum c 1 1 x y 0=0"]),
    "convolution": (
        IMAGE,
        ["Convolution c 1 1 x y 0=5 1=3 11=2 2=1 12=2 3=2 13=1 4=1 5=1 6=120 14=0 15=2 16=3"],
    ),
    "convolution without bias": (IMAGE, ["Convolution c 1 1 x y 0=5 1=3 6=180"]),
    "convolution same upper": (IMAGE, ["Convolution c 1 1 x y 0=5 1=2 3=2 4=-233 5=1 6=80"]),
    "convolution same lower": (IMAGE, ["Convolution c 1 1 x y 0=5 1=4 11=2 4=-234 5=1 6=160"]),
    "convolution with a pad value": (IMAGE, ["Convolution c 1 1 x y 0=5 1=3 4=1 5=1 6=180 18=1.5e-01"]),
    "convolution relu": (IMAGE, ["Convolution c 1 1 x y 0=5 1=3 5=1 6=180 9=1"]),
    "convolution leaky": (IMAGE, ["Convolution c 1 1 x y 0=5 1=3 5=1 6=180 9=2 -23310=1,2.0e-01"]),
    "convolution clip": (IMAGE, ["Convolution c 1 1 x y 0=5 1=3 5=1 6=180 9=3 -23310=2,-1.0e-01,3.0e-01"]),
    "convolution clip by integers": (IMAGE, ["Convolution c 1 1 x y 0=5 1=3 5=1 6=180 9=3 -23310=2,0,1"]),
    "convolution sigmoid": (IMAGE, ["Convolution c 1 1 x y 0=5 1=3 5=1 6=180 9=4"]),
    "convolution of a row": ([(6,)], ["Convolution c 1 1 x y 0=5 1=1 5=1 6=30"]),
    "depthwise": (IMAGE, ["ConvolutionDepthWise c 1 1 x y 0=4 1=3 4=1 5=1 6=36 7=4 9=1"]),
    "depthwise with two outputs each": (IMAGE, ["ConvolutionDepthWise c 1 1 x y 0=8 1=3 4=1 5=1 6=72 7=4"]),
    "groups": (IMAGE, ["ConvolutionDepthWise c 1 1 x y 0=6 1=3 3=2 4=1 5=1 6=108 7=2"]),
    "inner product": (IMAGE, ["InnerProduct f 1 1 x y 0=5 1=1 2=840 9=1"]),
    "inner product of rows": ([(3, 6)], ["InnerProduct f 1 1 x y 0=5 1=1 2=30"]),
    "inner product of one row": ([(1, 6)], ["InnerProduct f 1 1 x y 0=5 2=30"]),
    "inner product of a vector": ([(6,)], ["InnerProduct f 1 1 x y 0=5 1=1 2=30 9=2 -23310=1,1.0e-01"]),
    "max pooling": (IMAGE, ["Pooling p 1 1 x y 0=0 1=3 2=2"]),
    "max pooling valid": (IMAGE, ["Pooling p 1 1 x y 0=0 1=3 2=2 3=1 5=1"]),
    "max pooling uneven": (IMAGE, ["Pooling p 1 1 x y 0=0 1=2 11=3 2=1 12=2 3=1 13=0 14=0 15=1 5=1"]),
    "max pooling same upper": (IMAGE, ["Pooling p 1 1 x y 0=0 1=2 2=2 5=2"]),
    "max pooling same lower": (IMAGE, ["Pooling p 1 1 x y 0=0 1=2 2=2 5=3"]),
    "average pooling": (IMAGE, ["Pooling p 1 1 x y 0=1 1=3 2=2 3=1"]),
    "average pooling counting pads": (IMAGE, ["Pooling p 1 1 x y 0=1 1=3 2=2 3=1 6=1"]),
    "average pooling valid": (IMAGE, ["Pooling p 1 1 x y 0=1 1=3 2=2 3=1 5=1"]),
    "average pooling same upper": (IMAGE, ["Pooling p 1 1 x y 0=1 1=3 2=2 5=2"]),
    "average pooling same lower": (IMAGE, ["Pooling p 1 1 x y 0=1 1=2 2=1 5=3"]),
    "global average pooling": (IMAGE, ["Pooling p 1 1 x y 0=1 4=1"]),
    "global max pooling": (IMAGE, ["Pooling p 1 1 x y 0=0 4=1"]),
    "adaptive pooling": ([(4, 6, 8)], ["Pooling p 1 1 x y 0=1 7=1 8=4 18=3"]),
    "adaptive pooling of one axis": ([(4, 6, 8)], ["Pooling p 1 1 x y 0=0 7=1 8=2 18=-233"]),
    "relu": (IMAGE, ["ReLU r 1 1 x y"]),
    "leaky relu": (IMAGE, ["ReLU r 1 1 x y 0=1.5e-01"]),
    "clip": (IMAGE, ["Clip r 1 1 x y 0=-2.0e-01 1=5.0e-01"]),
    "sigmoid": (IMAGE, ["Sigmoid s 1 1 x y"]),
    "batch norm": (IMAGE, ["BatchNorm n 1 1 x y 0=4 1=1.0e-03"]),
    "batch norm of rows": ([(4, 6)], ["BatchNorm n 1 1 x y 0=4"]),
    "batch norm of a vector": ([(4,)], ["BatchNorm n 1 1 x y 0=4"]),
    "scale": (IMAGE, ["Scale s 1 1 x y 0=4"]),
    "scale and bias": (IMAGE, ["Scale s 1 1 x y 0=4 1=1"]),
    "dropout": (IMAGE, ["Dropout d 1 1 x y"]),
    "dropout with a scale": (IMAGE, ["Dropout d 1 1 x y 0=5.0e-01"]),
    "noop": (IMAGE, ["Noop d 1 1 x y"]),
    "eltwise product": (_TWO, ["Eltwise e 2 1 x z y 0=0"]),
    "eltwise sum": (_TWO, ["Eltwise e 2 1 x z y 0=1"]),
    "eltwise sum with factors": (
        [*_TWO, (4, 7, 6)],
        ["Eltwise e 3 1 x z u y 0=1 -23301=3,5.0e-01,-1.0e+00,2.0e+00"],
    ),
    "eltwise maximum": ([*_TWO, (4, 7, 6)], ["Eltwise e 3 1 x z u y 0=2"]),
    "binary with a channel vector": ([(4, 7, 6), (4,)], ["BinaryOp b 2 1 x z y 0=2"]),
    "binary with a row": ([(4, 7, 6), (6,)], ["BinaryOp b 2 1 x z y 0=0"]),
    "binary with a matrix": ([(4, 7), (4, 7, 6)], ["BinaryOp b 2 1 x z y 0=1"]),
    "binary of rows and a column": ([(4, 7), (4,)], ["BinaryOp b 2 1 x z y 0=0"]),
    "binary of rows and a row": ([(4, 7), (7,)], ["BinaryOp b 2 1 x z y 0=4"]),
    "binary gate": ([(4, 7, 6), (4, 1, 1)], ["BinaryOp b 2 1 x z y 0=2"]),
    "concat channels": ([(4, 7, 6), (2, 7, 6)], ["Concat c 2 1 x z y 0=0"]),
    "concat rows": ([(4, 7, 6), (4, 2, 6)], ["Concat c 2 1 x z y 0=1"]),
    "concat columns": ([(4, 7, 6), (4, 7, 1)], ["Concat c 2 1 x z y 0=-1"]),
    "concat vectors": ([(4,), (3,)], ["Concat c 2 1 x z y 0=0"]),
    "concat matrices": ([(4, 6), (3, 6)], ["Concat c 2 1 x z y 0=0"]),
    "slice": (IMAGE, ["Slice s 1 3 x a b y -23300=3,1,-233,-233"]),
    "slice columns": (IMAGE, ["Slice s 1 2 x a y -23300=2,2,4 1=2"]),
    "slice rows at indices": (IMAGE, ["Slice s 1 3 x a b y 1=1 -23302=2,2,-1"]),
    "padding": (IMAGE, ["Padding p 1 1 x y 0=1 1=2 2=3 3=0 5=5.0e-01"]),
    "padding edge": (IMAGE, ["Padding p 1 1 x y 0=1 1=2 2=3 3=0 4=1"]),
    "padding reflect": (IMAGE, ["Padding p 1 1 x y 0=1 1=2 2=3 3=0 4=2"]),
    "padding channels": (IMAGE, ["Padding p 1 1 x y 0=1 7=1 8=2"]),
    "padding a vector": ([(5,)], ["Padding p 1 1 x y 2=2 3=1"]),
    "interp nearest": (IMAGE, ["Interp i 1 1 x y 0=1 1=2.0e+00 2=3.0e+00"]),
    "interp nearest to a size": (IMAGE, ["Interp i 1 1 x y 0=1 3=11 4=5"]),
    "interp bilinear": (IMAGE, ["Interp i 1 1 x y 0=2 1=2.0e+00 2=1.5e+00"]),
    "interp bilinear to a size": (IMAGE, ["Interp i 1 1 x y 0=2 3=11 4=5"]),
    "interp align corners": (IMAGE, ["Interp i 1 1 x y 0=2 3=13 4=9 6=1"]),
    "interp rows": ([(3, 5)], ["Interp i 1 1 x y 0=2 1=2.0e+00 2=2.0e+00"]),
    "interp a vector": ([(3,)], ["Interp i 1 1 x y 0=2 3=4 4=5"]),
    "interp nothing": (IMAGE, ["Interp i 1 1 x y 0=2 1=1.0e+00 2=1.0e+00"]),
    "reshape": (IMAGE, ["Reshape r 1 1 x y 0=-1 1=4"]),
    "reshape by expressions": (
        _TWO,
        ['Reshape r 2 1 x z y 6="*(0w,2),//(1h,3),-1"', "Reshape s 1 1 x a 6=max(7,2),-1"],
    ),
    "reshape with a batch": (IMAGE, ['Reshape r 1 1 x y 12=0 13=0 6="6,7,square(2),0n"']),
    "reshape to a batch": (IMAGE, ['Reshape r 1 1 x y 13=1 6="*(0w,0h),1,+(trunc(4.5),neg(0))"']),
    "crop by expressions": (_TWO, ['Crop c 2 1 x z y 19="1,-(0w,5)" 20="3,min(1w,4)" 21="0,2"']),
    "interp by expressions": (_TWO, ['Interp i 2 1 x z y 0=1 9="*(0w,2),+(1h,3)"', 'Interp j 1 1 x a 0=2 9="9"']),
    "reshape to an image": (IMAGE, ["Reshape r 1 1 x y 0=3 1=0 2=-1"]),
    "reshape to a vector": (IMAGE, ["Reshape r 1 1 x y 0=-1"]),
    "flatten": (IMAGE, ["Flatten f 1 1 x y"]),
    **{f"permute {order}": (IMAGE, [f"Permute p 1 1 x y 0={order}"]) for order in range(6)},
    "permute a matrix": ([(3, 5)], ["Permute p 1 1 x y 0=1"]),
    "softmax of channels": (IMAGE, ["Softmax s 1 1 x y 0=0"]),
    "softmax of rows": (IMAGE, ["Softmax s 1 1 x y 0=2 1=1"]),
    "softmax of columns": (IMAGE, ["Softmax s 1 1 x y 0=-2 1=1"]),
    "softmax of a vector": ([(9,)], ["Softmax s 1 1 x y 0=0"]),
    "split": (IMAGE, ["Split s 1 2 x a b", "ReLU r 1 1 a c", "Eltwise e 2 1 c b y 0=1"]),
    "conv, norm, relu": (
        IMAGE,
        [
            "Padding p 1 1 x a 0=1 1=1 2=1 3=1",
            "Convolution c 1 1 a b 0=6 1=3 6=216",
            "BatchNorm n 1 1 b d 0=6",
            "Scale s 1 1 d e 0=6 1=1",
            "ReLU r 1 1 e f 0=1.0e-01",
            "InnerProduct i 1 1 f g 0=5 1=1 2=1260",
            "BinaryOp m 1 1 g h 0=7 1=1 2=2.5e-01",
            "Clip k 1 1 h y 0=-1.0e+00 1=1.0e+00",
        ],
    ),
    **{
        f"function {kind}": (IMAGE, [f"{kind} f 1 1 x y"])
        for kind in ("AbsVal", "CELU", "ELU", "Erf", "GELU", "HardSigmoid", "HardSwish", "Mish", "SELU", "Shrink",
                     "Softplus", "Swish", "TanH")
    },
    "function GELU by tanh": (IMAGE, ["GELU f 1 1 x y 0=1"]),
    "function Shrink with numbers": (IMAGE, ["Shrink f 1 1 x y 0=1.5e-01 1=2.5e-01"]),
    "function SELU with numbers": (IMAGE, ["SELU f 1 1 x y 0=1.5e+00 1=1.25e+00"]),
    **{
        f"unary operation {kind}": (IMAGE, ["Sigmoid s 1 1 x p", f"UnaryOp u 1 1 p y 0={kind}"]) for kind in range(20)
    },
    **{
        f"binary operation {kind} with a scalar": (
            IMAGE,
            ["Sigmoid s 1 1 x p", f"BinaryOp b 1 1 p y 0={kind} 1=1 2=1.7e+00"],
        )
        for kind in range(10)
    },
    **{
        f"binary operation {kind}": (
            _TWO,
            ["Sigmoid s 1 1 x p", "Sigmoid t 1 1 z q", f"BinaryOp b 2 1 p q y 0={kind}"],
        )
        for kind in range(10)
    },
}  # fmt: skip
