// Fully connected layer in int8 with weights packed for cores with the DSP extension: gives what inner_product_int8.c gives
// of the weights as they were. One run of elements, widened once, meets four outputs at a time.

#include "dsp.h"

#if NN_DSP

#include "dense_int8.h"
#include "packed_int8.h"

// Of two pairs of outputs: the first one's sum and both, then those of the second pair.
enum { QUAD = 4, QUAD_SUMS = 4, QUAD_WEIGHTS = 2 * NN_PAIR_WEIGHTS, TOGETHER = 8 };

// The order is known to the assembler.
typedef struct {
    int8_t *y, *y_end;
    const int32_t *channels; // of the next quad
    uint32_t *sums;
    int32_t sums_step; // in bytes, from a quad's to the next one's
    const uint32_t *x, *x_end;
    int32_t next; // from the end of a quad's piece to that of the next quad, in bytes
    int32_t left_out; // bytes of code: the groups that the first round of four leaves out
    const int8_t *w;
    uint32_t *sums_end;
} quads;

#if NN_DSP_ASSEMBLER
#include "quads_armv7em.h"
#else

enum { GROUP_CODE = 0 };

static void add_quad(const quads *q, const int8_t *w, uint32_t *sums) {
    for (const uint32_t *x = q->x; x != q->x_end; x += 2, w += QUAD_WEIGHTS) {
        for (int32_t i = 0; i < QUAD_SUMS; i += 2) {
            for (int32_t half = 0; half < 2; half++) {
                const uint32_t both = nn_load_four(w + NN_PAIR_WEIGHTS / 2 * (i + half));
                sums[i] = nn_dual_mac(sums[i], x[half], nn_extend_even(0, both));
                sums[i + 1] = nn_dual_mac(sums[i + 1], x[half], both);
            }
        }
    }
}

static ptrdiff_t quad_bytes(const quads *q) {
    return (q->x_end - q->x) / 2 * QUAD_WEIGHTS + q->next;
}

// Add the products to the sums, up to sums_end.
static void add_products(const quads *q) {
    const int8_t *w = q->w;
    for (uint32_t *sums = q->sums; sums != q->sums_end; sums += QUAD_SUMS, w += quad_bytes(q)) {
        add_quad(q, w, sums);
    }
}

// Add them to the sums, which stay as they are, and write the results, up to y_end.
static void write_results(const quads *q) {
    const int8_t *w = q->w;
    const int32_t *channels = q->channels;
    const uint32_t *from = q->sums;
    for (int8_t *y = q->y; y != q->y_end; y += QUAD, channels += 2 * NN_PAIR_WORDS, from += q->sums_step / 4) {
        uint32_t sums[QUAD_SUMS] = {from[0], from[1], from[2], from[3]};
        add_quad(q, w, sums);
        nn_packed_results(channels, sums[0], sums[1], y);
        nn_packed_results(channels + NN_PAIR_WORDS, sums[2], sums[3], y + 2);
        w += quad_bytes(q);
    }
}

#endif

typedef struct {
    const int8_t *x;
    int32_t length; // of x
    int32_t zero;
    nn_packed packed;
} work;

static const uint32_t no_sums[QUAD_SUMS];

// The elements of a piece, with zeros up to a multiple of four.
static void widen(const work *k, int32_t at, int32_t n, uint32_t *to) {
    const int32_t fours = n & ~3;
    nn_dense_widen(k->x + at, fours, k->zero, to);
    if (fours != n) {
        uint32_t bytes = (uint32_t)(uint8_t)k->zero * 0x01010101u;
        for (int32_t i = fours; i < n; i++) {
            const int32_t bit = 8 * (i - fours);
            bytes = (bytes & ~(0xffu << bit)) | (uint32_t)(uint8_t)k->x[at + i] << bit;
        }
        to += fours / 2;
        to[0] = nn_extend_even(nn_both_halves(-k->zero), bytes);
        to[1] = nn_extend_odd(nn_both_halves(-k->zero), bytes);
    }
}

