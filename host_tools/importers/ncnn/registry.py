"""The layers of ncnn's registry that are not imported, each with the reason: for the table in OPERATORS.md."""

from __future__ import annotations

_DETECTION = "not for boards: how many boxes come out is known only at run time; do it in Python behind the network"
_THREE_D = "refused: a depth is a fourth axis"
_SAMPLING = "refused: it reads at places that are computed at run time"
_HOST = "not for boards: a host's storage and vector units"

NOT_IMPORTED: dict[str, str] = {
    "ArgMax": "ncnn itself is built without it",
    "Cast": _HOST,
    "Convolution3D": _THREE_D,
    "ConvolutionDepthWise3D": _THREE_D,
    "CopyTo": "refused: write it as Concat",
    "Deconvolution3D": _THREE_D,
    "DeconvolutionDepthWise3D": _THREE_D,
    "DeformableConv2D": _SAMPLING,
    "Dequantize": "refused: as part of Convolution and InnerProduct with int8_scale_term",
    "DetectionOutput": _DETECTION,
    "Diag": "refused: networks have it in training only",
    "Einsum": "refused: write it as MatMul and Permute, or convert the ONNX file",
    "Fold": "refused: a Deconvolution with a kernel of ones and zeros",
    "GridSample": _SAMPLING,
    "InverseSpectrogram": "not for boards: compute sound from the network's output",
    "LRN": "refused: train with a batch normalisation in its place",
    "Packing": _HOST,
    "Pooling3D": _THREE_D,
    "PriorBox": _DETECTION,
    "Proposal": _DETECTION,
    "PSROIPooling": _SAMPLING,
    "Quantize": "refused: as part of Convolution and InnerProduct with int8_scale_term",
    "Requantize": "refused: as part of Convolution and InnerProduct with int8_scale_term",
    "ROIAlign": _SAMPLING,
    "ROIPooling": _SAMPLING,
    "RotaryEmbed": "refused: write it as Slice, BinaryOp and Concat",
    "Spectrogram": "not for boards: compute the features before the network",
    "SPP": "ncnn itself is built without it",
    "Unfold": "refused: a Convolution with a kernel of ones and zeros",
    "Yolov3DetectionOutput": _DETECTION,
    "YoloDetectionOutput": _DETECTION,
}
