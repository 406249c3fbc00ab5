# The kernels' sources, in one list for every way of building them.
NN_SOURCES = kernels.c operand.c window.c arena.c inference.c run.c steps.c begin.c movement.c interp.c transposed.c matrices.c along_axis.c arg_max.c cast.c gather.c logarithm.c
NN_SOURCES_FLOAT = float_math.c activate.c patch_float.c depthwise_float.c convolution.c inner_product.c pooling.c elementwise.c softmax.c deconvolution.c prelu.c matmul.c log_softmax.c l2_normalize.c svdf.c lstm.c circular.c functions.c unary.c reduce.c normalization.c recurrent.c choosing.c cumsum.c top_k.c
NN_SOURCES_INT8 = requantise.c patch_int8.c pixels_int8.c convolution_int8.c pairs_int8.c convolution_int8_dsp.c depthwise_3x3.c depthwise_int8.c dense_int8.c inner_product_int8.c inner_product_int8_dsp.c pooling_int8.c binary_int8.c table_int8.c softmax_int8.c mean_int8.c quantize.c deconvolution_int8.c prelu_int8.c interp_int8.c matmul_int8.c log_softmax_int8.c l2_normalize_int8.c svdf_int8.c fixed_functions.c lstm_int8.c
# The families: what one kind of model needs, so that a board has no other kernels; `all` unless NN_FAMILY says another.
NN_FAMILY ?= all
NN_FAMILY_all = $(NN_SOURCES) $(NN_SOURCES_FLOAT) $(NN_SOURCES_INT8)
NN_FAMILY_float = $(NN_SOURCES) $(NN_SOURCES_FLOAT)
NN_FAMILY_int8 = $(NN_SOURCES) $(NN_SOURCES_INT8)
NN_WITHOUT_float = -DNN_INT8=0
NN_WITHOUT_int8 = -DNN_FLOAT=0
ifeq ($(NN_FAMILY_$(NN_FAMILY)),)
$(error The kernels' family is all, float or int8, not "$(NN_FAMILY)")
endif
# Those that most of the time goes into, and that gain by it: compiled for speed in a firmware, the rest for size. What
# spends its time in a loop of another file, or in assembler, does not. Without .c, for a file is listed once.
NN_FAST = operand patch_float depthwise_float convolution inner_product elementwise matrices patch_int8 pixels_int8 convolution_int8 pairs_int8 convolution_int8_dsp depthwise_3x3 depthwise_int8 dense_int8 inner_product_int8_dsp binary_int8
