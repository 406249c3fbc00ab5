// Hostile call records: random ones, and valid ones with some words changed. Built with sanitizers, each buffer in an
// allocation of its own size, so that the first byte read or written outside ends it. `fuzz CASES SEED`

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dsp.h"
#include "kernel.h"

#define LENGTH(array) ((int32_t)(sizeof(array) / sizeof(array)[0]))

static uint64_t random_state;

static uint32_t random_word(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 16);
}

static int32_t below(int32_t n) {
    return (int32_t)(random_word() % (uint32_t)n);
}

static int32_t between(int32_t least, int32_t most) {
    return least + below(most - least + 1);
}

static int32_t strange_word(void) {
    static const int32_t words[] = {INT32_MIN, INT32_MIN + 1, -65536, -128, -4, -1, 0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 127, 128,
        255, 65535, 65536, 1 << 20, 1 << 29, 1 << 30, INT32_MAX - 15, INT32_MAX - 1, INT32_MAX, 0x3F800000, 0x7F800000,
        0x7FC00000, 0x00000001, 0x40000000};
    return below(4) ? words[below(LENGTH(words))] : (int32_t)random_word();
}

// The names in fuzz_more.h, in their order.
#if NN_DSP
#define PACKED_NAMES , "convolution_int8_dsp", "inner_product_int8_dsp"
#else
#define PACKED_NAMES
#endif
#define MORE_NAMES "deconvolution_int8", "deconvolution", "prelu_int8", "prelu", "interp_int8", "matmul_int8", \
    "matmul", "arg_max", "log_softmax", "log_softmax_int8", "l2_normalize", "l2_normalize_int8", "svdf", "svdf_int8", \
    "lstm", "lstm_int8", "cast", "unary", "reduce", "normalization", \
    "recurrent", "compare", "where", "cumsum", "top_k", "gather" PACKED_NAMES

// The places in `names` of those that can reduce.
enum { INNER_PRODUCT = 1, POOLING = 2, INNER_PRODUCT_INT8 = 15, POOLING_INT8 = 16, MEAN_INT8 = 22 };

enum { ARENA = 4096, MODEL = 4096, PARAMS = 64, MOST_WORDS = NN_RECORD_WORDS + 8 * NN_OPERAND_WORDS };

static const char *const names[] = {"convolution", "inner_product", "pooling", "activation", "scale", "binary_op",
    "softmax", "interp", "concat", "slice", "padding", "copy", "permute", "convolution_int8", "depthwise_int8",
    "inner_product_int8", "pooling_int8", "binary_int8", "table_int8", "quantize", "dequantize", "softmax_int8", "mean_int8",
    MORE_NAMES};

typedef struct {
    int32_t record[MOST_WORDS];
    int32_t words;
    int32_t arena_used, model_used; // where the next operand goes
    uint8_t *model;
} draft;

static int32_t *operand(draft *d, int32_t dtype, int32_t c, int32_t h, int32_t w, int32_t constant) {
    int32_t *o = d->record + d->words, item = nn_item_bytes[dtype];
    d->words += NN_OPERAND_WORDS;
    memset(o, 0, NN_OPERAND_WORDS * 4);
    const int interleaved = !constant && !below(3), whole = constant || below(4);
    const int32_t rows = whole ? h : between(1, h);
    o[NN_O_BUFFER] = constant ? NN_BUFFER_MODEL : NN_BUFFER_ARENA;
    o[NN_O_C] = c;
    o[NN_O_H] = h;
    o[NN_O_W] = w;
    o[NN_O_PSTEP] = interleaved ? c * item : item;
    o[NN_O_RSTEP] = interleaved ? c * w * item : w * item;
    o[NN_O_CSTEP] = interleaved ? item : constant ? h * w * item : (rows * w * item + 15) / 16 * 16;
    o[NN_O_ROWS] = rows;
    o[NN_O_DTYPE] = dtype;
    o[NN_O_BYTES] = (c - 1) * o[NN_O_CSTEP] + (rows - 1) * o[NN_O_RSTEP] + (w - 1) * o[NN_O_PSTEP] + item;
    int32_t *used = constant ? &d->model_used : &d->arena_used;
    o[NN_O_OFFSET] = *used;
    *used = (*used + o[NN_O_BYTES] + 15) / 16 * 16;
    return o;
}

