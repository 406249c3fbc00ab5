// Convolution in int8 with weights packed for cores with the DSP extension: gives what convolution_int8.c gives of the
// weights as they were. Three pixels at a time meet two filters (pairs_int8.h).

#include "dsp.h"

#if NN_DSP

#include "pairs_int8.h"
#include "windows_int8.h"

struct nn_filters {
    nn_packed packed;
    int alone; // whether no sums have to lie in memory
    nn_products products;
    uint32_t *patch; // and sums behind it
};

static const uint32_t no_sums[NN_PAIR_SUMS];

// The results of channels [o, o + n): the last piece's products with their filters are still to be added.
static void finish(const nn_windows *k, const nn_spot *s, int32_t o, int32_t n) {
    nn_products *const p = &k->of->products;
    p->channels = k->of->packed.channels + NN_CHANNEL_WORDS * o;
    for (int32_t i = 0; i < NN_PIXELS; i++) {
        p->y[i] = s[i].to + o;
    }
    p->y_end = p->y[0] + n;
    nn_pairs_results(p);
    for (int32_t i = 0; i < NN_PIXELS && k->of->packed.clamped; i++) {
        nn_packed_clamp(&k->of->packed, s[i].to + o, n);
    }
}

// Piece by piece: the sums of some pairs lie behind the patch.
static void by_pieces(const nn_windows *k, const nn_spot *s) {
    nn_products *const p = &k->of->products;
    uint32_t *const patch = k->of->patch, *const sums = patch + NN_PIECE / 4 * NN_GROUP_WORDS;
    const int32_t pair_bytes = NN_PAIR_WEIGHTS * ((k->filter + 3) >> 2);
    for (int32_t o = 0, n; o < k->outputs; o += n) {
        n = nn_min(k->outputs - o, 2 * NN_PAIRS);
        p->sums_end = sums + n / 2 * NN_PAIR_SUMS;
        for (uint32_t *sum = sums; sum != p->sums_end; sum++) {
            *sum = 0;
        }
        for (int32_t at = 0, length; at < k->filter; at += length) {
            length = nn_min(k->piece, k->filter - at);
            fill_all(k, s, 0, at, length, patch);
            nn_pairs_piece(p, length, k->filter);
            p->w = k->of->packed.weights + (ptrdiff_t)(o / 2) * pair_bytes + 2 * at;
            p->sums = sums;
            if (at + length < k->filter) {
                nn_pairs_sums(p);
            }
        }
        finish(k, s, o, n);
    }
}

// All at once.
static void at_once(const nn_windows *k, const nn_spot *s) {
    nn_products *const p = &k->of->products;
    p->w = k->of->packed.weights;
    p->sums = (uint32_t *)(uintptr_t)no_sums; // read only
    fill_all(k, s, 0, 0, k->filter, k->of->patch);
    finish(k, s, 0, k->outputs);
}

NN_NOINLINE void all_pixels(nn_windows *k) {
    nn_spot spots[NN_PIXELS];
    uint32_t scratch[NN_SCRATCH_WORDS];
    nn_products *const p = &k->of->products;
    k->of->patch = scratch;
    p->x = scratch;
    p->sums_step = k->of->alone ? 0 : NN_PAIR_SUMS * (int32_t)sizeof *p->sums;
    nn_pairs_piece(p, k->piece, k->filter);
    nn_all_pixels(k, spots, NN_PIXELS, k->of->alone ? at_once : by_pieces);
}

static int prepare(const nn_state *call, nn_windows *k) {
    if (call->n_in != 3) {
        return NN_BAD_COUNT;
    }
    int64_t count;
    NN_TRY(nn_windows_of(call, NN_PIECE, NN_BLOCK, k, &count));
    if (k->inputs != k->x.c || call->out.c % 2 || call->out.cs != 1) {
        return NN_BAD_SHAPE;
    }
    NN_TRY(nn_packed_of(call, ((int64_t)k->filter + 3) / 4 * 4 * call->out.c, call->out.c,
        call->params + CONVOLUTION_INT8_OUTPUT_ZERO, &k->of->packed));
    k->of->alone = k->filter <= NN_ALONE;
    k->piece = k->of->alone ? k->filter : k->piece;
    return NN_OK;
}

int nn_convolution_int8_dsp(const nn_state *call) {
    nn_windows k;
    nn_filters filters;
    k.of = &filters;
    NN_TRY(prepare(call, &k));
    all_pixels(&k);
    return NN_OK;
}

#endif
