// Between float32 and integers; see nnmicro/reference/{quantize,dequantize}.py. Elements keep their place in (c, h, w),
// so these layers also change between layouts. LiteRT computes the first elements, which fill its vectors, another way
// than the rest.

#include "requantise.h"

static int32_t least_of(int32_t dtype) {
    return dtype == NN_I8 ? -128 : dtype == NN_U8 ? 0 : -32768;
}

static int32_t most_of(int32_t dtype) {
    return dtype == NN_I8 ? 127 : dtype == NN_U8 ? 255 : 32767;
}

static int is_quantised(int32_t dtype) {
    return dtype == NN_I8 || dtype == NN_U8 || dtype == NN_I16;
}

static void store(uint8_t *at, int32_t dtype, int32_t value) {
    if (dtype == NN_I16) {
        *(int16_t *)(void *)at = (int16_t)value;
    } else {
        *at = (uint8_t)value;
    }
}

static int32_t load(const uint8_t *at, int32_t dtype) {
    return dtype == NN_I16 ? *(const int16_t *)(const void *)at : dtype == NN_I8 ? *(const int8_t *)at : *at;
}

static int is_scale(float scale) {
    return scale > 0.0f && scale <= 3.40282347e38f;
}

// The number of element (c, y, 0) in the order of the operand's source; the next of the row is *step further.
static int64_t first_number(const nn_operand *x, int32_t c, int32_t y, int64_t *step) {
    if (nn_interleaved(x)) {
        *step = x->c;
        return (int64_t)y * x->w * x->c + c;
    }
    *step = 1;
    return ((int64_t)c * x->h + y) * x->w;
}

// A positive float as mantissa * 2^exponent (but for a constant factor).
static int64_t mantissa_of(float x, int32_t *exponent) {
    const int32_t bits = nn_bits(x) & 0x7FFFFFFF;
    *exponent = nn_max(bits >> 23, 1);
    return (bits & 0x7FFFFF) | (bits >> 23 ? 0x800000 : 0);
}

// The integer nearest to the exact quotient, which is longer than a float: halves away from zero. The float quotient is
// wrong by one where it lies next to a half; whole numbers decide.
static int32_t nearest_quotient(float value, float scale, int32_t least, int32_t most) {
    const float estimate = nn_single(value / scale);
    if (!(estimate > -70000.0f)) {
        return least; // a NaN, too
    }
    if (estimate > 70000.0f) {
        return most;
    }
    const float size = estimate < 0.0f ? -estimate : estimate;
    int32_t n = 0;
    if (size > 0.25f) {
        int32_t value_exponent, scale_exponent;
        int64_t top = 2 * mantissa_of(value, &value_exponent), bottom = mantissa_of(scale, &scale_exponent);
        const int32_t exponent = value_exponent - scale_exponent; // between -27 and 18, or size were outside
        top <<= nn_max(exponent, 0);
        bottom <<= nn_max(-exponent, 0);
        n = (int32_t)(size + 0.5f);
        n += top >= (2 * (int64_t)n + 1) * bottom;
        n -= top < (2 * (int64_t)n - 1) * bottom;
    }
    return nn_min(nn_max(value < 0.0f ? -n : n, least), most);
}

int nn_quantize(const nn_state *call) {
    nn_operand x;
    const nn_operand *out = &call->out;
    if (call->n_in != 1) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != QUANTIZE_PARAMS) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_input(call, 0, NN_F32, 0, &x));
    if (!is_quantised(out->dtype)) {
        return NN_BAD_TYPE;
    }
    if (!nn_same_shape(&x, out)) {
        return NN_BAD_SHAPE;
    }
    const float scale = nn_float(call->params[QUANTIZE_SCALE]);
    const int32_t zero = call->params[QUANTIZE_ZERO_POINT];
    const int32_t least = least_of(out->dtype), most = most_of(out->dtype);
    const int32_t in_blocks = call->params[QUANTIZE_IN_BLOCKS];
    if (!is_scale(scale) || zero < least || zero > most || in_blocks < 0) {
        return NN_BAD_PARAMS;
    }
    const float inverse = nn_single(1.0f / scale);
    for (int32_t c = 0; c < out->c; c++) {
        for (int32_t y = call->y0; y < call->y1; y++) {
            const uint8_t *from = nn_at(&x, c, y);
            uint8_t *to = nn_at(out, c, y);
            int64_t step, number = first_number(out, c, y, &step);
            for (int32_t q = 0; q < out->w; q++, number += step) {
                const float value = *(const float *)(const void *)(from + (ptrdiff_t)q * x.ps);
                const int32_t v = number < in_blocks
                    ? nn_round(nn_single(value * inverse), least - zero, most - zero, 1)
                    : nearest_quotient(value, scale, least - zero, most - zero);
                store(to + (ptrdiff_t)q * out->ps, out->dtype, v + zero);
            }
        }
    }
    return NN_OK;
}

int nn_dequantize(const nn_state *call) {
    nn_operand x;
    const nn_operand *out = &call->out;
    if (call->n_in != 1) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != DEQUANTIZE_PARAMS || out->dtype != NN_F32) {
        return call->n_params != DEQUANTIZE_PARAMS ? NN_BAD_PARAMS : NN_BAD_TYPE;
    }
    // Of the three types that can be dequantised, the one it has.
    int error = NN_BAD_TYPE;
    for (int32_t dtype = NN_I8; dtype <= NN_I16 && error == NN_BAD_TYPE; dtype++) {
        error = nn_input(call, 0, dtype, 0, &x);
    }
    NN_TRY(error);
    if (!nn_same_shape(&x, out)) {
        return NN_BAD_SHAPE;
    }
    const float scale = nn_float(call->params[DEQUANTIZE_SCALE]);
    const int32_t zero = call->params[DEQUANTIZE_ZERO_POINT];
    const int32_t in_blocks = call->params[DEQUANTIZE_IN_BLOCKS];
    if (!is_scale(scale) || zero < least_of(x.dtype) || zero > most_of(x.dtype) || in_blocks < 0) {
        return NN_BAD_PARAMS;
    }
    const float offset = nn_single((float)-zero * scale);
    for (int32_t c = 0; c < out->c; c++) {
        for (int32_t y = call->y0; y < call->y1; y++) {
            const uint8_t *from = nn_at(&x, c, y);
            uint8_t *to = nn_at(out, c, y);
            int64_t step, number = first_number(&x, c, y, &step);
            for (int32_t q = 0; q < out->w; q++, number += step) {
                const int32_t item = load(from + (ptrdiff_t)q * x.ps, x.dtype);
                *(float *)(void *)(to + (ptrdiff_t)q * out->ps) = number < in_blocks
                    ? nn_single((float)item * scale) + offset
                    : (float)(item - zero) * scale;
            }
        }
    }
    return NN_OK;
}
