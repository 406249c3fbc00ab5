// Carries out each layer once through nn_call, on data that are the same everywhere, and prints for each a line:
//
//     network|layer|times|instructions|multiplications|hash of the output
//
// The instructions are those of the whole call: the checks of the record included.

#include "machine.h"
#include "marks.h"
#include "nn.h"
#include "params.h"
#include "layers.h"

enum { OPERANDS = 6, LONGEST = 640 };

static int8_t input[100000], second[20000], output[70000], weights[90000];
static int32_t bias[LONGEST], multiplier[LONGEST], shift[LONGEST], params[16];
static int32_t record[NN_RECORD_WORDS + OPERANDS * NN_OPERAND_WORDS];
static nn_buffer buffers[] = {{output, sizeof output, 1}, {params, sizeof params, 0}, {0, 0, 0}, {input, sizeof input, 0},
    {second, sizeof second, 0}, {weights, sizeof weights, 0}, {bias, sizeof bias, 0}, {multiplier, sizeof multiplier, 0},
    {shift, sizeof shift, 0}};
enum { OUTPUT, PARAMS, NOTHING, INPUT, SECOND, WEIGHTS, BIAS, MULTIPLIER, SHIFT, BUFFERS };

static int extreme; // whether elements, weights and zero points are the largest there are

