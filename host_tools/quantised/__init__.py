"""What LiteRT derives from scales and zero points before it runs an int8 operator, computed as it computes it.

Every function returns the parameters of a kernel of `nnmicro/reference/`, by the kernel's names, so that the kernel
gives LiteRT's bytes (interpreter with the built-in kernels and no delegate). Scales are the float32 values of the
model file, as Python floats or numpy floats; an int8 value q means scale * (q - zero). `activation` is the fused
activation by its name in the TFLite schema: NONE, RELU, RELU6, RELU_N1_TO_1.

    conv_parameters(input_scale, input_zero, weight_scales, output_scale, output_zero, activation, outputs=None)
        -> (multipliers int32[outputs], shifts int32[outputs], activation_min, activation_max)
        convolution_int8 and depthwise_int8; one weight scale is repeated `outputs` times
    inner_product_parameters(...)               the same for inner_product_int8 (FULLY_CONNECTED)
    add_parameters(a_scale, a_zero, b_scale, b_zero, output_scale, output_zero, activation)
        -> dict of binary_int8's parameters, `kind` and all; also sub_parameters, mul_parameters
    extremum_parameters(kind)                   dict for MAXIMUM ("max") and MINIMUM ("min")
    pooling_bounds(scale, zero, activation)     -> (activation_min, activation_max) of pooling_int8
    table(name, in_scale, in_zero, out_scale, out_zero, **options)
        -> int8[256], the operand of table_int8; `name` is the operator's in the TFLite schema, see TABLES;
        options: alpha (LEAKY_RELU), approximate (GELU), count (QUANTIZE)
    softmax_parameters(in_scale, beta, out_scale, out_zero)
        -> (float32[256] table, dict of softmax_int8's parameters without `axis`)
    log_softmax_parameters(in_scale, out_scale, out_zero)   likewise for log_softmax_int8
    matmul_parameters(a_scale, a_zero, b_scale, b_zero, out_scale, out_zero) -> dict for matmul_int8 without transpose_*
    svdf_parameters(in_scale, in_zero, feature_scale, state_scale, time_scale, out_scale, out_zero)
        -> dict for svdf_int8 without `rank`
    lstm_parameters(...)                        -> (int32[16], the operand `scales` of lstm_int8, and its parameters)
    mean_parameters(in_scale, in_zero, out_scale, out_zero, shape, axes, keep_dims)
        -> dict of mean_int8's parameters without over_*; sum_parameters likewise
    depthwise_half_up(outputs)                  -> `half_up` of depthwise_int8; also transposed_half_up
    prelu_parameters(in_scale, in_zero, slope_scale, slope_zero, out_scale, out_zero) -> dict for prelu_int8
    bilinear_scale(before, after, align_corners) -> scale_h or scale_w of interp_int8
    conversion_in_blocks(count)                 -> `in_blocks` of quantize and dequantize
"""

from .binary import add_parameters, extremum_parameters, mul_parameters, sub_parameters
from .lstm import lstm_parameters
from .matmul import matmul_parameters
from .multipliers import (
    activation_bounds,
    conv_parameters,
    inner_product_parameters,
    pooling_bounds,
    quantised_multiplier,
)
from .prelu import prelu_parameters
from .reductions import mean_parameters, sum_parameters
from .resizing import bilinear_scale
from .softmax import log_softmax_parameters, softmax_parameters
from .svdf import svdf_parameters
from .tables import TABLES, table
from .vector_code import conversion_in_blocks, depthwise_half_up, transposed_half_up

__all__ = [
    "TABLES",
    "activation_bounds",
    "add_parameters",
    "bilinear_scale",
    "conv_parameters",
    "conversion_in_blocks",
    "depthwise_half_up",
    "extremum_parameters",
    "inner_product_parameters",
    "log_softmax_parameters",
    "lstm_parameters",
    "matmul_parameters",
    "mean_parameters",
    "mul_parameters",
    "pooling_bounds",
    "prelu_parameters",
    "quantised_multiplier",
    "softmax_parameters",
    "sub_parameters",
    "sum_parameters",
    "svdf_parameters",
    "table",
    "transposed_half_up",
]
