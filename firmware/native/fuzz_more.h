// Drafts of the less common kernels; a part of fuzz.c.

enum {
    FIRST_MORE = 23,
    DECONVOLUTION_INT8 = FIRST_MORE,
    DECONVOLUTION,
    PRELU_INT8,
    PRELU,
    INTERP_INT8,
    MATMUL_INT8,
    MATMUL,
    ARG_MAX,
    LOG_SOFTMAX,
    LOG_SOFTMAX_INT8,
    L2_NORMALIZE,
    L2_NORMALIZE_INT8,
    SVDF,
    SVDF_INT8,
    LSTM,
    LSTM_INT8,
    CAST,
    UNARY,
    REDUCE,
    NORMALIZATION,
    RECURRENT,
    COMPARE,
    WHERE,
    CUMSUM,
    TOP_K,
    GATHER,
    CONVOLUTION_INT8_DSP, // these only where NN_DSP is
    INNER_PRODUCT_INT8_DSP
};

// Bias, multiplier and shift.
static void rescaling(draft *d, int32_t count) {
    for (int i = 0; i < 3; i++) {
        operand(d, NN_I32, 1, 1, count, 1);
    }
}

// The output often lies where the first input lies.
static void in_place(const draft *d, int32_t *o) {
    if (below(2)) {
        memcpy(o, d->record + NN_RECORD_WORDS, NN_OPERAND_WORDS * 4);
    }
}

// Channels next to each other.
static void interleave(int32_t *o) {
    o[NN_O_CSTEP] = 1;
    o[NN_O_PSTEP] = o[NN_O_C];
    o[NN_O_RSTEP] = o[NN_O_W] * o[NN_O_PSTEP];
    o[NN_O_BYTES] = o[NN_O_ROWS] * o[NN_O_RSTEP];
}

