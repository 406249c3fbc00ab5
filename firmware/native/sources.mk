# The kernels' sources, in one list for every way of building them.
NN_SOURCES = kernels.c operand.c window.c arena.c run.c movement.c interp.c
NN_SOURCES_FLOAT = float_math.c activate.c convolution.c inner_product.c pooling.c elementwise.c softmax.c
NN_SOURCES_INT8 = requantise.c convolution_int8.c depthwise_int8.c inner_product_int8.c pooling_int8.c binary_int8.c table_int8.c softmax_int8.c mean_int8.c quantize.c
