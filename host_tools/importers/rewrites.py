"""What helps where an operator cannot be imported: how to say the same in the source model with operators that can.

One row for operators that stand for the same thing in different formats; the sentence is printed behind the refusal.
"""

from __future__ import annotations

_CUT = (
    "cut the graph before it (--output-blob) and do in Python on the board what comes after: it works on few numbers, "
    "and how many come out is known only then"
)
_UNROLL = "export the model with a fixed number of steps, so that the exporter writes the loop or branch out"
_FEATURES = "compute the features before the network, and convert the network from there on (its input is then they)"
_THREE_D = "fold one of the three axes into the channels, or use layers over two axes"
_STATIC = "quantise the model statically (with a calibration set): nnmicro convert --quantize does it for ONNX"
_BUILT_IN = "convert with TFLite's built-in operators only (supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS])"
_NOISE = "export the model for inference: what is random in training has no place in it"

_ROWS: tuple[tuple[str, str], ...] = (
    ("NonMaxSuppression NonZero Unique Compress NON_MAX_SUPPRESSION_V4 NON_MAX_SUPPRESSION_V5 WHERE UNIQUE "
     "DetectionOutput Yolov3DetectionOutput YoloDetectionOutput Proposal ROIPooling ROIAlign PSROIPooling RoiAlign "
     "PriorBox TFLite_Detection_PostProcess", _CUT),
    ("Loop If Scan SequenceMap WHILE IF CALL CALL_ONCE", _UNROLL),
    ("STFT DFT MelWeightMatrix RFFT2D IMAG REAL Spectrogram InverseSpectrogram AudioSpectrogram Mfcc", _FEATURES),
    ("CONV_3D CONV_3D_TRANSPOSE Convolution3D ConvolutionDepthWise3D Deconvolution3D Pooling3D", _THREE_D),
    ("ConvInteger MatMulInteger DynamicQuantizeLinear", _STATIC),
    ("RandomNormal RandomNormalLike RandomUniform RandomUniformLike Bernoulli Multinomial RANDOM_UNIFORM "
     "RANDOM_STANDARD_NORMAL MULTINOMIAL", _NOISE),
    ("LRN LOCAL_RESPONSE_NORMALIZATION", "train with a batch normalisation in its place, or leave it out: networks "
     "since 2015 do without"),
    ("RotaryEmbed", "write it as slices, products, sums and a concatenation: export the model without that fusion"),
    ("Fold Unfold", "a Deconvolution, or a Convolution, whose kernel has ones and zeros"),
    ("CopyTo", "write it as a concatenation"),
    ("Quantize Dequantize Requantize", "let ncnn2int8 make them part of the convolutions (int8_scale_term)"),
    ("GridSample DeformableConv2D", "resize to a fixed grid (Resize), or sample before the network"),
    ("BIDIRECTIONAL_SEQUENCE_LSTM BIDIRECTIONAL_SEQUENCE_RNN", "two layers, one of which gets its input and gives its "
     "output reversed, or export to ONNX"),
    ("UNIDIRECTIONAL_SEQUENCE_RNN", "convert from Keras with unroll=True, or export to ONNX"),
    ("Einsum", "write it as MatMul and Transpose"),
    ("CUSTOM", _BUILT_IN),
)  # fmt: skip

REWRITES = {name: sentence for names, sentence in _ROWS for name in names.split()}


def rewrite_of(kind: str) -> str | None:
    """The sentence for an operator of any format, or None; a custom operator of TFLite is `CUSTOM its_name`."""
    plain, _, custom = kind.partition(" ")
    return REWRITES.get(custom) or REWRITES.get(plain)