// Outputs [o, o + n), a multiple of four.
static void some_outputs(const work *k, quads *q, int32_t o, int32_t n, int8_t *y, uint32_t *widened) {
    uint32_t sums[TOGETHER * QUAD_SUMS];
    const int32_t all = (k->length + 3) >> 2; // groups
    const int alone = k->length <= NN_WIDENED;
    q->channels = k->packed.channels + NN_CHANNEL_WORDS * o;
    q->sums_step = alone ? 0 : QUAD_SUMS * (int32_t)sizeof *sums;
    q->sums_end = sums + n / QUAD * QUAD_SUMS;
    q->y = y;
    q->y_end = y + n;
    for (uint32_t *sum = sums; !alone && sum != q->sums_end; sum++) {
        *sum = 0;
    }
    for (int32_t at = 0, some; at < k->length; at += some) {
        some = nn_min(k->length - at, NN_WIDENED);
        const int32_t groups = (some + 3) >> 2;
        if (!alone || !o) {
            widen(k, at, some, widened);
        }
        q->x = widened;
        q->x_end = widened + 2 * groups;
        q->next = QUAD_WEIGHTS * (all - groups);
        q->left_out = GROUP_CODE * (-groups & 3);
        q->w = k->packed.weights + (ptrdiff_t)(o / QUAD) * all * QUAD_WEIGHTS + at / 4 * QUAD_WEIGHTS;
        q->sums = alone ? (uint32_t *)(uintptr_t)no_sums : sums; // read only
        if (at + some < k->length) {
            add_products(q);
        }
    }
    write_results(q);
    if (k->packed.clamped) {
        nn_packed_clamp(&k->packed, y, n);
    }
}

NN_NOINLINE void outputs(const work *k, int32_t count, int8_t *y) {
    uint32_t widened[NN_WIDENED_WORDS];
    quads q;
    const int32_t fours = count & -QUAD;
    for (int32_t o = 0, n; o < fours; o += n) {
        n = k->length <= NN_WIDENED ? fours : nn_min(fours - o, QUAD * TOGETHER);
        some_outputs(k, &q, o, n, y + o, widened);
    }
    if (fours != count) {
        int8_t last[QUAD];
        some_outputs(k, &q, fours, QUAD, last, widened);
        for (int32_t o = fours; o < count; o++) {
            y[o] = last[o - fours];
        }
    }
}

// Whether an operand's elements lie without gaps in their source's order.
static int is_run(const nn_operand *x) {
    const int pixels = nn_interleaved(x);
    const int32_t inner = pixels ? x->c : x->w, inner_step = pixels ? x->cs : x->ps;
    const int32_t middle = pixels ? x->w : x->h, middle_step = pixels ? x->ps : x->rs;
    const int32_t outer = pixels ? x->h : x->c, outer_step = pixels ? x->rs : x->cs;
    return x->rows == x->h && (inner == 1 || inner_step == 1) && (middle == 1 || middle_step == inner)
        && (outer == 1 || outer_step == inner * middle);
}

int nn_inner_product_int8_dsp(const nn_state *call) {
    work k;
    nn_operand x;
    const nn_operand *out = &call->out;
    const int32_t *p = call->params;
    if (call->n_in != 3) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != INNER_PRODUCT_INT8_PARAMS || p[INNER_PRODUCT_INT8_PER_ROW] || p[INNER_PRODUCT_INT8_WEIGHT_ZERO]
        || !nn_is_int8(p[INNER_PRODUCT_INT8_INPUT_ZERO])) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_input(call, 0, NN_I8, 0, &x));
    if (out->dtype != NN_I8) {
        return NN_BAD_TYPE;
    }
    NN_TRY(nn_whole(call, &x));
    if (out->c != 1 || out->h != 1 || (out->w > 1 && out->ps != 1) || !is_run(&x)) {
        return NN_BAD_SHAPE;
    }
    k.x = (const int8_t *)x.data;
    k.length = (int32_t)nn_count(&x); // they lie in a buffer
    k.zero = p[INNER_PRODUCT_INT8_INPUT_ZERO];
    const int64_t padded = ((int64_t)out->w + QUAD - 1) / QUAD * QUAD;
    NN_TRY(nn_packed_of(call, ((int64_t)k.length + 3) / 4 * 4 * padded, padded, p + INNER_PRODUCT_INT8_OUTPUT_ZERO, &k.packed));
    outputs(&k, out->w, (int8_t *)out->data);
    return NN_OK;
}

#endif