// Let a draft take its first input by rows, with a workspace that fits more often than not.
static void reduce(draft *d, const int32_t *o) {
    const int32_t *x = d->record + NN_RECORD_WORDS;
    d->record[NN_REDUCES] = 1;
    d->record[NN_WORKSPACE] = NN_BUFFER_ARENA;
    d->record[NN_WORKSPACE_OFFSET] = d->arena_used;
    d->record[NN_WORKSPACE_BYTES] = 4 * o[NN_O_C] * o[NN_O_H] * o[NN_O_W] + 16 * (below(3) - !below(4));
    d->record[NN_Y0] = below(x[NN_O_H]);
    d->record[NN_Y1] = between(d->record[NN_Y0] + 1, nn_min(x[NN_O_H], d->record[NN_Y0] + x[NN_O_ROWS]));
}

// The record's head; `o`: the output.
static void finish(draft *d, int32_t k, const int32_t *o, int32_t n_in, int32_t n) {
    d->record[NN_KERNEL] = nn_kernel(names[k], strlen(names[k]));
    d->record[NN_N_IN] = n_in;
    d->record[NN_N_OUT] = 1;
    d->record[NN_N_PARAMS] = n;
    d->record[NN_Y1] = o[NN_O_ROWS];
    if (o[NN_O_ROWS] > 1 && !below(3)) {
        d->record[NN_Y0] = below(o[NN_O_ROWS]);
    }
    const int can_reduce = k == INNER_PRODUCT || k == POOLING || k == INNER_PRODUCT_INT8 || k == POOLING_INT8
        || k == MEAN_INT8;
    if (can_reduce ? below(2) : !below(40)) {
        reduce(d, o);
    }
}