static void likely_more(draft *d, int32_t k) {
    int32_t c = between(1, 6), h = between(1, 7), w = between(1, 7), *p = (int32_t *)(void *)d->model;
    int32_t n_in = 1, n = 0, *o;
    memset(d->record, 0, sizeof d->record);
    memset(p, 0, PARAMS);
    d->words = NN_RECORD_WORDS;
    d->arena_used = 16 * below(3);
    d->model_used = PARAMS;
    switch (k) {
        case PRELU_INT8:
        case PRELU: {
            const int32_t dtype = k == PRELU ? NN_F32 : NN_I8;
            operand(d, dtype, c, h, w, 0);
            operand(d, dtype, below(2) ? c : 1, below(2) ? h : 1, below(2) ? w : 1, 0);
            n_in = 2;
            n = k == PRELU ? PRELU_PARAMS : PRELU_INT8_PARAMS;
            o = operand(d, dtype, c, h, w, 0);
            in_place(d, o);
            break;
        }
        case INTERP_INT8:
            operand(d, NN_I8, c, h, w, 0);
            o = operand(d, NN_I8, c, between(1, 12), between(1, 12), 0);
            p[0] = below(4000);
            p[1] = below(4000);
            p[2] = below(2);
            n = INTERP_INT8_PARAMS;
            break;
        case MATMUL_INT8:
        case MATMUL: {
            const int32_t dtype = k == MATMUL ? NN_F32 : NN_I8, columns = between(1, 5);
            p[0] = below(2);
            p[1] = below(2);
            operand(d, dtype, below(2) ? c : 1, p[0] ? w : h, p[0] ? h : w, below(2));
            operand(d, dtype, below(2) ? c : 1, p[1] ? columns : w, p[1] ? w : columns, below(2));
            n_in = 2;
            n = k == MATMUL ? MATMUL_PARAMS : MATMUL_INT8_PARAMS;
            o = operand(d, dtype, c, h, columns, 0);
            break;
        }
        case CAST:
            operand(d, between(NN_F32, NN_I32), c, h, w, 0);
            n = CAST_PARAMS;
            o = operand(d, between(NN_F32, NN_I32), c, h, w, 0);
            break;
        case UNARY:
            operand(d, NN_F32, c, h, w, 0);
            p[UNARY_KIND] = below(40);
            p[UNARY_A] = nn_bits((float)between(-2, 2));
            p[UNARY_B] = nn_bits((float)between(-2, 2));
            n = UNARY_PARAMS;
            o = operand(d, NN_F32, c, h, w, 0);
            in_place(d, o);
            break;
        case NORMALIZATION:
            operand(d, NN_F32, c, h, w, 0);
            p[NORMALIZATION_AXIS] = below(3);
            p[NORMALIZATION_CENTRED] = below(2);
            p[NORMALIZATION_EPSILON] = nn_bits(1e-5f);
            n = NORMALIZATION_PARAMS;
            o = operand(d, NN_F32, c, h, w, 0);
            in_place(d, o);
            break;
        case REDUCE: {
            const int32_t axis = below(3);
            operand(d, NN_F32, c, h, w, 0);
            p[REDUCE_KIND] = below(10);
            p[REDUCE_AXIS] = axis;
            n = REDUCE_PARAMS;
            o = operand(d, NN_F32, axis == 0 ? 1 : c, axis == 1 ? 1 : h, axis == 2 ? 1 : w, 0);
            break;
        }
        case COMPARE:
        case WHERE: {
            n_in = k == COMPARE ? 2 : 3;
            for (int32_t i = 0; i < n_in; i++) {
                operand(d, NN_F32, below(3) ? c : 1, below(3) ? h : 1, below(3) ? w : 1, 0);
            }
            p[0] = below(3);
            n = k == COMPARE ? COMPARE_PARAMS : WHERE_PARAMS;
            o = operand(d, NN_F32, c, h, w, 0);
            break;
        }
        case CUMSUM:
            operand(d, NN_F32, c, h, w, 0);
            p[CUMSUM_AXIS] = below(3);
            p[CUMSUM_EXCLUSIVE] = below(2);
            p[CUMSUM_REVERSE] = below(2);
            n = CUMSUM_PARAMS;
            o = operand(d, NN_F32, c, h, w, 0);
            break;
        case TOP_K: {
            const int32_t axis = below(3);
            operand(d, NN_F32, c, h, w, 0);
            p[TOP_K_SMALLEST] = below(2);
            p[TOP_K_AXIS] = axis;
            n = TOP_K_PARAMS;
            o = operand(d, below(2) ? NN_F32 : NN_I32, axis == 0 ? between(1, c) : c, axis == 1 ? between(1, h) : h,
                axis == 2 ? between(1, w) : w, 0);
            break;
        }
        case GATHER: {
            const int32_t rows = between(1, 7), dtype = between(NN_F32, NN_I32);
            operand(d, dtype, c, h, w, 0);
            operand(d, NN_I32, below(2) ? c : 1, rows, below(2) ? w : 1, 0);
            n_in = 2;
            n = GATHER_PARAMS;
            o = operand(d, dtype, c, rows, w, 0);
            break;
        }
        case RECURRENT: {
            const int32_t kind = below(4), gates = kind == 3 ? 4 : kind == 0 ? 1 : 3, cells = between(1, 5);
            p[RECURRENT_KIND] = kind;
            p[RECURRENT_REVERSE] = below(2);
            p[RECURRENT_WITH_CELL] = kind == 3 && below(2);
            operand(d, NN_F32, c, h, w, 0);
            operand(d, NN_F32, c, 1, cells, 0);
            operand(d, NN_F32, 1, 1, c * cells, 0);
            operand(d, NN_F32, 1, 1, gates * cells * w, 1);
            operand(d, NN_F32, 1, 1, gates * cells * cells, 1);
            operand(d, NN_F32, 1, 1, 2 * gates * cells, 1);
            n_in = 6;
            if (kind == 3) {
                operand(d, NN_F32, c, 1, cells, below(2));
                n_in = 7;
            }
            n = RECURRENT_PARAMS;
            o = operand(d, NN_F32, c, h, cells * (1 + p[RECURRENT_WITH_CELL]), 0);
            break;
        }
        case ARG_MAX: {
            const int32_t axis = below(3);
            operand(d, between(NN_F32, NN_I32), c, h, w, 0);
            p[ARG_MAX_KIND] = below(2);
            p[ARG_MAX_AXIS] = axis;
            n = ARG_MAX_PARAMS;
            o = operand(d, NN_I32, axis == 0 ? 1 : c, axis == 1 ? 1 : h, axis == 2 ? 1 : w, 0);
            break;
        }
        case LOG_SOFTMAX:
        case LOG_SOFTMAX_INT8:
        case L2_NORMALIZE:
        case L2_NORMALIZE_INT8: {
            const int32_t dtype = k == LOG_SOFTMAX || k == L2_NORMALIZE ? NN_F32 : NN_I8;
            operand(d, dtype, c, h, w, 0);
            p[0] = below(3);
            n = k == LOG_SOFTMAX ? LOG_SOFTMAX_PARAMS : L2_NORMALIZE_PARAMS;
            if (k == LOG_SOFTMAX_INT8) {
                operand(d, NN_F32, 1, 1, 256, 1);
                p[2] = nn_bits(1.0f / 16);
                n_in = 2;
                n = LOG_SOFTMAX_INT8_PARAMS;
            }
            p[1] = k == L2_NORMALIZE_INT8 ? between(-128, 127) : nn_bits(1.0f / 64);
            o = operand(d, dtype, c, h, w, 0);
            in_place(d, o);
            break;
        }
        case SVDF:
        case SVDF_INT8: {
            const int32_t dtype = k == SVDF ? NN_F32 : NN_I8, kept = k == SVDF ? NN_F32 : NN_I16;
            const int32_t outputs = between(1, 5), rank = between(1, 2), memory = between(1, 5);
            const int32_t filters = outputs * rank;
            p[0] = rank;
            operand(d, dtype, 1, 1, w, 0);
            operand(d, kept, 1, 1, filters * memory, 0);
            operand(d, dtype, 1, 1, filters * w, 1);
            operand(d, kept, 1, 1, filters * memory, 1);
            n_in = 5;
            if (k == SVDF) {
                p[SVDF_ACTIVATION] = below(5);
                n_in = 4 + below(2);
                n = SVDF_PARAMS;
            } else {
                p[SVDF_INT8_ACTIVATION_MAX] = 127;
                n = SVDF_INT8_PARAMS;
            }
            if (n_in == 5) {
                operand(d, k == SVDF ? NN_F32 : NN_I32, 1, 1, outputs, 1);
            }
            o = operand(d, dtype, 1, 1, outputs, 0);
            break;
        }
        case LSTM:
        case LSTM_INT8: {
            const int quantised = k == LSTM_INT8;
            const int32_t dtype = quantised ? NN_I8 : NN_F32, cells = between(1, 5);
            operand(d, dtype, 1, h, w, 0);
            operand(d, dtype, 1, 1, cells, 0);
            operand(d, quantised ? NN_I16 : NN_F32, 1, 1, cells, 0);
            operand(d, dtype, 1, 1, 4 * cells * w, 1);
            operand(d, dtype, 1, 1, 4 * cells * cells, 1);
            operand(d, quantised ? NN_I32 : NN_F32, 1, 1, 4 * cells, 1);
            n_in = 6;
            n = LSTM_PARAMS;
            p[0] = quantised ? 0 : nn_bits((float)below(2));
            if (quantised) {
                // As what the model holds is no shift, mostly.
                int32_t *scales = (int32_t *)(void *)(d->model + operand(d, NN_I32, 1, 1, 16, 1)[NN_O_OFFSET]);
                for (int i = 1; i < 16; i += 2) {
                    scales[i] = between(-31, 31);
                }
                p[LSTM_INT8_CELL_SHIFT] = between(9, 15);
                p[LSTM_INT8_CELL_CLIP] = below(2) ? 0 : between(1, 32767);
                p[LSTM_INT8_OUTPUT_MULTIPLIER] = 1 << 30;
                p[LSTM_INT8_OUTPUT_SHIFT] = between(-31, 31);
                n_in = 7;
                n = LSTM_INT8_PARAMS;
            }
            o = operand(d, dtype, 1, h, cells, 0);
            break;
        }
        case CONVOLUTION_INT8_DSP: {
            // Now and then a long filter, which comes by pieces.
            const int32_t outputs = 2 * between(1, 4);
            c = below(8) ? c : between(20, 60);
            h = nn_min(h, c > 6 ? 3 : 7);
            w = nn_min(w, c > 6 ? 3 : 7);
            p[0] = between(1, 3);
            p[1] = between(1, 3);
            for (int i = 2; i < 6; i++) {
                p[i] = between(1, 2);
            }
            p[6] = below(2);
            p[7] = below(2);
            p[CONVOLUTION_INT8_GROUP] = 1;
            p[CONVOLUTION_INT8_INPUT_ZERO] = between(-128, 127);
            p[CONVOLUTION_INT8_ACTIVATION_MIN] = below(2) ? -128 : -5;
            p[CONVOLUTION_INT8_ACTIVATION_MAX] = 127;
            operand(d, NN_I8, c, h, w, 0);
            operand(d, NN_I8, 1, 1, (c * p[0] * p[1] + 3) / 4 * 4 * outputs, 1);
            operand(d, NN_I32, 1, 1, 4 * outputs, 1);
            n_in = 3;
            n = CONVOLUTION_INT8_PARAMS;
            o = operand(d, NN_I8, outputs, between(1, 7), between(1, 7), 0);
            interleave(o);
            break;
        }
        case INNER_PRODUCT_INT8_DSP: {
            // Now and then a run that is longer than is widened at a time.
            const int32_t units = below(8) ? between(1, 9) : 1;
            c = units > 1 || below(2) ? c : between(15, 20);
            p[INNER_PRODUCT_INT8_INPUT_ZERO] = between(-128, 127);
            p[INNER_PRODUCT_INT8_ACTIVATION_MIN] = below(2) ? -128 : -5;
            p[INNER_PRODUCT_INT8_ACTIVATION_MAX] = 127;
            interleave(operand(d, NN_I8, c, h, w, 0));
            operand(d, NN_I8, 1, 1, (c * h * w + 3) / 4 * 4 * ((units + 3) / 4 * 4), 1);
            operand(d, NN_I32, 1, 1, 4 * ((units + 3) / 4 * 4), 1);
            n_in = 3;
            n = INNER_PRODUCT_INT8_PARAMS;
            o = operand(d, NN_I8, 1, 1, units, 0);
            break;
        }
        default: { // the transposed convolutions
            const int quantised = k == DECONVOLUTION_INT8;
            const int32_t dtype = quantised ? NN_I8 : NN_F32, group = quantised || below(2) ? 1 : c;
            const int32_t outputs = group * between(1, 3);
            for (int i = 0; i < 6; i++) {
                p[i] = between(1, 3);
            }
            p[6] = below(3);
            p[7] = below(3);
            operand(d, dtype, c, h, w, 0);
            operand(d, dtype, 1, 1, outputs * (c / group) * p[0] * p[1], 1);
            if (quantised) {
                rescaling(d, outputs);
                p[DECONVOLUTION_INT8_ACTIVATION_MAX] = 127;
                p[DECONVOLUTION_INT8_HALF_UP] = below(9);
                n_in = 5;
                n = DECONVOLUTION_INT8_PARAMS;
            } else {
                p[DECONVOLUTION_GROUP] = group;
                p[DECONVOLUTION_ACTIVATION] = below(5);
                n_in = 2 + below(2);
                if (n_in == 3) {
                    operand(d, dtype, 1, 1, outputs, 1);
                }
                n = DECONVOLUTION_PARAMS;
            }
            o = operand(d, dtype, outputs, between(1, 9), between(1, 9), 0);
        }
    }
    finish(d, k, o, n_in, n);
}
