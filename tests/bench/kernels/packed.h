// With -DPACKED: a layer's weights packed for cores with the DSP extension, as host_tools/packing does it
// ("Packed weights" in nnmicro/FORMAT.md). Included by count.c.

static int8_t packed[2 * sizeof weights];
static int32_t pair_words[4 * (LONGEST + 3)];

// `together` pairs of outputs lie beside each other, group by group of four elements.
static void pack_weights(int outputs, int length, int together) {
    int8_t *to = packed;
    for (int o = 0; o < outputs; o += 2 * together) {
        for (int group = 0; group < length; group += 4) {
            for (int first = o; first < o + 2 * together; first += 2) {
                static const int order[] = {0, 2, 1, 3};
                for (int i = 0; i < 4; i++) {
                    const int k = group + order[i], inside = k < length;
                    const int low = inside && first < outputs ? weights[first * length + k] : 0;
                    const int high = inside && first + 1 < outputs ? weights[(first + 1) * length + k] : 0;
                    const int both = low + 256 * high;
                    *to++ = (int8_t)both;
                    *to++ = (int8_t)(both >> 8);
                }
            }
        }
    }
}

// Whether every halfword holds what it has to, no sum of a second filter is lost, and all channels are of the usual kind.
static int can_pack(int outputs, int length, int zero) {
    for (int o = 0; o < outputs; o++) {
        int64_t reach = 0;
        for (int k = 0; k < length; k++) {
            const int w = weights[o * length + k];
            reach += w < 0 ? -w : w;
            if (o % 2 && w == -128 && weights[(o - 1) * length + k] < 0) {
                return 0;
            }
        }
        const int n = -shift[o];
        if (reach * (zero < 0 ? 127 - zero : zero + 128) >= 1 << 23 || n < 1 || n > 22 || bias[o] >= 1 << 28 || bias[o] <= -(1 << 28)) {
            return 0;
        }
    }
    return length <= 8223;
}

// Make the record one of the packed kind, if it can be.
static const char *pack(const layer *l, const char *kernel) {
    const int convolution = l->operation == CONVOLUTION, together = convolution ? 1 : 2;
    const int outputs = convolution ? l->out_c : l->out_w, length = l->c * (convolution ? l->kernel_h * l->kernel_w : 1);
    if ((!convolution && l->operation != FULLY_CONNECTED) || (convolution && outputs % 2)
        || !can_pack(outputs, length, params[convolution ? (int)CONVOLUTION_INT8_INPUT_ZERO : (int)INNER_PRODUCT_INT8_INPUT_ZERO])) {
        return kernel;
    }
    const int zero = params[convolution ? (int)CONVOLUTION_INT8_OUTPUT_ZERO : (int)INNER_PRODUCT_INT8_OUTPUT_ZERO];
    const int padded = (outputs + 2 * together - 1) / (2 * together) * 2 * together;
    pack_weights(outputs, length, together);
    for (int o = 0; o < padded; o++) {
        const int there = o < outputs, n = there ? -shift[o] : 1;
        int32_t *to = pair_words + 4 * o;
        to[0] = there ? 2 * bias[o] : 0;
        to[1] = there ? multiplier[o] : 0;
        to[2] = (2 * zero + 1) * (1 << (n - 1));
        to[3] = n;
    }
    line(1, WEIGHTS, NN_I8, (length + 3) / 4 * 4 * padded);
    line(2, BIAS, NN_I32, 4 * padded);
    for (int i = 0; i < NN_OPERAND_WORDS; i++) {
        record[NN_RECORD_WORDS + 3 * NN_OPERAND_WORDS + i] = record[NN_RECORD_WORDS + 5 * NN_OPERAND_WORDS + i];
    }
    buffers[WEIGHTS] = (nn_buffer){packed, sizeof packed, 0};
    buffers[BIAS] = (nn_buffer){pair_words, sizeof pair_words, 0};
    record[NN_N_IN] = 3;
    return convolution ? "convolution_int8_dsp" : "inner_product_int8_dsp";
}