// A call that is right or nearly so, of kernel `k` of the list above. Shapes are small, so that many fit.
static void likely(draft *d, int32_t k) {
    const int quantised = (k >= 13 && k <= 18) || k >= 21;
    const int32_t any = between(1, 4), moved = any == NN_U8 ? NN_I16 : any;
    const int32_t in = quantised ? NN_I8 : k == 20 ? NN_I8 : k >= 7 && k <= 12 ? moved : NN_F32;
    const int32_t out = quantised || k == 19 ? NN_I8 : k == 20 ? NN_F32 : in;
    int32_t c = between(1, 6), h = between(1, 7), w = between(1, 7), *p = (int32_t *)(void *)d->model;
    int32_t oc = c, oh = h, ow = w, n_in = 1, n = 0;
    int32_t kh = between(1, 3), kw = between(1, 3), sh = between(1, 2), sw = between(1, 2), dh = between(1, 2), dw = 1;
    int32_t top = below(2), left = below(2), group = below(2) ? c : 1;
    memset(d->record, 0, sizeof d->record);
    for (int i = 0; i < PARAMS / 4; i++) {
        p[i] = 0;
    }
    d->words = NN_RECORD_WORDS;
    d->arena_used = 16 * below(3);
    d->model_used = PARAMS;
    const int windowed = k == 0 || k == 2 || k == 13 || k == 14 || k == 16;
    if (windowed) {
        oh = (h + 2 * top - (kh - 1) * (k == 2 || k == 16 ? 1 : dh) - 1) / sh + 1;
        ow = (w + 2 * left - kw) / sw + 1;
        oh = nn_max(oh, 1);
        ow = nn_max(ow, 1);
        oc = k == 0 || k == 13 ? group * between(1, 3) : c;
        const int32_t window[] = {kh, kw, sh, sw, dh, dw, top, left, group};
        const int pools = k == 2 || k == 16; // their kind comes first, and they have no dilation here
        n = pools;
        oh = pools && !below(3) ? 1 : oh;
        p[0] = below(2);
        for (int i = 0; i < 9; i++) {
            if (!(pools && (i == 4 || i == 5))) {
                p[n++] = window[i];
            }
        }
    }
    operand(d, in, c, h, w, 0);
    switch (k) {
        case 0:
            operand(d, in, 1, 1, oc * (c / group) * kh * kw, 1);
            n_in = 2 + below(2);
            if (n_in == 3) {
                operand(d, in, 1, 1, oc, 1);
            }
            p[9] = below(5);
            n = CONVOLUTION_PARAMS;
            break;
        case 1:
        case 15: {
            const int32_t per_row = p[0] = below(2);
            const int32_t units = between(1, 4);
            oc = per_row ? c : 1;
            oh = per_row ? h : 1;
            operand(d, in, 1, 1, units * (per_row ? w : c * h * w), 1);
            ow = units;
            n_in = 2;
            n = INNER_PRODUCT_PARAMS;
            if (k == 15) {
                for (int i = 0; i < 3; i++) {
                    operand(d, NN_I32, 1, 1, units, 1);
                }
                n_in = 5;
                n = INNER_PRODUCT_INT8_PARAMS;
                p[4] = -128;
                p[5] = 127;
            }
            break;
        }
        case 2:
            p[7] = top;
            p[8] = left;
            p[9] = 0;
            p[10] = p[11] = 1;
            n = POOLING_PARAMS;
            break;
        case 3:
            p[0] = below(5);
            n = ACTIVATION_PARAMS;
            break;
        case 4:
            p[0] = below(3);
            for (int i = 0; i < 2; i++) {
                operand(d, in, 1, 1, p[0] == 0 ? c : p[0] == 1 ? h : w, 1);
            }
            n_in = 3;
            n = SCALE_PARAMS;
            break;
        case 5:
        case 17:
            operand(d, in, below(3) ? c : 1, below(3) ? h : 1, below(3) ? w : 1, 0);
            n_in = 2;
            p[0] = below(k == 5 ? 9 : 5);
            n = k == 5 ? BINARY_OP_PARAMS : BINARY_INT8_PARAMS;
            p[BINARY_INT8_LEFT_SHIFT] = k == 5 ? 0 : 20;
            break;
        case 6:
            p[0] = below(3);
            n = SOFTMAX_PARAMS;
            break;
        case 7:
            oh = between(1, 9);
            ow = between(1, 9);
            p[0] = in == NN_F32 && below(2);
            p[1] = below(4);
            p[2] = below(4);
            p[3] = nn_bits((float)oh / (float)h);
            p[4] = nn_bits((float)ow / (float)w);
            n = INTERP_PARAMS;
            break;
        case 8: {
            const int32_t axis = p[0] = below(3), size = between(1, 3);
            operand(d, in, axis == 0 ? size : c, axis == 1 ? size : h, axis == 2 ? size : w, 0);
            *(axis == 0 ? &oc : axis == 1 ? &oh : &ow) += size;
            n_in = 2;
            n = CONCAT_PARAMS;
            break;
        }
        case 9: {
            int32_t *const sizes[] = {&oc, &oh, &ow};
            for (int i = 0; i < 3; i++) {
                p[i] = below(*sizes[i]);
                p[3 + i] = between(1, 3);
                *sizes[i] = between(1, (*sizes[i] - p[i] - 1) / p[3 + i] + 1);
            }
            n = SLICE_PARAMS;
            break;
        }
        case 10:
            for (int i = 0; i < 3; i++) {
                p[i] = below(2);
            }
            p[3] = below(3);
            oc += p[0] + below(2);
            oh += p[1] + below(2);
            ow += p[2] + below(2);
            n = PADDING_PARAMS;
            break;
        case 11:
            ow = c * h * w;
            oc = oh = 1;
            break;
        case 12: {
            const int32_t *o = d->record + NN_RECORD_WORDS, item = nn_item_bytes[in];
            p[0] = 1;
            p[1] = w;
            p[2] = c;
            p[3] = h;
            p[5] = o[NN_O_PSTEP] / item;
            p[6] = o[NN_O_CSTEP] / item;
            p[7] = o[NN_O_RSTEP] / item;
            n = PERMUTE_PARAMS;
            break;
        }
        case 14:
            p[8] = between(1, 2);
            oc = c * p[8];
            // fall through
        case 13:
            operand(d, in, 1, 1, oc * (k == 14 ? 1 : c / group) * kh * kw, 1);
            for (int i = 0; i < 3; i++) {
                operand(d, NN_I32, 1, 1, oc, 1);
            }
            p[9] = between(-128, 127);
            p[11] = -128;
            p[12] = 127;
            n_in = 5;
            n = k == 14 ? DEPTHWISE_INT8_PARAMS : CONVOLUTION_INT8_PARAMS;
            break;
        case 16:
            p[7] = -128;
            p[8] = 127;
            n = POOLING_INT8_PARAMS;
            break;
        case 18:
            operand(d, in, 1, 1, 256, 1);
            n_in = 2;
            break;
        case 21:
            operand(d, NN_F32, 1, 1, 256, 1);
            p[0] = below(3);
            p[1] = nn_bits(1.0f / 256);
            n_in = 2;
            n = SOFTMAX_INT8_PARAMS;
            break;
        case 22:
            p[0] = below(2);
            for (int i = 1; i < 4; i++) {
                p[i] = below(2);
            }
            p[MEAN_INT8_MULTIPLIER] = 1 << 30;
            oh = p[1] ? 1 : h;
            ow = p[2] ? 1 : w;
            oc = p[3] ? 1 : c;
            n = MEAN_INT8_PARAMS;
            break;
        default:
            p[0] = 0x3F000000;
            n = QUANTIZE_PARAMS;
    }
    int32_t *o = operand(d, out, oc, oh, ow, 0);
    if ((k == 3 || k == 4 || k == 5 || k == 6 || k == 17 || k == 18 || k == 21) && !below(3)) {
        memcpy(o, d->record + NN_RECORD_WORDS, NN_OPERAND_WORDS * 4);
    }
    finish(d, k, o, n_in, n);
}