static uint32_t seed;
static uint32_t next(void) {
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

static void operand(int i, int buffer, int dtype, int c, int h, int w, int cs, int rs, int ps, int bytes) {
    int32_t *o = record + NN_RECORD_WORDS + i * NN_OPERAND_WORDS;
    o[NN_O_BUFFER] = buffer;
    o[NN_O_OFFSET] = 0;
    o[NN_O_C] = c;
    o[NN_O_H] = h;
    o[NN_O_W] = w;
    o[NN_O_CSTEP] = cs;
    o[NN_O_RSTEP] = rs;
    o[NN_O_PSTEP] = ps;
    o[NN_O_ROWS] = h;
    o[NN_O_DTYPE] = dtype;
    o[NN_O_BYTES] = bytes;
}

// Channels fastest.
static void map(int i, int buffer, int h, int w, int c) {
    operand(i, buffer, NN_I8, c, h, w, 1, w * c, c, h * w * c);
}

static void line(int i, int buffer, int dtype, int count) {
    const int item = dtype == NN_I8 ? 1 : 4;
    operand(i, buffer, dtype, 1, 1, count, count * item, count * item, item, count * item);
}

static void channels(int count, int products, int odd) {
    int spread = 0;
    for (int reach = products * 64 * 40; reach >> spread > 2000; spread++) {
    }
    for (int i = 0; i < count; i++) {
        bias[i] = (int32_t)(next() % 4001) - 2000;
        multiplier[i] = extreme ? INT32_MAX : (int32_t)((1u << 30) + next() * 60u % (1u << 30));
        shift[i] = -spread - (int)(next() & 1);
    }
    if (odd && count > 5) { // dead channels, large scales
        shift[1] = -31;
        shift[2] = 0;
        shift[3] = 2;
        bias[4] = INT32_MAX - 5;
        multiplier[5] = INT32_MAX;
    }
    line(2, BIAS, NN_I32, count);
    line(3, MULTIPLIER, NN_I32, count);
    line(4, SHIFT, NN_I32, count);
}

static int prepare(const layer *l, const char **kernel) {
    const int zero = extreme ? (int)(next() & 1 ? 127 : -128) : (int)(next() % 256) - 128, out_zero = next() & 1 ? -128 : (int)(next() % 100) - 50;
    const int taps = l->kernel_h * l->kernel_w;
    int32_t *p = params;
    for (int i = 0; l->network[0] == 'r' && i < l->h * l->w * l->c; i++) {
        input[i] = (int8_t)(next() % 5 < 3 ? zero : (int)(next() & 255) - 128);
    }
    map(0, INPUT, l->h, l->w, l->c);
    switch (l->operation) {
    case CONVOLUTION:
        *kernel = "convolution_int8";
        line(1, WEIGHTS, NN_I8, l->out_c * taps * l->c);
        channels(l->out_c, taps * l->c, l->network[0] == 'o');
        map(5, OUTPUT, l->out_h, l->out_w, l->out_c);
        p[CONVOLUTION_INT8_KERNEL_H] = l->kernel_h;
        p[CONVOLUTION_INT8_KERNEL_W] = l->kernel_w;
        p[CONVOLUTION_INT8_STRIDE_H] = p[CONVOLUTION_INT8_STRIDE_W] = l->stride;
        p[CONVOLUTION_INT8_DILATION_H] = p[CONVOLUTION_INT8_DILATION_W] = 1;
        p[CONVOLUTION_INT8_PAD_TOP] = l->pad_top;
        p[CONVOLUTION_INT8_PAD_LEFT] = l->pad_left;
        p[CONVOLUTION_INT8_GROUP] = 1;
        p[CONVOLUTION_INT8_INPUT_ZERO] = zero;
        p[CONVOLUTION_INT8_OUTPUT_ZERO] = out_zero;
        p[CONVOLUTION_INT8_ACTIVATION_MIN] = -128;
        p[CONVOLUTION_INT8_ACTIVATION_MAX] = 127;
        record[NN_N_IN] = 5;
        return CONVOLUTION_INT8_PARAMS;
    case DEPTHWISE:
        *kernel = "depthwise_int8";
        line(1, WEIGHTS, NN_I8, l->out_c * taps);
        channels(l->out_c, taps, l->network[0] == 'o');
        map(5, OUTPUT, l->out_h, l->out_w, l->out_c);
        p[DEPTHWISE_INT8_KERNEL_H] = l->kernel_h;
        p[DEPTHWISE_INT8_KERNEL_W] = l->kernel_w;
        p[DEPTHWISE_INT8_STRIDE_H] = p[DEPTHWISE_INT8_STRIDE_W] = l->stride;
        p[DEPTHWISE_INT8_DILATION_H] = p[DEPTHWISE_INT8_DILATION_W] = 1;
        p[DEPTHWISE_INT8_PAD_TOP] = l->pad_top;
        p[DEPTHWISE_INT8_PAD_LEFT] = l->pad_left;
        p[DEPTHWISE_INT8_DEPTH_MULTIPLIER] = 1;
        p[DEPTHWISE_INT8_INPUT_ZERO] = zero;
        p[DEPTHWISE_INT8_OUTPUT_ZERO] = out_zero;
        p[DEPTHWISE_INT8_ACTIVATION_MIN] = -128;
        p[DEPTHWISE_INT8_ACTIVATION_MAX] = 127;
        p[DEPTHWISE_INT8_HALF_UP] = l->out_c & ~7;
        record[NN_N_IN] = 5;
        return DEPTHWISE_INT8_PARAMS;
    case FULLY_CONNECTED:
        *kernel = "inner_product_int8";
        line(1, WEIGHTS, NN_I8, l->out_w * l->c);
        channels(l->out_w, l->c, l->network[0] == 'o');
        line(5, OUTPUT, NN_I8, l->out_w);
        p[INNER_PRODUCT_INT8_PER_ROW] = 0;
        p[INNER_PRODUCT_INT8_INPUT_ZERO] = zero;
        p[INNER_PRODUCT_INT8_WEIGHT_ZERO] = 0;
        p[INNER_PRODUCT_INT8_OUTPUT_ZERO] = out_zero;
        p[INNER_PRODUCT_INT8_ACTIVATION_MIN] = -128;
        p[INNER_PRODUCT_INT8_ACTIVATION_MAX] = 127;
        record[NN_N_IN] = 5;
        return INNER_PRODUCT_INT8_PARAMS;
    case POOLING:
        *kernel = "pooling_int8";
        map(1, OUTPUT, l->out_h, l->out_w, l->out_c);
        p[POOLING_INT8_KIND] = l->stride == 1;
        p[POOLING_INT8_KERNEL_H] = l->kernel_h;
        p[POOLING_INT8_KERNEL_W] = l->kernel_w;
        p[POOLING_INT8_STRIDE_H] = p[POOLING_INT8_STRIDE_W] = l->stride;
        p[POOLING_INT8_PAD_TOP] = p[POOLING_INT8_PAD_LEFT] = 0;
        p[POOLING_INT8_ACTIVATION_MIN] = -128;
        p[POOLING_INT8_ACTIVATION_MAX] = 127;
        record[NN_N_IN] = 1;
        return POOLING_INT8_PARAMS;
    default:
        *kernel = "binary_int8";
        map(1, SECOND, l->h, l->w, l->c);
        map(2, OUTPUT, l->out_h, l->out_w, l->out_c);
        p[BINARY_INT8_KIND] = 0;
        p[BINARY_INT8_LEFT_SHIFT] = 20;
        p[BINARY_INT8_A_ZERO] = zero;
        p[BINARY_INT8_A_MULTIPLIER] = 1 << 30;
        p[BINARY_INT8_A_SHIFT] = 0;
        p[BINARY_INT8_B_ZERO] = -128;
        p[BINARY_INT8_B_MULTIPLIER] = 1717986918;
        p[BINARY_INT8_B_SHIFT] = -1;
        p[BINARY_INT8_OUTPUT_ZERO] = out_zero;
        p[BINARY_INT8_OUTPUT_MULTIPLIER] = 1503238553;
        p[BINARY_INT8_OUTPUT_SHIFT] = -19;
        p[BINARY_INT8_ACTIVATION_MIN] = -128;
        p[BINARY_INT8_ACTIVATION_MAX] = 127;
        record[NN_N_IN] = 2;
        return BINARY_INT8_PARAMS;
    }
}

#ifdef PACKED
#include "packed.h"
#else
#define pack(layer, kernel) (kernel)
#endif

static int multiplications(const layer *l) {
    const int outputs = l->out_h * l->out_w * l->out_c;
    switch (l->operation) {
    case CONVOLUTION:
        return outputs * l->kernel_h * l->kernel_w * l->c;
    case DEPTHWISE:
        return outputs * l->kernel_h * l->kernel_w;
    case FULLY_CONNECTED:
        return outputs * l->c;
    default:
        return 0;
    }
}

static void number(uint32_t value) {
    char digits[11];
    int i = 10;
    digits[i] = 0;
    do {
        digits[--i] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    machine_print(digits + i);
    machine_print("|");
}

static void count(const layer *l) {
    const char *kernel;
    buffers[WEIGHTS] = (nn_buffer){weights, sizeof weights, 0};
    buffers[BIAS] = (nn_buffer){bias, sizeof bias, 0};
    const int n_params = prepare(l, &kernel);
    kernel = pack(l, kernel);
    size_t length = 0;
    while (kernel[length]) {
        length++;
    }
    record[NN_KERNEL] = nn_kernel(kernel, length);
    record[NN_N_OUT] = 1;
    record[NN_Y0] = 0;
    record[NN_Y1] = l->out_h;
    record[NN_PARAMS] = 0;
    record[NN_N_PARAMS] = n_params;
    const int words = NN_RECORD_WORDS + (record[NN_N_IN] + 1) * NN_OPERAND_WORDS;
    const uint32_t start = machine_instructions();
    MARK_START();
    const int error = nn_call(buffers, BUFFERS, record, words);
    MARK_STOP();
    const uint32_t end = machine_instructions();
    uint32_t hash = 2166136261u;
    for (int i = 0; i < l->out_h * l->out_w * l->out_c; i++) {
        hash = (hash ^ (uint8_t)output[i]) * 16777619u;
    }
    machine_print(l->network);
    machine_print("|");
    machine_print(l->name);
    machine_print("|");
    number((uint32_t)l->times);
    number(end - start);
    number((uint32_t)multiplications(l));
    number(error ? 0 : hash);
    machine_print("\n");
}

static void fill(int8_t *data, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const uint32_t value = next();
        data[i] = (int8_t)(!extreme ? (int32_t)value : value & 0x300 ? -128 : 127);
    }
}

int main(void) {
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        const int was = extreme;
        extreme = layers[i].network[0] == 'e';
        if (!i || extreme != was) {
            fill(input, sizeof input);
            fill(second, sizeof second);
            fill(weights, sizeof weights);
            for (size_t k = 0; k < sizeof weights && !extreme; k++) {
                weights[k] /= 2; // about as large as those of real layers are
            }
        }
        count(layers + i);
    }
    return 0;
}
