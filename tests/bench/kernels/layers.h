// The int8 layers of the four MLPerf Tiny networks; odd ones that go through every other path; ones with extreme elements and
// weights; and ones of whose elements a good part is at its zero point, as after a ReLU.

typedef enum { CONVOLUTION, DEPTHWISE, FULLY_CONNECTED, POOLING, ADDITION } operation;

typedef struct {
    const char *network, *name;
    int times; // how often the network has it
    operation operation;
    int h, w, c; // of the input
    int out_h, out_w, out_c;
    int kernel_h, kernel_w, stride, pad_top, pad_left;
} layer;

static const layer layers[] = {
    {"kws", "first 10x4", 1, CONVOLUTION, 49, 10, 1, 25, 5, 64, 10, 4, 2, 4, 1},
    {"kws", "depthwise 64", 4, DEPTHWISE, 25, 5, 64, 25, 5, 64, 3, 3, 1, 1, 1},
    {"kws", "1x1 64-64", 4, CONVOLUTION, 25, 5, 64, 25, 5, 64, 1, 1, 1, 0, 0},
    {"kws", "average", 1, POOLING, 25, 5, 64, 1, 1, 64, 25, 5, 1, 0, 0},
    {"kws", "dense 64-12", 1, FULLY_CONNECTED, 1, 1, 64, 1, 12, 1, 0, 0, 0, 0, 0},
    {"ic", "first 3x3", 1, CONVOLUTION, 32, 32, 3, 32, 32, 16, 3, 3, 1, 1, 1},
    {"ic", "3x3 16-16", 2, CONVOLUTION, 32, 32, 16, 32, 32, 16, 3, 3, 1, 1, 1},
    {"ic", "3x3 16-32 /2", 1, CONVOLUTION, 32, 32, 16, 16, 16, 32, 3, 3, 2, 0, 0},
    {"ic", "3x3 32-32", 1, CONVOLUTION, 16, 16, 32, 16, 16, 32, 3, 3, 1, 1, 1},
    {"ic", "1x1 16-32 /2", 1, CONVOLUTION, 32, 32, 16, 16, 16, 32, 1, 1, 2, 0, 0},
    {"ic", "3x3 32-64 /2", 1, CONVOLUTION, 16, 16, 32, 8, 8, 64, 3, 3, 2, 0, 0},
    {"ic", "3x3 64-64", 1, CONVOLUTION, 8, 8, 64, 8, 8, 64, 3, 3, 1, 1, 1},
    {"ic", "1x1 32-64 /2", 1, CONVOLUTION, 16, 16, 32, 8, 8, 64, 1, 1, 2, 0, 0},
    {"ic", "add 16", 1, ADDITION, 32, 32, 16, 32, 32, 16, 0, 0, 0, 0, 0},
    {"ic", "add 32", 1, ADDITION, 16, 16, 32, 16, 16, 32, 0, 0, 0, 0, 0},
    {"ic", "add 64", 1, ADDITION, 8, 8, 64, 8, 8, 64, 0, 0, 0, 0, 0},
    {"ic", "average", 1, POOLING, 8, 8, 64, 1, 1, 64, 8, 8, 1, 0, 0},
    {"ic", "dense 64-10", 1, FULLY_CONNECTED, 1, 1, 64, 1, 10, 1, 0, 0, 0, 0, 0},
    {"vww", "first 3x3 /2", 1, CONVOLUTION, 96, 96, 3, 48, 48, 8, 3, 3, 2, 0, 0},
    {"vww", "depthwise 8", 1, DEPTHWISE, 48, 48, 8, 48, 48, 8, 3, 3, 1, 1, 1},
    {"vww", "1x1 8-16", 1, CONVOLUTION, 48, 48, 8, 48, 48, 16, 1, 1, 1, 0, 0},
    {"vww", "depthwise 16 /2", 1, DEPTHWISE, 48, 48, 16, 24, 24, 16, 3, 3, 2, 0, 0},
    {"vww", "1x1 16-32", 1, CONVOLUTION, 24, 24, 16, 24, 24, 32, 1, 1, 1, 0, 0},
    {"vww", "depthwise 32", 1, DEPTHWISE, 24, 24, 32, 24, 24, 32, 3, 3, 1, 1, 1},
    {"vww", "1x1 32-32", 1, CONVOLUTION, 24, 24, 32, 24, 24, 32, 1, 1, 1, 0, 0},
    {"vww", "depthwise 32 /2", 1, DEPTHWISE, 24, 24, 32, 12, 12, 32, 3, 3, 2, 0, 0},
    {"vww", "1x1 32-64", 1, CONVOLUTION, 12, 12, 32, 12, 12, 64, 1, 1, 1, 0, 0},
    {"vww", "depthwise 64", 1, DEPTHWISE, 12, 12, 64, 12, 12, 64, 3, 3, 1, 1, 1},
    {"vww", "1x1 64-64", 1, CONVOLUTION, 12, 12, 64, 12, 12, 64, 1, 1, 1, 0, 0},
    {"vww", "depthwise 64 /2", 1, DEPTHWISE, 12, 12, 64, 6, 6, 64, 3, 3, 2, 0, 0},
    {"vww", "1x1 64-128", 1, CONVOLUTION, 6, 6, 64, 6, 6, 128, 1, 1, 1, 0, 0},
    {"vww", "depthwise 128", 5, DEPTHWISE, 6, 6, 128, 6, 6, 128, 3, 3, 1, 1, 1},
    {"vww", "1x1 128-128", 5, CONVOLUTION, 6, 6, 128, 6, 6, 128, 1, 1, 1, 0, 0},
    {"vww", "depthwise 128 /2", 1, DEPTHWISE, 6, 6, 128, 3, 3, 128, 3, 3, 2, 0, 0},
    {"vww", "1x1 128-256", 1, CONVOLUTION, 3, 3, 128, 3, 3, 256, 1, 1, 1, 0, 0},
    {"vww", "depthwise 256", 1, DEPTHWISE, 3, 3, 256, 3, 3, 256, 3, 3, 1, 1, 1},
    {"vww", "1x1 256-256", 1, CONVOLUTION, 3, 3, 256, 3, 3, 256, 1, 1, 1, 0, 0},
    {"vww", "average", 1, POOLING, 3, 3, 256, 1, 1, 256, 3, 3, 1, 0, 0},
    {"vww", "dense 256-2", 1, FULLY_CONNECTED, 1, 1, 256, 1, 2, 1, 0, 0, 0, 0, 0},
    {"ad", "dense 640-128", 1, FULLY_CONNECTED, 1, 1, 640, 1, 128, 1, 0, 0, 0, 0, 0},
    {"ad", "dense 128-128", 6, FULLY_CONNECTED, 1, 1, 128, 1, 128, 1, 0, 0, 0, 0, 0},
    {"ad", "dense 128-8", 1, FULLY_CONNECTED, 1, 1, 128, 1, 8, 1, 0, 0, 0, 0, 0},
    {"ad", "dense 8-128", 1, FULLY_CONNECTED, 1, 1, 8, 1, 128, 1, 0, 0, 0, 0, 0},
    {"ad", "dense 128-640", 1, FULLY_CONNECTED, 1, 1, 128, 1, 640, 1, 0, 0, 0, 0, 0},
    {"odd", "3x3 5-7", 1, CONVOLUTION, 7, 9, 5, 7, 9, 7, 3, 3, 1, 1, 1},
    {"odd", "1x1 3-5", 1, CONVOLUTION, 5, 3, 3, 5, 3, 5, 1, 1, 1, 0, 0},
    {"odd", "1x1 150-3", 1, CONVOLUTION, 3, 3, 150, 3, 3, 3, 1, 1, 1, 0, 0},
    {"odd", "5x5 6-19 /2", 1, CONVOLUTION, 11, 11, 6, 6, 6, 19, 5, 5, 2, 2, 2},
    {"odd", "1x1 1-1", 1, CONVOLUTION, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0},
    {"odd", "depthwise 7", 1, DEPTHWISE, 6, 6, 7, 6, 6, 7, 3, 3, 1, 1, 1},
    {"odd", "depthwise 5x5 8", 1, DEPTHWISE, 9, 9, 8, 5, 5, 8, 5, 5, 2, 2, 2},
    {"odd", "depthwise narrow", 1, DEPTHWISE, 4, 1, 12, 4, 1, 12, 3, 3, 1, 1, 1},
    {"odd", "dense 131-7", 1, FULLY_CONNECTED, 1, 1, 131, 1, 7, 1, 0, 0, 0, 0, 0},
    {"odd", "dense 3-3", 1, FULLY_CONNECTED, 1, 1, 3, 1, 3, 1, 0, 0, 0, 0, 0},
    {"odd", "maximum", 1, POOLING, 7, 7, 6, 3, 3, 6, 3, 3, 2, 0, 0},
    {"extreme", "3x3 32-6", 1, CONVOLUTION, 6, 5, 32, 6, 5, 6, 3, 3, 1, 1, 1},
    {"extreme", "3x3 64-40", 1, CONVOLUTION, 4, 3, 64, 4, 3, 40, 3, 3, 1, 1, 1},
    {"extreme", "3x3 3-8", 1, CONVOLUTION, 7, 7, 3, 7, 7, 8, 3, 3, 1, 1, 1},
    {"extreme", "1x1 256-9", 1, CONVOLUTION, 3, 3, 256, 3, 3, 9, 1, 1, 1, 0, 0},
    {"extreme", "depthwise 8", 1, DEPTHWISE, 6, 6, 8, 6, 6, 8, 3, 3, 1, 1, 1},
    {"extreme", "dense 640-9", 1, FULLY_CONNECTED, 1, 1, 640, 1, 9, 1, 0, 0, 0, 0, 0},
    {"extreme", "add 16", 1, ADDITION, 4, 4, 16, 4, 4, 16, 0, 0, 0, 0, 0},
    {"extreme", "average", 1, POOLING, 25, 5, 64, 1, 1, 64, 25, 5, 1, 0, 0},
    {"relu", "dense 128-128", 1, FULLY_CONNECTED, 1, 1, 128, 1, 128, 1, 0, 0, 0, 0, 0},
    {"relu", "dense 300-21", 1, FULLY_CONNECTED, 1, 1, 300, 1, 21, 1, 0, 0, 0, 0, 0},
    {"relu", "3x3 16-8", 1, CONVOLUTION, 5, 5, 16, 5, 5, 8, 3, 3, 1, 1, 1},
};