#include "fuzz_more.h"

int main(int argc, char **argv) {
    const long cases = argc > 1 ? atol(argv[1]) : 200000;
    random_state = 0x9E3779B97F4A7C15u * (argc > 2 ? (uint64_t)atol(argv[2]) : 1) + 1;
    uint8_t *arena = malloc(ARENA), *model = malloc(MODEL);
    static long ran[LENGTH(names)], accepted, reduced;
    if (!arena || !model) {
        return 1;
    }
    for (long i = 0; i < cases; i++) {
        draft d;
        d.model = model;
        // New contents now and then: they matter little, and cost more than a call.
        if (i % 64 == 0) {
            for (int32_t k = 0; k < MODEL / 4; k++) {
                ((int32_t *)(void *)model)[k] = below(2) ? between(-31, 30) : strange_word();
            }
            for (int32_t k = 0; k < ARENA / 4; k++) {
                ((int32_t *)(void *)arena)[k] = strange_word();
            }
        }
        const int32_t k = below(LENGTH(names));
        if (k < FIRST_MORE) {
            likely(&d, k);
        } else {
            likely_more(&d, k);
        }
        for (int32_t changes = below(4); changes > 0; changes--) {
            if (below(2)) {
                d.record[below(d.words)] = strange_word();
            } else {
                ((int32_t *)(void *)model)[below(PARAMS / 4)] = below(2) ? strange_word() : between(-2, 9);
            }
        }
        if (i % 16 == 0) {
            for (int32_t w = 1; w < d.words; w++) {
                d.record[w] = strange_word();
            }
        }
        // Exactly as long as it is, in memory of its own.
        int32_t *record = malloc((size_t)d.words * 4);
        if (!record) {
            return 1;
        }
        memcpy(record, d.record, (size_t)d.words * 4);
        const nn_buffer buffers[] = {{arena, ARENA, 1}, {model, MODEL, 0}, {NULL, 0, 0}};
        const int error = nn_call(buffers, LENGTH(buffers), record, i % 32 ? d.words : below(d.words + 1));
        if (error > 0 || error < NN_CANNOT || !*nn_error_text(error)) {
            return 1;
        }
        ran[k] += !error;
        reduced += !error && record[NN_REDUCES];
        accepted += !error;
        free(record);
    }
    free(arena);
    free(model);
    printf("%ld cases, %ld carried out, %ld of them steps of a reduction:", cases, accepted, reduced);
    for (int32_t k = 0; k < LENGTH(names); k++) {
        printf(" %s %ld", names[k], ran[k]);
    }
    printf("\n");
    return 0;
}
