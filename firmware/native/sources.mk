# The kernels' sources, in one list for every way of building them.
NN_SOURCES = kernels.c operand.c window.c arena.c inference.c run.c steps.c begin.c movement.c interp.c transposed.c matrices.c along_axis.c arg_max.c cast.c logarithm.c
NN_SOURCES_FLOAT = float_math.c activate.c convolution.c inner_product.c pooling.c elementwise.c softmax.c deconvolution.c prelu.c matmul.c log_softmax.c l2_normalize.c svdf.c lstm.c
NN_SOURCES_INT8 = requantise.c patch_int8.c convolution_int8.c depthwise_3x3.c depthwise_int8.c inner_product_int8.c pooling_int8.c binary_int8.c table_int8.c softmax_int8.c mean_int8.c quantize.c deconvolution_int8.c prelu_int8.c interp_int8.c matmul_int8.c log_softmax_int8.c l2_normalize_int8.c svdf_int8.c fixed_functions.c lstm_int8.c
# Those that most of the time goes into: compiled for speed in a firmware, the rest for size. Without .c, for a file is listed once.
NN_FAST = operand window movement interp convolution inner_product pooling elementwise activate matrices patch_int8 convolution_int8 depthwise_3x3 depthwise_int8 inner_product_int8 pooling_int8 binary_int8 table_int8 mean_int8 matmul_int8 deconvolution_int8
